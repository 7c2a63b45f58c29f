"""What follows from events: each once, in order, and a failing one stops nothing."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.models import Role, User
from helpdesk.events import KINDS, SYSTEM, Actor, Event, event_row, record, record_all
from helpdesk.lib.clock import now
from helpdesk.notices import Notice
from helpdesk.outbox.models import Outgoing, OutgoingKind
from helpdesk.reactions import parked, react, unpark
from helpdesk.reactions.loop import LADDER
from helpdesk.reactions.models import FailedReaction
from helpdesk.reactions.staff import tell_of_clock
from helpdesk.reactions.table import REACTIONS
from helpdesk.tickets import actions, escalation
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Policy, PolicyStep, StepAction, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from tests.cast import Cast

Clock = time_machine.Traveller


@pytest.fixture
def ticket_id(cast: Cast) -> int:
    """A ticket of Oksana's in Support."""
    with ext.write() as session:
        ticket_id = open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Лампа <b>",
            channel=Channel.EMAIL,
            language="uk",
            at=now(),
        )
    react()
    return ticket_id


def notices() -> list[tuple[int, str]]:
    with ext.session() as session:
        rows = session.execute(select(Notice.user_id, Notice.kind).order_by(Notice.id))
        return [(row.user_id, row.kind) for row in rows]


def todo() -> int:
    with ext.session() as session:
        count = select(func.count()).select_from(Event).where(Event.todo.is_not(None))
        return session.scalar(count) or 0


def assign(ticket_id: int, user: User | None, by: Actor = SYSTEM) -> None:
    with ext.write() as session:
        ticket = session.get_one(Ticket, ticket_id)
        actions.assign(session, ticket, user, actor=by, at=now())


def client_writes(cast: Cast, ticket_id: int, **marks: bool) -> None:
    with ext.write() as session:
        add_message(
            session,
            ticket_id,
            Content(text="Ну?", **marks),  # type: ignore[arg-type]
            who=cast.oksana,
            channel=Channel.EMAIL,
            at=now(),
        )


def happened(kind: str, ticket_id: int, **data: object) -> int:
    with ext.write() as session:
        return record(session, kind, ticket_id=ticket_id, **data)


def test_who_is_given_a_ticket_hears_of_it(cast: Cast, ticket_id: int) -> None:
    assign(ticket_id, cast.alice, Actor(user_id=cast.sam.id))
    react()
    assert notices() == [(cast.alice.id, "ticket.assigned")]


def test_who_takes_a_ticket_is_not_told_so(cast: Cast, ticket_id: int) -> None:
    assign(ticket_id, cast.alice, Actor(user_id=cast.alice.id))
    assign(ticket_id, None, Actor(user_id=cast.sam.id))
    react()
    assert notices() == []


def test_the_assignee_hears_of_the_clients_message(cast: Cast, ticket_id: int) -> None:
    client_writes(cast, ticket_id)
    assign(ticket_id, cast.alice, Actor(user_id=cast.alice.id))
    react()
    assert notices() == [(cast.alice.id, "message.received")]
    client_writes(cast, ticket_id, is_auto_reply=True)
    react()
    assert len(notices()) == 1


def test_the_assignee_hears_of_a_bounce(cast: Cast, ticket_id: int) -> None:
    assign(ticket_id, cast.alice, Actor(user_id=cast.alice.id))
    client_writes(cast, ticket_id, is_bounce=True)
    react()
    assert notices() == [(cast.alice.id, "message.bounced")]


def test_without_assignee_the_author_hears_of_a_bounce(cast: Cast, ticket_id: int) -> None:
    with ext.write() as session:
        ticket = session.get_one(Ticket, ticket_id)
        actions.reply(session, ticket, "Так", user_id=cast.alice.id, at=now())
    react()
    client_writes(cast, ticket_id, is_bounce=True)
    react()
    assert notices() == [(cast.alice.id, "message.bounced")]


