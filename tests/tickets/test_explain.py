"""Why this deadline: the spans that counted sum to the target, whatever happened to a ticket."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.events import SYSTEM
from helpdesk.lib import worktime
from helpdesk.tickets import actions, calendars, policies, sla
from helpdesk.tickets.escalation import sweep
from helpdesk.tickets.explain import ExplainedClock, explain, remaining
from helpdesk.tickets.models import (
    DONE,
    Calendar,
    Channel,
    Clock,
    ClockState,
    Metric,
    Policy,
    Priority,
    Status,
    Ticket,
)
from helpdesk.tickets.received import open_ticket
from tests.cast import OFFICE, Cast

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 12:00 in Kyiv
HOUR = timedelta(hours=1)
H = 3600
LUNCH = {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in OFFICE}


@contextmanager
def thrown_away() -> Iterator[Session]:
    """A write transaction of which nothing stays."""
    with ext.write() as session, session.begin_nested() as savepoint:
        yield session
        savepoint.rollback()


def open_at(session: Session, cast: Cast, at: datetime) -> Ticket:
    ticket_id = open_ticket(
        session,
        queue_id=cast.support.id,
        who=cast.oksana,
        subject="Why",
        channel=Channel.EMAIL,
        language="en",
        at=at,
    )
    return session.get_one(Ticket, ticket_id)


def explained(session: Session, ticket: Ticket, metric: Metric, at: datetime) -> ExplainedClock:
    return [one for one in explain(session, ticket.id, at) if one.metric == metric][-1]


def told(one: ExplainedClock) -> list[tuple[str, str, bool, int, str]]:
    """The spans with Kyiv's winter time."""
    return [
        (
            (datetime.fromisoformat(span["from"]) + 2 * HOUR).strftime("%d %H:%M"),
            (datetime.fromisoformat(span["to"]) + 2 * HOUR).strftime("%d %H:%M"),
            span["counted"],
            span["seconds"],
            span["reason"],
        )
        for span in one.spans
    ]


