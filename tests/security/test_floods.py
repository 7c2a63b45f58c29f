"""CWE-400, CWE-770: many connections, many emails, many forms (I2, T10, T37)."""

import io
import smtplib
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.intake import flood, receive, smtp
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import link_token
from helpdesk.outbox.models import Outgoing
from helpdesk.reactions import react
from helpdesk.tickets.models import NUMBER_OFFSET, Message, Ticket
from helpdesk.web.portal import ticket as portal
from tests.intake.conftest import Door, Mailroom, email
from tests.product import Product, until
from tests.web.conftest import Desk, Pages

LORISES = 500


@contextmanager
def lorises(port: int, said: bytes, *, addresses: int) -> Iterator[list[socket.socket]]:
    """Connections from so many addresses that say a little and then nothing."""
    with ExitStack() as stack:
        held = []
        for n in range(LORISES):
            source = (f"127.0.{1 + n % addresses}.1", 0)
            raw = socket.create_connection(("127.0.0.1", port), 10, source_address=source)
            stack.callback(raw.close)
            raw.sendall(said)
            held.append(raw)
        yield held


@pytest.mark.parametrize("addresses", [1, 25])
def test_five_hundred_idle_mail_connections_and_one_good_sender(door: Door, addresses: int) -> None:
    """Also when they come from many addresses and fill the house."""
    with lorises(door.port, b"EHLO x\r\nMAIL FR", addresses=addresses):
        time.sleep(0.3)
        began = time.monotonic()
        door.send(email())
        assert time.monotonic() - began < 2
    assert 0 < smtp.MAX_PER_ADDRESS < smtp.MAX_CONNECTIONS


def test_the_caps_hold_and_the_oldest_of_the_crowd_gives_way(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "MAX_CONNECTIONS", 4)

    def come(address: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", door.port), 10, source_address=(address, 0))

    crowd = [come("127.0.0.2") for _ in range(3)]
    single = come("127.0.0.3")
    for one in (*crowd, single):
        assert one.recv(100).startswith(b"220")
    with come("127.0.0.4") as newcomer:
        assert newcomer.recv(100).startswith(b"220")
        assert crowd[0].recv(100).startswith(b"421")
        assert crowd[0].recv(100) == b""
        for one in (*crowd[1:], single):
            one.sendall(b"NOOP\r\n")
            assert one.recv(100).startswith(b"250")
    for one in (*crowd, single):
        one.close()


def test_five_hundred_idle_page_connections_and_one_good_reader(product: Product) -> None:
    with product.running():
        until(product.ready)
        half = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\nhalf"
        with lorises(product.http, half, addresses=25):
            began = time.monotonic()
            assert product.get("/login")[0] == 200
            assert time.monotonic() - began < 2


def test_two_hundred_emails_naming_a_victim_send_it_one_receipt(mailroom: Mailroom) -> None:
    """And none of their words (I2)."""
    with ext.write() as session:
        for n in range(200):
            raw = (
                f"From: victim@victim.example\r\nTo: support@example.com\r\n"
                f"Subject: Buy canary {n}\r\nMessage-ID: <{n}@x>\r\n\r\nBuy canary\r\n"
            )
            item = RawEmail(raw.encode(), "x@evil.example", ("support@example.com",), now())
            accept(session, [item])
    while receive.process_new():
        pass
    while react(limit=200):
        pass
    with ext.session() as session:
        sent = list(session.scalars(select(Outgoing)))
    assert [outgoing.to_address for outgoing in sent] == ["victim@victim.example"]
    assert "canary" not in f"{sent[0].subject}{sent[0].text}{sent[0].html}"


def test_a_forged_sender_gets_no_receipt(app: Flask, mailroom: Mailroom) -> None:
    app.config["AUTHSERV_ID"] = "mx.example.com"
    forged = email(Authentication_Results="mx.example.com; dmarc=fail header.from=client.example")
    mailroom.take(forged)
    react()
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Outgoing)) == 0
    assert len(mailroom.tickets()) == 1


def test_others_are_served_while_one_sender_floods(mailroom: Mailroom) -> None:
    """A flood of one address delays an email behind it by its share of the queue, and makes no
    more than sixty tickets an hour: what follows is gathered in the last of them (T37)."""
    with ext.write() as session:
        for n in range(200):
            raw = f"From: noisy@x.example\r\nSubject: {n}\r\n\r\nAgain {n}\r\n".encode()
            accept(session, [RawEmail(raw, "noisy@x.example", ("support@example.com",), now())])
        raw = b"From: calm@y.example\r\nSubject: calm\r\n\r\nHello\r\n"
        accept(session, [RawEmail(raw, "calm@y.example", ("support@example.com",), now())])
    began = time.perf_counter()
    while receive.process_new():
        pass
    assert time.perf_counter() - began < 20
    tickets = mailroom.tickets()
    assert "calm" in {ticket.subject for ticket in tickets}
    assert len(tickets) == flood.PER_HOUR + 1
    with ext.session() as session:
        texts = session.scalars(select(Message.text).order_by(Message.id))
        assert [text.strip() for text in texts] == [f"Again {n}" for n in range(200)] + ["Hello"]


def test_after_an_hour_the_noisy_sender_opens_tickets_again(
    mailroom: Mailroom, clock: time_machine.Traveller
) -> None:
    for n in range(flood.PER_HOUR + 5):
        mailroom.take(email(message_id=f"<{n}@x>", subject=str(n)))
    assert len(mailroom.tickets()) == flood.PER_HOUR
    clock.shift(3601)
    mailroom.take(email(message_id="<later@x>", subject="later"))
    assert len(mailroom.tickets()) == flood.PER_HOUR + 1


def stored_files(app: Flask) -> int:
    return sum(1 for path in (Path(app.config["DATA_DIR"]) / "files").rglob("*") if path.is_file())


def test_a_form_that_is_refused_or_repeated_stores_no_file(
    pages: Pages, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder of a link cannot fill the disk beyond the limit of answers."""
    monkeypatch.setattr(portal, "REPLIES_AN_HOUR", 2)
    number = desk.ticket()
    with ext.session() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
    key = pages.app.config["SECRET_KEY"].encode()
    path = f"/t/{link_token(key, ticket.id, ticket.link_nonce)}"
    page = pages.get(path)
    csrf, nonce = pages.token, page.form(path)["nonce"]

    def send(nonce: str) -> int:
        content = nonce.encode() * 500  # a form that is sent again has the same in it
        files = {"files": (io.BytesIO(content), "a.bin")}
        fields = {"csrf_token": csrf, "nonce": nonce, "text": "x", **files}
        return pages.send(path, fields, content_type="multipart/form-data").status

    assert [send(nonce), send(nonce)] == [200, 200]
    assert stored_files(pages.app) == 1
    assert [send("b"), send("c"), send("d")] == [200, 429, 429]
    assert stored_files(pages.app) == 2
    assert send(nonce) == 200  # the one that was taken is not called refused
    assert stored_files(pages.app) == 2


def test_smtp_tells_nothing_of_tickets_or_addresses(door: Door) -> None:
    """RT's gateway told too much (I24): fixed words whatever is asked."""
    with door.connect() as client:
        client.ehlo()
        assert client.docmd("VRFY", "oksana@client.example")[0] == 252
        assert client.docmd("EXPN", "support")[0] in (500, 502)
        client.mail("a@client.example")
        refusals = {client.rcpt(f"{name}@example.com") for name in ("ada", "alice", "nobody")}
        assert refusals == {(550, b"5.1.1 No such mailbox here")}
    assert isinstance(client, smtplib.SMTP)
