"""The SLA report: what counts as met, breached and running; every number is its list."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.models import User
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.reports.cuts import CUTS
from helpdesk.reports.sheet import Ask, Cell, Chart, Report, Table, Unit
from helpdesk.reports.sla import report as sla
from helpdesk.reports.sla.findings import findings
from helpdesk.reports.sla.measures import BREACHED, COUNTED, MEDIANS, SHARES, TIMED
from helpdesk.reports.sla.sums import ALL, Sum, Sums
from helpdesk.tickets import actions
from helpdesk.tickets.models import Channel, Clock, Metric, Priority, Status, Ticket
from helpdesk.tickets.received import open_ticket
from helpdesk.web.supervisor.here import SHOWN
from tests.cast import Cast
from tests.reports.rows import ask_of, place, promise, scatter
from tests.web.conftest import counted

HOUR = 3600


def report(session: Session, ask: Ask) -> Report:
    return sla.report(session, ask)


def table(made: Report, key: str) -> Table:
    return next(one for one in made.tables if one.key == key)


def numbers(made: Report, key: str = "first_response") -> dict[str, Any]:
    """The total of a table by measure."""
    found = table(made, key)
    assert found.total is not None
    return {
        one.key: cell.value for one, cell in zip(found.measures, found.total.cells, strict=True)
    }


def listed(session: Session, user: User, ask: Ask, cell: Cell) -> int:
    """How many things stand in the list behind a number, as the page asks for them."""
    assert cell.link is not None
    name, args = cell.link
    address: dict[str, str | None] = {**ask.period.query(), **ask.filters.query(), **ask.args}
    address |= {**dict.fromkeys(SHOWN), **args}
    known = ask_of(user, ask.at, **{key: text for key, text in address.items() if text})
    return len(sla.LISTS[name].ids(session, known))


@pytest.fixture
def sam(cast: Cast) -> Callable[..., Ask]:
    """What the supervisor asks."""

    def ask(**args: str) -> Ask:
        return ask_of(cast.sam, **args)

    return ask


def test_each_promise_is_met_breached_or_still_running(cast: Cast, sam: Callable[..., Ask]) -> None:
    at = now()
    with ext.write() as session:
        ticket = place(session, cast, at=at)
        promise(session, ticket, took=HOUR, at=at)  # on the second
        promise(session, ticket, took=HOUR + 1, at=at)
        promise(session, ticket, at=at)
        promise(session, ticket, due_at=at, at=at - timedelta(hours=1))  # nobody has noticed yet
        promise(session, ticket, breached=True, at=at)  # runs on after its breach
        promise(session, ticket, due_at=None, took=None, at=at)
        session.execute(Clock.__table__.update().where(Clock.id == 6).values(due_at=None))  # type: ignore[attr-defined]
        promise(session, ticket, at=at, policy_id=None)  # withdrawn
        made = report(session, sam())
    assert numbers(made) == {
        "sla_tickets": 1,
        "sla_share": 0.25,
        "sla_met": 1,
        "sla_breached": 3,
        "sla_running": 2,
        "sla_median": HOUR,
        "sla_p90": HOUR + 1,
    }


def test_a_reply_in_time_and_one_too_late(
    cast: Cast, clock: time_machine.Traveller, sam: Callable[..., Ask]
) -> None:
    """Business seconds of the office: the night between doesn't count."""

    def opened() -> int:
        with ext.write() as session:
            return open_ticket(
                session,
                queue_id=cast.support.id,
                who=cast.oksana,
                subject="Kettle",
                channel=Channel.EMAIL,
                language="uk",
                at=now(),
            )

    def answered(ticket_id: int) -> None:
        with ext.write() as session:
            ticket = session.get_one(Ticket, ticket_id)
            actions.reply(session, ticket, "x", user_id=cast.alice.id, at=now())

    first, second = opened(), opened()
    clock.shift(timedelta(hours=1))
    answered(first)
    clock.shift(timedelta(hours=20))  # 9:00 of the next day, after the five hours until 18:00
    answered(second)
    with ext.session() as session:
        found = numbers(report(session, sam()))
    assert (found["sla_met"], found["sla_breached"]) == (1, 1)
    assert (found["sla_median"], found["sla_p90"]) == (HOUR, 6 * HOUR)


