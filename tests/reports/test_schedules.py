"""Reports by email: at the hour of the reader, once, by their rights of that day, with files."""

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from helpdesk import ext, files
from helpdesk.accounts.models import ReportScope, Role, Team, User
from helpdesk.events import Actor, Event
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.reports import schedules
from helpdesk.reports.models import Every, ReportFile, Schedule
from helpdesk.reports.names import REPORTS
from helpdesk.reports.schedules import next_moment, period_of
from helpdesk.tickets.models import Channel
from helpdesk.tickets.received import open_ticket
from helpdesk.web.supervisor import mailing
from tests.cast import Cast

KYIV = ZoneInfo("Europe/Kyiv")
ZONES = ("Europe/Kyiv", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "hour", "after", "expected"),
    [
        (Every.DAY, 8, "2026-11-23T05:59", "2026-11-23T06:00"),
        (Every.DAY, 8, "2026-11-23T06:00", "2026-11-24T06:00"),
        (Every.WEEK, 8, "2026-11-23T06:00", "2026-11-30T06:00"),
        (Every.MONTH, 8, "2026-11-23T06:00", "2026-12-01T06:00"),
        # Kyiv is at UTC+3 in summer, and at UTC+2 from the last Sunday of October on.
        (Every.DAY, 8, "2026-10-24T12:00", "2026-10-25T06:00"),
        (Every.DAY, 8, "2026-10-23T12:00", "2026-10-24T05:00"),
        # 3:00 comes twice on that day, and once only an email.
        (Every.DAY, 3, "2026-10-24T12:00", "2026-10-25T00:00"),
        (Every.DAY, 3, "2026-10-25T00:00", "2026-10-26T01:00"),
        # 3:00 does not come on the last Sunday of March: 4:00 does.
        (Every.DAY, 3, "2027-03-27T12:00", "2027-03-28T01:00"),
    ],
)
def test_an_email_comes_at_the_hour_of_its_reader(
    every: Every, hour: int, after: str, expected: str
) -> None:
    assert next_moment(every, hour, "Europe/Kyiv", at(after), company=KYIV) == at(expected)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(Every),
    st.integers(0, 23),
    st.sampled_from(ZONES),
    st.integers(0, 730 * 24 * 60),
)
def test_moments_lie_a_day_week_or_month_apart(
    every: Every, hour: int, zone: str, minutes: int
) -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    company = ZoneInfo(zone)
    first = next_moment(every, hour, zone, after, company=company)
    second = next_moment(every, hour, zone, first, company=company)
    local, following = first.astimezone(ZoneInfo(zone)), second.astimezone(ZoneInfo(zone))
    assert after < first < second
    assert local.hour in (hour, hour + 1)
    longest = {Every.DAY: 1, Every.WEEK: 7, Every.MONTH: 31}[every]
    assert following.date() - local.date() <= timedelta(days=longest)
    assert first - after <= timedelta(days=longest, hours=2)
    if every == Every.MONTH:
        assert local.day == following.day == 1
    if every == Every.WEEK:
        assert local.weekday() == following.weekday() == 0


def test_a_report_is_about_what_has_ended_in_the_companys_zone() -> None:
    monday = at("2026-11-30T06:00")
    found = {every: period_of(every, KYIV, monday) for every in Every}
    days = {every: (one.first, one.last) for every, one in found.items()}
    assert days == {
        Every.DAY: (date(2026, 11, 29), date(2026, 11, 29)),
        Every.WEEK: (date(2026, 11, 23), date(2026, 11, 29)),
        Every.MONTH: (date(2026, 10, 1), date(2026, 10, 31)),
    }
    still_sunday = at("2026-11-29T12:00")  # a Monday in Auckland
    assert period_of(Every.WEEK, KYIV, still_sunday).last == date(2026, 11, 22)


@pytest.mark.parametrize("every", Every)
@pytest.mark.parametrize("zone", ZONES)
def test_wherever_its_reader_is_a_report_comes_soon_after_what_it_is_about(
    every: Every, zone: str
) -> None:
    for hour in range(0, 24, 5):
        for company in map(ZoneInfo, ZONES):
            moment = next_moment(every, hour, zone, at("2026-11-12T12:00"), company=company)
            period = period_of(every, company, moment)
            since = timedelta(0) if every == Every.DAY else moment - period.end
            assert timedelta(0) <= since <= timedelta(days=2), (hour, company, moment)
            following = next_moment(every, hour, zone, moment, company=company)
            after = period_of(every, company, following)
            assert after.start == period.end, (hour, company, moment)


