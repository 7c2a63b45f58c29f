"""What clients were promised, read for many tickets at once; tickets of one second."""

from datetime import timedelta

from sqlalchemy import select

from helpdesk import ext
from helpdesk.events import SYSTEM
from helpdesk.lib.clock import now
from helpdesk.tickets import policies, sla
from helpdesk.tickets.models import Channel, Clock, Policy, Priority, Status, Ticket
from helpdesk.tickets.promised import promised_on
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast


def opened(cast: Cast, *, priority: Priority = Priority.NORMAL) -> int:
    with ext.write() as session:
        return open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Lamp",
            channel=Channel.EMAIL,
            language=None,
            at=now(),
            priority=priority,
        )


def test_each_ticket_has_its_own_promise_in_the_calendars_zone(cast: Cast) -> None:
    first, second = opened(cast), opened(cast)
    with ext.session() as session:
        promised = promised_on(session, [first, second, 999])
        assert set(promised) == {first, second}
        assert promised[first].due == sla.promise(session, first)
        assert promised[first].timezone == cast.office.timezone


def test_a_ticket_that_waits_for_the_client_promises_nothing(cast: Cast) -> None:
    ticket_id = opened(cast)
    with ext.write() as session:
        sla.status_changed(session, ticket_id, old=Status.NEW, new=Status.PENDING, at=now())
    with ext.session() as session:
        assert promised_on(session, [ticket_id]) == {}
        assert promised_on(session, []) == {}


def test_tickets_of_one_second_have_clocks_of_their_own(cast: Cast) -> None:
    with ext.write() as session:
        common = {"queue_id": cast.support.id, "who": cast.oksana, "subject": "x", "language": None}
        tickets = [
            open_ticket(
                session, channel=Channel.EMAIL, at=now() + timedelta(seconds=n // 2), **common
            )
            for n in range(4)
        ]
        rows = session.scalars(select(Clock).order_by(Clock.id)).all()
        assert [row.ticket_id for row in rows] == [one for one in tickets for _ in range(2)]
        starts = {row.ticket_id: row.started_at for row in rows}
        assert starts[tickets[1]] == starts[tickets[0]] != starts[tickets[2]]
        rows[0].paused_spans.append({"from": "x"})
        assert rows[2].paused_spans == []
        shown = session.scalars(select(Ticket).order_by(Ticket.id)).all()
        assert [ticket.next_due_at for ticket in shown] == [
            sla.promise(session, ticket.id) for ticket in shown
        ]


def test_a_policy_changed_in_between_counts_from_then_on(cast: Cast) -> None:
    with ext.write() as session:
        common = {"queue_id": cast.support.id, "who": cast.oksana, "subject": "x", "language": None}
        before = open_ticket(session, channel=Channel.EMAIL, at=now(), **common)
        policy = session.scalars(select(Policy)).one()
        policies.change(session, policy, targets={"first_response": 60}, actor=SYSTEM, at=now())
        after = open_ticket(session, channel=Channel.EMAIL, at=now(), **common)
        targets = dict(session.execute(select(Clock.ticket_id, Clock.target_seconds)).all())
    assert targets[after] == 60 != targets[before]
