"""The one table of what follows from an Event, and the loop that follows it.

A reaction takes (session, event, at), only adds and flushes, and is harmless when repeated.
One that raises is undone alone and kept as a FailedReaction: it is tried again later, then
parked where people see it, and stops neither the event's other reactions nor later events.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from traceback import extract_tb

import structlog
from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, Select, String, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from helpdesk import ext, settings
from helpdesk.accounts.models import QueueMember, Role, User
from helpdesk.events import Event
from helpdesk.ext import Base, add_row, partial_index
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound
from helpdesk.notices import tell
from helpdesk.outbox import actions as outbox
from helpdesk.outbox.addressing import desk_link
from helpdesk.outbox.models import Outgoing, OutgoingKind
from helpdesk.outbox.rendering import moment, render
from helpdesk.tickets.models import Clock, Message, Metric, PolicyStep, StepAction, Ticket

log = structlog.get_logger()

LADDER = (5, 30, 120, 600)
"""Seconds to the next try of a failed reaction; after the last it is parked."""

CHUNK = 25
"""Events of one transaction."""

Reaction = Callable[[Session, Event, datetime], None]


class FailedReaction(Base):
    """A reaction that raised. `due_at` is NULL once it is parked for people to look at."""

    __tablename__ = "failed_reaction"
    __table_args__ = (
        partial_index("ix_failed_reaction_due", "due_at", where="due_at IS NOT NULL"),
        Index("uq_failed_reaction", "event_id", "reaction", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    reaction: Mapped[str] = mapped_column(String(60))
    attempts: Mapped[int]
    error: Mapped[str]  # the kind of error and its place, never its values
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]

    event: Mapped[Event] = relationship()


def react(limit: int = 200) -> int:
    """Follow up at most `limit` new Events, oldest first, and failed reactions that are due.

    Entry point: it commits, every few events, so that other writers wait briefly. Returns how
    many events and repeats were looked at.
    """
    done = 0
    while done < limit and _anything_to_do():
        looked_at = _react(min(limit - done, CHUNK))
        done += looked_at
        if not looked_at:
            break  # what there is, another worker holds
    return done


def _react(limit: int) -> int:
    at = now()
    with ext.write() as session:
        events = _claim(session, limit)
        for event in events:
            for reaction in REACTIONS.get(event.kind, ()):
                _run(session, event, reaction, at)
        _finish(session, events)
        return len(events) + _repeat(session, limit, at)


def parked(session: Session, limit: int = 50) -> list[FailedReaction]:
    """Failed reactions that are tried no more, newest first."""
    query = select(FailedReaction).where(FailedReaction.due_at.is_(None))
    return list(session.scalars(query.order_by(FailedReaction.id.desc()).limit(limit)))


def unpark(session: Session, failed_id: int, *, at: datetime) -> None:
    """Try a parked reaction again from the beginning. Raises NotFound."""
    failed = session.get(FailedReaction, failed_id)
    if failed is None:
        raise NotFound()
    failed.attempts, failed.due_at = 0, at
    session.flush()


def _anything_to_do() -> bool:
    with ext.session() as session:
        todo = session.scalar(select(Event.id).where(Event.todo.is_not(None)).limit(1))
        return todo is not None or session.scalar(_due_repeats(1)) is not None


def _claim(session: Session, limit: int) -> Sequence[Event]:
    query = select(Event).where(Event.todo.is_not(None)).order_by(Event.id).limit(limit)
    return session.scalars(query.with_for_update(**ext.skip_locked(session))).all()


def _finish(session: Session, events: Sequence[Event]) -> None:
    session.execute(
        update(Event)
        .where(Event.id.in_([event.id for event in events]))
        .values(todo=None)
        .execution_options(synchronize_session=False)
    )


def _run(session: Session, event: Event, reaction: Reaction, at: datetime) -> None:
    error = _attempt(session, event, reaction, at)
    if error is not None:
        add_row(
            session,
            FailedReaction,
            event_id=event.id,
            reaction=reaction.__name__,
            attempts=1,
            error=_described(error),
            created_at=at,
            due_at=at + timedelta(seconds=LADDER[0]),
        )


def _attempt(session: Session, event: Event, reaction: Reaction, at: datetime) -> Exception | None:
    """Run one reaction within a savepoint; the error that undid it."""
    try:
        with session.begin_nested():
            reaction(session, event, at)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise  # the database is away: nothing of this batch counts
        return _logged(event, reaction, error)
    except Exception as error:
        return _logged(event, reaction, error)
    return None


def _logged(event: Event, reaction: Reaction, error: Exception) -> Exception:
    log.error(
        "reaction.failed",
        event_id=event.id,
        reaction=reaction.__name__,
        error=_described(error),
    )
    return error


def _described(error: Exception) -> str:
    """The error's kind and place: its words may hold personal values."""
    places = extract_tb(error.__traceback__)
    ours = [place for place in places if f"{Path(__file__).parent.name}/" in place.filename]
    last = (ours or places)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"


