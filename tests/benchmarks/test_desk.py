"""The desk of the measurements is the one of the tests, only written faster."""

import shutil
import sqlite3
from collections import Counter
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from benchmarks.bulk import loading
from benchmarks.desk.plan import Plan
from benchmarks.desk.sheet import store_raw
from benchmarks.desk.stage import build
from benchmarks.desk.story import Story
from helpdesk import ext
from helpdesk.app import create_app
from helpdesk.calls.models import Call, CallState
from helpdesk.tickets.models import Clock, Ticket
from helpdesk.tickets.spells import Spell
from tests.conftest import NOON, Template, make_config

PLAN = Plan(tickets=60, at=NOON, days=12)


def test_the_product_reads_what_was_written_past_it(
    templates: dict[str, Template], tmp_path: Path
) -> None:
    path = tmp_path / "helpdesk.db"
    shutil.copy(templates["sqlite"].source, path)
    app = create_app(make_config(tmp_path))
    with app.app_context():
        with ext.write() as session:
            stage = build(session, PLAN)
        ext.db.engine.dispose()
    written: Counter[str] = Counter()
    with loading(path) as connection:
        for rows in Story(PLAN, stage).tell():
            store_raw(connection, sqlite.dialect(), rows)
            written.update({name: len(some) for name, some in rows.items()})
    _check(path, written)
    with app.app_context(), ext.session() as session:
        assert len(session.scalars(select(Ticket)).all()) == PLAN.tickets
        assert {row.stopped_at is None for row in session.scalars(select(Clock))} == {True, False}
        assert CallState.ENDED in {row.state for row in session.scalars(select(Call))}
        assert session.scalars(select(Spell).where(Spell.to_at.is_(None))).first() is not None
    with app.app_context():
        ext.db.engine.dispose()


def test_the_same_seed_tells_the_same_story(templates: dict[str, Template], tmp_path: Path) -> None:
    shutil.copy(templates["sqlite"].source, tmp_path / "helpdesk.db")
    app = create_app(make_config(tmp_path))
    with app.app_context():
        with ext.write() as session:
            stage = build(session, PLAN)
        one, other = (list(Story(PLAN, stage).tell()) for _ in range(2))
        ext.db.engine.dispose()
    assert one == other


def _check(path: Path, written: Counter[str]) -> None:
    """Every key leads somewhere, and each row is there."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    for name, count in written.items():
        (found,) = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()
        assert found >= count, name
    connection.close()
