"""The sender: takes what is due, hands it to the relay, writes down what became of it.

At least once: a row is claimed, sent outside any transaction, then recorded, and the next one
claimed in the same transaction. A crash in between leaves it claimed; when the claim ends it is
sent again under the same Message-ID and marked as perhaps sent twice. While the relay is away
one email a turn tries the door, so that an outage costs intake nothing.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from flask import current_app
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, joinedload

from helpdesk import ext, files
from helpdesk.clients.actions import mark_bad
from helpdesk.clients.models import ContactKind, ContactPoint
from helpdesk.lib.clock import now
from helpdesk.lib.errors import _lazy
from helpdesk.lib.text import email_key
from helpdesk.outbox.actions import mark_failed
from helpdesk.outbox.compose import MailFile, compose
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState
from helpdesk.outbox.relay import NotSent, Relay, RelaySettings
from helpdesk.tickets.models import Attachment

log = structlog.get_logger()

LADDER = (30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400)
"""Seconds to the next try; the last one repeats."""
MAX_ATTEMPTS = 26
"""Tries of one email: with this ladder about three days."""
LEASE = timedelta(minutes=20)
"""How long a claim holds: longer than one email may take."""


@dataclass(frozen=True)
class Task:
    """A claimed email, with what it needs from the database."""

    outgoing: Outgoing
    attachments: Sequence[Attachment]


def send_due(limit: int = 50) -> int:
    """Send at most `limit` of the emails that are due; how many were looked at.

    Entry point: it commits. Without a relay they are kept for the mail catcher. 0 while the
    relay is away, so that the caller rests before the next try.
    """
    if not _anything_due():
        return 0
    settings = RelaySettings.of(current_app.config)
    return _catch(limit) if settings is None else _send(settings, limit)


def next_try(attempts: int, at: datetime) -> datetime | None:
    """When to try again after so many tries, None to give up."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return at + timedelta(seconds=LADDER[min(max(attempts, 1), len(LADDER)) - 1])


def _anything_due() -> bool:
    with ext.session() as session:
        return session.scalar(_due().with_only_columns(Outgoing.id)) is not None


def _due(limit: int = 1) -> Select[Outgoing]:
    query = select(Outgoing).where(
        Outgoing.due_at.is_not(None), Outgoing.due_at <= now(), Outgoing.kind != OutgoingKind.SMS
    )
    return query.order_by(Outgoing.due_at, Outgoing.id).limit(limit)


def _catch(limit: int) -> int:
    with ext.write() as session:
        ids = session.scalars(
            _due(limit).with_only_columns(Outgoing.id).with_for_update(**ext.skip_locked(session))
        ).all()
        session.execute(
            update(Outgoing)
            .where(Outgoing.id.in_(ids))
            .values(state=OutgoingState.CAUGHT, due_at=None)
        )
    return len(ids)


def _send(settings: RelaySettings, limit: int) -> int:
    taken = 0
    with Relay(settings) as relay:
        task = _first()
        while task is not None:
            taken += 1
            failure = _attempt(relay, task)
            if failure is not None and failure.relay_down:
                _record(task, failure, go_on=False)
                return 0
            task = _record(task, failure, go_on=taken < limit)
    return taken


def _first() -> Task | None:
    with ext.write() as session:
        return _claim(session)


def _record(task: Task, failure: NotSent | None, *, go_on: bool) -> Task | None:
    """Write down what became of an email; the next one that is due, if it should go on."""
    with ext.write() as session:
        if failure is None:
            _record_sent(session, task)
        else:
            _record_failure(session, task, failure)
        return _claim(session) if go_on else None


def _claim(session: Session) -> Task | None:
    """The next due email, ours until the lease ends."""
    outgoing = session.scalar(_due().with_for_update(**ext.skip_locked(session)))
    if outgoing is None:
        return None
    # Still being sent, and due: whoever claimed it died on the way.
    outgoing.maybe_sent = outgoing.maybe_sent or outgoing.state == OutgoingState.SENDING
    outgoing.state = OutgoingState.SENDING
    outgoing.due_at = now() + LEASE
    outgoing.attempts += 1
    return Task(outgoing, _attachments(session, outgoing.message_id))


def _attempt(relay: Relay, task: Task) -> NotSent | None:
    """Send one email; why it didn't go."""
    outgoing = task.outgoing
    try:
        relay.send(outgoing.envelope_from, outgoing.to_address, _compose(task))
    except NotSent as failure:
        log.warning("outgoing.not_sent", outgoing_id=outgoing.id, permanent=failure.permanent)
        return failure
    if os.environ.get("HELPDESK_CRASH_AT") == "after_smtp_ok":
        os._exit(86)
    return None


def _compose(task: Task) -> bytes:
    """The email's octets. Whatever is wrong with one email must not stop the others."""
    try:
        return compose(task.outgoing, [_file(attachment) for attachment in task.attachments])
    except FileNotFoundError as error:
        raise NotSent(_lazy("A file of this email is missing."), permanent=True) from error
    except OSError as error:
        raise NotSent(_lazy("A file of this email cannot be read.")) from error
    except Exception as error:
        log.error("outgoing.unwritable", outgoing_id=task.outgoing.id, error=type(error).__name__)
        raise NotSent(_lazy("This email cannot be written."), permanent=True) from error


def _file(attachment: Attachment) -> MailFile:
    data = files.read(attachment.file.sha256)
    return MailFile(attachment.filename, attachment.content_type, data)


def _record_sent(session: Session, task: Task) -> None:
    outgoing = _still_ours(session, task)
    if outgoing is not None:
        outgoing.state = OutgoingState.SENT
        outgoing.due_at = None
        outgoing.last_error = None
        outgoing.sent_at = now()


def _record_failure(session: Session, task: Task, failure: NotSent) -> None:
    at = now()
    outgoing = _still_ours(session, task)
    if outgoing is None:
        return
    outgoing.maybe_sent = outgoing.maybe_sent or failure.maybe_sent
    again = None if failure.permanent else next_try(outgoing.attempts, at)
    if failure.no_mailbox:
        _mark_bad(session, outgoing, at)
    if again is None:
        mark_failed(session, outgoing, failure.words, at=at)
        return
    outgoing.state = OutgoingState.QUEUED
    outgoing.due_at = again
    outgoing.last_error = failure.words


def _mark_bad(session: Session, outgoing: Outgoing, at: datetime) -> None:
    """The relay says at the door what a bounce would say later: there is no such address."""
    query = select(ContactPoint).where(
        ContactPoint.person_id == outgoing.person_id,
        ContactPoint.kind == ContactKind.EMAIL,
        ContactPoint.key == email_key(outgoing.to_address),
    )
    for point in session.scalars(query):
        mark_bad(session, point, at=at)


def _still_ours(session: Session, task: Task) -> Outgoing | None:
    """The row, unless the lease ran out and somebody else has taken it over."""
    query = select(Outgoing).where(
        Outgoing.id == task.outgoing.id,
        Outgoing.state == OutgoingState.SENDING,
        Outgoing.attempts == task.outgoing.attempts,
    )
    return session.scalar(query.with_for_update())


def _attachments(session: Session, message_id: int | None) -> Sequence[Attachment]:
    if message_id is None:
        return ()
    query = select(Attachment).where(Attachment.message_id == message_id)
    return session.scalars(query.options(joinedload(Attachment.file)).order_by(Attachment.id)).all()
