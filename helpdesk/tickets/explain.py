"""Why this deadline: which time counted towards a promise, which didn't, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.tickets import clocks
from helpdesk.tickets.clocks import remaining
from helpdesk.tickets.models import Clock, ClockState, Metric, PolicyStep
from helpdesk.tickets.promises import promise_by_id

__all__ = ["ExplainedClock", "explain", "remaining"]


@dataclass(frozen=True)
class ExplainedClock:
    """One promise on a ticket and how it counts. Seconds are business seconds, moments UTC.

    `spans` are `{"from", "to", "counted", "seconds", "reason"}` with ISO moments; up to `due_at`
    the counted ones sum to `target_seconds` exactly, after it they are `late`. A clock that
    stands still has no `due_at` unless it is late already. `next_at` and `step` say what follows
    by itself and when: a warning or the breach (`step` is None) or a step of escalation.
    """

    clock_id: int
    metric: Metric
    policy: str
    calendar: str | None  # None: 24 × 7
    target_seconds: int
    state: ClockState
    paused: bool
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None
    remaining_seconds: int
    spans: Sequence[dict[str, Any]]
    next_at: datetime | None
    step: PolicyStep | None


def explain(session: Session, ticket_id: int, at: datetime) -> list[ExplainedClock]:
    """The promises on a ticket as they stand at `at`, oldest first.

    A stopped clock shows the spans as they counted when it stopped.
    """
    query = select(Clock).where(Clock.ticket_id == ticket_id, Clock.policy_id.is_not(None))
    found = list(session.scalars(query.order_by(Clock.id)))
    wanted = {clock.id: clocks.step_id(clock) for clock in found}
    rows = session.scalars(select(PolicyStep).where(PolicyStep.id.in_(set(wanted.values()))))
    steps: dict[int | None, PolicyStep] = {step.id: step for step in rows}
    return [_explained(session, clock, steps.get(wanted[clock.id]), at) for clock in found]


def _explained(
    session: Session, clock: Clock, step: PolicyStep | None, at: datetime
) -> ExplainedClock:
    policy = promise_by_id(session, clock.policy_id or 0)
    stopped = clock.stopped_at is not None
    due = clocks.reach(clock, policy.calendar, clock.target_seconds)
    return ExplainedClock(
        clock_id=clock.id,
        metric=clock.metric,
        policy=policy.name,
        calendar=policy.calendar_name if clock.agreed_at is None else None,
        target_seconds=clock.target_seconds,
        state=clock.state,
        paused=not stopped and clocks.open_pause(clock) is not None,
        started_at=clock.started_at,
        due_at=clock.due_at if stopped else due,
        stopped_at=clock.stopped_at,
        remaining_seconds=remaining(clock, policy.calendar, at),
        spans=clock.explained or clocks.spans(clock, policy.calendar, at),
        next_at=clock.next_at,
        step=step,
    )
