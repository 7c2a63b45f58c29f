"""When calls are answered: the menu's calendar, else that of the policy; holidays, special days."""

from datetime import UTC, datetime, timedelta

from helpdesk import ext
from helpdesk.calls import menus
from helpdesk.calls.hours import hours_for, open_now
from helpdesk.events import SYSTEM
from helpdesk.lib.clock import now
from helpdesk.tickets import calendars, policies
from helpdesk.tickets.models import Calendar, Policy
from tests.cast import OFFICE, Cast

NOON = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_hours_are_those_of_the_policy(cast: Cast) -> None:
    with ext.session() as session:
        hours = hours_for(session, cast.support.id)
        assert hours.is_open(NOON) and hours.zone == "Europe/Kyiv"
        assert hours.closes(NOON) == NOON + timedelta(hours=6)
        evening = NOON + timedelta(hours=7)
        assert not hours.is_open(evening) and hours.closes(evening) is None
        assert hours.next_open(evening) == NOON + timedelta(hours=21)
        assert open_now(session, cast.support.id, NOON)


def test_holidays_and_special_days_count(cast: Cast) -> None:
    with ext.write() as session:
        office = session.get_one(Calendar, cast.office.id)
        office.holidays, office.special = ["2026-11-23"], {"2026-11-24": [["14:00", "15:00"]]}
    with ext.session() as session:
        hours = hours_for(session, cast.support.id)
        assert not hours.is_open(NOON)
        assert hours.next_open(NOON) == NOON + timedelta(days=1, hours=2)


def test_a_menu_may_have_a_calendar_of_its_own(cast: Cast) -> None:
    with ext.write() as session:
        early = calendars.create(
            session, name="Phone", timezone="Europe/Kyiv", weekly={"mon": [["07:00", "11:00"]]},
            at=now(),
        )  # fmt: skip
        menus.save(session, cast.support.id, calendar_id=early.id, at=now())
    with ext.session() as session:
        assert not open_now(session, cast.support.id, NOON)
        assert open_now(session, cast.billing.id, NOON)


def test_without_a_calendar_calls_are_answered_around_the_clock(cast: Cast) -> None:
    with ext.write() as session:
        policy = session.get_one(Policy, 1)
        policies.change(session, policy, calendar_id=None, at=now(), actor=SYSTEM)
    with ext.session() as session:
        hours = hours_for(session, cast.support.id)
        assert hours.is_open(NOON + timedelta(hours=10)) and hours.closes(NOON) is None


def test_a_calendar_that_never_opens_names_no_moment(cast: Cast) -> None:
    with ext.write() as session:
        office = session.get_one(Calendar, cast.office.id)
        office.weekly = {day: [] for day in OFFICE}
    with ext.session() as session:
        hours = hours_for(session, cast.support.id)
        assert not hours.is_open(NOON) and hours.next_open(NOON) is None
