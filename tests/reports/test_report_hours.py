"""Hours of a zone counted in SQL are those that its clocks show."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import literal, select

from helpdesk import ext
from helpdesk.ext import UTCDateTime
from helpdesk.reports.hours import hour_at, hour_of, hour_on_clock
from helpdesk.reports.period import Period

CHANGES = {
    "Europe/Kyiv": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 4, 15, tzinfo=UTC),  # by half an hour
    "America/St_Johns": datetime(2026, 3, 8, 5, 30, tzinfo=UTC),
    "Asia/Kathmandu": datetime(2026, 7, 1, 18, 15, tzinfo=UTC),  # a midnight, and no change
}
STEPS = [timedelta(seconds=one) for one in (-90_000, -3_601, -1, 0, 1, 1_799, 1_800, 5_400, 90_000)]


@pytest.mark.parametrize("name", CHANGES)
def test_clocks_that_change_show_the_same_in_both(app: Flask, name: str) -> None:
    zone, change = ZoneInfo(name), CHANGES[name]
    period = Period(date(2026, 1, 1), date(2026, 12, 31), zone)
    moments = [change + step for step in STEPS]
    columns = [hour_on_clock(literal(at, UTCDateTime()), period) for at in moments]
    with ext.session() as session:
        counted = session.execute(select(*columns)).one()
    for at, number in zip(moments, counted, strict=True):
        clock = at.astimezone(zone)
        shown = hour_at(number, zone)
        assert number == hour_of(at, zone)
        assert (shown.date(), shown.hour) == (clock.date(), clock.hour), at
