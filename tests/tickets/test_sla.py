"""Clocks in a ticket's life: they start, rest, end, go on and are counted again."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.clients.models import Client
from helpdesk.events import SYSTEM, Event
from helpdesk.tickets import actions, calendars, policies, sla
from helpdesk.tickets.escalation import sweep
from helpdesk.tickets.explain import explain
from helpdesk.tickets.models import (
    Channel,
    Clock,
    ClockState,
    Metric,
    Priority,
    Status,
    Ticket,
)
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 12:00 in Kyiv
HOUR = timedelta(hours=1)
H = 3600


def kyiv(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 in Kyiv's winter time."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - 2 * HOUR


def open_at(session: Session, cast: Cast, at: datetime, **values: object) -> int:
    given = {"queue_id": cast.support.id, "priority": Priority.NORMAL, **values}
    return open_ticket(
        session,
        who=cast.oksana,
        subject="Two payments",
        channel=Channel.EMAIL,
        language="uk",
        at=at,
        **given,  # type: ignore[arg-type]
    )


def set_status(session: Session, ticket_id: int, status: Status, at: datetime) -> None:
    ticket = session.get_one(Ticket, ticket_id, populate_existing=True)
    actions.set_status(session, ticket, status, actor=SYSTEM, at=at)


def clocks_of(session: Session, ticket_id: int) -> dict[Metric, Clock]:
    """The latest clock of each metric."""
    query = select(Clock).where(Clock.ticket_id == ticket_id).order_by(Clock.id)
    return {c.metric: c for c in session.scalars(query.execution_options(populate_existing=True))}


def clock_of(session: Session, ticket_id: int, metric: Metric) -> Clock:
    return clocks_of(session, ticket_id)[metric]


def test_an_opened_ticket_promises_an_answer_and_a_resolution_in_office_hours(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, kyiv(27, 16))  # a Friday
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert (first.state, first.target_seconds) == (ClockState.RUNNING, 4 * H)
        assert first.due_at == kyiv(30, 11)
        assert (first.next_step, first.next_at) == ("warn", kyiv(30, 10))
        assert sla.promise(session, ticket_id) == first.due_at
        ticket = session.get_one(Ticket, ticket_id)
        assert (ticket.next_due_at, ticket.next_metric) == (first.due_at, Metric.FIRST_RESPONSE)
        assert ticket.sla is None


def test_remaining_time_is_frozen_exactly_while_waiting_for_the_client_over_a_weekend(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, kyiv(27, 16) + timedelta(microseconds=700))
        set_status(session, ticket_id, Status.PENDING, kyiv(27, 17, 13) + timedelta(seconds=7))
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        left = 4 * H - (73 * 60 + 7)
        assert (first.state, first.remaining_seconds) == (ClockState.PAUSED, left)
        assert (first.due_at, first.next_at) == (None, None)
        assert session.get_one(Ticket, ticket_id).next_due_at is None
        assert sweep(session, kyiv(30, 23)) == 0
        set_status(session, ticket_id, Status.OPEN, kyiv(30, 12))
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert (first.state, first.remaining_seconds) == (ClockState.RUNNING, None)
        assert first.due_at == kyiv(30, 12) + timedelta(seconds=left)
        events = session.scalars(select(Event.kind).where(Event.ticket_id == ticket_id))
        assert [kind for kind in events if kind.startswith("clock.")] == (
            ["clock.paused"] * 2 + ["clock.resumed"] * 2
        )


def test_on_hold_rests_only_where_the_policy_says_so(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        set_status(session, ticket_id, Status.ON_HOLD, MONDAY + HOUR)
        due = clock_of(session, ticket_id, Metric.RESOLUTION).due_at
        assert due is not None
        policies.create(
            session,
            name="Patient",
            priority="urgent",
            calendar_id=cast.office.id,
            targets={"resolution": 20 * H},
            pause_on_hold=True,
            at=MONDAY,
        )
        ticket = session.get_one(Ticket, ticket_id)
        actions.set_priority(session, ticket, Priority.URGENT, actor=SYSTEM, at=MONDAY + 2 * HOUR)
        clock = clock_of(session, ticket_id, Metric.RESOLUTION)
        assert (clock.state, clock.remaining_seconds) == (ClockState.PAUSED, 18 * H)
        set_status(session, ticket_id, Status.PENDING, MONDAY + 3 * HOUR)
        set_status(session, ticket_id, Status.OPEN, MONDAY + 4 * HOUR)
        clock = clock_of(session, ticket_id, Metric.RESOLUTION)
        assert clock.due_at == due + 2 * HOUR
        assert [span["reason"] for span in clock.paused_spans] == ["on_hold", "waiting_for_client"]


def test_an_answer_in_time_keeps_the_promise(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        sla.answered(session, ticket_id, at=MONDAY + HOUR)
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert (first.state, first.remaining_seconds) == (ClockState.MET, 3 * H)
        assert (first.next_at, first.stopped_at) == (None, MONDAY + HOUR)
        ticket = session.get_one(Ticket, ticket_id)
        assert ticket.next_metric == Metric.RESOLUTION
        assert sla.promise(session, ticket_id) is None


def test_an_answer_in_the_last_second_is_in_time(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        sla.answered(session, ticket_id, at=MONDAY + 4 * HOUR + timedelta(microseconds=999_999))
        assert clock_of(session, ticket_id, Metric.FIRST_RESPONSE).state == ClockState.MET


def test_an_answer_that_is_late_is_a_breach_even_if_no_sweep_saw_it(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        sla.answered(session, ticket_id, at=MONDAY + 5 * HOUR)
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert (first.state, first.remaining_seconds) == (ClockState.BREACHED, -H)
        assert first.breached_at == MONDAY + 4 * HOUR
        key = session.scalars(select(Event.key).where(Event.kind == "clock.breached")).one()
        assert key == f"clock:{first.id}:breach"
        assert session.get_one(Ticket, ticket_id).sla is None


def test_the_next_message_of_the_client_starts_one_next_response(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        sla.client_wrote(session, ticket_id, at=MONDAY + HOUR)
        assert Metric.NEXT_RESPONSE not in clocks_of(session, ticket_id)
        sla.answered(session, ticket_id, at=MONDAY + 2 * HOUR)
        sla.client_wrote(session, ticket_id, at=MONDAY + 3 * HOUR)
        sla.client_wrote(session, ticket_id, at=MONDAY + 4 * HOUR)
        clock = clock_of(session, ticket_id, Metric.NEXT_RESPONSE)
        assert clock.started_at == MONDAY + 3 * HOUR
        assert sla.promise(session, ticket_id) == clock.due_at == kyiv(24, 10)
        assert session.get_one(Ticket, ticket_id).next_metric == Metric.NEXT_RESPONSE
        sla.answered(session, ticket_id, at=MONDAY + 5 * HOUR)
        assert clock_of(session, ticket_id, Metric.NEXT_RESPONSE).state == ClockState.MET


def test_resolving_ends_all_clocks_and_reopening_takes_them_up(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        due = {metric: clock.due_at for metric, clock in clocks_of(session, ticket_id).items()}
        set_status(session, ticket_id, Status.RESOLVED, MONDAY + HOUR)
        ended = clocks_of(session, ticket_id).values()
        assert {clock.state for clock in ended} == {ClockState.MET}
        assert session.get_one(Ticket, ticket_id).next_due_at is None
        set_status(session, ticket_id, Status.CLOSED, MONDAY + 2 * HOUR)
        set_status(session, ticket_id, Status.OPEN, MONDAY + 3 * HOUR)
        for metric, clock in clocks_of(session, ticket_id).items():
            before = due[metric]
            assert before is not None and clock.due_at is not None
            assert clock.state == ClockState.RUNNING
            assert sla.clocks.elapsed(clock, None, MONDAY + 3 * HOUR) == H
            reasons = [span["reason"] for span in clock.paused_spans]
            assert reasons == ["resolved"]
            assert clock.due_at >= before + 2 * HOUR
        sla.client_wrote(session, ticket_id, at=MONDAY + 3 * HOUR)
        assert Metric.NEXT_RESPONSE not in clocks_of(session, ticket_id)


def test_a_response_given_while_waiting_for_the_client_is_not_taken_up_again(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        set_status(session, ticket_id, Status.PENDING, MONDAY + HOUR)
        sla.answered(session, ticket_id, at=MONDAY + 2 * HOUR)
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert (first.remaining_seconds, first.due_at) == (3 * H, MONDAY + 5 * HOUR)
        set_status(session, ticket_id, Status.RESOLVED, MONDAY + 3 * HOUR)
        set_status(session, ticket_id, Status.OPEN, MONDAY + 4 * HOUR)
        found = clocks_of(session, ticket_id)
        assert found[Metric.FIRST_RESPONSE].state == ClockState.MET
        assert found[Metric.RESOLUTION].state == ClockState.RUNNING


def test_a_response_given_after_the_end_is_not_owed_again_when_the_ticket_opens(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        set_status(session, ticket_id, Status.CLOSED, MONDAY + HOUR)
        sla.answered(session, ticket_id, at=MONDAY + 2 * HOUR)
        told = clock_of(session, ticket_id, Metric.FIRST_RESPONSE).explained
        set_status(session, ticket_id, Status.OPEN, MONDAY + 3 * HOUR)
        sweep(session, MONDAY + 90 * HOUR)
        found = clocks_of(session, ticket_id)
        assert found[Metric.FIRST_RESPONSE].state == ClockState.MET
        assert found[Metric.FIRST_RESPONSE].explained == told
        assert found[Metric.RESOLUTION].state == ClockState.BREACHED
        sla.client_wrote(session, ticket_id, at=MONDAY + 90 * HOUR)
        assert clock_of(session, ticket_id, Metric.NEXT_RESPONSE).state == ClockState.RUNNING


def test_a_pause_in_the_second_of_the_deadline_comes_too_late(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        set_status(session, ticket_id, Status.PENDING, MONDAY + 4 * HOUR)
        assert clock_of(session, ticket_id, Metric.FIRST_RESPONSE).due_at == MONDAY + 4 * HOUR
        sweep(session, MONDAY + 4 * HOUR)
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert (first.state, first.remaining_seconds) == (ClockState.BREACHED, 0)


def test_a_ticket_that_is_done_owes_nothing(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        sla.answered(session, ticket_id, at=MONDAY)
        set_status(session, ticket_id, Status.CLOSED, MONDAY + HOUR)
        sla.client_wrote(session, ticket_id, at=MONDAY + 2 * HOUR)
        sla.conditions_changed(session, ticket_id, at=MONDAY + 2 * HOUR)
        unfinished = select(Clock).where(Clock.stopped_at.is_(None))
        assert session.scalars(unfinished).all() == []


def test_a_higher_priority_counts_the_elapsed_time_against_the_new_target(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        policies.create(
            session, name="Urgent", priority="urgent", at=MONDAY, targets={"first_response": H}
        )
        ticket_id = open_at(session, cast, MONDAY)
        ticket = session.get_one(Ticket, ticket_id)
        at = MONDAY + 2 * HOUR
        actions.set_priority(session, ticket, Priority.URGENT, actor=SYSTEM, at=at)
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert (first.target_seconds, first.due_at) == (H, MONDAY + HOUR)
        assert [c.metric for c in explain(session, ticket_id, at)] == [Metric.FIRST_RESPONSE]
        assert sweep(session, at) == 1
        assert ticket.sla == "breached"
        actions.set_priority(session, ticket, Priority.NORMAL, actor=SYSTEM, at=at + HOUR)
        both = clocks_of(session, ticket_id)
        first = both[Metric.FIRST_RESPONSE]
        assert (first.state, first.due_at) == (ClockState.BREACHED, MONDAY + 4 * HOUR)
        resolution = both[Metric.RESOLUTION]  # it went on while no policy promised it
        assert resolution.started_at == MONDAY
        assert (resolution.state, resolution.policy_id) == (ClockState.RUNNING, 1)


def test_a_lower_priority_takes_the_risk_away_without_warning_twice(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        policies.create(
            session, name="Urgent", priority="urgent", at=MONDAY, targets={"first_response": 2 * H}
        )
        ticket_id = open_at(session, cast, MONDAY, priority=Priority.URGENT)
        ticket = session.get_one(Ticket, ticket_id)
        sweep(session, MONDAY + 1.5 * HOUR)
        assert ticket.sla == "risk"
        at = MONDAY + 1.6 * HOUR
        actions.set_priority(session, ticket, Priority.NORMAL, actor=SYSTEM, at=at)
        assert ticket.sla is None
        assert sweep(session, MONDAY + 3 * HOUR) == 1
        assert ticket.sla == "risk"
        warned = select(Event).where(Event.kind == "clock.warned")
        assert len(session.scalars(warned).all()) == 1


def test_a_promise_that_nobody_gives_any_more_leaves_no_trace_in_the_end(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        policies.create(session, name="None", queue_id=cast.billing.id, targets={}, at=MONDAY)
        ticket = session.get_one(Ticket, ticket_id)
        actions.move(session, ticket, cast.billing, actor=SYSTEM, at=MONDAY)
        assert explain(session, ticket_id, MONDAY) == []
        assert (ticket.next_due_at, ticket.sla) == (None, None)
        assert sweep(session, MONDAY + timedelta(days=30)) == 0
        set_status(session, ticket_id, Status.CLOSED, MONDAY + HOUR)
        assert clocks_of(session, ticket_id) == {}


def test_a_ticket_without_promises_gets_them_where_its_new_queue_has_some(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        policies.create(session, name="None", queue_id=cast.billing.id, targets={}, at=MONDAY)
        ticket_id = open_at(session, cast, MONDAY, queue_id=cast.billing.id)
        assert clocks_of(session, ticket_id) == {}
        ticket = session.get_one(Ticket, ticket_id)
        actions.move(session, ticket, cast.support, actor=SYSTEM, at=MONDAY + HOUR)
        found = clocks_of(session, ticket_id)
        assert set(found) == {Metric.FIRST_RESPONSE, Metric.RESOLUTION}
        assert {clock.started_at for clock in found.values()} == {MONDAY + HOUR}
        assert ticket.next_metric == Metric.FIRST_RESPONSE


def test_a_tag_of_the_client_makes_another_policy_fit(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        policies.create(
            session, name="VIP", client_tag="VIP", targets={"first_response": H}, at=MONDAY
        )
        ticket_id = open_at(session, cast, MONDAY)
        session.get_one(Client, cast.oksana.client_id).tags = ["vip"]
        sla.recount_client(session, cast.oksana.client_id)
        assert sla.recount_due(session, MONDAY) == 2
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert first.due_at == MONDAY + HOUR
        assert sla.recount_due(session, MONDAY) == 0


def test_the_machines_time_set_back_neither_loses_nor_wins_time(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = open_at(session, cast, MONDAY)
        set_status(session, ticket_id, Status.PENDING, MONDAY + HOUR)
        set_status(session, ticket_id, Status.OPEN, MONDAY - HOUR)
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert first.due_at == MONDAY + 4 * HOUR
        sla.answered(session, ticket_id, at=MONDAY - HOUR)
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert (first.stopped_at, first.remaining_seconds) == (MONDAY + HOUR, 3 * H)


@pytest.mark.parametrize("target", [1, 366 * 86_400])
def test_a_calendar_that_hardly_ever_opens_stops_nobody(
    app: Flask, cast: Cast, target: int
) -> None:
    with ext.write() as session:
        rare = calendars.create(
            session,
            name="Rare",
            timezone="Europe/Kyiv",
            weekly={"sun": [["00:00", "00:01"]]},
            at=MONDAY,
        )
        policies.create(
            session,
            name="Rare",
            priority="low",
            calendar_id=rare.id,
            targets={"first_response": target},
            at=MONDAY,
        )
        ticket_id = open_at(session, cast, MONDAY, priority=Priority.LOW)
        first = clock_of(session, ticket_id, Metric.FIRST_RESPONSE)
        assert (first.due_at is None) == (target > 1)
        explain(session, ticket_id, MONDAY + HOUR)
        sla.answered(session, ticket_id, at=MONDAY + HOUR)
        assert clock_of(session, ticket_id, Metric.FIRST_RESPONSE).state == ClockState.MET
