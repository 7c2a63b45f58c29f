"""A desk with truths built into it: each report finds its own, and every number is recounted."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from benchmarks.desk import plan as desk
from benchmarks.desk import (
    recount,
    recount_calls,
    recount_causes,
    recount_knowledge,
    recount_now,
    recount_voice,
    recount_work,
)
from benchmarks.desk.load import fill
from benchmarks.desk.plan import ZONE, Plan
from benchmarks.desk.raw import Raw
from benchmarks.desk.recount import Book, Days, Desk
from benchmarks.desk.stage import Stage
from helpdesk import ext
from helpdesk.accounts.models import Role, User
from helpdesk.app import create_app
from helpdesk.reports import statements
from helpdesk.reports.asking import asked
from helpdesk.reports.filters import Filters
from helpdesk.reports.names import LISTS, REPORTS
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Scope
from helpdesk.reports.sheet import Ask, Cell, Measure, Report, Table, Unit
from helpdesk.reports.snapshot import snapshot
from helpdesk.reports.statements import Subject
from helpdesk.tickets import escalation
from helpdesk.tickets.sla import recount_due
from tests.conftest import NOON, Template, make_config, migrate, pg_url

FEW = 5
SOME_CUTS = ("team", "organisation", "reason", "week", "slot")
BOARD = (
    *("open", "unassigned", "unanswered", "due", "breached", "callbacks", "late_callbacks"),
    *("quick", "counted"),
)
PLAN = Plan(tickets=700, at=NOON)
PERIOD = Period(date(2026, 10, 19), date(2026, 11, 23), ZONE)
"""Five weeks with the night of the repeated hour, the change of the calendar and the defect."""

WHOLE = Period(PLAN.first_day, PERIOD.last, ZONE)


@dataclass(frozen=True)
class Shop:
    """The desk in a database, its reports, and the raw rows."""

    stage: Stage
    desk: Desk
    admin: User

    def ask(self, period: Period = PERIOD, **args: str) -> Ask:
        return Ask(period, Filters(), Scope(), PLAN.at, "en", args)

    def narrowed(self, ask: Ask, args: Mapping[str, str]) -> Ask:
        """As an address asks that has these arguments too."""
        address = {**ask.period.query(), **ask.args, **args}
        return asked(
            address, user=self.admin, queue_ids=None, zone=ZONE, at=ask.at, language=ask.language
        )

    def report(self, name: str, ask: Ask) -> Report:
        with ext.session() as session:
            return REPORTS[name].make(session, ask)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest,
    templates: dict[str, Template],
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Iterator[Shop]:
    """Shared by the tests of this module: they only read."""
    folder = tmp_path_factory.mktemp("truths")
    template = templates[request.param]
    if template.kind == "sqlite":
        shutil.copy(template.source, folder / "helpdesk.db")
        config = make_config(folder)
    else:
        name = f"truths_{worker_id}"
        with psycopg.connect(pg_url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        config = make_config(folder, pg_url(name))
        migrate(config)
    app = create_app(config)
    with app.app_context():
        with ext.write() as session:
            stage = fill(session, PLAN)
        with ext.session() as session:
            admin = session.scalars(select(User).where(User.role == Role.ADMIN)).one()
            session.expunge(admin)
        raw = ext.db.engine.raw_connection()
        yield Shop(stage, Desk(Raw(raw), PLAN.at, ZONE), admin)
        raw.close()
        ext.db.engine.dispose()


def test_the_product_finds_nothing_left_to_do(shop: Shop) -> None:
    """The generated clocks are as the worker would have left them."""
    with ext.session() as session:
        assert escalation.sweep(session, PLAN.at) == 0
        assert recount_due(session, PLAN.at) == 0


def test_spells_are_those_that_the_log_tells(shop: Shop) -> None:
    """As the migration makes them of the Events."""
    told: dict[int, list[Any]] = defaultdict(list)
    for event in shop.desk.raw.event:
        told[event.ticket_id].append(event)
    stored: dict[int, list[Any]] = defaultdict(list)
    for row in shop.desk.raw.ticket_spell:
        stored[row.ticket_id].append(row)
    migration = import_module("migrations.versions.0004_reports")
    for ticket in shop.desk.raw.ticket:
        events = sorted(told[ticket.id], key=lambda event: event.id)
        spells = migration._spells(ticket, events)
        assert [vars(row) | {"id": None} for row in stored[ticket.id]] == [
            spell | {"id": None} for spell in spells
        ]


def test_every_number_of_the_sla_report_is_recounted(shop: Shop) -> None:
    for cut in REPORTS["sla"].cuts:
        same(shop, "sla", cut, recount.sla)


def test_every_number_of_the_telephone_is_recounted(shop: Shop) -> None:
    for cut in REPORTS["calls"].cuts:
        same(shop, "calls", cut, recount_calls.calls)


def test_every_number_of_the_work_report_is_recounted(shop: Shop) -> None:
    first, *others = REPORTS["work"].cuts
    same(shop, "work", first, recount_work.work)
    for cut in others:
        same(shop, "work", cut, recount_work.flow, only="flow")


def test_every_number_of_the_causes_is_recounted(shop: Shop) -> None:
    same(shop, "causes", "", recount_causes.causes)


def test_every_number_of_the_satisfaction_is_recounted(shop: Shop) -> None:
    for cut in REPORTS["satisfaction"].cuts:
        same(shop, "satisfaction", cut, recount_voice.voice)


def test_every_number_of_the_knowledge_base_is_recounted(shop: Shop) -> None:
    for cut in REPORTS["knowledge"].cuts:
        same(shop, "knowledge", cut, recount_knowledge.knowledge)


def test_every_number_of_the_wallboard_is_recounted(shop: Shop) -> None:
    with ext.session() as session:
        found = snapshot(session, Scope(), at=PLAN.at, zone=ZONE)
    shown = {("all", 0): found.total}
    shown |= {("queue", id_): numbers for id_, numbers in found.queues.items()}
    shown |= {("team", id_): numbers for id_, numbers in found.teams.items()}
    recounted = recount_now.board(shop.desk)
    for part, some in shown.items():
        served = {"quick": some.served.quick, "counted": some.served.counted}
        numbers = {**vars(some), **served}
        expected = recounted[part]
        wrong = {name: numbers[name] for name in BOARD if numbers[name] != expected[name]}
        assert not wrong, f"{part}: {wrong} is {dict(expected)}"
        assert numbers["oldest"] == expected.get("oldest")


def test_every_number_of_the_statements_is_recounted(shop: Shop) -> None:
    days = Days(date(2026, 10, 1), date(2026, 10, 31), ZONE)
    with ext.session() as session:
        organisations = [row.id for row in shop.desk.raw.client if row.kind == "organisation"]
        counted = 0
        for client in organisations:
            for policy in shop.stage.after.by_id:
                total = statements.count(session, Subject(client, policy, "2026-10"), PLAN.at).total
                expected = recount_now.statement(shop.desk, client, policy, days)
                counted += total.counted
                assert {name: getattr(total, name) for name in expected} == expected
    assert counted > 50


def test_each_count_is_as_long_as_the_list_behind_it(shop: Shop) -> None:
    with ext.session() as session:
        for name in REPORTS:
            ask = shop.ask()
            for table, key, measure, cell in numbers(REPORTS[name].make(session, ask), 3):
                if cell.link is None or measure.unit != Unit.COUNT or not cell.value:
                    continue
                listed, args = cell.link
                found = LISTS[listed].ids(session, shop.narrowed(ask, args))
                where = f"{name}: {table.key}/{key}/{measure.key}"
                assert len(found) == cell.value, f"{where}: {cell.value} but {len(found)} listed"


def test_a_report_narrowed_to_a_part_has_the_numbers_of_that_part(shop: Shop) -> None:
    for name, table_key in (("sla", "all"), ("work", "flow"), ("calls", "calls")):
        for cut in REPORTS[name].cuts if name == "sla" else SOME_CUTS:
            ask = shop.ask(by=cut)
            table = _table(shop.report(name, ask), table_key)
            line = max(table.lines, key=lambda line: line.cells[0].value or 0)
            narrowed = _table(shop.report(name, shop.narrowed(ask, line.link or {})), table_key)
            assert narrowed.total is not None
            whole = [cell.value for cell in narrowed.total.cells]
            assert whole == [cell.value for cell in line.cells], f"{name} by {cut}: {line.key}"


def test_rights_narrow_as_filters_do(shop: Shop) -> None:
    team = shop.desk.team_of_queue[shop.stage.queues[desk.BOTTLENECK]]
    agent = shop.stage.agents[desk.SLOW]
    for scope, cut, part in (
        (Scope(team_id=team), "team", team),
        (Scope(user_id=agent), "agent", agent),
    ):
        for name, key in (("sla", "all"), ("work", "flow"), ("calls", "calls")):
            whole = _table(shop.report(name, replace(shop.ask(), scope=scope)), key).total
            lines = _table(shop.report(name, shop.ask(by=cut)), key).lines
            line = next(line for line in lines if line.key == part)
            assert whole is not None
            assert [cell.value for cell in whole.cells] == [cell.value for cell in line.cells]


def test_the_slow_agent_keeps_the_fewest_promises(shop: Shop) -> None:
    table = _table(shop.report("sla", shop.ask(by="agent")), "all")
    assert _lowest(table, "sla_share", "sla_tickets") == shop.stage.agents[desk.SLOW]


def test_the_slow_agent_has_the_longest_calls(shop: Shop) -> None:
    table = _table(shop.report("calls", shop.ask(WHOLE, by="agent")), "handling")
    assert _highest(table, "calls_aht", "calls_handled", few=1) == shop.stage.agents[desk.SLOW]


def test_promises_are_broken_where_tickets_lie_longest(shop: Shop) -> None:
    table = _table(shop.report("sla", shop.ask(by="queue")), "all")
    assert _lowest(table, "sla_share", "sla_tickets") == shop.stage.queues[desk.BOTTLENECK]


def test_the_bottleneck_is_where_tickets_lie_longest_in_work(shop: Shop) -> None:
    report = shop.report("work", shop.ask())
    queue = shop.stage.queues[desk.BOTTLENECK]
    for state in ("new", "open"):
        assert _highest(_table(report, state), "work_stay_median", "work_stays") == queue
    assert any(
        desk.BOTTLENECK in str(told["name"]) for _, told in report.findings if "name" in told
    )


def test_the_product_that_began_to_fail_grew_most(shop: Shop) -> None:
    report = shop.report("causes", shop.ask())
    reasons, products = _table(report, "reasons"), _table(report, "products")
    product = shop.stage.products[desk.DEFECT]
    assert _highest(products, "causes_change", "causes_tickets") == product
    assert _highest(reasons, "causes_tickets", "causes_tickets") == shop.stage.fault
    told = [str(told["part"]) for _, told in report.findings if "day" in told]
    assert desk.PRODUCTS[desk.DEFECT] in told[0]


def test_the_weeks_show_when_the_product_began_to_fail(shop: Shop) -> None:
    table = _table(shop.report("causes", shop.ask()), "products")
    weeks = [one.key for one in table.measures if one.key.startswith("causes_week:")]
    counts = {key: _values(table, key)[shop.stage.products[desk.DEFECT]] for key in weeks}
    began = f"causes_week:{PLAN.defect_day - timedelta(days=PLAN.defect_day.weekday())}"
    full = weeks[:-1]  # the last one has just begun
    assert min(counts[one] for one in full if one > began) > max(
        counts[one] for one in full if one < began
    )


def test_three_of_a_hundred_calls_are_refusals_over_the_price(shop: Shop) -> None:
    table = _table(shop.report("causes", shop.ask(WHOLE)), "refusals")
    refused = _values(table, "causes_refused")
    assert max(refused, key=refused.__getitem__) == shop.stage.price
    share = _values(table, "causes_of_wrapped")[shop.stage.price]
    assert share == pytest.approx(desk.REFUSALS, abs=0.012)


def test_clients_of_the_slow_agent_are_least_satisfied(shop: Shop) -> None:
    table = _table(shop.report("satisfaction", shop.ask(by="agent")), "satisfaction")
    assert _lowest(table, "voice_mean", "voice_ratings") == shop.stage.agents[desk.SLOW]


def test_the_night_with_an_hour_twice_has_both(shop: Shop) -> None:
    night = date(2026, 10, 25)
    begin = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 03:00 in Kyiv, which comes again
    opened = [row.created_at for row in shop.desk.tickets.values()]
    twice = sum(begin <= at < begin + timedelta(hours=2) for at in opened)
    whole = sum(night == at.astimezone(ZONE).date() for at in opened)
    table = _table(shop.report("sla", shop.ask(Period(night, night, ZONE), by="slot")), "all")
    assert twice >= 3
    assert _values(table, "sla_tickets")["sun-03"] == twice
    assert sum(_values(table, "sla_tickets").values()) == whole


def _table(report: Report, key: str) -> Table:
    return next(table for table in report.tables if table.key == key)


def _values(table: Table, measure: str) -> dict[Any, float]:
    """The numbers of a measure by line, where there are any."""
    column = [one.key for one in table.measures].index(measure)
    found = {line.key: line.cells[column].value for line in table.lines}
    return {key: value for key, value in found.items() if value is not None}


def _highest(table: Table, measure: str, size: str, few: int = FEW) -> Any:
    """The line with the highest number, of those that count enough to tell."""
    sizes, found = _values(table, size), _values(table, measure)
    return max((key for key in found if key and sizes[key] >= few), key=found.__getitem__)


def _lowest(table: Table, measure: str, size: str) -> Any:
    sizes, found = _values(table, size), _values(table, measure)
    return min((key for key in found if key and sizes[key] >= FEW), key=found.__getitem__)


Recounts = Callable[[Desk, Days, str], Book]


def same(shop: Shop, name: str, cut: str, recounted: Recounts, only: str | None = None) -> None:
    """The report divided by `cut` has exactly the numbers of the recount, also those of before."""
    report = shop.report(name, shop.ask(by=cut, lines="all"))
    if only is not None:
        report = replace(report, tables=(_table(report, only),))
    days = Days(PERIOD.first, PERIOD.last, ZONE)
    book, earlier = recounted(shop.desk, days, cut), recounted(shop.desk, days.before(), cut)
    found = [*_wrong(report, book), *_left_out(report, book)]
    found += _wrong_before(report, earlier)
    assert not found, f"{name} by {cut}: {len(found)} differ, e.g. {found[:6]}"


def numbers(report: Report, most: int | None = None) -> Iterator[tuple[Table, Any, Measure, Cell]]:
    """Every number of the first lines of each table, and of its total."""
    for table in report.tables:
        for line in (*table.lines[:most], *([table.total] if table.total else [])):
            for measure, cell in zip(table.measures, line.cells, strict=True):
                yield table, line.key, measure, cell


def _wrong(report: Report, book: Book) -> Iterator[str]:
    for table, key, measure, cell in numbers(report):
        nothing = 0 if measure.unit == Unit.COUNT else None
        expected = book.get((table.key, key, measure.key), nothing)
        if not _equal(cell.value, expected):
            yield f"{table.key}/{key}/{measure.key}: {cell.value} is {expected}"


def _wrong_before(report: Report, book: Book) -> Iterator[str]:
    for table, key, measure, cell in numbers(report):
        if isinstance(key, date) or table.cut in ("day", "week"):
            continue  # compared with another day
        expected = book.get((table.key, key, measure.key))
        if cell.before is not None and not _equal(cell.before, expected or 0):
            yield f"before {table.key}/{key}/{measure.key}: {cell.before} is {expected}"


def _left_out(report: Report, book: Book) -> Iterator[str]:
    """Parts of the recount that the report doesn't show."""
    shown = {(table.key, key, measure.key) for table, key, measure, _ in numbers(report)}
    tables = {table.key for table in report.tables if not table.more}
    measured = {(table, measure) for table, _, measure in shown}
    for (table, key, measure), value in book.items():
        known = value and table in tables and (table, measure) in measured
        if known and (table, key, measure) not in shown:
            yield f"{table}/{key}/{measure} is {value} and isn't there"


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one == other
    return one == pytest.approx(other, rel=1e-9)
