"""What the distribution costs: as much as there are waiting calls and free agents, whatever the
base holds."""

import time_machine

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.calls import distribution, waits, watch
from helpdesk.calls.models import Call
from helpdesk.lib.clock import now
from tests.calls import desk
from tests.calls.desk import distribute, on, rings, talk
from tests.cast import Cast
from tests.test_query_plans import PG_SCAN, SQLITE_SCAN, Statement, caught, plans

TABLES = {"call", "call_leg", "call_command", "call_event", "event", "offer", "task", "ticket"}


def whole_tables(statements: list[Statement]) -> list[str]:
    """Statements that read a whole table that grows with the calls."""
    pattern = SQLITE_SCAN if ext.is_sqlite(ext.db.engine) else PG_SCAN
    return [
        f"{statement}\n{plan}"
        for statement, plan in plans(statements)
        if {match["table"] for match in pattern.finditer(plan)} & TABLES
    ]


def test_every_step_of_the_distribution_finds_its_rows_by_an_index(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    callers = [desk.waits(cast.support.id, f"+3806711122{n:02}") for n in range(4)]
    with ext.write() as session:
        on(session, cast.alice.id)
        on(session, cast.sam.id)
    with caught() as statements:
        with ext.session() as session:
            assert distribution.due(session, now())
        assert distribute() == 2
        phone = talk(callers[0], cast.alice.id)
        phone.state(desk.LegState.COMPLETED)
        clock.shift(30)
        assert distribute() == 1
        with ext.write() as session:
            presence.seen(session, cast.alice.id, now())
            waits.estimate(session, session.get_one(Call, callers[3].call_id), now())
            waits.error(session, now())
        callers[1].hang_up()
        clock.shift(60)
        with ext.session() as session:
            assert watch.due(session, now())
        assert desk.sweep() > 0
    assert whole_tables(statements) == []
    indexes = "\n".join(plan for statement, plan in plans(statements) if "FROM call" in statement)
    assert "ix_call_waiting" in indexes


def test_waiting_calls_that_nobody_can_take_cost_no_statements(cast: Cast) -> None:
    counts = []
    for number, more in enumerate((3, 30)):
        for n in range(more):
            desk.waits(cast.support.id, f"+38067111{number}{n:03}", skill="repair")
        with ext.write() as session:
            on(session, cast.alice.id)
        caller = desk.waits(cast.support.id)
        with caught() as statements:
            assert distribute() == 1
        counts.append(len(statements))
        assert rings(cast.alice.id).offer.call_id == caller.call_id
        caller.hang_up()
    assert counts[0] == counts[1] <= 40, counts
