"""Calls for the pages' tests: a caller in the queue, offered to somebody, talking, over."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.models import User
from helpdesk.accounts.presence import Availability
from helpdesk.calls.models import (
    Call,
    CallLeg,
    CallState,
    Direction,
    EndReason,
    LegRole,
    LegState,
    Offer,
    Provider,
)
from helpdesk.clients.match import Known
from helpdesk.clients.models import Person
from helpdesk.lib.clock import now
from helpdesk.tickets.models import NUMBER_OFFSET
from tests.cast import Cast

NUMBER = "+380671234567"


def on_duty(user: User, state: str = "available") -> None:
    """The user takes calls in the browser."""
    with ext.write() as session:
        presence.set_state(session, user.id, state, at=now())
        presence.seen(session, user.id, now())


def call_of(cast: Cast, **more: Any) -> int:
    """A call of Oksana's that waits in Support; its id."""
    who: Known | None = more.pop("who", cast.oksana)
    number = more.pop("ticket", None)
    columns: dict[str, Any] = {
        "provider": Provider.TWIN,
        "provider_id": f"CA{more.get('token', '1')}",
        "token": "1",
        "direction": Direction.INBOUND,
        "from_number": NUMBER,
        "to_number": "+380441112233",
        "queue_id": cast.support.id,
        "client_id": who and who.client_id,
        "person_id": who and who.person_id,
        "ticket_id": number and int(number) - NUMBER_OFFSET,
        "language": "uk",
        "state": CallState.QUEUED,
        "step": {},
        "facts": {},
        "waiting": 1,
        "started_at": now() - timedelta(seconds=40),
        "queued_at": now() - timedelta(seconds=18),
        "place_at": now() - timedelta(seconds=18),
        "last_event_at": now(),
    }
    with ext.write() as session:
        call = Call(**columns | more)
        session.add(call)
        session.flush()
        return call.id


def offer_to(call_id: int, user: User) -> int:
    """The call rings at the user; the offer's id."""
    with ext.write() as session:
        call = session.get_one(Call, call_id)
        call.state, call.waiting, call.offered_at = CallState.OFFERED, None, now()
        leg = CallLeg(
            call_id=call_id,
            role=LegRole.AGENT,
            user_id=user.id,
            state=LegState.RINGING,
            created_at=now(),
        )
        session.add(leg)
        session.flush()
        until = now() + timedelta(seconds=20)
        times = {"offered_at": now(), "expires_at": until}
        offer = Offer(call_id=call_id, user_id=user.id, leg_id=leg.id, **times)
        session.add(offer)
        row = presence.own(session, user.id, now())
        row.state, row.call_id = Availability.IN_CALL, call_id
        session.flush()
        return offer.id


def talks(call_id: int, user: User, state: CallState = CallState.TALKING) -> None:
    """The user talks on this call."""
    with ext.write() as session:
        call = session.get_one(Call, call_id)
        call.state, call.waiting, call.user_id = state, None, user.id
        call.answered_at = now() - timedelta(seconds=132)
        for offer in session.scalars(select(Offer).where(Offer.call_id == call_id)):
            offer.closed_at = now()
        row = presence.own(session, user.id, now())
        row.state, row.call_id = Availability.IN_CALL, call_id


def over(call_id: int, user: User) -> None:
    """The talk is over; the user has a minute to write it up."""
    with ext.write() as session:
        call = session.get_one(Call, call_id)
        call.state, call.ended_at, call.over_at = CallState.WRAP_UP, now(), now()
        call.end_reason = EndReason.TALKED
        row = presence.own(session, user.id, now())
        row.state, row.call_id = Availability.WRAP_UP, call_id
        row.since, row.until = now(), now() + timedelta(seconds=48)


def person_id_of(name: str) -> int:
    with ext.session() as session:
        return session.scalars(select(Person.id).where(Person.name == name)).one()
