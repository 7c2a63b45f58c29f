"""What a call leads to: one ticket, a missed-call callback, answers and attempts, each once."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk import ext, reactions
from helpdesk.accounts import presence
from helpdesk.accounts.presence import Availability
from helpdesk.calls import outcomes, record, unattended
from helpdesk.calls.models import (
    CallCommand,
    CallState,
    CommandState,
    Direction,
    EndReason,
    LegState,
)
from helpdesk.calls.outgoing import create
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.events import SYSTEM, Event
from helpdesk.notices import Notice
from helpdesk.outbox.models import Outgoing
from helpdesk.planner.models import Task, TaskKind, TaskResult, TaskState
from helpdesk.tickets import actions
from helpdesk.tickets.models import Channel, Clock, Metric, Status, Ticket
from helpdesk.tickets.received import open_ticket
from tests.calls.story import NUMBER, Story, placed, ring
from tests.cast import Cast

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 12:00 in Kyiv
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def again(session: Session, story: Story, at: datetime) -> None:
    """Everything is told once more, from every state: nothing may happen."""
    counts = _counts(session)
    for before in CallState:
        outcomes.changed(session, story.call, before, at)
    assert _counts(session) == counts


def _counts(session: Session) -> list[int]:
    session.flush()
    models = (Ticket, Task, Clock, Event, Client)
    return [session.scalar(select(func.count()).select_from(model)) or 0 for model in models]


def test_an_unknown_caller_becomes_a_client_with_a_ticket_without_their_number(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        story = ring(session, cast, MONDAY)
        story.call.language = "uk"
        assert story.call.ticket_id is None
        story.queue(MONDAY + 4 * MINUTE)
        ticket = story.ticket
        assert (ticket.channel, ticket.queue_id) == (Channel.PHONE, cast.support.id)
        assert (ticket.status, ticket.language) == (Status.NEW, "uk")
        assert ticket.subject.endswith("23 лист. 12:00")
        assert "380" not in ticket.subject.replace(" ", "")
        point = session.get_one(ContactPoint, story.call.contact_point_id)
        assert (point.key, story.call.client_id) == (NUMBER, ticket.client_id)
        again(session, story, MONDAY + 5 * MINUTE)


def test_the_open_ticket_of_the_caller_goes_on(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        person = cast.oksana.person_id
        add_number(session, person)
        ticket_id = mail(session, cast, MONDAY - 71 * HOUR)
        ticket = session.get_one(Ticket, ticket_id)
        actions.set_status(session, ticket, Status.PENDING, actor=SYSTEM, at=MONDAY - HOUR)
        story = ring(session, cast, MONDAY).queue(MONDAY)
        assert (story.call.ticket_id, story.call.person_id) == (ticket_id, person)
        assert (story.ticket.status, story.ticket.channel) == (Status.OPEN, Channel.EMAIL)
        other = ring(session, cast, MONDAY).queue(MONDAY, queue_id=cast.billing.id)
        assert other.call.ticket_id != ticket_id  # another queue, another matter
        actions.set_status(session, ticket, Status.RESOLVED, actor=SYSTEM, at=MONDAY)
        later = ring(session, cast, MONDAY + HOUR).queue(MONDAY + HOUR)
        assert later.call.ticket_id not in (ticket_id, other.call.ticket_id)
        old = ring(session, cast, MONDAY + 80 * HOUR).queue(MONDAY + 80 * HOUR)
        assert old.call.ticket_id != later.call.ticket_id  # nothing happened for 72 hours


def test_of_a_shared_number_only_its_own_calls_go_on(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        for who in (cast.oksana, cast.stranger):
            add_number(session, who.person_id)
        by_mail = mail(session, cast, MONDAY)
        first = ring(session, cast, MONDAY).queue(MONDAY)
        assert first.call.ticket_id != by_mail
        second = ring(session, cast, MONDAY + HOUR).queue(MONDAY + HOUR)
        assert second.call.ticket_id == first.call.ticket_id


@pytest.mark.parametrize("number", [None, "anonymous"])
def test_a_withheld_number_gets_a_ticket_and_nobody_to_call(
    app: Flask, cast: Cast, number: str | None
) -> None:
    with ext.write() as session:
        story = ring(session, cast, MONDAY, None).queue(MONDAY)
        story.call.from_number = number
        other = ring(session, cast, MONDAY, None).queue(MONDAY)
        assert story.call.ticket_id != other.call.ticket_id
        other.over(MONDAY + MINUTE)
        assert (other.tasks, other.ticket.tags) == ([], [outcomes.MISSED])
        again(session, other, MONDAY + HOUR)


@pytest.mark.parametrize("ringing", [False, True])
def test_who_hangs_up_waiting_is_phoned(app: Flask, cast: Cast, ringing: bool) -> None:
    with ext.write() as session:
        story = ring(session, cast, MONDAY).queue(MONDAY + MINUTE)
        if ringing:
            story.note(MONDAY + 2 * MINUTE, offer_id=1, offered_at=MONDAY + 2 * MINUTE)
        story.over(MONDAY + 3 * MINUTE)
        reason = EndReason.ABANDONED_RING if ringing else EndReason.ABANDONED_QUEUE
        assert story.call.end_reason == reason
        assert (story.ticket.status, story.ticket.tags) == (Status.NEW, [outcomes.MISSED])
        (task,) = story.tasks
        assert (task.kind, task.number, task.owner_id) == (TaskKind.CALLBACK, NUMBER, None)
        assert (task.next_at, task.place_at) == (MONDAY + 8 * MINUTE, None)
        assert task.due_at == MONDAY + 3 * MINUTE + 4 * HOUR  # no policy says when
        assert story.call.task_id == task.id
        again(session, story, MONDAY + HOUR)


def test_what_left_nothing_to_do_leaves_no_task(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        short = ring(session, cast, MONDAY).queue(MONDAY).over(MONDAY + 5 * SECOND)
        assert (short.tasks, short.ticket.tags) == ([], [outcomes.SHORT_CALL])
        helped = ring(session, cast, MONDAY, "+380501112233").note(MONDAY, contained_at=MONDAY)
        gone = ring(session, cast, MONDAY, "+380501112244").note(MONDAY, menu_at=MONDAY)
        refused = ring(session, cast, MONDAY, "+380501112255").note(MONDAY, refused_at=MONDAY)
        for story in (helped, gone, refused):
            story.over(MONDAY + MINUTE)
            assert story.call.ticket_id is None
        assert helped.call.end_reason == EndReason.CONTAINED
        again(session, short, MONDAY + HOUR)
        again(session, helped, MONDAY + HOUR)


def test_a_voicemail_is_a_ticket_and_a_callback_whenever_it_is_heard_of(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        story = ring(session, cast, MONDAY).note(MONDAY, voicemail_at=MONDAY)
        story.over(MONDAY + MINUTE)
        assert story.call.end_reason == EndReason.NO_MESSAGE
        assert story.ticket.tags == [outcomes.MISSED]
        story.note(MONDAY + 2 * MINUTE, recordings={"RE1": "completed"})
        assert story.call.end_reason == EndReason.VOICEMAIL
        assert story.ticket.tags == [outcomes.MISSED, outcomes.VOICEMAIL]
        assert [task.kind for task in story.tasks] == [TaskKind.CALLBACK]
        assert story.ticket.waiting_since is not None
        again(session, story, MONDAY + HOUR)


def test_who_calls_again_is_not_phoned_any_more(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        missed = ring(session, cast, MONDAY).queue(MONDAY).over(MONDAY + MINUTE)
        (task,) = missed.tasks
        story = ring(session, cast, MONDAY + 2 * MINUTE).queue(MONDAY + 3 * MINUTE)
        assert story.call.ticket_id == missed.call.ticket_id
        assert (task.state, task.result) == (TaskState.CANCELLED, TaskResult.CALLED_AGAIN)
        assert story.call.place_at == MONDAY + 3 * MINUTE  # they had given their place up
        story.over(MONDAY + 5 * MINUTE)
        assert [one.state for one in story.tasks] == [TaskState.CANCELLED, TaskState.PLANNED]
        agreed = story.tasks[1]
        agreed.created_by = cast.alice.id
        third = ring(session, cast, MONDAY + HOUR).queue(MONDAY + HOUR)
        assert agreed.state == TaskState.PLANNED  # what a colleague agreed stays agreed
        again(session, third, MONDAY + HOUR)


def test_a_talk_is_an_answer_and_gives_the_ticket_an_assignee(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        story = ring(session, cast, MONDAY).queue(MONDAY).talk(MONDAY + MINUTE)
        ticket = story.ticket
        assert (ticket.status, ticket.assignee_id) == (Status.OPEN, cast.alice.id)
        assert (ticket.first_response_at, ticket.waiting_since) == (MONDAY + MINUTE, None)
        first = story.clock(Metric.FIRST_RESPONSE)
        assert first is not None and first.stopped_at == MONDAY + MINUTE
        actions.assign(session, ticket, None, actor=SYSTEM, at=MONDAY + 2 * MINUTE)
        story.note(MONDAY + 2 * MINUTE, holds={"1": MONDAY + 2 * MINUTE})
        story.note(MONDAY + 3 * MINUTE, holds={"2": MONDAY + 3 * MINUTE})
        story.over(MONDAY + 4 * MINUTE)
        assert story.ticket.assignee_id is None
        assert story.tasks == []


def test_a_talk_that_is_heard_of_after_the_end_was_no_missed_call(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        story = ring(session, cast, MONDAY).queue(MONDAY).over(MONDAY + 5 * MINUTE)
        (task,) = story.tasks
        story.talk(MONDAY + 2 * MINUTE)
        assert story.call.end_reason == EndReason.TALKED
        assert story.ticket.first_response_at == MONDAY + 2 * MINUTE
        assert (task.result, story.ticket.tags) == (TaskResult.NOT_NEEDED, [])
        again(session, story, MONDAY + HOUR)


def dialled(session: Session, cast: Cast, story: Story, at: datetime) -> Story:
    """A callback for the missed call: an agent has it, the customer's phone rings."""
    (task,) = story.tasks
    call = create(
        session,
        number=NUMBER,
        queue_id=cast.support.id,
        language="uk",
        at=at,
        client_id=task.client_id,
        person_id=task.person_id,
        ticket_id=task.ticket_id,
        task_id=task.id,
    )
    return placed(session, cast, call, at)


