"""A call and its agent, from the acceptance to the end: put through, finished, lost, given back.

Who calls these holds the call's row (`offers.still`). All of them may come twice.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from helpdesk.accounts import engaged, presence
from helpdesk.accounts.presence import Phone
from helpdesk.calls import commands, offers, record
from helpdesk.calls.menus import menu_for
from helpdesk.calls.models import (
    Call,
    CallLeg,
    CallState,
    Direction,
    LegState,
    Offer,
    OfferOutcome,
    Provider,
)
from helpdesk.calls.states import OVER

FOREIGN = (Provider.PBX, Provider.HAND)
"""Calls that we only hear of and can't steer."""
CUSTOMER_RINGS = 45  # seconds
VANISHED = timedelta(seconds=15)
"""A browser unseen for so long went away; one that was seen hung up."""


def take(session: Session, call: Call, offer: Offer, at: datetime) -> bool:
    """The agent wants the call. False if it is too late: then their offer says so."""
    if call.state == CallState.OFFERED:
        return offers.close(session, call, offer, OfferOutcome.ACCEPTED, at)
    if call.ended_at is not None or call.waiting is None:
        offers.was_late(session, call, offer, at)
    return False


def put_through(session: Session, call: Call, offer: Offer, at: datetime) -> None:
    """The agent comes into the conference: now the customer is fetched into it, or rung."""
    record.note(session, call, at, agent_in_id=offer.id)
    key, customer = f"join-{offer.id}", record.customer_leg(session, call)
    on_the_line = customer is not None and customer.state == LegState.IN_PROGRESS
    if call.direction == Direction.INBOUND or on_the_line:
        step = f"join?talk={offer.id}"
        commands.order(session, call, "redirect", key=key, at=at, leg=customer, step=step)
    else:
        to, seconds = call.to_number, CUSTOMER_RINGS
        commands.order(
            session, call, "ring_customer", key=key, at=at, leg=customer, to=to, timeout=seconds
        )


def joined(session: Session, call: Call, offer: Offer, at: datetime) -> None:
    """The customer comes into the conference: they hear each other. Recorded with consent only."""
    record.note(session, call, at, customer_in_id=offer.id, answered_at=at)
    if call.consent_given and menu_for(session, call.queue_id).recording:
        leg = record.customer_leg(session, call)
        commands.order(session, call, "record", key=f"record-{call.id}", at=at, leg=leg)


def finish(session: Session, call: Call, offer: Offer, at: datetime) -> None:
    """The agent ends the talk: goodbye to the customer, wrap-up for the agent."""
    offers.hang_up(session, call, offer, at)
    if call.ended_at is None:
        _send_after(session, call, offer, at)
    _wrap_up(session, call, offer, at)


def agent_gone(session: Session, call: Call, offer: Offer, leg: CallLeg, at: datetime) -> None:
    """The agent's leg is over while the customer's isn't: hung up, or lost."""
    person = presence.get(session, offer.user_id)
    if person is None or not engaged.in_call(session, offer.user_id, call.id):
        return
    vanished = leg.state == LegState.FAILED or (
        person.phone == Phone.BROWSER
        and (person.seen_at is None or person.seen_at <= at - VANISHED)
    )
    if not talked(call, offer):
        give_back(session, call, offer, at, wished=leg.state == LegState.COMPLETED)
    elif vanished:
        _lose(session, call, offer, at)
    else:
        finish(session, call, offer, at)


def give_back(session: Session, call: Call, offer: Offer, at: datetime, *, wished: bool) -> None:
    """The agent took the call and is gone before the customer was there (`wished`: by their own
    will): the customer waits on at the old place; a call that the agent began is given up.
    """
    if call.direction == Direction.OUTBOUND:
        leg, key = record.customer_leg(session, call), f"unreached-{offer.id}"
        commands.order(session, call, "hang_up", key=key, at=at, leg=leg)
    if call.queued_at is None:
        engaged.freed(session, offer.user_id, call.id, at)
        record.note(session, call, at, withdrawn_at=at)
        return
    if wished:
        engaged.declined(session, offer.user_id, call.id, at)
    else:
        engaged.left_unanswered(session, offer.user_id, call.id, at)
    record.note(session, call, at, released_id=offer.id)


def customer_gone(session: Session, call: Call, offer: Offer, at: datetime) -> None:
    """The customer's leg is over: the agent writes the call up, or hears that nobody is there."""
    if not engaged.in_call(session, offer.user_id, call.id):
        return
    leg = offers.leg_of(session, offer)
    if talked(call, offer):
        offers.hang_up(session, call, offer, at)
        _wrap_up(session, call, offer, at)
        return
    if leg is not None and leg.state == LegState.IN_PROGRESS:
        step = f"gone?offer={offer.id}"
        key = f"gone-{offer.id}"
        commands.order(session, call, "redirect", key=key, at=at, leg=leg, step=step)
    else:
        offers.hang_up(session, call, offer, at)
    engaged.freed(session, offer.user_id, call.id, at)


def talked(call: Call, offer: Offer) -> bool:
    """Whether the customer heard the agent of this offer."""
    return call.answered_at is not None and int(call.facts.get("customer_in_id", 0)) >= offer.id


def _lose(session: Session, call: Call, offer: Offer, at: datetime) -> None:
    """The agent's browser vanished: the customer waits again, at the place of before; who never
    waited because we called them goes before those who came since."""
    engaged.lost(session, offer.user_id, call.id, at)
    first = {"queued_at": at, "place_at": call.started_at} if call.queued_at is None else {}
    record.note(session, call, at, released_id=offer.id, **first)
    _send_after(session, call, offer, at)


def _send_after(session: Session, call: Call, offer: Offer, at: datetime) -> None:
    leg = record.customer_leg(session, call)
    if leg is not None and leg.state not in OVER:
        step, key = f"after?talk={offer.id}", f"after-{offer.id}"
        commands.order(session, call, "redirect", key=key, at=at, leg=leg, step=step)


def _wrap_up(session: Session, call: Call, offer: Offer, at: datetime) -> None:
    seconds = menu_for(session, call.queue_id).wrap_up_seconds
    engaged.ended_call(session, offer.user_id, call.id, at=at, wrap_up_seconds=seconds)
