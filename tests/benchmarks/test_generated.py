"""The generated database is one the product can read, and the letters are ones it understands."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks import articles, generate, vocabulary
from benchmarks.letters import LETTER_BYTES, Writer
from benchmarks.place import SUPPORT, application
from benchmarks.rows import LONG_TICKETS, TICKETS_PER_CLIENT, TIMELINE
from helpdesk import ext
from helpdesk.clients.duplicates import waiting
from helpdesk.clients.facts import ClientNote, Document, Invoice, Promise, Purchase
from helpdesk.clients.models import Client, ContactPoint, DuplicatePair
from helpdesk.events import Event
from helpdesk.intake.mail import parse
from helpdesk.intake.models import Delivery
from helpdesk.kb import search as kb_search
from helpdesk.kb.index import is_stale
from helpdesk.kb.models import ArticleVersion, Example, Feedback, Miss, Reading, Search
from helpdesk.outbox.models import Outgoing
from helpdesk.products import Item
from helpdesk.reports.client.timeline import client_timeline
from helpdesk.surveys import Rating
from helpdesk.tickets import search
from helpdesk.tickets.models import Attachment, Clock, Message, Ticket

AT = datetime(2026, 11, 22, tzinfo=UTC)
EVERY = (
    *(Attachment, Client, Clock, ContactPoint, Delivery, DuplicatePair, Event, Message, Outgoing),
    *(ClientNote, Document, Invoice, Item, Promise, Purchase, Rating),
    *(ArticleVersion, Example, Feedback, Miss, Reading, Search),
)


@pytest.fixture(autouse=True)
def few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words enough for a test, made in a moment."""
    monkeypatch.setattr(vocabulary, "STEMS", 400)
    monkeypatch.setattr(vocabulary, "ROW", 4_000)


def test_the_product_reads_every_generated_row(tmp_path: Path) -> None:
    generate._prepare(tmp_path, AT)
    path = tmp_path / "helpdesk.db"
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    generate._prepare(shelf, AT)
    articles.fill(shelf, 60, AT, vocabulary.vocabularies(generate.SEED), generate.SEED)
    generate._load(path, 300, AT, shelf / "helpdesk.db")
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    app = application(tmp_path)
    with app.app_context(), ext.session() as session:
        for model in EVERY:
            assert session.scalars(select(model)).first() is not None
        tickets = session.scalars(select(Ticket)).all()
        assert len(tickets) == 300 + LONG_TICKETS
        assert any(ticket.done_at is None for ticket in tickets)
        messages = session.scalar(select(func.count()).select_from(Message))
        assert 4 * len(tickets) < (messages or 0) < 6 * len(tickets)
        running = select(func.count()).where(Clock.next_at.is_not(None))
        assert session.scalar(running.where(Clock.next_at < AT)) == 0
        word = vocabulary.vocabularies(generate.SEED)["ru"].words[10]
        assert search.find_ticket_ids(session, word, country="UA")
        assert not waiting(session)  # nobody is left to be compared while we measure
        assert _length_of_timeline(session, 300 // TICKETS_PER_CLIENT + 1) == TIMELINE
        found = kb_search.search(session, "Як повернути товар", lang="uk")
        assert found.items[0].key == "return-item"
        assert not is_stale(session)
    with app.app_context():
        ext.db.engine.dispose()


def _length_of_timeline(session: Session, client_id: int) -> int:
    length, before = 0, None
    while items := client_timeline(session, client_id, queue_ids=None, limit=200, before=before):
        length, before = length + len(items), items[-1].mark
    return length


def test_letters_are_of_the_size_and_kind_they_say() -> None:
    known = vocabulary.vocabularies(1)
    writer = Writer(0, "run", known, SUPPORT, 100)
    letters = [writer.letter(AT) for _ in range(60)]
    read = [parse(one.raw, envelope_from=one.sender) for one in letters]
    assert not any(inbound.parse_errors for inbound in read)
    assert {inbound.message_id for inbound in read} == {one.message_id for one in letters}
    assert sum(bool(inbound.files) for inbound in read) == 12
    assert sum(inbound.in_reply_to is not None for inbound in read) == 20
    assert {inbound.language for inbound in read} >= {"ru", "uk"}  # the English is nonsense
    plain = [len(one.raw) for one, inbound in zip(letters, read, strict=True) if not inbound.files]
    assert all(LETTER_BYTES * 0.7 < size < LETTER_BYTES * 1.3 for size in plain)
    files = [file.data for inbound in read for file in inbound.files]
    assert len({bytes(data) for data in files}) == len(files)
