"""The SMTP adapter on a real port: who is accepted, what is refused, when 250 is said."""

import smtplib
import socket
import threading
import time

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from helpdesk import ext
from helpdesk.intake import smtp
from helpdesk.intake.models import Delivery
from helpdesk.lib.tokens import ticket_address
from tests.cast import Cast
from tests.intake.conftest import Door, email


@pytest.fixture
def settings() -> dict[str, str]:
    return {"HELPDESK_MAIL_DOMAIN": "example.com", "HELPDESK_MAX_MAIL_MB": "1"}


def stored() -> int:
    with ext.session() as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0


def test_email_to_a_known_mailbox_is_on_disk_when_250_is_heard(door: Door) -> None:
    door.send(email())
    assert stored() == 1


@pytest.mark.parametrize("address", ["postmaster", "postmaster@example.com", "SUPPORT@Example.Com"])
def test_postmaster_and_other_spellings_are_accepted(door: Door, address: str) -> None:
    with door.connect() as client:
        client.helo()
        assert client.mail("a@client.example")[0] == 250
        assert client.docmd(f"RCPT TO:<{address}>")[0] == 250


def test_a_signed_reply_address_is_accepted_and_a_forged_one_is_not(door: Door, app: Flask) -> None:
    secret = app.config["SECRET_KEY"].encode()
    good = ticket_address(secret, 7, "support", "example.com")
    with door.connect() as client:
        client.helo()
        client.mail("a@client.example")
        assert client.rcpt(good)[0] == 250
        assert client.rcpt(good.replace("+t7.", "+t8."))[0] == 550


def test_unknown_mailbox_is_refused_with_550(door: Door) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        door.send(email(), to="nobody@example.com")
    assert refusal.value.recipients["nobody@example.com"][0] == 550
    assert stored() == 0


def test_size_limit_is_advertised_and_enforced_at_mail_from_and_data(door: Door) -> None:
    with door.connect() as client:
        client.ehlo()
        assert client.esmtp_features["size"] == str(1024 * 1024)
        assert client.docmd("MAIL FROM:<a@client.example> SIZE=2000000")[0] == 552
        client.mail("a@client.example")
        client.rcpt("support@example.com")
        code, _ = client.data(b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" * 600_000)
        assert code == 552
    assert stored() == 0


def test_a_hundred_megabytes_without_an_end_of_line_end_the_connection(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as raw:
        for line in ("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<support@example.com>", "DATA"):
            raw.sendall(f"{line}\r\n".encode())
            time.sleep(0.05)
        with pytest.raises(OSError):
            for _ in range(100):
                raw.sendall(b"x" * (1 << 20))
    door.send(email())
    assert stored() == 1


@pytest.mark.parametrize("bare", [b"a\n.\n", b"a\r.\r", b"a\n.\r\nb", b"a\r\n.\nb", b"a\r\n.\rb"])
def test_an_end_of_data_in_disguise_is_refused(door: Door, bare: bytes) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=10) as raw:
        lines = raw.makefile("rb")
        lines.readline()
        for line in ("HELO x", "MAIL FROM:<a@b.example>", "RCPT TO:<support@example.com>", "DATA"):
            raw.sendall(f"{line}\r\n".encode())
            lines.readline()
        raw.sendall(b"Subject: x\r\n\r\n" + bare + b"\r\n.\r\n")
        assert lines.readline().startswith(b"550 5.5.2")
    assert stored() == 0


@pytest.mark.parametrize("sender", ["a\rb@client.example", "a\x00b@client.example"])
def test_control_characters_in_mail_from_are_refused_clearly(door: Door, sender: str) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=10) as raw:
        lines = raw.makefile("rb")
        lines.readline()
        raw.sendall(b"HELO x\r\n")
        lines.readline()
        raw.sendall(f"MAIL FROM:<{sender}>\r\n".encode())
        assert lines.readline().startswith((b"501", b"553"))
    door.send(email())
    assert stored() == 1


