"""The work report: every number is as long as its list, agents are held against the norms."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.accounts.models import ReportScope, Team, User
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import HelpdeskError
from helpdesk.reports.asking import asked
from helpdesk.reports.names import MEASURES, REPORTS
from helpdesk.reports.sheet import Ask, Cell, Line, Measure, Report, Table, Unit
from helpdesk.reports.work.agents import TOO_FEW, TOO_MANY, Agent
from helpdesk.reports.work.findings import findings
from helpdesk.reports.work.flow import Flow
from helpdesk.reports.work.report import LISTS, report
from helpdesk.tickets.models import Queue
from tests.cast import Cast
from tests.test_query_plans import caught, whole_tables
from tests.tickets.lives import ACTS, live

HOUR = 60
KYIV = ZoneInfo("Europe/Kyiv")
ADDRESS = {"from": "2026-11-09", "to": "2026-11-23"}


def ask(session: Session, user: User, args: dict[str, str]) -> Ask:
    """As an address asks, with the rights of this user."""
    user = session.merge(user)
    return asked(args, user=user, queue_ids=None, zone=KYIV, at=now(), language="en")


@pytest.fixture
def lives(cast: Cast) -> None:
    """Twenty tickets with lives drawn by chance."""
    pick = random.Random(7)
    with ext.write() as session:
        for number in range(20):
            begun = now() - timedelta(minutes=pick.randrange(HOUR, 20 * 24 * HOUR))
            left = int((now() - begun).total_seconds() // 60)
            acts = [("give alice", 1)] if number % 3 else []
            while (minutes := pick.randrange(2 * 24 * HOUR)) <= left - HOUR and len(acts) < 7:
                acts.append((pick.choice(ACTS), minutes))
                left -= minutes
            queue = cast.support.id if number % 2 else cast.billing.id
            live(session, cast, begun, acts, queue)


def cells(found: Report) -> Iterator[tuple[Measure, Cell]]:
    yield from found.tiles
    for table in found.tables:
        for line in (*table.lines, *([table.total] if table.total else [])):
            assert len(line.cells) == len(table.measures)
            yield from zip(table.measures, line.cells, strict=True)


def table_of(found: Report, key: str) -> Table:
    (table,) = (table for table in found.tables if table.key == key)
    return table


def line_of(table: Table, key: Any) -> Line:
    (line,) = (line for line in table.lines if line.key == key)
    return line


def test_numbers_lists_totals_and_rights_agree(cast: Cast, lives: None) -> None:
    every_number_is_as_long_as_the_list_behind_it(cast)
    lines_add_up_to_the_total_and_each_is_the_report_of_its_part(cast)
    an_agent_sees_their_own_work_only(cast)
    a_team_sees_its_people_and_the_queues_that_are_its(cast)


def every_number_is_as_long_as_the_list_behind_it(cast: Cast) -> None:
    seen: dict[tuple[Any, ...], int] = {}
    with ext.session() as session:
        for by in ("day", "queue", "agent", "team", "slot"):
            args = ADDRESS | {"by": by}
            for measure, cell in cells(report(session, ask(session, cast.sam, args))):
                if cell.link is None or cell.link[0] not in LISTS or measure.unit != Unit.COUNT:
                    continue
                name, narrowed = cell.link
                key = (name, *sorted(narrowed.items()))
                if key not in seen:
                    behind = LISTS[name].ids(session, ask(session, cast.sam, args | dict(narrowed)))
                    seen[key] = len(behind)
                assert seen[key] == cell.value, (measure.key, cell)
    assert sum(seen.values()) > 50


def lines_add_up_to_the_total_and_each_is_the_report_of_its_part(cast: Cast) -> None:
    with ext.session() as session:
        args = ADDRESS | {"by": "queue"}
        whole = report(session, ask(session, cast.sam, args))
        flow = table_of(whole, "flow")
        assert flow.total is not None
        for column, total in enumerate(flow.total.cells):
            assert sum(line.cells[column].value or 0 for line in flow.lines) == total.value
        for line in flow.lines:
            part = report(session, ask(session, cast.sam, args | dict(line.link or {})))
            assert [cell.value for _m, cell in part.tiles[:5]] == [c.value for c in line.cells]
        every = table_of(whole, "ages")
        assert every.total is not None
        assert every.total.cells[0].value == flow.total.cells[4].value
        assert sum(line.cells[1].value or 0 for line in every.lines) == pytest.approx(1)


def test_too_many_and_too_few_are_said_in_words(cast: Cast) -> None:
    with ext.write() as session:
        settings.put(session, "norm_least", 1)
        settings.put(session, "norm_most", 2)
        for _number in range(3):
            live(session, cast, now() - timedelta(hours=2), [("give alice", 5)])
    with ext.session() as session:
        found = report(session, ask(session, cast.sam, ADDRESS))
        agents = table_of(found, "agents")
        in_work = {line.key: line.cells[0] for line in agents.lines}
        assert in_work[cast.alice.id].word == TOO_MANY
        assert in_work[cast.bob.id].word == TOO_FEW
        assert in_work[cast.bob.id].value == 0
        assert cast.sam.id not in in_work, "supervisors have no norm and no line without tickets"
        names = [params["names"] for _text, params in found.findings if "names" in params]
        assert names == ["Alice", "Bob"]

        partly = report(session, ask(session, cast.sam, ADDRESS | {"queue": "1"}))
        words = [line.cells[0].word for line in table_of(partly, "agents").lines]
        assert set(words) == {None}, "of a part of the tickets nothing can be said"


def an_agent_sees_their_own_work_only(cast: Cast) -> None:
    with ext.session() as session:
        mine = report(session, ask(session, cast.alice, ADDRESS))
        sams = report(session, ask(session, cast.sam, ADDRESS | {"agent": str(cast.alice.id)}))
        assert [cell.value for _m, cell in mine.tiles] == [cell.value for _m, cell in sams.tiles]
        assert [line.key for line in table_of(mine, "agents").lines] == [cast.alice.id]
        others = report(session, ask(session, cast.alice, ADDRESS | {"agent": str(cast.bob.id)}))
        assert table_of(others, "agents").lines == ()
        assert {cell.value for _m, cell in others.tiles} == {0}


def a_team_sees_its_people_and_the_queues_that_are_its(cast: Cast) -> None:
    with ext.write() as session:
        team = Team(name="Money", sort_key=sort_key("Money"), created_at=now())
        session.add(team)
        session.flush()
        session.get_one(Queue, cast.billing.id).team_id = team.id
        session.get_one(User, cast.bob.id).team_id = team.id
        sam = session.get_one(User, cast.sam.id)
        sam.reports, sam.team_id = ReportScope.TEAM, team.id
        team_id = team.id
    with ext.session() as session:
        found = report(session, ask(session, session.get_one(User, cast.sam.id), ADDRESS))
        everything = report(session, ask(session, cast.ada, ADDRESS | {"by": "team"}))
        line = line_of(table_of(everything, "flow"), team_id)
        assert [cell.value for _m, cell in found.tiles[:5]] == [c.value for c in line.cells]
        assert 0 < (found.tiles[0][1].value or 0) < (everything.tiles[0][1].value or 0)


def test_a_growing_backlog_and_a_bottleneck_are_named(cast: Cast) -> None:
    start = now() - timedelta(days=9)
    with ext.write() as session:
        for _number in range(20):
            live(session, cast, start - timedelta(days=9), [])
        for number in range(25):
            begun = start + timedelta(hours=number)
            live(session, cast, begun, [("be open", 5), ("be pending", 300)], cast.billing.id)
            live(session, cast, begun, [("be open", 5), ("be resolved", 30)])
    with ext.session() as session:
        found = report(session, ask(session, cast.sam, ADDRESS))
        told = [text % params for text, params in found.findings]
        assert told[0] == "The backlog grew from 20 to 45."
        assert told[1] == (
            "Bottleneck: Billing, while in work. The median is 900 % above all queues’."
        )
        days = table_of(found, "flow")
        assert [line.key for line in days.lines][0] == date(2026, 11, 9)
        assert days.lines[-1].cells[4].before == 20


def test_wrong_options_are_told(cast: Cast) -> None:
    with ext.session() as session:
        for name, args in (
            ("work_active", {"age": "old"}),
            ("work_active", {"status": "resolved"}),
            ("work_stays", {"lay_in": "x" * 100}),
            ("work_staying", {"lay_in": "9" * 100}),
        ):
            with pytest.raises(HelpdeskError) as told:
                LISTS[name].ids(session, ask(session, cast.sam, ADDRESS | args))
            assert told.value.field in args
        with pytest.raises(HelpdeskError):
            report(session, ask(session, cast.sam, ADDRESS | {"by": "colour"}))


def test_the_report_takes_few_statements_and_has_its_definitions(cast: Cast) -> None:
    with ext.session() as session:
        wanted = ask(session, cast.sam, ADDRESS)
        with caught() as statements:
            found = report(session, wanted)
        assert len(statements) <= 7  # with BEGIN
        assert whole_tables(statements) == []
        assert {measure.key for measure, _cell in cells(found)} <= MEASURES.keys()
        assert REPORTS["work"].make is report


def test_whose_calls_take_longest_is_said_of_enough_calls() -> None:
    def told(*minutes: tuple[str, int, int]) -> list[str]:
        calls: list[Any] = [SimpleNamespace(work=60.0 * talk) for _name, talk, _count in minutes]
        people = [
            Agent(id_, name, 5, None, {}, [calls[id_]] * count)
            for id_, (name, _talk, count) in enumerate(minutes)
        ]
        found = findings(Flow(), Flow(), {}, {}, people)
        return [text % params for text, params in found]

    crowd = [(f"Agent {number}", 5, 12) for number in range(9)]
    (one,) = told(*crowd, ("Slow", 20, 12))
    assert one.startswith("Longest calls: Slow. The mean is 208 % above")
    assert told(*crowd, ("Rare", 20, 9)) == []
    assert told(*crowd, ("Usual", 6, 12)) == []
    assert told(("Alone", 20, 12)) == [] and told(*[("Mute", 0, 12)] * 2) == []