def test_merged_tickets_count_nowhere_and_moved_ones_where_they_lie(
    cast: Cast, sam: Callable[..., Ask]
) -> None:
    at = now()
    with ext.write() as session:
        kept = place(session, cast, at=at)
        gone = place(session, cast, at=at, merged_into_id=kept)
        for ticket in (kept, gone):
            promise(session, ticket, took=60, at=at)
        actions.move(
            session,
            session.get_one(Ticket, kept),
            cast.billing,
            actor=Actor(user_id=cast.ada.id),
            at=at,
        )
        made = report(session, sam(by="queue"))
    (line,) = table(made, "first_response").lines
    assert (line.name, line.cells[2].value) == ("Billing", 1)


def test_the_period_is_of_the_tickets_creation_in_the_companys_days(
    cast: Cast, sam: Callable[..., Ask]
) -> None:
    """22:00 UTC is midnight in Kyiv."""
    midnight = datetime.fromisoformat("2026-11-10T22:00:00+00:00")
    with ext.write() as session:
        for opened in (midnight - timedelta(seconds=1), midnight):
            promise(session, place(session, cast, at=opened), took=5, at=opened)
        days = [
            numbers(report(session, sam(from_=day, to=day)))["sla_met"]
            for day in ("2026-11-10", "2026-11-11")
        ]
        assert days == [1, 1]
        exact = sam(from_="2026-11-10T22:00:00Z", to="2026-11-10T22:00:01Z")
        assert numbers(report(session, exact))["sla_met"] == 1
        tables = report(session, sam(from_="2026-11-09", to="2026-11-12", by="day")).tables
    assert [line.cells[2].value for line in tables[1].lines] == [0, 1, 1, 0]
    assert tables[1].chart == Chart.LINE


def test_the_period_before_stands_beside(cast: Cast, sam: Callable[..., Ask]) -> None:
    at = now()
    with ext.write() as session:
        for days, took in ((0, 60), (0, 60), (1, 60), (1, 9999)):
            opened = at - timedelta(days=days)
            promise(session, place(session, cast, at=opened), took=took, at=opened)
        made = report(session, sam(period="today"))
        by_day = report(session, sam(period="today", by="day"))
    for one in (made, by_day):
        (line,) = one.tables[1].lines
        assert (line.cells[1].value, line.cells[1].before) == (1.0, 0.5)
        assert (line.cells[0].value, line.cells[0].before) == (2, 2)


def test_by_every_cut_every_number_is_its_list_and_the_sums_agree(
    cast: Cast, sam: Callable[..., Ask]
) -> None:
    at = now()
    with ext.write() as session:
        scatter(session, cast, at, 60)
        for by in CUTS:
            ask = sam(by=by, period="28d")
            for one in report(session, ask).tables:
                check_sums(one)
                for line in (*[line for line in one.lines if line.cells[0].value][:2], one.total):
                    assert line is not None
                    for measure, cell in zip(one.measures, line.cells, strict=True):
                        if measure.unit == Unit.COUNT:
                            assert listed(session, cast.sam, ask, cell) == cell.value, (
                                by,
                                line.key,
                            )


def check_sums(one: Table) -> None:
    assert one.total is not None and not one.more
    for place_, measure in enumerate(one.measures):
        if measure.unit == Unit.COUNT:
            parts = [line.cells[place_].value or 0 for line in one.lines]
            assert sum(parts) == one.total.cells[place_].value, (one.key, one.cut, measure.key)


def test_filters_narrow_the_report_as_its_lines_are(cast: Cast, sam: Callable[..., Ask]) -> None:
    """A line's numbers are those of the whole report with the line's filter."""
    with ext.write() as session:
        scatter(session, cast, now(), 40)
        for by in CUTS:
            one = report(session, sam(by=by)).tables[0]
            for line in one.lines[:3]:
                assert line.link is not None
                args = {"from_" if key == "from" else key: text for key, text in line.link.items()}
                narrowed = report(session, sam(**args)).tables[0]
                assert narrowed.total is not None
                values = [cell.value for cell in narrowed.total.cells]
                assert values == [cell.value for cell in line.cells], (by, line.key)


