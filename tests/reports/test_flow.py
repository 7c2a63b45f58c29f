"""How tickets flow and where they lie, checked against lives that are known to the minute."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.reports.filters import Filters, slot_of
from helpdesk.reports.period import Period, between
from helpdesk.reports.scope import Scope
from helpdesk.reports.sheet import Ask
from helpdesk.reports.work import flow as flows
from helpdesk.reports.work import stays as lying
from helpdesk.reports.work.flow import MOVES, Flow, left_ids
from helpdesk.reports.work.stays import Stays, present
from helpdesk.tickets.models import DONE, Status, Ticket
from helpdesk.tickets.spells import Spell
from tests.cast import Cast
from tests.tickets.lives import ACTS, live

KYIV = ZoneInfo("Europe/Kyiv")
DAY, HOUR = timedelta(days=1), 60
PERIOD = Period(date(2026, 11, 10), date(2026, 11, 23), KYIV)
IN_PARTS = ("queue", "agent", "priority", "slot")


def ask(period: Period = PERIOD) -> Ask:
    return Ask(period, Filters(), Scope(), now(), "en")


def flow(session: Session, asked: Ask, cut: str) -> tuple[Flow, Flow]:
    return flows.flow(session, asked, cut, present(session, asked).total)


def stays(session: Session, asked: Ask) -> Stays:
    return lying.stays(session, asked, present(session, asked))


@pytest.fixture
def lives(cast: Cast) -> int:
    """Thirty tickets of the last four weeks with lives drawn by chance; how many there are."""
    pick = random.Random(11)
    with ext.write() as session:
        for _number in range(30):
            begun = now() - timedelta(minutes=pick.randrange(28 * 24 * HOUR))
            left = int((now() - begun).total_seconds() // 60)
            acts = []
            while (minutes := pick.randrange(4 * 24 * HOUR)) <= left and len(acts) < 7:
                acts.append((pick.choice(ACTS), minutes))
                left -= minutes
            live(session, cast, begun, acts)
    return 30


def moments(cast: Cast) -> Iterator[tuple[str, datetime, Ticket]]:
    """Each move with its moment and its ticket, read off the spells one by one."""
    names = {came: name for name, known in MOVES.items() for came in known}
    with ext.session() as session:
        rows = session.execute(select(Spell, Ticket).join(Ticket, Ticket.id == Spell.ticket_id))
        for spell, ticket in rows.all():
            if spell.came in names:
                yield names[spell.came], spell.from_at, ticket


def active_at(moment: datetime) -> set[int]:
    with ext.session() as session:
        return {
            one.ticket_id
            for one in session.scalars(select(Spell).where(Spell.status.not_in(DONE)))
            if one.from_at < moment and (one.to_at is None or one.to_at >= moment)
        }


def test_what_is_counted_is_what_happened(cast: Cast, lives: int) -> None:
    days_and_weeks_agree_with_what_happened(cast)
    parts_add_up_to_the_whole_and_to_the_days(cast)
    a_period_between_two_moments_counts_nothing_beyond_them(cast)
    days_to_come_have_no_backlog(cast)
    the_hours_of_a_filter_narrow_every_number(cast)


def days_and_weeks_agree_with_what_happened(cast: Cast) -> None:
    happened = list(moments(cast))
    with ext.session() as session:
        days, days_before = flow(session, ask(), "day")
        weeks, _weeks_before = flow(session, ask(), "week")
        for day in PERIOD.days:
            one = Period(day, day, KYIV)
            for name in MOVES:
                here = [
                    1 for kind, at, _t in happened if kind == name and one.start <= at < one.end
                ]
                assert days.of(name, day) == len(here)
            assert days.of("backlog", day) == len(active_at(one.end))
            assert sorted(left_ids(session, ask(one))) == sorted(active_at(one.end))
        for name in MOVES:
            assert days.whole(name) == weeks.whole(name)
        assert days.whole("backlog") == weeks.whole("backlog") == len(active_at(PERIOD.end))
        assert days_before.whole("backlog") == len(active_at(PERIOD.start))
        grown = days.whole("opened") + days.whole("reopened") - days.whole("done")
        assert days_before.whole("backlog") + grown == days.whole("backlog")


def parts_add_up_to_the_whole_and_to_the_days(cast: Cast) -> None:
    with ext.session() as session:
        days, days_before = flow(session, ask(), "day")
        for cut in IN_PARTS:
            parts, parts_before = flow(session, ask(), cut)
            for name in (*MOVES, "backlog"):
                assert parts.whole(name) == days.whole(name)
                assert parts_before.whole(name) == days_before.whole(name)
        parts, _before = flow(session, ask(), "queue")
        done = [t for kind, at, t in moments(cast) if kind == "done" and at >= PERIOD.start]
        queues = Counter(ticket.queue_id for ticket in done)
        assert {queue: parts.of("done", queue) for queue in queues} == dict(queues)


def a_period_between_two_moments_counts_nothing_beyond_them(cast: Cast) -> None:
    begin = datetime(2026, 11, 12, 9, 7, 30, tzinfo=UTC)
    period = between(begin, begin + 5 * DAY, KYIV)
    happened = [name for name, at, _t in moments(cast) if period.start <= at < period.end]
    with ext.session() as session:
        now_, before = flow(session, ask(period), "day")
        for name in MOVES:
            assert now_.whole(name) == happened.count(name)
        assert now_.whole("backlog") == len(active_at(period.end))
        assert before.whole("backlog") == len(active_at(period.start))
        assert len(left_ids(session, ask(period))) == now_.whole("backlog")


def days_to_come_have_no_backlog(cast: Cast) -> None:
    period = Period(date(2026, 11, 22), date(2026, 11, 26), KYIV)
    with ext.session() as session:
        found, _before = flow(session, ask(period), "day")
        active = select(Ticket.id).where(Ticket.done_at.is_(None))
        assert found.of("backlog", date(2026, 11, 23)) == len(session.scalars(active).all())
        assert found.of("backlog", date(2026, 11, 24)) is None
        later = Period(date(2026, 12, 1), date(2026, 12, 3), KYIV)
        assert flow(session, ask(later), "day")[0].whole("backlog") is None


def the_hours_of_a_filter_narrow_every_number(cast: Cast) -> None:
    """Tickets opened in one hour of the week: in SQL they can't be told."""
    with ext.session() as session:
        slots, _before = flow(session, ask(), "slot")
        slot = max(sorted(slots.parts), key=lambda one: slots.of("opened", one) or 0)
        narrowed = replace(ask(), filters=Filters(slot=str(slot)))
        found, _before = flow(session, narrowed, "queue")
        for name in (*MOVES, "backlog"):
            assert found.whole(name) == slots.of(name, slot)
        opened = session.scalars(select(Ticket.created_at))
        lay = [
            len(one.seconds)
            for slot in {slot_of(at, PERIOD) for at in opened}
            for one in stays(session, replace(ask(), filters=Filters(slot=slot))).values()
        ]
        assert sum(lay) == sum(len(one.seconds) for one in stays(session, ask()).values()) > 0


