"""Reads of the outbox: for the ticket, the catcher and the metrics, each by an index."""

import pytest
from flask import Flask
from sqlalchemy import Select, select, text

from helpdesk import ext
from helpdesk.lib.errors import NotFound
from helpdesk.outbox import queries
from helpdesk.outbox.models import Outgoing
from helpdesk.outbox.sending import _due, send_due
from helpdesk.reactions import react
from helpdesk.reactions.loop import _due_repeats
from tests.outbox.conftest import Answer, OpenTicket
from tests.relay import Mood, Relay


def test_the_ticket_sees_what_became_of_its_answers(
    relay: Relay, ask: OpenTicket, answer: Answer
) -> None:
    ticket_id = ask()
    first, second = answer(ticket_id), answer(ticket_id)
    react()
    with ext.session() as session:
        assert queries.waiting(session) == 2
    relay.mood = Mood.NEVER
    send_due()
    with ext.session() as session:
        found = queries.of_messages(session, [first, second, 999])
        assert {key: row.state for key, row in found.items()} == {first: "failed", second: "failed"}
        assert queries.waiting(session) == 0


def test_an_email_that_is_not_there_is_not_found(app: Flask) -> None:
    with ext.session() as session, pytest.raises(NotFound):
        queries.outgoing_for(session, 1)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (_due(), "ix_outgoing_due"),
        (_due_repeats(5), "ix_failed_reaction_due"),
        (select(Outgoing).where(Outgoing.message_id.in_([1, 2])), "ix_outgoing_message"),
    ],
)
@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_what_is_due_is_found_by_index(app: Flask, query: Select[Outgoing], index: str) -> None:
    with ext.session() as session:
        dialect = session.get_bind().dialect
        sql = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {sql}")).all()
    assert any(f"USING INDEX {index}" in row[3] for row in plan)
    assert not any("SCAN" in row[3] for row in plan)
