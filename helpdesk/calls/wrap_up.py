"""After the talk: why they called, what came of it, what is to be done next."""

from datetime import datetime
from typing import TypedDict, Unpack

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.calls import call_tickets, record
from helpdesk.calls.models import Call, Disposition, NextStep
from helpdesk.events import Actor
from helpdesk.ext import in_language
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.planner import actions as planner
from helpdesk.planner.models import Task, TaskKind
from helpdesk.products import Product
from helpdesk.tickets import actions
from helpdesk.tickets.classify import Classes, classify
from helpdesk.tickets.models import DONE, Channel, ContactReason, Status, Ticket

NOTES_LIMIT = 20_000
KINDS = {
    NextStep.CALLBACK: TaskKind.CALLBACK,
    NextStep.EMAIL: TaskKind.TASK,
    NextStep.VISIT: TaskKind.VISIT,
}
OVER = (Disposition.SOLVED, Disposition.WRONG_NUMBER)
"""Nothing is left to do: the ticket that the call opened is resolved."""


class Result(TypedDict, total=False):
    """What came of a call; what is left out is not known, or nothing."""

    reason_id: int | None
    product_id: int | None
    disposition: Disposition | None
    next_step: NextStep | None
    due_at: datetime | None


def save(
    session: Session,
    call: Call,
    *,
    user_id: int,
    at: datetime,
    notes: str = "",
    **result: Unpack[Result],
) -> None:
    """Keep what came of the call; its agent is free again. Saved once more, it is corrected.

    Notes stand with the call, in its ticket or in the client's history. A next step is planned
    for `due_at` and is this user's. Raises HelpdeskError for a step without a moment or with a
    past one, an unknown reason or product, and too long notes.
    """
    next_step, due_at = result.get("next_step"), result.get("due_at")
    reason_id, product_id = result.get("reason_id"), result.get("product_id")
    disposition = result.get("disposition")
    _check(notes, next_step, due_at)
    session.flush()
    session.refresh(call, with_for_update=True)
    changed = call.next_step != next_step
    call.disposition, call.next_step, call.notes = disposition, next_step, notes.strip()
    kept = reason_id or product_id or _kind(next_step)
    ticket = call_tickets.ensure(session, call, at) if kept else call.ticket
    _classify(session, call, ticket, reason_id, product_id, Actor(user_id=user_id), at)
    if ticket is not None and next_step is not None and due_at is not None:
        _plan(session, call, ticket, next_step, due_at, user_id, at, again=not changed)
    if ticket is not None and disposition in OVER and _kind(next_step) is None:
        _resolve(session, call, ticket, user_id, at)
    record.note(session, call, at, wrapped_at=at)
    _say(session, call, user_id, at)


def note(session: Session, call: Call, text: str, *, user_id: int, at: datetime) -> None:
    """Keep what is typed during the talk. Raises HelpdeskError for too long a text."""
    _check(text, None, None)
    if call.notes == text.strip():
        return
    call.notes = text.strip()
    session.flush()
    record.say(session, call, "call.noted", at, actor=Actor(user_id=user_id), user_id=user_id)


def _check(notes: str, next_step: NextStep | None, due_at: datetime | None) -> None:
    if len(notes) > NOTES_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="notes",
            limit=NOTES_LIMIT,
        )
    if _kind(next_step) is not None and due_at is None:
        raise HelpdeskError(_lazy("Say when."), field="due")


def _kind(next_step: NextStep | None) -> TaskKind | None:
    return KINDS.get(next_step) if next_step is not None else None


def _classify(
    session: Session,
    call: Call,
    ticket: Ticket | None,
    reason_id: int | None,
    product_id: int | None,
    actor: Actor,
    at: datetime,
) -> None:
    """What is chosen for the call is also what its ticket is about; nothing is taken away."""
    reason = session.get(ContactReason, reason_id) if reason_id is not None else None
    product = session.get(Product, product_id) if product_id is not None else None
    for name, id_, row in (("reason", reason_id, reason), ("product", product_id, product)):
        if id_ is not None and row is None:
            raise HelpdeskError(_lazy("Choose one from the list."), field=name)
    call.reason_id, call.product_id = reason_id, product_id
    classes = Classes()
    if reason is not None:
        classes["reason"] = reason
    if product is not None:
        classes["product"] = product
    if ticket is not None and classes:
        classify(session, ticket, actor=actor, at=at, **classes)


def _plan(
    session: Session,
    call: Call,
    ticket: Ticket,
    next_step: NextStep,
    due_at: datetime,
    user_id: int,
    at: datetime,
    *,
    again: bool,
) -> None:
    kind = _kind(next_step)
    if kind is None:
        return
    actor = Actor(user_id=user_id)
    known = _planned(session, call, ticket, kind, user_id) if again else None
    if known is not None:
        planner.change(session, known, actor=actor, at=at, due_at=due_at)
        return
    planner.plan(
        session,
        kind=kind,
        client_id=ticket.client_id,
        person_id=ticket.person_id,
        contact_point_id=call.contact_point_id,
        number=call_tickets.number_of(call),
        language=call.language,
        ticket_id=ticket.id,
        queue_id=ticket.queue_id,
        owner_id=user_id,
        title=_title(session, next_step, user_id),
        due_at=due_at,
        at=at,
        actor=actor,
    )


def _planned(
    session: Session, call: Call, ticket: Ticket, kind: TaskKind, user_id: int
) -> Task | None:
    """What this user planned when they saved it before."""
    query = select(Task).where(
        Task.ticket_id == ticket.id,
        Task.created_by == user_id,
        Task.kind == kind,
        Task.done_at.is_(None),
        Task.created_at >= call.started_at,
    )
    return session.scalar(query.order_by(Task.id.desc()).limit(1).with_for_update())


def _title(session: Session, next_step: NextStep, user_id: int) -> str:
    if next_step != NextStep.EMAIL:
        return ""
    with in_language(session.get_one(User, user_id).language):
        return str(_("Write an email to the client"))


def _resolve(session: Session, call: Call, ticket: Ticket, user_id: int, at: datetime) -> None:
    opened_by_it = ticket.channel == Channel.PHONE and ticket.created_at >= call.started_at
    if opened_by_it and ticket.status not in DONE:
        actor = Actor(user_id=user_id)
        actions.set_status(session, ticket, Status.RESOLVED, actor=actor, at=at, reason="call")


def _say(session: Session, call: Call, user_id: int, at: datetime) -> None:
    record.say(
        session,
        call,
        "call.wrapped",
        at,
        actor=Actor(user_id=user_id),
        user_id=user_id,
        queue_id=call.queue_id,
        disposition=call.disposition.value if call.disposition else None,
    )
