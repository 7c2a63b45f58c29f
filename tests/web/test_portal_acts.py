"""On the page of their request a customer says that it is solved, or not, and rates the answer."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from helpdesk import ext
from helpdesk.clients.models import ContactPoint
from helpdesk.events import Event
from helpdesk.intake.form import UNCONFIRMED
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import link_token
from helpdesk.notices import Notice
from helpdesk.outbox.addressing import secret
from helpdesk.outbox.models import Outgoing, OutgoingKind
from helpdesk.reactions import react
from helpdesk.settings import put
from helpdesk.surveys import Rating, rate
from helpdesk.tickets import actions
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import NUMBER_OFFSET, Channel, Message, Status, Ticket
from helpdesk.tickets.received import add_message
from tests.cast import Cast
from tests.web.conftest import Desk, Pages

ASKED = {"text": "My kettle leaks at the bottom", "name": "Ivan", "contact": "ivan@new.example"}


@pytest.fixture
def guest(pages: Pages) -> Pages:
    """A browser of somebody outside, in English."""
    pages.headers = {"Accept-Language": "en", "User-Agent": "Firefox"}
    pages.client.set_cookie("language", "en")
    return pages


def ticket_of(number: str) -> Ticket:
    with ext.session() as session:
        return session.get_one(Ticket, int(number) - NUMBER_OFFSET)


def link_of(number: str) -> str:
    ticket = ticket_of(number)
    return f"/t/{link_token(secret(), ticket.id, ticket.link_nonce)}"


def answer(cast: Cast, number: str, text: str = "Turn the lid.", **more: Any) -> None:
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        actions.reply(session, ticket, text, user_id=cast.alice.id, at=now(), **more)


def asked_by_form(guest: Pages, clock: time_machine.Traveller, **values: str) -> tuple[str, str]:
    """Number and link that the thank-you page has."""
    guest.get("/ask")
    clock.shift(timedelta(seconds=20))
    page = guest.post("/ask", **{**ASKED, **values})
    with ext.session() as session:
        newest = session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()
    return newest.number, page.place.partition("?")[0]


def events(number: str, kind: str) -> list[Event]:
    with ext.session() as session:
        query = select(Event).where(Event.ticket_id == int(number) - NUMBER_OFFSET)
        return list(session.scalars(query.where(Event.kind == kind)))


def test_solved_by_one_press_and_taken_back_by_another(
    guest: Pages, desk: Desk, cast: Cast, clock: time_machine.Traveller
) -> None:
    number = desk.ticket()
    link = link_of(number)
    guest.get(link)
    page = guest.post(f"{link}/solved")
    assert "Good to know." in page.text and ticket_of(number).status == Status.RESOLVED
    (event,) = events(number, "ticket.status")
    assert event.person_id == cast.oksana.person_id and event.data["reason"] == "client"
    clock.shift(timedelta(hours=1))
    page = guest.post(f"{link}/reopen")
    ticket = ticket_of(number)
    assert ticket.status == Status.OPEN and ticket.waiting_since == now()
    assert ticket.next_due_at is not None and "A person looks at it again." in page.text


def test_link_that_a_program_follows_changes_nothing(guest: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    answer(cast, number)
    link = link_of(number)
    page = guest.get(f"{link}/solved")
    assert page.status == 200 and "Is it solved?" in page.text
    guest.get(f"{link}?rate=1")
    assert ticket_of(number).status == Status.OPEN
    with ext.session() as session:
        assert session.scalars(select(Rating)).all() == []


def test_closed_request_is_not_reopened_by_a_press(guest: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    link = link_of(number)
    guest.get(link)
    answer(cast, number, then=Status.CLOSED)
    page = guest.send(f"{link}/reopen", {"csrf_token": guest.token})
    assert page.status == 409 and "This request is closed." in page.text


def test_rating_by_one_press_then_a_comment(guest: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    link = link_of(number)
    assert "How did we do?" not in guest.get(link).text  # nobody has answered yet
    answer(cast, number)
    guest.get(link)
    page = guest.send(f"{link}/rate", {"csrf_token": guest.token, "score": "2"})
    assert page.status == 200 and "What could be better?" in page.text
    fields = {"csrf_token": guest.token, "score": "2", "comment": "Slow <b>"}
    page = guest.send(f"{link}/rate", fields)
    assert "Slow <b>" in page.text
    with ext.session() as session:
        rating = session.scalars(select(Rating)).one()
    assert (rating.score, rating.comment, rating.user_id) == (2, "Slow <b>", cast.alice.id)
    assert [event.data["score"] for event in events(number, "ticket.rated")] == [2]


def test_link_of_an_email_shows_the_choice_and_keeps_nothing_yet(
    guest: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket()
    answer(cast, number)
    page = guest.get(f"{link_of(number)}?rate=4")
    pressed = [one for one in page.all("button") if one.get("aria-pressed") == "true"]
    assert [one.get("value") for one in pressed] == ["4"]
    assert "Your choice is not kept yet." in page.text


@pytest.mark.parametrize("score", ["0", "6", "", "five", "-1", "٣", "1" * 40])
def test_rating_outside_one_to_five_is_refused(
    guest: Pages, desk: Desk, cast: Cast, score: str
) -> None:
    number = desk.ticket()
    answer(cast, number)
    link = link_of(number)
    guest.get(link)
    page = guest.send(f"{link}/rate", {"csrf_token": guest.token, "score": score})
    assert page.status == 400 and "Choose a number from 1 to 5." in page.text
    page = guest.get(f"{link}?rate={score}")
    assert page.status == 200 and "Your choice is not kept yet." not in page.text


def test_rating_before_any_answer_is_refused(guest: Pages, desk: Desk) -> None:
    number = desk.ticket()
    link = link_of(number)
    guest.get(link)
    assert guest.send(f"{link}/rate", {"csrf_token": guest.token, "score": "5"}).status == 400


def test_long_comment_is_kept_in_the_page(guest: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    answer(cast, number)
    link = link_of(number)
    guest.get(link)
    fields = {"csrf_token": guest.token, "score": "3", "comment": "x" * 2001}
    page = guest.send(f"{link}/rate", fields)
    assert page.status == 400 and "too long" in page.text and "x" * 2001 in page.text


def test_low_rating_is_told_to_supervisors_and_shown_on_the_desk(
    guest: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket()
    answer(cast, number)
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        rate(session, ticket, 1, comment="Nobody listens", at=now())
    while react():
        pass
    with ext.session() as session:
        told = session.scalars(select(Notice).where(Notice.kind == "ticket.rated")).all()
    assert [one.user_id for one in told] == [cast.sam.id]
    guest.log_in("sam")
    page = guest.get(f"/desk/t/{number}")
    assert "rated 1 of 5" in page.text and "Nobody listens" in page.text
    assert "The client rates: 1 of 5" in page.text
    page = guest.get("/supervisor/ratings?low")
    assert "Nobody listens" in page.text and "1.0 of 5" in page.text


def test_good_rating_disturbs_nobody(desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    answer(cast, number)
    with ext.write() as session:
        rate(session, session.get_one(Ticket, int(number) - NUMBER_OFFSET), 3, at=now())
    while react():
        pass
    with ext.session() as session:
        assert not session.scalars(select(Notice).where(Notice.kind == "ticket.rated")).all()


def reply_email(number: str) -> Outgoing:
    while react():
        pass
    with ext.session() as session:
        query = select(Outgoing).where(Outgoing.kind == OutgoingKind.REPLY)
        return session.scalars(query.order_by(Outgoing.id.desc()).limit(1)).one()


def test_answer_that_solves_asks_for_a_rating(desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    answer(cast, number)
    assert "rate=" not in reply_email(number).text
    answer(cast, number, "Done.", then=Status.RESOLVED)
    email = reply_email(number)
    assert len(set(re.findall(r"\?rate=([1-5])#rate", email.text))) == 5
    assert len(set(re.findall(r"\?rate=([1-5])#rate", email.html or ""))) == 5
    assert link_of(number) in email.text


def test_who_has_rated_or_should_not_be_asked_is_not(desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    answer(cast, number)
    with ext.write() as session:
        rate(session, session.get_one(Ticket, int(number) - NUMBER_OFFSET), 5, at=now())
    answer(cast, number, "Done.", then=Status.RESOLVED)
    assert "rate=" not in reply_email(number).text
    other = desk.ticket("Other")
    with ext.write() as session:
        put(session, "ask_rating", False)
    answer(cast, other, "Done.", then=Status.RESOLVED)
    assert "rate=" not in reply_email(other).text


def test_open_page_asks_for_what_is_new(guest: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    link = link_of(number)
    first = guest.raw("GET", f"{link}/talk")
    assert "It leaks." in first.text and "<html" not in first.text
    tag = {"If-None-Match": first.headers["ETag"]}
    assert guest.raw("GET", f"{link}/talk", headers=tag).status_code == 304
    answer(cast, number, "Turn the lid.")
    again = guest.raw("GET", f"{link}/talk", headers=tag)
    assert again.status_code == 200 and "Turn the lid." in again.text
    assert "How did we do?" in again.text


def test_link_of_a_form_proves_nothing(
    guest: Pages, clock: time_machine.Traveller, cast: Cast
) -> None:
    """I3: whoever names Oksana's address sees what they wrote and our answers, nothing else."""
    number, link = asked_by_form(guest, clock, contact="oksana@client.example")
    guest.get(link)
    guest.post(link, text="And another thing")
    with ext.session() as session:
        point = session.get_one(ContactPoint, cast.oksana.contact_point_id)
        marks = [one.parse_errors for one in session.scalars(select(Message))]
    assert not point.verified and marks == [[UNCONFIRMED], [UNCONFIRMED]]
    with ext.write() as session:
        content = Content(text="My secret is 4711")
        who = cast.oksana
        ticket_id = int(number) - NUMBER_OFFSET
        add_message(session, ticket_id, content, who=who, channel=Channel.EMAIL, at=now())
    page = guest.get(link)
    assert "And another thing" in page.text and "4711" not in page.html
    assert "Оксана" not in page.html and 'lang="en"' in page.html
    assert "4711" in guest.get(link_of(number)).text


