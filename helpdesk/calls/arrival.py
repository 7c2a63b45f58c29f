"""Which call something is about, and for a new one: who calls, which queue, which language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.calls import facts
from helpdesk.calls.models import Call, CallLeg, Direction, LegRole, Offer, Provider
from helpdesk.calls.providers.port import Heard
from helpdesk.clients import match
from helpdesk.tickets.models import Queue

CUSTOMERS_STEP = "join"


@dataclass(frozen=True)
class Found:
    """The call that something is about. `leg_id`: a leg that has no name at the carrier yet."""

    call_id: int
    role: LegRole
    leg_id: int | None = None


@dataclass(frozen=True)
class Who:
    """What is known of a new call: columns of Call, and the facts that are told by it."""

    columns: Mapping[str, Any]
    told: facts.Facts = field(default_factory=dict)


def find(session: Session, heard: Heard) -> Found | None:
    """The call by its leg, by what our own address carried, by its conference, by its cause."""
    return (
        _by_leg(session, heard.provider_id)
        or _by_address(session, heard)
        or _by_conference(session, heard)
        or _by_cause(session, heard)
    )


def is_foreign(heard: Heard) -> bool:
    """Whether a leg that nobody knows is none that a call of a customer can begin with."""
    if heard.provider == Provider.PBX or heard.step == facts.OUTGOING:
        return False
    return heard.direction == Direction.OUTBOUND or heard.kind == "conference"


def who(session: Session, heard: Heard) -> Who:
    """Client, queue and language of a call that is new. A number proves nothing: it finds the
    client for the agent. Of a number that several people have, the first client is named.
    """
    outbound = heard.direction == Direction.OUTBOUND or heard.step == facts.OUTGOING
    number = heard.to_number if outbound else heard.from_number
    ours = heard.from_number if outbound else heard.to_number
    known = match.by_phone(session, number, current_app.config["COUNTRY"]) if number else None
    columns = {
        "provider_id": _name(heard),
        "direction": Direction.OUTBOUND if outbound else Direction.INBOUND,
        "from_number": heard.from_number,
        "to_number": heard.to_number,
        **_client(known),
    }
    queue_id = queue_of(session, ours)
    found: facts.Facts = {"outbound": 1} if outbound else {}
    if known is not None and known.shared:
        found["shared"] = 1
    if queue_id is not None:
        found["queue"] = ["", queue_id]  # before any that a caller chooses
    return Who(columns, found)


def queue_of(session: Session, number: str | None) -> int | None:
    """The active queue of the number that was dialled, else the oldest one."""
    rows = session.execute(
        select(Queue.id, Queue.numbers).where(Queue.active.is_(True)).order_by(Queue.id)
    ).all()
    own = [id_ for id_, numbers in rows if number and number in numbers]
    return next(iter(own), rows[0][0] if rows else None)


def _name(heard: Heard) -> str:
    """The customer's leg names the call; where an agent's begins it, it has none yet."""
    if heard.step == facts.OUTGOING:
        return f"out-{heard.provider_id}"
    return str(heard.parent_id or heard.provider_id)


def _client(known: match.Known | None) -> dict[str, Any]:
    if known is None:
        return {}
    found: dict[str, Any] = {"client_id": known.client_id}
    if known.language:
        found["language"] = known.language
    if not known.shared:
        found |= {"person_id": known.person_id, "contact_point_id": known.contact_point_id}
    return found


def _by_leg(session: Session, provider_id: str | None) -> Found | None:
    if provider_id is None:
        return None
    query = select(CallLeg.call_id, CallLeg.role).where(CallLeg.provider_id == provider_id)
    row = session.execute(query).first()
    return Found(row[0], row[1]) if row else None


def _by_address(session: Session, heard: Heard) -> Found | None:
    """Only addresses that the carrier signed are read, so nobody else chooses these numbers."""
    call_id, offer_id = _id(heard.query.get("call")), _id(heard.query.get("offer"))
    if call_id is not None and session.get(Call, call_id) is not None:
        return Found(call_id, LegRole.CUSTOMER, _unnamed(session, call_id))
    offer = session.get(Offer, offer_id) if offer_id is not None else None
    if offer is None:
        return None
    if heard.step == CUSTOMERS_STEP:
        return Found(offer.call_id, LegRole.CUSTOMER, _unnamed(session, offer.call_id))
    leg = session.get(CallLeg, offer.leg_id) if offer.leg_id is not None else None
    unnamed = leg.id if leg is not None and leg.provider_id is None else None
    return Found(offer.call_id, LegRole.AGENT, unnamed)


def _unnamed(session: Session, call_id: int) -> int | None:
    query = select(CallLeg.id).where(
        CallLeg.call_id == call_id,
        CallLeg.role == LegRole.CUSTOMER,
        CallLeg.provider_id.is_(None),
    )
    return session.scalar(query.order_by(CallLeg.id.desc()).limit(1))


def _by_conference(session: Session, heard: Heard) -> Found | None:
    token = (heard.conference or "").removeprefix("c-")
    if not token:
        return None
    call_id = session.scalar(select(Call.id).where(Call.token == token))
    agent = (heard.label or "").startswith("agent-")
    return Found(call_id, LegRole.AGENT if agent else LegRole.CUSTOMER) if call_id else None


def _by_cause(session: Session, heard: Heard) -> Found | None:
    """A leg that another one dialled: of our calls only agents' are reached that way."""
    caused = _by_leg(session, heard.parent_id)
    return Found(caused.call_id, LegRole.AGENT) if caused else None


def _id(text: str | None) -> int | None:
    return int(text) if text and facts.is_id(text) else None


def is_agent(session: Session, user_id: int) -> bool:
    """Whether there is such a member of staff."""
    return session.get(User, user_id) is not None
