"""The report on causes: what comes how often, since when it grows, over what clients refuse."""

import random
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.calls.models import Disposition
from helpdesk.lib.clock import now
from helpdesk.products import Product
from helpdesk.reports.causes import report as causes
from helpdesk.reports.causes.jumps import FEWEST, jump
from helpdesk.reports.sheet import Report, Table
from helpdesk.tickets.models import ContactReason, TicketKind
from helpdesk.tickets.reasons import create_reason
from tests.cast import Cast
from tests.reports.behind import check, check_sums
from tests.reports.rows import ask_of, place, scatter
from tests.reports.test_calls_report import called
from tests.web.conftest import counted

DAY = timedelta(days=1)


def table(report: Report, key: str) -> Table:
    return next(one for one in report.tables if one.key == key)


def values(found: Table, place_: int) -> dict[str | None, float | None]:
    return {line.name or line.key: line.cells[place_].value for line in found.lines}


def reason(session: Session, name: str, above: int | None = None) -> int:
    names = {"en": name, "ru": f"{name} ru", "uk": f"{name} uk"}
    return create_reason(session, names=names, parent_id=above).id


def product(session: Session, name: str) -> int:
    row = Product(name=name, sort_key=name, created_at=now())
    session.add(row)
    session.flush()
    return row.id


def test_a_topic_is_a_reason_with_all_below_it(cast: Cast) -> None:
    at = now() - DAY
    with ext.write() as session:
        delivery = reason(session, "Parcel")
        late, lost = reason(session, "Late", delivery), reason(session, "Lost", delivery)
        other = reason(session, "Anything")
        for id_, times in ((delivery, 1), (late, 3), (lost, 2), (other, 4), (None, 2)):
            for _n in range(times):
                place(session, cast, at=at, reason_id=id_)
        for _n in range(2):
            place(session, cast, at=at - 28 * DAY, reason_id=late)
        report = causes.report(session, ask_of(cast.sam))
        within = causes.report(session, ask_of(cast.sam, reason=str(delivery)))
        for asked, made in (({}, report), ({"reason": str(delivery)}, within)):
            check(session, cast.sam, ask_of(cast.sam, **asked), made)
            check_sums(made)
    assert values(table(report, "topics"), 0) == {"Parcel": 6, "Anything": 4, 0: 2}
    assert values(table(report, "topics"), 1)["Parcel"] == 0.5
    assert values(table(report, "reasons"), 0) == {
        "Anything": 4,
        "Parcel / Late": 3,
        "Parcel / Lost": 2,
        0: 2,
        "Parcel": 1,
    }
    assert values(table(report, "reasons"), 2)["Parcel / Late"] == 2
    assert values(table(report, "reasons"), 3)["Parcel / Late"] == 0.5
    assert values(table(report, "reasons"), 3)["Anything"] is None  # nothing to compare with
    # What is open to a closer look is divided once more.
    parts = values(table(within, "topics"), 0)
    assert parts == {"Parcel / Late": 3, "Parcel / Lost": 2, "Parcel": 1}


def test_weeks_begin_on_monday_and_lie_in_the_period(cast: Cast) -> None:
    with ext.write() as session:
        kettle = product(session, "Kettle")
        for day in (1, 2, 3, 8, 9, 15):  # Sunday, Monday … of November
            at = datetime.fromisoformat(f"2026-11-{day:02}T12:00:00+00:00")
            place(session, cast, at=at, product_id=kettle, kind=TicketKind.COMPLAINT)
        # One minute before midnight in Kyiv, and at midnight: Sunday and Monday there.
        for moment in ("2026-11-15T21:59:00+00:00", "2026-11-15T22:00:00+00:00"):
            place(session, cast, at=datetime.fromisoformat(moment), product_id=kettle)
        ask = ask_of(cast.sam, from_="2026-11-01", to="2026-11-18")
        report = causes.report(session, ask)
        check(session, cast.sam, ask, report)
    found = table(report, "products")
    weeks = [(one.key, one.label) for one in found.measures[4:]]
    assert weeks == [
        ("causes_week:2026-10-26", "1 Nov"),
        ("causes_week:2026-11-02", "2 Nov"),
        ("causes_week:2026-11-09", "9 Nov"),
        ("causes_week:2026-11-16", "16 Nov"),
    ]
    assert [cell.value for cell in found.lines[0].cells[4:]] == [1, 3, 3, 1]
    assert values(table(report, "kinds"), 0) == {"complaint": 6, "-": 2}
    with ext.session() as session:
        day = causes.report(session, ask_of(cast.sam, from_="2026-11-15", to="2026-11-15"))
    assert len(table(day, "products").measures) == 4  # one week is no development