def _due_repeats(limit: int) -> Select[FailedReaction]:
    query = select(FailedReaction).where(
        FailedReaction.due_at.is_not(None), FailedReaction.due_at <= now()
    )
    return query.order_by(FailedReaction.due_at).limit(limit)


def _repeat(session: Session, limit: int, at: datetime) -> int:
    due = session.scalars(_due_repeats(limit).with_for_update(**ext.skip_locked(session))).all()
    for failed in due:
        _try_again(session, failed, at)
    return len(due)


def _try_again(session: Session, failed: FailedReaction, at: datetime) -> None:
    event = failed.event
    named = {reaction.__name__: reaction for reaction in REACTIONS.get(event.kind, ())}
    reaction = named.get(failed.reaction)
    error = _attempt(session, event, reaction, at) if reaction else None
    if error is None:
        session.delete(failed)
        return
    failed.attempts += 1
    failed.error = _described(error)
    over = failed.attempts > len(LADDER)
    failed.due_at = None if over else at + timedelta(seconds=LADDER[failed.attempts - 1])
    session.flush()


def send_receipt(session: Session, event: Event, at: datetime) -> None:
    if event.data.get("receipt") is True and event.ticket_id is not None:
        delivery_id = event.data.get("delivery_id")
        outbox.enqueue_receipt(session, event.ticket_id, at=at, delivery_id=delivery_id)


def send_reply(session: Session, event: Event, at: datetime) -> None:
    outbox.enqueue_reply(session, event.data["message_id"], at=at)


def tell_new_assignee(session: Session, event: Event, at: datetime) -> None:
    user_id = event.data.get("new")
    if user_id is not None and user_id != event.user_id:
        _tell(session, event, _active(session, [user_id]), at)


def tell_assignee_of_message(session: Session, event: Event, at: datetime) -> None:
    query = (
        select(Ticket.assignee_id)
        .join(Message, Message.ticket_id == Ticket.id)
        .where(Message.id == event.data["message_id"], Message.is_auto_reply.is_(False))
    )
    assignee_id = session.scalar(query)
    if assignee_id is not None:
        _tell(session, event, _active(session, [assignee_id]), at)


def tell_of_clock(session: Session, event: Event, at: datetime) -> None:
    _tell(session, event, _responsible(session, _ticket(session, event)), at)


def tell_by_step(session: Session, event: Event, at: datetime) -> None:
    """A step of the policy: a row on the desk and an email to everybody it names."""
    if event.data.get("action") != StepAction.NOTIFY:
        return
    ticket = _ticket(session, event)
    step = session.get(PolicyStep, event.data["step_id"])
    for user in _tell(session, event, _named_by(session, step, ticket), at):
        _email_step(session, event, ticket, user, at)


def tell_author_of_failure(session: Session, event: Event, at: datetime) -> None:
    message_id = event.data.get("message_id")
    message = session.get(Message, message_id) if message_id is not None else None
    if message is not None and message.user_id is not None:
        _tell(session, event, _active(session, [message.user_id]), at)