def plan(cast: Cast, user: User, every: Every = Every.DAY, **query: str) -> int:
    with ext.write() as session:
        return schedules.create(
            session,
            user.id,
            "sla",
            query,
            every=every,
            hour=8,
            actor=Actor(user_id=cast.ada.id),
            at=now(),
        ).id


def change(user: User, **values: Any) -> None:
    with ext.write() as session:
        row = session.get_one(User, user.id)
        for name, value in values.items():
            setattr(row, name, value)


def row_of(schedule_id: int) -> Schedule:
    with ext.session() as session:
        return session.get_one(Schedule, schedule_id)


def emails() -> list[Outgoing]:
    with ext.session() as session:
        return list(session.scalars(select(Outgoing).order_by(Outgoing.id)))


def next_morning(clock: time_machine.Traveller) -> None:
    clock.move_to(at("2026-11-24T06:00:05"))


@pytest.fixture
def ticket(cast: Cast) -> None:
    with ext.write() as session:
        open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Kettle",
            channel=Channel.EMAIL,
            language="uk",
            at=now(),
        )


def test_a_report_comes_in_the_language_of_its_reader_with_files_behind_a_log_in(
    cast: Cast, ticket: None, clock: time_machine.Traveller
) -> None:
    change(cast.sam, language="uk")
    schedule_id = plan(cast, cast.sam, by="queue", queue=str(cast.support.id))
    assert mailing.send_due() == 0
    next_morning(clock)
    assert mailing.send_due() == 1
    (email,) = emails()
    assert (email.to_address, email.language) == ("sam@example.com", "uk")
    assert "Support" in email.text
    assert "Support" in (email.html or "")
    assert email.automatic
    with ext.session() as session:
        stored = session.scalars(select(ReportFile).order_by(ReportFile.id)).all()
        assert [one.filename for one in stored] == [
            "sla-20261123-20261123.xlsx",
            "sla-20261123-20261123.csv",
        ]
        for one in stored:
            assert f"/supervisor/files/{one.id}" in email.text
            assert schedules.file_for(session, one.id, session.get_one(User, cast.sam.id))
            with pytest.raises(NotFound):
                schedules.file_for(session, one.id, session.get_one(User, cast.ada.id))
        book = zipfile.ZipFile(io.BytesIO(files.read(stored[0].file.sha256)))
        assert "xl/workbook.xml" in book.namelist()
        assert "Support" in files.read(stored[1].file.sha256).decode("utf-8-sig")
    schedule = row_of(schedule_id)
    assert (schedule.next_at, schedule.sent_at) == (at("2026-11-25T06:00"), now())
    assert mailing.send_due() == 0


def test_two_workers_send_one_email(cast: Cast, clock: time_machine.Traveller) -> None:
    schedule_id = plan(cast, cast.sam)
    moment = row_of(schedule_id).next_at
    next_morning(clock)
    assert moment is not None
    mailing._send(schedule_id, moment)
    mailing._send(schedule_id, moment)  # the second had read the same moment
    assert len(emails()) == 1
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(ReportFile)) == 2


