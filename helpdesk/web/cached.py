"""Values every page shows and that seldom change: settings for seconds, counts for a second."""

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from flask import current_app, g

from helpdesk import settings
from helpdesk.notices import COUNT_CAP, unread_count
from helpdesk.web.guard import reading

SETTINGS_SECONDS = 5.0
COUNT_SECONDS = 1.0

T = TypeVar("T")


def keep(key: Hashable, seconds: float, make: Callable[[], T]) -> T:
    """The value under `key`, made anew when older than `seconds`; each process has its own."""
    kept: dict[Hashable, tuple[float, Any]] = current_app.extensions.setdefault("kept", {})
    at = time.monotonic()
    found = kept.get(key)
    if found is not None and found[0] > at:
        value: T = found[1]
        return value
    if len(kept) > 10_000:
        kept.clear()
    value = make()
    kept[key] = (at + seconds, value)
    return value


def forget() -> None:
    """Drop what is kept, after a change that must be seen at once."""
    current_app.extensions.pop("kept", None)


def setting(name: str) -> Any:
    return keep(("setting", name), SETTINGS_SECONDS, lambda: settings.get(reading(), name))


def brand() -> str:
    return str(setting("brand_name"))


def notice_count() -> str:
    """How many notices the reader has not read: "" for none, at most "99+"."""
    if g.user is None:
        return ""
    user_id = g.user.id
    count = keep(("notices", user_id), COUNT_SECONDS, lambda: unread_count(reading(), user_id))
    return "" if not count else str(count) if count < COUNT_CAP else f"{COUNT_CAP - 1}+"
