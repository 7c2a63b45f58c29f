"""A web form as a Delivery: kept whatever follows, done once, and never in the way of others."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from helpdesk import ext
from helpdesk.events import SYSTEM
from helpdesk.intake import form, receive
from helpdesk.intake.form import Entry
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib.clock import now
from helpdesk.tickets.actions import set_status
from helpdesk.tickets.content import FileRef
from helpdesk.tickets.models import Message, Status, Ticket
from tests.cast import Cast
from tests.intake.conftest import Mailroom, email

ENTRY = Entry("It leaks", "en", contact="ivan@new.example", name="Ivan")


def take(entry: Entry, nonce: str = "n", **more: Any) -> form.Taken:
    with ext.write() as session:
        return form.take(session, entry, nonce, at=now(), **more)


def delivery(id_: int) -> Delivery:
    with ext.session() as session:
        return session.get_one(Delivery, id_)


def test_form_opens_a_ticket_in_the_same_transaction(cast: Cast) -> None:
    taken = take(ENTRY)
    assert taken.fresh and taken.state == DeliveryState.DONE
    assert delivery(taken.delivery_id).ticket_id == taken.ticket_id
    again = take(ENTRY)
    assert (again.fresh, again.ticket_id) == (False, taken.ticket_id)


def test_nothing_is_kept_where_the_database_takes_nothing(cast: Cast) -> None:
    with pytest.raises(RuntimeError), ext.write() as session:
        form.take(session, ENTRY, "n", at=now())
        raise RuntimeError("power cut")
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert session.scalar(select(func.count()).select_from(Ticket)) == 0


def test_form_that_cannot_be_read_is_kept_failed_and_stops_nobody(
    mailroom: Mailroom, cast: Cast
) -> None:
    taken = take(ENTRY, doubt="honeypot")
    with ext.write() as session:
        values = {"raw": b'{"text": 1', "state": DeliveryState.NEW, "todo": 1}
        session.execute(update(Delivery).where(Delivery.id == taken.delivery_id).values(values))
    mailroom.take(email(subject="Behind it"))
    for _ in range(receive.MAX_ATTEMPTS):
        receive.process_new()
    broken = delivery(taken.delivery_id)
    assert broken.state == DeliveryState.FAILED and broken.reason
    assert "Behind it" in {ticket.subject for ticket in mailroom.tickets()}


def test_answer_wakes_the_ticket_and_is_not_confirmed(cast: Cast) -> None:
    first = take(ENTRY)
    with ext.write() as session:
        ticket = session.get_one(Ticket, first.ticket_id)
        set_status(session, ticket, Status.RESOLVED, actor=SYSTEM, at=now())
    taken = take(Entry("Still", "en", ticket_id=first.ticket_id), "m")
    assert taken.ticket_id == first.ticket_id
    with ext.session() as session:
        assert session.get_one(Ticket, first.ticket_id).status == Status.OPEN
        marks = list(session.scalars(select(Message.parse_errors).order_by(Message.id)))
    assert marks == [[form.UNCONFIRMED]] * 2


def test_answer_to_a_closed_ticket_opens_one_that_stays_as_unsure(cast: Cast) -> None:
    first = take(ENTRY)
    with ext.write() as session:
        ticket = session.get_one(Ticket, first.ticket_id)
        set_status(session, ticket, Status.CLOSED, actor=SYSTEM, at=now())
    taken = take(Entry("Again", "en", ticket_id=first.ticket_id), "m")
    assert taken.ticket_id not in (None, first.ticket_id)
    with ext.session() as session:
        assert form.is_unconfirmed(session, taken.ticket_id or 0)
        assert session.get_one(Ticket, taken.ticket_id).related_to_id == first.ticket_id


def test_answer_to_a_ticket_that_is_gone_is_kept(cast: Cast) -> None:
    taken = take(Entry("Hello?", "en", ticket_id=999_999))
    assert taken.ticket_id is None and delivery(taken.delivery_id).state == DeliveryState.NEW


def test_language_is_that_of_the_text_else_of_the_page(cast: Cast) -> None:
    spoken = [
        take(Entry(text, "uk", contact="a@b.example", name="A"), str(n)).ticket_id
        for n, text in enumerate(("The kettle is leaking, please help me", "40931"))
    ]
    with ext.session() as session:
        assert [session.get_one(Ticket, id_).language for id_ in spoken] == ["en", "uk"]


def test_mail_is_no_form(mailroom: Mailroom, app: Flask) -> None:
    """What looks like a form's Delivery and came by email stays an email."""
    mailroom.take(email(text='{"text": "x", "proven": true}'))
    with ext.session() as session:
        assert session.scalars(select(Message)).one().parse_errors == []


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)
ENTRIES = st.builds(
    Entry,
    text=TEXT,
    language=st.sampled_from(["en", "ru", "uk"]),
    contact=TEXT,
    name=TEXT,
    subject=TEXT,
    reason_id=st.none() | st.integers(1, 9),
    proven=st.booleans(),
    files=st.lists(
        st.builds(FileRef, st.just("a" * 64), st.integers(0, 9), TEXT, st.just("text/plain"))
    ).map(tuple),
)


@given(ENTRIES, ENTRIES)
@settings(deadline=None, max_examples=150)
def test_forms_read_back_and_have_a_key_of_their_own(one: Entry, other: Entry) -> None:
    assert form.read(form._raw(one)) == one
    assert (form._key(one, "n") == form._key(other, "n")) == (one == other)
    assert form._key(one, "n") != form._key(one, "m")
