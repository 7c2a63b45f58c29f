"""What a call leads to: its ticket, clocks, missed-call callbacks, attempts of a callback.

`changed` is told of each change of a call and reads what is to be done from the call's columns,
not from the step it took: told twice, or late, or in another order, it comes to the same.
"""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.accounts.models import User
from helpdesk.calls import call_tickets, record
from helpdesk.calls.call_tickets import number_of
from helpdesk.calls.models import (
    Call,
    CallCommand,
    CallLeg,
    CallState,
    Direction,
    EndReason,
    LegRole,
)
from helpdesk.events import SYSTEM, Actor, Event
from helpdesk.ext import in_language
from helpdesk.lib.errors import HelpdeskError
from helpdesk.planner import actions as planner
from helpdesk.planner.models import Task, TaskKind, TaskResult, TaskState
from helpdesk.planner.planning import open_callback
from helpdesk.tickets import actions, call_clocks, sla
from helpdesk.tickets.call_clocks import Wait
from helpdesk.tickets.models import Status, Ticket

SHORT = timedelta(seconds=5)
"""Who hangs up so soon did not wait: a wrong number, or a change of mind."""
CALLS_AGAIN = timedelta(minutes=5)
"""For so long whoever hung up is not phoned: many try again by themselves."""
RING_AGAIN = timedelta(minutes=5)
"""After a callback that came to nothing on our side."""
RING_CUSTOMER = "ring_customer"

VOICEMAIL, MISSED, SHORT_CALL = "voicemail", "missed-call", "short-call"
"""Tags of the tickets."""

_UNANSWERED = (
    EndReason.ABANDONED_QUEUE,
    EndReason.ABANDONED_RING,
    EndReason.NO_MESSAGE,
    EndReason.NO_ANSWER,
    EndReason.BUSY,
)
_RESULTS = {EndReason.BUSY: TaskResult.BUSY}


def changed(session: Session, call: Call, before: CallState, at: datetime) -> None:
    """Let a call have its consequences, each once; `before` doesn't matter (see above)."""
    if call.end_reason == EndReason.REFUSED:
        return
    if call.direction == Direction.OUTBOUND:
        _outbound(session, call, at)
    else:
        _inbound(session, call, at)


def command_failed(session: Session, command: CallCommand, error: str, at: datetime) -> None:
    """The carrier refused for good: a callback can't be dialled, somebody must do it by hand."""
    if command.kind != RING_CUSTOMER:
        return
    call = session.get_one(Call, command.call_id)
    task = planner.locked(session, call.task_id) if call.task_id is not None else None
    if task is not None and planner.fail(session, task, at=at, error=error):
        _by_hand(session, task, at)
    if call.ended_at is None:
        record.note(session, call, at, withdrawn_at=at)


def _inbound(session: Session, call: Call, at: datetime) -> None:
    if call.queued_at is not None:
        call_tickets.ensure(session, call, at)
        _called_again(session, call, at)
        _waits(session, call, at)
    if call.answered_at is not None:
        talked(session, call, at)
        _not_missed(session, call, at)
    elif call.ended_at is not None:
        tag = _tag_of(call)
        if tag is not None:
            _missed(session, call, tag, at)


def _waits(session: Session, call: Call, at: datetime) -> None:
    wait, moment = _wait_of(call, at)
    call_clocks.waited(
        session,
        call.ticket_id or 0,
        wait,
        since=call.started_at,
        queued_at=call.queued_at or at,
        at=moment,
    )


def _wait_of(call: Call, at: datetime) -> tuple[Wait, datetime]:
    if call.answered_at is not None:
        return Wait.ANSWERED, call.answered_at
    if call.state == CallState.CALLBACK or call.end_reason == EndReason.CALLBACK:
        return Wait.EXCUSED, call.ended_at or at
    if call.ended_at is not None:
        return (Wait.EXCUSED if _short(call) else Wait.LOST), call.ended_at
    return (Wait.LOST if call.state == CallState.VOICEMAIL else Wait.WAITING), at


