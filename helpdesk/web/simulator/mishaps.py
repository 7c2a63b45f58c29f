"""Mishaps that can be switched on: to reports, to documents, to what we ask of the carrier."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from helpdesk.calls.providers.twin.remote import Remote
from helpdesk.lib.errors import HelpdeskError, _lazy

EVER = 1_000_000  # times: until it is switched off
REPORTS = ("status", "conference", "recording", "sms-status")


@dataclass(frozen=True)
class Mishap:
    """One switch; `faults` are the twin's (kind, match, further fields)."""

    name: str
    word: str
    faults: tuple[tuple[str, str, dict[str, Any]], ...]


MISHAPS = (
    Mishap("duplicate", _lazy("Every message comes twice"), (("duplicate", "", {}),)),
    Mishap("reorder", _lazy("Reports come out of order"), (("reorder", "", {}),)),
    Mishap(
        "delay",
        _lazy("Reports come 8 seconds late"),
        tuple(("delay", kind, {"seconds": 8.0}) for kind in REPORTS),
    ),
    Mishap("drop", _lazy("Reports are lost"), tuple(("drop", kind, {}) for kind in REPORTS)),
    Mishap(
        "refuse",
        _lazy("The carrier refuses what we ask (503)"),
        (("rest", "POST ", {"status": 503, "code": 20503}),),
    ),
    Mishap(
        "silent",
        _lazy("The carrier does what we ask, but its answer is lost"),
        (("rest-lost", "POST ", {}),),
    ),
)
NAMES = {mishap.name for mishap in MISHAPS}


def switch(twin: Remote, wanted: list[str]) -> None:
    """Let these strike from now on and no others. Raises HelpdeskError, CarrierError."""
    if set(wanted) - NAMES:
        raise HelpdeskError(_lazy("Choose one from the list."), field="fault")
    twin.faults(clear=True)
    for mishap in MISHAPS:
        if mishap.name in wanted:
            for kind, match, more in mishap.faults:
                twin.faults(kind=kind, match=match, times=EVER, **more)


def switches(faults: list[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    """Name, word and whether it is on."""
    on = {(fault["kind"], fault["match"]) for fault in faults}
    return [(one.name, _(one.word), one.faults[0][:2] in on) for one in MISHAPS]
