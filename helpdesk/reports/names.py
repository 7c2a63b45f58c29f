"""The one list of reports, of the lists behind their numbers and of all measures."""

from collections.abc import Mapping
from dataclasses import dataclass

from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.reports.calls import report as phone
from helpdesk.reports.causes import report as causes
from helpdesk.reports.contracts import lists as statement_lists
from helpdesk.reports.cuts import CUTS
from helpdesk.reports.knowledge import report as knowledge
from helpdesk.reports.satisfaction import report as voice
from helpdesk.reports.sheet import Ask, Behind, Make, Measure
from helpdesk.reports.sla import report as sla
from helpdesk.reports.wallboard import lists as wallboard
from helpdesk.reports.work import report as work


@dataclass(frozen=True)
class Entry:
    """A report: `cuts` are what it can be divided by, the usual one first; empty: it has none."""

    title: str  # msgid
    make: Make
    cuts: tuple[str, ...] = ()
    about: str = ""  # msgid: what the report answers, in a sentence


ROOMS = (
    (_lazy("SLA"), sla),
    (_lazy("Work"), work),
    (_lazy("Calls"), phone),
    (_lazy("Causes"), causes),
    (_lazy("Satisfaction"), voice),
    (_lazy("Knowledge base"), knowledge),
    (_lazy("Wallboard"), wallboard),
    (_lazy("Contract statements"), statement_lists),
)
"""Every module that has MEASURES and LISTS, with the heading of its definitions."""

REPORTS: Mapping[str, Entry] = {
    "sla": Entry(
        _lazy("SLA"),
        sla.report,
        tuple(CUTS),
        _lazy("Which promises were met, and how long it took"),
    ),
    "work": Entry(
        _lazy("Work"),
        work.report,
        ("day", *(cut for cut in CUTS if cut != "day")),
        _lazy("What comes in and goes out, what lies where and how long, and who has how much"),
    ),
    "calls": Entry(
        _lazy("Calls"),
        phone.report,
        phone.CUTS,
        _lazy("How calls were answered, and what agents and the phone menu did with them"),
    ),
    "causes": Entry(
        _lazy("Causes"),
        causes.report,
        (),
        _lazy("Why clients contact us, about which products, and what grows"),
    ),
    "satisfaction": Entry(
        _lazy("Satisfaction"),
        voice.report,
        voice.CUTS,
        _lazy("How clients rate our answers, and what they say"),
    ),
    "knowledge": Entry(
        _lazy("Knowledge base"),
        knowledge.report,
        knowledge.CUTS,
        _lazy("What readers look for, what they find, and whether it is enough"),
    ),
}
"""In the order in which they stand in the row of reports."""

LISTS: Mapping[str, Behind] = {
    name: behind for _title, room in ROOMS for name, behind in room.LISTS.items()
}
MEASURES: Mapping[str, Measure] = {
    measure.key: measure for _title, room in ROOMS for measure in room.MEASURES
}


def entry(name: str) -> Entry:
    """Raises NotFound for a report that there isn't."""
    if name not in REPORTS:
        raise NotFound()
    return REPORTS[name]


def cut_of(name: str, ask: Ask) -> str | None:
    """What this report is divided by: `by` of the address, else the usual cut.

    Raises HelpdeskError for one that this report doesn't offer.
    """
    offered = entry(name).cuts
    wanted = ask.args.get("by") or (offered[0] if offered else None)
    if wanted is not None and (wanted not in offered or wanted not in CUTS):
        raise HelpdeskError(
            _lazy("A report is not divided by “%(name)s”."), field="by", name=wanted[:40]
        )
    return wanted
