"""What is looked at before anything starts; each trouble is one plain sentence."""

import errno
import fcntl
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import column, inspect, make_url, select, table
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import ext
from helpdesk.lib.late import library

BACKLOG = 1024
SAFE_KEY = 32

_REVISION = re.compile(r"""^(down_)?revision\b.*= ["'](\w+)["']""", re.M)


class StartError(Exception):
    """The product cannot start; the message is one sentence that names the cure."""


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket, to be shared by forked children. Raises StartError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise StartError(_why_not(host, port, setting, error)) from error
    # asyncio sets it only on sockets that name their protocol; without it every answer on a
    # kept-alive connection waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _why_not(host: str, port: int, setting: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken: stop what listens there, or set {setting} to another one."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights: set {setting} to a port from 1024 on."
    reason = error.strerror or "it is no address of this machine"
    return f"Cannot listen on {host}:{port}: {reason}. Set {setting} to an address of this machine."


def use_data(folder: Path) -> None:
    """Mark the data folder as in use until this process and its children have ended.

    Raises StartError while a restore is running.
    """
    _lock(folder, fcntl.LOCK_SH, "A restore is running")


@contextmanager
def alone_on_data(folder: Path) -> Iterator[None]:
    """Be the only one who uses the data folder. Raises StartError while the product runs."""
    handle = _lock(folder, fcntl.LOCK_EX, "The product is running")
    try:
        yield
    finally:
        os.close(handle)


def _lock(folder: Path, kind: int, otherwise: str) -> int:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise StartError(f"{otherwise} on {folder}: stop it first.") from error
    return handle


def check_database(app: Flask) -> None:
    """Whether the database answers. Raises StartError."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    try:
        with app.app_context(), ext.db.engine.connect():
            return
    except SQLAlchemyError as error:
        where = f"{url.host or url.query.get('host') or ''}/{url.database}"
        raise StartError(
            f"The database {where} does not answer: start it, or set HELPDESK_DATABASE_URL."
        ) from error


def is_current(app: Flask) -> bool:
    """Whether the tables are those of this version: what Alembic has written down, without it."""
    written = table("alembic_version", column("version_num"))
    with app.app_context(), ext.db.engine.connect() as connection:
        if not inspect(connection).has_table(written.name):
            return False
        found = connection.scalars(select(written.c.version_num)).all()
    return set(found) == newest_revisions(Path(app.config["MIGRATIONS_DIR"]))


def newest_revisions(folder: Path) -> set[str]:
    """Those that no other migration in this folder follows."""
    texts = [path.read_text("utf-8") for path in (folder / "versions").glob("*.py")]
    named = [found.groups() for text in texts for found in _REVISION.finditer(text)]
    followed = {revision for down, revision in named if down}
    return {revision for down, revision in named if not down} - followed


def weak_key(app: Flask) -> str | None:
    """A sentence if the secret that signs everything could be guessed."""
    if len(app.config["SECRET_KEY"]) >= SAFE_KEY:
        return None
    return (
        f"SECRET_KEY has fewer than {SAFE_KEY} characters: who guesses it can forge every link. "
        "Set a longer one, or none: then one is made."
    )


def need_current(app: Flask) -> None:
    """Raises StartError where the tables are those of another version."""
    if not is_current(app):
        raise StartError("The database is of another version: run `helpdesk upgrade` first.")


def migrate(app: Flask) -> None:
    """Bring the tables to this version; of several processes one does it, the others wait."""
    with _alone(Path(app.config["DATA_DIR"])), app.app_context(), _advisory_lock():
        if not is_current(app):
            library("flask_migrate").upgrade()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process of this machine at a time."""
    with (folder / "upgrade.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def _advisory_lock() -> Iterator[None]:
    """One machine at a time. On SQLite a held write lock would stop the upgrade itself."""
    if ext.is_sqlite(ext.db.engine):
        yield
        return
    with ext.write() as session:
        ext.lock(session, "upgrade")
        yield
