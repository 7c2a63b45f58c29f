"""What time does to agents: wrap-ups that end, browsers that are gone, mute telephones."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from helpdesk.accounts import presence
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

MUTE = timedelta(seconds=15)
"""Who took a call and whose telephone isn't there after this has no telephone."""
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
    written, mute, left = (_rows(session, query) for query in _queries(at))
    for (call_id,) in written:
        call = offers.free_call(session, call_id)
        if call is not None and call.state == CallState.WRAP_UP:
            record.note(session, call, at, wrapped_at=at)
    for call_id, offer_id in mute:
        _give_back(session, call_id, offer_id, at)
    for call_id, offer_id in left:
        _let_go(session, call_id, offer_id, at)
    return done + len(written) + len(mute) + len(left)


def _queries(at: datetime) -> tuple[Select[int], Select[int, int], Select[int, int]]:
    return _written_up(at), _mute(at), _left(at)


def _rows(session: Session, query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
    return session.execute(query.limit(AT_ONCE)).all()


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
        .where(Call.wrapped_at.is_(None), Call.state == CallState.WRAP_UP)
        .where(Presence.user_id.is_(None))
        .where(or_(Call.provider != Provider.PBX, Call.ended_at <= at - FOREIGN_WRAP_UP))
        .order_by(Call.id)
    )


def _mute(at: datetime) -> Select[int, int]:
    """Agents who took a call and whose telephone was not answered."""
    waiting = (LegState.QUEUED, LegState.INITIATED, LegState.RINGING)
    return (
        select(Offer.call_id, Offer.id)
        .select_from(Presence)
        .join(Call, Call.id == Presence.call_id)
        .join(Offer, (Offer.call_id == Call.id) & (Offer.user_id == Presence.user_id))
        .join(CallLeg, CallLeg.id == Offer.leg_id)
        .where(Presence.state == Availability.IN_CALL, Call.state == CallState.CONNECTING)
        .where(Offer.outcome == OfferOutcome.ACCEPTED, CallLeg.state.in_(waiting))
        .where(Offer.closed_at <= at - MUTE, Offer.expires_at <= at)
        .order_by(Offer.id)
    )


def _left(at: datetime) -> Select[int, int]:
    """Agents who are still held by a call that is over."""
    return (
        select(Offer.call_id, Offer.id)
        .select_from(Presence)
        .join(Call, Call.id == Presence.call_id)
        .join(Offer, (Offer.call_id == Call.id) & (Offer.user_id == Presence.user_id))
        .where(Presence.state == Availability.IN_CALL, Call.ended_at.is_not(None))
        .where(Offer.outcome == OfferOutcome.ACCEPTED)
        .order_by(Offer.id)
    )


def _give_back(session: Session, call_id: int, offer_id: int, at: datetime) -> None:
    call = offers.free_call(session, call_id)
    offer = session.get(Offer, offer_id)
    if call is None or offer is None or call.state != CallState.CONNECTING:
        return
    talks.give_back(session, call, offer, at, wished=False)
    offers.hang_up(session, call, offer, at)


def _let_go(session: Session, call_id: int, offer_id: int, at: datetime) -> None:
    call = offers.free_call(session, call_id)
    offer = session.get(Offer, offer_id)
    if call is not None and offer is not None and call.ended_at is not None:
        talks.customer_gone(session, call, offer, at)
