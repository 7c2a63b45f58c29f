"""Periods, filters and rights of reports: read from an address, kept in it, and told when wrong."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.models import ReportScope, Role, Team, User
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.reports import filters, period
from helpdesk.reports.cuts import COLUMNS, CUTS, Facts, cut_named, names, narrowing
from helpdesk.reports.filters import WEEKDAYS, Filters, conditions, slot_of
from helpdesk.reports.parts import MOST, parts_by
from helpdesk.reports.period import LONGEST, PRESETS, Period, between
from helpdesk.reports.scope import Scope, scope_of, team_of, tickets_in
from helpdesk.tickets.models import Queue, Ticket
from tests.cast import Cast
from tests.reports.rows import ZONE, place, scatter

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)  # a Monday
EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
DAYS = st.dates(date(2001, 1, 1), date(2199, 1, 1))
MOMENTS = st.timedeltas(timedelta(), timedelta(days=36_000)).map(lambda past: EPOCH + past)
ZONES = st.sampled_from(["Europe/Kyiv", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"])


def read(**args: str) -> Period:
    return period.read({name.rstrip("_"): text for name, text in args.items()}, zone=ZONE, at=AT)


@pytest.mark.parametrize(
    ("args", "first", "last"),
    [
        ({}, "2026-10-27", "2026-11-23"),
        ({"period": "today"}, "2026-11-23", "2026-11-23"),
        ({"period": "yesterday"}, "2026-11-22", "2026-11-22"),
        ({"period": "7d"}, "2026-11-17", "2026-11-23"),
        ({"period": "90d"}, "2026-08-26", "2026-11-23"),
        ({"period": "month"}, "2026-11-01", "2026-11-23"),
        ({"period": "last_month"}, "2026-10-01", "2026-10-31"),
        ({"from_": "2026-11-02"}, "2026-11-02", "2026-11-23"),
        ({"to": "2026-10-31"}, "2026-10-04", "2026-10-31"),
        ({"from_": "2026-10-25", "to": "2026-10-25", "period": "7d"}, "2026-10-25", "2026-10-25"),
    ],
)
def test_period_of_an_address(args: dict[str, str], first: str, last: str) -> None:
    found = read(**args)
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)
    assert read(from_=found.query()["from"], to=found.query()["to"]) == found


def test_day_of_the_clock_change_has_25_hours() -> None:
    found = read(from_="2026-10-25", to="2026-10-25")
    assert found.end - found.start == timedelta(hours=25)
    assert found.start == datetime(2026, 10, 24, 21, tzinfo=UTC)


def test_moments_are_taken_exactly_and_the_last_one_is_left_out() -> None:
    found = read(from_="2026-11-01T08:30:00Z", to="2026-11-03T00:00:00 02:00")  # "+" as it comes
    assert found.start == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert found.end == datetime(2026, 11, 2, 22, tzinfo=UTC)
    assert [day.day for day in found.days] == [1, 2]
    assert found.before().end == found.start
    assert found.before().end - found.before().start == found.end - found.start
    again = period.read(found.query(), zone=ZONE, at=AT)
    assert again == found
    assert read(from_="2026-11-01", to="2026-11-03T00:00").end == datetime(
        2026, 11, 2, 22, tzinfo=UTC
    )
    assert read(from_="2026-11-22T00:00Z").end == AT


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"from_": "2026-02-30"}, "from"),
        ({"from_": "yesterday"}, "from"),
        ({"to": "1066-10-14"}, "to"),
        ({"to": "x" * 10_000}, "to"),
        ({"from_": "2026-11-20", "to": "2026-11-19"}, "to"),
        ({"from_": "2020-01-01", "to": "2026-01-01"}, "to"),
        ({"period": "century"}, "period"),
        ({"from_": "2026-11-20T25:00"}, "from"),
        ({"from_": "0001-01-01T00:00Z"}, "from"),
        ({"to": "9999-12-31T23:59Z"}, "to"),
        ({"from_": "2026-11-20T10:00Z", "to": "2026-11-20T09:00Z"}, "to"),
        ({"from_": "2024-11-20T10:00Z"}, "to"),
        ({"from_": "Т\x00"}, "from"),
    ],
)
def test_what_is_no_period_is_told(args: dict[str, str], field: str) -> None:
    with pytest.raises(HelpdeskError) as caught:
        read(**args)
    assert caught.value.field == field and len(str(caught.value)) < 200


@given(DAYS, st.integers(0, LONGEST - 1), ZONES)
@settings(deadline=None, max_examples=60)
def test_periods_follow_one_another_without_a_gap(first: date, more: int, zone: str) -> None:
    one = Period(first, first + timedelta(days=more), ZoneInfo(zone))
    assert one.before().end == one.start and len(one.before().days) == len(one.days)
    ends = [Period(day, day, one.zone) for day in one.days]
    assert all(a.end == b.start for a, b in zip(ends, ends[1:], strict=False))
    assert ends[0].start == one.start and ends[-1].end == one.end


@given(MOMENTS, ZONES)
@settings(deadline=None, max_examples=60)
def test_days_of_a_period_between_moments_are_its_parts(begin: datetime, zone: str) -> None:
    one = between(begin, begin + timedelta(days=3, hours=5), ZoneInfo(zone))
    parts = [one.within(day, day) for day in one.days]
    assert parts[0].start == one.start and parts[-1].end == one.end
    assert all(a.end == b.start for a, b in zip(parts, parts[1:], strict=False))


def test_presets_are_all_periods() -> None:
    for name in PRESETS:
        assert read(period=name).days


FILTERS: list[dict[str, str]] = [
    {"queue": "1", "agent": "0", "channel": "phone"},
    {"language": "-", "kind": "complaint", "slot": "sun-23"},
    {"reason": "7", "only_reason": "9", "team": "0", "organisation": "3"},
]


@pytest.mark.parametrize("args", FILTERS)
def test_filters_stay_in_the_address(args: dict[str, str]) -> None:
    assert filters.read({**args, "product": ""}).query() == args


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("queue", "Support"),
        ("queue", "-1"),
        ("queue", "1" * 16),
        ("agent", "٣"),
        ("channel", "fax"),
        ("language", "de"),
        ("slot", "mon-24"),
        ("slot", "Mon-09"),
        ("kind", "x" * 10_000),
        ("priority", "'; DROP TABLE ticket; --"),
    ],
)
def test_what_is_no_filter_is_told(name: str, text: str) -> None:
    with pytest.raises(HelpdeskError) as caught:
        filters.read({name: text})
    assert caught.value.field == name and len(str(caught.value)) < 200


@pytest.fixture
def scattered(cast: Cast) -> Cast:
    with ext.write() as session:
        scatter(session, cast, now(), 60)
    return cast


def ids_of(session: Session, filters_: Filters, scope: Scope) -> list[int]:
    query = select(Ticket.id).where(*conditions(session, filters_, scope)).order_by(Ticket.id)
    return list(session.scalars(query))


def test_parts_are_disjoint_whole_and_the_same_in_memory_and_in_sql(scattered: Cast) -> None:
    """Each ticket is in one part of each cut; the filter of that part finds exactly these."""
    when = Period(date(2026, 9, 1), date(2026, 11, 30), ZONE)
    with ext.session() as session:
        everything = ids_of(session, Filters(), Scope())
        opened = {
            row.id: row.created_at for row in session.execute(select(Ticket.id, Ticket.created_at))
        }
        for key in CUTS:
            parts = parts_by(session, [key], when)
            rows = session.execute(select(Ticket.id, *parts.columns).order_by(Ticket.id))
            found: dict[Any, list[int]] = {}
            for id_, *values in rows:
                found.setdefault(parts.of(tuple(values))[0], []).append(id_)
            assert sorted(id_ for ids in found.values() for id_ in ids) == everything
            for part, ids in found.items():
                args = narrowing(key, part, when)
                within = period.read(args, zone=ZONE, at=AT) if "from" in args else when
                narrowed = filters.read({k: v for k, v in args.items() if k not in ("from", "to")})
                same = [
                    id_
                    for id_ in ids_of(session, narrowed, Scope())
                    if within.start <= opened[id_] < within.end
                    and narrowed.keeps(opened[id_], when)
                ]
                assert same == ids, (key, part)


def test_several_cuts_at_once_are_their_parts_side_by_side(scattered: Cast) -> None:
    when = Period(date(2026, 9, 1), date(2026, 11, 30), ZONE)
    by = ["day", "team", "channel", "slot"]
    with ext.session() as session:
        whole = parts_by(session, by, when)
        alone = [parts_by(session, [key], when) for key in by]
        for place_, one in enumerate(alone):
            both = session.execute(select(*whole.columns, *one.columns).order_by(Ticket.id))
            count = len(whole.columns)
            for row in both:
                values = tuple(row)
                assert whole.of(values[:count])[place_] == one.of(values[count:])[0]


@pytest.mark.parametrize("by", [["queue", "queue"], [*CUTS][: MOST + 1], ["colour"]])
def test_what_does_not_divide_is_told(app: Any, by: list[str]) -> None:
    with ext.session() as session, pytest.raises(HelpdeskError) as caught:
        parts_by(session, by, Period(date(2026, 9, 1), date(2026, 9, 2), ZONE))
    assert caught.value.field == "by"


@given(MOMENTS, ZONES)
@settings(deadline=None, max_examples=80)
def test_every_moment_falls_into_one_hour_of_the_week(at: datetime, zone: str) -> None:
    when = Period(at.date(), at.date(), ZoneInfo(zone))
    slot = slot_of(at, when)
    assert slot[:3] == WEEKDAYS[at.astimezone(when.zone).weekday()]
    assert filters.read({"slot": slot}).keeps(at, when)


def test_every_cut_reads_what_it_needs() -> None:
    assert len(COLUMNS) == len(Facts._fields)
    for key in CUTS:
        assert cut_named(key).key == key


def test_parts_have_the_names_of_now(scattered: Cast) -> None:
    with ext.session() as session:
        alice = scattered.alice.id
        assert names(session, "agent", [alice, 0], "en") == {alice: "Alice"}
        reason = session.scalars(
            select(Ticket.reason_id).where(Ticket.reason_id.is_not(None)).order_by(Ticket.reason_id)
        ).all()[-1]
        assert names(session, "reason", [reason, 0], "uk") == {reason: "Ремонт / Теча"}
        assert names(session, "channel", ["email"], "en") == {}


def person(role: Role, **values: Any) -> User:
    return User(id=5, role=role, **{"reports": ReportScope.ALL, "team_id": None} | values)


@pytest.mark.parametrize(
    ("user", "scope"),
    [
        (person(Role.ADMIN, reports=ReportScope.NONE), Scope()),
        (person(Role.SUPERVISOR), Scope()),
        (person(Role.SUPERVISOR, reports=ReportScope.TEAM, team_id=3), Scope(team_id=3)),
        (person(Role.SUPERVISOR, reports=ReportScope.TEAM), Scope(nothing=True)),
        (person(Role.SUPERVISOR, reports=ReportScope.NONE), Scope(user_id=5)),
        (person(Role.AGENT), Scope(user_id=5)),
        (person(Role.AGENT, team_id=3), Scope(user_id=5)),
    ],
)
def test_whose_numbers_somebody_may_see(user: User, scope: Scope) -> None:
    assert scope_of(user) == scope
    assert scope.everything == (scope == Scope())


def test_a_team_has_the_tickets_of_its_people_and_what_nobody_else_has_in_its_queues(
    cast: Cast,
) -> None:
    """East is Alice; Billing belongs to West; Bob and Support have no team."""
    with ext.write() as session:
        east, west = (Team(name=name, sort_key=name, created_at=now()) for name in ("East", "West"))
        session.add_all([east, west])
        session.flush()
        session.get_one(User, cast.alice.id).team_id = east.id
        session.get_one(Queue, cast.billing.id).team_id = west.id
        expected: dict[int, list[int]] = {east.id: [], west.id: [], 0: []}
        for queue in (cast.support, cast.billing):
            for who in (None, cast.alice.id, cast.bob.id):
                ticket = place(session, cast, at=now(), queue_id=queue.id, assignee_id=who)
                of_west = west.id if queue == cast.billing else 0
                expected[east.id if who == cast.alice.id else of_west].append(ticket)
        for team_id, ids in expected.items():
            assert ids_of(session, Filters(team=team_id), Scope()) == ids
            if team_id:
                assert ids_of(session, Filters(), Scope(team_id=team_id)) == ids
        known = team_of(session)
        rows = session.execute(select(Ticket.id, Ticket.assignee_id, Ticket.queue_id))
        for id_, who, queue_id in rows.all():
            assert id_ in expected[known.of(who, queue_id) or 0]


def test_nothing_is_nothing_and_other_queues_are_hidden(cast: Cast) -> None:
    with ext.write() as session:
        mine = place(session, cast, at=now(), queue_id=cast.billing.id, assignee_id=cast.bob.id)
        place(session, cast, at=now(), assignee_id=cast.bob.id)
        scope = scope_of(cast.bob, frozenset({cast.billing.id}))
        assert ids_of(session, Filters(), scope) == [mine]
        assert ids_of(session, Filters(queue=cast.support.id), scope) == []
        assert ids_of(session, Filters(), Scope(nothing=True)) == []
        assert len(tickets_in(scope)) == 2
