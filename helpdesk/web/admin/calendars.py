"""Business calendars: the week, holidays and special days, what they mean right now."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from babel.dates import format_date, get_month_names
from babel.numbers import format_decimal
from flask import Blueprint, current_app, flash, g, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.lib import worktime
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound
from helpdesk.tickets import calendars
from helpdesk.tickets.models import Calendar, Clock, Policy
from helpdesk.web.admin import week
from helpdesk.web.admin.forms import page_status, wrong
from helpdesk.web.admin.seed import countries, public_holidays
from helpdesk.web.desk.zones import find_zone
from helpdesk.web.guard import actor, needs, reading

blueprint = Blueprint("admin_calendars", __name__)

OFFICE: Mapping[str, Any] = {day: [["09:00", "18:00"]] for day in worktime.WEEKDAYS[:5]}
CAP = 999
YEARS = range(2000, 2101)


@dataclass(frozen=True)
class Shown:
    """What the form of a calendar holds, as typed."""

    name: str = ""
    timezone: str = ""
    weekly: Mapping[str, Any] = field(default_factory=dict)
    dates: list[week.DateRow] = field(default_factory=list)
    version: str = ""


@blueprint.app_template_filter("decimal")
def decimal(number: float) -> str:
    """ "41.5" or "41,5", as the reader writes it."""
    return str(format_decimal(round(number, 2), locale=g.language))


@blueprint.app_template_filter("date_text")
def date_text(day: date) -> str:
    return str(format_date(day, "d MMMM", locale=g.language))


@blueprint.get("/admin/calendars")
@needs("calendar.change")
def listing() -> str:
    rows = reading().scalars(select(Calendar).order_by(Calendar.name)).all()
    used = select(Policy.calendar_id, func.count()).group_by(Policy.calendar_id)
    return render_template(
        "admin/calendars.html",
        calendars=[(row, _hours(row.weekly), _state(row)) for row in rows],
        used=dict(reading().execute(used).all()),
    )


@blueprint.get("/admin/calendars/new")
@needs("calendar.change")
def new() -> str:
    return _page(None, Shown(timezone=current_app.config["TIMEZONE"], weekly=OFFICE))


@blueprint.post("/admin/calendars/new")
@needs("calendar.change")
def create() -> BaseResponse | str | tuple[str, int]:
    shown = _read()
    if "more" in request.form:
        return _page(None, shown)
    try:
        holidays, special = week.split_dates(shown.dates)
        with ext.write() as session:
            calendar = calendars.create(
                session,
                name=shown.name,
                timezone=shown.timezone,
                weekly=shown.weekly,
                holidays=holidays,
                special=special,
                at=now(),
                actor=actor(),
            )
            calendar_id = calendar.id
    except HelpdeskError as error:
        return _page(None, shown, _wrong(error)), page_status(error)
    flash(_("Saved. Choose this calendar in a policy, so that promises count by it."))
    return redirect(f"/admin/calendars/{calendar_id}")


@blueprint.get("/admin/calendars/<int:calendar_id>")
@needs("calendar.change")
def edit(calendar_id: int) -> str:
    calendar = _calendar(reading(), calendar_id)
    return _page(calendar, _shown(calendar))


@blueprint.post("/admin/calendars/<int:calendar_id>")
@needs("calendar.change")
def save(calendar_id: int) -> BaseResponse | str | tuple[str, int]:
    shown = _read()
    if "more" in request.form:
        return _page(_calendar(reading(), calendar_id), shown)
    try:
        holidays, special = week.split_dates(shown.dates)
        with ext.write() as session:
            calendar = _calendar(session, calendar_id)
            calendars.change(
                session,
                calendar,
                actor=actor(),
                at=now(),
                version=int(shown.version) if shown.version.isdigit() else 0,
                name=shown.name,
                timezone=shown.timezone,
                weekly=shown.weekly,
                holidays=holidays,
                special=special,
            )
    except HelpdeskError as error:
        calendar = _calendar(reading(), calendar_id)
        return _page(calendar, shown, _wrong(error), fresh=error), page_status(error)
    flash(_("Saved. Deadlines that are running are counted anew now."))
    return redirect(f"/admin/calendars/{calendar_id}")


@blueprint.get("/admin/calendars/<int:calendar_id>/holidays")
@needs("calendar.change")
def holidays_form(calendar_id: int) -> str:
    """A country's holidays of one year to look through before they are added."""
    calendar = _calendar(reading(), calendar_id)
    names = dict(countries(g.language))
    country = request.args.get("country", "").upper()
    if country not in names:
        country = str(current_app.config["COUNTRY"])
    year = _year(request.args.get("year"))
    known = {*calendar.holidays, *calendar.special}
    found = [
        (day.isoformat(), day, name, day.isoformat() in known)
        for day, name in public_holidays(country, year, g.language)
    ]
    return render_template(
        "admin/holidays.html",
        calendar=calendar,
        country=country,
        country_name=names.get(country, country),
        countries=countries(g.language),
        year=year,
        found=found,
        weekdays=weekdays(),
    )


