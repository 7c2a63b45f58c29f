"""Search in the knowledge base at 100, 1,000 and 10,000 articles: questions, typing, emails,
memory, and how soon a change is found.

Articles are drawn from the lines of the demo base, with names that only few of them have.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.orm import Session

from benchmarks.articles import any_vector
from benchmarks.kb_questions import shop
from benchmarks.machine import pss_megabytes
from benchmarks.place import application
from benchmarks.report import Report, percentile
from helpdesk import ext
from helpdesk.kb import embedding
from helpdesk.kb.analysis import body_lines
from helpdesk.kb.index import reindex
from helpdesk.kb.models import Article, ArticleText, State
from helpdesk.kb.search import search, suggest
from helpdesk.lib.clock import now
from helpdesk.lib.stems import LANGUAGES

SIZES = (100, 1_000, 10_000)
P95 = 30.0  # milliseconds
_ASKED = 200
_BATCH = 500
_LINES = 12
_NAMES = 3  # in each article
_SYLLABLES = [
    "ba",
    "ve",
    "gi",
    "do",
    "zu",
    "ka",
    "le",
    "mi",
    "no",
    "pu",
    "ra",
    "se",
    "ti",
    "fo",
    "chu",
    "ша",
    "ви",
    "но",
    "ко",
    "ре",
    "ті",
    "дя",
    "лу",
    "ме",
    "ги",
]


def measure(_size: str, report: Report) -> None:
    """Note the figures of all sizes."""
    for size in SIZES:
        with filled(size):
            _measure(size, report)


def _measure(size: int, report: Report) -> None:
    before = _memory()
    began = time.perf_counter()
    _ask("оплата")
    name = f"{size:,} articles"
    report.add(f"{name}: first search of a process", time.perf_counter() - began, "s")
    report.add(f"{name}: memory of the index", _memory() - before, "MB")
    questions = [one.text for lang in LANGUAGES for one in shop(lang).questions]
    random.Random(7).shuffle(questions)
    kinds: dict[str, Callable[[str], object]] = {
        "search": _ask,
        "search while typing": lambda text: _ask(text[: max(3, len(text) * 2 // 3)], typing=True),
        "suggestions for an email": lambda text: _suggest(f"{text}\n" + " ".join(questions[:8])),
    }
    for kind, ask in kinds.items():
        embedding.question.cache_clear()  # a process hears each of them for the first time
        times = [_milliseconds(ask, text) for text in islice(questions, _ASKED)]
        report.add(f"{name}: {kind}, p95", percentile(times, 95), "ms", at_most=P95)
    report.add(f"{name}: a change is found after", _change(), "ms", at_most=1000)


@contextmanager
def filled(size: int) -> Iterator[Flask]:
    """The product with so many articles, a third in each language, on a scratch database."""
    with tempfile.TemporaryDirectory() as folder:
        app = application(Path(folder))
        with app.app_context():
            upgrade()
            drawn = _texts(size)
            while batch := list(islice(drawn, _BATCH)):
                with ext.write() as session:
                    for number, lang, title, body in batch:
                        _add(session, number, lang, title, body)
            yield app
            ext.db.engine.dispose()


def _texts(size: int) -> Iterator[tuple[int, str, str, str]]:
    chance = random.Random(1)
    titles = {lang: [page.title for page in shop(lang).pages] for lang in LANGUAGES}
    lines = {
        lang: [line for page in shop(lang).pages for line in body_lines(page.body)]
        for lang in LANGUAGES
    }
    for number in range(size):
        lang = LANGUAGES[number % len(LANGUAGES)]
        names = [_name(chance) for _ in range(_NAMES)]
        title = f"{chance.choice(titles[lang])} {names[0]}"
        body = "\n\n".join(chance.sample(lines[lang], _LINES))
        yield number, lang, title, f"{body}\n\n{' '.join(names)}"


def _name(chance: random.Random) -> str:
    chance = random.Random(int(chance.paretovariate(0.6)) % 40_000)
    return "".join(chance.choices(_SYLLABLES, k=4))


def _add(session: Session, number: int, lang: str, title: str, body: str) -> int:
    article = Article(key=f"a{number}", source_lang=lang, tags=[], created_at=now())
    session.add(article)
    session.flush()
    text = ArticleText(
        article_id=article.id,
        lang=lang,
        slug=article.key,
        title=title,
        body_markdown=body,
        body_html="",
        excerpt=title,
        keywords=[],
        state=State.PUBLIC,
        updated_at=now(),
        embedding=any_vector(number),
    )
    session.add(text)
    session.flush()
    reindex(session, text.id)
    return text.id


def _ask(text: str, *, typing: bool = False) -> list[str]:
    with ext.session() as session:
        return [hit.key for hit in search(session, text, lang=None, typing=typing).items]


def _suggest(text: str) -> object:
    with ext.session() as session:
        return suggest(session, text, None)


def _change() -> float:
    with ext.write() as session:
        _add(session, -1, "en", "Xylophone tuning", "Tune the xylophone.")
    began = time.perf_counter()
    if _ask("xylophone")[:1] != ["a-1"]:
        raise RuntimeError("the change is not found")
    return (time.perf_counter() - began) * 1000


def _milliseconds(ask: Callable[[str], object], text: str) -> float:
    began = time.perf_counter()
    ask(text)
    return (time.perf_counter() - began) * 1000


def _memory() -> float:
    return pss_megabytes([os.getpid()], "Pss_Anon")
