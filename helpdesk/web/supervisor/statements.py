"""/supervisor/statements: what clients were promised in a month, and what was met."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from babel.dates import format_date
from flask import Blueprint, flash, g, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.clients.merge import survivor
from helpdesk.clients.models import Client
from helpdesk.ext import LANGUAGES
from helpdesk.lib import worktime
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.reports.contracts import closing
from helpdesk.reports.contracts import lists as statement_lists
from helpdesk.reports.contracts.statements import (
    Names,
    Numbers,
    Subject,
    company_zone,
    count,
    month_name,
    month_of,
    names_of,
)
from helpdesk.reports.contracts.why import WORDS as WHY
from helpdesk.reports.models import Statement
from helpdesk.reports.period import Period
from helpdesk.reports.scope import scope_of
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.cached import setting
from helpdesk.web.guard import actor, may, me, needs, reading, said, viewer
from helpdesk.web.portal.language import speak_in
from helpdesk.web.portal.reach import hours_of
from helpdesk.web.supervisor import wording

blueprint = Blueprint("supervisor_statements", __name__)

MONTHS = 18  # to choose from
PAGE = 100
BREACHES = 500  # on the page; the print has all
_DRAFT = "/supervisor/statements/<month>/<int:organisation_id>/<int:policy_id>"
_CLOSED = "/supervisor/statements/<int:statement_id>"


@dataclass(frozen=True)
class Shown:
    """A statement on a page; `statement` None: it isn't closed and changes yet."""

    subject: Subject
    month: Period
    names: Names
    numbers: Numbers
    statement: Statement | None = None
    closer: str = ""
    closed: Sequence[Statement] = ()  # all of this month, where a merge brought others


@blueprint.get("/supervisor/statements")
@needs("report.read")
def listing() -> str:
    """All of a month, the last finished one if none is named."""
    check_all()
    at = now()
    this = at.astimezone(company_zone()).date().replace(day=1)
    month = month_of(request.args.get("month") or f"{this - timedelta(days=1):%Y-%m}")
    rows = statement_lists.overview(reading(), month, at)
    start = _number("start")
    return render_template(
        "supervisor/statements.html",
        rows=rows[start : start + PAGE],
        more=start + PAGE if len(rows) > start + PAGE else None,
        total=len(rows),
        month=month_name(month),
        title=month_text(month.first),
        over=at >= month.end,
        months=_months(this),
        waiting=statement_lists.undecided_count(reading()) if may("exclusion.ask") else 0,
        share=share,
        zone=company_zone().key,
        behind=lambda row: _behind(row.subject, row.statement_id),
    )


@blueprint.get(_DRAFT)
@needs("report.read")
def draft(month: str, organisation_id: int, policy_id: int) -> BaseResponse | str:
    """A statement as it is now; where the month is closed, as it was closed last."""
    subject = _subject(month, organisation_id, policy_id)
    client = reading().get(Client, organisation_id)
    if client is not None and client.merged_into_id is not None:
        return redirect(address(replace(subject, client_id=survivor(reading(), client).id)))
    closed = closing.closed(reading(), subject)
    if closed and not count(reading(), subject, now()).total.counted:
        return redirect(_path(closed[0]))
    return _page(_open(subject))


@blueprint.post(f"{_DRAFT}/close")
@needs("statement.close")
def close(month: str, organisation_id: int, policy_id: int) -> BaseResponse | tuple[str, int]:
    """Write the month down for good: there is no undo, so a tick is asked for."""
    subject = _subject(month, organisation_id, policy_id)
    if request.form.get("sure") != "1":
        error = _("Tick that the numbers are agreed: a closed month does not change any more.")
        return _page(_open(subject), error), 400
    try:
        with ext.write() as session:
            statement_id = closing.close(session, subject, actor=actor(), at=now()).id
    except HelpdeskError as error:
        if error.status == 404:
            raise
        return _page(_open(subject), said(error)), error.status
    flash(_("The month is closed. What stands here does not change any more."))
    return redirect(f"/supervisor/statements/{statement_id}")


@blueprint.get(_CLOSED)
@needs("report.read")
def show(statement_id: int) -> str:
    return _page(_closed(statement_id))


@blueprint.get(f"{_DRAFT}/print")
@needs("report.read")
def print_draft(month: str, organisation_id: int, policy_id: int) -> str:
    return _paper(_open(_subject(month, organisation_id, policy_id)))


