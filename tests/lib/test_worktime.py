"""Business hours: plain cases, wrong calendars, changes of the clock against a plain oracle."""

import zoneinfo
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.lib.errors import HelpdeskError
from helpdesk.lib.worktime import (
    WEEKDAYS,
    Calendar,
    Reason,
    Span,
    add,
    elapsed,
    is_open,
    next_open,
    spans,
)
from tests.lib.worktime_oracle import MINUTES, QUESTIONS, Drawn, Oracle, drawn_weeks

HOUR = 3600
OFFICE = [["09:00", "13:00"], ["14:00", "18:00"]]


def calendar(
    timezone: str = "Europe/Kyiv",
    weekly: Mapping[str, Any] | None = None,
    holidays: Any = (),
    special: Any = None,
) -> Calendar:
    """Monday to Friday 9-13 and 14-18 in Kyiv, unless told otherwise."""
    week = dict.fromkeys(WEEKDAYS[:5], OFFICE) if weekly is None else weekly
    return Calendar.from_data("Support", timezone, week, list(holidays), special or {})


def every_day(timezone: str, *windows: tuple[str, str]) -> Calendar:
    return calendar(timezone, dict.fromkeys(WEEKDAYS, windows))


def at(text: str, timezone: str = "Europe/Kyiv") -> datetime:
    """The UTC instant when a wall clock shows this for the first time."""
    return datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(timezone)).astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# 2026-03-02 is a Monday; December 2026: the 25th is a Friday, the 26th a Saturday.
FESTIVE = calendar(
    holidays=["2026-12-25", "2026-12-28"],
    special={"2026-12-26": [["10:00", "14:00"]], "2026-12-28": [["09:00", "12:00"]]},
)
NIGHT = calendar(
    weekly={"mon": [["18:00", "24:00"]], "tue": [["00:00", "06:00"], ["18:00", "24:00"]]}
)


@pytest.mark.parametrize(
    ("what", "hours", "start", "end", "seconds"),
    [
        ("a morning", calendar(), "2026-03-02T09:00", "2026-03-02T10:30", 5400),
        ("lunch doesn't count", calendar(), "2026-03-02T12:30", "2026-03-02T14:30", HOUR),
        ("all within lunch", calendar(), "2026-03-02T13:10", "2026-03-02T13:50", 0),
        ("before opening", calendar(), "2026-03-02T07:00", "2026-03-02T09:00", 0),
        ("over the night", calendar(), "2026-03-02T17:00", "2026-03-03T10:00", 2 * HOUR),
        ("over the weekend", calendar(), "2026-03-06T17:00", "2026-03-09T10:00", 2 * HOUR),
        ("a year", calendar(), "2026-01-01T00:00", "2027-01-01T00:00", 261 * 8 * HOUR),
        ("windows that touch", every_day("UTC", ("09:00", "12:00"), ("12:00", "15:00")),
         "2026-03-02T00:00", "2026-03-03T00:00", 6 * HOUR),
        ("until midnight", NIGHT, "2026-03-02T23:00", "2026-03-03T01:00", 2 * HOUR),
        ("closed after midnight", NIGHT, "2026-03-03T23:00", "2026-03-04T08:00", HOUR),
        ("a holiday", FESTIVE, "2026-12-24T17:00", "2026-12-26T00:00", HOUR),
        ("a working Saturday", FESTIVE, "2026-12-26T00:00", "2026-12-27T00:00", 4 * HOUR),
        ("special beats holiday", FESTIVE, "2026-12-28T00:00", "2026-12-29T00:00", 3 * HOUR),
        ("calendar time", None, "2026-12-24T17:00", "2026-12-26T17:00", 48 * HOUR),
        ("backwards", calendar(), "2026-03-03T10:00", "2026-03-02T17:00", -2 * HOUR),
    ],
)  # fmt: skip
def test_elapsed_counts_working_seconds_only(
    what: str, hours: Calendar | None, start: str, end: str, seconds: int
) -> None:
    assert elapsed(hours, at(start), at(end)) == seconds, what


