"""What a list or report is about, in words: its filters and what narrows the list besides."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy.orm import Session

from helpdesk.lib.errors import _lazy
from helpdesk.reports.cuts import CUTS, names
from helpdesk.reports.filters import NOTHING, Filters
from helpdesk.reports.knowledge.lists import SOURCES
from helpdesk.reports.knowledge.rows import things, titles
from helpdesk.reports.sheet import Ask, Line, Table
from helpdesk.reports.work.stays import BANDS
from helpdesk.tickets.promises import promises
from helpdesk.web.desk.directory import queue_names
from helpdesk.web.supervisor import wording

_CUT_OF = {"only_reason": "reason"}
LONGEST_ID = 16
Words = Callable[[Session, str, str], str]


def filter_words(session: Session, filters: Filters, language: str) -> list[tuple[str, str]]:
    """Each filter with its value, e.g. ("Queue", "Support"). One statement for each that names a
    row.
    """
    found = []
    for name, value in vars(filters).items():
        if value is None:
            continue
        cut = _CUT_OF.get(name, name)
        known = names(session, cut, [value], language) if value != NOTHING else {}
        found.append((_label(name), _value(cut, value, known.get(value))))
    return found


def option_words(session: Session, ask: Ask) -> list[tuple[str, str]]:
    """What narrows a list besides the filters, e.g. ("Outcome", "SLA breached"); of options that
    no list knows nothing is said.
    """
    found = []
    for name, value in ask.args.items():
        if name in _OPTIONS:
            label, words = _OPTIONS[name]
            found.append((str(_(label)), words(session, value, ask.language)))
    return found


def _label(name: str) -> str:
    if name == "only_reason":
        return str(_("Contact reason alone"))
    return str(_(CUTS[name].label))


def _value(cut: str, value: Any, name: str | None) -> str:
    table = Table("", CUTS[cut].label, cut, (), ())
    return wording.part(table, Line(value, name, ()))


def _word(cut: str) -> Words:
    return lambda _session, value, _language: wording.value_word(cut, value)


def _as_it_is(_session: Session, value: str, _language: str) -> str:
    return value


def _outcome(_session: Session, value: str, _language: str) -> str:
    words: dict[str, str] = {
        "met": _("SLA met"),
        "breached": _("SLA breached"),
        "running": _("Still running"),
        "done": _("Met or breached"),
        "stopped": pgettext("promises", "Ended, the slowest first"),
    }
    return words.get(value, value)


def _nobody(_session: Session, _value: str, _language: str) -> str:
    return str(_("Nobody"))


def _age(_session: Session, value: str, _language: str) -> str:
    return str(_(BANDS[value])) if value in BANDS else value


def _source(_session: Session, value: str, _language: str) -> str:
    return next((str(_(label)) for source, label in SOURCES.items() if source == value), value)


def _queue(_session: Session, value: str, _language: str) -> str:
    return queue_names().get(_id(value), value)


def _policy(session: Session, value: str, _language: str) -> str:
    found = promises(session).by_id.get(_id(value))
    return found.name if found else value


def _article(session: Session, value: str, language: str) -> str:
    return titles(session, [_id(value)], language).get(_id(value), value)


def _same(session: Session, value: str, language: str) -> str:
    found = things(session, "search", [_id(value)], language)
    return found[0].text if found else value


def _id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST_ID else 0


_OPTIONS: Mapping[str, tuple[str, Words]] = {
    "metric": (_lazy("Promise"), _word("metric")),
    "outcome": (_lazy("Outcome"), _outcome),
    "policy": (_lazy("Policy"), _policy),
    "status": (_lazy("Status"), _word("status")),
    "age": (_lazy("Age"), _age),
    "nobody": (_lazy("Assignee"), _nobody),
    "lay_in": (_lazy("Lay in the queue"), _queue),
    "score": (_lazy("Rating"), _as_it_is),
    "source": (_lazy("Searched in"), _source),
    "article": (_lazy("Article"), _article),
    "like": (_lazy("In the words"), _same),
}
"""Own arguments of lists: their labels, and what their values are called."""
