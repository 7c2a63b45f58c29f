"""The sweep: clocks warn, breach and take the steps of their policy, each exactly once.

A clock's `next_at` is the moment of the next thing; the sweep costs what is due, not what runs.
What fires writes an Event with a unique key in the same transaction, so neither two workers nor
a crash nor a clock that jumps can make it happen twice.
"""

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.events import SYSTEM, record_all
from helpdesk.lib.errors import HelpdeskError
from helpdesk.tickets import actions, clocks
from helpdesk.tickets.clock_rows import locked, said, say
from helpdesk.tickets.clocks import BREACH, STEP, WARN
from helpdesk.tickets.models import Clock, PolicyStep, Priority, StepAction, Ticket
from helpdesk.tickets.promises import promise_by_id, steps_of
from helpdesk.tickets.shown import show_all

log = logging.getLogger(__name__)

REASON = "escalation"


def sweep(session: Session, at: datetime, limit: int = 500) -> int:
    """Let up to `limit` clocks do all that was due by `at`; returns how many there were.

    Call it each second, each time in a transaction of its own, again at once while it returns
    `limit`. A clock holds its ticket while it fires; those that another worker holds are left
    to it.
    """
    query = select(Clock).join(Ticket, Ticket.id == Clock.ticket_id)
    query = query.where(Clock.next_at <= at).order_by(Clock.next_at, Clock.id).limit(limit)
    due = list(session.scalars(locked(session, query)))
    happened: list[dict[str, Any]] = []
    with session.no_autoflush:
        stepping = [clock for clock in due if _mark(session, clock, at, happened)]
    session.flush()
    record_all(session, happened)
    for clock in stepping:
        _take_steps(session, clock, at)
    session.flush()
    show_all(session, {clock.ticket_id for clock in due})
    return len(due)


def _mark(session: Session, clock: Clock, at: datetime, happened: list[dict[str, Any]]) -> bool:
    """Warn and breach as far as due, adding the Events to `happened`; is a step due then?"""
    while clock.next_at is not None and clock.next_at <= at:
        if clock.next_step == WARN:
            if clock.warned_at is None:
                clock.warned_at = clock.next_at
                happened.append(said(clock, "clock.warned", at, key=WARN))
        elif clock.next_step == BREACH:
            clock.breached_at = clock.next_at
            happened.append(said(clock, "clock.breached", at, key=BREACH))
        else:
            return True
        _place(session, clock, at)
    return False


def _take_steps(session: Session, clock: Clock, at: datetime) -> None:
    """Take the steps that are due, one by one: each may change which others fit."""
    while clock.next_at is not None and clock.next_at <= at:
        step = session.get(PolicyStep, clocks.step_id(clock) or 0)
        if step is not None:
            clock.stepped = [*clock.stepped, step.id]
            key, action = f"{STEP}:{step.id}", step.action.value
            say(session, clock, "clock.stepped", at, key=key, step_id=step.id, action=action)
        _place(session, clock, at)
        if step is not None:
            _act(session, clock, step, at)


def _act(session: Session, clock: Clock, step: PolicyStep, at: datetime) -> None:
    """Do what the step wants. People who left or may not work there are not a reason to stop."""
    if step.action == StepAction.NOTIFY:
        return  # reactions tell the people, from the Event
    ticket = session.get_one(Ticket, clock.ticket_id)
    try:
        with session.begin_nested():
            if step.action == StepAction.PRIORITY and step.priority is not None:
                _raise_priority(session, ticket, step.priority, at)
            elif step.action == StepAction.REASSIGN and step.user_id is not None:
                user = session.get_one(User, step.user_id)
                actions.assign(session, ticket, user, actor=SYSTEM, at=at, reason=REASON)
    except HelpdeskError as error:
        log.warning("step %s of clock %s not done: %s", step.id, clock.id, error.message)


def _raise_priority(session: Session, ticket: Ticket, priority: Priority, at: datetime) -> None:
    order = list(Priority)
    if order.index(ticket.priority) < order.index(priority):
        actions.set_priority(session, ticket, priority, actor=SYSTEM, at=at, reason=REASON)


def _place(session: Session, clock: Clock, at: datetime) -> None:
    promise = promise_by_id(session, clock.policy_id or 0)
    clocks.place(clock, promise, steps_of(session, promise, clock.metric), at)