def _short(call: Call) -> bool:
    waited = (call.ended_at or call.started_at) - (call.queued_at or call.started_at)
    return call.end_reason in _UNANSWERED and call.queued_at is not None and waited <= SHORT


def talked(session: Session, call: Call, at: datetime) -> None:
    """A talk is an answer to the client; a new ticket is in work and has somebody to do it."""
    ticket = _ticket_of_talk(session, call, at)
    if ticket is None or call.answered_at is None:
        return
    answered = call.answered_at
    if ticket.first_response_at is None or ticket.first_response_at > answered:
        ticket.first_response_at = answered
    if ticket.waiting_since is not None and ticket.waiting_since <= answered:
        ticket.waiting_since = None
    session.flush()
    sla.answered(session, ticket.id, at=answered, owed_by=answered)
    if ticket.status == Status.NEW:
        actor = Actor(user_id=call.user_id)
        actions.set_status(session, ticket, Status.OPEN, actor=actor, at=at)
    if ticket.assignee_id is None and call.user_id is not None:
        _assign(session, ticket, call.user_id, answered, at)


def _not_missed(session: Session, call: Call, at: datetime) -> None:
    """Who was thought to have left, or came back to wait, was talked with after all."""
    task = planner.locked(session, call.task_id) if call.task_id is not None else None
    if task is None or task.done_at is not None or task.created_by is not None:
        return
    planner.cancel(session, task, actor=SYSTEM, at=at, result=TaskResult.NOT_NEEDED)
    ticket = session.get_one(Ticket, call.ticket_id)
    tags = [tag for tag in ticket.tags if tag != MISSED]
    actions.set_tags(session, ticket, tags, actor=SYSTEM, at=at)


def _ticket_of_talk(session: Session, call: Call, at: datetime) -> Ticket | None:
    """Without a queue (another exchange, a call of ours) only an open ticket goes on."""
    if call.ticket_id is not None:
        return session.get_one(Ticket, call.ticket_id)
    return call_tickets.attach(session, call, at)


def _assign(
    session: Session, ticket: Ticket, user_id: int, answered: datetime, at: datetime
) -> None:
    """To who talked, unless somebody has decided otherwise since then."""
    query = select(Event.id).where(
        Event.ticket_id == ticket.id, Event.kind == "ticket.assigned", Event.at >= answered
    )
    if session.scalar(query.limit(1)) is not None:
        return
    user = session.get_one(User, user_id)
    try:
        actions.assign(session, ticket, user, actor=SYSTEM, at=at, reason="call")
    except HelpdeskError:  # an agent of the queue that calls flow over to
        return


def _tag_of(call: Call) -> str | None:
    """What its ticket says of a call that nobody answered; None: it left nothing to do."""
    waited = call.queued_at is not None
    if call.end_reason == EndReason.VOICEMAIL:
        return VOICEMAIL
    if _short(call):
        return SHORT_CALL
    if call.end_reason in _UNANSWERED:
        return MISSED if waited or number_of(call) is not None else None
    return MISSED if call.end_reason == EndReason.FAILED and waited else None


def _missed(session: Session, call: Call, tag: str, at: datetime) -> None:
    """The ticket says so, and whoever waited is phoned; once for a call, whatever is told again."""
    key = f"call:{call.id}:{tag}"
    if session.scalar(select(Event.id).where(Event.key == key)) is not None:
        return
    ticket = call_tickets.ensure(session, call, at)
    queue_id = ticket.queue_id
    record.say(session, call, "call.missed", at, key=key, queue_id=queue_id, reason=tag)
    actions.set_tags(session, ticket, [*ticket.tags, tag], actor=SYSTEM, at=at)
    if tag == SHORT_CALL:
        return
    _owe(session, ticket, call.ended_at or at, at)
    if call.task_id is None:
        _plan_callback(session, call, ticket, at)


def _owe(session: Session, ticket: Ticket, since: datetime, at: datetime) -> None:
    """The client turned to us and nobody answered."""
    call_tickets.wake(session, ticket, at)
    ticket.waiting_since = ticket.waiting_since or since
    session.flush()
    sla.client_wrote(session, ticket.id, at=since)


