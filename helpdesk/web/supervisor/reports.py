"""/supervisor/reports/…: a report as a page, and as a file."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts.models import Team
from helpdesk.events import record
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.reports.names import REPORTS, Entry, cut_of, entry
from helpdesk.reports.sheet import Ask, Report
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.files_out import CSV, XLSX, saved
from helpdesk.web.guard import actor, needs, reading, said
from helpdesk.web.supervisor import sheets, view, wording
from helpdesk.web.supervisor.bar import bar, report_tabs
from helpdesk.web.supervisor.here import ask_here, ask_of
from helpdesk.web.supervisor.said import filter_words

blueprint = Blueprint("supervisor_reports", __name__)

_WRITERS = {"csv": (sheets.csv_bytes, CSV), "xlsx": (sheets.xlsx_bytes, XLSX)}


@blueprint.get("/supervisor/reports")
@needs("report.own")
def first() -> BaseResponse:
    """The first report, with the period and filters of the address."""
    query = f"?{urlencode(_filled())}" if request.args else ""
    return redirect(f"/supervisor/reports/{next(iter(REPORTS))}{query}")


@blueprint.get("/supervisor/reports/<report>")
@needs("report.own")
def page(report: str) -> str | BaseResponse | tuple[str, int]:
    """The report that the address asks for; what it asks wrong is said above an empty one."""
    found = entry(report)
    if "" in request.args.values():
        return redirect(f"{request.path}?{urlencode(_filled())}")
    try:
        ask = ask_here()
        cut = cut_of(report, ask)
        made = found.make(reading(), ask)
    except NotFound:
        raise
    except HelpdeskError as error:
        ask = ask_of({})
        return _shown(report, found, ask, cut_of(report, ask), None, said(error)), 400
    return _shown(report, found, ask, cut, made, None)


@blueprint.get("/supervisor/reports/<report>.<any(csv, xlsx):form>")
@needs("report.export")
def download(report: str, form: str) -> Response:
    """The report, or with `table` one of its tables, as a file; that it was taken is kept."""
    found = entry(report)
    ask = ask_of({**request.args.to_dict(), "lines": "all"})
    cut_of(report, ask)
    write, mimetype = _WRITERS[form]
    made = found.make(reading(), ask)
    words = filter_words(reading(), ask.filters, ask.language)
    body = write(made, ask, request.args.get("table") or None, filters=words)
    if request.method == "GET":
        with ext.write() as session:
            record(session, "report.exported", actor=actor(), report=report, form=form)
    period = ask.period
    name = f"{report}-{period.first:%Y%m%d}-{period.last:%Y%m%d}.{form}"
    return saved(Response(body, mimetype=mimetype), name)


def _filled() -> dict[str, str]:
    """The arguments that say something: an empty box of the form is no filter."""
    return {name: value for name, value in request.args.items() if value}


def _shown(
    name: str, found: Entry, ask: Ask, cut: str | None, made: Report | None, error: str | None
) -> str:
    return render_template(
        "supervisor/report.html",
        name=name,
        title=_(found.title),
        about=_(found.about) if found.about else "",
        ask=ask,
        bar=bar(name, found, ask, cut),
        tabs=report_tabs(ask),
        error=error,
        whose=_whose(ask),
        period=wording.span(ask.period),
        before=wording.span(ask.period.before()),
        zone=ask.period.zone.key,
        made_at=wording.moment(ask.at, ask.period),
        **_content(made, ask),
    )


def _content(made: Report | None, ask: Ask) -> Mapping[str, Any]:
    if made is None:
        return {"tiles": [], "cards": [], "findings": [], "texts": [], "measures": []}
    return {
        "tiles": view.tiles(made, ask),
        "cards": view.cards(made, ask),
        "findings": view.sentences(made),
        "texts": made.texts,
        "offset": NUMBER_OFFSET,
        "measures": view.measures(made),
    }


def _whose(ask: Ask) -> str:
    """Whose numbers these are, where that isn't everybody's."""
    if ask.scope.user_id is not None:
        return str(_("Your own numbers"))
    if ask.scope.nothing:
        return str(_("You belong to no team, so there is nothing to see. Ask an administrator."))
    if ask.scope.team_id is not None:
        team = reading().get(Team, ask.scope.team_id)
        return str(_("Team %(name)s", name=team.name)) if team else ""
    return ""
