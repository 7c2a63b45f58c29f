"""Verbs on queues and their mailboxes: create, change, add and remove addresses and numbers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import lock
from helpdesk.lib import phone
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.text import clean_line, email_key, fold, valid_email
from helpdesk.tickets.models import Mailbox, Queue

NAME_LIMIT = 80
MAX_NUMBERS = 50
CHANGEABLE = frozenset(
    {"name", "numbers", "receipts", "receipt_articles", "in_form", "team_id", "active"}
)


def create_queue(
    session: Session,
    *,
    name: str,
    address: str,
    country: str,
    at: datetime,
    numbers: Iterable[str] = (),
    receipts: bool = True,
    receipt_articles: bool = False,
    in_form: bool = False,
    actor: Actor = SYSTEM,
) -> Queue:
    """Add a queue with its primary mailbox; `numbers` are kept in E.164, read as in `country`.

    `receipt_articles`: receipts offer articles that may answer; `in_form`: it takes the web forms
    whose reason leads to no queue.
    Raises HelpdeskError for a bad name, address or number, Conflict for a taken one.
    """
    lock(session, "queues")
    name = _free_name(session, name)
    queue = Queue(
        name=name,
        sort_key=sort_key(name),
        numbers=_free_numbers(session, numbers, country),
        receipts=receipts,
        receipt_articles=receipt_articles,
        in_form=in_form,
        active=True,
        created_at=at,
    )
    session.add(queue)
    session.flush()
    record(session, "queue.created", actor=actor, at=at, queue_id=queue.id)
    add_mailbox(session, queue, address, at=at, actor=actor)
    return queue


def change_queue(
    session: Session, queue: Queue, *, country: str, at: datetime, actor: Actor, **changes: Any
) -> None:
    """Change what CHANGEABLE names.

    Raises HelpdeskError for bad values and for closing the last active queue, Conflict for taken
    ones, and TypeError for a field that is not a queue's: that is a bug.
    """
    if changes.keys() - CHANGEABLE:
        raise TypeError(f"a queue has no {sorted(changes.keys() - CHANGEABLE)}")
    lock(session, "queues")
    if "name" in changes:
        changes["name"] = _free_name(session, changes["name"], but=queue.id)
    if "numbers" in changes:
        changes["numbers"] = _free_numbers(session, changes["numbers"], country, but=queue.id)
    if changes.get("active") is False and not _other_active(session, queue.id):
        raise HelpdeskError(_lazy("At least one queue must stay open."), field="active")
    changed = {key: value for key, value in changes.items() if getattr(queue, key) != value}
    if not changed:
        return
    for key, value in changed.items():
        setattr(queue, key, value)
    queue.sort_key = sort_key(queue.name)
    session.flush()
    record(session, "queue.changed", actor=actor, at=at, queue_id=queue.id, fields=sorted(changed))


def add_mailbox(
    session: Session,
    queue: Queue,
    address: str,
    *,
    at: datetime,
    actor: Actor = SYSTEM,
    primary: bool = False,
) -> Mailbox:
    """Add an address that leads into the queue; the first one is what the queue answers from.

    Raises HelpdeskError for what is no address, Conflict for one that leads into a queue.
    """
    address = clean_line(address, 254)
    if not valid_email(address):
        raise HelpdeskError(
            _lazy("This is not an email address: %(email)s"), field="address", email=address
        )
    lock(session, "queues")
    taken = session.scalar(select(Mailbox).where(Mailbox.address == email_key(address)))
    if taken is not None:
        raise Conflict(
            _lazy("%(email)s leads into the queue %(queue)s already."),
            field="address",
            email=address,
            queue=taken.queue.name,
        )
    mailbox = Mailbox(
        address=email_key(address),
        queue_id=queue.id,
        is_primary=not mailboxes_of(session, queue.id),
        created_at=at,
    )
    session.add(mailbox)
    session.flush()
    record(
        session,
        "mailbox.created",
        actor=actor,
        at=at,
        mailbox_id=mailbox.id,
        queue_id=queue.id,
    )
    if primary and not mailbox.is_primary:
        make_primary(session, mailbox, at=at, actor=actor)
    return mailbox


def make_primary(session: Session, mailbox: Mailbox, *, at: datetime, actor: Actor) -> None:
    """Let the queue answer from this address from now on."""
    if mailbox.is_primary:
        return
    others = update(Mailbox).where(Mailbox.queue_id == mailbox.queue_id)
    session.execute(others.values(is_primary=False))
    mailbox.is_primary = True
    session.flush()
    record(
        session,
        "mailbox.changed",
        actor=actor,
        at=at,
        mailbox_id=mailbox.id,
        queue_id=mailbox.queue_id,
    )


def remove_mailbox(session: Session, mailbox: Mailbox, *, at: datetime, actor: Actor) -> None:
    """Take an address away; the oldest of the others becomes primary if need be.

    Raises Conflict for the queue's last address: it could not answer any more.
    """
    lock(session, "queues")
    others = [m for m in mailboxes_of(session, mailbox.queue_id) if m.id != mailbox.id]
    if not others:
        raise Conflict(_lazy("A queue needs an address. Add another one first."), field="address")
    gone, queue_id, was_primary = mailbox.id, mailbox.queue_id, mailbox.is_primary
    session.delete(mailbox)
    session.flush()
    record(session, "mailbox.deleted", actor=actor, at=at, mailbox_id=gone, queue_id=queue_id)
    if was_primary:
        make_primary(session, others[0], at=at, actor=actor)


def mailboxes_of(session: Session, queue_id: int) -> list[Mailbox]:
    """The addresses of a queue: the primary one first, then by age."""
    query = select(Mailbox).where(Mailbox.queue_id == queue_id)
    return list(session.scalars(query.order_by(Mailbox.is_primary.desc(), Mailbox.id)))


def _free_name(session: Session, name: str, *, but: int | None = None) -> str:
    name = clean_line(name, NAME_LIMIT)
    if not name:
        raise HelpdeskError(_lazy("A queue needs a name."), field="name")
    if name.isascii() and name.isdigit():
        raise HelpdeskError(_lazy("A name of digits only would look like an id."), field="name")
    for id_, other in session.execute(select(Queue.id, Queue.name)):
        if id_ != but and fold(other) == fold(name):
            raise Conflict(_lazy("There is a queue %(name)s already."), field="name", name=other)
    return name


def _free_numbers(
    session: Session, numbers: Iterable[str], country: str, *, but: int | None = None
) -> list[str]:
    wanted = list(dict.fromkeys(_e164(number, country) for number in numbers))
    if len(wanted) > MAX_NUMBERS:
        raise HelpdeskError(
            _lazy("At most %(limit)s numbers fit one queue."), field="numbers", limit=MAX_NUMBERS
        )
    for id_, name, taken in session.execute(select(Queue.id, Queue.name, Queue.numbers)):
        both = set(taken) & set(wanted)
        if id_ != but and both:
            raise Conflict(
                _lazy("%(number)s leads into the queue %(queue)s already."),
                field="numbers",
                number=min(both),
                queue=name,
            )
    return wanted


def _e164(number: str, country: str) -> str:
    key = phone.normalize(number, country)
    if key is None:
        raise HelpdeskError(
            _lazy("This is not a phone number: %(number)s"),
            field="numbers",
            number=clean_line(number, 40),
        )
    return key


def _other_active(session: Session, queue_id: int) -> bool:
    query = select(Queue.id).where(Queue.active.is_(True), Queue.id != queue_id)
    return session.scalar(query.limit(1)) is not None
