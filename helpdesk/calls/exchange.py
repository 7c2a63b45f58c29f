"""What an exchange of others tells becomes a call like any other: log, pop, missed call.

We cannot steer such a call. An offer stands for its ringing at an agent, so that the client's card
pops; nobody is offered it by us, and nobody is paused for letting it ring.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.accounts import engaged
from helpdesk.accounts.models import User
from helpdesk.accounts.presence import Presence
from helpdesk.calls import flow, offers, record
from helpdesk.calls.models import Call, Direction, LegState, Offer, OfferOutcome, Provider
from helpdesk.calls.providers import pbx
from helpdesk.calls.providers.pbx import Told
from helpdesk.events import SYSTEM, Actor
from helpdesk.lib import phone
from helpdesk.lib.errors import Conflict
from helpdesk.lib.tokens import new_token, token_hash

TOKEN = "pbx_token_hash"
RINGS = timedelta(hours=4)  # the exchange says when it stops


def renew(session: Session, *, actor: Actor = SYSTEM) -> str:
    """A new secret for the address of the webhook; the old one opens nothing any more."""
    token = new_token()
    settings.put(session, TOKEN, token_hash(token), actor=actor)
    return token


def turn_off(session: Session, *, actor: Actor = SYSTEM) -> None:
    """No address opens the webhook any more."""
    settings.put(session, TOKEN, "", actor=actor)


def take(session: Session, told: Told, at: datetime, country: str) -> Call:
    """Write one event into the record of its call, in any order and any number of times."""
    call = _customer(session, told, at)
    user_id = _user_of(session, told.agent, country)
    if told.event == "ended":
        _ended(session, call, told, at)
    elif user_id is not None:
        _rings(session, call, told, user_id, at)
    if told.event == "answered":
        _answered(session, call, told, user_id, at)
    return call


def _customer(session: Session, told: Told, at: datetime) -> Call:
    """The call, after what this event says of the customer. Of an end that comes later on: first
    it has to be known whether anybody answered."""
    known = _known(session, told)
    if told.event == "ended" and known is not None:
        return known
    answered = told.event == "answered"
    state = LegState.IN_PROGRESS if answered else LegState.RINGING
    flow.receive(session, pbx.customer(told, state), at)
    found = _known(session, told)
    if found is None:
        raise LookupError("the record made no call of an exchange's event")
    return found


def _known(session: Session, told: Told) -> Call | None:
    query = select(Call).where(Call.provider == Provider.PBX, Call.provider_id == told.call_id)
    return session.scalar(query)


def _rings(session: Session, call: Call, told: Told, user_id: int, at: datetime) -> None:
    """The call is at this agent's telephone, and at nobody else's any more."""
    offer = _offer(session, call, user_id)
    if offer is None and call.ended_at is None:
        offer = _offered(session, call, told, user_id, at)
    if offer is not None and told.event == "started":
        flow.receive(session, pbx.agent(told, user_id, offer.id, LegState.RINGING), at)


def _offered(session: Session, call: Call, told: Told, user_id: int, at: datetime) -> Offer | None:
    before = offers.open_offer(session, call)
    if before is not None:
        offers.close(session, call, before, OfferOutcome.WITHDRAWN, at)
    try:
        with session.begin_nested():
            offer = offers.add(session, call, user_id, at, expires_at=at + RINGS)
    except IntegrityError:  # another call rings at them: that one stays in front of them
        return None
    record.note(session, call, at, offer_id=offer.id, offered_at=told.at)
    record.say(
        session,
        call,
        "call.offered",
        at,
        offer_id=offer.id,
        user_id=user_id,
        queue_id=call.queue_id,
    )
    return offer


def _answered(session: Session, call: Call, told: Told, user_id: int | None, at: datetime) -> None:
    """Somebody talks; who is one of ours is in a call for our distribution too."""
    offer = _offer(session, call, user_id) if user_id is not None else None
    if offer is None or user_id is None:
        record.note(session, call, at, answered_at=told.at)
        return
    if offers.close(session, call, offer, OfferOutcome.ACCEPTED, at):
        call.user_id = user_id
        _engage(session, call, user_id, at)
    flow.receive(session, pbx.agent(told, user_id, offer.id, LegState.IN_PROGRESS), at)
    ids = dict.fromkeys(("accepted_id", "agent_in_id", "customer_in_id"), offer.id)
    record.note(session, call, at, answered_at=told.at, **ids)


def _engage(session: Session, call: Call, user_id: int, at: datetime) -> None:
    if call.ended_at is not None:
        return
    try:
        engaged.began_call(session, user_id, call.id, at)
    except Conflict:  # they talk on another telephone too
        return


def _ended(session: Session, call: Call, told: Told, at: datetime) -> None:
    """A call that came in and nobody answered was missed: as if its caller had hung up in the
    queue. It never stood there, so that we never offered it to anybody."""
    answered = call.answered_at is not None
    missed = not answered and call.direction == Direction.INBOUND and call.ended_at is None
    if missed:
        record.note(
            session, call, at, queued_at=min(call.started_at, told.at), queue_id=call.queue_id
        )
    over = LegState.COMPLETED if answered else LegState.NO_ANSWER
    flow.receive(session, pbx.customer(told, over), at)
    _agents_ended(session, call, told, at)
    if answered and call.user_id is None:  # nobody here writes it up
        record.note(session, call, at, wrapped_at=told.at)


def _agents_ended(session: Session, call: Call, told: Told, at: datetime) -> None:
    query = select(Offer).where(Offer.call_id == call.id).order_by(Offer.id)
    for offer in session.scalars(query):
        taken = offer.outcome == OfferOutcome.ACCEPTED
        state = LegState.COMPLETED if taken else LegState.CANCELED
        flow.receive(session, pbx.agent(told, offer.user_id, offer.id, state), at)
        if offer.closed_at is None:
            offers.close(session, call, offer, OfferOutcome.WITHDRAWN, at)


def _offer(session: Session, call: Call, user_id: int) -> Offer | None:
    """The latest one to this agent."""
    query = select(Offer).where(Offer.call_id == call.id, Offer.user_id == user_id)
    return session.scalar(query.order_by(Offer.id.desc()).limit(1))


def _user_of(session: Session, written: str, country: str) -> int | None:
    """The member of staff by their email address, or by the number of their own telephone."""
    if "@" in written:
        query = select(User.id).where(func.lower(User.email) == written.lower(), User.active)
        return session.scalar(query)
    number = phone.normalize(written, country) if written else None
    if number is None:
        return None
    query = select(Presence.user_id).where(Presence.number == number)
    return session.scalar(query.order_by(Presence.user_id).limit(1))
