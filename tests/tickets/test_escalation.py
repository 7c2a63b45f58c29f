"""The sweep: everything fires, once, in order, whoever sweeps and whatever the time does."""

import os
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.events import SYSTEM, Event
from helpdesk.tickets import actions, policies, sla
from helpdesk.tickets.escalation import sweep
from helpdesk.tickets.explain import explain
from helpdesk.tickets.models import (
    Channel,
    Clock,
    ClockState,
    Metric,
    Policy,
    Priority,
    Status,
    StepAction,
    Ticket,
)
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
H = 3600
ONLY_FIRST = {"first_response": H}


def open_urgent(session: Session, cast: Cast, at: datetime = MONDAY) -> int:
    return open_ticket(
        session,
        queue_id=cast.support.id,
        who=cast.oksana,
        subject="Help",
        channel=Channel.EMAIL,
        language="en",
        priority=Priority.URGENT,
        at=at,
    )


def promise_an_hour(session: Session, *steps: dict[str, object]) -> Policy:
    return policies.create(
        session, name="Urgent", priority="urgent", targets=ONLY_FIRST, steps=list(steps), at=MONDAY
    )


def notify(after: int, role: str = "supervisor") -> dict[str, object]:
    return {"action": "notify", "role": role, "after_seconds": after}


def fired(session: Session) -> list[str]:
    """What the sweep wrote, in its order."""
    kinds = ("clock.warned", "clock.breached", "clock.stepped")
    query = select(Event).where(Event.kind.in_(kinds)).order_by(Event.id)
    return [event.kind.removeprefix("clock.") for event in session.scalars(query)]


def only_clock(session: Session) -> Clock:
    return session.scalars(select(Clock).execution_options(populate_existing=True)).one()


