"""CWE-22, CWE-532, CWE-732: stored files, modes, what the logs say (I6, I12, I31, T12, T40)."""

import os
import re
import smtplib
from pathlib import Path

import pytest
from flask import Flask

from helpdesk import files
from tests.intake.conftest import Mailroom, email
from tests.product import Product, until
from tests.web.conftest import Pages

NAMES = [
    "\u200b.htaccess", "..\u2044x", "../../../etc/cron.d/x", "a\u202egnp.exe", "CON", "a.php.",
    "x" * 300, "a\x00b", "C:\\windows\\x", "/etc/passwd", ".", "..", "", " ", "~/.ssh/id", "a/b/c",
]  # fmt: skip


def test_stored_files_are_named_by_their_content_alone(mailroom: Mailroom, app: Flask) -> None:
    message = email()
    for n, name in enumerate(NAMES):
        clean = name.replace("\x00", "%00") or "x"
        message.add_attachment(f"content {n}".encode(), "text", "plain", filename=clean)
    mailroom.take(message)
    root = Path(app.config["DATA_DIR"]) / "files"
    found = [path for path in root.rglob("*") if path.is_file()]
    assert len(found) == len(NAMES)
    for path in found:
        place = path.relative_to(root).as_posix()
        assert re.fullmatch(r"([0-9a-f]{2})/([0-9a-f]{2})/\1\2[0-9a-f]{60}", place)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_no_stored_path_is_served(pages: Pages) -> None:
    sha256 = files.put(b"canary of a file")
    place = files.path_of(sha256)
    assert place.is_file()
    inner = f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
    for path in (
        f"/files/{inner}", f"/uploads/{inner}", f"/var/files/{inner}", f"/static/{inner}",
        f"/static/../var/files/{inner}", f"/static/..%2f..%2f{place}", f"/static/{place}",
        f"/desk/files/{sha256}", "/static/..%2fconfig.py", "/static/%2e%2e/config.py",
        "/.env", "/var/helpdesk.db", "/secret_key", "/static/.%00./config.py",
        "/install", "/setup", "/installer",
    ):  # fmt: skip
        answer = pages.raw("GET", path)
        assert answer.status_code in (308, 401, 404), path
        assert b"canary" not in answer.get_data()


@pytest.mark.parametrize("made_by", ["upgrade"])
def test_what_the_product_makes_is_its_owners_alone(tmp_path: Path, made_by: str) -> None:
    folder = tmp_path / "data"
    product = Product(folder, SECRET_KEY="")
    folder.mkdir(mode=0o700)
    assert product.command(made_by).returncode == 0
    assert product.command("backup", str(tmp_path / "saved")).returncode == 0
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert {"helpdesk.db", "secret_key"} <= {path.name for path in found}
    for path in (*found, tmp_path / "saved"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_logs_hold_no_secret_and_nothing_of_people(product: Product) -> None:
    """A canary in every place a secret or a person's words can stand; also where things fail."""
    canaries = {name: f"canary{name}{os.urandom(6).hex()}" for name in ("KEY", "PASS", "WORD")}
    product.env |= {
        "SECRET_KEY": canaries["KEY"] * 3,
        "HELPDESK_SMTP_RELAY": "127.0.0.1:1",
        "HELPDESK_SMTP_RELAY_USER": "relay",
        "HELPDESK_SMTP_RELAY_PASSWORD": canaries["PASS"],
        "HELPDESK_ADMIN_EMAIL": "ada@example.com",
        "HELPDESK_ADMIN_PASSWORD": canaries["PASS"] + " long enough",
    }
    word = canaries["WORD"]
    with product.running():
        until(product.ready)
        text = f"From: {word}@x.example\r\nSubject: {word}\r\n\r\n{word}\r\n"
        with smtplib.SMTP("127.0.0.1", product.smtp, timeout=10) as client:
            client.sendmail(f"{word}@x.example", ["support@example.com"], text)
        for path in (f"/t/{word}", f"/welcome/{word}", f"/login?next=/{word}", f"/{word}%0a{{}}"):
            product.get(path, **{"User-Agent": word, "Cookie": f"helpdesk_login={word}"})
        product.get("/api/v1/tickets?q=" + word, Authorization=f"Bearer {word}")
        until(lambda: product.rows("SELECT state FROM outgoing") == [("queued",)])
        until(lambda: product.rows("SELECT attempts FROM outgoing") == [(1,)])
        until(lambda: "outgoing.not_sent" in product.log.read_text())
    said = product.log.read_text()
    assert not [name for name, canary in canaries.items() if canary in said]
    assert "outgoing.not_sent" in said
