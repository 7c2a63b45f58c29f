"""Queues and the addresses that lead into them."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.events import Actor, Event
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError
from helpdesk.tickets.models import Mailbox, Queue
from helpdesk.tickets.queries import address_of_queue
from helpdesk.tickets.queues import (
    add_mailbox,
    change_queue,
    create_queue,
    mailboxes_of,
    make_primary,
    remove_mailbox,
)
from tests.cast import Cast

WHO: dict[str, Any] = {"actor": Actor()}


def kinds() -> list[str]:
    with ext.session() as session:
        rows = session.scalars(select(Event.kind).order_by(Event.id))
        return [kind for kind in rows if kind.startswith(("queue", "mailbox"))]


def test_a_queue_answers_from_its_first_address(cast: Cast) -> None:
    with ext.write() as session:
        numbers = ["044 123 45 67", "+380441234567"]
        queue = create_queue(
            session,
            name="  Shop\n",
            address="Shop@Example.COM",
            numbers=numbers,
            country="UA",
            at=now(),
        )
        assert queue.name == "Shop" and queue.numbers == ["+380441234567"]
        add_mailbox(session, queue, "old@example.com", at=now())
        assert address_of_queue(session, queue.id) == "shop@example.com"
    assert kinds() == ["queue.created", "mailbox.created", "mailbox.created"]


def test_another_address_becomes_primary(cast: Cast) -> None:
    with ext.write() as session:
        queue = session.get_one(Queue, cast.support.id)
        box = add_mailbox(session, queue, "help@example.com", at=now(), primary=True)
        assert address_of_queue(session, queue.id) == "help@example.com"
        assert [one.is_primary for one in mailboxes_of(session, queue.id)] == [True, False]
        make_primary(session, box, at=now(), **WHO)
        remove_mailbox(session, box, at=now(), **WHO)
        assert address_of_queue(session, queue.id) == "support@example.com"
        (left,) = mailboxes_of(session, queue.id)
        assert left.is_primary
    assert kinds() == [
        "mailbox.created",
        "mailbox.changed",
        "mailbox.deleted",
        "mailbox.changed",
    ]


def test_the_last_address_stays(cast: Cast) -> None:
    with ext.write() as session:
        (box,) = mailboxes_of(session, cast.support.id)
        with pytest.raises(Conflict):
            remove_mailbox(session, box, at=now(), **WHO)


def test_an_address_leads_into_one_queue(cast: Cast) -> None:
    with ext.write() as session:
        queue = session.get_one(Queue, cast.billing.id)
        with pytest.raises(Conflict, match="Support"):
            add_mailbox(session, queue, " SUPPORT@example.com", at=now())
        with pytest.raises(HelpdeskError):
            add_mailbox(session, queue, "support", at=now())


@pytest.mark.parametrize("name", ["", " \u200b", "42", "sUPPORT", "Sùpport".replace("ù", "u")])
def test_a_name_is_needed_and_is_its_own(cast: Cast, name: str) -> None:
    with ext.write() as session, pytest.raises(HelpdeskError) as caught:
        create_queue(session, name=name, address="n@example.com", country="UA", at=now())
    assert caught.value.field == "name"


def test_what_is_changed_is_recorded_and_what_is_not_is_not(cast: Cast) -> None:
    with ext.write() as session:
        queue = session.get_one(Queue, cast.support.id)
        change: dict[str, Any] = {"country": "UA", "at": now(), **WHO}
        change_queue(session, queue, name="Support", active=True, **change)
        change_queue(session, queue, name="Helpers", receipts=False, **change)
        assert queue.name == "Helpers" and queue.sort_key != cast.billing.sort_key
        with pytest.raises(TypeError):
            change_queue(session, queue, colour="red", **change)
    with ext.session() as session:
        (event,) = session.scalars(select(Event).where(Event.kind == "queue.changed"))
        assert event.data["fields"] == ["name", "receipts"]


def test_one_queue_stays_open(cast: Cast) -> None:
    with ext.write() as session:
        change: dict[str, Any] = {"country": "UA", "at": now(), **WHO}
        support, billing = session.scalars(select(Queue).order_by(Queue.id))
        change_queue(session, support, active=False, **change)
        with pytest.raises(HelpdeskError):
            change_queue(session, billing, active=False, **change)
        assert session.scalars(select(Mailbox.id)).all()
