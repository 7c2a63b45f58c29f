"""What a call does to an agent's availability: offered, taken, let ring, over, written up.

A verb that finds the agent elsewhere by now changes nothing and returns False, so that what
happens at the same moment, or is heard of twice, has its effect once.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.presence import CHOICES, Availability, Presence, change, leave, locked, own
from helpdesk.ext import skip_locked
from helpdesk.lib.errors import Conflict, _lazy

DECLINED = timedelta(seconds=15)  # a breath before the next offer


def claim(session: Session, user_id: int, call_id: int, at: datetime) -> bool:
    """Take a free member of staff for a call that is offered; False if somebody else was quicker,
    they have just gone, or their row is being changed at this moment."""
    row = session.scalar(
        select(Presence)
        .where(Presence.user_id == user_id, Presence.state == Availability.AVAILABLE)
        .where(Presence.paused.is_(False))
        .with_for_update(**skip_locked(session))
        .execution_options(populate_existing=True)
    )
    if row is None:
        return False
    row.call_id, row.next_state = call_id, None
    change(session, row, Availability.IN_CALL, at)
    return True


def began_call(session: Session, user_id: int, call_id: int, at: datetime) -> Presence:
    """They phone somebody themselves, from whatever state, to which they come back. Raises
    Conflict in a call."""
    row = own(session, user_id, at)
    if row.state == Availability.IN_CALL:
        raise Conflict(_lazy("You are in a call already."))
    if row.state in CHOICES:
        row.next_state = None if row.state == Availability.AVAILABLE else row.state
    row.call_id, row.until, row.paused = call_id, None, False
    change(session, row, Availability.IN_CALL, at)
    return row


def in_call(session: Session, user_id: int, call_id: int) -> bool:
    """Whether they are offered this call or talk on it; their row is locked from now on."""
    return _in_call(session, user_id, call_id) is not None


def answered(session: Session, user_id: int, call_id: int) -> None:
    """They took the offer: unanswered ones before it are forgotten."""
    row = _in_call(session, user_id, call_id)
    if row is not None:
        row.unanswered = 0
        session.flush()


def freed(session: Session, user_id: int, call_id: int, at: datetime) -> bool:
    """The offered call went away without their doing: they keep their place among the free.

    This verb and those below change nothing and return False where the user isn't (any more) in
    this call.
    """
    row = _in_call(session, user_id, call_id)
    if row is None:
        return False
    since = row.free_since
    leave(session, row, at)
    row.free_since = since
    session.flush()
    return True


def left_unanswered(session: Session, user_id: int, call_id: int, at: datetime) -> bool:
    """The offer rang out: paused until they say that they are back."""
    row = _in_call(session, user_id, call_id)
    if row is None:
        return False
    row.unanswered += 1
    row.call_id = row.next_state = None
    row.paused = True
    change(session, row, Availability.BREAK, at)
    return True


def declined(session: Session, user_id: int, call_id: int, at: datetime) -> bool:
    """They said no: a breath, then the next offer."""
    row = _in_call(session, user_id, call_id)
    if row is None:
        return False
    row.call_id, row.until = None, None if row.next_state else at + DECLINED
    chosen, row.next_state = row.next_state, None
    change(session, row, chosen or Availability.BREAK, at)
    return True


def ended_call(
    session: Session, user_id: int, call_id: int, *, at: datetime, wrap_up_seconds: int
) -> bool:
    """The talk is over: time to write it up, then what they chose during it, or the next call."""
    row = _in_call(session, user_id, call_id)
    if row is None:
        return False
    if wrap_up_seconds <= 0:
        leave(session, row, at)
        return True
    row.until = at + timedelta(seconds=wrap_up_seconds)
    change(session, row, Availability.WRAP_UP, at)
    return True


def lost(session: Session, user_id: int, call_id: int, at: datetime) -> bool:
    """Their browser vanished in the middle of a call: off, until they are back."""
    row = _in_call(session, user_id, call_id)
    if row is None:
        return False
    row.call_id = row.next_state = None
    change(session, row, Availability.OFF, at)
    return True


def wrapped_up(session: Session, user_id: int, call_id: int, at: datetime) -> bool:
    """The call is written up: to what they chose during it, or to the next call."""
    row = locked(session, user_id)
    if row is None or row.state != Availability.WRAP_UP or row.call_id != call_id:
        return False
    leave(session, row, at)
    return True


def _in_call(session: Session, user_id: int, call_id: int) -> Presence | None:
    row = locked(session, user_id)
    here = row is not None and row.state == Availability.IN_CALL and row.call_id == call_id
    return row if here else None