@blueprint.post("/admin/calendars/<int:calendar_id>/holidays")
@needs("calendar.change")
def add_holidays(calendar_id: int) -> BaseResponse:
    """Add the ticked days to the calendar; each stays a day that can be changed or taken out."""
    days = [day for day in request.form.getlist("day")[:400] if re.fullmatch(r"[0-9-]{10}", day)]
    with ext.write() as session:
        calendar = _calendar(session, calendar_id)
        session.refresh(calendar, with_for_update=True)
        known = {*calendar.holidays, *calendar.special}
        added = sorted(set(days) - known)
        calendars.change(
            session, calendar, actor=actor(), at=now(), holidays=[*calendar.holidays, *added]
        )
    text = ngettext("%(num)s day was added.", "%(num)s days were added.", len(added))
    flash(text)
    return redirect(f"/admin/calendars/{calendar_id}#dates")


def weekdays() -> tuple[str, ...]:
    """The whole names, Monday first."""
    return (
        pgettext("weekday", "Monday"),
        pgettext("weekday", "Tuesday"),
        pgettext("weekday", "Wednesday"),
        pgettext("weekday", "Thursday"),
        pgettext("weekday", "Friday"),
        pgettext("weekday", "Saturday"),
        pgettext("weekday", "Sunday"),
    )


def _calendar(session: Session, calendar_id: int) -> Calendar:
    calendar = session.get(Calendar, calendar_id)
    if calendar is None:
        raise NotFound()
    return calendar


def _read() -> Shown:
    form = request.form
    return Shown(
        name=form.get("name", "")[:200],
        timezone=find_zone(form.get("timezone", "")[:60]),
        weekly=week.read_week(form),
        dates=week.read_dates(form),
        version=form.get("version", "")[:9],
    )


def _shown(calendar: Calendar) -> Shown:
    return Shown(
        name=calendar.name,
        timezone=calendar.timezone,
        weekly=calendar.weekly,
        dates=week.date_rows(calendar.holidays, calendar.special),
        version=str(calendar.version),
    )


def _wrong(error: HelpdeskError) -> dict[str, str]:
    """Errors of one special day or of a holiday stand above the list of dates."""
    if "day" in error.params:
        error.params |= {"day": _day_text(str(error.params["day"]))}
    found = wrong(error)
    name, text = next(iter(found.items()))
    return {"dates": text} if name.split(".")[0] in ("special", "holidays") else found


def _day_text(day: str) -> str:
    """A day of the week ("mon") or a date ("2026-12-25") as the reader writes it."""
    if day in worktime.WEEKDAYS:
        return weekdays()[worktime.WEEKDAYS.index(day)]
    try:
        return date_text(date.fromisoformat(day))
    except ValueError:
        return day


def _state(calendar: Calendar) -> dict[str, Any]:
    """Whether it is working time now, and from or until when."""
    compiled, at = calendars.worktime_of(calendar), now()
    try:
        if not worktime.is_open(compiled, at):
            return {"open": False, "next": worktime.next_open(compiled, at)}
        spans = worktime.spans(compiled, at, at + timedelta(days=8))
        ends = (span for span in spans if not span.counted)
        first = next(ends, None)
        return {"open": True, "next": first.start if first else None}
    except HelpdeskError:
        return {"open": False, "next": None}


def _hours(weekly: Mapping[str, Any]) -> float:
    return sum(row.minutes for row in week.day_rows(weekly)) / 60


def _year(text: str | None) -> int:
    this = now().year
    return int(text) if text and text.isdigit() and len(text) == 4 and int(text) in YEARS else this


def _running(calendar_id: int) -> int:
    """How many unfinished clocks count by this calendar, at most CAP + 1."""
    query = select(Clock.id).join(Policy, Policy.id == Clock.policy_id)
    query = query.where(Policy.calendar_id == calendar_id, Clock.stopped_at.is_(None))
    capped = query.limit(CAP + 1).subquery()
    return reading().scalar(select(func.count()).select_from(capped)) or 0


def _page(
    calendar: Calendar | None,
    shown: Shown,
    errors: dict[str, str] | None = None,
    fresh: HelpdeskError | None = None,
) -> str:
    more, year = request.form.get("more", ""), _year(request.args.get("year"))
    version = shown.version
    if isinstance(fresh, Conflict) and calendar is not None:
        version = str(calendar.version)  # saving again is a decision now
    rows = sorted(shown.dates, key=lambda row: row.day)
    past = [row for row in rows if row.day and row.day < f"{now().year}-01-01"]
    spare = [week.DateRow("", "")] * (3 if more == "dates" else 1)
    return render_template(
        "admin/calendar.html",
        calendar=calendar,
        shown=shown,
        version=version,
        days=week.day_rows(shown.weekly, more),
        ticks=week.ticks(shown.weekly),
        weekdays=weekdays(),
        hours=_hours(shown.weekly),
        past=past,
        dates=[row for row in rows if row not in past] + spare,
        state=_state(calendar) if calendar is not None else None,
        running=_running(calendar.id) if calendar is not None else 0,
        cap=CAP,
        picture=_picture(calendar, year) if calendar is not None else None,
        errors=errors or {},
    )


def _picture(calendar: Calendar, year: int) -> dict[str, Any]:
    """The year as a picture: a line a month, and how many days of each kind."""
    paths = week.year_paths(year, calendar.weekly, calendar.holidays, calendar.special)
    names = get_month_names("abbreviated", context="stand-alone", locale=g.language)
    counts = {kind: path.count("M") for kind, path in paths.items()}
    return {"year": year, "paths": paths, "months": list(names.values()), "counts": counts}
