"""Values every page shows and that seldom change: settings for seconds, counts for a second."""

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from flask import current_app, g
from sqlalchemy import select

from helpdesk.notices import COUNT_CAP, unread_count
from helpdesk.settings import DEFAULTS, Setting
from helpdesk.web.guard import reading

SETTINGS_SECONDS = 5.0
COUNT_SECONDS = 1.0
MOST_KEPT = 10_000

T = TypeVar("T")


def keep(key: Hashable, seconds: float, make: Callable[[], T]) -> T:
    """The value under `key`, made anew when older than `seconds`; each process has its own."""
    found = _kept().get(key)
    if found is not None and found[0] > time.monotonic():
        value: T = found[1]
        return value
    return put(key, seconds, make())


def known(key: Hashable) -> Any:
    """The value under `key` if it is kept and fresh, else None."""
    found = _kept().get(key)
    return found[1] if found is not None and found[0] > time.monotonic() else None


def put(key: Hashable, seconds: float, value: T) -> T:
    """Keep a value that was read by the way."""
    kept = _kept()
    if len(kept) >= MOST_KEPT:
        kept.clear()
    kept[key] = (time.monotonic() + seconds, value)
    return value


def forget() -> None:
    """Drop all that is kept, after a change of settings, staff or queues."""
    current_app.extensions.pop("kept", None)


def recount() -> None:
    """Drop what is counted, after a change that lists show at once."""
    kept = _kept()
    for key in list(kept):
        if isinstance(key, tuple) and key[0] in _COUNTS:
            kept.pop(key, None)


_COUNTS = ("counts", "notices")


def _kept() -> dict[Hashable, tuple[float, Any]]:
    kept: dict[Hashable, tuple[float, Any]] = current_app.extensions.setdefault("kept", {})
    return kept


def setting(name: str) -> Any:
    """What an administrator set. Raises KeyError for an unknown name."""
    return keep("settings", SETTINGS_SECONDS, _read_settings)[name]


def _read_settings() -> dict[str, Any]:
    query = select(Setting.name, Setting.value).where(Setting.name.in_(DEFAULTS))
    return {**DEFAULTS, **dict(reading().execute(query).all())}


def brand() -> str:
    return str(setting("brand_name"))


def notice_count() -> str:
    """How many notices the reader has not read: "" for none, at most "99+"."""
    if g.user is None:
        return ""
    user_id = g.user.id
    count = keep(("notices", user_id), COUNT_SECONDS, lambda: unread_count(reading(), user_id))
    return "" if not count else str(count) if count < COUNT_CAP else f"{COUNT_CAP - 1}+"
