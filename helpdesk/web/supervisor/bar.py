"""The bar above a report: its period, what it is divided by, and its filters, also without scripts.

What can be chosen is kept for a few seconds in each process, so that a report doesn't read it anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import literal, select, union_all

from helpdesk.accounts.models import Team, User
from helpdesk.ext import LANGUAGES
from helpdesk.products import Product
from helpdesk.reports import period
from helpdesk.reports.cuts import CUTS
from helpdesk.reports.names import REPORTS, Entry
from helpdesk.reports.sheet import Ask
from helpdesk.tickets.models import Channel, Priority, Queue, TicketKind
from helpdesk.tickets.reasons import Tree, tree
from helpdesk.web.cached import keep
from helpdesk.web.guard import may, reading
from helpdesk.web.supervisor.here import query, report_address
from helpdesk.web.supervisor.said import filter_words
from helpdesk.web.supervisor.wording import terms, value_word

KEPT_SECONDS = 5.0
_NONE = ("agent", "team", "product")
"""Filters in which “none of it” can be chosen."""
_NAMED = (("queue", Queue), ("team", Team), ("agent", User), ("product", Product))

Option = tuple[str, str]


@dataclass(frozen=True)
class Box:
    """A filter that is chosen from a list."""

    name: str
    label: str
    options: Sequence[Option]
    value: str


@dataclass(frozen=True)
class Chip:
    """A filter that is set, with the address without it."""

    label: str
    value: str
    href: str


@dataclass(frozen=True)
class Tab:
    """One of several, with its address."""

    text: str
    href: str
    here: bool


@dataclass(frozen=True)
class Bar:
    """All that a report can be asked, and what it is asked now."""

    report: str
    periods: Sequence[Tab]
    cuts: Sequence[Tab]
    boxes: Sequence[Box]
    chips: Sequence[Chip]
    hidden: Sequence[Option]  # what the form carries on
    query: str

    @property
    def cut(self) -> str | None:
        """What the report is divided by, in words."""
        return next((tab.text for tab in self.cuts if tab.here), None)


def bar(name: str, entry: Entry, ask: Ask, cut: str | None) -> Bar:
    boxes = _boxes(ask)
    known = {"from", "to", "by", *(box.name for box in boxes)}
    values = {**ask.filters.query(), **ask.args}
    hidden = [(key, value) for key, value in values.items() if key not in known]
    return Bar(
        report=name,
        periods=_periods(name, ask),
        cuts=_cuts(name, entry, ask, cut),
        boxes=boxes,
        chips=_chips(name, ask),
        hidden=hidden,
        query=query(ask),
    )


def report_tabs(ask: Ask) -> list[tuple[str, str, str]]:
    """Name, title and address of each report, with the period and filters of this one."""
    asked: dict[str, str | None] = dict.fromkeys(ask.args)
    return [
        (name, str(_(one.title)), report_address(name, ask, **asked))
        for name, one in REPORTS.items()
    ]


def _periods(name: str, ask: Ask) -> list[Tab]:
    words = {
        "today": _("Today"),
        "7d": _("7 days"),
        "28d": _("4 weeks"),
        "90d": _("90 days"),
        "month": _("This month"),
        "last_month": _("Last month"),
    }
    tabs = []
    for key, text in words.items():
        found = period.read({"period": key}, zone=ask.period.zone, at=ask.at)
        changes: dict[str, str | None] = {"from": None, "to": None, "period": key}
        tabs.append(Tab(text, report_address(name, ask, **changes), found == ask.period))
    return tabs


def _cuts(name: str, entry: Entry, ask: Ask, cut: str | None) -> list[Tab]:
    return [
        Tab(str(_(CUTS[key].label)), report_address(name, ask, by=key, lines=None), key == cut)
        for key in entry.cuts
        if key in CUTS
    ]


def _chips(name: str, ask: Ask) -> list[Chip]:
    words = filter_words(reading(), ask.filters, ask.language)
    return [
        Chip(label, value, report_address(name, ask, **{key: None}))
        for key, (label, value) in zip(ask.filters.query(), words, strict=True)
    ]


def _boxes(ask: Ask) -> list[Box]:
    """The filters offered; to somebody who sees only their own numbers no colleagues."""
    labels = {key: str(_(CUTS[key].label)) for key in CUTS}
    rows = _rows()
    options: dict[str, list[Option]] = {key: _named(rows, key, ask) for key, _model in _NAMED}
    if not may("report.read") or ask.scope.user_id is not None:
        del options["agent"], options["team"]
    options["reason"] = [
        (str(one.id), "\u2003" * (one.depth - 1) + one.name(ask.language)) for one in _reasons()
    ]
    options |= _words()
    chosen = ask.filters.query()
    return [
        Box(key, labels[key], [("", _any(key)), *found], chosen.get(key, ""))
        for key, found in options.items()
        if found
    ]


def _named(rows: Sequence[tuple[str, int, str]], key: str, ask: Ask) -> list[Option]:
    found = [(str(id_), name) for kind, id_, name in rows if kind == key]
    if key == "queue" and ask.scope.queue_ids is not None:
        found = [one for one in found if int(one[0]) in ask.scope.queue_ids]
    none = [("0", _none(key))] if found and key in _NONE else []
    return [*found, *none]


def _none(key: str) -> str:
    words = {"agent": _("Nobody"), "team": _("No team"), "product": _("No product")}
    return str(words[key])


def _words() -> dict[str, list[Option]]:
    return {
        "channel": [(one.value, value_word("channel", one.value)) for one in Channel],
        "priority": [(one.value, value_word("priority", one.value)) for one in Priority],
        "language": [(one, terms().language[one]) for one in LANGUAGES],
        "kind": [(one.value, value_word("kind", one.value)) for one in TicketKind],
    }


def _any(key: str) -> str:
    texts = {
        "queue": _("All queues"),
        "team": _("All teams"),
        "agent": _("All agents"),
        "product": _("All products"),
        "reason": _("All contact reasons"),
        "channel": _("All channels"),
        "priority": _("All priorities"),
        "language": _("All languages"),
        "kind": _("All kinds"),
    }
    return str(texts[key])


def _rows() -> Sequence[tuple[str, int, str]]:
    """Queues, teams, people and products in the order of their names: kind, id, name."""
    return keep("report_choices", KEPT_SECONDS, _read_rows)


def _read_rows() -> Sequence[tuple[str, int, str]]:
    parts = [
        select(literal(kind).label("kind"), model.id, model.name, model.sort_key)
        for kind, model in _NAMED
    ]
    rows = union_all(*parts).subquery()
    query_ = select(rows.c.kind, rows.c.id, rows.c.name).order_by(rows.c.sort_key, rows.c.id)
    return [(row.kind, row.id, row.name) for row in reading().execute(query_)]


def _reasons() -> Tree:
    return keep("report_reasons", KEPT_SECONDS, lambda: tree(reading()))