@pytest.mark.parametrize(
    ("hours", "start", "seconds", "due"),
    [
        (calendar(), "2026-03-02T09:00", HOUR, "2026-03-02T10:00"),
        (calendar(), "2026-03-02T12:30", HOUR, "2026-03-02T14:30"),
        (calendar(), "2026-03-02T09:00", 4 * HOUR, "2026-03-02T13:00"),
        (calendar(), "2026-03-02T09:00", 4 * HOUR + 1, "2026-03-02T14:00:01"),
        (calendar(), "2026-03-06T17:30", HOUR, "2026-03-09T09:30"),
        (calendar(), "2026-03-07T11:00", 40 * HOUR, "2026-03-13T18:00"),
        (calendar(), "2026-03-07T11:00", 0, "2026-03-07T11:00"),
        (NIGHT, "2026-03-02T23:30", 2 * HOUR, "2026-03-03T01:30"),
        (FESTIVE, "2026-12-24T17:00", 6 * HOUR, "2026-12-28T10:00"),
        (None, "2026-03-06T17:30", HOUR, "2026-03-06T18:30"),
    ],
)
def test_a_target_is_due_at_the_earliest_moment(
    hours: Calendar | None, start: str, seconds: int, due: str
) -> None:
    assert add(hours, at(start), seconds) == at(due)
    assert add(hours, at(start), seconds).tzinfo is UTC


def test_spans_say_why_time_did_not_count() -> None:
    got = spans(FESTIVE, at("2026-12-24T12:00"), at("2026-12-28T12:30"))
    local = [(f"{s.start.astimezone(zoneinfo.ZoneInfo('Europe/Kyiv')):%d %H:%M}", s.reason)
             for s in got]  # fmt: skip
    assert local == [
        ("24 12:00", "working"),
        ("24 13:00", "break"),
        ("24 14:00", "working"),
        ("24 18:00", "outside_hours"),
        ("25 00:00", "holiday"),
        ("26 00:00", "special"),
        ("26 10:00", "working"),
        ("26 14:00", "special"),
        ("27 00:00", "weekend"),
        ("28 00:00", "special"),
        ("28 09:00", "working"),
        ("28 12:00", "special"),
    ]
    assert_tiling(got, at("2026-12-24T12:00"), at("2026-12-28T12:30"))
    assert [s.counted for s in got] == [s.reason == "working" for s in got]


def test_spans_of_calendar_time_and_of_nothing() -> None:
    start, end = utc("2026-03-02T10:00"), utc("2026-03-09T10:00")
    assert spans(None, start, end) == [Span(start, end, True, Reason.WORKING)]
    assert spans(None, start, start) == spans(calendar(), start, start) == []
    with pytest.raises(ValueError, match="before"):
        spans(calendar(), end, start)


def test_open_at_the_start_of_a_window_and_closed_at_its_end() -> None:
    hours = calendar()
    assert [is_open(hours, at(f"2026-03-02T{t}")) for t in ("08:59:59", "09:00", "12:59:59.9")] == [
        False, True, True,
    ]  # fmt: skip
    assert not is_open(hours, at("2026-03-02T13:00"))
    assert is_open(None, at("2026-03-01T03:00"))


@pytest.mark.parametrize(
    ("start", "opens"),
    [
        ("2026-03-02T10:00:00.5", "2026-03-02T10:00:00.5"),
        ("2026-03-02T13:00", "2026-03-02T14:00"),
        ("2026-03-06T18:00", "2026-03-09T09:00"),
        ("2026-03-09T08:59:59.9", "2026-03-09T09:00"),
    ],
)
def test_the_next_opening(start: str, opens: str) -> None:
    assert next_open(calendar(), at(start)) == at(opens)
    assert next_open(None, at(start)) == at(start)


