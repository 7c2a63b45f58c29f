"""Reads of tickets, messages, queues and mailboxes that several rooms share."""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Viewer, can
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import email_key
from helpdesk.tickets.models import NUMBER_OFFSET, Mailbox, Message, Queue, Ticket


def ticket_for(
    session: Session, viewer: Viewer, ticket_id: int, permission: str, *, change: bool = False
) -> Ticket:
    """The ticket, if the viewer may do this to it; `change` locks its row.

    Raises NotFound: someone else's ticket and no ticket look the same.
    """
    query = select(Ticket).where(Ticket.id == ticket_id)
    if change:
        query = query.with_for_update().execution_options(populate_existing=True)
    ticket = session.scalar(query)
    if ticket is None or not can(viewer, permission, ticket):
        raise NotFound()
    return ticket


def ticket_id_of(number: str) -> int:
    """The id behind a number as people see it. Raises NotFound."""
    if not (number.isascii() and number.isdigit()) or len(number) > 12:
        raise NotFound()
    return int(number) - NUMBER_OFFSET


def messages_of(
    session: Session, ticket_id: int, *, after: int = 0, limit: int = 500
) -> list[Message]:
    """Messages of a ticket, oldest first, with authors and attachments."""
    query = (
        select(Message)
        .where(Message.ticket_id == ticket_id, Message.id > after)
        .options(
            joinedload(Message.user),
            joinedload(Message.person),
            joinedload(Message.contact_point),
            selectinload(Message.attachments),
        )
        .order_by(Message.id)
        .limit(limit)
    )
    return list(session.scalars(query).unique())


def queue_of_address(session: Session, address: str) -> int | None:
    """The active queue that this address leads into."""
    query = select(Mailbox.queue_id).join(Queue, Queue.id == Mailbox.queue_id)
    return session.scalar(
        query.where(Mailbox.address == email_key(address), Queue.active.is_(True))
    )


def address_of_queue(session: Session, queue_id: int) -> str | None:
    """The address a queue answers from: its primary mailbox, else its oldest."""
    query = select(Mailbox.address).where(Mailbox.queue_id == queue_id)
    return session.scalar(query.order_by(Mailbox.is_primary.desc(), Mailbox.id).limit(1))


def our_numbers(session: Session) -> dict[str, int]:
    """The telephone numbers of active queues, E.164, with the queue each leads into; one statement.

    Of a queue its first number stands first; the oldest queue comes first.
    """
    query = select(Queue.id, Queue.numbers).where(Queue.active.is_(True)).order_by(Queue.id)
    found: dict[str, int] = {}
    for queue_id, numbers in session.execute(query):
        for number in numbers:
            found.setdefault(number, queue_id)
    return found


def queue_of_number(session: Session, number: str) -> int | None:
    """The active queue that this number of ours leads into."""
    return our_numbers(session).get(number)


def is_our_number(session: Session, number: str) -> bool:
    return number in our_numbers(session)


def first_queue(session: Session) -> int | None:
    """The oldest active queue: where mail to postmaster and the like goes."""
    return session.scalar(
        select(Queue.id).where(Queue.active.is_(True)).order_by(Queue.id).limit(1)
    )


def queue_named(session: Session, ref: str | int) -> Queue:
    """A queue by id or name. Raises HelpdeskError."""
    found = session.get(Queue, int(ref)) if _is_id(ref) else None
    found = found or session.scalar(select(Queue).where(Queue.name == str(ref)))
    if found is None:
        raise HelpdeskError(_lazy("There is no queue %(ref)s."), field="queue", ref=ref)
    return found


def user_named(session: Session, ref: str | int) -> User:
    """An active user by id, address or name. Raises HelpdeskError."""
    found = session.get(User, int(ref)) if _is_id(ref) else None
    if found is None:
        text = str(ref)
        query = select(User).where((User.email == email_key(text)) | (User.name == text))
        found = session.scalar(query.order_by(User.id).limit(1))
    if found is None or not found.active:
        raise HelpdeskError(_lazy("There is no user %(ref)s."), field="assignee", ref=ref)
    return found


def _is_id(ref: str | int) -> bool:
    return isinstance(ref, int) or (ref.isascii() and ref.isdigit() and len(ref) < 18)
