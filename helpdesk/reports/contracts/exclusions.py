"""Exclusions: breaches that shall not count in a contract statement, and who agreed to that."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.events import Actor, record
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean
from helpdesk.reports.contracts.closing import hold
from helpdesk.reports.contracts.statements import subject_of
from helpdesk.reports.models import Exclusion
from helpdesk.tickets.models import Clock, ClockState

REASON_LIMIT = 1000  # characters


def ask(session: Session, clock_id: int, reason: str, *, actor: Actor, at: datetime) -> Exclusion:
    """Ask that a breach shall not count, or ask anew after a refusal.

    Raises HelpdeskError without a reason and for a clock that is not breached, Conflict where it
    was asked already or the month is closed, NotFound for a clock that isn't there.
    """
    if actor.user_id is None:
        raise ValueError("a person asks for an exclusion")
    clock = broken(session, clock_id, at)
    reason = _reason(reason)
    _hold(session, clock)
    found = of_clock(session, clock_id)
    if found is not None and found.approved is not False:
        raise Conflict(_lazy("Somebody asked for this exclusion already."))
    exclusion = found or Exclusion(clock_id=clock_id)
    exclusion.reason = reason
    exclusion.author_id, exclusion.made_at = actor.user_id, at
    exclusion.decided_by = exclusion.decided_at = exclusion.approved = None
    session.add(exclusion)
    session.flush()
    _record(session, "exclusion.asked", exclusion, actor, at)
    return exclusion


def decide(
    session: Session, exclusion: Exclusion, *, approved: bool, actor: Actor, at: datetime
) -> None:
    """Approve or refuse; until the month is closed the decision can be made anew.

    Raises HelpdeskError for whoever asked for it, Conflict where the month is closed.
    """
    if exclusion.author_id == actor.user_id:
        raise HelpdeskError(_lazy("Somebody else must decide on what you asked for."))
    _hold(session, exclusion.clock)
    session.refresh(exclusion)
    same = exclusion.author_id == actor.user_id or exclusion.approved == approved
    if same or exclusion.withdrawn:
        raise Conflict(_lazy("Somebody changed this in the meantime. Look again."))
    exclusion.approved = approved
    exclusion.decided_by, exclusion.decided_at = actor.user_id, at
    session.flush()
    _record(session, "exclusion.decided", exclusion, actor, at, approved=approved)


def withdraw(session: Session, exclusion: Exclusion, *, actor: Actor, at: datetime) -> None:
    """Take the wish back: the breach counts again. What was asked stays, to be asked anew.

    Raises Conflict where the month is closed or it was withdrawn already.
    """
    _hold(session, exclusion.clock)
    session.refresh(exclusion)
    if exclusion.withdrawn:
        raise Conflict(_lazy("Somebody changed this in the meantime. Look again."))
    exclusion.approved = False
    exclusion.decided_by, exclusion.decided_at = actor.user_id, at
    session.flush()
    _record(session, "exclusion.withdrawn", exclusion, actor, at)


def exclusion_for(session: Session, exclusion_id: int) -> Exclusion:
    """Raises NotFound."""
    found = session.get(Exclusion, exclusion_id)
    if found is None:
        raise NotFound()
    return found


def of_clock(session: Session, clock_id: int) -> Exclusion | None:
    return session.scalar(select(Exclusion).where(Exclusion.clock_id == clock_id))


def broken(session: Session, clock_id: int, at: datetime) -> Clock:
    """A clock whose promise was broken by `at`.

    Raises NotFound where there is none with this id, HelpdeskError where it was met or still runs.
    """
    clock = session.get(Clock, clock_id)
    if clock is None or clock.policy_id is None:
        raise NotFound()
    overdue = clock.stopped_at is None and clock.due_at is not None and clock.due_at <= at
    if clock.breached_at is None and clock.state != ClockState.BREACHED and not overdue:
        raise HelpdeskError(_lazy("Only a broken promise can be excluded."))
    return clock


def _reason(text: str) -> str:
    reason = clean(text).strip()
    if not reason:
        raise HelpdeskError(
            _lazy("Say why it shall not count: it stands on the statement."), field="reason"
        )
    if len(reason) > REASON_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="reason",
            limit=REASON_LIMIT,
        )
    return reason


def _hold(session: Session, clock: Clock) -> None:
    subject = subject_of(session, clock)
    if subject is not None:
        hold(session, subject, clock.id)


def _record(
    session: Session, kind: str, exclusion: Exclusion, actor: Actor, at: datetime, **more: Any
) -> None:
    record(
        session,
        kind,
        actor=actor,
        at=at,
        ticket_id=exclusion.clock.ticket_id,
        exclusion_id=exclusion.id,
        clock_id=exclusion.clock_id,
        **more,
    )