def test_a_fault_is_told_with_the_day_since_when(cast: Cast) -> None:
    """On workdays ten questions come, on weekends three; since 10 November one kettle in four
    breaks. Everything else only grows as the whole does."""
    chance = random.Random(11)
    with ext.write() as session:
        kettle, lamp = product(session, "Kettle"), product(session, "Lamp")
        fault, price = reason(session, "Broken"), reason(session, "Dear")
        for back in range(56):
            at = now() - back * DAY
            for _n in range(3 if at.weekday() > 4 else 10):
                about = {"product_id": chance.choice([kettle, lamp])}
                about["reason_id"] = fault if chance.random() < 0.06 else price
                place(session, cast, at=at, **about)
            if at.date() >= date(2026, 11, 10):
                for _n in range(1 if at.weekday() > 4 else 3):
                    place(session, cast, at=at, product_id=kettle, reason_id=fault)
        told = causes.report(session, ask_of(cast.sam)).findings
        assert [(one["part"], one["day"]) for _text, one in told] == [
            ("Kettle: Broken", "10 November")
        ]
        ask = ask_of(cast.sam, product=str(lamp))
        assert causes.report(session, ask).findings == ()


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_chance_is_no_jump(data: st.DataObject) -> None:
    """A steady share of days of any size says nothing; five times as many are seen near it."""
    seed, days = data.draw(st.integers(0, 10_000)), data.draw(st.integers(20, 60))
    chance = random.Random(seed)
    wholes = [chance.choice([0, 20, 60]) for _n in range(days)]
    steady = [sum(chance.random() < 0.1 for _n in range(whole)) for whole in wholes]
    found = jump(steady, wholes)
    assert found is None or found.strength < 14
    since = data.draw(st.integers(10, days - 6))
    risen = [
        n + (whole // 2 if at >= since else 0)
        for at, (n, whole) in enumerate(zip(steady, wholes, strict=True))
    ]
    if sum(risen[since:]) < 60:
        return
    seen = jump(risen, wholes)
    assert seen is not None and seen.after > seen.before
    quiet = sum(wholes[min(since, seen.place) : max(since, seen.place)])
    assert quiet <= 60


def test_a_few_cases_are_no_jump() -> None:
    assert jump([0] * 20 + [2] * 5, [10] * 25) is None  # ten cases
    assert jump([0] * 20 + [3] * 5, [10] * 25) is not None
    assert jump([0] * 27 + [FEWEST], [10] * 28) is None  # one day only
    assert jump([], []) is None


def test_refusals_are_counted_by_reason(cast: Cast) -> None:
    at = now() - DAY
    with ext.write() as session:
        price, stock = reason(session, "Dear"), reason(session, "Sold out")
        for why, times in ((price, 6), (stock, 2), (None, 1)):
            for _n in range(times):
                called(session, at, disposition=Disposition.REFUSED, reason_id=why)
        for _n in range(11):
            called(session, at, disposition=Disposition.SOLVED, reason_id=price)
        called(session, at, reason_id=price)  # nobody wrote it up
        called(session, at - 28 * DAY, disposition=Disposition.REFUSED, reason_id=stock)
        ask = ask_of(cast.sam)
        report = causes.report(session, ask)
        check(session, cast.sam, ask, report)
    found = table(report, "refusals")
    assert values(found, 0) == {"Dear": 6, "Sold out": 2, 0: 1}
    assert values(found, 1)["Dear"] == 6 / 9
    assert values(found, 2)["Dear"] == 6 / 20
    assert [line.cells[0].before for line in found.lines] == [0, 1, 0]
    assert [told for _text, told in report.findings] == [{"reason": "Dear", "share": "30.0\u00a0%"}]
    assert [cell.value for _measure, cell in report.tiles] == [0, 20, 9]


def test_every_ticket_has_its_place_in_each_table(cast: Cast) -> None:
    with ext.write() as session:
        scatter(session, cast, now(), count=60)
        some = session.scalars(select(ContactReason.id).order_by(ContactReason.id)).first()
        for args in ({}, {"only_reason": str(some)}, {"slot": "mon-10"}, {"team": "0"}):
            ask = ask_of(cast.sam, lines="all", **args)
            with counted() as seen:
                report = causes.report(session, ask)
            assert len(seen) <= 7, len(seen)
            check_sums(report)
            check(session, cast.sam, ask, report)
        mine = causes.report(session, ask_of(cast.alice))
        whole = causes.report(session, ask_of(cast.sam, agent=str(cast.alice.id)))
        assert mine.tiles[0][1].value == whole.tiles[0][1].value
