"""The desk in a database: in one that is there, or in a kept file for the measurements."""

from datetime import datetime
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from benchmarks.bulk import loading
from benchmarks.desk.plan import Plan
from benchmarks.desk.sheet import store, store_raw
from benchmarks.desk.stage import Stage, build
from benchmarks.desk.story import Story
from benchmarks.generate import keep
from benchmarks.place import BENCH, SIZES, application
from helpdesk import ext
from helpdesk.lib.clock import now

DAYS = 365  # of the measured desk


def fill(session: Session, plan: Plan) -> Stage:
    """Everything into the database of this session, which is empty; nothing is committed."""
    stage = build(session, plan)
    for rows in Story(plan, stage).tell():
        store(session, rows)
    return stage


def kept_desk(size: str) -> Path:
    """The data folder of a year of the desk with so many tickets, made if it is out of date."""

    def make(folder: Path, _at: datetime) -> None:
        plan = Plan(SIZES[size], now().replace(microsecond=0), days=DAYS)
        stage = _staged(folder, plan)
        dialect = sqlite.dialect()
        with loading(folder / "helpdesk.db") as connection:
            for rows in Story(plan, stage).tell():
                store_raw(connection, dialect, rows)

    return keep(BENCH / f"desk-{size}", f"a desk of {size} tickets", make)


def _staged(folder: Path, plan: Plan) -> Stage:
    app = application(folder)
    with app.app_context():
        upgrade()
        with ext.write() as session:
            stage = build(session, plan)
        ext.db.engine.dispose()
    return stage
