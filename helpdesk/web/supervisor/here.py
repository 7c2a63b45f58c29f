"""What this request asks of a report, and the addresses of reports and lists."""

from collections.abc import Mapping
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import current_app, g, request

from helpdesk.lib.clock import now
from helpdesk.reports.asking import asked
from helpdesk.reports.sheet import Ask, Cell, Line
from helpdesk.web.guard import me, viewer

SHOWN = ("by", "lines", "table", "after")
"""Options that say how a report is shown, not what it counts."""


def ask_of(args: Mapping[str, str]) -> Ask:
    """What these arguments ask, by the rights of who is logged in. Raises HelpdeskError."""
    return asked(
        args,
        user=me(),
        queue_ids=viewer().queue_ids,
        zone=ZoneInfo(current_app.config["TIMEZONE"]),
        at=now(),
        language=g.language,
    )


def ask_here() -> Ask:
    """What this request's address asks. Raises HelpdeskError."""
    return ask_of(request.args.to_dict())


def query(ask: Ask, **changes: str | None) -> str:
    """Period, filters and options as they stand in an address, with changes; None takes away."""
    values: dict[str, str | None] = {**ask.period.query(), **ask.filters.query(), **ask.args}
    values |= changes
    return urlencode({name: value for name, value in values.items() if value})


def report_address(name: str, ask: Ask, **changes: str | None) -> str:
    return f"/supervisor/reports/{name}?{query(ask, **changes)}"


class Lists:
    """The addresses of what stands behind the numbers of one report, of which there are many."""

    def __init__(self, ask: Ask) -> None:
        values = {**ask.period.query(), **ask.filters.query(), **ask.args}
        self._values = {name: value for name, value in values.items() if name not in SHOWN}
        self._encoded = urlencode(self._values)

    def address(self, cell: Cell) -> str | None:
        """Where the things behind a number stand; None for a number that counts nothing."""
        if cell.link is None:
            return None
        name, args = cell.link
        own = {key: value for key, value in args.items() if value}
        if len(own) == len(args) and self._values.keys().isdisjoint(own):
            tail = f"&{urlencode(own)}" if own else ""
            return f"/supervisor/list/{name}?{self._encoded}{tail}"
        both = {key: value for key, value in {**self._values, **args}.items() if value}
        return f"/supervisor/list/{name}?{urlencode(both)}"


def line_address(name: str, ask: Ask, line: Line, next_cut: str | None) -> str | None:
    """The report of one part alone, divided by what is of interest then."""
    if line.link is None:
        return None
    changes: dict[str, str | None] = {"lines": None, **line.link, "by": next_cut}
    return report_address(name, ask, **changes)
