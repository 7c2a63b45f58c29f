"""Calendars are checked, kept in order, and a change recounts only what it concerns."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.events import SYSTEM, Event
from helpdesk.lib.errors import Conflict, HelpdeskError
from helpdesk.tickets import calendars, policies, sla
from helpdesk.tickets.models import Calendar, Channel, Clock, Metric, Policy, Ticket
from helpdesk.tickets.received import open_ticket
from tests.cast import OFFICE, Cast

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
THURSDAY = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)  # two office hours are left in Kyiv
HOUR = timedelta(hours=1)


def open_one(session: Session, cast: Cast) -> int:
    return open_ticket(
        session,
        queue_id=cast.support.id,
        who=cast.oksana,
        subject="Two payments",
        channel=Channel.EMAIL,
        language="uk",
        at=THURSDAY,
    )


def first_due(session: Session) -> set[datetime | None]:
    """The deadlines of all first responses."""
    query = select(Clock.due_at).where(Clock.metric == Metric.FIRST_RESPONSE)
    return set(session.scalars(query))


def test_a_calendar_is_kept_in_order_and_without_empty_days(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        calendar = calendars.create(
            session,
            name="  Shop ",
            timezone="Europe/Moscow",
            weekly={"mon": [["14:00", "24:00"], ["09:00", "13:00"]], "sun": []},
            holidays=["2027-01-01", "2026-12-25", "2027-01-01"],
            special={"2026-12-26": [["10:00", "14:00"]], "2026-12-24": []},
            at=AT,
        )
        assert calendar.name == "Shop"
        assert calendar.weekly == {"mon": [["09:00", "13:00"], ["14:00", "24:00"]]}
        assert calendar.holidays == ["2026-12-25", "2027-01-01"]
        assert calendar.special == {"2026-12-24": [], "2026-12-26": [["10:00", "14:00"]]}
        read = calendars.worktime_of(calendar)
        assert read is not None and read is calendars.worktime_of(calendar)
        assert calendars.worktime_of(None) is None
        event = session.scalars(select(Event).where(Event.kind == "calendar.created")).one()
        assert event.data == {"calendar_id": calendar.id}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "oFFice"}),
        ("name", {"name": "12"}),
        ("name", {"name": None}),
        ("timezone", {"timezone": "Kyiv"}),
        ("timezone", {"timezone": None}),
        ("weekly", {"weekly": {}}),
        ("weekly", {"weekly": {"mon": []}}),
        ("weekly", {"weekly": {"Monday": [["09:00", "18:00"]]}}),
        ("weekly.mon", {"weekly": {"mon": [["9", "18"]]}}),
        ("weekly", {"weekly": {"mon": [["09:00", "09:01"]] * 30}}),
        ("holidays", {"holidays": ["2026-02-30"]}),
        ("holidays", {"holidays": "2026-12-25"}),
        ("holidays", {"holidays": ["2026-12-25"] * 1001}),
        ("special", {"special": []}),
        ("special.2026-12-26", {"special": {"2026-12-26": [["10:00"]]}}),
    ],
)
def test_a_wrong_calendar_is_refused_with_the_place(
    app: Flask, cast: Cast, field: str, values: dict[str, Any]
) -> None:
    given = {"name": "Shop", "timezone": "Europe/Kyiv", "weekly": OFFICE, "at": AT} | values
    with ext.write() as session:
        with pytest.raises(HelpdeskError) as refused:
            calendars.create(session, **given)
        assert refused.value.field == field
        assert len(session.scalars(select(Calendar)).all()) == 1


def test_a_change_asks_only_the_policies_of_the_calendar_to_recount(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        always = policies.create(session, name="Always", targets={}, queue_id=1, at=AT)
        office = session.get_one(Calendar, cast.office.id)
        standard = session.scalars(select(Policy).where(Policy.name == "Standard")).one()
        session.refresh(standard)
        before = standard.generation
        assert always.generation == before
        calendars.change(session, office, name="Kyiv office", actor=SYSTEM, at=AT, version=1)
        session.refresh(standard)
        assert (standard.generation, office.version) == (before, 2)
        calendars.change(session, office, timezone="Europe/Moscow", actor=SYSTEM, at=AT, version=2)
        session.refresh(standard)
        session.refresh(always)
        assert (standard.generation, always.generation) == (before + 1, before)
        calendars.change(session, office, weekly=OFFICE, actor=SYSTEM, at=AT)
        assert office.version == 3
        changed = session.scalars(select(Event).where(Event.kind == "calendar.changed")).all()
        assert [event.data for event in changed] == [{"calendar_id": office.id}] * 2


def test_a_change_of_an_old_version_is_a_conflict(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        office = session.get_one(Calendar, cast.office.id)
        with pytest.raises(Conflict):
            calendars.change(session, office, name="X", actor=SYSTEM, at=AT, version=0)
        with pytest.raises(TypeError):
            calendars.change(session, office, nmae="X", actor=SYSTEM, at=AT)


def test_a_wrong_change_leaves_the_calendar_as_it_was(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        office = session.get_one(Calendar, cast.office.id)
        with pytest.raises(HelpdeskError):
            calendars.change(
                session, office, timezone="Europe/Moscow", holidays=["x"], actor=SYSTEM, at=AT
            )
        assert (office.timezone, office.version) == ("Europe/Kyiv", 1)


def test_a_changed_calendar_recounts_in_chunks(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        for _ in range(5):
            open_one(session, cast)
        calendars.change(
            session,
            session.merge(cast.office),
            holidays=["2026-11-27"],
            actor=SYSTEM,
            at=THURSDAY + HOUR,
        )
        assert first_due(session) == {THURSDAY + 19 * HOUR}
    done = []
    while not done or done[-1]:
        with ext.write() as session:
            done.append(sla.recount_due(session, THURSDAY + HOUR, limit=4))
    assert done == [4, 4, 2, 0]
    with ext.session() as session:
        assert first_due(session) == {THURSDAY + 91 * HOUR}
        assert set(session.scalars(select(Ticket.next_due_at))) == {THURSDAY + 91 * HOUR}


def test_two_workers_share_a_recount(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        for _ in range(30):
            open_one(session, cast)
        office = session.merge(cast.office)
        calendars.change(session, office, holidays=["2026-11-27"], actor=SYSTEM, at=AT)

    def work() -> None:
        with app.app_context():
            left = 1
            while left:
                with ext.write() as session:
                    sla.recount_due(session, THURSDAY + HOUR, limit=7)
                with ext.session() as session:
                    newest = select(Policy.generation).scalar_subquery()
                    left = len(
                        session.scalars(select(Clock.id).where(Clock.counted < newest)).all()
                    )

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ext.session() as session:
        assert first_due(session) == {THURSDAY + 91 * HOUR}
        assert set(session.scalars(select(Ticket.next_due_at))) == {THURSDAY + 91 * HOUR}
        recounted = select(Event.id).where(Event.kind == "clock.recounted")
        assert len(session.scalars(recounted).all()) == 60