def test_more_connections_than_allowed_hear_421_and_others_go_on(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "MAX_PER_ADDRESS", 3)
    open_ = [socket.create_connection(("127.0.0.1", door.port), timeout=5) for _ in range(3)]
    for held in open_:
        assert held.recv(100).startswith(b"220")
    with socket.create_connection(("127.0.0.1", door.port), timeout=5) as refused:
        assert refused.recv(100).startswith(b"421")
    for held in open_:
        held.close()
    time.sleep(0.1)
    door.send(email())
    assert stored() == 1


def test_database_away_means_451_and_the_sender_tries_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise OperationalError("BEGIN", {}, Exception("database is locked"))

    monkeypatch.setattr(smtp, "accept", away)
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        door.send(email())
    assert refusal.value.smtp_code == 451
    monkeypatch.undo()
    door.send(email())
    assert stored() == 1


def test_the_same_email_four_times_at_once_is_one_delivery(door: Door, cast: Cast) -> None:
    message = email().as_bytes()
    threads = [threading.Thread(target=door.send, args=(message,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored() == 1


def test_plain_bare_newlines_are_let_through(door: Door) -> None:
    door.send(email("one\ntwo").as_bytes())
    assert stored() == 1


def conversation(door: Door, *packets: bytes) -> bytes:
    """All that the adapter says to somebody who doesn't wait for its answers in DATA."""
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as raw:
        for packet in packets:
            raw.sendall(packet)
            time.sleep(0.05)
        heard = b""
        while piece := raw.recv(4096):
            heard += piece
    return heard


OPENING = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n"


def test_commands_behind_the_email_in_one_packet_are_heard(door: Door) -> None:
    mail = b"Subject: x\r\n\r\na"
    heard = conversation(door, OPENING, mail + b"\r\n.\r\nQUIT\r\n")
    assert b"250 2.0.0 Accepted" in heard
    assert heard.splitlines()[-1].startswith(b"221")
    assert stored() == 1


def test_an_email_in_small_pieces_is_the_same_email(door: Door) -> None:
    mail = b"Subject: x\r\n\r\n..one dot\r\n...two\r\nend\r\n.\r\n"
    heard = conversation(door, OPENING, mail[:20], mail[20:-4], mail[-4:-2], mail[-2:], b"QUIT\r\n")
    assert b"250 2.0.0 Accepted" in heard
    with ext.session() as session:
        raw = session.scalar(select(Delivery.raw))
    assert raw is not None
    assert raw.endswith(b"\r\n\r\n.one dot\r\n..two\r\nend\r\n")


def test_two_emails_on_one_connection_are_two(door: Door) -> None:
    second = OPENING.partition(b"\r\n")[2] + b"Subject: two\r\n\r\nb\r\n.\r\nQUIT\r\n"
    heard = conversation(door, OPENING, b"Subject: one\r\n\r\na\r\n.\r\n", second)
    assert heard.count(b"250 2.0.0 Accepted") == 2
    assert stored() == 2


@pytest.mark.parametrize(
    ("commands", "answer"),
    [
        (b"EHLO x\r\nDATA\r\nQUIT\r\n", b"503"),
        (b"DATA\r\nQUIT\r\n", b"503"),
        (OPENING.replace(b"DATA", b"DATA now") + b"QUIT\r\n", b"501"),
    ],
)
def test_data_out_of_turn_is_refused(door: Door, commands: bytes, answer: bytes) -> None:
    heard = conversation(door, commands)
    assert heard.splitlines()[-2].startswith(answer)
    assert stored() == 0


def test_a_line_of_more_than_a_megabyte_is_refused(door: Door) -> None:
    heard = conversation(door, OPENING, b"x" * (1 << 20) + b"\r\n.\r\nQUIT\r\n")
    assert any(line[:3] in (b"500", b"552") for line in heard.splitlines())
    assert stored() == 0


def test_who_goes_away_during_the_email_leaves_nothing(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as raw:
        raw.sendall(OPENING)
        time.sleep(0.1)
        raw.sendall(b"Subject: half\r\n\r\nhal")
    time.sleep(0.2)
    door.send(email())
    assert stored() == 1