def test_breaks_nights_weekends_holidays_and_pauses_are_told_apart(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        office = session.get_one(Calendar, cast.office.id)
        calendars.change(
            session,
            office,
            weekly=LUNCH,
            holidays=["2026-11-30"],
            special={"2026-12-01": [["12:00", "14:00"]]},
            actor=SYSTEM,
            at=MONDAY,
        )
        ticket = open_at(session, cast, datetime(2026, 11, 27, 10, 0, tzinfo=UTC))
        at = datetime(2026, 11, 27, 13, 0, tzinfo=UTC)
        actions.set_status(session, ticket, Status.PENDING, actor=SYSTEM, at=at)
        at += HOUR
        actions.set_status(session, ticket, Status.OPEN, actor=SYSTEM, at=at)
        one = explained(session, ticket, Metric.FIRST_RESPONSE, at)
        assert told(one) == [
            ("27 12:00", "27 13:00", True, H, "working"),
            ("27 13:00", "27 14:00", False, H, "break"),
            ("27 14:00", "27 15:00", True, H, "working"),
            ("27 15:00", "27 16:00", False, H, "waiting_for_client"),
            ("27 16:00", "27 18:00", True, 2 * H, "working"),
        ]
        assert one.due_at == datetime(2026, 11, 27, 16, 0, tzinfo=UTC)
        assert (one.policy, one.calendar, one.remaining_seconds) == ("Standard", "Office", 2 * H)
        reasons = [
            span["reason"] for span in explained(session, ticket, Metric.RESOLUTION, at).spans
        ]
        assert {"outside_hours", "weekend", "holiday", "special"} <= set(reasons)


def test_after_the_deadline_what_counts_is_late(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket = open_at(session, cast, MONDAY)
        at = MONDAY + timedelta(hours=4, minutes=14)
        one = explained(session, ticket, Metric.FIRST_RESPONSE, at)
        assert told(one)[1:] == [("23 16:00", "23 16:14", True, 14 * 60, "late")]
        assert (one.state, one.remaining_seconds) == (ClockState.RUNNING, -14 * 60)
        sweep(session, at)
        one = explained(session, ticket, Metric.FIRST_RESPONSE, MONDAY + 24 * HOUR)
        assert [row[3:] for row in told(one)] == [
            (4 * H, "working"),
            (2 * H, "late"),
            (15 * H, "outside_hours"),
            (3 * H, "late"),
        ]
        assert one.remaining_seconds == -5 * H


def test_a_stopped_clock_keeps_what_counted_when_the_calendar_changes(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        ticket = open_at(session, cast, MONDAY)
        sla.answered(session, ticket.id, at=MONDAY + HOUR)
        before = explained(session, ticket, Metric.FIRST_RESPONSE, MONDAY + HOUR)
        assert [row[:2] for row in told(before)] == [
            ("23 12:00", "23 13:00"),
            ("23 13:00", "23 16:00"),
        ]
        office = session.get_one(Calendar, cast.office.id)
        calendars.change(session, office, weekly=LUNCH, actor=SYSTEM, at=MONDAY)
        while sla.recount_due(session, MONDAY + HOUR):
            pass
        after = explained(session, ticket, Metric.FIRST_RESPONSE, MONDAY + 90 * HOUR)
        assert after == before
        assert after.due_at == MONDAY + 4 * HOUR


def test_what_follows_is_told_with_its_moment(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        policy = session.scalars(select(Policy)).one()
        step = {"action": "notify", "role": "supervisor", "after_seconds": 1800}
        policies.change(session, policy, steps=[step], actor=SYSTEM, at=MONDAY)
        ticket = open_at(session, cast, MONDAY)
        sweep(session, MONDAY + 4 * HOUR)
        one = explained(session, ticket, Metric.FIRST_RESPONSE, MONDAY + 4 * HOUR)
        assert one.step is not None
        assert (one.step.role, one.next_at) == ("supervisor", MONDAY + 4.5 * HOUR)


# What may happen to a ticket, each after so many seconds.
STATUSES = st.sampled_from([Status.OPEN, Status.PENDING, Status.ON_HOLD, *DONE])
DAYS = st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
WINDOWS = st.sampled_from(
    [[["09:00", "18:00"]], [["00:00", "24:00"]], [["08:30", "12:15"], ["13:00", "20:00"]]]
)
WEEKS = st.dictionaries(DAYS, WINDOWS, min_size=1)
ZONES = st.sampled_from(["Europe/Kyiv", "America/New_York", "Asia/Kolkata"])
OPERATIONS = st.one_of(
    st.tuples(st.just("status"), STATUSES),
    st.tuples(st.just("status"), STATUSES),
    st.tuples(st.just("priority"), st.sampled_from(list(Priority))),
    st.tuples(st.just("wrote"), st.none()),
    st.tuples(st.just("answered"), st.none()),
    st.tuples(st.just("sweep"), st.none()),
    st.tuples(st.just("calendar"), st.tuples(WEEKS, ZONES)),
    st.tuples(st.just("targets"), st.integers(60, 60 * H)),
)
DELAYS = st.integers(0, 2 * H) | st.integers(0, 5 * 24 * H)
STORIES = st.lists(st.tuples(DELAYS, OPERATIONS), max_size=12)


class Story:
    """A ticket to which things happen, and what must be true of it all the time."""

    def __init__(self, session: Session, cast: Cast) -> None:
        self.session, self.at = session, MONDAY
        self.office = session.get_one(Calendar, cast.office.id)
        self.policy = session.scalars(select(Policy)).one()
        steps = [
            {"action": "notify", "role": "supervisor", "after_seconds": 0},
            {"action": "priority", "priority": "urgent", "after_seconds": H},
        ]
        policies.change(session, self.policy, steps=steps, actor=SYSTEM, at=MONDAY)
        targets = {"first_response": H, "next_response": H, "resolution": 9 * H}
        policies.create(
            session,
            name="Urgent",
            priority="urgent",
            calendar_id=self.office.id,
            targets=targets,
            pause_on_hold=True,
            steps=steps,
            at=MONDAY,
        )
        policies.create(session, name="Low", priority="low", targets={"resolution": H}, at=MONDAY)
        self.ticket = open_at(session, cast, MONDAY)
        self.runs: list[tuple[datetime, datetime]] = []  # when the resolution clock ran

    def go(self, delay: int, what: str, value: Any) -> None:
        before, self.at = self.at, self.at + timedelta(seconds=delay)
        if not self._rests():
            self.runs.append((before, self.at))
        getattr(self, f"_{what}")(value)
        while sla.recount_due(self.session, self.at, limit=2):
            pass
        self.session.expire_all()

    def _rests(self) -> bool:
        hold = self.ticket.status == Status.ON_HOLD and self.ticket.priority == Priority.URGENT
        return self.ticket.status == Status.PENDING or self.ticket.status in DONE or hold

    def _status(self, status: Status) -> None:
        actions.set_status(self.session, self.ticket, status, actor=SYSTEM, at=self.at)

    def _priority(self, priority: Priority) -> None:
        actions.set_priority(self.session, self.ticket, priority, actor=SYSTEM, at=self.at)

    def _wrote(self, _: None) -> None:
        sla.client_wrote(self.session, self.ticket.id, at=self.at)

    def _answered(self, _: None) -> None:
        self.ticket.first_response_at = self.ticket.first_response_at or self.at
        sla.answered(self.session, self.ticket.id, at=self.at)

    def _sweep(self, _: None) -> None:
        while sweep(self.session, self.at):  # a step of one clock may make another one late
            pass
        before = self.rows()
        assert sweep(self.session, self.at) == 0
        assert self.rows() == before

    def _calendar(self, value: tuple[dict[str, Any], str]) -> None:
        weekly, zone = value
        calendars.change(
            self.session, self.office, weekly=weekly, timezone=zone, actor=SYSTEM, at=self.at
        )

    def _targets(self, seconds: int) -> None:
        targets = self.policy.targets | {"first_response": seconds, "resolution": seconds}
        policies.change(self.session, self.policy, targets=targets, actor=SYSTEM, at=self.at)

    def rows(self) -> list[tuple[Any, ...]]:
        table = Clock.__table__
        return [tuple(row) for row in self.session.execute(select(table).order_by(table.c.id))]

    def check(self) -> None:
        found = list(self.session.scalars(select(Clock)))
        unfinished = [clock.metric for clock in found if clock.stopped_at is None]
        assert len(set(unfinished)) == len(unfinished)
        assert len(set(unfinished) & set(sla.RESPONSES)) <= 1
        assert not (unfinished and self.ticket.status in DONE)
        for clock in found:
            if clock.stopped_at is not None:
                assert clock.next_at is None
                assert clock.state in (ClockState.MET, ClockState.BREACHED)
                late = clock.breached_at is not None
                assert (clock.state == ClockState.BREACHED) == late
        shown = explain(self.session, self.ticket.id, self.at)
        for one in shown:
            self._check_spans(one)
        live = [one for one in shown if one.stopped_at is None]
        due = [one.due_at for one in live if one.due_at]
        assert self.ticket.next_due_at == (min(due) if due else None)
        breached = any(one.state == ClockState.BREACHED for one in live)
        assert (self.ticket.sla == "breached") == breached
        self._check_resolution(live)

    def _check_spans(self, one: ExplainedClock) -> None:
        spans = one.spans
        assert all(a["to"] == b["from"] for a, b in zip(spans, spans[1:], strict=False))
        in_time = sum(span["seconds"] for span in spans if span["counted"] and not _late(span))
        late = sum(span["seconds"] for span in spans if _late(span))
        if one.due_at is None:
            assert in_time == one.target_seconds - one.remaining_seconds
            return
        before = [span for span in spans if span["to"] <= one.due_at.isoformat()]
        assert sum(span["seconds"] for span in before if span["counted"]) == one.target_seconds
        assert in_time == one.target_seconds
        assert late == max(0, -one.remaining_seconds)

    def _check_resolution(self, live: Sequence[ExplainedClock]) -> None:
        """The remaining time against a count of our own."""
        for one in live:
            if one.metric == Metric.RESOLUTION:
                clock = self.session.get_one(Clock, one.clock_id)
                policy = self.session.get_one(Policy, clock.policy_id)
                calendar = calendars.worktime_of(self.office) if policy.calendar_id else None
                passed = sum(worktime.elapsed(calendar, start, end) for start, end in self.runs)
                assert one.remaining_seconds == one.target_seconds - passed
                assert remaining(clock, calendar, self.at) == one.remaining_seconds


def _late(span: dict[str, Any]) -> bool:
    return bool(span["reason"] == "late")


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(story=STORIES)
def test_whatever_happens_the_counted_time_sums_to_the_target(
    app: Flask, cast: Cast, story: list[tuple[int, tuple[str, Any]]]
) -> None:
    with thrown_away() as session:
        told = Story(session, cast)
        told.check()
        for delay, (what, value) in story:
            told.go(delay, what, value)
            told.check()


@settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(story=STORIES, jumps=st.lists(st.integers(-50 * H, 50 * H), min_size=12, max_size=12))
def test_whatever_the_machines_time_does_nothing_fires_twice(
    app: Flask, cast: Cast, story: list[tuple[int, tuple[str, Any]]], jumps: list[int]
) -> None:
    with thrown_away() as session:
        told = Story(session, cast)
        breached: set[int] = set()
        for (_, (what, value)), jump in zip(story, jumps, strict=False):
            told.go(jump, what, value)
            query = select(Clock).where(Clock.breached_at.is_not(None))
            late = {clock.id for clock in session.scalars(query)}
            assert breached <= late
            breached = late
            told._sweep(None)
