"""Lists: filters by word and by time, newest first, page by page."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from helpdesk.calls.providers.twin.rest.wire import Answer, Incoming, Problem, as_json

SIZE = 50
MOST = 1000


def same(request: Incoming, **fields: str | None) -> bool:
    """Whether a thing has what the query asks for, e.g. `To`; what isn't asked is anything."""
    return all(request.asked(name) in (None, "", value) for name, value in fields.items())


def within(request: Incoming, name: str, at: datetime | None) -> bool:
    """Whether a moment fits `StartTime`, `StartTime>` (from then on) and `StartTime<`."""
    day = _moment(request.asked(name), name)
    from_, until = (_moment(request.asked(f"{name}{sign}"), name) for sign in "><")
    if day is None and from_ is None and until is None:
        return True
    if at is None or (day is not None and not day <= at < day + timedelta(days=1)):
        return False
    return (from_ is None or at >= from_) and (until is None or at <= until)


def page(
    request: Incoming, key: str, things: Sequence[Any], shape: Callable[[Any], dict[str, Any]]
) -> Answer:
    """One page of a list, in Twilio's frame. Raises Problem."""
    size = min(max(_whole(request.asked("PageSize"), SIZE), 1), MOST)
    number = _whole(request.asked("Page"), 0)
    start = number * size
    rows = [shape(thing) for thing in things[start : start + size]]
    more = len(things) > start + size
    return as_json(
        {
            key: rows,
            "first_page_uri": _uri(request, 0, size),
            "next_page_uri": _uri(request, number + 1, size) if more else None,
            "previous_page_uri": _uri(request, number - 1, size) if number else None,
            "page": number,
            "page_size": size,
            "start": start,
            "end": start + max(len(rows) - 1, 0),
            "uri": _uri(request, number, size),
        }
    )


def _uri(request: Incoming, number: int, size: int) -> str:
    rest = [pair for pair in request.query if pair[0] not in ("Page", "PageSize", "PageToken")]
    return f"{request.path}?{urlencode([*rest, ('PageSize', size), ('Page', number)])}"


def _whole(text: str | None, default: int) -> int:
    if text in (None, ""):
        return default
    if not (text or "").isdecimal():
        raise Problem(400, 20001, f"A page is a whole number, not {text!r}")
    return int(text or 0)


def _moment(text: str | None, name: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Problem(400, 20001, f"{name} must be an ISO 8601 time, not {text!r}") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
