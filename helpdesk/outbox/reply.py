"""The agent's answer as an email: answer, signature, and under it what it answers."""

import re
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.lib.html import text_to_html
from helpdesk.lib.text import clean, clean_line
from helpdesk.outbox.addressing import ticket_link
from helpdesk.outbox.headers import well_formed_id
from helpdesk.outbox.rendering import moment, render_html, render_text
from helpdesk.surveys import SCORES, rating_of
from helpdesk.tickets.models import Message, MessageKind, Status, Ticket

QUOTE_LINES = 60
QUOTE_LETTERS = 6_000
REFERENCES = 12
"""As many ids stand in References: the first one and the latest."""

_PREFIX = re.compile(
    r"(?:\s*(?:re|fwd?|aw|sv|отв|ответ|відп|відповідь|пересл)(?:\[\d{1,3}\])?\s?:)+", re.I
)


@dataclass(frozen=True)
class Thread:
    """Where an email stands in the conversation, as mail programs read it."""

    in_reply_to: str | None
    references: str | None
    subject: str


def thread_of(session: Session, ticket: Ticket, message: Message) -> Thread:
    """In-Reply-To, References (RFC 5322 §3.6.4) and the subject of an answer."""
    rows = session.execute(
        select(Message.message_id, Message.kind, Message.subject)
        .where(
            Message.ticket_id == ticket.id,
            Message.id < message.id,
            Message.kind.in_((MessageKind.INBOUND, MessageKind.OUTBOUND)),
            Message.message_id.is_not(None),
            Message.is_bounce.is_(False),
            Message.stranger.is_(False),
        )
        .order_by(Message.id)
    ).all()
    ids = [row.message_id for row in rows if well_formed_id(row.message_id)]
    parent = message.in_reply_to if message.in_reply_to in ids else next(reversed(ids), None)
    ids = [
        *(known for known in dict.fromkeys(ids) if known != parent),
        *([parent] if parent else []),
    ]
    if len(ids) > REFERENCES:
        ids = [ids[0], *ids[-REFERENCES + 1 :]]
    asked = next((row.subject for row in reversed(rows) if row.message_id == parent), "")
    return Thread(parent, " ".join(ids) or None, asked or message.subject)


def subject_of(subject: str, number: str) -> str:
    """ "Re: …" once. Call it within `in_language`."""
    bare = clean_line(_PREFIX.sub("", clean_line(subject, 300), count=1), 300)
    asked = bare or _("Your request %(number)s", number=number)
    return f"Re: {asked}"


def body_of(
    session: Session, ticket: Ticket, message: Message, language: str, *, title: str, at: datetime
) -> tuple[str, str]:
    """Text and HTML of the answer."""
    signature = message.user.signature.strip() if message.user else ""
    if signature and message.text.rstrip().endswith(signature):
        signature = ""
    quoted = quoted_message(session, ticket, message)
    quote = _shortened(quoted.visible_text or quoted.text) if quoted else ""
    attribution = _attribution(quoted, language, at) if quoted else ""
    scores = _scores(session, ticket, message)
    html = render_html(
        "reply",
        language,
        title=title,
        scores=scores,
        answer=_markup(message.text),
        signature=_markup(signature),
        quote=_markup(quote),
        attribution=attribution,
    )
    asked = render_text("rating", language, scores=scores) if scores else ""
    return _text(message.text, signature, asked, attribution, quote), html


def quoted_message(session: Session, ticket: Ticket, message: Message) -> Message | None:
    """What is answered: the requester's own last message, never somebody else's."""
    query = select(Message).where(
        Message.ticket_id == ticket.id,
        Message.id < message.id,
        Message.kind == MessageKind.INBOUND,
        Message.person_id == ticket.person_id,
        Message.stranger.is_(False),
        Message.is_bounce.is_(False),
        Message.is_auto_reply.is_(False),
    )
    return session.scalar(query.order_by(Message.id.desc()).limit(1))


def _scores(session: Session, ticket: Ticket, message: Message) -> list[tuple[int, str]]:
    """A link for each score, in the answer that says it is solved; until the client has rated.

    The links only show the choice on the page: programs follow them as well.
    """
    if ticket.status != Status.RESOLVED or message.user_id is None:
        return []
    if not settings.get(session, "ask_rating") or rating_of(session, ticket.id) is not None:
        return []
    link = ticket_link(ticket)
    return [(score, f"{link}?rate={score}#rate") for score in SCORES]


def _text(answer: str, signature: str, asked: str, attribution: str, quote: str) -> str:
    parts = [answer.strip()]
    if signature:
        parts.append(f"-- \n{signature}")
    if asked:
        parts.append(asked.strip())
    if quote:
        marked = (f">{line}" if line.startswith(">") else f"> {line}" for line in quote.split("\n"))
        parts.append("\n".join([attribution, *(line.rstrip() for line in marked)]))
    return "\n\n".join(parts) + "\n"


def _markup(text: str) -> Markup:
    """Text as HTML; `text_to_html` escapes it."""
    return Markup(text_to_html(text))


def _shortened(text: str) -> str:
    """The beginning of a text, as long as a reader wants to see it again."""
    kept = clean(text).strip()
    short = "\n".join(kept[:QUOTE_LETTERS].split("\n")[:QUOTE_LINES]).rstrip()
    return short if short == kept else f"{short}\n…"


def _attribution(message: Message, language: str, at: datetime) -> str:
    """ "On …, Oksana wrote:" """
    zone = str(current_app.config["TIMEZONE"])
    name = clean_line(message.person.name, 80) if message.person else ""
    with ext.in_language(language):
        when = moment(message.created_at, zone, language, today=at, zoned=False)
        return str(_("On %(moment)s, %(name)s wrote:", moment=when, name=name))