def test_a_calendar_that_never_opens_gives_no_deadline() -> None:
    closed = calendar(weekly={})
    start = utc("2026-03-02T10:00")
    assert elapsed(closed, start, start + timedelta(days=400)) == 0
    assert not is_open(closed, start)
    with pytest.raises(HelpdeskError, match="Support.*10 years"):
        add(closed, start, 1)
    with pytest.raises(HelpdeskError, match="Support.*10 years"):
        next_open(closed, start)
    for hours in (None, calendar()):
        with pytest.raises(HelpdeskError, match="10 years"):
            add(hours, start, 10**15)
    assert add(closed, start, 0) == start


def test_a_calendar_open_on_one_far_day_is_found() -> None:
    once = calendar("UTC", {}, special={"2035-06-01": [["10:00", "11:00"]]})
    start = utc("2026-03-02T10:00")
    assert next_open(once, start) == utc("2035-06-01T10:00")
    assert add(once, start, HOUR) == utc("2035-06-01T11:00")
    with pytest.raises(HelpdeskError):
        add(once, start, HOUR + 1)


def test_wrong_instants_and_lengths_are_programming_errors() -> None:
    naive, aware = datetime(2026, 3, 2), utc("2026-03-02T10:00")  # noqa: DTZ001
    with pytest.raises(TypeError):
        elapsed(calendar(), naive, aware)
    with pytest.raises(ValueError, match="negative"):
        add(calendar(), aware, -1)


def test_the_last_days_of_the_calendar_do_not_overflow() -> None:
    hours, end = every_day("Asia/Tokyo", ("00:00", "24:00")), datetime.max.replace(tzinfo=UTC)
    assert elapsed(hours, end - timedelta(days=3), end) == 3 * 24 * HOUR
    with pytest.raises(HelpdeskError):
        add(hours, end - timedelta(days=3), 4 * 24 * HOUR)


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"timezone": "Mars/Base"}, "timezone", "“Mars/Base” isn't a known time zone"),
        ({"timezone": "../../etc/passwd"}, "timezone", "known time zone"),
        ({"timezone": "Europe"}, "timezone", "known time zone"),
        ({"timezone": "Z" * 9000}, "timezone", "“Z{40}”"),
        ({"timezone": None}, "timezone", "NoneType"),
        ({"weekly": []}, "weekly", "map days"),
        ({"weekly": {"Monday": []}}, "weekly", "“Monday” isn't a day"),
        ({"weekly": {1: []}}, "weekly", "int"),
        ({"weekly": {"mon": "09:00-13:00"}}, "weekly.mon", "mon: windows are pairs"),
        ({"weekly": {"mon": [["09:00"]]}}, "weekly.mon", "mon: windows are pairs"),
        ({"weekly": {"mon": [["9:00", "13:00"]]}}, "weekly.mon", "mon: “9:00” isn't a time"),
        ({"weekly": {"mon": [["09:00", "24:01"]]}}, "weekly.mon", "“24:01” isn't a time"),
        ({"weekly": {"mon": [["09:00", "13:00\n"]]}}, "weekly.mon", "isn't a time"),
        ({"weekly": {"mon": [["٠٩:٠٠", "13:00"]]}}, "weekly.mon", "isn't a time"),
        ({"weekly": {"mon": [[9, 13]]}}, "weekly.mon", "“int” isn't a time"),
        ({"weekly": {"sun": [["22:00", "06:00"]]}}, "weekly.sun", "22:00–06:00 ends before"),
        ({"weekly": {"sun": [["22:00", "22:00"]]}}, "weekly.sun", "ends before it begins"),
        ({"weekly": {"tue": [["12:00", "15:00"], ["09:00", "12:01"]]}}, "weekly.tue",
         "tue: the windows 09:00–12:01 and 12:00–15:00 overlap"),
        ({"holidays": ["2026-02-30"]}, "holidays", "“2026-02-30” isn't a date"),
        ({"holidays": ["20261225"]}, "holidays", "“20261225” isn't a date"),
        ({"holidays": ["2026-W52-5"]}, "holidays", "isn't a date"),
        ({"holidays": [None]}, "holidays", "isn't a date"),
        ({"holidays": "2026-12-25"}, "holidays", "list of dates"),
        ({"special": ["2026-12-25"]}, "special", "map dates"),
        ({"special": {"25.12": []}}, "special", "“25.12” isn't a date"),
        ({"special": {"2026-12-26": [["14:00", "10:00"]]}}, "special.2026-12-26",
         "2026-12-26: the window 14:00–10:00 ends before"),
    ],
)  # fmt: skip
def test_a_wrong_calendar_says_what_and_where(
    change: dict[str, Any], field: str, says: str
) -> None:
    right = {"timezone": "Europe/Kyiv", "weekly": {}, "holidays": [], "special": {}}
    with pytest.raises(HelpdeskError, match=says) as caught:
        Calendar.from_data("Support", **{**right, **change})
    assert caught.value.field == field


