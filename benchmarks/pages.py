"""Which pages of the desk are measured: addresses drawn from the database, and a log-in."""

import random
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from benchmarks.generate import SEED
from benchmarks.kb_questions import shop
from benchmarks.place import SIZES
from benchmarks.rows import DAYS, LENGTHS, TICKETS_PER_CLIENT
from benchmarks.vocabulary import vocabularies
from helpdesk import ext
from helpdesk.accounts import sessions
from helpdesk.accounts.actions import create_token
from helpdesk.accounts.models import ApiToken, Role, User
from helpdesk.api.paging import mark_cursor
from helpdesk.lib.clock import now
from helpdesk.lib.stems import LANGUAGES
from helpdesk.reports.client.timeline_item import Mark, mark_text
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.guard import COOKIE

ADDRESSES = 200  # of each page
VIEWS = ("all", "queue:1", "queue:2", "unassigned", "breached", "risk")
RANKS = {"rare": (2_000, 20_000), "middle": (200, 2_000), "common": (5, 50)}  # of words

CLICKED = "ticket clicked in the list"
PART = {"HX-Request": "true"}
HEADERS = {CLICKED: PART | {"HX-Target": "open"}}  # all others: none
LISTS = ("", "?view=stale", "?view=missing&lang=ru", "?view=viewed", "?view=unhelpful")

Pages = Mapping[str, Sequence[str]]
T = TypeVar("T")


def addresses(size: str, database: Path | str) -> Pages:
    """Paths by the name of the page, the same for the same size."""
    draw = random.Random(SEED)
    people = max(SIZES[size] // TICKETS_PER_CLIENT, 10)
    tickets = [f"/desk/t/{id_ + NUMBER_OFFSET}" for id_ in _long(size, database, draw)]
    return {
        "queue page": [f"/desk?view={VIEWS[n % len(VIEWS)]}" for n in range(ADDRESSES)],
        "ticket page": tickets,
        CLICKED: tickets,
        "client page": [f"/desk/clients/{1 + draw.randrange(people)}" for _ in range(ADDRESSES)],
        **_timelines(people + 1, draw),
        **_searches(draw),
        "articles beside a ticket": [f"{path}/articles" for path in tickets],
        "list of articles": [f"/desk/kb{LISTS[n % len(LISTS)]}" for n in range(ADDRESSES // 4)],
        "search of articles": [f"/desk/kb?q={quote(text)}" for text in asked(ADDRESSES // 4)],
    }


def asked(count: int) -> list[str]:
    """Questions in three languages, the same for the same count."""
    questions = [one.text for lang in LANGUAGES for one in shop(lang).questions]
    return random.Random(SEED).sample(questions, count)


def _timelines(client: int, draw: random.Random) -> Pages:
    """The client with the long history: the first page, pages from all over it, calls alone."""
    page, api = f"/desk/clients/{client}", f"/api/v1/clients/{client}/timeline?limit=50"
    end = now() - timedelta(days=3)
    marks = [_mark(end - timedelta(days=DAYS * draw.random() * 0.9)) for _ in range(ADDRESSES)]
    return {
        "client page, 10,000 lines": [page] * (ADDRESSES // 4),
        "client page, 10,000 lines, older": [f"{page}?before={mark_text(one)}" for one in marks],
        "client page, 10,000 lines, calls": [
            f"{page}?show=calls&before={mark_text(one)}" for one in marks
        ],
        "API, timeline of 10,000": [f"{api}&cursor={mark_cursor(one)}" for one in marks],
    }


def _mark(at: datetime) -> Mark:
    return Mark(at, 0, 1)


def _long(size: str, database: Path | str, draw: random.Random) -> list[int]:
    """Tickets with ten messages, from all over the table."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    query = (
        "SELECT ticket_id FROM message WHERE ticket_id BETWEEN ? AND ?"
        " GROUP BY ticket_id HAVING count(*) = ? LIMIT 1"
    )
    found = []
    for _ in range(ADDRESSES):
        start = draw.randrange(max(SIZES[size] - 100, 1))
        row = connection.execute(query, (start, start + 100, max(LENGTHS))).fetchone()
        found += [row[0]] if row else []
    connection.close()
    return found


def _searches(draw: random.Random) -> Pages:
    known = list(vocabularies(SEED).values())

    def word(low: int, high: int) -> str:
        words = [word for word in draw.choice(known).ranked[low:high] if len(word) > 3]
        return quote(draw.choice(words))

    single = {
        f"search, a {name} word": [f"/desk?q={word(*ranks)}" for _ in range(ADDRESSES // 4)]
        for name, ranks in RANKS.items()
    }
    two = [f"/desk?q={word(50, 500)}+{word(50, 500)}" for _ in range(ADDRESSES // 4)]
    return single | {"search, two words": two}


class Entry(NamedTuple):
    """What a supervisor is known by."""

    cookie: str
    token: str

    def headers(self, name: str) -> Mapping[str, str]:
        """The headers of a request for this page."""
        if name.startswith("API"):
            return {"Authorization": f"Bearer {self.token}"}
        return {"Cookie": f"{COOKIE}={self.cookie}"} | HEADERS.get(name, {})


def enter(app: Flask) -> Entry:
    """A supervisor who has just logged in and made a token."""

    def make(session: Session) -> Entry:
        user = session.scalars(select(User).where(User.role == Role.SUPERVISOR)).first()
        assert user is not None
        token = create_token(session, user, "bench", (), now())
        cookie = sessions.log_in(session, user, "", old_token=None, agent="bench", at=now())
        return Entry(cookie, token)

    return _write(app, make)


def leave(app: Flask, entry: Entry) -> None:
    """End that log-in, so that the kept database stays as it was."""

    def end(session: Session) -> None:
        sessions.log_out(session, entry.cookie)
        session.execute(delete(ApiToken).where(ApiToken.name == "bench"))

    _write(app, end)


def _write(app: Flask, change: Callable[[Session], T]) -> T:
    with app.app_context():
        with ext.write() as session:
            found = change(session)
        ext.db.engine.dispose()
    return found
