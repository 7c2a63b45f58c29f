"""Which pages are measured: addresses drawn from the generated database, and a log-in."""

import random
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from flask import Flask
from sqlalchemy import select

from benchmarks.generate import SEED
from benchmarks.place import SIZES
from benchmarks.rows import LENGTHS, TICKETS_PER_CLIENT
from benchmarks.vocabulary import vocabularies
from helpdesk import ext
from helpdesk.accounts import sessions
from helpdesk.accounts.models import Role, User
from helpdesk.lib.clock import now
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.guard import COOKIE

ADDRESSES = 200  # of each page
VIEWS = ("all", "queue:1", "queue:2", "unassigned", "breached", "risk")
RANKS = {"rare": (2_000, 20_000), "middle": (200, 2_000), "common": (5, 50)}  # of words

CLICKED = "ticket clicked in the list"
HEADERS = {CLICKED: {"HX-Request": "true", "HX-Target": "open"}}  # all others: none

Pages = Mapping[str, Sequence[str]]


def addresses(size: str, database: Path | str) -> Pages:
    """Paths by the name of the page, the same for the same size."""
    draw = random.Random(SEED)
    people = max(SIZES[size] // TICKETS_PER_CLIENT, 10)
    tickets = [f"/desk/t/{id_ + NUMBER_OFFSET}" for id_ in _long(size, database, draw)]
    return {
        "queue page": [f"/desk?view={VIEWS[n % len(VIEWS)]}" for n in range(ADDRESSES)],
        "ticket page": tickets,
        CLICKED: tickets,
        "client card": [f"/desk/clients/{1 + draw.randrange(people)}" for _ in range(ADDRESSES)],
        **_searches(draw),
    }


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


def cookie(app: Flask) -> str:
    """The Cookie header of a supervisor who has just logged in."""
    with app.app_context():
        with ext.write() as session:
            user = session.scalars(select(User).where(User.role == Role.SUPERVISOR)).first()
            assert user is not None
            token = sessions.log_in(session, user, "", old_token=None, agent="bench", at=now())
        ext.db.engine.dispose()
    return f"{COOKIE}={token}"


def log_out(app: Flask, header: str) -> None:
    """End that log-in, so that the kept database stays as it was."""
    with app.app_context():
        with ext.write() as session:
            sessions.log_out(session, header.partition("=")[2])
        ext.db.engine.dispose()
