"""Which part of a cut a ticket falls into, read with as few of its columns as the cut needs."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Float, String, cast, extract, type_coerce
from sqlalchemy.orm import Session

from helpdesk.ext import QUARTER, quarter_begins
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.reports.cuts import COLUMNS, Cut, Facts, Known, cut_named, organisations
from helpdesk.reports.hours import DAY, WEEK, hour_at, hour_of, hour_on_clock
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Teams, team_of
from helpdesk.tickets.models import Ticket

MOST = 6
"""Cuts that one table is divided by at once."""
_READS: Mapping[str, tuple[str, ...]] = {
    "queue": ("queue_id",),
    "agent": ("assignee_id",),
    "team": ("queue_id", "assignee_id"),
    "client": ("client_id",),
    "organisation": ("client_id",),
    "product": ("product_id",),
    "reason": ("reason_id",),
    **{word: (word,) for word in ("channel", "priority", "language", "kind")},
    **dict.fromkeys(("day", "week", "slot"), ("created_at",)),
}
_TIMES = frozenset(("day", "week", "slot"))
_WORDS = ("channel", "priority", "language", "kind")
_EMPTY = dict.fromkeys(Facts._fields)


class Parts:
    """How tickets are divided by one cut or several: `columns` to read, and `of` for their values.

    A part is a tuple with a value for each cut, as `cuts.Cut` describes them. Columns come as
    numbers and texts: making enums and moments of each row would cost more than all the rest.
    """

    def __init__(self, cuts: Sequence[Cut], known: Known) -> None:
        self.cuts = tuple(cuts)
        self.period = known.period
        self._known = known
        names = dict.fromkeys(name for cut in cuts for name in _READS[cut.key])
        self._names = tuple(sorted(names, key=lambda name: name == "created_at"))
        self._timed = "created_at" in names  # and then it is the last
        self._seen: dict[tuple[Any, ...], tuple[Hashable, ...]] = {}

    def during(self, period: Period) -> "Parts":
        """The same division of another period's tickets."""
        return Parts(self.cuts, replace(self._known, period=period))

    @property
    def columns(self) -> list[Any]:
        """Expressions over Ticket; a moment in seconds since 1970."""
        known = dict(zip(Facts._fields, COLUMNS, strict=True))
        return [_column(name, known[name]) for name in self._names]

    @property
    def keys(self) -> list[Any]:
        """The same, but of a moment no more than the parts need of the clock in the period's zone:
        then rows of the period may be added up by them."""
        if not self._timed:
            return self.columns
        hour: Any = hour_on_clock(Ticket.created_at, self.period)
        times = {cut.key for cut in self.cuts} & _TIMES
        if times == {"slot"}:
            hour = hour % WEEK
        elif "slot" not in times:
            hour = hour // DAY * DAY
        return [*self.columns[:-1], hour.label("hour")]

    def of(self, values: tuple[Any, ...]) -> tuple[Hashable, ...]:
        """The part of a ticket with these values of `columns`."""
        if not self._timed:
            return self.at(values)
        moment = quarter_begins(int(values[-1]) // QUARTER)
        return self.at((*values[:-1], hour_of(moment, self.period.zone)))

    def at(self, values: tuple[Any, ...]) -> tuple[Hashable, ...]:
        """The part of a ticket with these values of `keys`."""
        found = self._seen.get(values)
        if found is None:
            found = self._seen[values] = self._find(values)
        return found

    def _find(self, values: tuple[Any, ...]) -> tuple[Hashable, ...]:
        named = dict(zip(self._names, values, strict=True))
        if self._timed:
            named["created_at"] = hour_at(int(values[-1]), self.period.zone)
        facts = Facts(**_EMPTY | named)  # type: ignore[arg-type]
        return tuple(cut.part(facts, self._known) for cut in self.cuts)


def _column(name: str, column: Any) -> Any:
    if name == "created_at":
        return cast(extract("epoch", column), Float).label(name)
    return (type_coerce(column, String) if name in _WORDS else column).label(name)


def parts_by(session: Session, names: Sequence[str], period: Period) -> Parts:
    """By these cuts. At most three statements. Raises HelpdeskError for one that isn't there, that
    is named twice, or for too many of them.
    """
    cuts = [cut_named(name) for name in names]
    if len(set(names)) < len(names) or len(names) > MOST:
        message = _lazy("Divide by each at most once, and by at most %(most)s.")
        raise HelpdeskError(message, field="by", most=MOST)
    teams = team_of(session) if "team" in names else Teams({}, {})
    above = organisations(session) if "organisation" in names else {}
    return Parts(cuts, Known(period, teams, above))
