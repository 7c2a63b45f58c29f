"""An address or number of several people: all are offered, mail goes to who was here last."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.clients.actions import add_contact_point, add_person
from helpdesk.clients.match import Known, by_email, by_phone
from helpdesk.clients.models import Client
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.receive import process_new
from helpdesk.lib.clock import now
from helpdesk.tickets.candidates import candidates, sharing
from helpdesk.tickets.models import NUMBER_OFFSET, Channel, Message, Ticket
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast
from tests.test_query_plans import caught, whole_tables

ADDRESS = "oksana@client.example"


@pytest.fixture
def petro(cast: Cast) -> int:
    """A colleague of the stranger's who writes from Oksana's mailbox too."""
    with ext.write() as session:
        client = session.get_one(Client, cast.stranger.client_id)
        person = add_person(session, client, name="Petro", at=now())
        for kind, value in (("email", ADDRESS), ("phone", "067 123 45 67")):
            add_contact_point(session, person, kind=kind, value=value, country="UA", at=now())
        return person.id


def opened(cast: Cast, who: Known, minutes: int) -> int:
    with ext.write() as session:
        return open_ticket(
            session, queue_id=cast.support.id, who=who, subject="Lamp", channel=Channel.EMAIL,
            language="uk", at=now() + timedelta(minutes=minutes),
        )  # fmt: skip


def mail(number: int, answers: str = "") -> Ticket:
    """An email from the shared mailbox; its ticket."""
    fields = [
        f"From: {ADDRESS}", "To: support@example.com", "Subject: Lamp",
        f"Message-ID: <{number}@client.example>",
        *([f"In-Reply-To: <{answers}>"] if answers else []),
    ]  # fmt: skip
    raw = "\r\n".join([*fields, "", "It is dark.", ""]).encode()
    with ext.write() as session:
        accept(session, [RawEmail(raw, ADDRESS, ("support@example.com",), now())])
    process_new()
    with ext.session() as session:
        newest = select(Message).order_by(Message.id.desc()).limit(1)
        message = session.scalars(newest).one()
        assert not message.stranger
        return session.get_one(Ticket, message.ticket_id)


def test_everybody_behind_an_address_is_offered_the_last_in_touch_first(
    cast: Cast, petro: int
) -> None:
    with ext.session() as session:
        found = candidates(session, email=ADDRESS.upper())
        assert [one.person_id for one in found] == [cast.oksana.person_id, petro]
        assert found[1].client_name == "S" and found[1].ticket is None
        known = by_phone(session, "+380671234567", "UA")
        assert known is not None and known.person_id == petro and not known.shared
        assert [one.name for one in candidates(session, number="0671234567")] == ["Petro"]
        assert candidates(session, number="not a number") == []
        assert candidates(session) == []
    with ext.session() as session:
        first = by_email(session, ADDRESS)
        assert first is not None and first.shared
        his = next(one for one in sharing(session, first) if one.person_id == petro)
    ticket_id = opened(cast, his, 5)
    with ext.session() as session, caught() as statements:
        newest = candidates(session, email=ADDRESS)[0]
        assert (newest.person_id, newest.ticket) == (petro, ticket_id + NUMBER_OFFSET)
    assert whole_tables(statements) == []


def test_mail_from_a_shared_address_goes_to_who_was_in_touch_last(cast: Cast, petro: int) -> None:
    with ext.session() as session:
        first = by_email(session, ADDRESS)
        assert first is not None
        his = next(one for one in sharing(session, first) if one.person_id == petro)
    assert mail(1).person_id == cast.oksana.person_id, "nobody had a ticket"
    opened(cast, his, 5)
    ticket = mail(2)
    assert (ticket.person_id, ticket.client_id) == (petro, cast.stranger.client_id)


def test_an_answer_joins_the_ticket_of_whoever_has_it(cast: Cast, petro: int) -> None:
    ticket = mail(1)
    with ext.session() as session:
        first = by_email(session, ADDRESS)
        assert first is not None
        his = next(one for one in sharing(session, first) if one.person_id == petro)
    opened(cast, his, 5)
    again = mail(2, answers="1@client.example")
    assert again.id == ticket.id


def test_an_address_of_one_person_costs_nothing_more(cast: Cast) -> None:
    with ext.session() as session, caught() as statements:
        assert sharing(session, cast.oksana) == [cast.oksana]
    assert statements == []
