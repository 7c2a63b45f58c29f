"""Notices: told once, read once, counted up to a hundred."""

import pytest
from flask import Flask

from helpdesk import ext
from helpdesk.events import Event, record
from helpdesk.lib.clock import now
from helpdesk.notices import COUNT_CAP, mark_read, tell, unread, unread_count
from helpdesk.tickets.models import Channel
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast


@pytest.fixture
def ticket_id(cast: Cast) -> int:
    with ext.write() as session:
        return open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Лампа",
            channel=Channel.EMAIL,
            language="uk",
            at=now(),
        )


def told(user_id: int, ticket_id: int, times: int = 1) -> None:
    with ext.write() as session:
        for _ in range(times):
            event_id = record(session, "ticket.subject", ticket_id=ticket_id)
            event = session.get_one(Event, event_id)
            assert tell(session, user_id, event, ticket_id, "ticket.subject", at=now())


def test_a_user_is_told_of_one_event_once(app: Flask, cast: Cast, ticket_id: int) -> None:
    with ext.write() as session:
        event = session.get_one(Event, record(session, "ticket.subject", ticket_id=ticket_id))
        first = tell(session, cast.alice.id, event, ticket_id, event.kind, at=now())
        second = tell(session, cast.alice.id, event, ticket_id, event.kind, at=now())
        other = tell(session, cast.sam.id, event, ticket_id, event.kind, at=now())
    assert (first, second, other) == (True, False, True)
    with ext.session() as session:
        [notice] = unread(session, cast.alice.id)
        assert notice.ticket.subject == "Лампа"
        assert notice.event.kind == "ticket.subject"


def test_the_newest_comes_first(cast: Cast, ticket_id: int) -> None:
    told(cast.alice.id, ticket_id, times=5)
    with ext.session() as session:
        ids = [notice.id for notice in unread(session, cast.alice.id, limit=3)]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3


def test_opening_a_ticket_marks_its_notices_as_read(cast: Cast, ticket_id: int) -> None:
    told(cast.alice.id, ticket_id, times=2)
    told(cast.sam.id, ticket_id)
    with ext.write() as session:
        assert mark_read(session, cast.alice.id, at=now(), ticket_id=ticket_id) == 2
        assert mark_read(session, cast.alice.id, at=now(), ticket_id=ticket_id) == 0
        assert unread_count(session, cast.alice.id) == 0
        assert unread_count(session, cast.sam.id) == 1


def test_nobody_marks_the_notices_of_another(cast: Cast, ticket_id: int) -> None:
    told(cast.sam.id, ticket_id)
    with ext.write() as session:
        [notice] = unread(session, cast.sam.id)
        assert mark_read(session, cast.alice.id, at=now(), notice_ids=[notice.id]) == 0
        assert mark_read(session, cast.sam.id, at=now(), notice_ids=[notice.id]) == 1


def test_the_count_ends_at_a_hundred(cast: Cast, ticket_id: int) -> None:
    told(cast.alice.id, ticket_id, times=COUNT_CAP + 5)
    with ext.session() as session:
        assert unread_count(session, cast.alice.id) == COUNT_CAP
