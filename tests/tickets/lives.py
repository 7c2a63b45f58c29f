"""Lives of tickets: what colleagues and clients do to them, one act after another."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.events import Actor
from helpdesk.tickets import actions
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Queue, Status, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from tests.cast import Cast

ACTS = (
    *(f"be {status}" for status in Status),
    "give alice",
    "give bob",
    "give nobody",
    "to billing",
    "to support",
    "client writes",
    "reply",
    "reply and wait",
)


def born(session: Session, cast: Cast, at: datetime, queue_id: int | None = None) -> int:
    """A new ticket of Oksana's in Support."""
    return open_ticket(
        session,
        queue_id=queue_id or cast.support.id,
        who=cast.oksana,
        subject="Lamp",
        channel=Channel.EMAIL,
        language="uk",
        at=at,
    )


def do(session: Session, cast: Cast, ticket_id: int, act: str, at: datetime) -> None:
    """One act; what may not be is left out, as a page would refuse it."""
    ticket = session.get_one(Ticket, ticket_id, populate_existing=True)
    actor = Actor(user_id=cast.alice.id)
    verb, _space, what = act.partition(" ")
    if verb == "be":
        actions.set_status(session, ticket, Status(what), actor=actor, at=at)
    elif verb == "give":
        named = {"alice": cast.alice.id, "bob": cast.bob.id}.get(what)
        user = session.get(User, named) if named else None
        if what != "bob" or ticket.queue_id == cast.billing.id:  # Bob works there only
            actions.assign(session, ticket, user, actor=actor, at=at)
    elif verb == "to":
        queue = session.scalars(select(Queue).where(Queue.name == what.title())).one()
        actions.move(session, ticket, queue, actor=actor, at=at)
    elif act == "client writes":
        content = Content(text="Is there news?")
        add_message(session, ticket_id, content, who=cast.oksana, channel=Channel.EMAIL, at=at)
    else:
        then = Status.PENDING if act == "reply and wait" else None
        actions.reply(session, ticket, "We look.", user_id=cast.alice.id, at=at, then=then)
    session.flush()


def live(
    session: Session,
    cast: Cast,
    at: datetime,
    acts: Sequence[tuple[str, int]],
    queue_id: int | None = None,
) -> int:
    """A ticket to which these acts happen, each so many minutes after the one before; its id."""
    ticket_id = born(session, cast, at, queue_id)
    for act, minutes in acts:
        at += timedelta(minutes=minutes)
        do(session, cast, ticket_id, act, at)
    return ticket_id