def _plan_callback(session: Session, call: Call, ticket: Ticket, at: datetime) -> None:
    number = number_of(call)
    if number is None:
        return
    kept = call.place_at if call.queued_at and call.place_at != call.queued_at else None
    task = planner.plan(
        session,
        kind=TaskKind.CALLBACK,
        client_id=ticket.client_id,
        person_id=ticket.person_id,
        contact_point_id=call.contact_point_id,
        number=number,
        language=call.language,
        ticket_id=ticket.id,
        queue_id=ticket.queue_id,
        place_at=kept,
        next_at=at + CALLS_AGAIN,
        at=at,
    )
    call.task_id = task.id
    session.flush()


def _called_again(session: Session, call: Call, at: datetime) -> None:
    """Who was to be phoned phones: that callback is settled and its place in the queue is theirs.

    What a colleague agreed with the client stays agreed.
    """
    task = open_callback(session, number_of(call), call.queue_id, change=False)
    if task is None or task.created_by is not None or task.id == call.task_id:
        return
    if call.queued_at is None or task.created_at > call.queued_at or call.ended_at is not None:
        return
    ringing = list(session.scalars(_ringing_for(task).with_for_update()))
    task = planner.locked(session, task.id)  # calls are locked before their tasks
    if task.done_at is None:
        planner.cancel(session, task, actor=SYSTEM, at=at, result=TaskResult.CALLED_AGAIN)
    for other in ringing:
        record.note(session, other, at, withdrawn_at=at)
    if task.place_at is not None:
        record.note(session, call, at, place_at=task.place_at)


def _ringing_for(task: Task) -> Select[Call]:
    query = select(Call).where(
        Call.task_id == task.id,
        Call.direction == Direction.OUTBOUND,
        Call.ended_at.is_(None),
        Call.answered_at.is_(None),
    )
    return query.order_by(Call.id)


def _outbound(session: Session, call: Call, at: datetime) -> None:
    if call.answered_at is not None:
        talked(session, call, at)
    task = planner.locked(session, call.task_id) if call.task_id is not None else None
    if task is None or task.done_at is not None:
        return
    if call.answered_at is not None:
        _reached(session, call, task)
    elif call.ended_at is None:
        planner.begin(session, task, at=at)
    elif _was_rung(session, call):
        result = _RESULTS.get(call.end_reason or EndReason.NO_ANSWER, TaskResult.NO_ANSWER)
        error = call.end_reason.value if call.end_reason == EndReason.FAILED else None
        planner.tried(session, task, result, at=call.ended_at, call_id=call.id, error=error)
    elif task.state == TaskState.TRYING:
        planner.postpone(session, task, at + RING_AGAIN)


def _reached(session: Session, call: Call, task: Task) -> None:
    at, actor = call.answered_at or call.started_at, Actor(user_id=call.user_id)
    planner.tried(session, task, TaskResult.TALKED, at=at, call_id=call.id, actor=actor)
    if task.done_at is None:  # it was thought that nobody had answered
        planner.done(session, task, actor=actor, at=at, result=TaskResult.TALKED)


def _was_rung(session: Session, call: Call) -> bool:
    """Whether the client's telephone was rung; else it was us who gave up."""
    query = select(CallLeg.id).where(
        CallLeg.call_id == call.id,
        CallLeg.role == LegRole.CUSTOMER,
        CallLeg.provider_id.is_not(None),
    )
    return session.scalar(query.limit(1)) is not None


def _by_hand(session: Session, task: Task, at: datetime) -> None:
    with in_language(str(settings.get(session, "primary_language"))):
        title = str(_("Call by hand"))
    by_hand = planner.plan(
        session,
        kind=TaskKind.TASK,
        client_id=task.client_id,
        person_id=task.person_id,
        contact_point_id=task.contact_point_id,
        number=task.number,
        language=task.language,
        ticket_id=task.ticket_id,
        queue_id=task.queue_id,
        owner_id=task.owner_id,
        title=task.title or title,
        due_at=max(task.due_at, at + RING_AGAIN),
        at=at,
    )
    by_hand.last_error = task.last_error
    session.flush()
