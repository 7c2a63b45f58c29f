"""A web process reads the search index at its start, beside its first pages."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Row, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.kb import kept, memory, units
from helpdesk.kb.actions import create_article, delete_article
from helpdesk.kb.checks import Content
from helpdesk.kb.learning import learn
from helpdesk.kb.models import Article, Indexed, IndexedKind, Source, State
from helpdesk.kb.ranking import Base
from helpdesk.kb.search import search
from helpdesk.lib.clock import now
from helpdesk.server import children


def test_what_a_process_reads_at_its_start_its_first_search_need_not(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ext.write() as session:
        content = Content("Restore your password", "Press “Forgot password”.")
        create_article(session, content, lang="en", key="password", state=State.PUBLIC, at=now())
    children._warm(app)

    def read(*_more: object) -> None:
        raise AssertionError("it was read at the start")

    monkeypatch.setattr(memory, "_apply", read)
    with ext.session() as session:
        assert search(session, "forgot password", lang="en").items[0].key == "password"


def test_a_process_whose_database_is_away_starts_all_the_same(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(memory, "warm", away)
    children._warm(app)


def keys(app: Flask, query: str) -> list[str]:
    with ext.session() as session:
        return [hit.key for hit in search(session, query, lang="en").items]


def add(key: str, title: str, body: str) -> int:
    with ext.write() as session:
        content = Content(title, body)
        article = create_article(session, content, lang="en", key=key, state=State.PUBLIC, at=now())
        learn(session, article.id, "en", f"xyzzy {key}", source=Source.API)
        return article.id


@pytest.fixture
def kept_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base whose texts were kept by the process before."""
    monkeypatch.setattr(memory, "_WORTH_KEEPING", 1)
    monkeypatch.setattr(memory, "_PAUSE", 0)
    add("password", "Restore your password", "Press “Forgot password”.")
    add("parcel", "Where is my parcel", "Look at the number of the parcel.")
    children._warm(app)
    memory.forget_memory()
    return Path(app.config["DATA_DIR"]) / kept.NAME


def test_a_start_has_the_texts_from_the_file_and_what_is_newer_from_the_rows(
    app: Flask, kept_once: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert b"xyzzi" not in kept_once.read_bytes()  # what customers asked is not kept
    add("refund", "Get your money back", "Send the kettle, then we pay.")
    read = []
    apply = memory._apply

    def count(reading: Session, row: Row[Any], base: Base) -> None:
        read.append(row.kind)
        apply(reading, row, base)

    monkeypatch.setattr(memory, "_apply", count)
    memory.prepare(texts=True)
    assert keys(app, "forgot password")[0] == "password"
    assert read.count(IndexedKind.TEXT) == 1 and read.count(IndexedKind.LEARNED) == 3
    assert keys(app, "money back")[0] == "refund"
    assert keys(app, "xyzzy parcel")[0] == "parcel"
    with ext.write() as session:
        article = session.scalars(select(Article).where(Article.key == "parcel")).one()
        delete_article(session, article, at=now())
    assert "parcel" not in keys(app, "where is the parcel")


@pytest.mark.parametrize("fault", ["damaged", "cut", "another database", "fewer rows", "version"])
def test_a_file_that_cannot_be_trusted_is_no_file(
    app: Flask, kept_once: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    content = kept_once.read_bytes()
    if fault == "damaged":
        kept_once.write_bytes(content.replace(b"password", b"passwort"))
    elif fault == "cut":
        kept_once.write_bytes(content[:40])
    elif fault == "version":
        monkeypatch.setattr(units, "VERSION", units.VERSION + 1)
    else:
        with ext.write() as session:
            rows = session.scalars(select(Indexed).order_by(Indexed.seq)).all()
            if fault == "fewer rows":
                session.delete(rows[0])
            else:
                rows[0].words = rows[0].words.replace("1", "2")
    memory.prepare(texts=True)
    assert memory._memory().reached[IndexedKind.TEXT] == 0
    assert keys(app, "where is my parcel")[0] == "parcel"
