"""Which ticket an email belongs to (T3).

It joins by a token of ours (signed reply address, signed Message-ID in In-Reply-To or
References), whoever sends it; or by naming a known email when its sender already takes part
and is not shown to be forged. A subject tag proves nothing: it makes a new ticket related.
"""

import re
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, bindparam, or_, select
from sqlalchemy.orm import Session

from helpdesk.intake.inbound import Inbound
from helpdesk.lib.tokens import read_message_id, read_ticket_address
from helpdesk.tickets.models import NUMBER_OFFSET, Message, MessageKind, Status, Ticket

TAG = re.compile(r"(?:#|№\s?)(\d{5,12})\b")
MAX_REFERENCES = 50
MAX_MERGES = 20

_TICKET, _MESSAGE = cast(Table, Ticket.__table__).c, cast(Table, Message.__table__).c
# Made once: building a statement costs more than running it.
_NAMED = (
    select(_MESSAGE.ticket_id)
    .where(
        _MESSAGE.message_id.in_(bindparam("names", expanding=True)),
        _MESSAGE.kind != MessageKind.NOTE,
    )
    .order_by(_MESSAGE.id.desc())
    .limit(1)
)
_STATE = select(_TICKET.id, _TICKET.status, _TICKET.merged_into_id).where(
    _TICKET.id == bindparam("ticket_id")
)
_WROTE = select(_MESSAGE.id).where(
    _MESSAGE.ticket_id == _TICKET.id,
    _MESSAGE.person_id == bindparam("person_id"),
    _MESSAGE.stranger.is_(False),
)
_TAKES_PART = select(_TICKET.id).where(
    _TICKET.id == bindparam("ticket_id"),
    or_(_TICKET.person_id == bindparam("person_id"), _WROTE.exists()),
)


@dataclass(frozen=True)
class Thread:
    """Where an email goes. `by_token`: it carried our signature. `related_id`: a ticket that a
    new one is shown beside, since the email names it without proof."""

    ticket_id: int | None = None
    by_token: bool = False
    stranger: bool = False
    related_id: int | None = None


def find(
    session: Session, inbound: Inbound, recipients: list[str], person_id: int | None
) -> Thread:
    """The ticket of this email, if it proves to belong to one."""
    signed = signed_ticket(inbound, recipients)
    if signed is not None:
        return _joined(session, signed, person_id, by_token=True)
    named = _named_ticket(session, inbound)
    if named is not None and inbound.auth != "fail" and _takes_part(session, named, person_id):
        return _joined(session, named, person_id, by_token=False)
    return Thread(related_id=named or _tagged_ticket(session, inbound.subject))


def signed_ticket(inbound: Inbound, recipients: list[str]) -> int | None:
    """The ticket that a token of ours in this email leads to."""
    secret = current_app.config["SECRET_KEY"].encode()
    for address in recipients:
        found = read_ticket_address(secret, address)
        if found is not None:
            return found
    bounced = inbound.bounce.original_message_id if inbound.bounce else None
    for message_id in (bounced, inbound.in_reply_to, *reversed(_references(inbound))):
        found = read_message_id(secret, message_id)
        if found is not None:
            return found
    return None


def _references(inbound: Inbound) -> tuple[str, ...]:
    return inbound.references[-MAX_REFERENCES:]


def _named_ticket(session: Session, inbound: Inbound) -> int | None:
    """The ticket that holds one of the emails this one refers to."""
    names = [name for name in (inbound.in_reply_to, *reversed(_references(inbound))) if name]
    if not names:
        return None
    return session.scalar(_NAMED, {"names": names})


def _tagged_ticket(session: Session, subject: str) -> int | None:
    tag = TAG.search(subject)
    if tag is None:
        return None
    return session.scalar(select(Ticket.id).where(Ticket.id == int(tag[1]) - NUMBER_OFFSET))


def _takes_part(session: Session, ticket_id: int, person_id: int | None) -> bool:
    """The requester takes part, and whoever's message on the ticket was not a stranger's."""
    if person_id is None:
        return False
    values = {"ticket_id": ticket_id, "person_id": person_id}
    return session.scalar(_TAKES_PART, values) is not None


def _joined(session: Session, ticket_id: int, person_id: int | None, *, by_token: bool) -> Thread:
    """The surviving ticket; a closed one is final, so its follow-up is a new related ticket."""
    ticket = survivor(session, ticket_id)
    if ticket is None:
        return Thread()
    if ticket.status == Status.CLOSED:
        return Thread(related_id=ticket.id)
    stranger = not _takes_part(session, ticket.id, person_id)
    return Thread(ticket_id=ticket.id, by_token=by_token, stranger=stranger)


def survivor(session: Session, ticket_id: int) -> Any:
    """The row (id, status) of a ticket or of what it was merged into; None if it is gone."""
    ticket = session.execute(_STATE, {"ticket_id": ticket_id}).first()
    for _ in range(MAX_MERGES):
        if ticket is None or ticket.merged_into_id is None:
            break
        ticket = session.execute(_STATE, {"ticket_id": ticket.merged_into_id}).first()
    return ticket