def test_one_table_over_emails_web_forms_and_calls(cast: Cast, sam: Callable[..., Ask]) -> None:
    at = now()
    with ext.write() as session:
        for channel, metric in (
            (Channel.EMAIL, Metric.FIRST_RESPONSE),
            (Channel.PHONE, Metric.SPEED_OF_ANSWER),
            (Channel.PHONE, Metric.CALLBACK),
        ):
            ticket = place(session, cast, at=at, channel=channel)
            promise(session, ticket, metric=metric, took=10, at=at)
        made = report(session, sam(by="channel"))
    assert {line.key: line.cells[2].value for line in table(made, ALL).lines} == {
        "email": 1,
        "phone": 2,
    }
    assert [one.key for one in made.tables] == [
        ALL,
        "first_response",
        "speed_of_answer",
        "callback",
    ]
    assert {one.key for one, _cell in made.tiles} >= {
        SHARES["callback"].key,
        MEDIANS["speed_of_answer"].key,
    }


def test_an_agent_sees_their_own_and_a_team_its_own(cast: Cast) -> None:
    at = now()
    with ext.write() as session:
        scatter(session, cast, at)
        alice = report(session, ask_of(cast.alice, by="agent"))
        assert [line.key for line in alice.tables[0].lines] == [cast.alice.id]
        assert (
            report(session, ask_of(cast.alice, by="agent", agent=str(cast.bob.id))).tables[0].lines
            == ()
        )
        sam = session.merge(cast.sam)
        sam.reports = type(sam.reports)("team")
        none = report(session, ask_of(sam))
        assert none.tables[0].total is not None and none.tables[0].total.cells[0].value == 0
        sam.team_id = cast.alice.team_id = session.get_one(type(sam), cast.alice.id).team_id
        team = report(session, ask_of(sam, by="team"))
        assert [line.name for line in team.tables[0].lines] == ["East"]


def test_many_clients_are_cut_to_the_largest_but_whole_in_a_file(
    cast: Cast, sam: Callable[..., Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sla, "LINES", 2)
    with ext.write() as session:
        scatter(session, cast, now(), 40)
        page = report(session, sam(by="client")).tables[0]
        whole = report(session, sam(by="client", lines="all")).tables[0]
    assert (len(page.lines), page.more) == (2, len(whole.lines) - 2)
    assert page.total == whole.total and whole.more == 0
    sizes = [line.cells[0].value or 0 for line in whole.lines]
    assert sizes == sorted(sizes, reverse=True)


def test_priorities_and_hours_stand_in_their_order(cast: Cast, sam: Callable[..., Ask]) -> None:
    with ext.write() as session:
        scatter(session, cast, now(), 60)
        priorities = report(session, sam(by="priority")).tables[0]
        slots = report(session, sam(by="slot", slot="")).tables[0]
    assert [line.key for line in priorities.lines] == [one.value for one in reversed(Priority)]
    assert slots.chart == Chart.HEAT and slots.measures[slots.drawn] == BREACHED
    first = [line.key[:3] for line in slots.lines]
    assert first == sorted(first, key=("mon", "tue", "wed", "thu", "fri", "sat", "sun").index)


def test_a_report_costs_few_statements(cast: Cast, sam: Callable[..., Ask]) -> None:
    with ext.write() as session:
        scatter(session, cast, now(), 20)
    with ext.session() as session:
        for by in CUTS:
            with counted() as statements:
                report(session, sam(by=by))
            assert len(statements) <= 7, by


@pytest.mark.parametrize(
    "args", [{"by": "colour"}, {"outcome": "lost"}, {"metric": "speed"}, {"metric": "x" * 200}]
)
def test_what_there_is_not_is_told(cast: Cast, sam: Callable[..., Ask], args: Any) -> None:
    with ext.session() as session, pytest.raises(HelpdeskError) as caught:
        report(session, sam(**args))
        for behind in sla.LISTS.values():
            behind.ids(session, sam(**args))
    assert caught.value.field == next(iter(args))


def test_the_slowest_stand_first_behind_a_median(cast: Cast, sam: Callable[..., Ask]) -> None:
    at = now()
    with ext.write() as session:
        ticket = place(session, cast, at=at)
        ids = [promise(session, ticket, took=took, at=at) for took in (30, 9000, 60)]
        promise(session, ticket, at=at)
        found = sla.LISTS["sla"].ids(session, sam(outcome="stopped"))
        assert list(found) == [ids[1], ids[2], ids[0]]
        assert list(sla.LISTS["sla_tickets"].ids(session, sam())) == [ticket]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60))
