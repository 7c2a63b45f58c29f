"""What a database wants done in quiet moments: merging, checkpoints, fresh statistics."""

from sqlalchemy.orm import Session

from helpdesk.ext import fulltext
from helpdesk.ext.database import db, is_sqlite

LEAST_PAGES = 25_000  # 100 MB


def merge(session: Session, name: str, pages: int) -> bool:
    """One step of merging a full-text index; whether there was anything to merge."""
    if not is_sqlite(db.engine):
        return False
    driver = session.connection().connection.driver_connection
    before = driver.total_changes  # type: ignore[union-attr]
    fulltext.merge(session, name, pages)
    session.flush()
    # The command itself counts as one change (https://sqlite.org/fts5.html#the_merge_command).
    return bool(driver.total_changes - before >= 2)  # type: ignore[union-attr]


def checkpoint() -> None:
    """Bring the write-ahead log into the database file, as far as readers allow at once."""
    if is_sqlite(db.engine):
        _alone("PRAGMA busy_timeout=100", "PRAGMA wal_checkpoint(TRUNCATE)")


def statistics() -> bool:
    """Let the planner know how the tables have grown; whether that was worth it.

    Not in a small base: there every plan is quick, and what was counted in it would mislead
    connections that go on while it grows. Other connections learn of it as they are made anew
    (`engine_options`). PostgreSQL does all this by itself. `PRAGMA optimize` would be the usual
    way, but before SQLite 3.46 it leaves out tables that its own connection didn't ask.
    """
    if not is_sqlite(db.engine) or _pages() < LEAST_PAGES:
        return False
    _alone(
        "PRAGMA mmap_size=0",  # it looks into all tables: their pages would count as ours
        "PRAGMA busy_timeout=15000",
        "PRAGMA analysis_limit=1000",
        "ANALYZE",
    )
    return True


def _pages() -> int:
    with db.engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())


def _alone(*statements: str) -> None:
    """Outside any transaction, on a connection that goes away with its settings."""
    connection = db.engine.raw_connection()
    try:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
            cursor.fetchall()
        cursor.close()
    finally:
        connection.invalidate()
        connection.close()