def test_calendars_that_say_the_same_are_equal_and_keep_their_windows_in_order() -> None:
    one = calendar(weekly={"mon": [["14:00", "18:00"], ["09:00", "13:00"]]}, special={})
    same = Calendar("Support", "Europe/Kyiv", {"mon": (("09:00", "13:00"), ("14:00", "18:00"))})
    assert one == same
    assert hash(one) == hash(same)
    assert one.weekly["mon"] == (("09:00", "13:00"), ("14:00", "18:00"))
    assert one != calendar(weekly={"mon": [["14:00", "18:00"]]})
    with pytest.raises(TypeError):
        one.weekly["tue"] = ()  # type: ignore[index]


@pytest.mark.parametrize(
    ("zone", "day", "window", "minutes"),
    [
        ("Europe/Kyiv", "2027-03-28", ("00:00", "24:00"), 23 * 60),
        ("Europe/Kyiv", "2027-10-31", ("00:00", "24:00"), 25 * 60),
        ("Europe/Kyiv", "2027-03-28", ("03:30", "05:00"), 60),  # the edge is in the gap
        ("Europe/Kyiv", "2027-03-28", ("02:00", "03:30"), 60),
        ("Europe/Kyiv", "2027-03-28", ("03:10", "03:50"), 0),
        ("Europe/Kyiv", "2027-10-31", ("03:00", "04:00"), 120),  # the repeated hour
        ("Europe/Kyiv", "2027-10-31", ("02:00", "05:00"), 240),
        ("Europe/Kyiv", "2027-10-31", ("03:30", "05:00"), 120),  # shown twice from 03:30
        ("Europe/Kyiv", "2027-10-31", ("09:00", "18:00"), 540),
        ("Europe/Moscow", "2011-03-27", ("00:00", "24:00"), 23 * 60),
        ("Europe/Moscow", "2011-10-30", ("00:00", "24:00"), 24 * 60),  # no more winter time
        ("Europe/Moscow", "2014-10-26", ("00:00", "24:00"), 25 * 60),
        ("America/New_York", "2026-03-08", ("01:00", "04:00"), 120),
        ("America/New_York", "2026-11-01", ("01:00", "04:00"), 240),
        ("Africa/Cairo", "2026-04-24", ("00:00", "02:00"), 60),  # no midnight on that day
        ("Pacific/Apia", "2011-12-30", ("00:00", "24:00"), 0),  # no such day
        ("Africa/Monrovia", "1972-01-07", ("00:00", "24:00"), 24 * 60 - 44.5),
    ],
)
def test_days_when_the_clock_changes(
    zone: str, day: str, window: tuple[str, str], minutes: float
) -> None:
    hours = calendar(zone, {}, special={day: [window]})
    around = [utc(day) + timedelta(days=days) for days in (-2, 3)]
    assert elapsed(hours, *around) == minutes * 60


def assert_tiling(got: list[Span], start: datetime, end: datetime) -> None:
    """The spans cover start..end without gap or overlap, and no two neighbours are alike."""
    assert (got[0].start, got[-1].end) == (start, end)
    assert all(one.end == other.start for one, other in pairwise(got))
    assert all(one.reason != other.reason for one, other in pairwise(got))