@blueprint.get(f"{_CLOSED}/print")
@needs("report.read")
def print_closed(statement_id: int) -> str:
    return _paper(_closed(statement_id))


def check_all() -> None:
    """Statements are of all teams together: who sees less than all numbers sees none of them.

    Moments on these pages are of the company's zone. Raises NotFound.
    """
    if not scope_of(me(), viewer().queue_ids).everything:
        raise NotFound()
    g.timezone = company_zone().key


def share(value: float | None) -> str:
    return wording.shown(statement_lists.AFTER, value)


def month_text(first: date) -> str:
    text = str(format_date(first, "LLLL y", locale=g.language))
    return text[:1].upper() + text[1:]


def address(subject: Subject) -> str:
    """Where the statement of this subject stands, closed or not."""
    return f"/supervisor/statements/{subject.month}/{subject.client_id}/{subject.policy_id}"


def _subject(month: str, organisation_id: int, policy_id: int) -> Subject:
    check_all()
    month_of(month)
    return Subject(organisation_id, policy_id, month)


def _open(subject: Subject) -> Shown:
    names, numbers = names_of(reading(), subject), count(reading(), subject, now())
    closed = closing.closed(reading(), subject)
    return Shown(subject, month_of(subject.month), names, numbers, closed=closed)


def _closed(statement_id: int) -> Shown:
    check_all()
    found = closing.statement_for(reading(), statement_id)
    subject = Subject(found.client_id, found.policy_id, found.month)
    names, numbers = closing.read(found)
    return Shown(
        subject,
        month_of(found.month),
        names,
        numbers,
        found,
        closing.closer_of(found),
        closing.closed(reading(), subject),
    )


def _page(shown: Shown, error: str = "") -> str:
    at = now()
    path = address(shown.subject) if shown.statement is None else _path(shown.statement)
    return render_template(
        "supervisor/statement.html",
        **_parts(shown, at),
        error=error,
        path=path,
        breaches=shown.numbers.breaches[:BREACHES],
        hidden=max(0, len(shown.numbers.breaches) - BREACHES),
        over=at >= shown.month.end,
        me_id=me().id,
        behind=_behind(shown.subject, None if shown.statement is None else shown.statement.id),
    )


def _paper(shown: Shown) -> str:
    """The statement as it is handed over, in the language of the client unless another is asked."""
    client = reading().get(Client, shown.subject.client_id)
    theirs = client.language if client is not None else None
    known = [request.args.get("lang"), theirs, str(setting("primary_language"))]
    speak_in(next(lang for lang in known if lang in LANGUAGES))
    parts = _parts(shown, now())
    return render_template(
        "supervisor/statement_print.html",
        **parts,
        breaches=shown.numbers.breaches,
        languages=LANGUAGES,
        back=address(shown.subject) if shown.statement is None else _path(shown.statement),
    )


def _parts(shown: Shown, at: datetime) -> dict[str, object]:
    """What page and print share, in the language in force."""
    done = shown.statement
    return {
        "shown": shown,
        "names": shown.names,
        "numbers": shown.numbers,
        "statement": done,
        "title": month_text(shown.month.first),
        "hours": _hours(shown.names, at),
        "why": {key: _(text) for key, text in WHY.items()},
        "share": share,
        "length": wording.length,
        "offset": NUMBER_OFFSET,
        "zone": company_zone().key,
        "seal": closing.seal_of(done) if done is not None else None,
        "intact": done is None or closing.is_intact(done),
    }


def _hours(names: Names, at: datetime) -> Sequence[str]:
    """The week of the calendar in words; nothing where the names were erased."""
    if not names.policy:
        return ()
    if names.calendar is None or names.timezone is None:
        return (_("Round the clock"),)
    calendar = worktime.Calendar.from_data(names.calendar, names.timezone, names.weekly, (), {})
    return hours_of(calendar, at).lines


def _behind(subject: Subject, statement_id: int | None) -> str | None:
    """The beginning of the address of the promises behind a number, as long as they are counted."""
    if statement_id is not None:
        return None
    month = month_of(subject.month)
    return (
        f"/supervisor/list/statement?from={month.first}&to={month.last}"
        f"&organisation={subject.client_id}&policy={subject.policy_id}"
    )


def _path(statement: Statement) -> str:
    return f"/supervisor/statements/{statement.id}"


def _months(this: date) -> list[tuple[str, str]]:
    """This month and those before it."""
    found = [this]
    while len(found) < MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return [(f"{first:%Y-%m}", month_text(first)) for first in found]


def _number(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
