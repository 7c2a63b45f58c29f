"""What has come more often since a certain day: products, contact reasons and both together."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from babel.dates import format_date
from babel.numbers import format_decimal

from helpdesk.lib.errors import _lazy
from helpdesk.reports.causes.jumps import FEWEST, Jump, jump
from helpdesk.reports.causes.names import Called
from helpdesk.reports.causes.rows import About, Opened, whole
from helpdesk.reports.filters import NOTHING
from helpdesk.reports.sheet import Ask

MOST = 5
Finding = tuple[str, Mapping[str, Any]]
Subject = tuple[int, int]  # product and reason, 0 for any


class _Seen(NamedTuple):
    subject: Subject
    jump: Jump


_SUBJECTS: Sequence[Callable[[About], Subject]] = (
    lambda one: (one.product, one.reason) if one.product and one.reason else (0, 0),
    lambda one: (one.product, 0),
    lambda one: (0, one.reason),
)


def findings(called: Called, ask: Ask, opened: Opened) -> list[Finding]:
    """The clearest jumps, at most MOST; what a product with a reason says already isn't said again
    of either alone. At most one statement.
    """
    today = ask.period.local(ask.at).date()
    among = {*ask.period.before().days, *ask.period.days}
    days = sorted(day for day in among if day <= today)
    by_day = whole(opened.before) + whole(opened.now)
    wholes = [by_day[day] for day in days]
    seen = [one for subject in _SUBJECTS for one in _jumps(opened, subject, days, wholes)]
    told = _told(seen)
    products = called.of("product", [one.subject[0] for one in told])
    reasons = called.of("reason", [one.subject[1] for one in told])
    return [_sentence(one, days, products, reasons, ask.language) for one in told]


def _jumps(
    opened: Opened, subject: Callable[[About], Subject], days: Sequence[date], wholes: Sequence[int]
) -> list[_Seen]:
    counts: defaultdict[Subject, Counter[date]] = defaultdict(Counter)
    for about, by_day in (*opened.before.items(), *opened.now.items()):
        key = subject(about)
        if key != (NOTHING, NOTHING):
            counts[key].update(by_day)
    found = []
    for key, by_day in counts.items():
        if by_day.total() >= FEWEST:
            risen = jump([by_day[day] for day in days], wholes)
            found += [_Seen(key, risen)] if risen is not None else []
    return found


def _told(seen: Sequence[_Seen]) -> list[_Seen]:
    told: list[_Seen] = []
    for one in sorted(seen, key=lambda one: (-one.jump.strength, one.subject)):
        if not any(_same(one.subject, other.subject) for other in told):
            told.append(one)
    return told[:MOST]


def _same(one: Subject, other: Subject) -> bool:
    """Whether they share a product or a reason."""
    pairs = zip(one, other, strict=True)
    return any(mine and mine == theirs for mine, theirs in pairs)


def _sentence(
    one: _Seen,
    days: Sequence[date],
    products: Mapping[int, str],
    reasons: Mapping[int, str],
    language: str,
) -> Finding:
    parts = (products.get(one.subject[0]), reasons.get(one.subject[1]))
    text = _lazy(
        "“%(part)s” comes more often since %(day)s: %(after)s a day, before that %(before)s."
    )
    numbers = {"after": one.jump.after, "before": one.jump.before}
    return text, {
        "part": ": ".join(part for part in parts if part),
        "day": format_date(days[one.jump.place], "d MMMM", locale=language),
        **{name: format_decimal(n, "#,##0.0", locale=language) for name, n in numbers.items()},
    }
