"""A desk with truths built into it: each report finds its own, and every number is recounted."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

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
from helpdesk.reports.asking import asked
from helpdesk.reports.contracts import statements
from helpdesk.reports.contracts.statements import Subject
from helpdesk.reports.filters import Filters
from helpdesk.reports.names import LISTS, REPORTS
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Scope
from helpdesk.reports.sheet import Ask, Report, Unit
from helpdesk.reports.wallboard.snapshot import snapshot
from helpdesk.tickets import escalation
from helpdesk.tickets.sla import recount_due
from tests.conftest import NOON, Template, own_database
from tests.reports.recounted import differences, highest, lowest, numbers, table_of, values

WEEKS = (desk.OLD_WEEK, desk.NEW_WEEK)
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
    app = create_app(own_database(template, folder, f"truths_{worker_id}"))
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


def test_the_tiles_are_the_totals_of_the_tables(shop: Shop) -> None:
    for name in REPORTS:
        report = shop.report(name, shop.ask())
        totals: dict[str, float | None] = {}
        for table, key, measure, cell in numbers(report):
            if key is None:
                totals.setdefault(measure.key, cell.value)
                totals.setdefault(f"{measure.key}_{table.key}", cell.value)
        known = [(measure.key, cell) for measure, cell in report.tiles if measure.key in totals]
        assert len(known) > 1
        assert {key: cell.value for key, cell in known} == {key: totals[key] for key, _ in known}


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
            table = table_of(shop.report(name, ask), table_key)
            line = max(table.lines, key=lambda line: line.cells[0].value or 0)
            narrowed = table_of(shop.report(name, shop.narrowed(ask, line.link or {})), table_key)
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
            whole = table_of(shop.report(name, replace(shop.ask(), scope=scope)), key).total
            lines = table_of(shop.report(name, shop.ask(by=cut)), key).lines
            line = next(line for line in lines if line.key == part)
            assert whole is not None
            assert [cell.value for cell in whole.cells] == [cell.value for cell in line.cells]


def test_the_slow_agent_keeps_the_fewest_promises(shop: Shop) -> None:
    table = table_of(shop.report("sla", shop.ask(by="agent")), "all")
    assert lowest(table, "sla_share", "sla_tickets") == shop.stage.agents[desk.SLOW]


def test_the_slow_agent_has_the_longest_calls(shop: Shop) -> None:
    table = table_of(shop.report("calls", shop.ask(WHOLE, by="agent")), "handling")
    assert highest(table, "calls_aht", "calls_handled", few=1) == shop.stage.agents[desk.SLOW]


def test_the_sla_report_says_when_the_calendar_changed(shop: Shop) -> None:
    told = [text % params for text, params in shop.report("sla", shop.ask()).findings]
    day = PLAN.change_at.astimezone(ZONE)
    assert any(f"changed on {day:%-d} {day:%B}" in text for text in told)
    later = Period(PLAN.at.date(), PLAN.at.date(), ZONE)
    assert shop.report("sla", shop.ask(later)).findings == ()


def test_promises_are_broken_where_tickets_lie_longest(shop: Shop) -> None:
    table = table_of(shop.report("sla", shop.ask(by="queue")), "all")
    assert lowest(table, "sla_share", "sla_tickets") == shop.stage.queues[desk.BOTTLENECK]


def test_the_bottleneck_is_where_tickets_lie_longest_in_work(shop: Shop) -> None:
    report = shop.report("work", shop.ask())
    queue = shop.stage.queues[desk.BOTTLENECK]
    for state in ("new", "open"):
        assert highest(table_of(report, state), "work_stay_median", "work_stays") == queue
    assert any(
        desk.BOTTLENECK in str(told["name"]) for _, told in report.findings if "name" in told
    )


def test_the_product_that_began_to_fail_grew_most(shop: Shop) -> None:
    report = shop.report("causes", shop.ask())
    reasons, products = table_of(report, "reasons"), table_of(report, "products")
    product = shop.stage.products[desk.DEFECT]
    assert highest(products, "causes_change", "causes_tickets") == product
    assert highest(reasons, "causes_tickets", "causes_tickets") == shop.stage.fault
    told = [str(told["part"]) for _, told in report.findings if "day" in told]
    assert desk.PRODUCTS[desk.DEFECT] in told[0]


def test_the_weeks_show_when_the_product_began_to_fail(shop: Shop) -> None:
    table = table_of(shop.report("causes", shop.ask()), "products")
    weeks = [one.key for one in table.measures if one.key.startswith("causes_week:")]
    counts = {key: values(table, key)[shop.stage.products[desk.DEFECT]] for key in weeks}
    began = f"causes_week:{PLAN.defect_day - timedelta(days=PLAN.defect_day.weekday())}"
    full = weeks[:-1]  # the last one has just begun
    assert min(counts[one] for one in full if one > began) > max(
        counts[one] for one in full if one < began
    )


def test_three_of_a_hundred_calls_are_refusals_over_the_price(shop: Shop) -> None:
    table = table_of(shop.report("causes", shop.ask(WHOLE)), "refusals")
    refused = values(table, "causes_refused")
    assert max(refused, key=refused.__getitem__) == shop.stage.price
    share = values(table, "causes_of_wrapped")[shop.stage.price]
    assert share == pytest.approx(desk.REFUSALS, abs=0.012)


def test_clients_of_the_slow_agent_are_least_satisfied(shop: Shop) -> None:
    table = table_of(shop.report("satisfaction", shop.ask(by="agent")), "satisfaction")
    assert lowest(table, "voice_mean", "voice_ratings") == shop.stage.agents[desk.SLOW]


def test_promises_keep_the_hours_by_which_they_ended(shop: Shop) -> None:
    """The calendar changed in the middle: what had ended counts by the old hours, also for a
    report of today; what ended later counts by the new ones from its beginning."""
    office = {id_ for id_, promise in shop.stage.after.by_id.items() if promise.calendar}
    changed = 0
    for clock in shop.desk.raw.clock:
        if clock.metric != "first_response" or clock.policy_id not in office:
            continue
        if clock.stopped_at is None:
            continue
        took = clock.target_seconds - clock.remaining_seconds
        span = clock.started_at, clock.stopped_at
        by_old, by_new = (recount.worked(*span, week, ZONE) for week in WEEKS)
        assert took == (by_old if clock.stopped_at < PLAN.change_at else by_new)
        changed += by_old != by_new
    assert changed > 20


def test_the_night_with_an_hour_twice_has_both(shop: Shop) -> None:
    night = date(2026, 10, 25)
    begin = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 03:00 in Kyiv, which comes again
    opened = [row.created_at for row in shop.desk.tickets.values()]
    twice = sum(begin <= at < begin + timedelta(hours=2) for at in opened)
    whole = sum(night == at.astimezone(ZONE).date() for at in opened)
    table = table_of(shop.report("sla", shop.ask(Period(night, night, ZONE), by="slot")), "all")
    assert twice >= 3
    assert values(table, "sla_tickets")["sun-03"] == twice
    assert sum(values(table, "sla_tickets").values()) == whole


Recounts = Callable[[Desk, Days, str], Book]


def same(shop: Shop, name: str, cut: str, recounted: Recounts, only: str | None = None) -> None:
    """The report divided by `cut` has exactly the numbers of the recount, also those of before."""
    report = shop.report(name, shop.ask(by=cut, lines="all"))
    if only is not None:
        report = replace(report, tables=(table_of(report, only),))
    days = Days(PERIOD.first, PERIOD.last, ZONE)
    book, earlier = recounted(shop.desk, days, cut), recounted(shop.desk, days.before(), cut)
    assert len([*numbers(report)]) > 10
    found = differences(report, book, earlier)
    assert not found, f"{name} by {cut}: {len(found)} differ, e.g. {found[:6]}"
