"""A ticket's page: reading, answering, noting, changing, and two people at once."""

import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from helpdesk import ext, files
from helpdesk.clients.models import ContactPoint
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.notices import tell
from helpdesk.outbox.actions import enqueue_reply, mark_failed
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.tickets.content import FileRef
from helpdesk.tickets.models import NUMBER_OFFSET, Message, MessageKind, Ticket
from helpdesk.web.cached import forget
from tests.cast import Cast
from tests.web.conftest import Desk, Pages, counted

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def messages(kind: MessageKind) -> list[Message]:
    with ext.session() as session:
        return list(session.scalars(select(Message).where(Message.kind == kind)))


def test_page_shows_who_wrote_what_and_the_promise(alice: Pages, desk: Desk) -> None:
    number = desk.ticket("Kettle leaks", "It leaks since Monday.")
    page = alice.get(f"/desk/t/{number}")
    assert "Kettle leaks" in page.one("h1").itertext()
    for words in ("It leaks since Monday.", "Оксана Литвиненко", "First response: 4 h", "Nobody"):
        assert words in page.text


def test_reply_goes_to_the_client_and_awaits_them(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    page = alice.post(f"/desk/t/{number}/messages", outbound="Send us a photo.")
    assert "Send us a photo." in page.text
    assert "Awaiting client" in " ".join(page.one("header[@id='thead']").itertext())
    (sent,) = messages(MessageKind.OUTBOUND)
    assert sent.text == "Send us a photo."


def test_note_never_becomes_a_reply(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    path = f"/desk/t/{number}/messages"
    alice.post(path, kind="note", note="Careful, VIP.", outbound="A reply still being written")
    assert [m.text for m in messages(MessageKind.NOTE)] == ["Careful, VIP."]
    assert messages(MessageKind.OUTBOUND) == []


def test_empty_reply_says_so_and_keeps_the_page(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    page = alice.post(f"/desk/t/{number}/messages", outbound="   ")
    assert "There is no text yet." in page.text


def test_same_send_twice_is_one_message(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    fields = {"kind": "outbound", "outbound": "Once.", "nonce": "n1"}
    assert not alice.raw("GET", f"/desk/t/{number}/sent?nonce=n1").json["sent"]  # type: ignore[index]
    for _ in range(2):
        answer = alice.script(f"/desk/t/{number}/messages", **fields)
        assert answer.json is not None and answer.json["lists"]
    assert alice.raw("GET", f"/desk/t/{number}/sent?nonce=n1").json == {"sent": True}
    assert len(messages(MessageKind.OUTBOUND)) == 1


def test_drafts_of_reply_and_note_are_kept_apart(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    for kind, text in (("outbound", "Dear Oksana"), ("note", "Ask Sam")):
        alice.script(f"/desk/t/{number}/drafts", kind=kind, text=text)
    form = alice.get(f"/desk/t/{number}").form(f"/desk/t/{number}/messages")
    assert (form["outbound"], form["note"]) == ("Dear Oksana", "Ask Sam")
    alice.script(f"/desk/t/{number}/drafts", kind="note", text="")
    form = alice.get(f"/desk/t/{number}").form(f"/desk/t/{number}/messages")
    assert (form["outbound"], form["note"]) == ("Dear Oksana", "")


def test_nobody_sees_a_colleagues_draft(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    alice.script(f"/desk/t/{number}/drafts", kind="outbound", text="secret thoughts")
    alice.client.delete_cookie("helpdesk_login")
    alice.log_in("sam")
    assert "secret thoughts" not in alice.get(f"/desk/t/{number}").html


def test_file_of_a_draft_goes_with_the_answer(alice: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    upload = (io.BytesIO(b"MZ evil"), "../../plan.exe", "text/html")
    answer = alice.script(f"/desk/t/{number}/files", kind="outbound", files=upload)
    assert answer.json is not None and "plan.exe" in answer.json["html"]
    alice.get(f"/desk/t/{number}")
    page = alice.post(f"/desk/t/{number}/messages", outbound="See the plan.")
    (link,) = [a for a in page.all("a") if "/desk/files/" in a.get("href", "")]
    saved = alice.raw("GET", link.get("href", ""))
    assert saved.data == b"MZ evil"
    assert saved.mimetype == "application/octet-stream"
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in saved.headers["Content-Security-Policy"]


def test_file_can_be_taken_from_the_draft(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    upload = (io.BytesIO(b"x"), "a.txt", "text/plain")
    alice.script(f"/desk/t/{number}/files", kind="note", files=upload)
    page = alice.get(f"/desk/t/{number}")
    (button,) = [b for b in page.all("button") if b.get("formaction")]
    answer = alice.script(button.get("formaction", ""))
    assert answer.json == {"html": ""}


def test_more_files_or_tags_than_fit_are_refused_not_left_out(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    uploads = [(io.BytesIO(b"x"), f"{n}.txt", "text/plain") for n in range(21)]
    answer = alice.script(f"/desk/t/{number}/files", kind="note", files=uploads)
    assert answer.status_code == 400
    assert answer.json == {"error": "At most 20 files fit one message.", "field": "files"}
    tags = ",".join(f"tag{n}" for n in range(21))
    answer = alice.script(f"/desk/t/{number}/tags", tags=tags, was="")
    assert answer.status_code == 400
    assert answer.json == {"error": "At most 20 tags fit.", "field": "tags"}
    assert "tag1" not in alice.get(f"/desk/t/{number}").text


def test_uploaded_file_is_hidden_from_colleagues_until_sent(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    upload = (io.BytesIO(b"x"), "a.txt", "text/plain")
    alice.script(f"/desk/t/{number}/files", kind="note", files=upload)
    alice.client.delete_cookie("helpdesk_login")
    alice.log_in("sam")
    assert alice.raw("GET", "/desk/files/1").status_code == 404


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("status", {"status": "resolved"}, "Resolved"),
        ("priority", {"priority": "urgent"}, "Urgent"),
        ("assignee", {"assignee": "me"}, "You"),
        ("queue", {"queue": "billing"}, "Billing"),
        ("tags", {"tags": "Kettle, leak ,leak"}, "kettle, leak"),
        ("subject", {"subject": "A new name"}, "A new name"),
    ],
)
def test_chips_change_the_ticket_without_scripts(
    alice: Pages, desk: Desk, cast: Cast, name: str, values: dict[str, str], words: str
) -> None:
    number = desk.ticket()
    known = {"me": str(cast.alice.id), "billing": str(cast.billing.id)}
    alice.get(f"/desk/t/{number}")
    chosen = {key: known.get(value, value) for key, value in values.items()}
    page = alice.post(f"/desk/t/{number}/{name}", **chosen)
    assert page.status == 200
    assert words in " ".join(page.one("header[@id='thead']").itertext())


def test_two_people_change_at_once_and_the_second_hears_of_it(
    alice: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket()
    path = f"/desk/t/{number}/status"
    seen = alice.get(f"/desk/t/{number}").form(path)
    alice.post(path, status="resolved")
    answer = alice.raw("POST", path, data=seen | {"status": "open"}, headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert answer.json is not None
    assert "Somebody changed this ticket" in answer.json["error"]
    page = alice.send(path, seen | {"status": "open"})
    assert "Somebody changed this ticket" in page.text


def test_a_colleagues_change_is_named_in_the_conflict(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    path = f"/desk/t/{number}/priority"
    seen = alice.get(f"/desk/t/{number}").form(path)
    sam = Pages(alice.app, alice.app.test_client())
    sam.log_in("sam")
    sam.get(f"/desk/t/{number}")
    sam.post(path, priority="urgent")
    answer = alice.raw("POST", path, data=seen | {"priority": "low"}, headers={"HX-Request": "1"})
    assert answer.json is not None
    assert "Priority: Normal → Urgent (Sam)" in answer.json["error"]
    seen["was"] = answer.json["was"]
    answer = alice.raw("POST", path, data=seen | {"priority": "low"}, headers={"HX-Request": "1"})
    assert answer.status_code == 204


def test_another_change_of_the_ticket_or_the_very_same_one_is_no_conflict(
    alice: Pages, desk: Desk
) -> None:
    number = desk.ticket()
    status, priority = (f"/desk/t/{number}/{name}" for name in ("status", "priority"))
    seen = alice.get(f"/desk/t/{number}")
    sam = Pages(alice.app, alice.app.test_client())
    sam.log_in("sam")
    sam.get(f"/desk/t/{number}")
    sam.post(priority, priority="urgent")
    sam.post(f"/desk/t/{number}/subject", subject="Sam was here")
    script = {"HX-Request": "1"}
    for path, fields in ((status, {"status": "resolved"}), (priority, {"priority": "urgent"})):
        answer = alice.raw("POST", path, data=seen.form(path) | fields, headers=script)
        assert answer.status_code == 204
        was = json.loads(answer.headers["HX-Trigger"])["changed"]["was"]
        assert was == next(iter(fields.values()))
    again = seen.form(priority) | {"was": "urgent", "priority": "low"}
    assert alice.raw("POST", priority, data=again, headers=script).status_code == 204


def test_script_hears_what_to_fetch_anew(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    path = f"/desk/t/{number}/priority"
    fields = alice.get(f"/desk/t/{number}").form(path) | {"priority": "high"}
    answer = alice.raw("POST", path, data=fields, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert f'"tickets": [{int(number) - NUMBER_OFFSET}]' in answer.headers["HX-Trigger"]


@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 30, "\u0661"])
@pytest.mark.parametrize("name", ["status", "priority", "assignee", "queue"])
def test_made_up_choices_are_refused(alice: Pages, desk: Desk, name: str, value: str) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    path = f"/desk/t/{number}/{name}"
    if name == "assignee" and not value:
        value = "0"
    fields = {"csrf_token": alice.token, name: value}
    headers = {"Accept": "application/json"}
    assert alice.raw("POST", path, data=fields, headers=headers).status_code == 400


def test_other_queues_tickets_are_not_there_for_bob(pages: Pages, desk: Desk) -> None:
    number = desk.ticket()
    pages.log_in("bob")
    pages.get("/desk/me")
    for path in ("", "/talk", "/side", "/clocks", "/sent"):
        assert pages.raw("GET", f"/desk/t/{number}{path}").status_code == 404
    for path in ("status", "priority", "messages", "drafts", "files", "resend/1"):
        fields = {"csrf_token": pages.token, "kind": "note", "status": "open", "priority": "low"}
        fields |= {"note": "x"}
        answer = pages.raw("POST", f"/desk/t/{number}/{path}", data=fields)
        assert answer.status_code == 404, path
    assert messages(MessageKind.NOTE) == []


@pytest.mark.parametrize("number", ["0", "abc", "10000", "99999999999999", "%00", "١٠٠٠١"])
def test_made_up_numbers_lead_to_a_plain_page(alice: Pages, number: str) -> None:
    page = alice.get(f"/desk/t/{number}")
    assert page.status == 404
    assert "There is nothing here" in page.text


def test_failed_answer_stands_on_the_ticket_and_can_be_resent(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    alice.post(f"/desk/t/{number}/messages", outbound="Hello.")
    (sent,) = messages(MessageKind.OUTBOUND)
    with ext.write() as session:
        outgoing_id = enqueue_reply(session, sent.id, at=now())
        outgoing = session.get_one(Outgoing, outgoing_id)
        mark_failed(session, outgoing, "550 no such user", at=now())
    page = alice.get(f"/desk/t/{number}")
    assert "did not reach the client" in page.text and "550 no such user" in page.text
    page = alice.post(f"/desk/t/{number}/resend/{outgoing_id}")
    assert "waiting to be sent" in page.text
    with ext.session() as session:
        assert session.get_one(Outgoing, outgoing_id).state == OutgoingState.QUEUED


def test_bad_address_leaves_only_the_note(alice: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    with ext.write() as session:
        session.get_one(ContactPoint, cast.oksana.contact_point_id).bad = True
    page = alice.get(f"/desk/t/{number}")
    assert "only a note is possible" in page.text
    assert page.form(f"/desk/t/{number}/messages")["kind"] == "note"


def test_senders_html_can_neither_act_nor_load(alice: Pages, desk: Desk, cast: Cast) -> None:
    ref = FileRef(files.put(PNG), len(PNG), "logo.png", "image/png", True, "logo@x")
    html = '<p>Hi</p><img data-cid="logo@x"><img data-src="http://evil.example/t.gif" alt="x">'
    number = desk.ticket(html=html, files=(ref,))
    page = alice.get(f"/desk/t/{number}")
    frame = page.one("iframe")
    assert frame.get("sandbox") == "allow-popups allow-popups-to-escape-sandbox"
    view = alice.raw("GET", frame.get("src", ""))
    policy = view.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "unsafe" not in policy
    assert "data:image/png;base64," in view.text
    assert ' src="http' not in view.text


def test_hostile_text_is_only_text(alice: Pages, desk: Desk) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)> \u202e {{7*7}} ' \" & </textarea>"
    number = desk.ticket(evil, evil)
    alice.get(f"/desk/t/{number}")
    alice.post(f"/desk/t/{number}/tags", tags=evil)
    alice.script(f"/desk/t/{number}/drafts", kind="outbound", text=evil)
    page = alice.get(f"/desk/t/{number}")
    assert not [s for s in page.all("script") if not s.get("src")]
    assert "alert(1)" in page.text
    for path in ("/desk?view=all", "/desk?q=alert", f"/desk/t/{number}/talk"):
        alice.get(path)


def test_picture_shows_and_svg_is_only_saved(alice: Pages, desk: Desk) -> None:
    data = files.put(PNG)
    refs = (
        FileRef(data, len(PNG), "photo.png", "image/png"),
        FileRef(data, len(PNG), "x.svg", "image/svg+xml; x"),
        FileRef(data, len(PNG), "x.html", "text/html"),
    )
    number = desk.ticket(files=refs)
    page = alice.get(f"/desk/t/{number}")
    assert [i.get("alt") for i in page.all("img")] == ["photo.png"]
    kinds = [alice.raw("GET", f"/desk/files/{id_}").mimetype for id_ in (1, 2, 3)]
    assert kinds == ["image/png", "application/octet-stream", "application/octet-stream"]


def test_why_this_deadline_sums_to_the_target(alice: Pages, desk: Desk, clock: object) -> None:
    clock.shift(timedelta(hours=4))  # type: ignore[attr-defined]  # 16:00, the office closes at 18
    number = desk.ticket()
    page = alice.get(f"/desk/t/{number}/clocks")
    assert "First response: 4 h of working time" in page.text
    table = page.all("table")[0]
    hours = ["".join(row[2].itertext()) for row in table.findall(".//tbody/tr")]
    assert hours == ["2 h", "0 min", "2 h"]


def test_opening_a_ticket_reads_its_notices(alice: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        event = session.scalars(select(Event).where(Event.ticket_id == ticket.id)).first()
        assert event is not None
        tell(session, cast.alice.id, event, ticket.id, "ticket.assigned", at=now())
    page = alice.get("/desk/notices")
    assert "A ticket was given to you" in page.text and "new for you" in page.text
    alice.get(f"/desk/t/{number}")
    assert "new for you" not in alice.get("/desk/notices").text


def test_page_of_a_long_ticket_costs_few_queries(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    for n in range(10):
        desk.writes(number, f"Message {n}")
        desk.ticket(f"Other {n}")
    alice.get(f"/desk/t/{number}?view=all")
    forget()  # what is cached for a second counts in both
    with counted() as few:
        alice.client.get(f"/desk/t/{number}?view=all")
    for n in range(15):
        desk.writes(number, f"Message {n}")
    forget()
    with counted() as many:
        alice.client.get(f"/desk/t/{number}?view=all")
    with counted() as again:
        alice.client.get(f"/desk/t/{number}?view=all")
    assert len(many) == len(few) <= 11
    assert len(again) <= 8


def test_page_with_everything_on_it_costs_twelve_queries_with_nothing_cached(
    pages: Pages, desk: Desk, cast: Cast
) -> None:
    """Files, drafts, sent answers, ended promises, and a reader with queues of their own."""
    number = desk.ticket(queue=cast.billing)
    desk.ticket("Another", queue=cast.billing)
    pages.log_in("bob")
    path = f"/desk/t/{number}"
    pages.get(path)
    pages.script(f"{path}/files", kind="outbound", files=(io.BytesIO(PNG), "photo.png"))
    pages.post(f"{path}/messages", outbound="Here it is.", then="resolved")
    pages.script(f"{path}/drafts", kind="note", text="Ask Sam")
    forget()
    with counted() as sent:
        page = pages.client.get(path)
    for words in ("photo.png", "Here it is.", "Ask Sam", "on time", "Another"):
        assert words in page.text
    assert len(sent) <= 12