def test_after_a_rest_of_days_one_email_comes_and_not_one_for_each_day(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    plan(cast, cast.sam)
    clock.move_to(at("2026-12-04T12:00"))
    assert (mailing.send_due(), mailing.send_due(), len(emails())) == (1, 0, 1)


@pytest.mark.parametrize(
    ("rights", "reason"),
    [
        ({"active": False}, schedules.GONE),
        ({"reports": ReportScope.TEAM}, schedules.NO_TEAM),
    ],
)
def test_who_may_not_see_it_any_more_gets_nothing_and_the_schedule_says_why(
    cast: Cast, clock: time_machine.Traveller, rights: Mapping[str, Any], reason: str
) -> None:
    schedule_id = plan(cast, cast.sam)
    change(cast.sam, **rights)
    next_morning(clock)
    mailing.send_due()
    schedule = row_of(schedule_id)
    assert (schedule.next_at, schedule.last_error, emails()) == (None, reason, [])
    with ext.write() as session:
        row = session.get_one(Schedule, schedule_id)
        with pytest.raises(HelpdeskError):
            schedules.resume(session, row, actor=Actor(user_id=cast.ada.id), at=now())
        kinds = session.scalars(select(Event.kind).where(Event.kind.startswith("report.")))
        assert set(kinds) == {"report.scheduled", "report.stopped"}


def test_it_is_made_with_the_rights_of_the_day_and_older_files_close(
    cast: Cast, ticket: None, clock: time_machine.Traveller
) -> None:
    plan(cast, cast.sam)
    next_morning(clock)
    mailing.send_due()
    with ext.write() as session:
        team = Team(name="North", sort_key=sort_key("North"), created_at=now())
        session.add(team)
        session.flush()
        team_id = team.id
    change(cast.sam, reports=ReportScope.TEAM, team_id=team_id)
    with ext.session() as session:
        first = session.scalars(select(ReportFile.id).order_by(ReportFile.id)).first()
        with pytest.raises(NotFound):  # it holds more than Sam may see now
            schedules.file_for(session, first or 0, session.get_one(User, cast.sam.id))
    clock.move_to(at("2026-11-25T06:00:05"))
    mailing.send_due()
    whole, narrow = emails()
    assert "Support" in whole.text
    assert "Support" not in narrow.text
    assert "North" in narrow.text


def test_an_agent_gets_their_own_numbers_without_files(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    plan(cast, cast.alice)
    next_morning(clock)
    mailing.send_due()
    (email,) = emails()
    assert "Your own numbers" in email.text
    assert "/supervisor/files/" not in email.text
    assert cast.alice.role == Role.AGENT


def test_what_fails_is_tried_again_and_does_not_stop_the_others(
    cast: Cast, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = plan(cast, cast.sam), plan(cast, cast.ada)
    next_morning(clock)
    made = mailing.make

    def fails(session: Any, schedule: Schedule, moment: datetime) -> Any:
        if schedule.id == first:
            raise ZeroDivisionError
        return made(session, schedule, moment)

    monkeypatch.setattr(mailing, "make", fails)
    mailing.send_due()
    assert [email.to_address for email in emails()] == ["ada@example.com"]
    assert row_of(first).last_error == schedules.BROKEN
    assert row_of(first).next_at == now() + schedules.AGAIN
    assert row_of(second).last_error is None
    monkeypatch.setattr(mailing, "make", made)
    clock.shift(3600)
    mailing.send_due()
    assert row_of(first).last_error is None
    assert row_of(first).next_at == at("2026-11-25T06:00")


def test_an_email_that_was_given_up_is_told(cast: Cast, clock: time_machine.Traveller) -> None:
    first, second = plan(cast, cast.sam), plan(cast, cast.ada)
    next_morning(clock)
    mailing.send_due()
    with ext.write() as session:
        email = session.scalars(select(Outgoing).order_by(Outgoing.id).limit(1)).one()
        email.state, email.last_error = OutgoingState.FAILED, "No such mailbox"
    with ext.session() as session:
        rows = schedules.schedules_for(session, cast.ada, every_ones=True)
        assert {row.id for row in rows} == {first, second}
        assert schedules.undelivered(session, rows) == {first: "No such mailbox"}


def test_filters_that_do_not_fit_any_more_stop_it(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    schedule_id = plan(cast, cast.sam)
    with ext.write() as session:
        session.get_one(Schedule, schedule_id).query = {"priority": "terrible"}
    next_morning(clock)
    mailing.send_due()
    assert row_of(schedule_id).last_error == schedules.UNFIT


@pytest.mark.parametrize(
    ("query", "field"),
    [({"priority": "x"}, "priority"), ({"by": "moon"}, "by"), ({"queue": "9" * 300}, "queue")],
)
def test_a_schedule_with_wrong_filters_is_not_made(
    cast: Cast, query: dict[str, Any], field: str
) -> None:
    with pytest.raises(HelpdeskError) as error:
        plan(cast, cast.sam, **query)
    assert error.value.field == field


def test_every_report_can_be_sent_in_every_language(
    cast: Cast, ticket: None, clock: time_machine.Traveller
) -> None:
    actor = Actor(user_id=cast.ada.id)
    with ext.write() as session:
        for name in REPORTS:
            schedules.create(
                session, cast.sam.id, name, {}, every=Every.DAY, hour=8, actor=actor, at=now()
            )
    clock.shift(86_400)
    for language in ("en", "ru", "uk"):
        with ext.session() as session:
            session.get_one(User, cast.sam.id).language = language
            for schedule in session.scalars(select(Schedule).order_by(Schedule.id)).all():
                made = mailing.make(session, schedule, now())
                assert made.subject
                assert made.values["tiles"]
            session.rollback()