CASES = 10_000
CHANGES = [  # (zone, UTC date of a change of the clock)
    *(("Europe/Kyiv", day) for day in ("1990-07-01", "2026-03-29", "2027-03-28", "2027-10-31")),
    *(("Europe/Moscow", day) for day in ("2010-10-30", "2011-03-27", "2011-10-30", "2014-10-25")),
    *(("America/New_York", day) for day in ("2007-03-11", "2026-03-08", "2026-11-01")),
]
ODD_CHANGES = [
    ("Africa/Cairo", "2026-04-23"),  # 00:00 becomes 01:00
    ("America/Havana", "2026-11-01"),  # 01:00 becomes 00:00
    ("America/Sao_Paulo", "2018-02-18"),  # 00:00 becomes 23:00 of the day before
    ("America/St_Johns", "2010-11-07"),  # 00:01 becomes 23:01 of the day before
    ("Australia/Lord_Howe", "2026-04-04"),  # half an hour
    ("Pacific/Apia", "2011-12-30"),  # a day left out
]


def compare(hours: Calendar, oracle: Oracle, question: tuple[int, int, int]) -> None:
    """Ask the arithmetic and the oracle the same, and that adding undoes measuring."""
    (first, last), minutes = sorted(question[:2]), question[2]
    start, end = oracle.moment(first), oracle.moment(last)
    worked = elapsed(hours, start, end)
    assert worked == 60 * oracle.elapsed(first, last)

    parts = spans(hours, start, end)
    assert [(part.reason, part.seconds) for part in parts] == [
        (name, 60 * length) for name, length in oracle.spans(first, last)
    ]
    assert sum(part.seconds for part in parts if part.counted) == worked
    if parts:
        assert_tiling(parts, start, end)
        assert is_open(hours, start) == (oracle.names[first] == "working")

    due = oracle.add(first, minutes)
    if due is None:
        assert elapsed(hours, start, oracle.moment(MINUTES)) < 60 * minutes
    else:
        assert add(hours, start, 60 * minutes) == oracle.moment(due)
    reached = add(hours, start, worked)
    assert reached <= end
    assert elapsed(hours, start, reached) == worked


def run_cases(changes: list[tuple[str, str]], cases: int) -> int:
    """Compare that many drawn cases; returns how many were compared."""
    compared = 0

    @settings(
        max_examples=cases // QUESTIONS, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(drawn_weeks(changes))
    def check(drawn: Drawn) -> None:
        nonlocal compared
        hours = Calendar.from_data("Drawn", **drawn.data)
        for question in drawn.questions:
            compare(hours, drawn.oracle, question)
            compared += 1

    check()
    return compared


def test_changes_of_the_clock_agree_with_looking_at_every_minute() -> None:
    assert run_cases(CHANGES, CASES) >= CASES


def test_odd_changes_of_the_clock_agree_too() -> None:
    assert run_cases(ODD_CHANGES, CASES // 20) >= CASES // 20


@settings(deadline=None)
@given(
    st.lists(
        st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        min_size=3,
        max_size=3,
    ),
    st.sampled_from([FESTIVE, NIGHT, every_day("America/New_York", ("01:30", "23:59")), None]),
    st.integers(1, 400 * HOUR),
)
def test_parts_sum_exactly_and_a_target_is_met_to_the_second(
    moments: list[datetime], hours: Calendar | None, seconds: int
) -> None:
    one, two, three = moments
    assert elapsed(hours, one, three) == elapsed(hours, one, two) + elapsed(hours, two, three)
    assert elapsed(hours, two, one) == -elapsed(hours, one, two)
    due = add(hours, one, seconds)
    assert elapsed(hours, one, due) == seconds
    assert elapsed(hours, one, due - timedelta(seconds=1)) == seconds - 1
    assert sum(part.seconds for part in spans(hours, one, due) if part.counted) == seconds
    assert is_open(hours, next_open(hours, one))