def test_link_of_an_email_confirms_the_form_and_ends_its_link(
    guest: Pages, clock: time_machine.Traveller, cast: Cast
) -> None:
    number, link = asked_by_form(guest, clock)
    mailed = link_of(number)
    assert mailed != link
    guest.get(mailed)
    guest.post(mailed, text="It was me")
    with ext.session() as session:
        assert [one.parse_errors for one in session.scalars(select(Message))] == [[], []]
        point = session.get_one(ContactPoint, ticket_of(number).contact_point_id)
        assert point.verified
    assert guest.get(link).status == 404
    assert guest.get(mailed).status == 200


def test_link_of_a_form_opens_no_other_ticket(
    guest: Pages, desk: Desk, clock: time_machine.Traveller
) -> None:
    """A ticket that came by email has no such link, whoever could sign one."""
    number = desk.ticket()
    ticket = ticket_of(number)
    forged = f"/t/{link_token(secret(), ticket.id, ticket.link_nonce + '.form')}"
    assert guest.get(forged).status == 404


def test_receipt_of_a_form_goes_to_the_address_without_what_was_written(
    guest: Pages, clock: time_machine.Traveller, cast: Cast
) -> None:
    """I2: also where the address is one that we have verified long ago."""
    with ext.write() as session:
        session.get_one(ContactPoint, cast.oksana.contact_point_id).verified = True
    for n in range(5):
        asked_by_form(guest, clock, contact="oksana@client.example", text=f"Buy pills now {n}")
    while react():
        pass
    with ext.session() as session:
        query = select(Outgoing).where(Outgoing.kind == OutgoingKind.RECEIPT)
        (receipt,) = session.scalars(query)
    assert "pills" not in receipt.text + (receipt.html or "") + receipt.subject
    assert "Ivan" not in receipt.text
