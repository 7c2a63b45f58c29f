"""Knowledge bases of any size: articles in three languages with versions, questions that they
solved, what readers said and looked for.

An article is one of the demo's with paragraphs of others of its language, and made-up names that
few articles have. Search indexes it as it indexes every text.
"""

import json
import random
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.bulk import columns_of, loading, moment, write
from benchmarks.kb_questions import shop
from benchmarks.place import application
from benchmarks.vocabulary import LANGUAGES, Vocabulary
from helpdesk import ext
from helpdesk.demo.knowledge import CATEGORIES, Page, pages
from helpdesk.kb import embedding
from helpdesk.kb.categories import create_category
from helpdesk.kb.index import is_stale, refresh, reindex, relearn
from helpdesk.kb.log import miss_key
from helpdesk.kb.markdown import render
from helpdesk.kb.models import ArticleText, Category, Example

COLUMNS = columns_of(
    {
        "article": "id key category_id source_lang tags position created_at",
        "article_text": "id article_id lang slug title body_markdown body_html excerpt keywords"
        " voice_text state version source_version updated_at published_at views helped not_helped"
        " embedding",
        "article_version": "text_id version title body_markdown keywords voice_text state"
        " created_at",
        "kb_example": "article_id lang text digest source created_at embedding",
        "article_feedback": "text_id visit helped comment at",
        "kb_search": "at lang query source found visit outcome",
        "kb_miss": "lang key query times last_at",
    }
)
TABLES = ("kb_category", *COLUMNS, "kb_index")  # in the order of their keys
BATCH = 500
PARAGRAPHS = 5  # of other articles
NAMES = 3  # in an article, of the vocabulary without its most frequent words
EXAMPLES_EVERY, EXAMPLES = 3, 3
SEARCHES = 5_000
_SUBTOPICS = 3  # of a topic

Chunk = dict[str, list[Sequence[Any]]]


def fill(
    folder: Path, count: int, at: datetime, known: Mapping[str, Vocabulary], seed: int
) -> None:
    """Write `count` articles into the fresh product in this folder, and index them."""
    app = application(folder)
    with app.app_context():
        rooms = _rooms(at)
        ext.db.engine.dispose()
        shelf = _Shelf(known, random.Random(f"{seed}:{count}"), at, rooms)
        with loading(folder / "helpdesk.db") as connection:
            _load(connection, shelf, count)
        _index()
        ext.db.engine.dispose()


def any_vector(number: int) -> bytes:
    """A vector: to compare with it costs the same whatever it says, and to make a true one takes
    the worker 50 ms."""
    return random.Random(f"vector {number}").randbytes(embedding.SIZE)


def freshen(folder: Path) -> None:
    """Index anew what another version of the search has indexed."""
    with application(folder).app_context():
        while True:
            with ext.write() as session:
                if not is_stale(session):
                    break
                refresh(session, BATCH)
        ext.db.engine.dispose()


def _load(connection: sqlite3.Connection, shelf: "_Shelf", count: int) -> None:
    for first in range(1, count + 1, BATCH):
        rows: Chunk = defaultdict(list)
        for number in range(first, min(first + BATCH, count + 1)):
            shelf.article(rows, number)
        write(connection, COLUMNS, rows)
    rows = defaultdict(list)
    shelf.searches(rows)
    write(connection, COLUMNS, rows)


def _rooms(at: datetime) -> list[int]:
    """Categories with subcategories; returns the ids."""
    with ext.write() as session:
        for key, (icon, *names) in CATEGORIES.items():
            top = create_category(
                session, dict(zip(LANGUAGES, names, strict=True)), key=key, icon=icon, at=at
            )
            for number in range(1, _SUBTOPICS + 1):
                said = {
                    lang: f"{name} {number}" for lang, name in zip(LANGUAGES, names, strict=True)
                }
                create_category(
                    session, said, key=f"{key}-{number}", parent_id=top.id, icon=icon, at=at
                )
        return list(session.scalars(select(Category.id).order_by(Category.id)))


def _index() -> None:
    """Texts and examples, by the product's own verbs."""
    with ext.session() as session:
        texts = list(session.scalars(select(ArticleText.id).order_by(ArticleText.id)))
        solved = session.execute(select(Example.article_id, Example.lang).distinct()).all()
    for first in range(0, len(texts), BATCH):
        with ext.write() as session:
            for text_id in texts[first : first + BATCH]:
                reindex(session, text_id)
    for first in range(0, len(solved), BATCH):
        with ext.write() as session:
            for article_id, lang in solved[first : first + BATCH]:
                relearn(session, article_id, lang)


