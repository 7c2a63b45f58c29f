"""The product starts as one, stops as one, and leaves nobody behind."""

import os
import signal
import smtplib
import socket
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.product import Product, children, group, until


def test_starts_answers_and_stops_on_ctrl_c_with_open_streams(
    product_on_both: Product,
) -> None:
    product = product_on_both
    product.spawner = None  # as a person starts it
    with product.running() as process:
        until(product.ready)
        assert len(children(process.pid)) == 5  # two web, smtp, worker, twin
        (product.folder / "imap").touch()  # the first mailbox is set up
        until(lambda: len(children(process.pid)) == 6)
        assert product.get("/healthz") == (200, "ok\n")
        assert product.get("/nothing/here")[0] == 404
        idle = [socket.create_connection(("127.0.0.1", product.http)) for _ in range(4)]
        mail = socket.create_connection(("127.0.0.1", product.smtp))
        os.killpg(process.pid, signal.SIGINT)
        took = until(lambda: not group(process.pid))
        assert process.wait() == 0
        assert took < 5
        for connection in [*idle, mail]:
            connection.close()


def test_kill_9_of_the_supervisor_leaves_no_orphan(product: Product) -> None:
    with product.running() as process:
        until(product.ready)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        until(lambda: not group(process.pid), 6)


def test_a_stopped_child_does_not_hold_up_the_end(product: Product) -> None:
    with product.running() as process:
        until(product.ready)
        os.kill(min(children(process.pid)), signal.SIGSTOP)
        os.kill(process.pid, signal.SIGTERM)
        assert until(lambda: process.poll() is not None) < 5
        assert process.returncode == 0
        until(lambda: not group(process.pid), 1)


def test_a_second_ctrl_c_kills(product: Product) -> None:
    with product.running() as process:
        until(product.ready)
        os.kill(min(children(process.pid)), signal.SIGSTOP)
        os.kill(process.pid, signal.SIGINT)
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGINT)
        assert until(lambda: process.poll() is not None) < 2
        until(lambda: not group(process.pid), 1)


@pytest.mark.chaos
def test_a_child_that_dies_is_started_again(product: Product) -> None:
    with product.running() as process:
        until(product.ready)
        before = children(process.pid)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(children(process.pid).items() - before.items()) == 5)
        until(lambda: product.get("/healthz")[0] == 200)
        with smtplib.SMTP("127.0.0.1", product.smtp, timeout=10) as client:
            assert client.noop()[0] == 250


def test_an_email_by_smtp_becomes_a_delivery_that_is_done(fresh: Product) -> None:
    email = EmailMessage()
    email["From"], email["To"] = "oksana@client.example", "support@helpdesk.localhost"
    email["Subject"] = "Не працює"
    email.set_content("Не працює пральна машина.")
    with fresh.running():
        until(fresh.ready)
        with smtplib.SMTP("127.0.0.1", fresh.smtp, timeout=10) as client:
            client.send_message(email)
        until(lambda: 'helpdesk_deliveries{state="done"} 1.0' in fresh.get("/metrics")[1])


def test_the_first_start_prints_a_link_that_works_for_the_administrator(fresh: Product) -> None:
    with fresh.running() as process:
        until(fresh.ready)
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    said = fresh.log.read_text()
    assert f"http://127.0.0.1:{fresh.http}/welcome/" in said
    assert f"swaks --server 127.0.0.1:{fresh.smtp}" in said
    assert "support@helpdesk.localhost" in said


def refused(product: Product, *arguments: str) -> str:
    """What a command that is refused says: one sentence on one line."""
    done = product.command(*(arguments or ("run",)))
    assert done.returncode == 2
    assert done.stdout == b""
    text = done.stderr.decode()
    assert text.endswith(".\n")
    assert text.count("\n") == 1
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize("kind", ["HTTP", "SMTP"])
def test_a_taken_port_is_named_with_its_setting(fresh: Product, kind: str) -> None:
    port = fresh.http if kind == "HTTP" else fresh.smtp
    with socket.create_server(("127.0.0.1", port)):
        text = refused(fresh)
    assert f"Port {port} is taken" in text
    assert f"HELPDESK_{kind}_BIND" in text


def test_an_unwritable_data_folder_is_named(fresh: Product, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    fresh.env["HELPDESK_DATA_DIR"] = str(tmp_path / "file" / "var")
    assert f"HELPDESK_DATA_DIR: cannot write to {tmp_path / 'file' / 'var'}" in refused(fresh)


def test_a_bad_setting_is_named(fresh: Product) -> None:
    fresh.env["HELPDESK_TIMEZONE"] = "Europe/Lvov"
    assert "HELPDESK_TIMEZONE" in refused(fresh)


def test_an_address_of_another_machine_is_named(fresh: Product) -> None:
    fresh.env["HELPDESK_HTTP_BIND"] = "192.0.2.1:8000"
    assert "HELPDESK_HTTP_BIND" in refused(fresh)


def test_a_database_that_does_not_answer_is_named_without_its_password(fresh: Product) -> None:
    fresh.env["HELPDESK_DATABASE_URL"] = "postgresql://me:canary@127.0.0.1:1/help"
    text = refused(fresh)
    assert "127.0.0.1/help does not answer" in text
    assert "canary" not in text


def test_a_bad_first_password_stops_the_start(fresh: Product) -> None:
    fresh.env["HELPDESK_ADMIN_PASSWORD"] = "short"
    refused(fresh)


def test_a_part_waits_for_the_upgrade(fresh: Product) -> None:
    assert "helpdesk upgrade" in refused(fresh, "worker")


def test_parts_run_apart_on_one_database(product_on_both: Product) -> None:
    product = product_on_both
    with product.running("web") as web, product.running("worker"), product.running("smtp"):
        until(product.ready)
        assert len(children(web.pid)) == 2


def test_two_starts_at_once_make_one_installation(fresh: Product) -> None:
    """The second one finds its ports taken or, on other ports, the same data."""
    other = Product(Path(fresh.env["HELPDESK_DATA_DIR"]))
    with fresh.running(), other.running():
        until(fresh.ready)
        until(other.ready)
    listed = fresh.command("user", "add", "--email", "b@x.example", "--name", "B", "--role", "x")
    assert listed.returncode == 2


def test_logs_are_json_and_name_no_token(product: Product) -> None:
    with product.running() as process:
        until(product.ready)
        product.get("/t/canary-token?q=canary", Cookie="helpdesk_login=canary")
        product.get("/events", Cookie="helpdesk_login=canary")
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    said = product.log.read_text()
    assert "canary" not in said
    assert "/login" not in said  # which only the start has asked itself for
    lines = [line for line in said.splitlines() if line.startswith("{")]
    assert any('"status": 404' in line for line in lines)


def test_help_lists_the_commands(fresh: Product) -> None:
    text = fresh.command("--help").stdout.decode()
    for name in ("run", "web", "smtp", "imap", "worker", "upgrade", "demo", "backup", "restore"):
        assert name in text
    assert "check" in text
