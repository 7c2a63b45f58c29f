"""What a question means finds the article that says it in other words."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from helpdesk import ext, jobs
from helpdesk.kb import embedder, embedding
from helpdesk.kb.actions import change_text, create_article, delete_article, undelete_article
from helpdesk.kb.checks import Content
from helpdesk.kb.learning import learn, unlearn
from helpdesk.kb.models import Article, ArticleText, Example, Source, State
from helpdesk.kb.search import search
from helpdesk.kb.vectors import Vectors
from helpdesk.lib.clock import now

ARTICLES = {
    "night": ("en", "Disturbance of the peace", "From 22:00 to 7:00 call the police."),
    "heat": ("ru", "Отсутствие отопления", "Позвоните диспетчеру: бригада приедет за два часа."),
    "bins": ("uk", "Вивезення побутових відходів", "Баки вивозять у вівторок і п’ятницю."),
    "tax": ("en", "Property tax assessment", "The rate is set by the council each spring."),
    "tariff": ("ru", "Тарифы на водоснабжение", "Тарифы утверждает совет весной."),
    "school": ("uk", "Зарахування до першого класу", "Заяви приймають із квітня."),
}
ASKED = {
    "night": "music till three in the morning",
    "heat": "дома холодно, батареи ледяные",
    "bins": "коли забирають сміття",
}


@pytest.fixture
def base(app: Flask) -> Iterator[Flask]:
    """A town's articles, each in one language, as the worker has not seen them yet."""
    assert embedding.available(), "this machine can't show what these tests are about"
    with app.app_context():
        with ext.write() as session:
            for key, (lang, title, body) in ARTICLES.items():
                content = Content(title, body)
                create_article(session, content, lang=lang, at=now(), key=key, state=State.PUBLIC)
        yield app


def worked() -> int:
    """Let the worker do all that there is to do; how much that was."""
    return sum(iter(jobs.embed_kb, 0))


def found(question: str, lang: str) -> list[str]:
    with ext.session() as session:
        return [hit.key for hit in search(session, question, lang=lang).items]


def text_of(key: str) -> ArticleText:
    with ext.session() as session:
        return session.scalars(select(ArticleText).join(Article).where(Article.key == key)).one()


@pytest.mark.usefixtures("base")
def test_a_question_without_a_word_of_the_article_finds_it() -> None:
    assert worked() == len(ARTICLES)
    for key, question in ASKED.items():
        assert found(question, ARTICLES[key][0])[:1] == [key]
    assert jobs.embed_kb() == 0


@pytest.mark.usefixtures("base")
def test_where_the_machine_cannot_search_goes_by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    worked()
    monkeypatch.setattr(embedding, "available", lambda: False)
    assert found("disturbance", "en")[:1] == ["night"]
    assert found(ASKED["night"], "en") == []
    assert jobs.embed_kb() == 0


@pytest.mark.usefixtures("base")
def test_nonsense_finds_nothing() -> None:
    worked()
    for nonsense in ("qwzx vbnk", "ыыы ъъъ", "1234567", "🙂🙂🙂"):
        assert found(nonsense, "en") == [], nonsense


@pytest.mark.usefixtures("base")
def test_a_changed_article_is_about_something_else() -> None:
    worked()
    with ext.write() as session:
        text = session.get_one(ArticleText, text_of("tax").id)
        change_text(session, text, Content("Lost pets", "The shelter keeps them."), at=now())
    assert worked() == 1
    assert found("my dog ran away", "en")[:1] == ["tax"]


@pytest.mark.usefixtures("base")
def test_what_changes_while_the_worker_thinks_is_thought_about_again() -> None:
    with ext.session() as session:
        due = embedder.waiting(session, 50)
    vectors = embedder.embedded(due)
    with ext.write() as session:
        text = session.get_one(ArticleText, text_of("tax").id)
        change_text(session, text, Content("Lost pets", "The shelter keeps them."), at=now())
    with ext.write() as session:
        assert embedder.keep(session, due, vectors) == len(ARTICLES) - 1
    assert worked() == 1
    assert found("my dog ran away", "en")[:1] == ["tax"]


@pytest.mark.usefixtures("base")
def test_a_deleted_article_is_not_found_and_comes_back() -> None:
    worked()
    with ext.write() as session:
        article = session.scalars(select(Article).where(Article.key == "night")).one()
        delete_article(session, article, at=now())
    assert "night" not in found(ASKED["night"], "en")
    with ext.write() as session:
        article = session.scalars(select(Article).where(Article.key == "night")).one()
        undelete_article(session, article, at=now())
    assert found(ASKED["night"], "en")[:1] == ["night"]
    assert worked() == 0


@pytest.mark.usefixtures("base")
def test_a_solved_question_leads_those_like_it_until_it_is_forgotten() -> None:
    worked()
    asked = "the people upstairs are shouting"
    assert found(asked, "en")[:1] == ["night"]
    with ext.write() as session:
        article_id = text_of("tax").article_id
        for text in ("the flat above us is yelling", "neighbours scream at each other"):
            learn(session, article_id, "en", text, source=Source.API)
    assert worked() == 2
    assert found(asked, "en")[:1] == ["tax"]
    with ext.write() as session:
        for id_ in session.scalars(select(Example.id).order_by(Example.id)).all():
            unlearn(session, id_)
    assert found(asked, "en")[:1] == ["night"]


def test_text_without_a_word_waits_for_nothing(app: Flask) -> None:
    with app.app_context():
        with ext.write() as session:
            create_article(session, Content("🙂", "🙂"), lang="en", at=now(), state=State.PUBLIC)
        assert (worked(), worked()) == (1, 0)


def test_only_signs_that_the_model_reads_as_they_are_reach_it() -> None:
    allowed = {chr(code) for first, last in _READ for code in range(first, last + 1)}
    for code in range(sys.maxunicode + 1):
        plain = embedding._plain(chr(code) * 3, 160)
        assert set(plain) <= allowed, hex(code)
        assert len(plain) <= 160


_READ = ((0x20, 0x7E), (0xA0, 0x24F), (0x400, 0x4FF), (0x2010, 0x201F), (0x2116, 0x2116))


@settings(deadline=None, max_examples=25)
@given(st.text(max_size=500))
def test_any_text_has_a_vector(text: str) -> None:
    kept = embedding.of_text(text, [text], text)
    assert len(kept) == embedding.SIZE
    length = float(np.linalg.norm(embedding.unpacked(kept)))
    assert length == pytest.approx(1, abs=1e-5) or kept == embedding.NOTHING


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 90), st.none() | st.binary(min_size=384, max_size=384))))
def test_likeness_is_that_of_what_was_put_last(steps: list[tuple[int, bytes | None]]) -> None:
    vectors, known = Vectors(), dict[int, bytes]()
    for place, kept in steps:
        if kept is None:
            vectors.drop(place)
            known.pop(place, None)
        else:
            vectors.put(place, kept)
            known[place] = kept
    asked = embedding.unpacked(bytes(range(128)) * 3)
    expected = [
        float(embedding.unpacked(known[at]) @ asked) if at in known else 0 for at in range(99)
    ]
    assert vectors.likeness(asked, 99) == pytest.approx(expected, abs=1e-5)
    assert len(vectors) == sum(any(kept) for kept in known.values())


def test_the_model_is_only_loaded_on_a_processor_that_it_was_built_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedding, "_processor", lambda: {"sse2"})
    assert embedding._model.__wrapped__() is None


def test_the_usual_question_and_text_come_with_the_product() -> None:
    assert (Path(embedding.__file__).parent / "usual.f32").stat().st_size == 2 * 4 * embedding.SIZE
