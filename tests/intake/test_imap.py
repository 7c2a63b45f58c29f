"""Mailboxes of other providers, on a real Dovecot: what is new comes in, once, whatever breaks."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from imapclient import imap_utf7
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.events import SYSTEM, Event
from helpdesk.intake import imap, imap_boxes, imap_service, imap_state, imap_wire, receive
from helpdesk.intake.imap import Connection, Login, Refused, Trouble
from helpdesk.intake.imap_boxes import Wanted
from helpdesk.intake.imap_check import look
from helpdesk.intake.imap_fetch import Fetcher
from helpdesk.intake.models import (
    Delivery,
    DeliveryState,
    ImapAfter,
    ImapBox,
    ImapTls,
    ImapTrouble,
)
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import ticket_address
from helpdesk.notices import unread
from helpdesk.reactions.loop import react
from tests.cast import Cast
from tests.dovecot import PASSWORD, USER, Dovecot, set_up
from tests.intake.conftest import Mailroom
from tests.intake.mails import mail, multi, nested
from tests.product import until

HOSTILE = [
    b"",
    b"\r\n\r\n",
    b"no header at all",
    b'From: \xff\xfe<<<>>,;:"\\\r\nTo: (((((\r\nSubject: =?x?q?=\r\n\r\n\xff\xff\r\n',
    b"Return-Path: <>\r\nFrom: mailer-daemon@x.example\r\nTo: support@example.com\r\n\r\nback\r\n",
    b"To: " + b"a@b.example, " * 20_000 + b"\r\nSubject: many\r\n\r\nx\r\n",
    b"Subject: long\r\n\r\n" + b"x" * (600 << 10),
    mail(nested("mixed", b"Content-Type: text/plain\r\n\r\nx", boundary="n") * 50),
    mail(multi("mixed", *[b"Content-Type: x/y\r\n\r\n"] * 500, end=False)),
]


@pytest.fixture
def settings() -> dict[str, str]:
    return {"HELPDESK_MAIL_DOMAIN": "example.com", "HELPDESK_MAX_MAIL_MB": "1"}


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    dovecot = Dovecot()
    yield dovecot
    dovecot.close()


@pytest.fixture
def dovecot(running: Dovecot) -> Dovecot:
    running.empty()
    return running


def letters(count: int, first: int = 0) -> list[bytes]:
    return [
        mail(f"Text {n}\r\n", To="support@example.com", Message_ID=f"<{n}@client.example>")
        for n in range(first, first + count)
    ]


def box_of(box_id: int) -> ImapBox:
    with ext.session() as session:
        return session.get_one(ImapBox, box_id)


@contextmanager
def claimed(app: Flask, box_id: int) -> Iterator[Fetcher]:
    me = f"test {box_id}"
    with ext.write() as session:
        assert imap_state.claim(session, box_id, me, now())
    yield Fetcher(app, box_id, box_of(box_id).version, me, lambda: False)
    with ext.write() as session:
        imap_state.release(session, box_id, me)


def fetch(app: Flask, box_id: int) -> None:
    with claimed(app, box_id) as fetcher, fetcher.connect() as connection:
        fetcher.fetch(connection)


@contextmanager
def service(app: Flask) -> Iterator[None]:
    """What `helpdesk imap` runs."""
    stop = threading.Event()
    thread = threading.Thread(target=imap_service.Service(app).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)


def stored() -> int:
    with ext.session() as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0


def raws() -> Counter[bytes]:
    with ext.session() as session:
        return Counter(raw or b"" for raw in session.scalars(select(Delivery.raw)))


def test_two_hundred_emails_with_hostile_ones_among_them(
    app: Flask, cast: Cast, dovecot: Dovecot
) -> None:
    ordinary = letters(200 - len(HOSTILE))
    dovecot.deliver(*ordinary[:50], *HOSTILE, *ordinary[50:])
    box = set_up(app, dovecot)
    fetch(app, box)
    assert stored() == box_of(box).fetched == 200
    assert not set(ordinary) - set(raws())
    fetch(app, box)
    assert stored() == box_of(box).fetched == 200
    assert dovecot.count("UNSEEN") == 200  # nothing is marked that nobody asked for
    while receive.process_new():
        pass
    with ext.session() as session:
        assert set(session.scalars(select(Delivery.state))) == {DeliveryState.DONE}


def test_what_lay_there_before_makes_no_tickets_unless_a_day_is_chosen(
    app: Flask, cast: Cast, dovecot: Dovecot
) -> None:
    years = [now() - timedelta(days=days) for days in (3000, 40, 2)]
    for number, at in enumerate(years):
        dovecot.deliver(*letters(2, 10 * number), at=at)
    box = set_up(app, dovecot)
    fetch(app, box)
    assert stored() == 0
    dovecot.forget()  # other UIDs: everything is looked at anew
    dovecot.deliver(*letters(1, 100))
    fetch(app, box)
    assert stored() == 1
    chosen = set_up(app, dovecot, since=now() - timedelta(days=7), username="other")
    fetch(app, chosen)
    assert stored() == 3
    with ext.session() as session:  # nobody gets a receipt for an email of last week
        origins = session.scalars(select(Delivery.envelope_from).order_by(Delivery.id)).all()
    assert origins == ["oksana@client.example", "", ""]


def test_too_large_is_noted_and_stops_nobody(app: Flask, cast: Cast, dovecot: Dovecot) -> None:
    large = mail("x" * 70 + "\r\n", Subject="Large", Message_ID="<large@client.example>")
    large += b"y" * (1 << 20)
    dovecot.deliver(*letters(2), large, *letters(2, 2))
    box = set_up(app, dovecot, after=ImapAfter.SEEN)
    for _again in range(2):
        fetch(app, box)
        with ext.session() as session:
            query = select(Delivery).where(Delivery.state == DeliveryState.QUARANTINED)
            (noted,) = session.scalars(query)
        assert "larger than 1 MB" in (noted.reason or "")
        assert (noted.message_id, noted.size) == ("large@client.example", len(large))
        dovecot.forget()
    assert stored() == 5
    assert (dovecot.count("SEEN"), dovecot.count("UNSEEN")) == (4, 1)


def test_one_that_the_server_holds_back_is_noted_and_the_others_come(
    app: Flask, cast: Cast, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.deliver(*letters(20))
    whole, part = Connection.bodies, Connection.body

    def bodies(self: Connection, sizes: dict[int, int]) -> dict[int, bytes]:
        if 7 in sizes:
            raise Refused("internal error")
        if 13 in sizes:
            raise Trouble(ImapTrouble.LOST)
        return whole(self, sizes)

    def body(self: Connection, uid: int, limit: int, alive: Any) -> bytes | None:
        if uid == 7:
            raise Refused("internal error")
        if uid == 13:
            raise Trouble(ImapTrouble.LOST)
        return part(self, uid, limit, alive)

    monkeypatch.setattr(Connection, "bodies", bodies)
    monkeypatch.setattr(Connection, "body", body)
    box = set_up(app, dovecot)
    with claimed(app, box) as fetcher:
        for _attempt in range(10):
            try:
                with fetcher.connect() as connection:
                    fetcher.fetch(connection)
            except Trouble:
                continue
    with ext.session() as session:
        query = select(Delivery.reason).where(Delivery.state == DeliveryState.FAILED)
        reasons = session.scalars(query.order_by(Delivery.id)).all()
    assert [reason.rpartition(": ")[2] for reason in reasons if reason] == [
        "internal error",
        "the connection breaks on it",
    ]
    assert box_of(box).fetched == 18 and stored() == 20


def test_fetched_emails_are_marked_or_moved_once_they_are_ours(
    app: Flask, cast: Cast, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.deliver(*letters(3))
    box = set_up(app, dovecot, after=ImapAfter.MOVE, move_to="Готово")
    marked = Connection.mark

    def look_first(self: Connection, uids: Sequence[int], *rest: Any) -> None:
        assert stored() == 3
        marked(self, uids, *rest)

    monkeypatch.setattr(Connection, "mark", look_first)
    fetch(app, box)
    assert dovecot.count("ALL") == 0
    assert dovecot.count("ALL", imap_utf7.encode("Готово").decode()) == 3

    def refuse(self: Connection, *rest: Any) -> None:
        raise Refused("no rights")

    monkeypatch.setattr(Connection, "mark", refuse)
    dovecot.deliver(*letters(1, 3))
    fetch(app, box)
    found = box_of(box)
    assert (found.trouble, found.trouble_words, stored()) == (ImapTrouble.MARK, "no rights", 4)


def test_one_email_in_two_mailboxes_is_one_ticket(mailroom: Mailroom, dovecot: Dovecot) -> None:
    dovecot.deliver(mail(To="billing@example.com, support@example.com"))
    fetch(mailroom.app, set_up(mailroom.app, dovecot))
    fetch(mailroom.app, set_up(mailroom.app, dovecot, address="billing@example.com", username="b"))
    receive.process_new()
    (ticket,) = mailroom.tickets()
    assert ticket.queue_id == mailroom.cast.billing.id


def test_the_mailbox_decides_the_queue_and_a_reply_finds_its_ticket(
    mailroom: Mailroom, dovecot: Dovecot
) -> None:
    app = mailroom.app
    box = set_up(app, dovecot, address="billing@example.com")
    dovecot.deliver(mail(To="undisclosed-recipients:;"))
    fetch(app, box)
    receive.process_new()
    (ticket,) = mailroom.tickets()
    assert ticket.queue_id == mailroom.cast.billing.id
    secret = app.config["SECRET_KEY"].encode()
    signed = ticket_address(secret, ticket.id, "billing", "example.com")
    dovecot.deliver(mail(To=signed, Message_ID="<two@client.example>", Subject="Other words"))
    fetch(app, box)
    receive.process_new()
    assert len(mailroom.tickets()) == 1 and len(mailroom.messages(ticket.id)) == 2


def test_idle_brings_an_email_within_two_seconds(app: Flask, cast: Cast, dovecot: Dovecot) -> None:
    box = set_up(app, dovecot)
    with service(app):
        until(lambda: box_of(box).last_seen_at)
        time.sleep(imap.FIRST_IDLE_SECONDS + 0.2)  # it waits in IDLE now
        dovecot.deliver(*letters(1))
        assert until(stored) < 2
        with ext.write() as session:
            changed = session.get_one(ImapBox, box)
            changed.active, changed.version = False, changed.version + 1
        until(lambda: box_of(box).claimed_by is None)  # switched off: left at once


def test_two_services_never_fetch_one_mailbox_at_once(
    app: Flask, cast: Cast, dovecot: Dovecot
) -> None:
    dovecot.deliver(*letters(150))
    box = set_up(app, dovecot)
    with service(app), service(app):
        until(lambda: stored() >= 150)
        dovecot.deliver(*letters(30, 150))
        until(lambda: stored() >= 180)
        until(lambda: box_of(box).waiting == 0)
    assert stored() == box_of(box).fetched == 180


def test_who_lost_the_mailbox_stores_nothing_more(app: Flask, cast: Cast, dovecot: Dovecot) -> None:
    dovecot.deliver(*letters(3))
    box = set_up(app, dovecot)
    with claimed(app, box) as fetcher, fetcher.connect() as connection:
        with ext.write() as session:
            imap_state.release(session, box, fetcher.me)
            assert imap_state.claim(session, box, "somebody else", now())
        with pytest.raises(imap_state.Lost):
            fetcher.fetch(connection)
    assert stored() == 0


def test_dovecot_killed_in_a_loop_and_the_folder_made_anew(
    app: Flask, cast: Cast, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_service, "FIRST_DELAY", 0.02)
    monkeypatch.setattr(imap_service, "LONGEST_DELAY", 0.1)
    everything = letters(300)
    box = set_up(app, dovecot, after=ImapAfter.SEEN)
    with service(app):
        for number in range(6):
            dovecot.deliver(*everything[50 * number : 50 * number + 50])
            time.sleep(0.02 * number)
            dovecot.kill()
            if number % 3 == 1:
                dovecot.forget()
            dovecot.start()
        until(lambda: stored() >= 300)
        until(lambda: dovecot.count("UNSEEN") == 0)
    assert raws() == Counter(everything)
    assert box_of(box).failing_since is None


TROUBLES: list[tuple[dict[str, Any], ImapTrouble]] = [
    ({"password": "wrong"}, ImapTrouble.LOGIN),
    ({"folder": "Nothing"}, ImapTrouble.FOLDER),
    ({"tls": ImapTls.STARTTLS}, ImapTrouble.CERTIFICATE),
    ({"tls": ImapTls.TLS}, ImapTrouble.TLS),
    ({"host": "nothing.invalid"}, ImapTrouble.NAME),
    ({"port": 1}, ImapTrouble.AWAY),
]


@pytest.mark.parametrize(("changes", "kind"), TROUBLES, ids=[kind for _, kind in TROUBLES])
def test_what_is_wrong_is_told(
    running: Dovecot, changes: dict[str, Any], kind: ImapTrouble
) -> None:
    good = Login("localhost", running.port, ImapTls.PLAIN, USER, PASSWORD, "INBOX")
    with pytest.raises(Trouble) as trouble:
        look(replace(good, **changes))
    assert trouble.value.kind == kind
    assert PASSWORD not in trouble.value.words
    assert kind != ImapTrouble.FOLDER or "INBOX" in trouble.value.words


def test_a_self_signed_certificate_is_refused_until_somebody_vouches_for_it(
    running: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = Login("localhost", running.tls_port, ImapTls.TLS, USER, PASSWORD, "INBOX")
    logins = (running.folder / "log").read_text().count("Login: user")
    with pytest.raises(Trouble) as trouble:
        look(login)
    assert trouble.value.kind == ImapTrouble.CERTIFICATE
    assert (running.folder / "log").read_text().count("Login: user") == logins
    monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
    assert look(login).at_once
    assert look(replace(login, port=running.port, tls=ImapTls.STARTTLS)).at_once
    with pytest.raises(Trouble) as trouble:  # good for localhost alone
        look(replace(login, host="127.0.0.1"))
    assert trouble.value.kind == ImapTrouble.CERTIFICATE


@contextmanager
def liar(begin: bytes, again: bytes) -> Iterator[int]:
    """A server whose answer to EXAMINE never ends; its port."""

    def serve() -> None:
        connection, _address = listening.accept()
        with connection, connection.makefile("rb") as lines, suppress(OSError):
            connection.sendall(b"* OK [CAPABILITY IMAP4rev1] hello\r\n")
            for line in lines:
                tag, command = line.split()[:2]
                if command != b"EXAMINE":
                    connection.sendall(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
                    continue
                connection.sendall(begin)
                while True:
                    connection.sendall(again)
                    time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (b"* OK {99999999999}\r\n", b"x" * 65536),
        (b"", b"* OK " + b"x" * 65536 + b"\r\n"),
        (b"* OK {1000}\r\n", b"x"),
    ],
    ids=["literal", "lines", "drops"],
)
def test_an_endless_answer_is_hung_up_on(
    begin: bytes, again: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_wire, "COMMAND_SECONDS", 1.0)
    with liar(begin, again) as port, pytest.raises(Trouble) as trouble:
        look(Login("localhost", port, ImapTls.PLAIN, USER, "secret", "INBOX"))
    assert trouble.value.kind == ImapTrouble.LOST, trouble.value.words


def test_administrators_are_told_once_after_ten_minutes(
    app: Flask, cast: Cast, dovecot: Dovecot, clock: time_machine.Traveller
) -> None:
    box = set_up(app, dovecot, password="wrong")
    with claimed(app, box) as fetcher:
        with pytest.raises(Trouble) as trouble:
            fetcher.connect()
        for _minute in range(12):
            fetcher.note(trouble.value)
            clock.shift(timedelta(minutes=1))
    while react():
        pass
    with ext.session() as session:
        kinds = session.scalars(select(Event.kind).where(Event.kind.startswith("imap.")))
        assert sorted(kinds) == ["imap.created", "imap.failing"]
        assert [notice.kind for notice in unread(session, cast.ada.id)] == ["imap.failing"]
        assert not unread(session, cast.sam.id)
        assert imap_state.counted(session) == {"in_order": 0, "failing": 1, "off": 0}
    with ext.write() as session:
        secret = app.config["SECRET_KEY"].encode()
        found = session.get_one(ImapBox, box)
        wanted = Wanted(
            found.address,
            found.host,
            found.port,
            found.tls,
            found.username,
            PASSWORD,
            found.folder,
            found.after,
            "",
        )
        imap_boxes.change_box(session, found, wanted, secret=secret, at=now(), actor=SYSTEM)
    fetch(app, box)
    assert box_of(box).last_seen_at == now() and box_of(box).trouble is None
