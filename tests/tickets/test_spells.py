"""Spells tile the life of a ticket and say the same as its Events."""

from collections.abc import Sequence
from datetime import timedelta
from importlib import util
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.tickets.models import DONE, Ticket
from helpdesk.tickets.spells import Came, Spell
from tests.cast import Cast
from tests.test_query_plans import caught
from tests.tickets.lives import ACTS, do, live

COLUMNS = ("queue_id", "assignee_id", "status", "came", "actor_id", "from_at", "to_at", "seconds")


def spells_of(session: Session, ticket_id: int) -> list[Spell]:
    query = select(Spell).where(Spell.ticket_id == ticket_id).order_by(Spell.id)
    return list(session.scalars(query))


def told_by_events(app: Flask, session: Session, ticket: Ticket) -> list[dict[str, Any]]:
    """The spells that the migration fills in for a ticket that was there before."""
    (path,) = Path(app.config["MIGRATIONS_DIR"]).glob("versions/0004_*.py")
    spec = util.spec_from_file_location("migration_of_spells", path)
    assert spec is not None
    assert spec.loader is not None
    migration = util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    kinds = ("ticket.status", "ticket.queue", "ticket.assigned")
    events = select(Event).where(Event.ticket_id == ticket.id, Event.kind.in_(kinds))
    found: list[dict[str, Any]] = migration._spells(
        ticket, session.scalars(events.order_by(Event.id)).all()
    )
    return found


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 3000)), max_size=10))
def test_any_life_is_tiled_by_spells_that_agree_with_its_events(
    app: Flask, cast: Cast, acts: Sequence[tuple[str, int]]
) -> None:
    with ext.write() as session:
        ticket_id = live(session, cast, now(), acts)
        session.expire_all()
        ticket, spells = session.get_one(Ticket, ticket_id), spells_of(session, ticket_id)

        assert spells[0].from_at == ticket.created_at
        assert spells[0].came == Came.OPENED
        assert [one.to_at for one in spells[:-1]] == [one.from_at for one in spells[1:]]
        assert spells[-1].to_at is None
        assert all(one.seconds == (one.to_at - one.from_at).total_seconds()
                   for one in spells if one.to_at)  # fmt: skip
        last = spells[-1]
        assert (last.queue_id, last.assignee_id, last.status) == (
            ticket.queue_id, ticket.assignee_id, ticket.status,
        )  # fmt: skip
        assert (ticket.done_at is None) == (last.status not in DONE)
        for one, other in pairwise(spells):
            ended = one.status in DONE, other.status in DONE
            assert (other.came == Came.DONE) == (ended == (False, True))
            assert (other.came == Came.REOPENED) == (ended == (True, False))

        told = told_by_events(app, session, ticket)
        written = [{name: getattr(one, name) for name in COLUMNS} for one in spells]
        assert [{name: one[name] for name in COLUMNS} for one in told] == written


def test_a_transfer_and_who_made_it_are_told_apart_from_taking(cast: Cast) -> None:
    acts = ["give alice", "to billing", "give bob", "give nobody", "client writes"]
    with ext.write() as session:
        ticket_id = live(session, cast, now(), [(act, 5) for act in acts])
        spells = spells_of(session, ticket_id)
        assert [one.came for one in spells] == [
            Came.OPENED, Came.TAKEN, Came.QUEUE, Came.PASSED, Came.DROPPED,
        ]  # fmt: skip
        assert {one.actor_id for one in spells[1:]} == {cast.alice.id}


def test_a_clock_set_back_makes_no_stay_shorter_than_nothing(cast: Cast) -> None:
    with ext.write() as session:
        ticket_id = live(session, cast, now(), [("be open", 10)])
        do(session, cast, ticket_id, "be resolved", now() - timedelta(hours=1))
        first, second, third = spells_of(session, ticket_id)
        assert (second.seconds, third.from_at) == (0, first.to_at)


@pytest.mark.parametrize(("act", "most"), [("be open", 3), ("give alice", 3), ("to billing", 3)])
def test_a_change_costs_three_statements_on_spells(cast: Cast, act: str, most: int) -> None:
    """The running one is read and ended, the next one begins; opening is one statement."""
    with ext.write() as session:
        with caught() as opening:
            ticket_id = live(session, cast, now(), [])
        with caught() as changing:
            do(session, cast, ticket_id, act, now())
    assert len([one for one, _values in opening if "ticket_spell" in one]) == 1
    assert len([one for one, _values in changing if "ticket_spell" in one]) == most
