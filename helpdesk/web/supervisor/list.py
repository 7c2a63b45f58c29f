"""/supervisor/list/…: the very tickets, promises or calls behind a number of a report."""

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from helpdesk.lib import phone
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.reports.names import LISTS, REPORTS, ROOMS
from helpdesk.reports.sheet import Ask, Behind
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.desk.call_words import TASK_SIGNS, call_words
from helpdesk.web.desk.directory import queue_names, user_names
from helpdesk.web.guard import needs, reading
from helpdesk.web.supervisor import wording
from helpdesk.web.supervisor.here import ask_here, query, report_address
from helpdesk.web.supervisor.list_rows import LINES, how_many
from helpdesk.web.supervisor.said import filter_words, option_words

blueprint = Blueprint("supervisor_list", __name__)

PAGE = 50


@blueprint.get("/supervisor/list/<listed>")
@needs("report.own")
def listing(listed: str) -> str:
    """All that the number counts, a page at a time; `after`: how many stand on those before."""
    if listed not in LISTS:
        raise NotFound()
    behind, ask = LISTS[listed], ask_here()
    _check_queue(ask)
    ids = behind.ids(reading(), ask)
    skipped = min(_skipped(), max(0, len(ids) - 1) // PAGE * PAGE)  # it may have become shorter
    page = ids[skipped : skipped + PAGE]
    more = skipped + PAGE if len(ids) > skipped + PAGE else None
    known = call_words()
    return render_template(
        "supervisor/list.html",
        title=_(behind.title),
        kind=behind.kind,
        count=how_many(behind.kind, len(ids)),
        about=_about(behind, ask),
        back=_back(listed, ask),
        zone=ask.period.zone.key if behind.dated else "",
        lines=LINES[behind.kind](reading(), page, ask.at) if page else [],
        place=(skipped + 1, skipped + len(page)) if len(ids) > PAGE else None,
        next_url=f"?{query(ask, after=str(more))}" if more else None,
        before_url=f"?{query(ask, after=str(max(0, skipped - PAGE)))}" if skipped else None,
        users=user_names(),
        queues=queue_names(),
        ended=known.ended,
        directions=known.direction,
        known=known,
        signs=TASK_SIGNS,
        display=phone.display,
        offset=NUMBER_OFFSET,
    )


def _skipped() -> int:
    text = request.args.get("after", "") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HelpdeskError(_lazy("This page of the list is not there."), field="after")
    return int(text)


def _check_queue(ask: Ask) -> None:
    """Somebody else's queue is not there, not even its name."""
    mine, wanted = ask.scope.queue_ids, ask.filters.queue
    if mine is not None and wanted is not None and wanted not in mine:
        raise NotFound()


def _about(behind: Behind, ask: Ask) -> list[tuple[str, str]]:
    """What is counted, in words: the period and all that narrows."""
    period = [(str(_("Period")), wording.span(ask.period))] if behind.dated else []
    filters = filter_words(reading(), ask.filters, ask.language)
    return [*period, *filters, *option_words(reading(), ask)]


def _back(listed: str, ask: Ask) -> str | None:
    """The report that has this list, with the same period and filters; None for another page's."""
    makers = [getattr(room, "report", None) for _title, room in ROOMS if listed in room.LISTS]
    name = next((name for name, one in REPORTS.items() if one.make in makers), None)
    changes: dict[str, str | None] = dict.fromkeys(ask.args)
    return report_address(name, ask, **changes) if name else None
