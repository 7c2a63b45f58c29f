"""What agents do with calls on their screen: take, decline, hold, hang up, phone somebody."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.accounts import presence
from helpdesk.accounts.models import User
from helpdesk.accounts.presence import Phone
from helpdesk.calls import commands, offers, outgoing, record, talks
from helpdesk.calls.menus import menu_for
from helpdesk.calls.models import (
    Call,
    CallCommand,
    CallState,
    Offer,
    OfferOutcome,
)
from helpdesk.events import Actor
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy

IN_TALK = (CallState.TALKING, CallState.HELD)


def accept(session: Session, offer: Offer, at: datetime) -> Call:
    """Take the call that rings in the agent's browser. Raises Conflict when it is gone, and
    HelpdeskError for a telephone of their own, which has to be answered.
    """
    call = _steered(session, offer.call_id)
    person = presence.get(session, offer.user_id)
    if person is not None and person.phone == Phone.OWN:
        raise HelpdeskError(_lazy("Answer your telephone and press 1."))
    session.refresh(offer)
    if offer.outcome != OfferOutcome.ACCEPTED and not talks.take(session, call, offer, at):
        raise Conflict(_gone(call))
    return call


def decline(session: Session, offer: Offer, at: datetime) -> Call:
    """Let it ring at somebody else. Raises Conflict when it rings here no more."""
    call = _steered(session, offer.call_id)
    if not offers.close(session, call, offer, OfferOutcome.DECLINED, at):
        raise Conflict(_gone(call))
    return call


def hold(session: Session, call: Call, held: bool, at: datetime, *, user_id: int) -> None:
    """Let the customer hear music, or come back to them. What is so already stays so. Raises
    Conflict unless this user talks with them.
    """
    call = _talking(session, call, user_id)
    leg = record.customer_leg(session, call)
    if (call.state == CallState.HELD) == held or leg is None:
        return
    number = 1 + _holds(session, call)
    kind = "hold" if held else "unhold"
    commands.order(session, call, kind, key=f"hold-{call.id}-{number}", at=at, leg=leg)
    leg.held = held
    record.note(session, call, at, holds={str(number): at})
    actor = Actor(user_id=user_id)
    record.say(session, call, "call.held", at, actor=actor, user_id=user_id, held=held)


def hang_up(session: Session, call: Call, at: datetime, *, user_id: int) -> None:
    """End the talk, or give up the call that is being put through. Raises Conflict unless it is
    this user's."""
    call = _mine(session, call, user_id)
    offer = offers.last_offer(session, call)
    if offer is None or call.state not in (*IN_TALK, CallState.CONNECTING):
        raise Conflict(_lazy("This call is over."))
    if call.state == CallState.CONNECTING:
        offers.hang_up(session, call, offer, at)
        talks.give_back(session, call, offer, at, wished=True)
    else:
        talks.finish(session, call, offer, at)


def call_out(
    session: Session,
    user: User,
    number: str,
    *,
    at: datetime,
    client_id: int | None = None,
    person_id: int | None = None,
    contact_point_id: int | None = None,
    ticket_id: int | None = None,
    task_id: int | None = None,
    queue_id: int | None = None,
    language: str | None = None,
) -> Call:
    """Phone somebody: the agent's telephone rings first, then the client's (`number`, E.164).
    Raises Conflict where the agent is in a call, and HelpdeskError where we have no number that
    the client could see.
    """
    if outgoing.own_number(session, queue_id) is None:
        raise HelpdeskError(
            _lazy("We have no number to call from. Give the queue one."), field="number"
        )
    spoken = language or str(settings.get(session, "primary_language"))
    call = outgoing.create(
        session,
        number=number,
        queue_id=queue_id,
        language=spoken,
        at=at,
        client_id=client_id,
        person_id=person_id,
        contact_point_id=contact_point_id,
        ticket_id=ticket_id,
        task_id=task_id,
    )
    seconds = menu_for(session, queue_id).ring_seconds
    offer = offers.begin(session, call, user.id, at, rings=timedelta(seconds=seconds))
    person = presence.own(session, user.id, at)
    phone, own = person.phone, person.number
    offers.order_ring(session, call, offer, phone, own, at, ring_seconds=seconds)
    return call


def _steered(session: Session, call_id: int) -> Call:
    call = session.get_one(Call, call_id)
    if call.provider in talks.FOREIGN:
        raise HelpdeskError(_lazy("Do this on your telephone."))
    return offers.still(session, call)


def _mine(session: Session, call: Call, user_id: int) -> Call:
    call = _steered(session, call.id)
    if call.user_id != user_id:
        raise Conflict(_lazy("This is not your call."))
    return call


def _talking(session: Session, call: Call, user_id: int) -> Call:
    call = _mine(session, call, user_id)
    if call.state not in IN_TALK:
        raise Conflict(_lazy("This call is over."))
    return call


def _holds(session: Session, call: Call) -> int:
    """How often the customer was held and fetched back."""
    mine = CallCommand.call_id == call.id, CallCommand.kind.in_(("hold", "unhold"))
    return session.scalar(select(func.count()).select_from(CallCommand).where(*mine)) or 0


def _gone(call: Call) -> str:
    """Why the call can't be taken any more."""
    if call.ended_at is not None:
        return _lazy("The caller has left.")
    return _lazy("This call rings here no more.")