def test_stays_have_the_lengths_of_the_spells(cast: Cast) -> None:
    """In Support 10 minutes new, then in work in Billing for an hour, and there again."""
    with ext.write() as session:
        live(
            session, cast, now() - 2 * DAY,
            [("to billing", 10), ("give bob", 20), ("be open", 0), ("be pending", 60),
             ("client writes", 120), ("be resolved", 30)],
        )  # fmt: skip
        live(session, cast, now() - 3 * DAY, [("be open", 5)])
    with ext.session() as session:
        found = stays(session, ask())
        support, billing = cast.support.id, cast.billing.id
        assert list(found[support, Status.NEW].seconds) == [300, 600]
        assert list(found[billing, Status.NEW].seconds) == [0, 1200]
        assert list(found[billing, Status.OPEN].seconds) == [1800, 3600]
        assert list(found[billing, Status.PENDING].seconds) == [7200]
        assert found[support, Status.OPEN].running == 1
        assert found[support, Status.OPEN].since == now() - 3 * DAY + timedelta(minutes=5)
        assert (billing, Status.RESOLVED) not in found
        assert found[billing, Status.OPEN].rank(0.5) == 1800
        assert found[billing, Status.OPEN].rank(0.9) == 3600


def test_the_age_of_what_is_open_has_sharp_borders(cast: Cast) -> None:
    old = [timedelta(0), timedelta(hours=4), DAY, 3 * DAY, 7 * DAY]
    second = timedelta(seconds=1)
    with ext.write() as session:
        for age in old:
            live(session, cast, now() - age, [])
            live(session, cast, now() - age - second, [("give alice", 0)])
        live(session, cast, now() - DAY, [("be closed", 1)])
    with ext.session() as session:
        found = present(session, ask())
        bands = Counter[str]()
        for (band, _status, _nobody), count in found.found.items():
            bands[band] += count
        assert bands == {"4h": 2, "1d": 2, "3d": 2, "7d": 2, "older": 2}
        assert found.by_agent == {cast.alice.id: 5}
        assert sum(n for (_b, _s, nobody), n in found.found.items() if nobody) == 5
