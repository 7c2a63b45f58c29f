"""A customer opens the link of our email, reads, writes, and sees nothing that is internal."""

import io
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from helpdesk import ext, files
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import link_token
from helpdesk.outbox.addressing import secret, ticket_link
from helpdesk.tickets import actions
from helpdesk.tickets.content import Content, FileRef
from helpdesk.tickets.models import (
    NUMBER_OFFSET,
    Attachment,
    Channel,
    Message,
    MessageKind,
    Status,
    Ticket,
)
from helpdesk.tickets.received import add_message
from helpdesk.web.portal.link import path_of
from tests.cast import Cast
from tests.web.conftest import Desk, Pages
from tests.web.rooms import enter


@pytest.fixture
def guest(pages: Pages) -> Pages:
    """A browser of somebody outside."""
    return enter(pages)


def link_of(number: str) -> str:
    with ext.session() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        return f"/t/{link_token(secret(), ticket.id, ticket.link_nonce)}"


def messages_of(number: str) -> list[Message]:
    with ext.session() as session:
        query = select(Message).where(Message.ticket_id == int(number) - NUMBER_OFFSET)
        return list(session.scalars(query.order_by(Message.id)))


def staff_writes(cast: Cast, number: str, answer: str = "", note: str = "", **then: Any) -> None:
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        if answer:
            actions.reply(session, ticket, answer, user_id=cast.alice.id, at=now(), **then)
        if note:
            actions.note(session, ticket, note, user_id=cast.alice.id, at=now())


def test_link_shows_subject_promise_and_what_was_written(guest: Pages, desk: Desk) -> None:
    number = desk.ticket("Чайник тече", "Вода на столі.")
    page = guest.get(link_of(number))
    assert page.status == 200
    assert page.one("h1").text == "Чайник тече"
    assert number in page.text and "Вода на столі." in page.text
    # Monday 12:00 in Kyiv and four office hours: the same words as in the receipt.
    html = next(page.tree.iter("html"))
    assert html.get("lang") == "uk"
    assert re.search(r"16:00 \(UTC\+2\)", page.text)


def test_page_stays_out_of_caches_search_engines_and_referrers(guest: Pages, desk: Desk) -> None:
    headers = guest.get(link_of(desk.ticket())).response.headers
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Referrer-Policy"] == "no-referrer"


