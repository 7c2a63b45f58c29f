"""Articles, questions and examples by which the search of the knowledge base is measured.

`shop` is the demo base with questions of two parts, `tuning` and `unseen`; `other` are short texts
of a bank and an internet provider, whose questions nothing is tuned on: they show what happens in
a company that nobody thought of; `third` are a town, a clinic and a bus company, with short texts
without keywords, asked sloppily, half of it never looked at while anything was tuned; `fourth` are
an insurer, a school, makers of boilers and of furniture, looked at by nobody who tuned. Questions
with the key "-far" or "-near" have no article.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.place import ROOT

FOLDER = ROOT / "benchmarks" / "kb"
ARTICLES = ROOT / "helpdesk" / "demo" / "articles"
OUTSIDE = ("-far", "-near")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Asked:
    """A question and the key of the article that answers it."""

    key: str
    part: str
    text: str

    @property
    def inside(self) -> bool:
        return self.key not in OUTSIDE


@dataclass(frozen=True)
class Page:
    """An article."""

    key: str
    title: str
    keywords: list[str]
    body: str


@dataclass(frozen=True)
class Set:
    """A base in one language, and what it is asked."""

    name: str
    lang: str
    pages: list[Page]
    questions: list[Asked]
    examples: list[tuple[str, str]] = field(default_factory=list)  # (key, text)

    def part(self, name: str) -> list[Asked]:
        return [asked for asked in self.questions if asked.part == name]

    def first_examples(self, count: int) -> list[tuple[str, str]]:
        """The first `count` examples of each article."""
        taken: dict[str, int] = {}
        kept = []
        for key, text in self.examples:
            taken[key] = taken.get(key, 0) + 1
            if taken[key] <= count:
                kept.append((key, text))
        return kept


def shop(lang: str) -> Set:
    """The demo base."""
    pages = [_page(path) for path in sorted((ARTICLES / lang).glob("*.md"))]
    questions = [Asked(*row) for row in _rows(FOLDER / f"questions.{lang}.tsv")]
    examples = [(key, text) for key, text in _rows(FOLDER / f"examples.{lang}.tsv")]
    return Set("shop", lang, pages, questions, examples)


def other(lang: str) -> Set:
    """The bank and the internet provider."""
    return _blocks("other", lang, ("unseen",))


def third(lang: str) -> Set:
    """The town, the clinic and the bus company; parts by article, in turn."""
    return _blocks("third", lang, ("tuning", "unseen"))


def fourth(lang: str) -> Set:
    """An insurer, a school, makers of boilers and of furniture."""
    return _blocks("fourth", lang, ("unseen",))


def fifth(lang: str) -> Set:
    """A dental clinic, car sharing, a hotel, a pet food subscription and a pool."""
    return _blocks("fifth", lang, ("unseen",))


def bare(one: Set) -> Set:
    """The same base without keywords, as most bases come from elsewhere."""
    pages = [replace(page, keywords=[]) for page in one.pages]
    return replace(one, name=f"{one.name} without keywords", pages=pages)


def plain_bm25(pages: list[Page]) -> Callable[[str], list[str]]:
    """SQLite's own ranking: FTS5 with its usual tokenizer, any word of the question."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE page USING fts5(title, body, keywords)")
    rows = ((page.title, page.body, " ".join(page.keywords)) for page in pages)
    database.executemany("INSERT INTO page VALUES (?, ?, ?)", rows)
    query = "SELECT rowid FROM page WHERE page MATCH ? ORDER BY bm25(page) LIMIT 3"

    def ask(question: str) -> list[str]:
        words = " OR ".join(f'"{word}"' for word in _WORD.findall(question))
        found = database.execute(query, [words]).fetchall() if words else []
        return [pages[number - 1].key for (number,) in found]

    return ask


def _blocks(name: str, lang: str, parts: tuple[str, ...]) -> Set:
    """A file of articles, each with its questions (?) and examples (+); the parts are given to
    articles in turn, and to the questions that have none."""
    one = Set(name, lang, [], [])
    for block in (FOLDER / f"{name}.{lang}.txt").read_text("utf-8").strip().split("\n\n"):
        head, *lines = block.removeprefix("= ").splitlines()
        key, *rest = (part.strip() for part in head.split("|"))
        at = len(one.pages)
        for number, text in enumerate(_marked(lines, "? ")):
            one.questions.append(Asked(key, parts[(at if rest else number) % len(parts)], text))
        one.examples.extend((key, text) for text in _marked(lines, "+ "))
        if rest:
            body = "\n".join(line for line in lines if not line.startswith(("? ", "+ ")))
            one.pages.append(Page(key, rest[0], _split(rest[1]), body))
    return one


def _marked(lines: list[str], sign: str) -> list[str]:
    return [line.removeprefix(sign) for line in lines if line.startswith(sign)]


def _page(path: Path) -> Page:
    head, _, body = path.read_text("utf-8").partition("\n---\n")
    values = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    return Page(path.stem, values["title"], _split(values.get("keywords", "")), body.strip())


def _split(keywords: str) -> list[str]:
    return [word.strip() for word in keywords.split(",") if word.strip()]


def _rows(path: Path) -> Iterable[list[str]]:
    for line in path.read_text("utf-8").splitlines():
        if line.strip():
            yield line.split("\t")
