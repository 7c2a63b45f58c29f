"""What all tests share: both databases, a stopped clock, the cast of people."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import time_machine
from flask import Flask
from flask_migrate import upgrade

from config import Config
from helpdesk import ext
from helpdesk.app import create_app
from tests.cast import Cast, make_cast
from tests.chromium import chromium, playwright  # noqa: F401 (fixtures)
from tests.postgres import PostgresServer
from tests.speed import TEMPLATES, speed_up

NOON = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday, 12:00 in Kyiv
PG = "HELPDESK_TEST_POSTGRES"  # the server's folder, handed from the controller to the workers


def pytest_configure(config: pytest.Config) -> None:
    """Start one PostgreSQL for the whole run, in the process that started the run."""
    is_worker = hasattr(config, "workerinput")
    if is_worker or PG in os.environ or config.option.collectonly:
        return
    server = PostgresServer()
    os.environ[PG] = str(server.folder)
    config.add_cleanup(server.stop)
    config.add_cleanup(lambda: os.environ.pop(PG, None) and None)


@dataclass(frozen=True)
class Template:
    """A migrated, empty database that tests copy."""

    kind: str
    source: str


def make_config(data_dir: Path, database_url: str | None = None, **env: str) -> Config:
    """A test's settings; `env` adds environment variables."""
    settings = {"HELPDESK_DATA_DIR": str(data_dir), "SECRET_KEY": "k" * 32, **env}
    if database_url:
        settings["HELPDESK_DATABASE_URL"] = database_url
    return Config.from_env(settings)


def pg_url(database: str) -> str:
    return f"postgresql://postgres@/{database}?host={os.environ[PG]}"


def migrate(config: Config) -> None:
    app = create_app(config)
    with app.app_context():
        upgrade()
        ext.db.engine.dispose()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, Template]:
    """One migrated database of each kind for this worker."""
    speed_up()
    folder = tmp_path_factory.mktemp("template")
    migrate(make_config(folder))
    name = f"template_{worker_id}"
    _recreate(name)
    migrate(make_config(folder, pg_url(name)))
    return {
        "sqlite": Template("sqlite", str(folder / "helpdesk.db")),
        "postgresql": Template("postgresql", name),
    }


def _recreate(name: str) -> None:
    with psycopg.connect(pg_url("postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')


EMPTY = """
DO $$ DECLARE r record; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR r IN SELECT tablename AS name FROM pg_tables
           WHERE schemaname = 'public' AND tablename <> 'alembic_version'
  LOOP EXECUTE format('DELETE FROM %I', r.name); END LOOP;
  FOR r IN SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'public'
  LOOP PERFORM setval(quote_ident(r.name), 1, false); END LOOP;
END $$
"""


def _empty(name: str) -> None:
    """Ten times as fast as copying the template."""
    with psycopg.connect(pg_url(name), autocommit=True) as connection:
        connection.execute("SET lock_timeout = '10s'")
        connection.execute(EMPTY)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(
    request: pytest.FixtureRequest, templates: dict[str, Template], tmp_path: Path
) -> str:
    """A fresh migrated database: every test that uses it runs on both kinds."""
    template = templates[request.param]
    if template.kind == "sqlite":
        shutil.copy(template.source, tmp_path / "helpdesk.db")
        return f"sqlite:///{tmp_path / 'helpdesk.db'}"
    _empty(template.source)
    return pg_url(template.source)


@pytest.fixture
def settings() -> dict[str, str]:
    """Environment variables of the test's app; a test module may override this fixture."""
    return {}


@pytest.fixture
def app(database_url: str, tmp_path: Path, settings: dict[str, str]) -> Iterator[Flask]:
    """The application on a fresh database, its context pushed."""
    app = create_app(make_config(tmp_path, database_url, **settings))
    app.config["TESTING"] = True
    app.jinja_env.bytecode_cache = TEMPLATES
    with app.app_context():
        yield app
        ext.db.engine.dispose()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still at a Monday noon in Kyiv until the test moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def cast(app: Flask, clock: time_machine.Traveller) -> Cast:
    """Alice the agent, Sam the supervisor, Ada the administrator; Oksana writes to Support."""
    with ext.write() as session:
        return make_cast(session)
