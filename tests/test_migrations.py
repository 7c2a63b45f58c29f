"""Migrations give the tables that the code expects, and keep every row on both databases."""

from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import func, inspect, select, text

from helpdesk import ext
from helpdesk.clients.actions import create_client
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.events import Event
from helpdesk.fields import fields_of, seed_fields
from helpdesk.lib.clock import now
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Clock, Message, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from helpdesk.tickets.search import find_ticket_ids
from tests.cast import Cast

FIRST = "0001"

NEXT = '''"""A change of a table that has children."""

import sqlalchemy as sa
from alembic import op

revision = "test_next"
down_revision = "{head}"


def upgrade() -> None:
    with op.batch_alter_table("ticket", recreate="auto") as table:
        table.add_column(sa.Column("colour", sa.Text(), nullable=True))
        table.alter_column("subject", existing_type=sa.Text(), nullable=True)
    with op.batch_alter_table("client") as table:
        table.alter_column("about", existing_type=sa.Text(), nullable=True)


def downgrade() -> None:
    with op.batch_alter_table("client") as table:
        table.alter_column("about", existing_type=sa.Text(), nullable=False)
    with op.batch_alter_table("ticket") as table:
        table.alter_column("subject", existing_type=sa.Text(), nullable=False)
        table.drop_column("colour")
'''


@pytest.fixture
def ticket(cast: Cast) -> int:
    with ext.write() as session:
        ticket = open_ticket(
            session, queue_id=cast.support.id, who=cast.oksana, subject="Лампа",
            channel=Channel.EMAIL, language="uk", at=now(),
        )  # fmt: skip
        content = Content(text="Не працює лампа", subject="Лампа")
        add_message(
            session, ticket, content, who=cast.oksana, channel=Channel.EMAIL, at=now(), first=True
        )
    return ticket


def counts() -> dict[str, int]:
    tables = (Ticket, Message, Clock, Event, Person, ContactPoint)
    with ext.session() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }


def head() -> str:
    with ext.db.engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    assert revision is not None
    return revision


def test_the_migrated_tables_are_those_of_the_code(app: Flask) -> None:
    check()


def test_a_batch_change_keeps_children_indexes_and_full_text(
    app: Flask, ticket: int, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    source = Path(app.config["MIGRATIONS_DIR"])
    (folder / "versions").mkdir(parents=True)
    for path in (*source.glob("*.*"), *source.glob("versions/*.py")):
        (folder / path.relative_to(source)).write_bytes(path.read_bytes())
    (folder / "versions" / "test_next.py").write_text(NEXT.format(head=head()))
    before = counts()
    indexes = {index["name"] for index in inspect(ext.db.engine).get_indexes("ticket")}
    upgrade(directory=str(folder))
    assert counts() == before
    after = {index["name"] for index in inspect(ext.db.engine).get_indexes("ticket")}
    assert after == indexes
    with ext.session() as session:
        assert find_ticket_ids(session, "лампи", country="UA") == [ticket]
        assert session.scalar(text("SELECT count(colour) FROM ticket")) == 0
    downgrade(directory=str(folder), revision=FIRST)
    assert counts() == before
    upgrade()  # the next test finds PostgreSQL as this one leaves it


@pytest.mark.parametrize("kept", [False, True])
def test_fields_of_people_are_so_unless_an_organisation_has_a_value(app: Flask, kept: bool) -> None:
    with ext.write() as session:
        seed_fields(session)
        firm = create_client(session, kind="organisation", name="Svitlo LLC", at=now())
        firm.profile = {"birthday": "1999-01-01", "loyalty": 5} if kept else {"loyalty": 5}
    downgrade(revision="0004")
    upgrade()
    with ext.session() as session:
        scopes = {one.key: one.scope for one in fields_of(session)}
        assert session.scalars(select(Client.profile)).one()["loyalty"] == 5
    assert scopes["birthday"] == ("all" if kept else "person")
    assert (scopes["children"], scopes["loyalty"]) == ("person", "all")


def test_partial_indexes_keep_their_conditions(app: Flask) -> None:
    with ext.db.engine.connect() as connection:
        if ext.is_sqlite(connection):
            query = "SELECT sql FROM sqlite_master WHERE name='ix_ticket_active'"
        else:
            query = "SELECT indexdef FROM pg_indexes WHERE indexname='ix_ticket_active'"
        assert "done_at IS NULL" in (connection.scalar(text(query)) or "")


def test_everything_can_be_taken_down_and_built_again(app: Flask) -> None:
    downgrade(revision="base")
    assert set(inspect(ext.db.engine).get_table_names()) <= {"alembic_version"}
    upgrade()
    check()
