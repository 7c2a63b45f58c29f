"""After a talk: what came of it, the next step; calls that are written down by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.calls import by_hand, wrap_up
from helpdesk.calls.models import (
    Call,
    CallState,
    Direction,
    Disposition,
    EndReason,
    NextStep,
    Provider,
)
from helpdesk.events import SYSTEM, Event
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.planner import actions as planner
from helpdesk.planner.models import Task, TaskKind, TaskResult, TaskState
from helpdesk.products import create_product
from helpdesk.tickets.models import Channel, ContactReason, Status, Ticket
from helpdesk.tickets.received import open_ticket
from tests.calls.story import NUMBER, Story, ring
from tests.cast import Cast

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 12:00 in Kyiv
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def talked(session: Session, cast: Cast) -> Story:
    story = ring(session, cast, MONDAY).queue(MONDAY).talk(MONDAY + MINUTE)
    return story.over(MONDAY + 5 * MINUTE)


def save(session: Session, cast: Cast, story: Story, **about: Any) -> None:
    wrap_up.save(session, story.call, user_id=cast.alice.id, at=MONDAY + 6 * MINUTE, **about)


def reason(session: Session) -> ContactReason:
    row = ContactReason(key="repair", names={"en": "Repair"}, position=1)
    session.add(row)
    session.flush()
    return row


def test_what_came_of_a_call_is_kept_and_frees_the_agent(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        story = talked(session, cast)
        assert story.call.state == CallState.WRAP_UP
        why = reason(session)
        product = create_product(session, name="Bryz 09", actor=SYSTEM, at=MONDAY)
        save(
            session,
            cast,
            story,
            reason_id=why.id,
            product_id=product.id,
            disposition=Disposition.SOLVED,
            notes="  The filter was full.\n",
        )
        call, ticket = story.call, story.ticket
        assert (call.state, call.wrapped_at) == (CallState.ENDED, MONDAY + 6 * MINUTE)
        assert (call.disposition, call.notes) == (Disposition.SOLVED, "The filter was full.")
        assert (ticket.reason_id, ticket.product_id) == (why.id, product.id)
        assert ticket.status == Status.RESOLVED
        (said,) = session.scalars(select(Event).where(Event.kind == "call.wrapped")).all()
        assert (said.user_id, said.data["disposition"]) == (cast.alice.id, "solved")


def test_only_what_the_call_opened_is_resolved_with_it(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        before = ring(session, cast, MONDAY - HOUR).queue(MONDAY - HOUR).over(MONDAY - HOUR)
        story = talked(session, cast)
        assert story.call.ticket_id == before.call.ticket_id
        save(session, cast, story, disposition=Disposition.SOLVED)
        assert story.ticket.status == Status.OPEN
        other = ring(session, cast, MONDAY, "+380501112233").queue(MONDAY).talk(MONDAY)
        later = {"next_step": NextStep.VISIT, "due_at": MONDAY + DAY}
        save(session, cast, other, disposition=Disposition.SOLVED, **later)
        assert other.ticket.status == Status.OPEN  # there is something to do
        wrong = ring(session, cast, MONDAY, "+380501112244").queue(MONDAY).talk(MONDAY)
        save(session, cast, wrong, disposition=Disposition.WRONG_NUMBER)
        assert wrong.ticket.status == Status.RESOLVED


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (NextStep.CALLBACK, TaskKind.CALLBACK),
        (NextStep.VISIT, TaskKind.VISIT),
        (NextStep.EMAIL, TaskKind.TASK),
    ],
)
def test_the_next_step_is_planned_once_and_corrected(
    app: Flask, cast: Cast, step: NextStep, kind: TaskKind
) -> None:
    with ext.write() as session:
        story = talked(session, cast)
        save(session, cast, story, next_step=step, due_at=MONDAY + DAY)
        save(session, cast, story, next_step=step, due_at=MONDAY + 2 * DAY, notes="Later")
        (task,) = story.tasks
        assert (task.kind, task.owner_id, task.number) == (kind, cast.alice.id, NUMBER)
        assert task.due_at == task.next_at == MONDAY + 2 * DAY
        assert (story.call.next_step, story.call.notes) == (step, "Later")
        assert bool(task.title) == (step == NextStep.EMAIL)


def test_what_can_not_be_is_said_where(app: Flask, cast: Cast) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"next_step": NextStep.CALLBACK}, "due"),
        ({"next_step": NextStep.CALLBACK, "due_at": MONDAY}, "due"),
        ({"notes": "x" * 20_001}, "notes"),
        ({"reason_id": 999_999}, "reason"),
        ({"product_id": 999_999}, "product"),
    ]
    with ext.write() as session:
        story = talked(session, cast)
        for about, field in wrong:
            with pytest.raises(HelpdeskError) as caught, session.begin_nested():
                save(session, cast, story, **about)
            assert caught.value.field == field
        session.expire_all()
        assert (story.call.state, story.tasks) == (CallState.WRAP_UP, [])


def log(session: Session, cast: Cast, **about: Any) -> Call:
    given: dict[str, Any] = {
        "user_id": cast.alice.id,
        "at": MONDAY,
        "client_id": cast.oksana.client_id,
        "person_id": cast.oksana.person_id,
        "direction": Direction.OUTBOUND,
    }
    return by_hand.log(session, **given | about)


def ticket_of(session: Session, cast: Cast) -> Ticket:
    ticket_id = open_ticket(
        session,
        queue_id=cast.support.id,
        who=cast.oksana,
        subject="Two payments",
        channel=Channel.EMAIL,
        language="uk",
        at=MONDAY - HOUR,
    )
    return session.get_one(Ticket, ticket_id)


def test_a_call_over_another_telephone_is_written_down(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        ticket = ticket_of(session, cast)
        call = log(session, cast, ticket_id=ticket.id, minutes=7, notes=" Explained ", number="+1")
        assert (call.provider, call.state, call.end_reason) == (
            Provider.HAND,
            CallState.ENDED,
            EndReason.TALKED,
        )
        assert (call.answered_at, call.ended_at) == (MONDAY - 7 * MINUTE, MONDAY)
        assert (call.to_number, call.notes, call.language) == ("+1", "Explained", "uk")
        assert (ticket.first_response_at, ticket.status) == (MONDAY - 7 * MINUTE, Status.OPEN)
        missed = log(session, cast, talked=False, direction=Direction.INBOUND, number="+1")
        assert (missed.end_reason, missed.answered_at) == (EndReason.NO_ANSWER, None)
        assert (missed.ticket_id, missed.from_number, missed.over_at) == (None, "+1", MONDAY)
        kinds = session.scalars(select(Event.kind).where(Event.kind == "call.logged"))
        assert len(kinds.all()) == 2


def test_a_call_by_hand_has_a_next_step_and_settles_what_was_planned(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        task = planner.plan(
            session,
            kind=TaskKind.CALLBACK,
            client_id=cast.oksana.client_id,
            number=NUMBER,
            due_at=MONDAY + HOUR,
            at=MONDAY - DAY,
        )
        log(session, cast, talked=False, task_id=task.id)
        assert (task.state, task.attempts, task.result) == (
            TaskState.PLANNED,
            1,
            TaskResult.NO_ANSWER,
        )
        log(session, cast, task_id=task.id, minutes=1)
        assert (task.state, task.result) == (TaskState.DONE, TaskResult.TALKED)
        call = log(session, cast, next_step=NextStep.VISIT, due_at=MONDAY + DAY)
        (visit,) = session.scalars(select(Task).where(Task.kind == TaskKind.VISIT)).all()
        assert visit.ticket_id == call.ticket_id
        assert call.ticket_id is not None


def test_a_call_by_hand_that_can_not_be_is_refused(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        for about, field in (
            ({"minutes": -1}, "minutes"),
            ({"minutes": 100_000}, "minutes"),
            ({"started_at": MONDAY, "minutes": 1}, "started_at"),
        ):
            with pytest.raises(HelpdeskError) as caught:
                log(session, cast, **about)
            assert caught.value.field == field
        with pytest.raises(NotFound):
            log(session, cast, client_id=999_999)
