"""The kept databases: the same tickets for the same seed, written past the product's verbs.

`python -m benchmarks.generate --size 100k` makes one, or keeps it where the tables and this
generator are still the same. Plain statements, a fresh file without journal, indexes last.
"""

import argparse
import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy.orm import Session

from benchmarks.articles import TABLES, fill, freshen
from benchmarks.bulk import copy, loading, write
from benchmarks.place import BENCH, MAIL_DOMAIN, ROOT, SIZES, SUPPORT, application, folder_of
from benchmarks.rows import COLUMNS, Rows, World
from benchmarks.vocabulary import vocabularies
from helpdesk import ext
from helpdesk.accounts.actions import add_user
from helpdesk.fields import seed_fields
from helpdesk.lib.clock import now
from helpdesk.products import create_product
from helpdesk.tickets import calendars, policies
from helpdesk.tickets.queues import create_queue
from helpdesk.tickets.reasons import seed_reasons

VERSION = 3  # of what is generated
SEED = 20_261_122
CHUNK = 5_000  # tickets a transaction
KEEP_DAYS = 30  # deadlines lie 40 days and more after the making
AGENTS = 20
ARTICLES = {"1k": 100, "10k": 1_000, "100k": 10_000, "1m": 10_000}
PRODUCTS = 60
QUEUES = ("Support", "Billing", "Returns", "Delivery", "Warranty")
WEEK = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
TARGETS = {"first_response": 14_400, "next_response": 28_800, "resolution": 97_200}


def kept(size: str) -> Path:
    """The data folder of the database of this size, made if it isn't there or is out of date."""

    def make(folder: Path, at: datetime) -> None:
        _prepare(folder, at)
        shelf = kept_articles(ARTICLES[size]) / "helpdesk.db"
        _load(folder / "helpdesk.db", SIZES[size], at, shelf)

    folder = keep(folder_of(size), f"{size} tickets", make)
    freshen(folder)
    return folder


def kept_articles(count: int) -> Path:
    """The data folder of a product with a knowledge base of so many articles, three texts each."""

    def make(folder: Path, at: datetime) -> None:
        _prepare(folder, at)
        fill(folder, count, at, vocabularies(SEED), SEED)

    folder = keep(BENCH / f"articles-{count}", f"{count:,} articles", make)
    freshen(folder)
    return folder


def keep(folder: Path, name: str, make: Callable[[Path, datetime], None]) -> Path:
    """The folder, filled by `make` (given the midnight before) if it isn't there or out of date."""
    wanted = {"version": VERSION, "revisions": _revisions()}
    meta = folder / "meta.json"
    if meta.exists():
        found = json.loads(meta.read_text())
        age = now() - datetime.fromisoformat(found.pop("made_at"))
        if found == wanted and age < timedelta(days=KEEP_DAYS):
            return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    at = datetime.combine(now().date(), datetime.min.time(), UTC)
    make(folder, at)
    meta.write_text(json.dumps(wanted | {"made_at": at.isoformat()}))
    megabytes = (folder / "helpdesk.db").stat().st_size / 1e6
    print(f"generated {name} in {time.monotonic() - began:.0f} s, {megabytes:.0f} MB")
    return folder


def _revisions() -> dict[str, int]:
    """The migrations by name and length: an edited one counts as another."""
    found = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    return {path.name: path.stat().st_size for path in found}


def _prepare(folder: Path, at: datetime) -> None:
    """Tables, staff, queues and promises, by the product's own verbs."""
    app = application(folder)
    with app.app_context():
        upgrade()
        with ext.write() as session:
            office = calendars.create(
                session, name="Office", timezone="Europe/Kyiv", weekly=WEEK, at=at
            )
            policies.create(session, name="Standard", targets=TARGETS, calendar_id=office.id, at=at)
            for name in QUEUES:
                address = SUPPORT if name == QUEUES[0] else f"{name.lower()}@{MAIL_DOMAIN}"
                create_queue(session, name=name, address=address, country="UA", at=at)
            roles = ["admin", "supervisor", *["agent"] * AGENTS]
            for number, role in enumerate(roles, 1):
                email = f"staff{number}@{MAIL_DOMAIN}"
                add_user(session, email=email, name=f"Staff {number}", role=role, at=at)
            _seed(session, at)
        ext.db.engine.dispose()


def _seed(session: Session, at: datetime) -> None:
    seed_fields(session)
    seed_reasons(session)
    for number in range(1, PRODUCTS + 1):
        group = f"Group {number % 6}"
        create_product(session, name=f"Product {number}", group=group, sku=f"SKU-{number}", at=at)


def _load(path: Path, tickets: int, at: datetime, shelf: Path | None = None) -> None:
    with loading(path) as connection:
        if shelf is not None:
            copy(connection, shelf, TABLES)
        rows = Rows(vocabularies(SEED), SEED, tickets, at, _world(connection))
        write(connection, COLUMNS, rows.clients())
        for first in range(0, tickets, CHUNK):
            write(connection, COLUMNS, rows.tickets(first, min(first + CHUNK, tickets)))
        write(connection, COLUMNS, rows.long_history())


def _world(connection: sqlite3.Connection) -> World:
    names = ("product", "contact_reason", "article")
    counts = [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names]
    (generation,) = connection.execute("SELECT max(generation) FROM policy").fetchone()
    return World(len(QUEUES), AGENTS, generation, *counts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="100k")
    print(kept(parser.parse_args().size).relative_to(ROOT))
