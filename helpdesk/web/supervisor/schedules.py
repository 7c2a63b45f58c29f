"""/supervisor/schedules: who gets which report by email, and the files that were sent."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, g, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, files
from helpdesk.accounts.models import User
from helpdesk.events import record
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.reports import asking, filters, schedules
from helpdesk.reports.cuts import CUTS, names
from helpdesk.reports.filters import NOTHING, Filters
from helpdesk.reports.models import Every, Schedule
from helpdesk.reports.names import REPORTS
from helpdesk.reports.sheet import Line, Table
from helpdesk.web.admin.forms import chosen_id, page_status, wrong
from helpdesk.web.files_out import saved
from helpdesk.web.guard import actor, may, me, needs, reading, said
from helpdesk.web.supervisor import wording

blueprint = Blueprint("supervisor_schedules", __name__)

HOME = "/supervisor/schedules"
USUAL_HOUR = 8
_FIELDS = ("csrf_token", "report", "every", "hour", "user_id")
_CUT_OF = {"only_reason": "reason"}

Do = Callable[[Session, Schedule], None]


@blueprint.get(HOME)
@needs("report.own")
def listing() -> str:
    """Those that the reader gets or has made; administrators see all. Also for agents, who may
    stop what somebody has sent to them."""
    rows = schedules.schedules_for(reading(), me(), every_ones=_all())
    return render_template(
        "supervisor/schedules.html",
        rows=list(zip(rows, _filters(reading(), rows), strict=True)),
        titles={name: _(one.title) for name, one in REPORTS.items()},
        every=_every(),
        undelivered=schedules.undelivered(reading(), rows),
        urlencode=urlencode,
    )


@blueprint.get(f"{HOME}/new")
@needs("report.schedule")
def new() -> str | tuple[str, int]:
    """The form for the report whose address led here."""
    values = {"user_id": str(me().id), "every": "week", "hour": str(USUAL_HOUR)}
    report = request.args.get("report") or "sla"
    values["report"] = report if report in REPORTS else "sla"
    try:
        schedules.checked_query(_report(report), request.args, user=me(), at=now())
    except HelpdeskError as error:
        return _page(values, wrong(error)), 400
    return _page(values)


@blueprint.post(f"{HOME}/new")
@needs("report.schedule")
def create() -> BaseResponse | tuple[str, int]:
    form = {name: request.form.get(name, "")[:40] for name in _FIELDS[1:]}
    try:
        user_id = chosen_id(form["user_id"], "user_id")
        if user_id is None or form["every"] not in set(Every):
            field = "every" if user_id else "user_id"
            raise HelpdeskError(_lazy("Choose one from the list."), field=field)
        with ext.write() as session:
            schedules.create(
                session,
                user_id,
                _report(form["report"]),
                request.args.to_dict(),
                every=Every(form["every"]),
                hour=_hour(form["hour"]),
                actor=actor(),
                at=now(),
            )
    except HelpdeskError as error:
        return _page(form, wrong(error)), page_status(error)
    flash(_("Saved. The first email comes at its time."))
    return redirect(HOME)


@blueprint.post(f"{HOME}/<int:schedule_id>/stop")
@needs("report.own")
def stop(schedule_id: int) -> BaseResponse:
    """Send nothing more; the list offers to start it again."""

    def do(session: Session, schedule: Schedule) -> None:
        schedules.stop(session, schedule, actor=actor(), at=now())

    return _act(schedule_id, do, _("Stopped. “Start again” undoes it."))


@blueprint.post(f"{HOME}/<int:schedule_id>/resume")
@needs("report.own")
def resume(schedule_id: int) -> BaseResponse:
    def do(session: Session, schedule: Schedule) -> None:
        schedules.resume(session, schedule, actor=actor(), at=now())

    return _act(schedule_id, do, _("It goes on."))


@blueprint.post(f"{HOME}/<int:schedule_id>/now")
@needs("report.schedule")
def send_now(schedule_id: int) -> BaseResponse:
    def do(session: Session, schedule: Schedule) -> None:
        schedules.send_now(session, schedule, at=now())

    return _act(schedule_id, do, _("An email goes out within a minute."))


@blueprint.get("/supervisor/files/<int:report_file_id>")
@needs("report.export")
def file(report_file_id: int) -> Response:
    """A file that was sent to the reader; that it was opened is kept."""
    found = schedules.file_for(reading(), report_file_id, me())
    try:
        data = files.read(found.file.sha256)
    except FileNotFoundError:
        raise NotFound() from None
    if request.method == "GET":
        with ext.write() as session:
            record(session, "report.file_read", actor=actor(), report_file_id=report_file_id)
    return saved(Response(data, mimetype=found.content_type), found.filename)


def _act(schedule_id: int, do: Do, text: str) -> BaseResponse:
    try:
        with ext.write() as session:
            do(session, schedules.schedule_for(session, schedule_id, me(), every_ones=_all()))
    except HelpdeskError as error:
        if error.status == 404:
            raise
        flash(said(error), "error")
        return redirect(HOME)
    flash(text)
    return redirect(HOME)


def _all() -> bool:
    return may("admin.use")


def _report(name: str) -> str:
    if name not in REPORTS:
        raise HelpdeskError(_lazy("Choose one from the list."), field="report")
    return name


def _hour(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 3):
        raise HelpdeskError(_lazy("Choose one from the list."), field="hour")
    return int(text)


def _every() -> dict[str, str]:
    return {
        Every.DAY: _("every day, about the day before"),
        Every.WEEK: _("on Mondays, about the week before"),
        Every.MONTH: _("on the first of the month, about the month before"),
    }


def _page(values: dict[str, str], errors: dict[str, str] | None = None) -> str:
    people = select(User.id, User.name, User.timezone).where(User.active.is_(True))
    apart = (*_FIELDS, *asking.PERIOD)
    query = {name: text for name, text in request.args.items() if name not in apart}
    errors = dict(errors or {})
    try:
        words = _filter_words(reading(), [filters.read(query)])[0]
    except HelpdeskError as error:
        words, errors = [], {"": said(error), **errors}
    known = ("report", "every", "hour", "user_id")
    loose = [text for name, text in errors.items() if name and name not in known]
    if loose:
        errors[""] = loose[0]
    return render_template(
        "supervisor/schedule.html",
        values=values,
        errors=errors,
        action=f"{HOME}/new?{urlencode(query)}" if query else f"{HOME}/new",
        filters=words,
        reports=[(name, _(one.title)) for name, one in REPORTS.items()],
        every=list(_every().items()),
        hours=[(str(hour), f"{hour:02}:00") for hour in range(24)],
        people=[
            (str(id_), f"{name} ({zone})")
            for id_, name, zone in reading().execute(people.order_by(User.sort_key, User.id))
        ],
    )


def _filters(session: Session, rows: Sequence[Schedule]) -> list[list[tuple[str, str]]]:
    """What each schedule is narrowed to, in words; filters that don't fit any more are left out."""
    found = []
    for row in rows:
        try:
            found.append(filters.read(row.query))
        except HelpdeskError:
            found.append(Filters())
    return _filter_words(session, found)


def _filter_words(session: Session, every: Sequence[Filters]) -> list[list[tuple[str, str]]]:
    """Label and value of the filters, with one statement for each kind of thing they name."""
    ids: dict[str, set[Any]] = {}
    for one in every:
        for name in one.query():
            ids.setdefault(_cut(name), set()).add(getattr(one, name))
    known = {
        cut: names(session, cut, values - {NOTHING}, g.language) for cut, values in ids.items()
    }
    return [
        [
            (str(_(CUTS[_cut(name)].label)), _word(_cut(name), getattr(one, name), known))
            for name in one.query()
        ]
        for one in every
    ]


def _cut(name: str) -> str:
    return _CUT_OF.get(name, name)


def _word(cut: str, key: Any, known: dict[str, dict[Any, str]]) -> str:
    table = Table("", CUTS[cut].label, cut, (), ())
    return wording.part(table, Line(key, known[cut].get(key), ()))