def test_notes_strangers_and_returned_mail_are_not_shown(
    guest: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket("Lamp", "Mine")
    staff_writes(cast, number, answer="We look into it.", note="Canary: rude client")
    ticket_id = int(number) - NUMBER_OFFSET
    with ext.write() as session:
        for text, who, more in (
            ("Canary: stranger", cast.stranger, {"stranger": True}),
            ("Canary: bounce", None, {"is_bounce": True}),
        ):
            content = Content(text=text, **more)
            add_message(session, ticket_id, content, who=who, channel=Channel.EMAIL, at=now())
    page = guest.get(link_of(number))
    assert "We look into it." in page.text and "Alice, Helpdesk" in page.text
    assert "Canary" not in page.html
    assert "alice@example.com" not in page.html and "client.example" not in page.html


def test_what_the_customer_writes_reaches_the_ticket(guest: Pages, desk: Desk) -> None:
    number = desk.ticket()
    link = link_of(number)
    guest.get(link + "?lang=en")
    page = guest.post(link, text="Still leaking\r\nhelp")
    assert page.status == 200 and "We have it." in page.text and "Still leaking" in page.text
    last = messages_of(number)[-1]
    assert (last.kind, last.channel) == (MessageKind.INBOUND, Channel.WEB)
    assert last.text == "Still leaking\nhelp"


def test_answer_by_the_link_proves_the_mailbox(guest: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    guest.get(link_of(number))
    guest.post(link_of(number), text="It is me")
    with ext.session() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        assert ticket.contact_point is not None and ticket.contact_point.verified


def test_same_form_sent_twice_writes_once(guest: Pages, desk: Desk) -> None:
    number = desk.ticket()
    link = link_of(number)
    fields = guest.get(link).form(link) | {"text": "Once"}
    for _ in range(3):
        assert guest.send(link, fields).status == 200
    assert [m.text for m in messages_of(number)].count("Once") == 1


def test_same_form_sent_at_the_same_moment_writes_once(guest: Pages, desk: Desk) -> None:
    number = desk.ticket()
    link = link_of(number)
    fields = guest.get(link).form(link) | {"text": "Once"}
    cookie = guest.client.get_cookie("session").value

    def send() -> None:
        client = guest.app.test_client()
        client.set_cookie("session", cookie)
        client.post(link, data=fields)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [m.text for m in messages_of(number)].count("Once") == 1


def test_form_without_a_living_session_is_shown_again_with_its_text(
    guest: Pages, desk: Desk
) -> None:
    number = desk.ticket()
    link = link_of(number)
    fields = guest.get(link + "?lang=en").form(link) | {"text": "A long story"}
    guest.client.delete_cookie("session")
    page = guest.send(link, fields)
    assert page.status == 400 and "Nothing was sent yet" in page.text
    assert page.form(link)["text"].strip() == "A long story"
    assert len(messages_of(number)) == 1
    assert "We have it." in guest.post(link).text
    assert messages_of(number)[-1].text == "A long story"


def test_empty_form_says_so(guest: Pages, desk: Desk) -> None:
    link = link_of(desk.ticket())
    guest.get(link + "?lang=en")
    page = guest.post(link, text="  \n ")
    assert page.status == 400 and "There is no text yet." in page.text


def test_too_long_text_is_kept_and_explained(guest: Pages, desk: Desk) -> None:
    link = link_of(desk.ticket())
    guest.get(link + "?lang=en")
    page = guest.post(link, text="x" * 200_001)
    assert page.status == 400 and "too long" in page.text
    assert len(page.form(link)["text"].strip()) == 200_001


def test_files_go_both_ways_and_can_do_no_harm(guest: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    link = link_of(number)
    fields = guest.get(link).form(link)
    evil = (io.BytesIO(b"<svg onload=alert(1)>"), "../\u200bx.svg", "image/svg+xml; x")
    png = (io.BytesIO(b"\x89PNG"), "a.png", "image/png")
    page = guest.send(link, fields | {"files": [evil, png]}, content_type="multipart/form-data")
    assert page.status == 200
    with ext.session() as session:
        found = {a.filename: a for a in session.scalars(select(Attachment))}
    assert set(found) == {"_x.svg", "a.png"}
    served = guest.raw("GET", f"{link}/files/{found['_x.svg'].id}")
    assert served.mimetype == "application/octet-stream"
    assert served.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in served.headers["Content-Security-Policy"]
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert served.headers["Cache-Control"] == "no-store"
    assert guest.raw("GET", f"{link}/files/{found['a.png'].id}").mimetype == "image/png"


def test_files_of_notes_and_of_other_tickets_are_not_there(
    guest: Pages, desk: Desk, cast: Cast
) -> None:
    data = b"secret"
    ref = FileRef(files.put(data), len(data), "secret.txt", "text/plain")
    other = desk.ticket("Other", "Other", files=(ref,))
    mine = desk.ticket("Mine", "Mine")
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(mine) - NUMBER_OFFSET)
        note = actions.note(session, ticket, "inside", user_id=cast.alice.id, at=now())
        theirs = session.scalars(select(Attachment)).one()
        inside = Attachment(
            message_id=note.id,
            ticket_id=ticket.id,
            file_id=theirs.file_id,
            filename="inside.txt",
            content_type="text/plain",
            size=6,
        )
        session.add(inside)
        session.flush()
        ids = (theirs.id, inside.id, 10**9)
    assert guest.raw("GET", f"{link_of(other)}/files/{ids[0]}").status_code == 200
    for id_ in ids:
        assert guest.raw("GET", f"{link_of(mine)}/files/{id_}").status_code == 404


@pytest.mark.parametrize("broken", ["cut", "flipped", "empty signature", "no such ticket", "junk"])
def test_link_that_opens_nothing_says_what_to_do(guest: Pages, desk: Desk, broken: str) -> None:
    link = link_of(desk.ticket())
    wrong = {
        "cut": link[:-1],
        "flipped": link[:-1] + ("a" if link[-1] != "a" else "b"),
        "empty signature": link.split("-")[0] + "-",
        "no such ticket": "/t/999999-" + link.split("-")[1],
        "junk": "/t/%00%F0%9F%98%80",
    }[broken]
    page = guest.get(wrong, headers={"Accept-Language": "en"})
    assert page.status == 404
    assert "support@example.com" in page.text and "newest email" in page.text


def test_page_of_a_wrong_link_does_not_tell_which_tickets_exist(guest: Pages, desk: Desk) -> None:
    signature = "a" * 26
    number = desk.ticket()
    existing = guest.get(f"/t/{int(number) - NUMBER_OFFSET}-{signature}")
    missing = guest.get(f"/t/999999-{signature}")
    assert existing.html == missing.html and existing.status == missing.status == 404


def test_new_nonce_ends_the_old_link(guest: Pages, desk: Desk) -> None:
    number = desk.ticket()
    link = link_of(number)
    with ext.write() as session:
        session.get_one(Ticket, int(number) - NUMBER_OFFSET).link_nonce = "renewed"
    assert guest.get(link).status == 404
    assert guest.get(link_of(number)).status == 200


def test_link_ends_half_a_year_after_the_last_message(
    guest: Pages, desk: Desk, clock: time_machine.Traveller
) -> None:
    """A code opens the list of requests, whose links are new."""
    number = desk.ticket()
    link = link_of(number)
    clock.shift(timedelta(days=179))
    assert guest.get(link).status == 200
    clock.shift(timedelta(days=2))
    page = guest.get(link, headers={"Accept-Language": "en"})
    assert page.status == 404 and "newest email" in page.text
    with ext.session() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        assert guest.get(path_of(ticket, proven=True)).status == 200
        assert ticket_link(ticket).endswith(path_of(ticket, proven=True))


def test_many_wrong_links_are_slowed_down_and_right_ones_still_open(
    guest: Pages, desk: Desk
) -> None:
    link = link_of(desk.ticket())
    statuses = [guest.get(f"/t/1-{'b' * 26}").status for _ in range(32)]
    assert statuses[:30] == [404] * 30 and statuses[30:] == [429, 429]
    assert guest.get(link).status == 200


def test_language_is_chosen_and_kept(guest: Pages, desk: Desk) -> None:
    link = link_of(desk.ticket())

    def spoken(path: str) -> str | None:
        return next(guest.get(path).tree.iter("html")).get("lang")

    assert spoken(link) == "uk"
    assert spoken(link + "?lang=ru") == "ru"
    assert spoken(link) == "ru"
    assert spoken(link + "?lang=xx") == "ru"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.PENDING, "We wait for your answer."),
        (Status.ON_HOLD, "We wait for somebody whose help we need."),
        (Status.RESOLVED, "This request is solved."),
        (Status.OPEN, "We have answered you."),
    ],
)
def test_state_is_told_in_words(
    guest: Pages, desk: Desk, cast: Cast, status: Status, words: str
) -> None:
    number = desk.ticket()
    staff_writes(cast, number, answer="Done so far.", then=status)
    assert words in guest.get(link_of(number) + "?lang=en").text


