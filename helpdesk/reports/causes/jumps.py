"""Since which day something comes more often: where a share of all that comes in jumps up.

Compared is its share of each day's whole, so that weekends and a generally busier week say nothing.
The day is the one that splits the days most likely (a likelihood ratio of two Poisson rates against
one); what chance alone could do is not told.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import log
from typing import NamedTuple

FEWEST = 12
"""Cases after the jump; of fewer nothing is said."""
AT_LEAST = 7
"""Days before the jump that are needed to know what is usual."""
AFTER = 3
"""Days with cases after it that are needed to see it last: one bad day is none."""
TIMES = 1.6
"""So many times as often it must come."""
STRENGTH = 10.0
"""Logarithm of how much likelier a jump must be than none: beside some sixty days that it could
lie on and a hundred things that are looked at, chance reaches this about once in a hundred reports.
"""


class Jump(NamedTuple):
    """From the day at `place` on it came `after` times a day, before `before` times."""

    place: int
    before: float
    after: float
    strength: float


def jump(counts: Sequence[int], wholes: Sequence[int]) -> Jump | None:
    """The clearest upward jump of these daily counts among the daily wholes; None if there is
    none."""
    some, all_ = [0, *accumulate(counts)], [0, *accumulate(wholes)]
    places = [place for place, count in enumerate(counts) if count]
    if some[-1] < FEWEST or len(places) < AFTER:
        return None
    found = [_split(some, all_, place) for place in range(AT_LEAST, places[-AFTER] + 1)]
    best = max((one for one in found if one is not None), key=_strength, default=None)
    return best if best is not None and best.strength >= STRENGTH else None


def _strength(one: Jump) -> float:
    return one.strength


def _split(some: Sequence[int], all_: Sequence[int], place: int) -> Jump | None:
    before, after = some[place], some[-1] - some[place]
    of_before, of_after = all_[place], all_[-1] - all_[place]
    if after < FEWEST or not of_before or not of_after:
        return None
    if after / of_after < TIMES * before / of_before:
        return None
    usual = some[-1] / all_[-1]
    strength = _likely(before, of_before, usual) + _likely(after, of_after, usual)
    days = len(some) - 1
    return Jump(place, before / place, after / (days - place), strength)


def _likely(count: int, of: int, usual: float) -> float:
    """How much likelier the count is at its own rate than at the usual one, as a logarithm; the
    parts that depend on the rates alone cancel out in the sum."""
    return count * log(count / of / usual) if count else 0.0
