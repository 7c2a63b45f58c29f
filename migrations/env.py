"""Runs the migrations, on SQLite with foreign keys off so that batch changes keep all rows."""

from alembic import context
from sqlalchemy import Connection

import helpdesk.accounts.presence
import helpdesk.calls.models
import helpdesk.clients.facts
import helpdesk.clients.import_models
import helpdesk.fields
import helpdesk.kb.models
import helpdesk.products
import helpdesk.reactions.models
import helpdesk.surveys  # noqa: F401 - their tables, whoever else imports them
from helpdesk.ext import Base, CleanText, EnumText, SortKey, UTCDateTime, db, is_sqlite

PLAIN = {
    UTCDateTime: "sa.DateTime(timezone=True)",
    CleanText: "sa.Text()",
    EnumText: "sa.String(20)",
    SortKey: 'sa.Text().with_variant(sa.Text(collation="C"), "postgresql")',
}


def include_object(
    thing: object, name: str | None, kind: str, _reflected: bool, _to: object
) -> bool:
    """Full-text tables are made by hand in the migrations."""
    return not (kind == "table" and name is not None and "_fts" in name)


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Migrations name plain types, so that they stay true when ours change."""
    if kind != "type":
        return False
    for ours, plain in PLAIN.items():
        if isinstance(item, ours):
            return plain
    return False


def compare_type(
    _context: object, _was_column: object, _column: object, _was: object, is_now: object
) -> bool | None:
    """A sort key differs from plain text by its collation only; Alembic compares the rest."""
    return False if isinstance(is_now, SortKey) else None


def foreign_keys(connection: Connection, state: str) -> None:
    """Only outside a transaction; a batch change would cascade into the children otherwise.

    SQLAlchemy would begin one, so the driver is asked directly.
    """
    driver = connection.connection.driver_connection
    driver.execute(f"PRAGMA foreign_keys={state}")
    (now,) = driver.execute("PRAGMA foreign_keys").fetchone()
    if now != (state == "ON"):
        raise RuntimeError("foreign keys cannot be switched inside a transaction")


def migrate(connection: Connection) -> None:
    sqlite = is_sqlite(connection)
    if sqlite:
        foreign_keys(connection, "OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=sqlite,
        include_object=include_object,
        render_item=render_item,
        compare_type=compare_type,
    )
    with context.begin_transaction():
        context.run_migrations()
        if sqlite:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"the migration broke {len(broken)} foreign keys")
    if sqlite:
        connection.commit()
        foreign_keys(connection, "ON")


with db.engine.connect() as connection:
    migrate(connection)
