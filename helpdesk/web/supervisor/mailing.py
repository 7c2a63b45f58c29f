"""Makes the reports that schedules ask for and puts them into the outbox: a job of the worker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from helpdesk import ext, files
from helpdesk.accounts.models import Team, User
from helpdesk.accounts.permissions import can, viewer_of
from helpdesk.events import SYSTEM, record
from helpdesk.ext import add_row
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.outbox import report_email
from helpdesk.outbox.addressing import public_url
from helpdesk.reports import names, schedules
from helpdesk.reports.contracts.statements import company_zone
from helpdesk.reports.models import ReportFile, Schedule
from helpdesk.reports.sheet import Ask, Report, Table
from helpdesk.web.files_out import CSV, XLSX
from helpdesk.web.supervisor import sheets, wording
from helpdesk.web.supervisor.here import report_address
from helpdesk.web.supervisor.said import filter_words

log = structlog.get_logger()

COLUMNS = 4  # of a table in an email
LINES = 10


@dataclass(frozen=True)
class Made:
    """A report ready to be sent: `files` are form, name, type, hash and size of what is on disk."""

    subject: str
    values: Mapping[str, Any]
    files: Sequence[tuple[str, str, str, str, int]]
    rights: str


def send_due(limit: int = 20) -> int:
    """Send the reports whose moment has come; how many were looked at.

    Entry point: it commits. A report is made before the write transaction that claims its moment,
    so that nobody waits for it; if another worker was faster it is thrown away.
    """
    with ext.session() as session:
        found = [(one.id, one.next_at) for one in schedules.due(session, now(), limit)]
    for schedule_id, moment in found:
        if moment is not None:
            _send(schedule_id, moment)
    return len(found)


def _send(schedule_id: int, moment: datetime) -> None:
    at = now()
    with ext.session() as session:
        schedule = session.get_one(Schedule, schedule_id)
        reason = schedules.refusal(session, schedule.user)
        made = None
        try:
            made = make(session, schedule, at) if reason is None else None
        except HelpdeskError:
            reason = schedules.UNFIT
        except Exception:
            log.exception("schedule.failed", schedule_id=schedule_id)
    with ext.write() as session:
        schedule = session.get_one(Schedule, schedule_id)
        if reason is not None:
            _stop(session, schedule, moment, reason, at)
        elif made is None:
            again = at + schedules.AGAIN
            schedules.claim(session, schedule, moment, next_at=again, last_error=schedules.BROKEN)
        else:
            _enqueue(session, schedule, moment, made, at)


def make(session: Session, schedule: Schedule, at: datetime) -> Made:
    """The report with its files, in the recipient's language and by their rights at `at`.

    Raises HelpdeskError where its filters don't fit any more.
    """
    user = schedule.user
    ask = schedules.ask_of(session, schedule, zone=company_zone(), at=at)
    names.cut_of(schedule.report, ask)
    report = names.entry(schedule.report).make(session, _whole(ask))
    with ext.in_language(user.language):
        title = str(_(names.entry(schedule.report).title))
        filters = filter_words(session, ask.filters, user.language)
        stored = _files(report, ask, filters) if _may_export(session, user) else []
        return Made(
            subject=f"{title}, {wording.span(ask.period)}",
            values={
                "heading": title,
                "period": f"{wording.span(ask.period)} ({ask.period.zone.key})",
                "filters": filters,
                "whose": _whose(session, ask),
                "tiles": [_tile(measure, cell) for measure, cell in report.tiles],
                "findings": [str(_(text, **params)) for text, params in report.findings],
                "tables": [_table(table) for table in report.tables if table.lines],
                "link": public_url() + report_address(schedule.report, ask),
                "why": _why(session, schedule),
                "schedules": f"{public_url()}/supervisor/schedules",
            },
            files=stored,
            rights=schedules.rights_of(ask.scope),
        )


def _whole(ask: Ask) -> Ask:
    """For files: every line of tables that a page shows in part."""
    return Ask(
        period=ask.period,
        filters=ask.filters,
        scope=ask.scope,
        at=ask.at,
        language=ask.language,
        args={**ask.args, "lines": "all"},
    )


def _may_export(session: Session, user: User) -> bool:
    return can(viewer_of(session, user), "report.export")


def _files(
    report: Report, ask: Ask, filters: Sequence[tuple[str, str]]
) -> list[tuple[str, str, str, str, int]]:
    """Form, name, type, hash and size of each; on the disk already."""
    days = f"{ask.period.first:%Y%m%d}-{ask.period.last:%Y%m%d}"
    written = (
        ("XLSX", "xlsx", XLSX, sheets.xlsx_bytes(report, ask, filters=filters)),
        ("CSV", "csv", CSV, sheets.csv_bytes(report, ask, filters=filters)),
    )
    return [
        (form, f"{report.name}-{days}.{end}", kind, files.put(data), len(data))
        for form, end, kind, data in written
    ]


def _stop(
    session: Session, schedule: Schedule, moment: datetime, reason: str, at: datetime
) -> None:
    if schedules.claim(session, schedule, moment, next_at=None):
        session.refresh(schedule)
        schedules.stop(session, schedule, actor=SYSTEM, at=at, reason=reason)


def _enqueue(
    session: Session, schedule: Schedule, moment: datetime, made: Made, at: datetime
) -> None:
    user = schedule.user
    following = schedules.following(schedule, at)
    # A row for each file, whoever sends it, so that what nobody owns is found and removed.
    stored = [files.adopt(session, sha256, size) for *_about, sha256, size in made.files]
    if not schedules.claim(
        session, schedule, moment, next_at=following, sent_at=at, last_error=None
    ):
        return
    ids = [
        add_row(
            session,
            ReportFile,
            schedule_id=schedule.id,
            user_id=user.id,
            file_id=file_id,
            filename=name,
            content_type=kind,
            size=size,
            rights=made.rights,
            created_at=at,
        )
        for file_id, (_form, name, kind, _sha256, size) in zip(stored, made.files, strict=True)
    ]
    shown = [
        {"form": form, "link": f"{public_url()}/supervisor/files/{id_}"}
        for id_, (form, *_about) in zip(ids, made.files, strict=True)
    ]
    values = {**made.values, "files": shown}
    report_email.enqueue(
        session,
        user,
        "schedule",
        f"{schedule.id}.{int(moment.timestamp())}",
        subject=made.subject,
        template="report",
        values=values,
        at=at,
    )
    record(session, "report.sent", at=at, schedule_id=schedule.id, report_file_id=ids)


def _tile(measure: Any, cell: Any) -> dict[str, str]:
    change = wording.change(measure, cell)
    return {
        "label": str(_(measure.label)),
        "value": wording.shown(measure, cell.value),
        "change": change.text if change else "",
    }


def _table(table: Table) -> dict[str, Any]:
    """Its first lines and columns: the rest stands in the files."""
    measures = table.measures[:COLUMNS]
    lines = [*table.lines[:LINES], *([table.total] if table.total else [])]
    return {
        "title": str(_(table.title)),
        "head": wording.head(table),
        "heads": [str(_(measure.label)) for measure in measures],
        "rows": [
            {
                "name": wording.part(table, line),
                "numbers": [
                    wording.shown(measure, cell.value)
                    for measure, cell in zip(measures, line.cells, strict=False)
                ],
            }
            for line in lines
        ],
        "more": max(0, len(table.lines) - LINES) + table.more,
    }


def _whose(session: Session, ask: Ask) -> str:
    """Whose numbers these are, where that isn't everybody's."""
    if ask.scope.user_id is not None:
        return str(_("Your own numbers"))
    if ask.scope.team_id is not None:
        team = session.get(Team, ask.scope.team_id)
        return str(_("Team %(name)s", name=team.name)) if team else ""
    return ""


def _why(session: Session, schedule: Schedule) -> str:
    author = session.get_one(User, schedule.created_by)
    if author.id == schedule.user_id:
        return str(_("You asked for this email. Stop it under Supervision, Schedules."))
    return str(_("%(name)s has this report sent to you.", name=author.name))