def test_the_author_hears_that_an_answer_failed(cast: Cast, ticket_id: int) -> None:
    with ext.write() as session:
        ticket = session.get_one(Ticket, ticket_id)
        message = actions.reply(session, ticket, "Так", user_id=cast.alice.id, at=now())
    happened("message.failed", ticket_id, message_id=message.id, outgoing_id=1)
    react()
    assert notices() == [(cast.alice.id, "message.failed")]


def test_supervisors_hear_of_the_clock_of_a_ticket_nobody_has(cast: Cast, ticket_id: int) -> None:
    happened("clock.warned", ticket_id, clock_id=1, metric="first_response")
    react()
    assert notices() == [(cast.sam.id, "clock.warned")]
    assign(ticket_id, cast.alice, Actor(user_id=cast.alice.id))
    happened("clock.breached", ticket_id, clock_id=1, metric="first_response")
    react()
    assert notices()[1:] == [(cast.alice.id, "clock.breached")]


def test_administrators_hear_where_there_is_no_supervisor(cast: Cast, ticket_id: int) -> None:
    with ext.write() as session:
        session.get_one(User, cast.sam.id).active = False
    happened("clock.breached", ticket_id, clock_id=1, metric="first_response")
    react()
    assert notices() == [(cast.ada.id, "clock.breached")]


def test_who_may_not_see_the_ticket_is_not_told(cast: Cast, ticket_id: int) -> None:
    """Bob works in Billing only."""
    with ext.write() as session:
        session.get_one(Ticket, ticket_id).assignee_id = cast.bob.id
    happened("clock.breached", ticket_id, clock_id=1, metric="first_response")
    react()
    assert notices() == []


@pytest.fixture
def step(cast: Cast) -> Iterator[PolicyStep]:
    with ext.write() as session:
        policy = session.scalars(select(Policy)).one()
        step = PolicyStep(
            policy_id=policy.id, after_seconds=600, action=StepAction.NOTIFY, role="supervisor"
        )
        session.add(step)
    yield step


def test_a_step_tells_a_role_on_the_desk_and_by_email(
    cast: Cast, step: PolicyStep, ticket_id: int, clock: Clock
) -> None:
    clock.shift(timedelta(hours=4, minutes=11))
    for _ in range(3):
        with ext.write() as session:
            escalation.sweep(session, now())
        react()
    kinds = [kind for user_id, kind in notices() if user_id == cast.sam.id]
    assert kinds.count("clock.stepped") == 1
    with ext.session() as session:
        [email] = session.scalars(select(Outgoing)).all()
    assert (email.kind, email.to_address) == (OutgoingKind.NOTICE, "sam@example.com")
    assert (email.envelope_from, email.automatic, email.reply_to) == ("", True, None)
    assert email.subject == "First response is overdue: ticket 10001"
    assert "/desk/t/10001" in email.text
    assert "Mon 23 Nov, 16:00 (UTC+2)" in email.text
    assert email.html is not None
    assert "Лампа &lt;b&gt;" in email.html


@pytest.mark.parametrize("who", ["user", "gone", "role", "assignee", "nobody"])
def test_a_step_reaches_somebody_always(
    cast: Cast, step: PolicyStep, ticket_id: int, clock: Clock, who: str
) -> None:
    with ext.write() as session:
        row = session.get_one(PolicyStep, step.id)
        row.role = {"role": "admin", "assignee": "assignee"}.get(who)
        row.user_id = cast.ada.id if who in ("user", "gone") else None
        session.get_one(User, cast.ada.id).active = who != "gone"
        session.get_one(Ticket, ticket_id).assignee_id = cast.alice.id
    clock.shift(timedelta(hours=4, minutes=11))
    for _ in range(3):
        with ext.write() as session:
            escalation.sweep(session, now())
    react()
    told = {user_id for user_id, kind in notices() if kind == "clock.stepped"}
    assert told == {cast.ada.id if who in ("user", "role") else cast.alice.id}


def test_every_event_is_done_once(cast: Cast, ticket_id: int) -> None:
    client_writes(cast, ticket_id)
    assert todo() > 0
    assert react() > 0
    assert todo() == 0
    assert react() == 0


