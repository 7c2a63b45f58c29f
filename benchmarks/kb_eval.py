"""How well the knowledge base answers, against SQLite's plain bm25: `python -m benchmarks.kb_eval`.

Asks the product itself, on a scratch database, without learning and after 1, 3 and 10 solved
questions for each article. `--part tuning` for work on the ranking, `--fit` for new figures of
`helpdesk/kb/confidence.py`.
"""

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks import kb_fit
from benchmarks.kb_questions import (
    OUTSIDE,
    Asked,
    Page,
    Set,
    bare,
    fifth,
    fourth,
    other,
    plain_bm25,
    shop,
    third,
)
from benchmarks.place import application
from benchmarks.report import percentile
from helpdesk import ext
from helpdesk.jobs import embed_kb
from helpdesk.kb.actions import add_translation, create_article
from helpdesk.kb.checks import Content
from helpdesk.kb.learning import learn
from helpdesk.kb.models import Article, Source, State
from helpdesk.kb.search import Results, search
from helpdesk.lib import logs
from helpdesk.lib.clock import now
from helpdesk.lib.stems import LANGUAGES

EXAMPLES = (0, 1, 3, 10)
_HEAD = ("n", "bm25 r1/3", "ours r1/3", "x r1", "x r3", "alone", "wrong", "far", "near", "p95 CPU")
_COLUMNS = "{:18} {:>4}  {:>11} {:>11}  {:>5} {:>5}   {:>5} {:>6}   {:>6} {:>6}   {:>8}"


@dataclass(frozen=True)
class Counts:
    """What came of a set's questions; shares in percent."""

    asked: int
    first: float
    three: float
    answered: float  # of questions with an article
    wrong: float  # of all answers
    far: str  # answered of asked
    near: str
    milliseconds: float  # of CPU; 95 of 100 searches took no more


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["tuning", "unseen"], default="unseen")
    parser.add_argument("--fit", action="store_true", help="fit the model of confidence")
    parser.add_argument("--usual", action="store_true", help="make helpdesk/kb/usual.f32 anew")
    parser.add_argument("--lang", choices=LANGUAGES, action="append")
    arguments = parser.parse_args()
    logs.configure(io.StringIO())
    langs = tuple(arguments.lang or LANGUAGES)
    if arguments.usual:
        kb_fit.usual()
    elif arguments.fit:
        kb_fit.show(langs)
    else:
        shops, others = [shop(lang) for lang in langs], [other(lang) for lang in langs]
        show(shops, arguments.part)
        show([bare(one) for one in shops], arguments.part, (0,))
        show(others, "unseen", (0,))
        show([bare(one) for one in others], "unseen", (0,))
        show([third(lang) for lang in langs], arguments.part, (0, 1, 3))
        show([fourth(lang) for lang in langs], "unseen")
        show([fifth(lang) for lang in langs], "unseen")
    return 0


def show(sets: Sequence[Set], part: str, examples: Sequence[int] = EXAMPLES) -> None:
    """Measure the sets, all in one base, as a base in several languages is."""
    print(f"\n{sets[0].name}, {part} questions\n" + _COLUMNS.format("", *_HEAD))
    plain = {one.lang: _plain(one.part(part), plain_bm25(one.pages)) for one in sets}
    with filled(sets) as app:
        for count in examples:
            for one in sets:
                teach(app, one, count)
                print(_line(one.lang, count, ask_all(app, one, part), plain[one.lang]))


def ask_all(app: Flask, one: Set, part: str) -> Counts:
    """Ask the product all questions of a part."""
    times: list[float] = []
    results: list[tuple[Asked, Results]] = []
    with app.app_context():
        for asked in one.part(part):
            with ext.session() as session:
                began = time.process_time()
                results.append((asked, search(session, asked.text, lang=one.lang)))
                times.append((time.process_time() - began) * 1000)
    inside = [(asked, found) for asked, found in results if asked.inside]
    answers = [(asked, found.answer) for asked, found in results if found.answer]
    first, three = _shares([(a.key, [hit.key for hit in found.items]) for a, found in inside])
    far, near = (
        f"{sum(a.key == key for a, _ in answers)}/{sum(a.key == key for a, _ in results)}"
        for key in OUTSIDE
    )
    return Counts(
        len(inside),
        first,
        three,
        100 * sum(asked.inside for asked, _ in answers) / max(1, len(inside)),
        100 * sum(asked.key != answer.key for asked, answer in answers) / max(1, len(answers)),
        far,
        near,
        percentile(times, 95),
    )


@contextmanager
def filled(sets: Sequence[Set]) -> Iterator[Flask]:
    """The product with these articles, on a scratch database."""
    with tempfile.TemporaryDirectory() as folder:
        app = application(Path(folder))
        with app.app_context():
            upgrade()
            for one in sets:
                with ext.write() as session:
                    for page in one.pages:
                        _add(session, one.lang, page)
            _embed()
            yield app
            ext.db.engine.dispose()


def teach(app: Flask, one: Set, count: int) -> None:
    """Let each article have solved its first `count` examples."""
    with app.app_context(), ext.write() as session:
        ids = dict(session.execute(select(Article.key, Article.id)).all())
        for key, text in one.first_examples(count):
            learn(session, ids[key], one.lang, text, source=Source.API)
    with app.app_context():
        _embed()


def _add(session: Session, lang: str, page: Page) -> None:
    article = session.scalar(select(Article).where(Article.key == page.key))
    content = Content(title=page.title, body=page.body, keywords=tuple(page.keywords))
    if article is None:
        create_article(session, content, lang=lang, at=now(), key=page.key, state=State.PUBLIC)
    else:
        add_translation(session, article, content, lang=lang, at=now(), state=State.PUBLIC)


def _embed() -> None:
    while embed_kb():
        pass


def _plain(asked: list[Asked], ask: Callable[[str], list[str]]) -> tuple[float, float]:
    return _shares([(one.key, ask(one.text)) for one in asked if one.inside])


def _shares(found: list[tuple[str, list[str]]]) -> tuple[float, float]:
    """How many of a hundred have the right key first, and among three."""
    first = sum(keys[:1] == [key] for key, keys in found)
    three = sum(key in keys[:3] for key, keys in found)
    return 100 * first / len(found), 100 * three / len(found)


def _line(lang: str, count: int, ours: Counts, plain: tuple[float, float]) -> str:
    ratios = [f"{ours.first / plain[0]:.2f}", f"{ours.three / plain[1]:.2f}"]
    return _COLUMNS.format(
        f"{lang}, {count} examples",
        ours.asked,
        f"{plain[0]:.1f}/{plain[1]:.1f}",
        f"{ours.first:.1f}/{ours.three:.1f}",
        *ratios,
        f"{ours.answered:.0f}%",
        f"{ours.wrong:.0f}%",
        ours.far,
        ours.near,
        f"{ours.milliseconds:.1f}",
    )


if __name__ == "__main__":
    sys.exit(main())