@settings(deadline=None)
def test_median_and_p90_are_nearest_ranks(seconds: list[int]) -> None:
    one = Sum(seconds=list(seconds))
    for value, share in ((one.median, 0.5), (one.p90, 0.9)):
        assert value in seconds
        assert sum(other <= value for other in seconds) >= share * len(seconds)
        assert sum(other < value for other in seconds) < share * len(seconds)


def test_without_promises_there_is_nothing_to_measure(sam: Callable[..., Ask], app: Any) -> None:
    with ext.session() as session:
        made = report(session, sam())
    assert [one.key for one in made.tables] == [ALL]
    assert made.tables[0].lines == () and made.findings == ()
    assert [cell.value for _one, cell in made.tiles] == [0, None, 0, 0, 0]
    assert made.tiles[1][1].link is None


def sums(**parts: tuple[int, int, int]) -> Sums:
    """Of each part: met, breached, seconds that each took."""
    by: dict[Any, dict[str, Sum]] = {}
    totals = {ALL: Sum(), "first_response": Sum()}
    for name, (met, breached, seconds) in parts.items():
        one = Sum(met=met, breached=breached, seconds=[seconds] * (met + breached))
        by[(name,)] = {"first_response": one}
        for whole in totals.values():
            whole.join(one)
            whole.seconds += one.seconds
    return Sums(None, by, totals)  # type: ignore[arg-type]


def test_what_stands_out_is_said() -> None:
    now_ = sums(east=(60, 40, 900), west=(190, 10, 300), north=(2, 1, 9999))
    before = sums(east=(100, 2, 300))
    names = {"east": "East", "west": "West", "north": "North"}
    said = [sentence % params for sentence, params in findings(now_, before, names)]
    assert said == [
        "SLA met fell from 98 % to 83 %.",
        "Most breaches: East, 40 of 51.",
        "Lowest SLA met: East, 60 %, against 83 % of all.",
        "Slowest first response: East, 3 × the median of all.",
    ]


def test_of_few_promises_nothing_is_said() -> None:
    few = sums(east=(3, 3, 900), west=(9, 0, 300))
    assert list(findings(few, sums(east=(9, 0, 300)), {"east": "E", "west": "W"})) == []


def test_measures_are_defined_with_their_edges() -> None:
    for measure in sla.MEASURES:
        assert measure.formula and measure.edges and measure.label
    assert len({one.key for one in sla.MEASURES}) == len(sla.MEASURES)
    assert set(COUNTED) < set(TIMED) < set(sla.MEASURES)


def test_a_ticket_done_in_time_without_an_answer_is_met(
    cast: Cast, sam: Callable[..., Ask]
) -> None:
    with ext.write() as session:
        ticket_id = open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Thanks",
            channel=Channel.EMAIL,
            language="uk",
            at=now(),
        )
        ticket = session.scalars(select(Ticket).where(Ticket.id == ticket_id)).one()
        by: dict[str, Any] = {"actor": Actor(user_id=cast.ada.id), "at": now()}
        actions.set_status(session, ticket, Status.RESOLVED, **by)
        assert numbers(report(session, sam()))["sla_met"] == 1
        actions.set_status(session, ticket, Status.OPEN, **by)
        assert numbers(report(session, sam()))["sla_running"] == 1