@pytest.mark.parametrize("kind", ["client.created", "client.changed"])
def test_a_receipt_does_not_wait_behind_an_import(cast: Cast, ticket_id: int, kind: str) -> None:
    about: dict[str, Any] = {"fields": ["name"]} if kind == "client.changed" else {}
    with ext.write() as session:
        rows = [event_row(kind, client_id=cast.oksana.client_id, **about) for _ in range(300)]
        record_all(session, rows)
    client_writes(cast, ticket_id)
    assign(ticket_id, cast.ada)
    react(limit=1)
    assert [user_id for user_id, _kind in notices()] == [cast.ada.id]
    while react():
        pass
    assert todo() == 0


def test_two_workers_follow_each_event_once(
    app: Flask, cast: Cast, ticket_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def note(_session: Session, event: Event, _at: datetime) -> None:
        seen.append(event.id)

    monkeypatch.setitem(REACTIONS, "ticket.subject", [note])
    with ext.write() as session:
        ids = [record(session, "ticket.subject", ticket_id=ticket_id) for _ in range(60)]
    failures: list[BaseException] = []

    def worker() -> None:
        try:
            with app.app_context():
                while todo():
                    react(5)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert sorted(seen) == ids


class Trouble:
    """A reaction that writes a row and raises as long as `broken`."""

    broken = True
    runs = 0

    def __call__(self, session: Session, event: Event, at: datetime) -> None:
        self.runs += 1
        record(session, "ticket.erased", ticket_id=event.ticket_id)
        if self.broken:
            raise RuntimeError("PERSONALCANARY oksana@client.example")

    __name__ = "trouble"


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Trouble:
    trouble = Trouble()
    monkeypatch.setitem(REACTIONS, "ticket.subject", [trouble, tell_of_clock])
    return trouble


def failed() -> list[FailedReaction]:
    with ext.session() as session:
        return list(session.scalars(select(FailedReaction)))


def count(kind: str) -> int:
    with ext.session() as session:
        query = select(func.count()).select_from(Event).where(Event.kind == kind)
        return session.scalar(query) or 0


def test_a_failing_reaction_stops_nothing_and_leaves_nothing_half_done(
    cast: Cast, ticket_id: int, trouble: Trouble
) -> None:
    happened("ticket.subject", ticket_id)
    happened("clock.warned", ticket_id, clock_id=1, metric="first_response")
    react()
    assert todo() == 0
    assert [kind for _, kind in notices()] == ["ticket.subject", "clock.warned"]
    assert count("ticket.erased") == 0
    [row] = failed()
    assert (row.reaction, row.attempts) == ("trouble", 1)
    assert row.error.startswith("RuntimeError in ")
    assert "CANARY" not in row.error


def test_it_is_tried_again_and_forgotten_when_it_works(
    cast: Cast, ticket_id: int, trouble: Trouble, clock: Clock
) -> None:
    happened("ticket.subject", ticket_id)
    react()
    assert react() == 0
    trouble.broken = False
    clock.shift(timedelta(seconds=LADDER[0]))
    assert react() > 0
    assert failed() == []
    assert count("ticket.erased") == 1
    assert len(notices()) == 1


def test_after_some_tries_it_is_parked_where_people_see_it(
    cast: Cast, ticket_id: int, trouble: Trouble, clock: Clock
) -> None:
    happened("ticket.subject", ticket_id)
    react()
    for wait in LADDER:
        clock.shift(timedelta(seconds=wait))
        react()
    assert trouble.runs == len(LADDER) + 2  # with its batch, alone, and by the ladder
    clock.shift(timedelta(days=2))
    react()
    assert trouble.runs == len(LADDER) + 2  # with its batch, alone, and by the ladder
    with ext.session() as session:
        [row] = parked(session)
    trouble.broken = False
    with ext.write() as session:
        unpark(session, row.id, at=now())
    react()
    assert failed() == []


def test_every_reaction_is_named_once_and_for_a_known_event() -> None:
    for kind, named in REACTIONS.items():
        assert kind in KINDS
        assert len({reaction.__name__ for reaction in named}) == len(named)


def test_roles_are_the_roles_of_accounts() -> None:
    assert {"agent", "supervisor", "admin"} == set(Role)
