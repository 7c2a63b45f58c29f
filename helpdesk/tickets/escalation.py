"""The sweep: clocks warn, breach and take the steps of their policy, each exactly once.

A clock's `next_at` is the moment of the next thing; the sweep costs what is due, not what runs.
What fires writes an Event with a unique key in the same transaction, so neither two workers nor
a crash nor a clock that jumps can make it happen twice.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.events import SYSTEM
from helpdesk.lib.errors import HelpdeskError
from helpdesk.tickets import actions, clocks, sla
from helpdesk.tickets.clocks import BREACH, WARN
from helpdesk.tickets.models import (
    DONE,
    Clock,
    Policy,
    PolicyStep,
    Priority,
    StepAction,
    Ticket,
)
from helpdesk.tickets.promises import Promises, promises

REASON = "escalation"


def sweep(session: Session, at: datetime, limit: int = 500) -> int:
    """Let up to `limit` clocks do all that was due by `at`; returns how many there were.

    Call it each second, each time in a transaction of its own, again at once while it returns
    `limit`. A clock holds its ticket while it fires; those that another worker holds are left
    to it.
    """
    query = select(Clock).join(Ticket, Ticket.id == Clock.ticket_id)
    query = query.where(Clock.next_at <= at).order_by(Clock.next_at, Clock.id).limit(limit)
    due = list(session.scalars(sla.locked(session, query)))
    known = promises(session)
    with session.no_autoflush:
        stepping = [clock for clock in due if _mark(session, clock, known, at)]
    session.flush()
    for clock in stepping:
        _take_steps(session, clock, at)
    sla.show_all(session, {clock.ticket_id for clock in due})
    return len(due)


def _mark(session: Session, clock: Clock, known: Promises, at: datetime) -> bool:
    """Warn and breach as far as due; whether steps are due then."""
    while clock.next_at is not None and clock.next_at <= at:
        if clock.next_step == WARN:
            if clock.warned_at is None:
                clock.warned_at = clock.next_at
                sla.say(session, clock, "clock.warned", at, key=WARN)
        elif clock.next_step == BREACH:
            clock.breached_at = clock.next_at
            sla.say(session, clock, "clock.breached", at, key=BREACH)
        else:
            return True
        _place(clock, known, at)
    return False


def _take_steps(session: Session, clock: Clock, at: datetime) -> None:
    """Take the steps that are due; one of them may let other steps fit, or none."""
    while clock.next_at is not None and clock.next_at <= at:
        step = session.get_one(PolicyStep, int((clock.next_step or "")[5:]))
        clock.stepped = [*clock.stepped, step.id]
        _place(clock, promises(session), at)
        sla.say(
            session,
            clock,
            "clock.stepped",
            at,
            key=f"step:{step.id}",
            step_id=step.id,
            action=step.action.value,
        )
        _act(session, clock, step, at)


def _place(clock: Clock, known: Promises, at: datetime) -> None:
    if clock.policy_id is not None:
        steps = known.steps_of(clock.policy_id, clock.metric)
        clocks.place(clock, known.by_id[clock.policy_id], steps, at)
