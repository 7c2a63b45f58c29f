"""The thread of a ticket: messages and happenings in the order of time, ready to draw."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Exists, Select, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from helpdesk.clients.models import ContactPoint, Person
from helpdesk.intake.form import UNCONFIRMED
from helpdesk.intake.models import Delivery
from helpdesk.lib.html import text_to_html
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState
from helpdesk.tickets.models import Attachment, Message, MessageKind, Ticket
from helpdesk.web.desk.directory import user_names
from helpdesk.web.desk.history import Happening, happenings
from helpdesk.web.desk.thread_calls import Spoken, spoken_of

SHOWN = 100
MOST = 1000
TOGETHER = timedelta(minutes=1)
ANSWERS = (OutgoingKind.REPLY, OutgoingKind.SMS)
INLINE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
FILE_ICONS = {"image": "photo", "application/pdf": "file-type-pdf", "application/zip": "file-zip"}


class Written(NamedTuple):
    """What the thread reads of a message, with its author and what became of the email of it."""

    id: int
    kind: MessageKind
    user_id: int | None
    text: str
    visible_text: str | None
    designed: bool  # there is HTML of the sender
    is_auto_reply: bool
    is_bounce: bool
    stranger: bool
    parse_errors: list[str]
    created_at: datetime
    person: str | None
    address: str | None
    outgoing_id: int | None
    outgoing_state: OutgoingState | None
    error: str | None
    raw: bool  # what came in is still kept


@dataclass(frozen=True)
class Sending:
    """What became of an answer that was sent."""

    outgoing_id: int
    state: str
    icon: str
    text: str
    error: str | None
    failed: bool


@dataclass(frozen=True)
class Letter:
    """A message as it is drawn. `body` is safe HTML."""

    message: Written
    look: str  # "", "out" or "note"
    who: str
    body: Markup
    quoted: Markup | None
    images: list[Attachment]
    files: list[tuple[Attachment, str]]
    sending: Sending | None
    marks: list[str]

    @property
    def at(self) -> datetime:
        return self.message.created_at


Item = Letter | Happening | Spoken


@dataclass(frozen=True)
class Thread:
    """What the page of a ticket shows; `more`: there are earlier messages."""

    items: list[Item]
    more: bool
    draft_files: Mapping[MessageKind, list[tuple[Attachment, str]]]
    last_id: int  # of the newest message; 0: there is none


def thread_of(
    session: Session,
    ticket: Ticket,
    drafts: Mapping[MessageKind, int],
    *,
    everything: bool = False,
    calls: bool = False,
) -> Thread:
    """The newest messages with what happened since; `drafts` are ids of the reader's drafts.

    `calls`: whether there are any.
    """
    limit = MOST if everything else SHOWN
    messages = _messages(session, ticket.id, limit + 1)
    more = len(messages) > limit
    messages = messages[-limit:]
    files = _files(session, [message.id for message in messages], list(drafts.values()))
    looks = _sending_looks()
    letters = [_letter(m, files[("message", m.id)], _sending(m, looks)) for m in messages]
    since = messages[0].created_at if more else None
    items: list[Item] = [*letters, *happenings(session, ticket.id, since)]
    items += spoken_of(session, ticket.id, since) if calls else []
    items.sort(key=lambda item: (item.at, isinstance(item, Happening)))
    items = list(_joined(items))
    waiting = {kind: _with_icons(files[("draft", id_)]) for kind, id_ in drafts.items()}
    return Thread(items, more, waiting, messages[-1].id if messages else 0)


def _joined(items: Iterable[Item]) -> Iterator[Item]:
    """What one person did within a minute is one line."""
    last: Happening | None = None
    for item in items:
        if not isinstance(item, Happening):
            if last is not None:
                yield last
            last = None
            yield item
        elif last is not None and item.by == last.by and item.at - last.at < TOGETHER:
            said = dict.fromkeys([*last.text.split("; "), item.text])  # once is enough
            last = replace(last, text="; ".join(said), tone=last.tone or item.tone)
        else:
            if last is not None:
                yield last
            last = item
    if last is not None:
        yield last


def icon_of(content_type: str) -> str:
    main = content_type.partition("/")[0]
    return FILE_ICONS.get(content_type) or FILE_ICONS.get(main, "file-text")


def _messages(session: Session, ticket_id: int, limit: int) -> list[Written]:
    """The newest messages of a ticket, oldest first."""
    rows = session.execute(_NEWEST, {"ticket_id": ticket_id, "most": limit})
    return [Written._make(row) for row in rows][::-1]


def _newest() -> Select[Any]:
    """Columns, not objects: half the time, and no HTML of senders is read to be thrown away."""
    email = and_(Outgoing.message_id == Message.id, Outgoing.kind.in_(ANSWERS))
    columns = (
        Message.id,
        Message.kind,
        Message.user_id,
        Message.text,
        Message.visible_text,
        Message.html.is_not(None),
        Message.is_auto_reply,
        Message.is_bounce,
        Message.stranger,
        Message.parse_errors,
        Message.created_at,
        Person.name,
        ContactPoint.value,
        Outgoing.id,
        Outgoing.state,
        Outgoing.last_error,
        _kept(),
    )
    query = cast(Select[Any], select(*columns).select_from(Message))
    return (
        query.outerjoin(Person, Person.id == Message.person_id)
        .outerjoin(ContactPoint, ContactPoint.id == Message.contact_point_id)
        .outerjoin(Outgoing, email)
        .where(Message.ticket_id == bindparam("ticket_id"))
        .order_by(Message.id.desc())
        .limit(bindparam("most"))
    )


def _kept() -> Exists:
    """Whether the bytes of a message are still there: not for what was typed here, nor for ever."""
    same = or_(Delivery.message_id.is_(None), Delivery.message_id == Message.message_id)
    there = or_(Delivery.raw.is_not(None), Delivery.raw_sha256.is_not(None))
    return exists().where(Delivery.ticket_id == Message.ticket_id, same, there)


_NEWEST = _newest()


def _files(
    session: Session, messages: list[int], drafts: list[int]
) -> defaultdict[tuple[str, int], list[Attachment]]:
    found: defaultdict[tuple[str, int], list[Attachment]] = defaultdict(list)
    if not messages and not drafts:
        return found
    query = select(Attachment).where(
        or_(Attachment.message_id.in_(messages), Attachment.draft_id.in_(drafts))
    )
    for file in session.scalars(query.order_by(Attachment.id)):
        if file.draft_id is not None:
            found["draft", file.draft_id].append(file)
        else:
            found["message", file.message_id or 0].append(file)
    return found


def _sending_looks() -> Mapping[OutgoingState, tuple[str, str]]:
    return {
        OutgoingState.QUEUED: ("clock", _("waiting to be sent")),
        OutgoingState.SENDING: ("send", _("being sent")),
        OutgoingState.SENT: ("check", _("sent")),
        OutgoingState.DELIVERED: ("check", _("delivered")),
        OutgoingState.CAUGHT: ("inbox", _("kept in the outbox")),
        OutgoingState.FAILED: ("alert-triangle", _("not delivered")),
    }


def _sending(message: Written, looks: Mapping[OutgoingState, tuple[str, str]]) -> Sending | None:
    state = message.outgoing_state
    if message.outgoing_id is None or state is None:
        return None
    error = _(message.error) if message.error else None
    failed = state == OutgoingState.FAILED
    return Sending(message.outgoing_id, state, *looks[state], error, failed)


def _letter(message: Written, files: list[Attachment], sending: Sending | None) -> Letter:
    looks = {MessageKind.OUTBOUND: "out", MessageKind.NOTE: "note"}
    shown = message.visible_text if message.visible_text is not None else message.text
    is_cut = shown.strip() != message.text.strip()
    images = [file for file in files if _is_picture(file)]
    return Letter(
        message=message,
        look=looks.get(message.kind, ""),
        who=_author(message),
        body=Markup(text_to_html(shown or message.text)),
        quoted=Markup(text_to_html(message.text)) if is_cut and shown.strip() else None,
        images=images,
        files=_with_icons([file for file in files if file not in images]),
        sending=sending,
        marks=_marks(message),
    )


def _author(message: Written) -> str:
    if message.user_id is not None:
        return user_names().get(message.user_id, "?")
    return message.person or _("System")


def _is_picture(file: Attachment) -> bool:
    return file.content_type in INLINE_TYPES and file.size < 10_000_000


def _with_icons(files: list[Attachment]) -> list[tuple[Attachment, str]]:
    return [(file, icon_of(file.content_type)) for file in files]


def _marks(message: Written) -> list[str]:
    marks = []
    if message.is_bounce:
        marks.append(_("returned mail"))
    elif message.is_auto_reply:
        marks.append(_("automatic answer"))
    if message.stranger:
        marks.append(_("not a participant before"))
    if UNCONFIRMED in message.parse_errors:
        marks.append(_("address not confirmed"))
    if set(message.parse_errors) - {UNCONFIRMED}:
        marks.append(_("could not be read in full"))
    return marks
