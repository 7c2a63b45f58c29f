"""The wallboard drawn ready for its template: every word, sign, tone and link chosen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from helpdesk.reports.filters import NOTHING
from helpdesk.reports.wallboard.levels import Level, Limits, free_level, judged, worst
from helpdesk.reports.wallboard.snapshot import Numbers, Promise, Snapshot, Somebody
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.formats import length, stopwatch
from helpdesk.web.supervisor.wall_words import (
    HOUR,
    SIGNS,
    State,
    age,
    columns,
    level_words,
    middle,
    share,
    states,
)

__all__ = [
    "TROUBLE",
    "address",
    "busiest",
    "by_state",
    "columns",
    "legend",
    "lines",
    "promises",
    "summed",
    "tiles",
]

Own = Mapping[str, str]
TROUBLE = (Level.BAD, Level.WARN)


@dataclass(frozen=True)
class Number:
    """A number with its link. `since`: seconds since 1970 from where the browser counts `more`."""

    text: str
    href: str
    level: Level | None = None
    word: str = ""
    sign: str = ""
    more: str = ""  # what one wants to know beside it, here how long
    since: int | None = None
    empty: bool = False


@dataclass(frozen=True)
class Tile:
    """One of the big numbers; `note` is what one wants to know beside it."""

    key: str
    label: str
    number: Number
    note: str = ""


@dataclass(frozen=True)
class Line:
    """A queue or a team."""

    key: str
    name: str
    short: str
    href: str
    level: Level | None
    numbers: tuple[tuple[str, Number], ...]


@dataclass(frozen=True)
class Due:
    """A promise that ends next."""

    promise: Promise
    href: str
    who: str
    until: int
    text: str
    late: bool
    ring: int  # how much of the hour is over, in %


def address(name: str, own: Own, **more: Any) -> str:
    """Where the things behind a number are listed."""
    query = urlencode({**own, **more})
    return f"/supervisor/{name}?{query}" if query else f"/supervisor/{name}"


def tiles(board: Snapshot, known: Mapping[str, Limits], own: Own) -> list[Tile]:
    """The five numbers that are read from afar."""
    total, at = board.total, board.at
    level = judged(total, at, known)
    calling = worst({"calls": level["calls"], "longest": level["longest"]})
    goal = _("goal %(number)s", number=share(known["service"].warn))
    on_shift = len(board.on_shift)
    return [
        Tile(
            "calls",
            pgettext("wallboard", "Calls waiting"),
            _number(str(total.calls), address("list/now_calls", own), calling),
            _("longest %(time)s", time=age(total.first_call, at)) if total.calls else "",
        ),
        Tile(
            "breached",
            pgettext("wallboard", "Breached"),
            _number(str(total.breached), address("list/now_breached", own), level["breached"]),
        ),
        Tile(
            "due",
            _("Due in 1 h"),
            _number(str(total.due), address("list/now_due", own), level["due"]),
        ),
        Tile(
            "service",
            _("In 20 s today"),
            _number(share(total.served.share), _calls_today(own), level["service"]),
            goal if total.served.counted else _("no call yet"),
        ),
        Tile(
            "free",
            pgettext("wallboard", "Agents free"),
            _number(
                str(board.free), address("people", own, state="free"), free_level(board, known)
            ),
            ngettext("of %(num)s on shift", "of %(num)s on shift", on_shift),
        ),
    ]


def lines(board: Snapshot, known: Mapping[str, Limits], *, by_team: bool, own: Own) -> list[Line]:
    """One for each queue or team, those in trouble first."""
    found = board.teams if by_team else board.queues
    names = board.team_names if by_team else board.queue_names
    cut = "team" if by_team else "queue"
    made = [
        _line(board, known, names[id_], some, {**own, cut: str(id_)}) for id_, some in found.items()
    ]
    order = {level: place for place, level in enumerate(TROUBLE)}
    return sorted(made, key=lambda line: order.get(line.level, 2) if line.level else 2)


def legend(shown: Iterable[Line]) -> list[tuple[Level, str, str]]:
    """What the signs in these lines mean; where nothing is wrong there is none."""
    used = {number.level for line in shown for _key, number in line.numbers}
    words = level_words()
    return [(level, SIGNS[level], words[level]) for level in TROUBLE if level in used]


def summed(rest: Sequence[Line]) -> list[tuple[Level, str, str, int]]:
    """How many of the lines that have no room are in trouble, by level."""
    words = level_words()
    counts = {level: sum(line.level == level for line in rest) for level in TROUBLE}
    return [(level, SIGNS[level], words[level], count) for level, count in counts.items() if count]


def promises(board: Snapshot) -> list[Due]:
    return [
        Due(
            promise=one,
            href=f"/desk/t/{one.ticket_id + NUMBER_OFFSET}",
            who=short_name(board.user_names.get(one.assignee_id or NOTHING, "–")),
            until=int(one.due_at.timestamp()),
            text=_left(one.due_at, board.at),
            late=one.breached or one.due_at <= board.at,
            ring=max(0, 100 - int((one.due_at - board.at).total_seconds()) * 100 // HOUR),
        )
        for one in board.promises
    ]


def by_state(board: Snapshot) -> list[tuple[str, State, int]]:
    """How many people do what, of those states in which anybody is."""
    counts = {key: sum(one.state == key for one in board.on_shift) for key in states()}
    return [(key, state, counts[key]) for key, state in states().items() if counts[key]]


def busiest(board: Snapshot) -> list[tuple[Somebody, State, int]]:
    """People on shift with the tickets they have, in the order of the states."""
    known = states()
    order = list(known)
    people = sorted(board.on_shift, key=lambda one: (order.index(one.state), one.since))
    return [(one, known[one.state], board.agents.get(one.id, Numbers()).open) for one in people]


def _line(board: Snapshot, known: Mapping[str, Limits], name: str, some: Numbers, own: Own) -> Line:
    at, level = board.at, judged(some, board.at, known)
    numbers = {
        "calls": _calls(some, at, own, worst({key: level[key] for key in ("calls", "longest")})),
        "open": _number(str(some.open), address("list/now_open", own)),
        "unassigned": _number(
            str(some.unassigned), address("list/now_unassigned", own), level["unassigned"]
        ),
        "oldest": _number(
            age(some.oldest, at), address("list/now_unanswered", own), level["oldest"]
        ),
        "due": _number(str(some.due), address("list/now_due", own), level["due"]),
        "breached": _number(
            str(some.breached), address("list/now_breached", own), level["breached"]
        ),
        "callbacks": _number(
            str(some.callbacks), address("list/now_callbacks", own), level["late_callbacks"]
        ),
        "service": _number(share(some.served.share), _calls_today(own), level["service"]),
    }
    state = worst(level)
    cut = "team" if "queue" not in own else "queue"
    return Line(
        key=f"{cut}{own[cut]}",
        name=name,
        short=middle(name),
        href=_home(cut, own),
        level=state,
        numbers=tuple((key, numbers[key]) for key, _label in columns()),
    )


def _calls(some: Numbers, at: datetime, own: Own, level: Level | None) -> Number:
    """How many wait, and for how long the first of them does."""
    number = _number(str(some.calls), address("list/now_calls", own), level)
    if some.first_call is None:
        return number
    return replace(number, more=age(some.first_call, at), since=_epoch(some.first_call))


def _home(cut: str, own: Own) -> str:
    return (
        f"/supervisor?team={own['team']}" if cut == "team" else f"/desk?view=queue:{own['queue']}"
    )


def _number(text: str, href: str, level: Level | None = None) -> Number:
    word = level_words().get(level, "") if level else ""
    sign = SIGNS[level] if level else ""
    return Number(text, href, level, word, sign, empty=text in ("0", "–"))


def _calls_today(own: Own) -> str:
    return address("reports/calls", own, period="today")


def short_name(name: str) -> str:
    """ "Марина К." of a name of two words or more."""
    first, _space, rest = name.partition(" ")
    return f"{first} {rest.split()[-1][:1]}." if rest.strip() else first


def _left(due: datetime, at: datetime) -> str:
    """Time left, with a minus once it is over; wall.js writes the same."""
    rest = int((due - at).total_seconds())
    if abs(rest) >= HOUR:
        return length(rest)
    return ("−" if rest < 0 else "") + stopwatch(abs(rest))


def _epoch(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())
