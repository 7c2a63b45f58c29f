"""Offers: a call rings at one agent. How an offer begins, how it ends, what follows from that."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpdesk.accounts import engaged
from helpdesk.accounts.duty import Duty
from helpdesk.accounts.presence import Phone
from helpdesk.calls import commands, record
from helpdesk.calls.models import (
    Call,
    CallLeg,
    LegRole,
    LegState,
    Offer,
    OfferOutcome,
    Provider,
)
from helpdesk.calls.states import OVER
from helpdesk.ext import skip_locked

GRACE = timedelta(seconds=5)
"""An offer outlives the ringing by this: the carrier's own word comes first."""


def free_call(session: Session, call_id: int) -> Call | None:
    """The call to be changed, locked; None while somebody else changes it."""
    return session.scalar(
        select(Call)
        .where(Call.id == call_id)
        .with_for_update(of=Call, **skip_locked(session))
        .execution_options(populate_existing=True)
    )


def still(session: Session, call: Call) -> Call:
    """The call as it is now, locked until the end of the transaction."""
    session.flush()
    session.refresh(call, with_for_update=True)
    return call


def ring(
    session: Session, call: Call, agent: Duty, at: datetime, *, ring_seconds: int
) -> Offer | None:
    """Offer the call, which the caller has locked, to this agent and let their phone ring.

    None where somebody else was quicker, with the call or with the agent; the unique indexes
    see to that. `ring_seconds` is how long it rings.
    """
    try:
        with session.begin_nested():
            if not engaged.claim(session, agent.user_id, call.id, at):
                return None
            expires_at = at + timedelta(seconds=ring_seconds) + GRACE
            offer = add(session, call, agent.user_id, at, expires_at=expires_at)
    except IntegrityError:
        return None
    record.note(session, call, at, offered_at=at, offer_id=offer.id)
    order_ring(session, call, offer, agent.phone, agent.number, at, ring_seconds=ring_seconds)
    _event(session, "call.offered", call, offer, at)
    return offer


def add(
    session: Session,
    call: Call,
    user_id: int,
    at: datetime,
    *,
    expires_at: datetime,
    leg: CallLeg | None = None,
    outcome: OfferOutcome | None = None,
) -> Offer:
    """The rows of an offer and of the agent's leg. With an outcome it is closed from the start.
    Raises IntegrityError if the call or the agent has an open one.
    """
    if leg is None:
        leg = CallLeg(
            call_id=call.id,
            role=LegRole.AGENT,
            user_id=user_id,
            state=LegState.QUEUED,
            created_at=at,
        )
        session.add(leg)
        session.flush()
    offer = Offer(
        call_id=call.id,
        user_id=user_id,
        leg_id=leg.id,
        offered_at=at,
        expires_at=expires_at,
        closed_at=at if outcome else None,
        outcome=outcome,
    )
    session.add(offer)
    session.flush()
    return offer


def begin(
    session: Session,
    call: Call,
    user_id: int,
    at: datetime,
    *,
    leg: CallLeg | None = None,
    rings: timedelta = timedelta(0),
) -> Offer:
    """The agent phones somebody: an offer that is taken before it is made. Raises Conflict where
    they are in a call. `rings` is how long their own telephone may ring.
    """
    engaged.began_call(session, user_id, call.id, at)
    taken = OfferOutcome.ACCEPTED
    offer = add(session, call, user_id, at, expires_at=at + rings + GRACE, leg=leg, outcome=taken)
    call.user_id = user_id
    record.note(session, call, at, offered_at=at, offer_id=offer.id, accepted_id=offer.id)
    return offer


def order_ring(
    session: Session,
    call: Call,
    offer: Offer,
    phone: Phone,
    number: str | None,
    at: datetime,
    *,
    ring_seconds: int,
) -> None:
    """Let the phone of the offer's agent ring: the softphone in their browser, or their own."""
    own = phone == Phone.OWN and number
    commands.order(
        session,
        call,
        "ring_agent",
        key=f"offer-{offer.id}",
        at=at,
        leg=leg_of(session, offer),
        to=number if own else f"client:agent-{offer.user_id}",
        step=f"agent?offer={offer.id}",
        timeout=ring_seconds,
        status=f"status?offer={offer.id}",
    )


