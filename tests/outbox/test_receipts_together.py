"""Receipts of many tickets at once: the same as one by one, at a price that doesn't multiply."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from sqlalchemy import event as hooks
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.clients.match import Known, find_or_create
from helpdesk.events import Event, record
from helpdesk.lib.clock import now
from helpdesk.outbox import actions as outbox
from helpdesk.outbox.models import Outgoing, OutgoingKind
from helpdesk.reactions import react
from helpdesk.reactions.models import FailedReaction
from helpdesk.reactions.table import REACTIONS, TOGETHER
from helpdesk.tickets import actions
from helpdesk.tickets.models import Ticket
from tests.cast import Cast
from tests.outbox.conftest import OpenTicket


def people(count: int, language: str | None = "en") -> list[Known]:
    with ext.write() as session:
        return [
            find_or_create(
                session,
                email=f"client{n}@elsewhere.example",
                name=f"Client {n}",
                language=language,
                at=now(),
            )
            for n in range(count)
        ]


def receipts() -> list[Outgoing]:
    query = select(Outgoing).where(Outgoing.kind == OutgoingKind.RECEIPT).order_by(Outgoing.id)
    with ext.session() as session:
        return list(session.scalars(query))


def outcomes() -> list[tuple[int | None, str, str | None]]:
    query = select(Event).where(Event.kind.in_(("receipt.sent", "receipt.refused")))
    with ext.session() as session:
        rows = session.scalars(query.order_by(Event.id))
        return [(row.ticket_id, row.kind, row.data.get("reason")) for row in rows]


@contextmanager
def reads() -> Iterator[list[str]]:
    """The SELECTs that are sent to the database inside."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            sent.append(statement)

    hooks.listen(ext.db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        hooks.remove(ext.db.engine, "before_cursor_execute", note)


def test_a_batch_of_tickets_gets_its_receipts_in_their_order(ask: OpenTicket) -> None:
    tickets = [
        ask(who=who, receipt=True, message_id=f"{n}@client.example")
        for n, who in enumerate(people(7))
    ]
    react()
    rows = receipts()
    assert [row.ticket_id for row in rows] == tickets
    assert [row.to_address for row in rows] == [f"client{n}@elsewhere.example" for n in range(7)]
    assert [row.in_reply_to for row in rows] == [f"{n}@client.example" for n in range(7)]
    with ext.session() as session:
        for row, ticket_id in zip(rows, tickets, strict=True):
            number = session.get_one(Ticket, ticket_id).number
            assert number in row.subject
            assert number in row.text
    assert outcomes() == [(ticket_id, "receipt.sent", None) for ticket_id in tickets]


def test_tickets_of_one_sender_in_one_batch_count_for_each_other(ask: OpenTicket) -> None:
    [who] = people(1)
    first, second, third = (ask(who=who, receipt=True) for _ in range(3))
    react()
    assert [row.ticket_id for row in receipts()] == [first]
    assert outcomes() == [
        (first, "receipt.sent", None),
        (second, "receipt.refused", "hour_limit"),
        (third, "receipt.refused", "hour_limit"),
    ]


def test_one_that_may_not_have_a_receipt_leaves_the_others_theirs(
    ask: OpenTicket, cast: Cast
) -> None:
    [before, after] = people(2)
    with ext.write() as session:
        ours = find_or_create(session, email="billing@example.com", name="B", at=now())
    tickets = [ask(who=who, receipt=True) for who in (before, ours, after)]
    react()
    assert [row.ticket_id for row in receipts()] == [tickets[0], tickets[2]]
    assert outcomes()[1] == (tickets[1], "receipt.refused", "own_address")


def test_each_in_its_own_language(ask: OpenTicket) -> None:
    with ext.write() as session:
        known = [
            find_or_create(
                session, email=f"{code}@elsewhere.example", name="N", language=code, at=now()
            )
            for code in ("en", "uk", "ru")
        ]
    for who in known:
        ask(who=who, receipt=True)
    react()
    assert [row.language for row in receipts()] == ["en", "uk", "ru"]
    assert len({tuple(row.subject.split()[:2]) for row in receipts()}) == 3


def test_many_receipts_read_as_often_as_one(ask: OpenTicket) -> None:
    known = people(9)
    one = ask(who=known[0], receipt=False)
    many = [ask(who=who, receipt=False) for who in known[1:]]
    with ext.write() as session, reads() as for_one:
        outbox.enqueue_receipts(session, {one: None}, at=now())
    with ext.write() as session, reads() as for_many:
        outbox.enqueue_receipts(session, dict.fromkeys(many), at=now())
    assert len(receipts()) == 9
    assert len([s for s in for_many if "pg_advisory" not in s]) <= len(
        [s for s in for_one if "pg_advisory" not in s]
    )


def test_what_fails_beside_them_does_not_double_or_lose_receipts(
    ask: OpenTicket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_session: Session, _event: Event, _at: datetime) -> None:
        raise RuntimeError("no")

    monkeypatch.setitem(REACTIONS, "ticket.subject", [broken])
    known = people(3)
    tickets = [ask(who=known[0], receipt=True), ask(who=known[1], receipt=True)]
    with ext.write() as session:
        record(session, "ticket.subject", ticket_id=tickets[0])
    tickets.append(ask(who=known[2], receipt=True))
    react()
    assert [row.ticket_id for row in receipts()] == tickets
    assert [kind for _, kind, _ in outcomes()] == ["receipt.sent"] * 3
    with ext.session() as session:
        [row] = session.scalars(select(FailedReaction))
        assert row.reaction == "broken"


def test_one_receipt_that_cannot_be_written_costs_only_itself(
    ask: OpenTicket, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = people(3)
    tickets = [ask(who=who, receipt=True) for who in known]
    write = outbox.receipt.write

    def broken(book, facts, *more):  # type: ignore[no-untyped-def]
        if facts.ticket_id == tickets[1]:
            raise RuntimeError("no")
        return write(book, facts, *more)

    monkeypatch.setattr(outbox.receipt, "write", broken)
    react()
    assert [row.ticket_id for row in receipts()] == [tickets[0], tickets[2]]
    with ext.session() as session:
        [row] = session.scalars(select(FailedReaction))
        assert row.reaction == "send_receipt"


def test_the_receipt_stands_before_the_answer(ask: OpenTicket, cast: Cast) -> None:
    ticket_id = ask(who=people(1)[0], receipt=True)
    with ext.write() as session:
        ticket = session.get_one(Ticket, ticket_id)
        actions.reply(session, ticket, "Yes.", user_id=cast.alice.id, at=now())
    react()
    with ext.session() as session:
        kinds = session.scalars(select(Outgoing.kind).order_by(Outgoing.id)).all()
    assert kinds == [OutgoingKind.RECEIPT, OutgoingKind.REPLY]


def test_what_is_done_together_is_in_the_table() -> None:
    listed = {reaction for named in REACTIONS.values() for reaction in named}
    assert set(TOGETHER) <= listed
