"""Which article answers a question: one language's texts in memory, and their scores.

The score is the sum, over the question's words, of the word's rareness times how much the text
says it, in this word or a near one (derived, misspelt), and over the concepts that both touch
(`synonyms`). What questions that the article solved before say counts beside its text: how much
more often they have the word than other solved questions. Sums are divided by the rareness of the
whole question, so that scores of different questions compare. What is alike in meaning is added.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest
from math import log

from helpdesk.kb.analysis import SMALL, everyday, faint_stems
from helpdesk.kb.asked import Question, Scored
from helpdesk.kb.embedding import Vector
from helpdesk.kb.postings import List, Lists, Numbers
from helpdesk.kb.sums import Sums, greatest
from helpdesk.kb.synonyms import FAINT, Thesaurus
from helpdesk.kb.units import WEIGHTS, About, Learned, TextUnit, question_key
from helpdesk.kb.vectors import Vectors
from helpdesk.kb.vocabulary import MAX_NEAR, Vocabulary
from helpdesk.lib import stems

MAX_WORDS = 30
"""Of a long question the rarest words are asked."""
MAX_CONCEPTS = 30
_FAMILIAR = 0.6
_MANY = 1_000
_UNKNOWN = -1  # number of a stem that nothing here has

Group = dict[int, float]


@dataclass(slots=True)
class _Place:
    """An article of the base. A place without text and examples is free for another."""

    article_id: int = 0
    text_id: int = 0
    label: str = ""
    examples: int = 0


class Base:
    """The texts of one language and the questions that they solved, ready to be asked."""

    def __init__(self, lang: str, words: Thesaurus) -> None:
        self.lang = lang
        self.words = words
        self.vocabulary = Vocabulary()
        self._places: list[_Place] = []
        self._by_article: dict[int, int] = {}
        self._by_text: dict[int, int] = {}
        self._free: list[int] = []
        self.terms, self.concepts = Lists(), Lists()
        self._learned_terms, self._learned_concepts = Lists(), Lists()
        self._solved = Lists()  # whole questions
        self.vectors = Vectors()
        self._examples = 0
        self._faint = faint_stems(lang)
        self._part: dict[int, float] = {}  # what faint words count of their rareness
        for stem in words.known():
            self._number(stem)

    def texts(self) -> tuple[Numbers, list[str]]:
        """By place the ids of the article and of its text, in turn, and its label."""
        ids = array("I")
        for entry in self._places:
            ids.extend((entry.article_id, entry.text_id))
        return ids, [entry.label for entry in self._places]

    def load(self, ids: Numbers, labels: list[str], vocabulary: Vocabulary) -> None:
        """Texts as `texts` told them, into an empty base; its lists are loaded apart."""
        self.vocabulary, self._part = vocabulary, {}
        for stem in vocabulary.numbers:
            self._number(stem)
        pairs = zip(ids[::2], ids[1::2], labels, strict=True)
        self._places = [_Place(article, text, label) for article, text, label in pairs]
        for place, entry in enumerate(self._places):
            if entry.text_id:
                self._by_article[entry.article_id] = place
                self._by_text[entry.text_id] = place
            else:
                self._free.append(place)

    def __len__(self) -> int:
        return len(self._by_article)

    def put(self, unit: TextUnit) -> None:
        """Index a text, in place of what it or its article's other text was before."""
        place = self._place(unit.article_id)
        if self._by_text.get(unit.id, place) != place:
            self.drop(unit.id)
        entry = self._places[place]
        self._by_text.pop(entry.text_id, None)
        entry.text_id, entry.label = unit.id, unit.label
        self._by_text[unit.id] = place
        self.terms.put(place, self._numbered(unit.terms))
        self.concepts.put(place, unit.concepts)

    def drop(self, text_id: int) -> None:
        """Forget a text; an unknown one is ignored."""
        place = self._by_text.pop(text_id, None)
        if place is not None:
            self._places[place].text_id, self._places[place].label = 0, ""
            self.terms.drop(place)
            self.concepts.drop(place)
            self._free_if_empty(place)

    def learn(self, lessons: Learned) -> None:
        """Index what an article's examples say, in place of what they said before."""
        place = self._place(lessons.article_id)
        entry = self._places[place]
        self._examples += lessons.size - entry.examples
        entry.examples = lessons.size
        self._solved.put(place, dict.fromkeys(lessons.whole, 1.0))
        self._learned_terms.put(place, self._numbered(lessons.terms))
        self._learned_concepts.put(place, lessons.concepts)
        self._free_if_empty(place)

    def embed(self, about: About) -> None:
        """Index what an article is about, in place of what it was about before."""
        self.vectors.put(self._place(about.article_id), about.vector)

    def unembed(self, article_id: int) -> None:
        """Forget what an article is about; an unknown one is ignored."""
        if article_id in self._by_article:
            self.vectors.drop(self._by_article[article_id])

    def familiar(self, word: str) -> float:
        """How well a folded word is known here: 1 in a text, a solved question, the thesaurus or
        everyday speech, a half where it is like such a word."""
        if word in everyday(self.lang):
            return 1.0
        found = stems.stem(word, self.lang)
        if found in self.vocabulary.numbers:
            return 1.0
        return 0.5 if self.vocabulary.near(found, _FAMILIAR) else 0.0

    def rank(
        self,
        question: Question,
        labels: frozenset[str],
        *,
        top: int,
        articles: frozenset[int] | None = None,
        meaning: Vector | None = None,
    ) -> list[Scored]:
        """The best articles for a question, best first; of equals the older one first.

        An article whose text here has none of the labels doesn't count, and only those of
        `articles` where given.
        """
        groups = self._groups(question)
        rareness = list(map(self._rareness, groups))
        total = sum(rareness) or 1.0
        sums = Sums(len(self._places))
        for group in groups:
            self._add_words(sums, group)
        if repeated := self._solved.get(question_key(question.stems)):
            sums.add_learned({}, dict(repeated.weighed(WEIGHTS.repeated * total)))
        for concept, share in self._strongest(self._touched(question)):
            self._add_concept(sums, concept, share)
        alike = self._add_meaning(sums, meaning, total)
        return [
            Scored(
                (entry := self._places[place]).article_id,
                entry.text_id,
                sums.all[place] / total,
                self._cover(place, groups, rareness) / total,
                sums.learned.get(place, 0.0) / total,
                self._words(place, groups),
                alike[place],
            )
            for place in self._top(sums.all, labels, articles, top)
        ]

    def _add_meaning(self, sums: Sums, meaning: Vector | None, total: float) -> list[float]:
        """How like the question each article is, added as if it were words of the question."""
        places = len(self._places)
        if meaning is None or not self.vectors:
            return [0.0] * places
        alike = self.vectors.likeness(meaning, places)
        worth = WEIGHTS.meaning * total
        sums.add((place, worth * value) for place, value in enumerate(alike) if value)
        return alike

    def _top(
        self,
        scores: list[float],
        labels: frozenset[str],
        articles: frozenset[int] | None,
        top: int,
    ) -> list[int]:
        """The places with the highest scores that may be shown."""
        count = 2 * top + 10
        while True:
            best = nlargest(count, range(len(scores)), key=scores.__getitem__)
            places = [
                place
                for place in best
                if scores[place] > 0 and self._may_show(self._places[place], labels, articles)
            ]
            if len(places) >= top or count >= len(scores):
                places.sort(key=lambda place: (-scores[place], self._places[place].article_id))
                return places[:top]
            count *= 8

    def _may_show(
        self, entry: _Place, labels: frozenset[str], articles: frozenset[int] | None
    ) -> bool:
        if articles is not None and entry.article_id not in articles:
            return False
        return entry.label in labels or not entry.text_id

    def _strongest(self, touched: dict[int, float]) -> Iterable[tuple[int, float]]:
        """The concepts that tell most, where a long text touches many."""
        if len(touched) <= MAX_CONCEPTS:
            return touched.items()

        def worth(pair: tuple[int, float]) -> tuple[float, int]:
            lists = self.concepts.get(pair[0]), self._learned_concepts.get(pair[0])
            return pair[1] * self._rare(*lists) if any(lists) else 0.0, pair[0]

        return nlargest(MAX_CONCEPTS, touched.items(), key=worth)

    def _place(self, article_id: int) -> int:
        place = self._by_article.get(article_id)
        if place is None:
            if self._free:
                place = self._free.pop()
            else:
                place = len(self._places)
                self._places.append(_Place())
            self._by_article[article_id] = place
            self._places[place] = _Place(article_id)
        return place

    def _free_if_empty(self, place: int) -> None:
        entry = self._places[place]
        if not entry.text_id and not entry.examples:
            del self._by_article[entry.article_id]
            self.vectors.drop(place)
            self._free.append(place)

    def _numbered(self, terms: dict[str, float]) -> dict[int, float]:
        return {self._number(stem): weight for stem, weight in terms.items()}

    def _number(self, stem: str) -> int:
        number = self.vocabulary.number(stem)
        if stem.startswith(SMALL):
            self._part[number] = WEIGHTS.small
        elif stem in self._faint:
            self._part[number] = FAINT
        return number

    def _groups(self, question: Question) -> list[Group]:
        """For each word of the question the terms that do for it, with what they are worth; the
        word itself first."""
        groups = [self._group(stem) for stem in (*question.stems, *question.small)]
        if question.typing:
            beginnings = self.vocabulary.beginning(question.typing)
            groups.append({_UNKNOWN: 1.0} | dict.fromkeys(beginnings, WEIGHTS.typing))
        if len(groups) > MAX_WORDS:
            groups.sort(key=lambda group: (any(map(self._has, group)), self._rareness(group)))
        return groups[-MAX_WORDS:]

    def _group(self, stem: str) -> Group:
        group = {self.vocabulary.numbers.get(stem, _UNKNOWN): 1.0}
        near = self.vocabulary.near(stem, WEIGHTS.near_least)
        for number, likeness in [pair for pair in near if self._has(pair[0])][:MAX_NEAR]:
            group[number] = WEIGHTS.near * likeness
        return group

    def _has(self, number: int) -> bool:
        return number in self.terms or number in self._learned_terms

    def _touched(self, question: Question) -> dict[int, float]:
        """The concepts that the question's sentences touch; a word that the thesaurus lacks counts
        as the one that is most like it."""
        touched: dict[int, float] = {}
        for line in question.lines:
            found: dict[str, float] = {}
            for stem in line:
                other, likeness = self._in_thesaurus(stem)
                found[other] = max(found.get(other, 0.0), likeness)
            for concept, share in self.words.concepts(found).items():
                touched[concept] = max(touched.get(concept, 0.0), share)
        return touched

    def _in_thesaurus(self, stem: str) -> tuple[str, float]:
        if not self.words.knows(stem):
            for number, likeness in self.vocabulary.near(stem, WEIGHTS.near_least):
                other = self.vocabulary.stem(number)
                if likeness >= WEIGHTS.concept_near and self.words.knows(other):
                    return other, likeness
        return stem, 1.0

    def _rareness(self, group: Group) -> float:
        return self._idf(next(iter(group)))

    def _idf(self, number: int) -> float:
        found = self.terms.get(number)
        idf = self._rare(found, self._learned_terms.get(number))
        return idf * self._part.get(number, 1.0)

    def _rare(self, texts: List | None, learned: List | None) -> float:
        """How rare what these lists hold is among the articles."""
        size = len(self._by_article)
        idf = _idf(size, len(texts) if texts else 0)
        if not learned:
            return idf
        either = set(learned.places).union(texts.places if texts else ())
        return (1 - WEIGHTS.shared) * idf + WEIGHTS.shared * _idf(size, len(either))

    def _add_words(self, sums: Sums, group: Group) -> None:
        texts = [
            found.weighed(weight * self._idf(number))
            for number, weight in group.items()
            if (found := self.terms.get(number)) and self._is_worth(number, found)
        ]
        learned = [
            self._telling(found, self.terms.get(number), WEIGHTS.learned * weight * part)
            for number, weight in group.items()
            if (found := self._learned_terms.get(number)) and (part := self._part.get(number, 1.0))
        ]
        if learned:
            sums.add_learned(greatest(texts), greatest(learned))
        elif len(texts) == 1:
            sums.add(texts[0])
        elif texts:
            sums.add(greatest(texts).items())

    def _is_worth(self, number: int, found: List) -> bool:
        """Small words of many titles tell next to nothing, and would take time."""
        return len(found) < _MANY or self._part.get(number) != WEIGHTS.small

    def _add_concept(self, sums: Sums, concept: int, share: float) -> None:
        texts, learned = self.concepts.get(concept), self._learned_concepts.get(concept)
        share *= self.words.worth(concept)
        worth = WEIGHTS.concepts * share * self._rare(texts, learned)
        weighed = texts.weighed(worth) if texts else iter(())
        if learned:
            told = self._telling(learned, texts, WEIGHTS.learned_concepts * share)
            sums.add_learned(dict(weighed), dict(told))
        else:
            sums.add(weighed)

    def _telling(
        self, found: List, texts: List | None, worth: float
    ) -> Iterable[tuple[int, float]]:
        """How much more often an article's solved questions have this than is usual, which is how
        often all solved questions have it, and texts: the logarithm of the ratio, where there is
        more."""
        doubt, known = WEIGHTS.doubt, WEIGHTS.texts
        in_texts = len(texts) / len(self._by_article) if texts else 0.0
        usual = (found.total + known * in_texts + 0.5) / (self._examples + known + 1)
        for place, count in found.weighed(1.0):
            examples = self._places[place].examples
            ratio = (count + doubt * usual) / ((examples + doubt) * usual)
            if ratio > 1:
                yield place, worth * log(ratio) * examples / (examples + WEIGHTS.few)

    def _cover(self, place: int, groups: list[Group], rareness: list[float]) -> float:
        has = self.terms.at(place)
        return sum(
            rare * max((weight for number, weight in group.items() if number in has), default=0.0)
            for group, rare in zip(groups, rareness, strict=True)
        )

    def _words(self, place: int, groups: list[Group]) -> float:
        has = self.terms.at(place) | self._learned_terms.at(place)
        telling = (g for g in groups if self._part.get(next(iter(g))) != WEIGHTS.small)
        return sum(max((w for number, w in g.items() if number in has), default=0) for g in telling)


def _idf(size: int, count: int) -> float:
    return log(1 + (size - count + 0.5) / (count + 0.5))
