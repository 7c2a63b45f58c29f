"""What a start looks at and does before it forks."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from flask import Flask

from helpdesk import demo
from helpdesk.server import checks, start
from helpdesk.server.checks import StartError


def test_the_newest_migration_is_the_one_that_alembic_names(app: Flask) -> None:
    folder = app.config["MIGRATIONS_DIR"]
    assert checks.newest_revisions(Path(folder)) == set(ScriptDirectory(folder).get_heads())
    assert checks.is_current(app)


def test_demo_data_that_cannot_be_loaded_stops_the_start_with_a_sentence(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_at: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(demo, "load", fail)
    app.config["DEMO"] = True
    monkeypatch.setattr(start, "plan", lambda *_all: [])
    with pytest.raises(StartError, match="run `helpdesk demo` to see what is wrong"):
        start.run(app, print)


def test_a_secret_that_can_be_guessed_is_told_of_and_stops_nothing(app: Flask) -> None:
    assert checks.weak_key(app) is None
    app.config["SECRET_KEY"] = "secret"
    assert "fewer than 32 characters" in (checks.weak_key(app) or "")
