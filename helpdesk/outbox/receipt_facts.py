"""What receipts need from the database, read for many tickets at once.

A column more for all receipts is a line in `Facts` and one in `_FACTS`, in the same place.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, and_, bindparam, select
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.accounts.limits import Tally
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.lib.text import email_key
from helpdesk.outbox.models import Outgoing
from helpdesk.outbox.rendering import Reader
from helpdesk.tickets.models import (
    NUMBER_OFFSET,
    Channel,
    Mailbox,
    Message,
    MessageKind,
    Queue,
    Ticket,
)
from helpdesk.tickets.promised import Promised, promised_on
from helpdesk.tickets.queries import address_of_queue

HOUR, DAY = 3_600, 86_400
HOUR_LIMIT, DAY_LIMIT = "receipt-hour", "receipt-day"


class Facts(NamedTuple):
    """One ticket with its queue, client, person and the contact point that wrote."""

    ticket_id: int
    subject: str
    language: str | None
    link_nonce: str
    client_id: int
    queue_id: int
    receipts: bool
    articles: bool  # receipts offer some
    client_language: str | None
    person_language: str | None
    first_message_id: str | None
    address: str | None  # of the contact point, as the four below; None without one
    bad: bool | None
    verified: bool | None  # by who wrote this ticket
    reader_id: int | None
    reader: Reader

    @property
    def number(self) -> str:
        """The number as people see it."""
        return str(self.ticket_id + NUMBER_OFFSET)


@dataclass(frozen=True)
class Book:
    """All that a batch of receipts looks at."""

    facts: Mapping[int, Facts]  # by ticket, as the two below
    promised: Mapping[int, Promised]
    known: Collection[int]  # tickets that have a receipt already
    ours: Collection[str]  # those of the readers' addresses that are our own mailboxes
    tally: Tally
    setting: Callable[[str], Any]
    address_of_queue: Callable[[int], str | None]


_TICKET, _QUEUE, _CLIENT, _PERSON, _POINT, _MESSAGE, _OUTGOING, _MAILBOX = (
    cast(Table, model.__table__)
    for model in (Ticket, Queue, Client, Person, ContactPoint, Message, Outgoing, Mailbox)
)
_READER = _PERSON.alias("reader")
_FIRST = (
    select(_MESSAGE.c.message_id)
    .where(_MESSAGE.c.ticket_id == _TICKET.c.id, _MESSAGE.c.kind == MessageKind.INBOUND)
    .order_by(_MESSAGE.c.id)
    .limit(1)
    .scalar_subquery()
)
# Made once: building a statement costs more than running it.
_FACTS = (
    select(
        _TICKET.c.id,
        _TICKET.c.subject,
        _TICKET.c.language,
        _TICKET.c.link_nonce,
        _TICKET.c.client_id,
        _TICKET.c.queue_id,
        _QUEUE.c.receipts,
        _QUEUE.c.receipt_articles,
        _CLIENT.c.language,
        _PERSON.c.language,
        _FIRST,
        _POINT.c.value,
        _POINT.c.bad,
        # A form names an address and proves nothing, whoever has verified it before.
        and_(_POINT.c.verified, _TICKET.c.channel != Channel.WEB),
        _POINT.c.person_id,
        _READER.c.name,
        _READER.c.vocative,
        _READER.c.erased_at,
    )
    .select_from(
        _TICKET.join(_QUEUE, _QUEUE.c.id == _TICKET.c.queue_id)
        .join(_CLIENT, _CLIENT.c.id == _TICKET.c.client_id)
        .join(_PERSON, _PERSON.c.id == _TICKET.c.person_id)
        .outerjoin(_POINT, _POINT.c.id == _TICKET.c.contact_point_id)
        .outerjoin(_READER, _READER.c.id == _POINT.c.person_id)
    )
    .where(_TICKET.c.id.in_(bindparam("ids", expanding=True)))
)
_KNOWN = select(_OUTGOING.c.key).where(_OUTGOING.c.key.in_(bindparam("keys", expanding=True)))
_OURS = select(_MAILBOX.c.address).where(
    _MAILBOX.c.address.in_(bindparam("addresses", expanding=True))
)


def receipt_key(ticket_id: int) -> str:
    """What makes the receipt of a ticket one of a kind in the outbox."""
    return f"receipt:{ticket_id}"


def read(session: Session, ticket_ids: Collection[int], at: datetime) -> Book:
    """What there is to know of these tickets; as many statements for one as for all."""
    ids = list(ticket_ids)
    facts = {row[0]: _facts(row) for row in session.execute(_FACTS, {"ids": ids})}
    keys = {receipt_key(ticket_id): ticket_id for ticket_id in ids}
    known = session.scalars(_KNOWN, {"keys": list(keys)})
    addresses = {email_key(one.address) for one in facts.values() if one.address}
    limited = {mailbox(one.address) for one in facts.values() if one.address}
    return Book(
        facts=facts,
        promised=promised_on(session, ids),
        known={keys[key] for key in known},
        ours=set(session.scalars(_OURS, {"addresses": list(addresses)})),
        tally=Tally(session, {HOUR_LIMIT: HOUR, DAY_LIMIT: DAY}, limited, at=at),
        setting=cache(partial(settings.get, session)),
        address_of_queue=cache(partial(address_of_queue, session)),
    )


def mailbox(address: str) -> str:
    """An address without "+tag" and dots in its local part: large providers ignore them."""
    local, _at, domain = email_key(address).rpartition("@")
    return f"{local.partition('+')[0].replace('.', '') or local}@{domain}"


def _facts(row: Sequence[Any]) -> Facts:
    """The last columns are those of the reader."""
    plain, reader = row[: -len(Reader._fields)], row[-len(Reader._fields) :]
    return Facts._make([*plain, Reader._make(reader)])