def close(session: Session, call: Call, offer: Offer, outcome: OfferOutcome, at: datetime) -> bool:
    """End an open offer, once; the second who tries gets False. The agent's phone stops ringing
    and their availability follows, unless they took the call.
    """
    closed = session.execute(
        update(Offer)
        .where(Offer.id == offer.id, Offer.closed_at.is_(None))
        .values(closed_at=at, outcome=outcome)
    )
    session.refresh(offer)
    if getattr(closed, "rowcount", 0) != 1:
        return False
    _event(session, "call.offer_closed", call, offer, at, outcome=outcome.value)
    _follow(session, call, offer, outcome, at)
    if outcome == OfferOutcome.ACCEPTED:
        call.user_id = offer.user_id
        record.note(session, call, at, accepted_id=offer.id)
    else:
        hang_up(session, call, offer, at)
        record.note(session, call, at, released_id=offer.id)
    return True


def was_late(session: Session, call: Call, offer: Offer, at: datetime) -> None:
    """The agent took the call when the caller had gone already: their word, for the record."""
    if offer.outcome != OfferOutcome.WITHDRAWN:
        return
    offer.outcome = OfferOutcome.LATE
    session.flush()
    _event(session, "call.offer_closed", call, offer, at, outcome=offer.outcome.value)


def expire(session: Session, at: datetime, limit: int = 50) -> int:
    """Close the offers that rang out; the callers keep their places. Returns how many."""
    rows = session.execute(
        select(Offer.id, Offer.call_id)
        .join(Call, Call.id == Offer.call_id)
        .where(Offer.closed_at.is_(None), Offer.expires_at <= at)
        .where(Call.provider.not_in((Provider.PBX, Provider.HAND)))
        .order_by(Offer.expires_at, Offer.id)
        .limit(limit)
    ).all()
    return sum(_expire(session, offer_id, call_id, at) for offer_id, call_id in rows)


def open_offer(session: Session, call: Call) -> Offer | None:
    """The offer of this call that rings now."""
    query = select(Offer).where(Offer.call_id == call.id, Offer.closed_at.is_(None))
    return session.scalar(query)


def last_offer(session: Session, call: Call) -> Offer | None:
    """The latest offer of this call, open or not."""
    query = select(Offer).where(Offer.call_id == call.id)
    return session.scalar(query.order_by(Offer.id.desc()).limit(1))


def leg_of(session: Session, offer: Offer) -> CallLeg | None:
    """The agent's leg."""
    return session.get(CallLeg, offer.leg_id) if offer.leg_id is not None else None


def hang_up(session: Session, call: Call, offer: Offer, at: datetime) -> None:
    """End the agent's leg, ringing or talking, unless it is over."""
    leg = leg_of(session, offer)
    if leg is not None and leg.state not in OVER:
        commands.order(session, call, "hang_up", key=f"hang-{leg.id}", at=at, leg=leg)


def _expire(session: Session, offer_id: int, call_id: int, at: datetime) -> bool:
    call = free_call(session, call_id)
    offer = session.get(Offer, offer_id) if call is not None else None
    if call is None or offer is None:
        return False
    return close(session, call, offer, OfferOutcome.UNANSWERED, at)


def _follow(
    session: Session, call: Call, offer: Offer, outcome: OfferOutcome, at: datetime
) -> None:
    """What the end of an offer does to the agent's availability."""
    if outcome == OfferOutcome.ACCEPTED:
        engaged.answered(session, offer.user_id, call.id)
    elif outcome == OfferOutcome.UNANSWERED:
        engaged.left_unanswered(session, offer.user_id, call.id, at)
    elif outcome == OfferOutcome.DECLINED:
        engaged.declined(session, offer.user_id, call.id, at)
    else:
        engaged.freed(session, offer.user_id, call.id, at)


def _event(
    session: Session, kind: str, call: Call, offer: Offer, at: datetime, **data: Any
) -> None:
    record.say(
        session,
        call,
        kind,
        at,
        offer_id=offer.id,
        user_id=offer.user_id,
        queue_id=call.queue_id,
        **data,
    )