def tell_assignee_of_bounce(session: Session, event: Event, at: datetime) -> None:
    """The assignee, else who wrote last: somebody must hear that the client didn't."""
    ticket = _ticket(session, event)
    author = (
        select(Message.user_id)
        .join(Outgoing, Outgoing.message_id == Message.id)
        .where(Outgoing.ticket_id == ticket.id, Outgoing.kind == OutgoingKind.REPLY)
        .order_by(Outgoing.id.desc())
        .limit(1)
    )
    user_id = ticket.assignee_id or session.scalar(author)
    if user_id is not None:
        _tell(session, event, _active(session, [user_id]), at)


REACTIONS: dict[str, list[Reaction]] = {
    "ticket.opened": [send_receipt],
    "ticket.assigned": [tell_new_assignee],
    "message.sent": [send_reply],
    "message.received": [tell_assignee_of_message],
    "message.failed": [tell_author_of_failure],
    "message.bounced": [tell_assignee_of_bounce],
    "clock.warned": [tell_of_clock],
    "clock.breached": [tell_of_clock],
    "clock.stepped": [tell_by_step],
}


def _tell(session: Session, event: Event, users: Iterable[User], at: datetime) -> list[User]:
    """Tell these users, leaving out who may not see the ticket; who was told."""
    ticket = _ticket(session, event)
    told = [user for user in users if _may_see(session, user, ticket)]
    for user in told:
        tell(session, user.id, event, ticket.id, event.kind, at=at)
    return told


def _may_see(session: Session, user: User, ticket: Ticket) -> bool:
    if user.all_queues or user.role != Role.AGENT:
        return True
    return session.get(QueueMember, (user.id, ticket.queue_id)) is not None


def _responsible(session: Session, ticket: Ticket) -> list[User]:
    """Who must know of a promise: the assignee, else the supervisors, else administrators."""
    assigned = _active(session, [ticket.assignee_id]) if ticket.assignee_id else []
    return assigned or _with_role(session, Role.SUPERVISOR) or _with_role(session, Role.ADMIN)


def _named_by(session: Session, step: PolicyStep | None, ticket: Ticket) -> list[User]:
    """Whom a step means; whoever is responsible where it names nobody who is still here."""
    found: list[User] = []
    if step is not None and step.user_id is not None:
        found = _active(session, [step.user_id])
    elif step is not None and step.role in set(Role):
        found = _with_role(session, Role(step.role))
    return found or _responsible(session, ticket)


def _active(session: Session, user_ids: Sequence[int]) -> list[User]:
    query = select(User).where(User.id.in_(user_ids), User.active.is_(True))
    return list(session.scalars(query))


def _with_role(session: Session, role: Role) -> list[User]:
    query = select(User).where(User.role == role, User.active.is_(True))
    return list(session.scalars(query.order_by(User.id)))


def _ticket(session: Session, event: Event) -> Ticket:
    return session.get_one(Ticket, event.ticket_id)


def _email_step(session: Session, event: Event, ticket: Ticket, user: User, at: datetime) -> None:
    clock = session.get_one(Clock, event.data["clock_id"])
    language = user.language
    with ext.in_language(language):
        what = _promise_broken(clock.metric)
        title = _("Ticket %(number)s: %(what)s", number=ticket.number, what=what)
        due = moment(clock.due_at, user.timezone, language, today=at) if clock.due_at else ""
    text, html = render(
        "notice",
        language,
        brand=settings.get(session, "brand_name"),
        what=what,
        number=ticket.number,
        subject=ticket.subject,
        client=ticket.client.name,
        due=due,
        link=desk_link(ticket),
    )
    outbox.enqueue_notice(
        session,
        user,
        event_id=event.id,
        ticket_id=ticket.id,
        subject=title,
        text=text,
        html=html,
        at=at,
    )


def _promise_broken(metric: Metric) -> str:
    words = {
        Metric.FIRST_RESPONSE: _("first response is overdue"),
        Metric.NEXT_RESPONSE: _("next response is overdue"),
        Metric.RESOLUTION: _("resolution is overdue"),
        Metric.SPEED_OF_ANSWER: _("speed of answer is overdue"),
        Metric.CALLBACK: _("callback is overdue"),
    }
    return str(words[metric])
