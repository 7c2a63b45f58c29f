"""The model of confidence, fitted on questions with known answers: figures for
`helpdesk/kb/confidence.py`.

Ordinary logistic regression by Newton's method with a little ridge, on the questions of five bases,
whole (with and without keywords, with 0, 1, 3 and 10 examples) and small: a few of the articles, so
that most questions have no article and near ones stand in its place.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import exp
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.kb_questions import Asked, Page, Set, bare, fifth, fourth, other, shop, third
from helpdesk.kb import analysis, confidence, embedding, synonyms, units
from helpdesk.kb.asked import Scored
from helpdesk.kb.ranking import Base
from helpdesk.kb.reading import question
from helpdesk.lib.stems import LANGUAGES

RATES = (3, 5, 10, 15, 20, 30, 50)
EXAMPLES = (1, 3, 10)
SMALL = (6, 12, 20)  # articles
TIMES = 2
_SHOWN = frozenset({"shown"})
BASES = (shop, other, third, fourth, fifth)
HARDEST = 2.0  # times as many wrong answers as in the mean may be on one base
_RIDGE = 1.0
_ROUNDS = 25


class Case(NamedTuple):
    """A ranking's measures, whether its first article was right, whether that is there by chance,
    and which questions it is judged among (by examples); None: it is only learnt from."""

    features: tuple[float, ...]
    right: bool
    chance: bool
    among: int | None


def show(langs: tuple[str, ...]) -> None:
    """Print the figures. Thresholds come from models that have not seen the base they judge: a
    new company's base is as foreign to the model as these are to each other.
    """
    bases = [_of(make, langs) for make in BASES]
    cases = [case for found in bases for case in found]
    bias, *weights = fit(cases)
    print(f"{len(cases)} questions, {sum(case.right for case in cases)} right")
    print(f"BIAS = {bias:.2f}\nWEIGHTS = ({', '.join(f'{weight:.2f}' for weight in weights)})")
    judged: list[list[tuple[float, bool]]] = []
    for one in bases:
        rest = [case for found in bases if found is not one for case in found]
        judged += _judged(one, fit(rest))
    found = [(rate, least(judged, rate)) for rate in RATES]
    print(f"THRESHOLDS = ({', '.join(f'({rate}, {p:.2f})' for rate, p in found)})")


def usual() -> None:
    """Write what the model says of any question and of any text: `helpdesk/kb/usual.f32`."""
    sets = [make(lang) for make in (shop, other, third) for lang in LANGUAGES]
    questions = [embedding.raw(a.text, is_query=True) for one in sets for a in one.questions]
    texts = [embedding.raw(_whole(page), is_query=False) for one in sets for page in one.pages]
    means = [np.mean(vectors, axis=0) for vectors in (questions, texts)]
    np.concatenate(means).astype("<f4").tofile(Path(embedding.__file__).parent / "usual.f32")


def _whole(page: Page) -> str:
    return "\n".join((page.title, ", ".join(page.keywords), page.body[:300]))


def _of(make: Callable[[str], Set], langs: tuple[str, ...]) -> list[Case]:
    sets = [make(lang) for lang in langs]
    cases = [case for one in sets for case in _cases(one, 0, judged=True)]
    for one in sets:
        cases += _cases(bare(one), 0)
        if one.examples:
            cases += [case for count in EXAMPLES for case in _cases(one, count, judged=True)]
        for size in SMALL:
            cases += [case for n in range(TIMES) for case in _cases(_part(one, size, n), 0)]
    return cases


def _part(one: Set, size: int, seed: int) -> Set:
    """A small base of so many of the articles; of the questions of others a few are asked."""
    draw = random.Random(f"{size}-{seed}")
    pages = draw.sample(one.pages, size)
    keys = {page.key for page in pages}
    inside = [asked for asked in one.questions if asked.key in keys]
    outside = [asked for asked in one.questions if asked.key not in keys]
    few = [replace(asked, key="-near") for asked in draw.sample(outside, len(inside) // 2)]
    return replace(one, pages=pages, questions=inside + few)


def _judged(cases: list[Case], model: list[float]) -> list[list[tuple[float, bool]]]:
    """How sure each answer is and whether it is right, apart by how many examples there are."""
    found: dict[int, list[tuple[float, bool]]] = {}
    for case in cases:
        if case.among is not None:
            sure = _probability(model, case.features)
            sure = min(sure, 0.5) if case.chance else sure
            found.setdefault(case.among, []).append((sure, case.right))
    return list(found.values())


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


def least(judged: list[list[tuple[float, bool]]], rate: float) -> float:
    """The lowest probability from which at most `rate` of a hundred answers are wrong in the mean
    of what is judged, and at most `HARDEST` times as many in any of it."""
    for chance in (n / 100 for n in range(5, 100)):
        shares = [_wrong(one, chance) for one in judged]
        if sum(shares) / len(shares) <= rate and max(shares) <= HARDEST * rate:
            return chance
    return 0.99


def _wrong(judged: list[tuple[float, bool]], chance: float) -> float:
    """Wrong ones of a hundred answers that are at least so sure."""
    given = [right for sure, right in judged if sure >= chance]
    return 100 * given.count(False) / max(1, len(given))


def _cases(one: Set, count: int, *, judged: bool = False) -> list[Case]:
    base = _base(one, count)
    cases = []
    for asked in one.part("tuning") or one.questions:
        found = _rank(base, asked)
        if found:
            right = asked.inside and one.pages[found[0].article_id - 1].key == asked.key
            chance = confidence.by_chance(found[0])
            among = count if judged else None
            cases.append(Case(confidence.features(found), right, chance, among))
    return cases


def _base(one: Set, count: int) -> Base:
    words = synonyms.thesaurus(one.lang)
    base = Base(one.lang, words)
    ids = {page.key: number for number, page in enumerate(one.pages, 1)}
    lessons: dict[int, list[list[list[str]]]] = {}
    about: dict[str, bytes] = {}
    solved: dict[str, list[bytes]] = {}
    for page in one.pages:
        found = analysis.analyse(one.lang, page.title, page.keywords, page.body)
        base.put(units.text_unit(ids[page.key], ids[page.key], "shown", found, words))
        about[page.key] = _about(page.title, tuple(page.keywords), page.body)
    for key, text in one.first_examples(count):
        lessons.setdefault(ids[key], []).append(analysis.question_lines(text, one.lang))
        solved.setdefault(key, []).append(embedding.of_question(text))
    for number, questions in lessons.items():
        base.learn(units.learned(number, questions, words))
    for key, text_vector in about.items():
        vector = embedding.together(text_vector, solved.get(key, []))
        base.embed(units.About(ids[key], vector or embedding.NOTHING))
    return base


@cache
def _about(title: str, keywords: tuple[str, ...], body: str) -> bytes:
    return embedding.of_text(title, keywords, body)


def _rank(base: Base, asked: Asked) -> list[Scored]:
    meaning = embedding.question(asked.text)
    return base.rank(question(asked.text, base.lang), _SHOWN, top=3, meaning=meaning)


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
