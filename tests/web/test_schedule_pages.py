"""Reports by email are planned from the report's own page, stopped, started again and sent now."""

from datetime import UTC, datetime

import time_machine
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.models import User
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.reports.models import ReportFile, Schedule
from helpdesk.web.supervisor import mailing
from tests.cast import Cast
from tests.web.conftest import Pages, counted

HOME = "/supervisor/schedules"


def schedule() -> Schedule:
    with ext.session() as session:
        return session.scalars(select(Schedule)).one()


def test_a_supervisor_plans_stops_and_starts_a_report(
    pages: Pages, cast: Cast, clock: time_machine.Traveller
) -> None:
    pages.log_in("sam")
    assert "No report is sent yet" in pages.get(HOME).text
    pages.get(f"{HOME}/new?report=sla")
    assert pages.post(f"{HOME}/new?queue=99999", every="day", hour="7").status == 400
    query = f"queue={cast.support.id}&by=agent"
    pages.get(f"{HOME}/new?report=sla&from=2026-11-01&to=2026-11-20&{query}")
    page = pages.post(f"{HOME}/new?{query}", every="day", hour="7")
    assert page.place.startswith(HOME)
    row = schedule()
    assert (row.query, row.hour, row.user_id) == (
        {"queue": str(cast.support.id), "by": "agent"},
        7,
        cast.sam.id,
    )
    with counted() as statements:
        page = pages.get(HOME)
    assert len(statements) <= 12, statements
    assert "Queue: Support" in page.text
    assert "Start again" in pages.post(f"{HOME}/{row.id}/stop").text
    assert schedule().next_at is None
    assert "It goes on." in pages.post(f"{HOME}/{row.id}/resume").text
    assert "within a minute" in pages.post(f"{HOME}/{row.id}/now").text
    clock.shift(60)
    assert mailing.send_due() == 1
    assert schedule().next_at == datetime(2026, 11, 24, 5, tzinfo=UTC)


def test_a_sent_file_opens_for_its_reader_only_and_that_is_kept(
    pages: Pages, cast: Cast, clock: time_machine.Traveller
) -> None:
    pages.log_in("sam")
    pages.get(f"{HOME}/new?report=sla")
    pages.post(f"{HOME}/new")
    pages.post(f"{HOME}/{schedule().id}/now")
    mailing.send_due()
    with ext.session() as session:
        file_id = session.scalars(select(ReportFile.id).order_by(ReportFile.id)).first()
    path = f"/supervisor/files/{file_id}"
    answer = pages.raw("GET", path)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    with ext.session() as session:
        event = session.scalars(select(Event).where(Event.kind == "report.file_read")).one()
    assert (event.user_id, event.data) == (cast.sam.id, {"report_file_id": file_id})
    pages.log_in("ada")
    assert pages.raw("GET", path).status_code == 404
    with pages.app.test_client() as stranger:
        assert b"/login" in stranger.get(path).data or stranger.get(path).status_code == 401


def test_an_agent_stops_what_is_sent_to_them_and_plans_nothing(pages: Pages, cast: Cast) -> None:
    pages.log_in("sam")
    for user in (cast.sam, cast.alice):
        pages.get(f"{HOME}/new?report=work")
        pages.post(f"{HOME}/new", user_id=str(user.id))
    with ext.session() as session:
        sams, theirs = session.scalars(select(Schedule.id).order_by(Schedule.id))
        mail = mailing.make(session, session.get_one(Schedule, theirs), now())
    assert mail.values["schedules"].endswith(HOME)
    pages.log_in("alice")
    page = pages.get(HOME)
    assert page.text.count("Alice") and "Sam" not in page.text
    assert "New schedule" not in page.text and "Send now" not in page.text
    assert "Start again" in pages.post(f"{HOME}/{theirs}/stop").text
    with ext.session() as session:
        assert session.get_one(Schedule, theirs).next_at is None
    token = {"csrf_token": pages.token}
    for path in (f"{HOME}/{sams}/stop", f"{HOME}/{theirs}/now"):
        assert pages.send(path, token).status == 404
    assert pages.raw("GET", f"{HOME}/new").status_code == 404


def test_schedules_of_others_are_not_there(pages: Pages, cast: Cast) -> None:
    with ext.write() as session:
        other = session.get_one(User, cast.alice.id)
        other.role = "supervisor"
    pages.log_in("alice")
    pages.get(f"{HOME}/new?report=work")
    pages.post(f"{HOME}/new")
    row = schedule()
    pages.log_in("sam")
    assert "No report is sent yet" in pages.get(HOME).text
    pages.get(f"{HOME}/new")
    assert pages.send(f"{HOME}/{row.id}/stop", {"csrf_token": pages.token}).status == 404
    pages.log_in("ada")
    assert "Alice" in pages.get(HOME).text  # administrators see all


def test_what_does_not_fit_is_said(pages: Pages, cast: Cast) -> None:
    pages.log_in("sam")
    assert pages.get(f"{HOME}/new?report=moon").status == 400
    wrong = f"{HOME}/new?report=sla&priority=terrible"
    page = pages.get(wrong)
    assert page.status == 400
    assert "has no value" in page.text
    assert pages.post(wrong).status == 400
    pages.get(f"{HOME}/new?report=sla")
    for field in ("every", "hour", "user_id", "report"):
        for text in ("99", "x" * 10_000):
            page = pages.post(f"{HOME}/new", **{field: text})
            assert page.status == 400, (field, text[:9])
    with ext.session() as session:
        assert session.scalars(select(Schedule)).all() == []
