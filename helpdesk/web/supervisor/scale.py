"""Axes of charts: round steps for counts, shares and lengths of time."""

import math
from collections.abc import Sequence

from helpdesk.reports.sheet import Unit

MOST_TICKS = 5
_TIMES = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600),
    *(7200, 14_400, 21_600, 43_200, 86_400),
)


def ticks(unit: Unit, low: float, high: float) -> list[float]:
    """Round values from at most `low` to at least `high`, the fewest that read well."""
    if high <= low:
        high = low + (0.1 if unit == Unit.SHARE else 1)
    step = _step(unit, (high - low) / (MOST_TICKS - 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 6) for number in range(first, max(last, first + 1) + 1)]


def _step(unit: Unit, least: float) -> float:
    if unit == Unit.SECONDS:
        return next((step for step in _TIMES if step >= least), math.ceil(least / 86_400) * 86_400)
    whole = unit == Unit.COUNT
    size: float = 10 ** math.floor(math.log10(max(least, 1e-6)))
    found = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= least * (1 - 1e-9))
    return max(found, 1) if whole else max(found, 0.01)


def bounds(unit: Unit, values: Sequence[float]) -> tuple[float, float]:
    """Between which values a line is drawn; a share that stays high need not begin at zero."""
    low, high = min(values), max(values)
    if unit == Unit.SHARE:
        return (max(0.0, low - 0.05) if low > 0.5 else 0.0), min(1.0, high + 0.05)
    if unit == Unit.SCORE:
        return 1.0, 5.0
    return 0.0, high
