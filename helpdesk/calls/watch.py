"""What time does to agents: wrap-ups that end, browsers that are gone, mute telephones."""

from datetime import datetime, timedelta

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

from helpdesk.accounts import engaged, presence
from helpdesk.accounts.presence import Availability, Presence
from helpdesk.calls import offers, record, talks
from helpdesk.calls.models import (
    Call,
    CallLeg,
    CallState,
    LegState,
    Offer,
    OfferOutcome,
    Provider,
)

MUTE = timedelta(seconds=10)
"""Who took a call and whose telephone isn't there so long after the ringing has none."""
FOREIGN_WRAP_UP = timedelta(minutes=10)
"""To write up a call of a foreign exchange, whose agents we don't keep from the next one."""
AT_ONCE = 50


def due(session: Session, at: datetime) -> bool:
    """Whether `sweep` has anything to do; reads only."""
    if presence.sweep_due(session, at):
        return True
    return any(session.execute(query.limit(1)).first() for query in _queries(at))


def sweep(session: Session, at: datetime) -> int:
    """End what is over by now; returns how much."""
    done = presence.sweep(session, at)
    written, mute, left = _queries(at)
    for (call_id,) in (rows := session.execute(written.limit(AT_ONCE)).all()):
        _close(session, call_id, at)
    done += len(rows)
    for call_id, _user_id in (held := session.execute(mute.limit(AT_ONCE)).all()):
        _give_back(session, call_id, at)
    for call_id, user_id in (over := session.execute(left.limit(AT_ONCE)).all()):
        _let_go(session, call_id, user_id, at)
    return done + len(held) + len(over)


def _queries(at: datetime) -> tuple[Select[int], Select[int, int], Select[int, int]]:
    return _written_up(at), _mute(at), _left(at)


def _written_up(at: datetime) -> Select[int]:
    """Calls that nobody is writing up any more: the time is over, or the agent went on."""
    busy = (
        (Presence.user_id == Call.user_id)
        & (Presence.call_id == Call.id)
        & Presence.state.in_((Availability.WRAP_UP, Availability.IN_CALL))
    )
    return (
        select(Call.id)
        .outerjoin(Presence, busy)
        .where(Call.answered_at.is_not(None), Call.wrapped_at.is_(None))
        .where(Call.state == CallState.WRAP_UP, Presence.user_id.is_(None))
        .where(or_(Call.provider != Provider.PBX, Call.ended_at <= at - FOREIGN_WRAP_UP))
        .order_by(Call.user_id, Call.id)
    )


def _mute(at: datetime) -> Select[int, int]:
    """Calls whose agent took them and has a telephone that was not answered."""
    waiting = (LegState.QUEUED, LegState.INITIATED, LegState.RINGING)
    too_long = (
        exists()
        .where(Offer.call_id == Call.id, Offer.user_id == Presence.user_id)
        .where(Offer.outcome == OfferOutcome.ACCEPTED)
        .where(Offer.expires_at <= at, Offer.closed_at <= at - MUTE)
        .where(CallLeg.id == Offer.leg_id, CallLeg.state.in_(waiting))
    )
    return _held().where(Call.state == CallState.CONNECTING, too_long)


def _left(at: datetime) -> Select[int, int]:
    """Calls that are over and still hold their agents."""
    return _held().where(Call.ended_at.is_not(None))


def _held() -> Select[int, int]:
    return (
        select(Call.id, Presence.user_id)
        .select_from(Presence)
        .join(Call, Call.id == Presence.call_id)
        .where(Presence.state == Availability.IN_CALL)
        .order_by(Call.id, Presence.user_id)
    )


def _close(session: Session, call_id: int, at: datetime) -> None:
    call = offers.free_call(session, call_id)
    if call is not None and call.state == CallState.WRAP_UP:
        record.note(session, call, at, wrapped_at=at)


def _give_back(session: Session, call_id: int, at: datetime) -> None:
    call = offers.free_call(session, call_id)
    offer = offers.last_offer(session, call) if call is not None else None
    if call is None or offer is None or call.state != CallState.CONNECTING:
        return
    talks.give_back(session, call, offer, at, wished=False)
    offers.hang_up(session, call, offer, at)


def _let_go(session: Session, call_id: int, user_id: int, at: datetime) -> None:
    call = offers.free_call(session, call_id)
    if call is None or call.ended_at is None:
        return
    offer = offers.last_offer(session, call)
    if offer is not None and offer.user_id == user_id:
        talks.customer_gone(session, call, offer, at)
    else:
        engaged.freed(session, user_id, call.id, at)
