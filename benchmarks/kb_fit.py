"""The model of confidence, fitted on questions with known answers: figures for
`helpdesk/kb/confidence.py`.

Ordinary logistic regression by Newton's method with a little ridge, on the demo base's tuning
questions (with 0, 3 and 10 examples) and those of the other base.
"""

from math import exp, sqrt
from typing import NamedTuple

from benchmarks.kb_questions import Asked, Set, bare, other, shop
from helpdesk.kb import analysis, confidence, synonyms, units
from helpdesk.kb.ranking import Base, Scored
from helpdesk.kb.reading import question

RATES = (3, 5, 10, 15, 20, 30, 50)
EXAMPLES = (0, 3, 10)
_SHOWN = frozenset({"shown"})
_Z = 1.2816  # 90 %, one-sided
_RIDGE = 1.0
_ROUNDS = 25


class Case(NamedTuple):
    """A ranking's measures, and whether its first article was right."""

    features: tuple[float, ...]
    right: bool


def show(langs: tuple[str, ...]) -> None:
    """Print the figures. Thresholds come from models that have not seen the base they judge: a
    new company's base is as foreign to the model as these are to each other.
    """
    shops = [case for lang in langs for n in EXAMPLES for case in _cases(shop(lang), n)]
    shops += [case for lang in langs for case in _cases(bare(shop(lang)), 0)]
    others = [case for lang in langs for case in _cases(other(lang), 0)]
    others += [case for lang in langs for case in _cases(bare(other(lang)), 0)]
    bias, *weights = fit(shops + others)
    print(f"{len(shops + others)} questions, {sum(case.right for case in shops + others)} right")
    print(f"BIAS = {bias:.2f}\nWEIGHTS = ({', '.join(f'{weight:.2f}' for weight in weights)})")
    judged = _judged(shops, fit(others)) + _judged(others, fit(shops))
    found = [(rate, least(sorted(judged, reverse=True), rate)) for rate in RATES]
    print(f"THRESHOLDS = ({', '.join(f'({rate}, {p:.2f})' for rate, p in found)})")


def _judged(cases: list[Case], model: list[float]) -> list[tuple[float, bool]]:
    return [(_probability(model, case.features), case.right) for case in cases]


def fit(cases: list[Case]) -> list[float]:
    """Bias and weights of the most likely logistic model."""
    rows = [((1.0, *case.features), float(case.right)) for case in cases]
    size = len(rows[0][0])
    model = [0.0] * size
    for _ in range(_ROUNDS):
        slope = [-_RIDGE * weight for weight in model]
        bend = [[_RIDGE * (i == j) for j in range(size)] for i in range(size)]
        for row, right in rows:
            chance = _probability(model, row[1:])
            for i, x in enumerate(row):
                slope[i] += (right - chance) * x
                for j, y in enumerate(row):
                    bend[i][j] += chance * (1 - chance) * x * y
        step = _solve(bend, slope)
        model = [weight + change for weight, change in zip(model, step, strict=True)]
    return model


def least(sure: list[tuple[float, bool]], rate: float) -> float:
    """The lowest probability from which at most `rate` of a hundred are wrong, by the upper end of
    the interval; `sure`: probability and right or not, surest first."""
    best, wrong = 0.99, 0
    for count, (chance, right) in enumerate(sure, 1):
        wrong += not right
        if 100 * upper(wrong, count) <= rate:
            best = chance
    return best


def upper(wrong: int, count: int) -> float:
    """The upper end of Wilson's interval of a share."""
    share, square = wrong / count, _Z * _Z / count
    middle = share + square / 2
    spread = _Z * sqrt(share * (1 - share) / count + square / (4 * count))
    return (middle + spread) / (1 + square)


def _cases(one: Set, count: int) -> list[Case]:
    base = _base(one, count)
    cases = []
    for asked in one.part("tuning" if one.examples else "unseen"):
        found = _rank(base, asked)
        if found:
            right = asked.inside and one.pages[found[0].article_id - 1].key == asked.key
            cases.append(Case(confidence.features(found), right))
    return cases


def _base(one: Set, count: int) -> Base:
    words = synonyms.thesaurus(one.lang)
    base = Base(one.lang, words)
    ids = {page.key: number for number, page in enumerate(one.pages, 1)}
    lessons: dict[int, list[list[list[str]]]] = {}
    for page in one.pages:
        found = analysis.analyse(one.lang, page.title, page.keywords, page.body)
        base.put(units.text_unit(ids[page.key], ids[page.key], "shown", found, words))
    for key, text in one.first_examples(count):
        lessons.setdefault(ids[key], []).append(analysis.question_lines(text, one.lang))
    for number, questions in lessons.items():
        base.learn(units.learned(number, questions, words))
    return base


def _rank(base: Base, asked: Asked) -> list[Scored]:
    return base.rank(question(asked.text, base.lang), _SHOWN, top=3)


def _probability(model: list[float], features: tuple[float, ...]) -> float:
    weighed = model[0] + sum(w * x for w, x in zip(model[1:], features, strict=True))
    return 1 / (1 + exp(-max(-30.0, min(30.0, weighed))))


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution of a system of linear equations, by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for at in range(size):
        top = max(range(at, size), key=lambda row: abs(rows[row][at]))
        rows[at], rows[top] = rows[top], rows[at]
        for row in range(size):
            if row != at:
                factor = rows[row][at] / rows[at][at]
                rows[row] = [x - factor * y for x, y in zip(rows[row], rows[at], strict=True)]
    return [rows[at][size] / rows[at][at] for at in range(size)]