def test_a_clock_warns_breaches_and_takes_its_steps_in_their_order(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        promise_an_hour(session, notify(2 * H), notify(0))
        ticket = session.get_one(Ticket, open_urgent(session, cast))
        said = []
        for minutes in (44, 45, 59, 60, 61, 179, 180, 500):
            sweep(session, MONDAY + timedelta(minutes=minutes))
            said.append((minutes, len(fired(session)), ticket.sla))
        assert said == [
            (44, 0, None),
            (45, 1, "risk"),
            (59, 1, "risk"),
            (60, 3, "breached"),
            (61, 3, "breached"),
            (179, 3, "breached"),
            (180, 4, "breached"),
            (500, 4, "breached"),
        ]
        assert fired(session) == ["warned", "breached", "stepped", "stepped"]
        clock = only_clock(session)
        assert (clock.warned_at, clock.breached_at) == (MONDAY + 0.75 * HOUR, MONDAY + HOUR)
        assert (clock.next_at, clock.next_step) == (None, None)
        assert len(clock.stepped) == 2


def test_steps_raise_the_priority_and_reassign(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        policy = session.scalars(select(Policy)).one()
        steps = [
            {"action": "priority", "priority": "high", "metric": "first_response"},
            {"action": "reassign", "user_id": cast.sam.id, "after_seconds": H},
            {"action": "priority", "priority": "low", "after_seconds": H},
        ]
        policies.change(session, policy, steps=steps, actor=SYSTEM, at=MONDAY)
        ticket_id = open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Help",
            channel=Channel.EMAIL,
            language="en",
            at=MONDAY,
        )
        ticket = session.get_one(Ticket, ticket_id)
        sweep(session, MONDAY + 4 * HOUR)
        assert (ticket.priority, ticket.assignee_id) == (Priority.HIGH, None)
        sweep(session, MONDAY + 5 * HOUR)
        assert (ticket.priority, ticket.assignee_id) == (Priority.HIGH, cast.sam.id)
        assert fired(session) == ["warned", "breached", "stepped", "stepped", "stepped"]


def test_somebody_who_may_not_work_there_does_not_stop_the_sweep(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        reassign = {"action": "reassign", "user_id": cast.bob.id}
        promise_an_hour(session, reassign, notify(60))
        ids = [open_urgent(session, cast) for _ in range(3)]
        assert sweep(session, MONDAY + 2 * HOUR) == 3
        assert Counter(fired(session)) == {"warned": 3, "breached": 3, "stepped": 6}
        assert {session.get_one(Ticket, id_).assignee_id for id_ in ids} == {None}


def test_a_step_may_bring_the_ticket_under_another_policy_with_its_steps(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        promise_an_hour(session, notify(0), notify(H))
        policy = session.scalars(select(Policy).where(Policy.name == "Standard")).one()
        steps = [{"action": "priority", "priority": "urgent"}, notify(4 * H)]
        policies.change(session, policy, steps=steps, actor=SYSTEM, at=MONDAY)
        ticket_id = open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Help",
            channel=Channel.EMAIL,
            language="en",
            at=MONDAY,
        )
        at = MONDAY + 4 * HOUR  # late by 0 hours for Standard, by 3 for Urgent
        sweep(session, at)
        assert fired(session) == ["warned", "breached", "stepped", "stepped", "stepped"]
        first = explain(session, ticket_id, at)[0]
        assert (first.policy, first.state, first.next_at) == ("Urgent", ClockState.BREACHED, None)
        assert first.due_at == MONDAY + HOUR


def test_a_step_removed_in_the_meantime_is_passed_over(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        policy = promise_an_hour(session, notify(H), notify(2 * H))
        open_urgent(session, cast)
        sweep(session, MONDAY + HOUR)
        policies.change(session, policy, steps=[notify(2 * H)], actor=SYSTEM, at=MONDAY)
        sweep(session, MONDAY + 2 * HOUR)
        assert fired(session) == ["warned", "breached"]
        sweep(session, MONDAY + 3 * HOUR)
        assert fired(session) == ["warned", "breached", "stepped"]


def test_no_step_is_taken_while_a_late_ticket_waits_for_the_client(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        promise_an_hour(session, notify(H))
        ticket = session.get_one(Ticket, open_urgent(session, cast))
        sweep(session, MONDAY + HOUR)
        at = MONDAY + 1.5 * HOUR
        actions.set_status(session, ticket, Status.PENDING, actor=SYSTEM, at=at)
        sweep(session, MONDAY + 9 * HOUR)
        clock = only_clock(session)
        assert (clock.state, clock.remaining_seconds) == (ClockState.BREACHED, -H // 2)
        assert (ticket.sla, ticket.next_due_at) == ("breached", MONDAY + HOUR)
        actions.set_status(session, ticket, Status.OPEN, actor=SYSTEM, at=MONDAY + 10 * HOUR)
        assert only_clock(session).next_at == MONDAY + 10.5 * HOUR
        sweep(session, MONDAY + 10.5 * HOUR)
        assert fired(session) == ["warned", "breached", "stepped"]


def test_a_pause_that_began_after_the_deadline_does_not_hide_the_breach(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        promise_an_hour(session)
        ticket = session.get_one(Ticket, open_urgent(session, cast))
        at = MONDAY + 2 * HOUR  # nobody swept in the meantime
        actions.set_status(session, ticket, Status.PENDING, actor=SYSTEM, at=at)
        sweep(session, at)
        assert fired(session) == ["warned", "breached"]
        assert ticket.sla == "breached"


def test_a_paused_clock_that_was_warned_does_not_warn_again(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        promise_an_hour(session)
        ticket = session.get_one(Ticket, open_urgent(session, cast))
        at = MONDAY + 0.8 * HOUR
        sweep(session, at)
        actions.set_status(session, ticket, Status.PENDING, actor=SYSTEM, at=at)
        assert ticket.sla is None
        actions.set_status(session, ticket, Status.OPEN, actor=SYSTEM, at=at + HOUR)
        assert ticket.sla == "risk"
        sweep(session, at + HOUR)
        assert fired(session) == ["warned"]


def test_time_that_jumps_forward_and_back_fires_each_once(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        promise_an_hour(session, notify(0), notify(H))
        ticket = session.get_one(Ticket, open_urgent(session, cast))
        for hours in (0.8, -1, 24, 0.5, 24, -48, 1, 0.75, 100):
            sweep(session, MONDAY + hours * HOUR)
            sla.conditions_changed(session, ticket.id, at=MONDAY + hours * HOUR)
        assert fired(session) == ["warned", "breached", "stepped", "stepped"]
        assert ticket.sla == "breached"
        assert only_clock(session).state == ClockState.BREACHED


def test_a_policy_that_never_warns_only_breaches(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        policies.change(
            session, promise_an_hour(session), warn_percent=100, actor=SYSTEM, at=MONDAY
        )
        open_urgent(session, cast)
        sweep(session, MONDAY + 5 * HOUR)
        assert fired(session) == ["breached"]


def test_two_sweepers_share_the_work_and_fire_everything_once(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        promise_an_hour(session, notify(0), {"action": "reassign", "user_id": cast.alice.id})
        for _ in range(120):
            open_urgent(session, cast)
    done: list[int] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        with app.app_context():
            barrier.wait()
            left = 1
            while left:
                with ext.write() as session:
                    done.append(sweep(session, MONDAY + 3 * HOUR, limit=20))
                with ext.session() as session:
                    query = select(func.count()).select_from(Clock)
                    left = session.scalar(query.where(Clock.next_at <= MONDAY + 3 * HOUR)) or 0

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 120
    with ext.session() as session:
        assert Counter(fired(session)) == {"warned": 120, "breached": 120, "stepped": 240}
        assert set(session.scalars(select(Ticket.assignee_id))) == {cast.alice.id}
        assert set(session.scalars(select(Ticket.sla))) == {"breached"}


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        promise_an_hour(session, notify(0))
        for _ in range(10):
            open_urgent(session, cast)
    ext.db.engine.dispose()
    child = os.fork()
    if child == 0:
        with ext.write() as session:
            sweep(session, MONDAY + 3 * HOUR)
            os._exit(7)  # all is done and nothing committed
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    with ext.write() as session:
        assert fired(session) == []
        assert sweep(session, MONDAY + 3 * HOUR) == 10
    with ext.write() as session:
        assert sweep(session, MONDAY + 3 * HOUR) == 0
        assert Counter(fired(session)) == {"warned": 10, "breached": 10, "stepped": 10}


def test_an_answer_racing_the_sweep_sees_one_truth(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        promise_an_hour(session)
        ids = [open_urgent(session, cast) for _ in range(30)]

    def answer() -> None:
        with app.app_context():
            for ticket_id in ids:
                with ext.write() as session:
                    sla.answered(session, ticket_id, at=MONDAY + HOUR)

    thread = threading.Thread(target=answer)
    thread.start()
    while thread.is_alive():
        with ext.write() as session:
            sweep(session, MONDAY + HOUR, limit=3)
    thread.join()
    with ext.session() as session:
        for clock in session.scalars(select(Clock)):
            assert clock.next_at is None
            query = select(Event.kind).where(Event.ticket_id == clock.ticket_id)
            kinds = set(session.scalars(query)) & {"clock.met", "clock.breached"}
            assert kinds == {f"clock.{clock.state}"}


def test_notify_steps_say_what_and_to_which_clock(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        policy = promise_an_hour(session, notify(0))
        ticket_id = open_urgent(session, cast)
        sweep(session, MONDAY + HOUR)
        event = session.scalars(select(Event).where(Event.kind == "clock.stepped")).one()
        clock = only_clock(session)
        assert (event.ticket_id, event.todo) == (ticket_id, 1)
        assert event.key == f"clock:{clock.id}:step:{policy.steps[0].id}"
        assert event.data == {
            "clock_id": clock.id,
            "metric": Metric.FIRST_RESPONSE.value,
            "step_id": policy.steps[0].id,
            "action": StepAction.NOTIFY.value,
        }
