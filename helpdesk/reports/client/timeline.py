"""Everything that happened with one client over all channels, newest first, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.orm import Session

from helpdesk.reports.client.timeline_events import EVENT_KINDS, events
from helpdesk.reports.client.timeline_facts import SOURCES, facts
from helpdesk.reports.client.timeline_item import Found, Mark, TimelineItem

__all__ = ["ALL", "Chosen", "Mark", "ONLY", "TimelineItem", "client_timeline", "timeline_page"]

WINDOW = 300  # events that a page of one channel looks through; then the reader asks for older ones


@dataclass(frozen=True)
class Chosen:
    """A part of the timeline: kinds of events, channels of messages, sources of facts."""

    kinds: tuple[str, ...]
    channels: frozenset[str] | None = None  # None: all of them
    sources: tuple[str, ...] = ()


_PLANNED = ("task.planned", "task.done", "task.failed")
_SPOKEN = ("message.received", "message.sent", "message.bounced")
ALL = Chosen(EVENT_KINDS, None, tuple(name for name in SOURCES if name != "called"))
ONLY: Mapping[str, Chosen] = {
    "emails": Chosen(_SPOKEN, frozenset({"email"})),
    "calls": Chosen(_PLANNED, None, ("heard", "call")),
    "sms": Chosen((*_SPOKEN, "contact_point.sms"), frozenset({"sms"})),
    "forms": Chosen(_SPOKEN, frozenset({"web"})),
    "notes": Chosen(("message.noted",), None, ("note",)),
    "money": Chosen((), None, ("purchase", "invoice")),
    "articles": Chosen((), None, ("reading",)),
    "contacts": Chosen(("message.received",), None, ("called",)),
    "ratings": Chosen(("ticket.rated",)),
}


class Page(NamedTuple):
    """Items, and the mark after which older ones come; None at the end."""

    items: list[TimelineItem]
    older: Mark | None


def client_timeline(
    session: Session,
    client_id: int,
    *,
    queue_ids: frozenset[int] | None,
    limit: int,
    before: Mark | None = None,
) -> list[TimelineItem]:
    """At most `limit` items, newest first, after the place `before` in that order.

    `queue_ids`: the queues whose tickets and calls the reader may see, None for all. Two
    statements.
    """
    found, _last = events(session, client_id, ALL.kinds, queue_ids, limit, before)
    found += facts(session, client_id, ALL.sources, queue_ids, limit, before)
    found.sort(key=_place, reverse=True)
    return [one.words() for one in found[:limit]]


def timeline_page(
    session: Session,
    client_id: int,
    chosen: Chosen,
    *,
    queue_ids: frozenset[int] | None,
    limit: int,
    before: Mark | None = None,
) -> Page:
    """A page of the chosen part. It may be short, even empty, and still have an older one: one
    channel among many is looked for in a bounded number of events at a time.
    """
    most = limit + 1 if chosen.channels is None else WINDOW
    found: list[Found] = []
    last: Mark | None = None
    if chosen.kinds:
        found, last = events(session, client_id, chosen.kinds, queue_ids, most, before)
    if chosen.channels is not None:
        found = [one for one in found if one.channel in chosen.channels]
    if chosen.sources:
        found += facts(session, client_id, chosen.sources, queue_ids, limit + 1, before)
    found.sort(key=_place, reverse=True)
    if len(found) > limit:
        last = found[limit - 1].mark
    return Page([one.words() for one in found[:limit]], last)


def _place(one: Found) -> Mark:
    return one.mark
