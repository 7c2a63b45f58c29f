"""What a customer sees of a ticket: the conversation with us, never what is said inside."""

from dataclasses import dataclass
from datetime import datetime

from flask import g
from flask_babel import gettext as _
from flask_babel import pgettext
from markupsafe import Markup
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload, selectinload

from helpdesk.intake.form import UNCONFIRMED
from helpdesk.lib.clock import now
from helpdesk.lib.html import text_to_html
from helpdesk.outbox.receipt import promised
from helpdesk.tickets.models import (
    DONE,
    Attachment,
    Channel,
    Message,
    MessageKind,
    Status,
    Ticket,
)
from helpdesk.web.cached import brand
from helpdesk.web.desk.thread import INLINE_TYPES, icon_of

PAGE = 30


@dataclass(frozen=True)
class Said:
    """One message as the customer reads it; `body` is safe HTML."""

    id: int
    ours: bool
    who: str
    at: datetime
    body: Markup
    whole: Markup | None  # with quotation and signature, where these were cut off
    language: str | None
    images: list[Attachment]
    files: list[tuple[Attachment, str]]


@dataclass(frozen=True)
class Standing:
    """Where the request stands: the number of the present step and a sentence."""

    step: int
    done: bool
    text: str
    more: str = ""


def shown(ticket_id: int) -> tuple[ColumnElement[bool], ...]:
    """Which messages of a ticket its client may read: theirs, and what we sent them.

    Who holds the link of a form alone doesn't read what came from the client's mailbox (I3).
    """
    to_client = Message.kind == MessageKind.OUTBOUND
    by_client = (
        (Message.kind == MessageKind.INBOUND)
        & Message.person_id.is_not(None)
        & Message.stranger.is_(False)
        & Message.is_bounce.is_(False)
    )
    if not g.proven:
        by_client &= Message.channel == Channel.WEB
    return Message.ticket_id == ticket_id, to_client | by_client


def conversation(session: Session, ticket: Ticket, before: int | None) -> tuple[list[Said], bool]:
    """The newest messages first, older than the id `before`; and whether there are earlier ones."""
    query = select(Message).where(*shown(ticket.id))
    if before is not None:
        query = query.where(Message.id < before)
    query = query.options(
        joinedload(Message.user), joinedload(Message.person), selectinload(Message.attachments)
    )
    found = session.scalars(query.order_by(Message.id.desc()).limit(PAGE + 1)).all()
    return [_said(message, ticket) for message in found[:PAGE]], len(found) > PAGE


def visible_files(message: Message) -> list[Attachment]:
    """The files of a message without the raw copy we keep of what could not be read."""
    return [
        file
        for file in message.attachments
        if file.filename != "message.eml" or not set(message.parse_errors) - {UNCONFIRMED}
    ]


def is_picture(file: Attachment) -> bool:
    return file.content_type in INLINE_TYPES and file.size < 10_000_000


def standing(session: Session, ticket: Ticket, language: str) -> Standing:
    """The state of the ticket in a customer's words, with the promise of its clock."""
    if ticket.status in DONE:
        text = _("This request is solved.")
        if ticket.status == Status.CLOSED:
            return Standing(3, True, text, _("If you write now, we open a new request for it."))
        return Standing(3, True, text, _("If it is not, write below: we go on with it."))
    if ticket.status == Status.PENDING:
        return Standing(2, False, _("We wait for your answer."))
    step = 0 if ticket.status == Status.NEW else 1
    if ticket.status == Status.ON_HOLD:
        more = _("We write to you as soon as there is an answer.")
        return Standing(step, False, _("We wait for somebody whose help we need."), more)
    if ticket.waiting_since is None:
        more = _("If anything is still open, write below.")
        return Standing(step, False, _("We have answered you."), more)
    moment = promised(session, ticket, language, now())
    if moment:
        return Standing(step, False, _("We answer by %(moment)s.", moment=moment))
    return Standing(step, False, _("We answer as soon as we can."))


def steps() -> tuple[str, ...]:
    """The names of the steps a request goes through."""
    return (
        pgettext("request", "Received"),
        pgettext("request", "In work"),
        pgettext("request", "Your word"),
        pgettext("request", "Solved"),
    )


def scores() -> tuple[tuple[int, str], ...]:
    """What may be thought of our answers, with words for each."""
    return (
        (1, pgettext("rating", "Very bad")),
        (2, pgettext("rating", "Bad")),
        (3, pgettext("rating", "So-so")),
        (4, pgettext("rating", "Good")),
        (5, pgettext("rating", "Very good")),
    )


def _said(message: Message, ticket: Ticket) -> Said:
    ours = message.kind == MessageKind.OUTBOUND
    text = message.visible_text if message.visible_text is not None else message.text
    is_cut = not ours and bool(text.strip()) and text.strip() != message.text.strip()
    files = visible_files(message)
    images = [file for file in files if is_picture(file)]
    return Said(
        id=message.id,
        ours=ours,
        who=_author(message, ticket),
        at=message.created_at,
        body=Markup(text_to_html(text if text.strip() else message.text)),
        whole=Markup(text_to_html(message.text)) if is_cut else None,
        language=None if ours else ticket.language,
        images=images,
        files=[(file, icon_of(file.content_type)) for file in files if file not in images],
    )


def _author(message: Message, ticket: Ticket) -> str:
    """A colleague by first name only; never an address."""
    if message.kind == MessageKind.OUTBOUND:
        name = _first_name(message.user.name) if message.user else ""
        return f"{name}, {brand()}" if name else brand()
    if message.person_id == ticket.person_id:
        return str(_("You"))
    return _first_name(message.person.name if message.person else "") or str(_("Participant"))


def _first_name(name: str) -> str:
    first = name.split()[0] if name.split() else ""
    return "" if "@" in first else first