def test_a_callback_is_tried_again_until_somebody_answers(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        missed = ring(session, cast, MONDAY).queue(MONDAY).over(MONDAY + MINUTE)
        (task,) = missed.tasks
        busy = dialled(session, cast, missed, MONDAY + 10 * MINUTE)
        busy.over(MONDAY + 11 * MINUTE, LegState.BUSY)
        assert (task.state, task.attempts, task.result) == (
            TaskState.PLANNED,
            1,
            TaskResult.BUSY,
        )
        assert task.next_at == MONDAY + 26 * MINUTE
        again(session, busy, MONDAY + 20 * MINUTE)
        story = dialled(session, cast, missed, MONDAY + 26 * MINUTE).talk(MONDAY + 27 * MINUTE)
        assert (task.state, task.result, task.attempts) == (TaskState.DONE, TaskResult.TALKED, 2)
        assert story.ticket.first_response_at == MONDAY + 27 * MINUTE
        story.over(MONDAY + 30 * MINUTE)
        again(session, story, MONDAY + HOUR)


def test_a_call_that_we_gave_up_is_no_attempt(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        missed = ring(session, cast, MONDAY).queue(MONDAY).over(MONDAY + MINUTE)
        (task,) = missed.tasks
        task.state, task.next_at = TaskState.TRYING, None
        call = create(
            session, number=NUMBER, queue_id=None, language="uk", at=MONDAY, task_id=task.id
        )
        record.note(session, call, MONDAY + HOUR, withdrawn_at=MONDAY + HOUR)
        assert (task.state, task.attempts) == (TaskState.PLANNED, 0)
        assert task.next_at == MONDAY + HOUR + outcomes.RING_AGAIN


def test_who_was_never_reached_gets_an_email_and_the_owner_a_notice(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        add_number(session, cast.oksana.person_id)
        missed = ring(session, cast, MONDAY).queue(MONDAY).over(MONDAY + MINUTE)
        (task,) = missed.tasks
        task.owner_id = cast.alice.id
        for n in range(4):
            story = dialled(session, cast, missed, MONDAY + n * HOUR)
            story.over(MONDAY + n * HOUR + MINUTE, LegState.NO_ANSWER)
        assert (task.state, task.attempts) == (TaskState.FAILED, 4)
    while reactions.react(limit=200):
        pass
    with ext.session() as session:
        (mail,) = session.scalars(select(Outgoing)).all()
        assert (mail.to_address, mail.language) == ("oksana@client.example", "uk")
        assert NUMBER[4:] not in mail.text.replace(" ", "")
        told = select(Notice.user_id).where(Notice.kind == "task.failed")
        assert session.scalars(told.order_by(Notice.id)).all() == [cast.alice.id]


def test_a_number_that_the_carrier_refuses_is_called_by_hand(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        missed = ring(session, cast, MONDAY).queue(MONDAY).over(MONDAY + MINUTE)
        (task,) = missed.tasks
        task.state = TaskState.TRYING
        call = create(
            session, number=NUMBER, queue_id=None, language="uk", at=MONDAY, task_id=task.id
        )
        for kind in ("redirect", "ring_customer", "ring_customer"):
            command = CallCommand(
                key=kind,
                call_id=call.id,
                kind=kind,
                data={},
                state=CommandState.FAILED,
                created_at=MONDAY,
            )
            outcomes.command_failed(session, command, "21211 Invalid 'To'", MONDAY + HOUR)
            assert (task.state == TaskState.FAILED) == (kind == "ring_customer")
        assert "21211" in (task.last_error or "")
        assert (call.state, call.direction) == (CallState.ENDED, Direction.OUTBOUND)
        kinds = [(one.kind, one.state) for one in missed.tasks]
        assert kinds == [
            (TaskKind.CALLBACK, TaskState.FAILED),
            (TaskKind.TASK, TaskState.PLANNED),
        ]
    while reactions.react(limit=200):
        pass
    with ext.session() as session:
        assert session.scalars(select(Outgoing)).all() == []


def test_a_ticket_that_is_done_needs_no_callback(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        missed = ring(session, cast, MONDAY).queue(MONDAY).over(MONDAY + MINUTE)
        ticket_id = missed.call.ticket_id
        actions.set_status(session, missed.ticket, Status.RESOLVED, actor=SYSTEM, at=MONDAY + HOUR)
    while reactions.react(limit=200):
        pass
    with ext.session() as session:
        task = session.scalars(select(Task).where(Task.ticket_id == ticket_id)).one()
        assert (task.state, task.result) == (TaskState.CANCELLED, TaskResult.NOT_NEEDED)


def test_supervisors_hear_once_an_hour_that_callers_wait_for_nobody(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ring(session, cast, MONDAY).queue(MONDAY)
        ring(session, cast, MONDAY, "+380501112233").queue(MONDAY, queue_id=cast.billing.id)
        presence.set_state(session, cast.bob.id, Availability.AVAILABLE, at=MONDAY)
        assert not unattended.due(session, MONDAY)
        assert unattended.due(session, MONDAY + MINUTE)
        said = [unattended.watch(session, MONDAY + n * 25 * MINUTE) for n in (1, 2, 3)]
        assert said == [1, 0, 1]  # Bob works in Billing
    while reactions.react(limit=200):
        pass
    with ext.session() as session:
        told = select(Notice.user_id).where(Notice.kind == "queue.unattended")
        assert set(session.scalars(told)) == {cast.sam.id}


def add_number(session: Session, person_id: int) -> None:
    person = session.get_one(Person, person_id)
    add_contact_point(session, person, kind="phone", value=NUMBER, country="UA", at=MONDAY)


def mail(session: Session, cast: Cast, at: datetime) -> int:
    return open_ticket(
        session,
        queue_id=cast.support.id,
        who=cast.oksana,
        subject="By email",
        channel=Channel.EMAIL,
        language="uk",
        at=at,
    )
