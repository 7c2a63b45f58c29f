"""What came in and what goes out, as administrators see it: replay, resend, raw messages."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.events import Event
from helpdesk.intake import receive
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib.clock import now
from helpdesk.outbox.actions import enqueue_receipt, enqueue_reply, mark_failed
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.tickets import actions
from helpdesk.tickets.models import NUMBER_OFFSET, Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages
from tests.web.rooms import enter

RAW = (
    b"From: Oksana <oksana@client.example>\r\nTo: support@example.com\r\n"
    b"Subject: <script>alert(1)</script>\r\nMessage-ID: <one@client.example>\r\n\r\nHello %d\r\n"
)


@pytest.fixture
def ada(pages: Pages) -> Pages:
    return enter(pages, "ada")


def failed(count: int = 1) -> list[int]:
    """Deliveries that could not be processed."""
    with ext.write() as session:
        emails = [
            RawEmail(RAW % n, "oksana@client.example", ("support@example.com",), now())
            for n in range(count)
        ]
        ids = accept(session, emails)
        for id_ in ids:
            delivery = session.get_one(Delivery, id_)
            delivery.state, delivery.todo = DeliveryState.FAILED, None
            delivery.reason, delivery.attempts = "RecursionError: <b>deep</b>", 5
    return ids


def states() -> list[str]:
    with ext.session() as session:
        return [str(state) for state in session.scalars(select(Delivery.state))]


def test_failed_delivery_is_replayed_and_becomes_a_ticket(ada: Pages) -> None:
    (id_,) = failed()
    page = ada.get("/admin/deliveries")
    assert "RecursionError: <b>deep</b>" in page.text and "oksana@client.example" in page.text
    page = ada.get(f"/admin/deliveries/{id_}")
    assert "<script>alert(1)</script>" in page.text and not page.all("b/b")
    assert "processed again" in ada.post(f"/admin/deliveries/{id_}/replay").text
    receive.process_new()
    page = ada.get(f"/admin/deliveries/{id_}")
    assert f"№ {NUMBER_OFFSET + 1}" in page.text
    with ext.session() as session:
        event = session.scalars(select(Event).where(Event.kind == "delivery.replayed")).one()
    assert event.user_id is not None


def test_raw_message_is_offered_on_the_ticket_while_it_is_kept(ada: Pages) -> None:
    (id_,) = failed()
    ada.get(f"/admin/deliveries/{id_}")
    ada.post(f"/admin/deliveries/{id_}/replay")
    receive.process_new()
    path = f"/desk/t/{NUMBER_OFFSET + 1}"
    (link,) = [a for a in ada.get(path).all("a") if a.get("href", "").endswith("/raw")]
    assert ada.raw("GET", link.get("href", "")).data == RAW % 0
    with ext.write() as session:
        session.get_one(Delivery, id_).raw = None
    assert not [a for a in ada.get(path).all("a") if a.get("href", "").endswith("/raw")]


def test_all_failed_deliveries_are_replayed_at_once(ada: Pages) -> None:
    failed(3)
    ada.get("/admin/deliveries")
    assert "3 deliveries are processed again." in ada.post("/admin/deliveries/replay").text
    assert states() == ["new"] * 3
    assert "Nothing failed" in ada.get("/admin/deliveries").text


def test_delivery_that_is_done_can_not_be_replayed(ada: Pages) -> None:
    (id_,) = failed()
    ada.get(f"/admin/deliveries/{id_}")
    ada.post(f"/admin/deliveries/{id_}/replay")
    fields = {"csrf_token": ada.get("/desk/me") and ada.token}
    page = ada.send(f"/admin/deliveries/{id_}/replay", fields)
    assert "Only a failed delivery can be replayed." in page.text


def test_raw_delivery_is_a_file_octet_by_octet(ada: Pages) -> None:
    (id_,) = failed()
    response = ada.raw("GET", f"/admin/deliveries/{id_}/raw")
    assert response.data == RAW % 0
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.mimetype == "application/octet-stream"


def test_delivery_whose_raw_message_is_gone_says_so(ada: Pages) -> None:
    (id_,) = failed()
    with ext.write() as session:
        session.get_one(Delivery, id_).raw = None
    assert "retention period" in ada.get(f"/admin/deliveries/{id_}").text
    assert ada.raw("GET", f"/admin/deliveries/{id_}/raw").status_code == 404


def test_deliveries_are_found_by_state_and_message_id(ada: Pages) -> None:
    failed(2)
    assert "one@client.example" in ada.get("/admin/deliveries?message_id=<one@client.example>").text
    assert "Nothing like that" in ada.get("/admin/deliveries?message_id=two@client.example").text
    assert "Nothing like that" in ada.get("/admin/deliveries?state=quarantined").text


def test_deliveries_go_on_page_by_page(ada: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpdesk.web.admin.deliveries.PAGE", 2)
    ids = failed(5)
    seen, path = [], "/admin/deliveries"
    for _ in range(3):
        page = ada.get(path)
        seen += re.findall(r'href="/admin/deliveries/(\d+)"', page.html)
        following = [a.get("href", "") for a in page.all("a") if a.get("rel") == "next"]
        path = "/admin/deliveries" + following[0] if following else ""
    assert path == "" and seen == [str(id_) for id_ in reversed(ids)]
    assert ada.get("/admin/deliveries?before=1%20OR%201").status == 404


def test_supervisor_replays_too(pages: Pages) -> None:
    (id_,) = failed()
    enter(pages, "sam").get(f"/admin/deliveries/{id_}")
    assert "processed again" in pages.post(f"/admin/deliveries/{id_}/replay").text


def mailed(cast: Cast, desk: Desk, text: str = "It is <b>fixed</b>.") -> int:
    """An answer that waits in the outbox."""
    number = desk.ticket("Kettle")
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        message = actions.reply(session, ticket, text, user_id=cast.alice.id, at=now())
        return enqueue_reply(session, message.id, at=now())


def state_of(outgoing_id: int) -> OutgoingState:
    with ext.session() as session:
        return session.get_one(Outgoing, outgoing_id).state


def test_outbox_shows_emails_and_says_when_none_leave(ada: Pages, cast: Cast, desk: Desk) -> None:
    id_ = mailed(cast, desk)
    page = ada.get("/outbox")
    assert "oksana@client.example" in page.text and "No email leaves this machine." in page.text
    page = ada.get(f"/outbox/{id_}")
    assert "It is <b>fixed</b>." in page.text and "Message-ID: <" in page.text
    frame = page.one("iframe")
    assert frame.get("sandbox") == "" and frame.get("src") == f"/outbox/{id_}/html"


def test_email_in_a_frame_can_do_nothing(ada: Pages, cast: Cast, desk: Desk) -> None:
    id_ = mailed(cast, desk)
    response = ada.raw("GET", f"/outbox/{id_}/html")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox;" in policy and "script" not in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    raw = ada.raw("GET", f"/outbox/{id_}/raw")
    assert raw.data.startswith(b"Date: ") and raw.mimetype == "application/octet-stream"


def test_failed_email_is_sent_again(ada: Pages, cast: Cast, desk: Desk) -> None:
    id_ = mailed(cast, desk)
    with ext.write() as session:
        outgoing = session.get_one(Outgoing, id_)
        mark_failed(session, outgoing, "The mail server refused the email.", at=now())
    page = ada.get("/outbox?state=failed")
    assert "The mail server refused the email." in page.text
    assert "sent again" in ada.post(f"/outbox/{id_}/resend").text
    assert state_of(id_) == OutgoingState.QUEUED


def test_email_that_is_being_sent_is_not_sent_twice(ada: Pages, cast: Cast, desk: Desk) -> None:
    id_ = mailed(cast, desk)
    with ext.write() as session:
        session.get_one(Outgoing, id_).state = OutgoingState.SENDING
    fields = {"csrf_token": ada.get("/desk/me") and ada.token}
    page = ada.send(f"/outbox/{id_}/resend", fields)
    assert "being sent right now" in page.text


def test_email_that_can_not_be_written_still_has_a_page(ada: Pages, cast: Cast, desk: Desk) -> None:
    id_ = mailed(cast, desk)
    with ext.write() as session:
        session.get_one(Outgoing, id_).to_address = ""
    page = ada.get(f"/outbox/{id_}")
    assert page.status == 200 and "cannot be written" in page.text
    assert ada.raw("GET", f"/outbox/{id_}/raw").status_code == 404


def test_outbox_is_for_administrators_only(pages: Pages, cast: Cast, desk: Desk) -> None:
    id_ = mailed(cast, desk)
    enter(pages, "sam")
    for path in ("/outbox", f"/outbox/{id_}", f"/outbox/{id_}/html", f"/outbox/{id_}/raw"):
        assert pages.raw("GET", path).status_code == 404


def test_supervisor_sees_broken_promises_first(
    pages: Pages, cast: Cast, desk: Desk, clock: Any
) -> None:
    number = desk.ticket("Forgotten")
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        ticket.sla, ticket.next_due_at = "breached", now()
    clock.shift(600)
    enter(pages, "sam")
    page = pages.get("/supervisor/promises")
    assert "Forgotten" in page.text and "−10 min" in page.text
    assert "No promise is in danger" in pages.get("/supervisor/promises?view=risk").text


def test_receipt_reads_like_the_page_behind_its_link(pages: Pages, cast: Cast, desk: Desk) -> None:
    number = desk.ticket()
    with ext.write() as session:
        enqueue_receipt(session, int(number) - NUMBER_OFFSET, at=now())
    with ext.session() as session:
        text = session.scalars(select(Outgoing.text)).one()
    promise = re.search(r"We answer by .*\.|.*16:00 \(UTC\+2\).*", text)
    link = re.search(r"http://127\.0\.0\.1:8000(/t/\S+)", text)
    assert promise is not None and link is not None
    assert promise[0] in enter(pages).get(link[1]).text
