"""How sure an answer is, and how sure it must be to be given without a person.

The probability that the first article is the right one comes from a logistic model of seven
measures of the ranking. An administrator says how many of a hundred such answers may be wrong; the
probability that is then asked for was found on questions with known answers, in and out of the
base's scope: so high that on five bases, each judged by a model that has not seen it, no more are
wrong in the mean, and no more than twice as many on the hardest. `python -m benchmarks.kb_eval
--fit` prints these figures anew.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from math import exp

from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.kb.asked import Scored

SETTING = "kb_wrong_answers"
"""How many of a hundred answers without a person may be wrong; 0: never answer so."""
MISSED = 0.15
"""Below this probability a search is counted as one that found nothing."""

LEAST_COVER = 0.2
"""An article that has less of the question is never sure, however far the others are."""
LEAST_WORDS, MOST_OF_IT = 1.5, 0.5
"""Nor is one that has a single word of the question, unless that word is most of it."""
LEAST_MEANING = 0.45
"""Unless it is so like the question in meaning."""

BIAS = -2.90
WEIGHTS = (-0.30, 1.06, 2.89, 0.69, 5.29, 0.19, 2.82)

THRESHOLDS = ((3, 0.96), (5, 0.93), (10, 0.86), (15, 0.74), (20, 0.58), (30, 0.46), (50, 0.2))
"""(wrong answers in a hundred, probability to be asked for), the found figures made smooth: they
rest on some dozens of wrong answers each, the first two on fewer."""
MOST_WORDS = 4.0
"""Of more words that are found the number says no more."""


def features(found: Sequence[Scored]) -> tuple[float, ...]:
    """The score of the first article, its lead over the second, the lead as a part of the score,
    how much of the question its text covers, how like the question it is in meaning, how many of
    the asked words it has, and how much more like the question it is than the second.
    """
    first = found[0]
    second = found[1] if len(found) > 1 else None
    lead = first.score - (second.score if second else 0.0)
    part = lead / max(first.score, 0.6)
    more_alike = first.meaning - (second.meaning if second else 0.0)
    words = min(first.words, MOST_WORDS)
    score = min(first.score, 2.5)
    return (score, lead, part, first.cover, first.meaning, words, more_alike)


def probability(found: Sequence[Scored]) -> float:
    """That the first article is the right one, 0 to 1; 0 where nothing was found."""
    if not found:
        return 0.0
    weighed = sum(w * x for w, x in zip(WEIGHTS, features(found), strict=True))
    chance = 1 / (1 + exp(-BIAS - weighed))
    return min(chance, 0.5) if by_chance(found[0]) else chance


def by_chance(first: Scored) -> bool:
    """Whether so little speaks for this article that it is never sure."""
    if first.meaning >= LEAST_MEANING:
        return False
    one_word = first.words < LEAST_WORDS and first.cover < MOST_OF_IT
    return one_word or first.cover + first.learned < LEAST_COVER


def threshold(session: Session) -> float | None:
    """The probability from which an answer is given without a person; None: never."""
    wrong = settings.get(session, SETTING)
    return least_probability(wrong) if wrong > 0 else None


def least_probability(wrong: float) -> float:
    """The probability to be asked for so that at most this many answers of a hundred are wrong."""
    rates = [rate for rate, _ in THRESHOLDS]
    at = bisect_left(rates, wrong)
    if at == 0:
        return THRESHOLDS[0][1]
    if at == len(rates):
        return THRESHOLDS[-1][1]
    (low, high_p), (high, low_p) = list(pairwise(THRESHOLDS))[at - 1]
    return high_p + (low_p - high_p) * (wrong - low) / (high - low)
