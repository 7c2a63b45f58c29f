"""Full disks, locked and dying databases, poison: nothing accepted is lost (T31, T33, T34, T36)."""

import os
import signal
import smtplib
import sqlite3
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.cookiejar import CookieJar
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from helpdesk import ext, files
from helpdesk.app import create_app
from helpdesk.intake import receive
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.intake.smtp import ACCEPTED, BUSY, Doorkeeper
from helpdesk.lib.clock import now
from tests.cast import Cast, make_cast
from tests.chaos.senders import Senders
from tests.conftest import make_config, migrate
from tests.intake.conftest import Mailroom, email
from tests.postgres import PostgresServer
from tests.product import Product, until

MB = 1 << 20


def mount(folder: Path, *options: str) -> bool:
    """Whether a small disk of its own lies there now."""
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes; skipped where nobody may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or not mount(folder, "size=4m"):
        pytest.skip("mounting a small disk needs root and is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def letter(n: int, size: int = 40_000) -> RawEmail:
    raw = f"From: a{n}@client.example\r\nTo: support@example.com\r\nSubject: {n}\r\n\r\n".encode()
    return RawEmail(raw + os.urandom(size).hex().encode(), "", ("support@example.com",), now())


def test_a_full_disk_says_try_again_and_goes_on_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    from_disk = f"sqlite:///{small_disk / 'helpdesk.db'}"
    app = _installed(tmp_path, from_disk)
    door = Doorkeeper(app)
    answers = [door.store([letter(n, 150_000)])[0] for n in range(16)]
    assert 2 < answers.count(ACCEPTED) < 16
    assert answers.count(ACCEPTED) + answers.count(BUSY) == 16
    with app.app_context(), ext.session() as session:
        assert session.query(Delivery).count() == answers.count(ACCEPTED)
    assert mount(small_disk, "remount", "size=32m")
    assert door.store([letter(100)]) == [ACCEPTED]
    with app.app_context():
        while receive.process_new():
            pass
        with ext.session() as session:
            states = {delivery.state for delivery in session.query(Delivery)}
        assert states == {DeliveryState.DONE}
        ext.db.engine.dispose()
    with closing(sqlite3.connect(small_disk / "helpdesk.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _installed(folder: Path, url: str) -> Flask:
    config = make_config(folder, url)
    migrate(config)
    app = create_app(config)
    with app.app_context(), ext.write() as session:
        make_cast(session)
    return app


def test_no_room_for_a_file_delays_its_email_and_no_other(
    mailroom: Mailroom, app: Flask, tmp_path: Path
) -> None:
    """It is not given up after five tries: nothing is wrong with the email."""
    folder = files.path_of("00").parents[1]
    folder.mkdir(mode=0o700)
    if os.geteuid() != 0 or not mount(folder, "size=1m"):
        pytest.skip("mounting a small disk needs root and is not allowed here")
    try:
        big, small = email(), email("small", message_id="<two@client.example>")
        big.add_attachment(os.urandom(2 * MB), "application", "zip", filename="big.zip")
        ids = []
        for message in (big, small):
            raw = message.as_bytes().replace(b"\n", b"\r\n")
            with ext.write() as session:
                item = RawEmail(raw, "oksana@client.example", ("support@example.com",), now())
                ids += accept(session, [item])
        for _ in range(receive.MAX_ATTEMPTS + 1):
            with pytest.raises(OSError, match="No space"):
                receive.process_new()
        assert mailroom.delivery(ids[0]).state == DeliveryState.NEW
        assert mailroom.delivery(ids[0]).attempts == 0
        assert mailroom.delivery(ids[1]).state == DeliveryState.DONE
        assert mount(folder, "remount", "size=16m")
        receive.process_new()
        assert mailroom.delivery(ids[0]).state == DeliveryState.DONE
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_poison_at_the_head_of_two_hundred_stops_nobody(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = receive.apply

    def poisoned(session: object, item: receive.Understood) -> receive.Outcome:
        if item.inbound.subject == "0":
            raise RuntimeError("poison")
        return honest(session, item)  # type: ignore[arg-type]

    monkeypatch.setattr(receive, "apply", poisoned)
    with ext.write() as session:
        accept(session, [letter(n, 100) for n in range(200)])
    receive.process_new()
    states = [delivery.state for delivery in mailroom.deliveries()]
    assert states == [DeliveryState.NEW, *[DeliveryState.DONE] * 199]
    for _ in range(receive.MAX_ATTEMPTS):
        receive.process_new()
    assert mailroom.deliveries()[0].state == DeliveryState.FAILED
    assert receive.process_new() == 0


def test_emails_that_take_long_to_read_do_not_hold_up_those_before_them(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three slow ones in a batch: the quick one before them is a ticket after the first."""
    honest = receive.sandbox.understand

    def slow(raw: bytes, **more: object) -> object:
        if b"Subject: 0\r" not in raw:
            time.sleep(0.2)
        return honest(raw, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(receive.sandbox, "understand", slow)
    monkeypatch.setattr(receive, "READING_SECONDS", 0.1)
    monkeypatch.setattr(receive.time, "monotonic", time.perf_counter)
    with ext.write() as session:
        accept(session, [letter(n, 100) for n in range(4)])
    assert receive.process_new() == 2
    assert [len(mailroom.tickets()), receive.process_new(), receive.process_new()] == [2, 1, 1]


def test_a_database_that_dies_in_the_batch_loses_and_blames_nobody(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("server closed the connection"))

    with ext.write() as session:
        accept(session, [letter(n, 100) for n in range(3)])
    monkeypatch.setattr(receive, "apply", away)
    for _ in range(receive.MAX_ATTEMPTS + 1):
        with pytest.raises(OperationalError):
            receive.process_new()
    monkeypatch.undo()
    assert {delivery.attempts for delivery in mailroom.deliveries()} == {0}
    receive.process_new()
    assert len(mailroom.tickets()) == 3


def submit(product: Product, n: int) -> int:
    """One email by SMTP; the code that ended it."""
    text = f"From: a@client.example\r\nTo: support@example.com\r\nSubject: {n}\r\n\r\nHello\r\n"
    try:
        with smtplib.SMTP("127.0.0.1", product.smtp, "client.example", timeout=60) as client:
            client.sendmail("a@client.example", ["support@example.com"], text)
    except smtplib.SMTPRecipientsRefused as refused:
        return min(code for code, _ in refused.recipients.values())
    except smtplib.SMTPResponseException as refused:
        return refused.smtp_code
    return 250


def log_in(product: Product) -> tuple[int, str | None]:
    """Status and Retry-After of a log-in by form."""
    jar = urllib.request.HTTPCookieProcessor(CookieJar())
    browser = urllib.request.build_opener(jar)
    with browser.open(product.url + "/login", timeout=10) as page:
        token = page.read().decode().partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "email": "a@example.com", "password": "wrong horse"}
    try:
        browser.open(product.url + "/login", urllib.parse.urlencode(form).encode(), timeout=60)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Retry-After")
    return 200, None


def test_a_database_locked_for_half_a_minute(product: Product) -> None:
    """A second process holds it: 451 and 503 with Retry-After, no half ticket, then all is well."""
    with product.running():
        until(product.ready)
        assert submit(product, 1) == 250
        until(lambda: product.rows("SELECT count(*) FROM ticket") == [(1,)])
        path = product.folder / "helpdesk.db"
        with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            answers = {submit(product, 2)}
            assert log_in(product) == (503, "5")
            assert product.get("/healthz")[0] == 200
            time.sleep(max(0.0, 30 - (time.monotonic() - began)))
            other.execute("ROLLBACK")
        assert answers == {451}
        until(lambda: log_in(product)[0] == 401)
        assert submit(product, 2) == 250
        until(lambda: product.rows("SELECT state FROM delivery") == [("done",)] * 2)
        assert product.rows("SELECT count(*) FROM ticket") == [(2,)]
        halves = "SELECT count(*) FROM ticket WHERE id NOT IN (SELECT ticket_id FROM message)"
        assert product.rows(halves) == [(0,)]


def test_postgresql_that_dies_under_load_and_comes_back(tmp_path: Path) -> None:
    """`immediate`: no checkpoint, all connections cut, recovery from its log."""
    server = PostgresServer()
    try:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute("CREATE DATABASE helpdesk TEMPLATE template0")
            admin.execute("ALTER DATABASE helpdesk SET synchronous_commit = on")
        product = Product(tmp_path, server.url("helpdesk"), HELPDESK_MAIL_DOMAIN="example.com")
        with product.running():
            until(product.ready)
            senders = Senders(product.smtp)
            senders.start()
            for _ in range(2):
                time.sleep(1.5)
                _restart(server)
            time.sleep(1)
            senders.stop()
            acknowledged = list(senders.acknowledged)
            left = "SELECT count(*) FROM delivery WHERE state = 'new'"
            until(lambda: _rows(server, left) == [(0,)])
            states = _rows(server, "SELECT DISTINCT state FROM delivery")
            subjects = [row[0] for row in _rows(server, "SELECT subject FROM ticket")]
    finally:
        server.stop()
    assert len(acknowledged) > 20
    assert not set(acknowledged) - set(subjects)
    assert len(subjects) == len(set(subjects))
    assert states == [("done",)]


def _restart(server: PostgresServer) -> None:
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait(20)
    with (server.folder / "log").open("a") as log:
        server.process = subprocess.Popen(
            server.process.args, stdout=subprocess.DEVNULL, stderr=log
        )
    until(server._answers)


def _rows(server: PostgresServer, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url("helpdesk")) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[call-overload]


def test_acknowledged_twice_is_kept_once(mailroom: Mailroom, app: Flask, cast: Cast) -> None:
    """A sender that heard nothing sends again; also after the first became a ticket (T31)."""
    door, sent = Doorkeeper(app), letter(1, 100)
    assert door.store([sent]) == [ACCEPTED]
    receive.process_new()
    assert door.store([sent, sent]) == [ACCEPTED] * 2
    receive.process_new()
    assert len(mailroom.tickets()) == len(mailroom.deliveries()) == 1
