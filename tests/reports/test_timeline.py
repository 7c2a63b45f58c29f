"""A client's timeline: order, pages, rights."""

import re
from datetime import timedelta

import time_machine
from sqlalchemy import event

from helpdesk import ext
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.reports.client.timeline import Mark, client_timeline
from helpdesk.tickets import actions
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Status, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from tests.cast import Cast


def history(cast: Cast, clock: time_machine.Traveller) -> None:
    """A ticket in each queue, with three messages at one moment, an answer and a status."""
    for queue in (cast.support, cast.billing):
        with ext.write() as session:
            ticket_id = open_ticket(
                session,
                queue_id=queue.id,
                who=cast.oksana,
                subject=queue.name,
                channel=Channel.EMAIL,
                language="uk",
                at=now(),
            )
            for n in range(3):
                content = Content(text=f"{queue.name} {n}", subject="")
                channel = Channel.EMAIL
                add_message(session, ticket_id, content, who=cast.oksana, channel=channel, at=now())
        clock.shift(timedelta(minutes=10))
        with ext.write() as session:
            ticket = session.get_one(Ticket, ticket_id)
            actions.reply(session, ticket, "Done\n> it", user_id=cast.sam.id, at=now())
            by = Actor(user_id=cast.sam.id)
            actions.set_status(session, ticket, Status.RESOLVED, actor=by, at=now())


def test_pages_of_any_size_make_the_same_whole(cast: Cast, clock: time_machine.Traveller) -> None:
    history(cast, clock)
    with ext.session() as session:
        whole = client_timeline(session, cast.oksana.client_id, queue_ids=None, limit=100)
        assert len(whole) == 13  # client.created, then 3 + 1 messages and 2 statuses a ticket
        assert [item.at for item in whole] == sorted((i.at for i in whole), reverse=True)
        for size in (1, 2, 5):
            seen, before = [], None
            while page := client_timeline(
                session, cast.oksana.client_id, queue_ids=None, limit=size, before=before
            ):
                seen += page
                before = page[-1].mark
            assert seen == whole


def test_who_what_and_how(cast: Cast, clock: time_machine.Traveller) -> None:
    history(cast, clock)
    with ext.session() as session:
        items = client_timeline(session, cast.oksana.client_id, queue_ids=None, limit=100)
    answer = next(item for item in items if item.direction == "outbound")
    assert (answer.by, answer.title, answer.channel) == ("Sam", "Done > it", "email")
    asked = next(item for item in items if item.direction == "inbound")
    assert (asked.by, asked.kind) == ("Оксана Литвиненко", "message")
    titles = [item.title for item in items if item.kind == "ticket.status"]
    assert "Ticket 10001: resolved" in titles


def test_tickets_of_other_queues_leave_no_trace(cast: Cast, clock: time_machine.Traveller) -> None:
    history(cast, clock)
    with ext.session() as session:
        mine = frozenset({cast.billing.id})
        items = client_timeline(session, cast.oksana.client_id, queue_ids=mine, limit=100)
        assert {item.ticket_id for item in items} == {2, None}
        none = client_timeline(session, cast.oksana.client_id, queue_ids=frozenset(), limit=9)
        assert [item.kind for item in none] == ["client.created"]
        assert not client_timeline(session, cast.stranger.client_id, queue_ids=mine, limit=9)[1:]


def test_it_is_two_statements(cast: Cast, clock: time_machine.Traveller) -> None:
    history(cast, clock)
    sent: list[str] = []

    def note(_c: object, _cu: object, statement: str, *_: object) -> None:
        if not re.match(r"BEGIN|COMMIT|ROLLBACK", statement):
            sent.append(statement)

    event.listen(ext.db.engine, "before_cursor_execute", note)
    with ext.session() as session:
        before = Mark(now(), 1, 10**6)
        client_timeline(session, cast.oksana.client_id, queue_ids=None, limit=50, before=before)
    event.remove(ext.db.engine, "before_cursor_execute", note)
    assert len(sent) == 2