class _Shelf:
    """Makes the rows of one article after the other."""

    def __init__(
        self,
        known: Mapping[str, Vocabulary],
        draw: random.Random,
        end: datetime,
        rooms: Sequence[int],
    ) -> None:
        self.known, self.draw, self.end, self.rooms = known, draw, end, rooms
        self.pages: dict[str, dict[str, Page]] = {lang: {} for lang in LANGUAGES}
        for page in pages():
            self.pages[page.lang][page.key] = page
        self.keys = sorted(set.intersection(*(set(found) for found in self.pages.values())))
        self.paragraphs = {
            lang: [part for page in found.values() for part in page.content.body.split("\n\n")]
            for lang, found in self.pages.items()
        }
        self.questions = {lang: [one.text for one in shop(lang).questions] for lang in LANGUAGES}
        self.text_id = 0

    def article(self, rows: Chunk, number: int) -> None:
        """One article with its three texts; the first of them are the demo's, by their keys."""
        turn, place = divmod(number - 1, len(self.keys))
        like = self.keys[place]
        key = f"{like}-{turn}" if turn else like
        made = moment(self.end - timedelta(days=600 - number % 500))
        room = self.rooms[number % len(self.rooms)]
        rows["article"].append((number, key, room, "uk", "[]", number, made))
        state = {7: "draft", 13: "internal"}.get(number % 20, "public")
        for lang in LANGUAGES:
            self._text(rows, number, key, self.pages[lang][like], state, made)

    def searches(self, rows: Chunk) -> None:
        """What readers looked for, some of it in vain."""
        missed: dict[tuple[str, str], list[Any]] = {}
        for number in range(SEARCHES):
            lang = LANGUAGES[number % 3]
            query, at = self.draw.choice(self.questions[lang]), moment(self.end)
            found = number % 10 and 5
            visit = f"{self.draw.getrandbits(96):024x}"
            row = (at, lang, query, "portal", found, visit, "opened" if number % 2 else None)
            rows["kb_search"].append(row)
            if not found:
                entry = missed.setdefault((lang, miss_key(query, lang)), [query, 0, at])
                entry[1] += 1
        rows["kb_miss"] += [(*key, *entry) for key, entry in missed.items()]

    def _text(self, rows: Chunk, number: int, key: str, page: Page, state: str, made: str) -> None:
        self.text_id += 1
        title, body = self._written(page, key == page.key)
        rendered, words = render(body), json.dumps(page.content.keywords, ensure_ascii=False)
        views = int(2_000 / (1 + self.draw.random() * number))
        head = (self.text_id, number, page.lang, key, title, body, rendered.html, rendered.excerpt)
        voice = page.content.voice
        tail = (words, voice, state, 1, 1, made, made if state == "public" else None)
        use = (views, views // 9, views // 40)
        rows["article_text"].append((*head, *tail, *use, any_vector(self.text_id)))
        rows["article_version"].append((self.text_id, 1, title, body, words, voice, state, made))
        if self.text_id % 2:
            visit = f"{self.draw.getrandbits(96):024x}"
            said = "" if self.text_id % 3 else self.draw.choice(self.questions[page.lang])
            rows["article_feedback"].append((self.text_id, visit, self.text_id % 4 > 0, said, made))
        if number % EXAMPLES_EVERY == 0:
            self._examples(rows, number, page.lang, made)

    def _written(self, page: Page, is_first: bool) -> tuple[str, str]:
        if is_first:
            return page.content.title, page.content.body
        ranked = self.known[page.lang].ranked
        rare = ranked[len(ranked) // 100 :]
        names = [rare[int(len(rare) * self.draw.random() ** 2)] for _ in range(NAMES)]
        parts = page.content.body.split("\n\n")
        parts[len(parts) // 2 :] = self.draw.sample(self.paragraphs[page.lang], PARAGRAPHS)
        title = f"{page.content.title} {names[0].capitalize()}"
        return title, "\n\n".join([*parts, " ".join(names).capitalize() + "."])

    def _examples(self, rows: Chunk, number: int, lang: str, made: str) -> None:
        for text in self.draw.sample(self.questions[lang], EXAMPLES):
            digest = sha256(f"{number} {lang} {text}".encode()).hexdigest()
            row = (number, lang, text, digest, "desk", made, any_vector(len(rows["kb_example"])))
            rows["kb_example"].append(row)
