"""Reactions that tell colleagues: who must know, and that they may see the ticket."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import QueueMember, Role, User
from helpdesk.events import Event
from helpdesk.notices import tell
from helpdesk.outbox.models import Outgoing, OutgoingKind
from helpdesk.planner.models import Task
from helpdesk.reactions.step_email import email_step
from helpdesk.surveys import LOW
from helpdesk.tickets.models import Message, Metric, PolicyStep, StepAction, Ticket

_TICKET, _MESSAGE = cast(Table, Ticket.__table__), cast(Table, Message.__table__)
# Made once: building a statement costs more than running it.
_ASSIGNEES = (
    select(_MESSAGE.c.id, _TICKET.c.assignee_id)
    .join_from(_MESSAGE, _TICKET, _TICKET.c.id == _MESSAGE.c.ticket_id)
    .where(
        _MESSAGE.c.id.in_(bindparam("ids", expanding=True)),
        _MESSAGE.c.is_auto_reply.is_(False),
        _TICKET.c.assignee_id.is_not(None),
    )
)


def tell_new_assignee(session: Session, event: Event, at: datetime) -> None:
    user_id = event.data.get("new")
    if user_id is not None and user_id != event.user_id:
        _tell(session, event, _active(session, [user_id]), at)


def tell_assignee_of_message(session: Session, event: Event, at: datetime) -> None:
    tell_assignees_of_messages(session, [event], at)


def tell_assignees_of_messages(session: Session, events: Sequence[Event], at: datetime) -> None:
    ids = [event.data["message_id"] for event in events]
    assignees: dict[int, int] = dict(session.execute(_ASSIGNEES, {"ids": ids}).all())
    for event in events:
        user_id = assignees.get(event.data["message_id"])
        if user_id is not None:
            _tell(session, event, _active(session, [user_id]), at)


def tell_of_clock(session: Session, event: Event, at: datetime) -> None:
    """Not of a caller who waits: that is over before a notice is read. Steps of a policy are."""
    if event.data.get("metric") == Metric.SPEED_OF_ANSWER:
        return
    _tell(session, event, _responsible(session, _ticket(session, event)), at)


def tell_of_task(session: Session, event: Event, at: datetime) -> None:
    """Its owner, else who is responsible for the ticket."""
    task = session.get(Task, event.data["task_id"])
    if task is None or task.ticket_id is None:
        return
    owner = _active(session, [task.owner_id]) if task.owner_id is not None else []
    _tell(session, event, owner or _responsible(session, _ticket(session, event)), at)


def tell_assignee_of_call(session: Session, event: Event, at: datetime) -> None:
    """A caller whom nobody answered, on a ticket that is somebody's."""
    assignee_id = _ticket(session, event).assignee_id
    if assignee_id is not None:
        _tell(session, event, _active(session, [assignee_id]), at)


def tell_of_waiting_callers(session: Session, event: Event, at: datetime) -> None:
    if event.ticket_id is not None:
        people = _with_role(session, Role.SUPERVISOR) or _with_role(session, Role.ADMIN)
        _tell(session, event, people, at)


def tell_of_mailbox(session: Session, event: Event, at: datetime) -> None:
    """Whoever can mend it: administrators."""
    for user in _with_role(session, Role.ADMIN):
        tell(session, user.id, event, None, event.kind, at=at)


def tell_of_low_rating(session: Session, event: Event, at: datetime) -> None:
    """Supervisors look at what went wrong; without any, the administrators do."""
    if event.data["score"] > LOW:
        return
    people = _with_role(session, Role.SUPERVISOR) or _with_role(session, Role.ADMIN)
    _tell(session, event, people, at)


def tell_by_step(session: Session, event: Event, at: datetime) -> None:
    """A step of the policy: a row on the desk and an email to everybody it names."""
    if event.data.get("action") != StepAction.NOTIFY:
        return
    ticket = _ticket(session, event)
    step = session.get(PolicyStep, event.data["step_id"])
    for user in _tell(session, event, _named_by(session, step, ticket), at):
        email_step(session, event, ticket, user, at)


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
