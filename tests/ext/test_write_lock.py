"""Writers take turns: one waits for another, goes on at once, and gives up in the end."""

import threading
import time

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from helpdesk import ext
from helpdesk.ext import database


def hold(app: Flask, held: threading.Event, release: threading.Event) -> threading.Thread:
    """Keep the write lock in another thread until `release`."""

    def run() -> None:
        with app.app_context(), ext.write() as session:
            session.execute(text("SELECT 1"))
            held.set()
            release.wait(10)

    thread = threading.Thread(target=run)
    thread.start()
    assert held.wait(10)
    return thread


def test_a_writer_waits_until_the_other_is_done(app: Flask) -> None:
    release = threading.Event()
    holder = hold(app, threading.Event(), release)
    threading.Timer(0.1, release.set).start()
    with ext.write() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1
    holder.join()


def test_a_writer_gives_up_with_an_error_that_names_the_lock(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not ext.is_sqlite(ext.db.engine):
        pytest.skip("writers of PostgreSQL lock rows")
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 100)
    release = threading.Event()
    holder = hold(app, threading.Event(), release)
    began = time.monotonic()
    with pytest.raises(OperationalError, match="locked"), ext.write() as session:
        session.execute(text("SELECT 1"))
    assert time.monotonic() - began < 5
    release.set()
    holder.join()
    with ext.write() as session:
        session.execute(text("SELECT 1"))
