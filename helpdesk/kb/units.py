"""What is kept of texts and of solved questions for search: the weight of each stem and concept."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from zlib import crc32

from helpdesk.kb.analysis import Analysed
from helpdesk.kb.synonyms import Thesaurus


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much; found by `make kb-eval` on questions kept apart from the tests."""

    title: float = 1.3  # a word of the title, beside 1 for one of the body
    keywords: float = 1.6
    small: float = 0.05  # "where is", "why" in a title: a part of their rareness
    both: float = 0.25  # what the lesser of two reasons adds
    saturation: float = 1.2  # of repeated words, as in BM25 (k1)
    length: float = 0.3  # how far long texts are discounted (b)
    near: float = 0.5  # a word that is only like the asked one
    near_least: float = 0.5  # likeness below which words are strangers
    typing: float = 0.8  # a word that begins as the last one does
    concepts: float = 1.1
    concept_title: float = 2.2
    concept_keywords: float = 1.9
    concept_near: float = 0.6  # likeness to a word of the thesaurus that does for it
    learned: float = 1.0  # what solved questions tell, beside the text
    learned_concepts: float = 1.0
    repeated: float = 1.5  # that the very question was solved before
    doubt: float = 2.0  # as if so many questions of everyday words had been solved as well
    texts: float = 20.0  # solved questions that all texts together are worth
    few: float = 1.0  # examples with which an article's lessons count a half
    shared: float = 0.7  # how far words that many solved questions have count as common
    meaning: float = 2.2  # how like the question it is in meaning


WEIGHTS = Weights()
VERSION = 1
"""To be raised with every change of the analysis: what was indexed before is then indexed anew."""
USUAL_LENGTH = 90
"""Words of a usual article, title and keywords included. A constant, not the base's mean, so that
a text's weights stay as they are when others change."""


@cache
def weights_digest() -> str:
    """Changes with the weights, some of which are in what was indexed."""
    return f"{crc32(repr(WEIGHTS).encode()):08x}"


@dataclass(frozen=True, slots=True)
class TextUnit:
    """A text; `label` is its state, `rank` asks by it."""

    id: int
    article_id: int
    label: str
    terms: dict[str, float]
    concepts: dict[int, float]


@dataclass(frozen=True, slots=True)
class Learned:
    """All questions that an article solved in one language: how many, and how many of them have
    a stem or touch a concept; `whole` are the `question_key`s of them."""

    article_id: int
    size: int
    terms: dict[str, float]
    concepts: dict[int, float]
    whole: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What an article is about in one language, as `embedding` keeps it."""

    article_id: int
    vector: bytes


def text_unit(id_: int, article_id: int, label: str, text: Analysed, words: Thesaurus) -> TextUnit:
    """A text as it is indexed."""
    body = Counter(stem for line in text.lines for stem in line)
    length = (sum(body.values()) + len(text.title) + len(text.keywords)) / USUAL_LENGTH
    slow = WEIGHTS.saturation * (1 - WEIGHTS.length + WEIGHTS.length * length)
    terms = {stem: n * (WEIGHTS.saturation + 1) / (n + slow) for stem, n in body.items()}
    terms |= dict.fromkeys(text.small, 1.0)
    concepts = _touched(text.lines, words)
    for line, weight, touch in (
        (text.keywords, WEIGHTS.keywords, WEIGHTS.concept_keywords),
        (text.title, WEIGHTS.title, WEIGHTS.concept_title),
    ):
        for stem in set(line):
            other = terms.get(stem, 0.0)
            terms[stem] = max(other, weight) + WEIGHTS.both * min(other, weight)
        for concept, share in words.concepts(dict.fromkeys(line, 1.0)).items():
            concepts[concept] = max(concepts.get(concept, 0.0), share * touch)
    return TextUnit(id_, article_id, label, terms, concepts)


def learned(
    article_id: int, questions: Sequence[Sequence[Sequence[str]]], words: Thesaurus
) -> Learned:
    """Solved questions as they are indexed, each as the stems of its sentences."""
    terms: Counter[str] = Counter()
    concepts: dict[int, float] = {}
    for lines in questions:
        terms.update({stem for line in lines for stem in line})
        for concept, share in _touched(lines, words).items():
            concepts[concept] = concepts.get(concept, 0.0) + share
    whole = {question_key(stem for line in lines for stem in line) for lines in questions}
    return Learned(article_id, len(questions), dict(terms), concepts, tuple(sorted(whole)))


def question_key(stems: Iterable[str]) -> int:
    """The same for questions of the same stems, whatever their order."""
    return crc32(" ".join(sorted(set(stems))).encode("utf-8", "surrogatepass"))


def _touched(lines: Iterable[Sequence[str]], words: Thesaurus) -> dict[int, float]:
    touched: dict[int, float] = {}
    for line in lines:
        for concept, share in words.concepts(dict.fromkeys(line, 1.0)).items():
            touched[concept] = max(touched.get(concept, 0.0), share)
    return touched
