"""The kept databases: the same tickets for the same seed, written past the product's verbs.

`python -m benchmarks.generate --size 100k` makes one, or keeps it where the tables and this
generator are still the same. Plain statements, a fresh file without journal, indexes last.
"""

import argparse
import json
import shutil
import sqlite3
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask_migrate import upgrade

from benchmarks.place import MAIL_DOMAIN, ROOT, SIZES, SUPPORT, application, folder_of
from benchmarks.rows import COLUMNS, Rows
from benchmarks.vocabulary import vocabularies
from helpdesk import ext
from helpdesk.accounts.actions import add_user
from helpdesk.ext import Base
from helpdesk.lib.clock import now
from helpdesk.tickets import calendars, policies
from helpdesk.tickets.queues import create_queue

VERSION = 2  # of what is generated
SEED = 20_261_122
CHUNK = 5_000  # tickets a transaction
KEEP_DAYS = 30  # deadlines lie 40 days and more after the making
AGENTS = 20
QUEUES = ("Support", "Billing", "Returns", "Delivery", "Warranty")
WEEK = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
TARGETS = {"first_response": 14_400, "next_response": 28_800, "resolution": 97_200}


def kept(size: str) -> Path:
    """The data folder of the database of this size, made if it isn't there or is out of date."""
    folder = folder_of(size)
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
    _prepare(folder, at)
    _load(folder / "helpdesk.db", SIZES[size], at)
    meta.write_text(json.dumps(wanted | {"made_at": at.isoformat()}))
    megabytes = (folder / "helpdesk.db").stat().st_size / 1e6
    print(f"generated {size} tickets in {time.monotonic() - began:.0f} s, {megabytes:.0f} MB")
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
        ext.db.engine.dispose()


def _load(path: Path, tickets: int, at: datetime) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA cache_size=-200000")
    indexes = _take_indexes(connection)
    (generation,) = connection.execute("SELECT max(generation) FROM policy").fetchone()
    rows = Rows(vocabularies(SEED), SEED, tickets, at, len(QUEUES), AGENTS, generation)
    _write(connection, rows.clients())
    for first in range(0, tickets, CHUNK):
        _write(connection, rows.tickets(first, min(first + CHUNK, tickets)))
    for statement in indexes:
        connection.execute(statement)
    for name in ext.fulltext.TABLES:
        connection.execute(f"INSERT INTO {name}({name}) VALUES('optimize')")
    connection.execute("PRAGMA analysis_limit=1000")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _take_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop the indexes and return the statements that make them again."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    found = connection.execute(query).fetchall()
    for name, _statement in found:
        connection.execute(f'DROP INDEX "{name}"')
    return [statement for _name, statement in found]


def _write(connection: sqlite3.Connection, rows: dict[str, list[Sequence[Any]]]) -> None:
    connection.execute("BEGIN")
    for name, values in rows.items():
        columns, defaults = _columns(name)
        places = ", ".join(["?"] * len(COLUMNS[name]) + [repr(one) for one in defaults])
        names = ", ".join(f'"{column}"' for column in columns)
        connection.executemany(f'INSERT INTO "{name}" ({names}) VALUES ({places})', values)
    connection.execute("COMMIT")


def _columns(name: str) -> tuple[list[str], list[Any]]:
    """The columns to write, and the defaults of those that the generator does not name."""
    given = list(COLUMNS[name])
    if name not in Base.metadata.tables:
        return given, []
    table = Base.metadata.tables[name]
    missing = [
        column
        for column in table.columns
        if column.name not in given and column.default is not None and not column.nullable
    ]
    return given + [column.name for column in missing], list(_defaults(missing))


def _defaults(columns: Iterable[Any]) -> Iterable[Any]:
    for column in columns:
        value = column.default.arg
        if callable(value):  # list or dict, for a column of JSON
            yield json.dumps(value(None))
        else:
            yield str(value) if isinstance(value, str) else int(value)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="100k")
    print(kept(parser.parse_args().size).relative_to(ROOT))
