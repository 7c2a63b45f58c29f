"""A backup taken while others write comes back whole; a half one never appears."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from io import BytesIO
from pathlib import Path

import pytest
import zstandard
from flask import Flask
from sqlalchemy import func, select

from helpdesk import ext, files
from helpdesk.accounts.models import User
from helpdesk.backup import backup, restore
from helpdesk.ext import dump
from helpdesk.files import StoredFile
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.models import Delivery
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.tickets.models import Queue
from tests.cast import Cast

EMAIL = "From: a@client.example\r\nTo: support@example.com\r\nSubject: {n}\r\n\r\nПривіт\r\n"


def deliver(n: int) -> None:
    email = RawEmail(
        EMAIL.format(n=n).encode(), "a@client.example", ("support@example.com",), now()
    )
    with ext.write() as session:
        accept(session, [email])


def store(data: bytes) -> str:
    with ext.write() as session:
        files.adopt(session, files.put(data), len(data))
    return files.put(data)


def count() -> int:
    with ext.session() as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0


def test_restore_brings_back_what_was_there_at_the_backup(
    app: Flask, cast: Cast, tmp_path: Path
) -> None:
    deliver(1)
    sha256 = store("вкладення".encode())
    target = tmp_path / "saved" / "backup.tar.zst"
    target.parent.mkdir()
    manifest = backup(target)
    assert manifest.tables["delivery"] == 1
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(target.parent.iterdir()) == [target]

    deliver(2)
    files.remove(sha256)
    with ext.write() as session:
        session.get_one(User, cast.alice.id).name = "Changed"
    with pytest.raises(HelpdeskError, match="--force"):
        restore(target)
    assert count() == 2

    for _ in range(2):  # a second restore meets what the first one left
        restore(target, force=True)
        assert count() == 1
        assert files.read(sha256) == "вкладення".encode()
        with ext.session() as session:
            assert session.get_one(User, cast.alice.id).name == "Alice"
            assert session.scalar(select(StoredFile.sha256)) == sha256
    deliver(3)  # the sequences go on behind what was restored
    assert count() == 2
    assert not list(tmp_path.glob(".helpdesk-backup-*"))
    again = backup(target)
    assert again.tables["delivery"] == 2


def test_backup_while_writes_go_on_is_one_state(app: Flask, cast: Cast, tmp_path: Path) -> None:
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        with app.app_context():
            while not stop.is_set():
                with ext.write() as session:  # always two rows in one transaction
                    at = now()
                    for part in "ab":
                        raw = f"Subject: {written}{part}\r\n\r\n".encode()
                        accept(session, [RawEmail(raw, "", ("support@example.com",), at)])
                written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while written < 3:
            time.sleep(0.01)
        manifest = backup(tmp_path / "backup")
        before = written
        while written < before + 3:
            time.sleep(0.01)
    finally:
        stop.set()
        writer.join()
    assert manifest.tables["delivery"] % 2 == 0
    assert 6 <= manifest.tables["delivery"] <= 2 * before + 2
    ext.db.engine.dispose()
    restore(tmp_path / "backup", force=True)
    assert count() == manifest.tables["delivery"]


def test_the_secret_key_comes_along(app: Flask, cast: Cast, tmp_path: Path) -> None:
    """Without it all signed links and reply addresses that clients hold would be dead."""
    (tmp_path / "secret_key").write_text("first")
    backup(tmp_path / "backup")
    (tmp_path / "secret_key").write_text("second")
    restore(tmp_path / "backup", force=True)
    assert (tmp_path / "secret_key").read_text() == "first"
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def members(path: Path) -> dict[str, bytes]:
    with (
        path.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as packed,
        tarfile.open(fileobj=packed, mode="r|") as tar,
    ):
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def write(path: Path, content: dict[str, bytes]) -> None:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, BytesIO(data))
    path.write_bytes(zstandard.compress(buffer.getvalue()))


@pytest.mark.parametrize(
    "harm", ["cut", "bytes", "row counts", "path", "no manifest", "empty", "not a backup", "kind"]
)
def test_a_damaged_backup_changes_nothing(
    app: Flask, cast: Cast, tmp_path: Path, harm: str
) -> None:
    deliver(1)
    good, bad = tmp_path / "good", tmp_path / "bad"
    store(b"x" * 100)
    backup(good)
    content = members(good)
    manifest = json.loads(content["manifest.json"])
    stored = next(name for name in content if name.startswith("files/"))
    if harm == "bytes":
        content[stored] = b"y" * 100
    elif harm == "row counts":
        manifest["tables"]["delivery"] = 5
    elif harm == "kind":
        manifest["database"] = "other"
    elif harm == "path":
        content["files/../../evil"] = b"x"
    elif harm == "no manifest":
        del content["manifest.json"]
    if "manifest.json" in content:
        content["manifest.json"] = json.dumps(manifest).encode()
    write(bad, content)
    if harm in ("cut", "empty", "not a backup"):
        whole = good.read_bytes()
        bad.write_bytes({"cut": whole[: len(whole) // 2], "empty": b""}.get(harm, b"hello" * 99))
    deliver(2)
    with pytest.raises(HelpdeskError):
        restore(bad, force=True)
    assert count() == 2
    deliver(3)
    assert not (tmp_path.parent / "evil").exists()
    assert not list(tmp_path.glob(".helpdesk-backup-*"))


@pytest.mark.chaos
def test_a_killed_backup_leaves_no_half_file(app: Flask, cast: Cast, tmp_path: Path) -> None:
    for n in range(30):
        files.put(os.urandom(1 << 20) + bytes([n]))
    target = tmp_path / "saved" / "backup.tar.zst"
    target.parent.mkdir()
    command = [sys.executable, "-m", "helpdesk", "backup", str(target)]
    env = os.environ | {
        "HELPDESK_DATA_DIR": str(tmp_path),
        "HELPDESK_DATABASE_URL": ext.db.engine.url.render_as_string(hide_password=False),
    }
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    while process.poll() is None and not list(target.parent.glob(".*/archive")):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not target.exists()
    assert list(target.parent.glob(".helpdesk-backup-*"))
    backup(target)
    assert list(target.parent.iterdir()) == [target]


def test_only_an_empty_base_needs_no_force(app: Flask, tmp_path: Path) -> None:
    assert dump.is_empty(ext.db.engine)
    backup(tmp_path / "backup")
    restore(tmp_path / "backup")
    with ext.write() as session:
        session.add(Queue(name="Q", sort_key="q", numbers=[], created_at=now()))
    assert not dump.is_empty(ext.db.engine)