def test_writing_to_a_solved_request_takes_it_up_again(
    guest: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket()
    staff_writes(cast, number, answer="Fixed.", then=Status.RESOLVED)
    guest.get(link_of(number))
    guest.post(link_of(number), text="No, it is not")
    with ext.session() as session:
        assert session.get_one(Ticket, int(number) - NUMBER_OFFSET).status == Status.OPEN


def test_writing_to_a_closed_request_opens_a_new_one(guest: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket("Kettle")
    staff_writes(cast, number, answer="Fixed.", then=Status.CLOSED)
    guest.get(link_of(number) + "?lang=en")
    page = guest.post(link_of(number), text="Again")
    assert "a new request now" in page.text and "Again" in page.text
    assert page.place != link_of(number)
    with ext.session() as session:
        old, new = session.scalars(select(Ticket).order_by(Ticket.id)).all()
    assert old.status == Status.CLOSED and new.related_to_id == old.id


def test_flood_of_answers_is_stopped_with_the_text_kept(guest: Pages, desk: Desk) -> None:
    number = desk.ticket()
    link = link_of(number)
    for n in range(30):
        guest.get(link)
        assert guest.post(link, text=f"no {n}").status == 200
    guest.get(link)
    page = guest.post(link, text="one more")
    assert page.status == 429 and page.form(link)["text"].strip() == "one more"


def test_long_conversation_goes_on_page_by_page(guest: Pages, desk: Desk) -> None:
    number = desk.ticket("Long", "text 0")
    for n in range(1, 35):
        desk.writes(number, f"text {n}.")
    page = guest.get(link_of(number))
    assert "text 34." in page.text and "text 4." not in page.text
    (more,) = [a for a in page.all("a") if a.get("rel") == "next"]
    page = guest.get(more.get("href", ""))
    assert "text 4." in page.text and "text 34." not in page.text


def test_hostile_text_and_subject_stay_text(guest: Pages, desk: Desk) -> None:
    evil = '<img src=x onerror=alert(1)>"><script>alert(1)</script> javascript:alert(1)'
    page = guest.get(link_of(desk.ticket(evil, evil)))
    assert not [e for e in page.all("img") if e.get("src") == "x"]
    assert all(one.get("src", "").startswith("/static/js/") for one in page.all("script"))


def test_erased_person_has_no_page(guest: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    link = link_of(number)
    with ext.write() as session:
        session.get_one(Ticket, int(number) - NUMBER_OFFSET).person.erased_at = now()
    assert guest.get(link).status == 404


def test_start_page_tells_how_to_write_to_us(guest: Pages) -> None:
    page = guest.get("/", headers={"Accept-Language": "en"})
    addresses = [a.get("href") for a in page.all("a") if a.get("href", "").startswith("mailto:")]
    assert addresses == ["mailto:support@example.com", "mailto:billing@example.com"]
    assert [a for a in page.all("a") if a.get("href") == "/login"]
