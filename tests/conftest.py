"""What all tests share: both databases, a stopped clock, the cast of people."""

import os
import pickle
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
from hypothesis import settings

from config import Config
from helpdesk import ext
from helpdesk.app import create_app
from tests.cast import Cast, make_cast
from tests.chromium import chromium, playwright  # noqa: F401 (fixtures)
from tests.postgres import PostgresServer, empty, statements_of
from tests.spawn import Spawner
from tests.speed import TEMPLATES, speed_up

# A run can be repeated; `--hypothesis-profile=default` draws other examples each time.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

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
    """A migrated, empty database that tests copy, and how to have the cast in it."""

    kind: str
    source: str
    peopled: str  # the file to copy, or the statements that add the cast's rows
    cast: bytes  # the cast, pickled


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
    file, peopled = folder / "helpdesk.db", folder / "peopled.db"
    shutil.copy(file, peopled)
    name = f"template_{worker_id}"
    _recreate(name)
    migrate(make_config(folder, pg_url(name)))
    with time_machine.travel(NOON, tick=False):
        sqlite_cast = _peopled(make_config(folder, f"sqlite:///{peopled}"))
        postgresql_cast = _peopled(make_config(folder, pg_url(name)))
    return {
        "sqlite": Template("sqlite", str(file), str(peopled), sqlite_cast),
        "postgresql": Template("postgresql", name, statements_of(pg_url(name)), postgresql_cast),
    }


def _peopled(config: Config) -> bytes:
    """Let the cast move in; the same for all tests is quicker than anew for each."""
    with create_app(config).app_context():
        with ext.write() as session:
            cast = make_cast(session)
        ext.db.engine.dispose()
    return pickle.dumps(cast)


def _recreate(name: str) -> None:
    with psycopg.connect(pg_url("postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')


def own_database(template: Template, folder: Path, name: str) -> Config:
    """Settings of a migrated, empty database that no other test empties; `name`: PostgreSQL's."""
    if template.kind == "sqlite":
        shutil.copy(template.source, folder / "helpdesk.db")
        return make_config(folder)
    _recreate(name)
    config = make_config(folder, pg_url(name))
    migrate(config)
    return config


@pytest.fixture(params=["sqlite", "postgresql"])
def template(request: pytest.FixtureRequest, templates: dict[str, Template]) -> Template:
    """Every test that uses a database runs on both kinds."""
    return templates[request.param]


@pytest.fixture(scope="session")
def cleaner(templates: dict[str, Template]) -> Iterator[psycopg.Connection]:
    """What empties this worker's PostgreSQL database between tests; it knows its plans by heart."""
    url = pg_url(templates["postgresql"].source)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '10s'")
        yield connection


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest,
    template: Template,
    cleaner: psycopg.Connection,
    tmp_path: Path,
) -> str:
    """A fresh migrated database; the cast, if the test has one, is in it already."""
    peopled = "cast" in request.fixturenames
    if template.kind == "sqlite":
        shutil.copy(template.peopled if peopled else template.source, tmp_path / "helpdesk.db")
        return f"sqlite:///{tmp_path / 'helpdesk.db'}"
    empty(cleaner, template.peopled if peopled else "")
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
def cast(app: Flask, clock: time_machine.Traveller, template: Template) -> Cast:
    """Alice the agent, Sam the supervisor, Ada the administrator; Oksana writes to Support."""
    cast: Cast = pickle.loads(template.cast)
    return cast


@pytest.fixture(scope="session")
def spawner() -> Iterator[Spawner]:
    """Starts products in a tenth of the time; how one starts from nothing has tests of its own."""
    spawner = Spawner()
    yield spawner
    spawner.close()
