"""Receipts: number, link and promise; once; few; and nothing of what a stranger wrote."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from helpdesk import ext, settings
from helpdesk.clients.actions import mark_verified
from helpdesk.clients.match import Known, find_or_create
from helpdesk.clients.models import ContactPoint, Person
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import read_link_token, read_message_id, read_ticket_address
from helpdesk.outbox import actions as outbox
from helpdesk.outbox.models import Outgoing, OutgoingKind
from helpdesk.outbox.sending import send_due
from helpdesk.reactions import react
from helpdesk.tickets.models import Channel, Policy, Queue, Ticket
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast
from tests.outbox.conftest import OpenTicket
from tests.relay import Relay

Clock = time_machine.Traveller
SECRET = b"k" * 32


def receipts() -> list[Outgoing]:
    query = select(Outgoing).where(Outgoing.kind == OutgoingKind.RECEIPT).order_by(Outgoing.id)
    with ext.session() as session:
        return list(session.scalars(query))


def outcomes() -> list[tuple[str, Any]]:
    query = select(Event).where(Event.kind.in_(("receipt.sent", "receipt.refused")))
    with ext.session() as session:
        return [(e.kind, e.data.get("reason")) for e in session.scalars(query.order_by(Event.id))]


def known(address: str, language: str | None = None, name: str = "Somebody") -> Known:
    with ext.write() as session:
        return find_or_create(session, email=address, name=name, language=language, at=now())


def test_a_receipt_has_number_link_and_promise(app: Flask, relay: Relay, ask: OpenTicket) -> None:
    ticket_id = ask(receipt=True, message_id="first@client.example")
    react()
    send_due()
    [message] = relay.parsed()
    [taken] = relay.taken
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    with ext.session() as session:
        ticket = session.get_one(Ticket, ticket_id)
    assert ticket.number in text
    assert ticket.number in html
    link = re.search(rf"{app.config['PUBLIC_URL']}/t/(\S+)", text)
    assert link is not None
    assert link[0] in html
    assert read_link_token(SECRET, link[1], ticket.link_nonce) == ticket_id
    # Monday noon and four office hours: 16:00 in Kyiv.
    assert "пн, 23 листопада, 16:00 (UTC+2)" in text
    assert "пн, 23 листопада, 16:00 (UTC+2)" in html
    assert taken.sender == ""
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == "<first@client.example>"
    assert read_message_id(SECRET, message["Message-ID"]) == ticket_id
    assert read_ticket_address(SECRET, message["Reply-To"]) == ticket_id


@pytest.mark.parametrize(
    ("language", "moment"),
    [
        ("en", "Mon 23 Nov, 16:00 (UTC+2)"),
        ("ru", "пн, 23 ноября, 16:00 (UTC+2)"),
        ("uk", "пн, 23 листопада, 16:00 (UTC+2)"),
    ],
)
def test_it_speaks_the_clients_language(ask: OpenTicket, language: str, moment: str) -> None:
    ask(who=known("client@elsewhere.example", language), receipt=True, language="en")
    react()
    [row] = receipts()
    assert row.language == language
    assert moment in row.text
    assert row.html is not None
    assert f'<html lang="{language}">' in row.html


def test_without_stored_language_the_texts_own_counts_then_the_primary(
    ask: OpenTicket, clock: Clock
) -> None:
    who = known("plain@elsewhere.example")
    ask(who=who, receipt=True, language="ru")
    react()
    clock.shift(timedelta(hours=2))
    ask(who=who, receipt=True, language=None)
    react()
    clock.shift(timedelta(hours=2))
    with ext.write() as session:
        settings.put(session, "language_rule", "primary_first")
    ask(who=who, receipt=True, language="ru")
    react()
    assert [row.language for row in receipts()] == ["ru", "uk", "uk"]


def test_the_promise_is_in_the_calendars_zone(ask: OpenTicket, cast: Cast) -> None:
    with ext.write() as session:
        office = session.merge(cast.office)
        office.timezone = "America/New_York"
    ask(receipt=True)
    react()
    [row] = receipts()
    # 05:00 in New York: the office opens at nine.
    assert "пн, 23 листопада, 13:00 (UTC−5)" in row.text


def test_without_a_promise_a_plain_sentence(ask: OpenTicket) -> None:
    with ext.write() as session:
        for policy in session.scalars(select(Policy)):
            policy.active = False
            policy.version += 1
    ask(receipt=True, who=known("x@elsewhere.example", "en"))
    react()
    [row] = receipts()
    assert "We answer as soon as we can." in row.text


def test_an_unverified_address_reads_nothing_that_was_submitted(
    relay: Relay, ask: OpenTicket
) -> None:
    who = known("victim@elsewhere.example", "en", name="BUY CHEAP <b>PILLS</b>")
    ask("BODYCANARY http://spam.example", who=who, subject="SUBJECTCANARY", receipt=True)
    react()
    send_due()
    [message] = relay.parsed()
    parts = [part.get_content() for part in message.walk() if not part.is_multipart()]
    whole = "\n".join([*map(str, message.values()), *parts])
    for canary in ("BODYCANARY", "SUBJECTCANARY", "PILLS", "BUY", "spam.example"):
        assert canary not in whole


def test_a_verified_address_reads_its_name_and_subject(ask: OpenTicket, cast: Cast) -> None:
    with ext.write() as session:
        mark_verified(session, cast.oksana.contact_point_id, at=now())
        person = session.get_one(Person, cast.oksana.person_id)
        person.vocative = "Пані Оксано"
    ask(receipt=True)
    react()
    [row] = receipts()
    assert row.subject == "Re: Замовлення 17"
    assert "Пані Оксано" in row.text
    assert "Замовлення 17" in row.text


def test_without_a_stored_vocative_a_ukrainian_greeting_has_no_name(
    ask: OpenTicket, cast: Cast
) -> None:
    with ext.write() as session:
        mark_verified(session, cast.oksana.contact_point_id, at=now())
    ask(receipt=True)
    react()
    assert "Оксана" not in receipts()[0].text


def test_never_twice_for_one_ticket(ask: OpenTicket, clock: Clock) -> None:
    ticket_id = ask(receipt=True)
    react()
    clock.shift(timedelta(days=2))
    with ext.write() as session:
        assert outbox.enqueue_receipt(session, ticket_id, at=now()) is None
    assert len(receipts()) == 1
    assert outcomes()[-1] == ("receipt.refused", "already_sent")


def test_a_flood_with_a_victims_address_gives_one_an_hour_and_three_a_day(
    cast: Cast, clock: Clock, database_url: str
) -> None:
    """1,000 tickets within 20 hours, from spellings of one mailbox (fewer on the slower server)."""
    at_once = 25 if database_url.startswith("sqlite") else 5
    spellings = [known(f"{local}@elsewhere.example") for local in ("victim", "victim+a", "v.ictim")]
    for start in range(0, 40 * at_once, at_once):
        with ext.write() as session:
            for number in range(start, start + at_once):
                open_ticket(
                    session,
                    queue_id=cast.support.id,
                    who=spellings[number % 3],
                    subject="Spam",
                    channel=Channel.EMAIL,
                    language=None,
                    at=now(),
                    receipt=True,
                )
        react(1000)
        clock.shift(timedelta(minutes=30))
    rows = receipts()
    assert len(rows) == 3
    moments = [row.created_at for row in rows]
    assert all(b - a >= timedelta(hours=1) for a, b in zip(moments, moments[1:], strict=False))
    with ext.session() as session:
        refused = session.scalar(
            select(func.count()).select_from(Event).where(Event.kind == "receipt.refused")
        )
    assert refused == 40 * at_once - 3


def test_after_a_day_the_address_may_have_one_again(ask: OpenTicket, clock: Clock) -> None:
    for _ in range(4):
        ask(receipt=True)
        react()
        clock.shift(timedelta(hours=2))
    assert [kind for kind, _ in outcomes()] == ["receipt.sent"] * 3 + ["receipt.refused"]
    clock.shift(timedelta(days=1))
    ask(receipt=True)
    react()
    assert len(receipts()) == 4


def test_no_receipt_where_the_queue_sends_none(ask: OpenTicket, cast: Cast) -> None:
    with ext.write() as session:
        session.get_one(Queue, cast.support.id).receipts = False
    ask(receipt=True)
    react()
    assert outcomes() == [("receipt.refused", "queue")]


def test_no_receipt_to_an_address_that_returned_our_mail(ask: OpenTicket, cast: Cast) -> None:
    with ext.write() as session:
        session.get_one(ContactPoint, cast.oksana.contact_point_id).bad = True
    ask(receipt=True)
    react()
    assert outcomes() == [("receipt.refused", "bad_address")]


def test_no_receipt_to_ourselves(ask: OpenTicket) -> None:
    ask(who=known("billing@example.com"), receipt=True)
    react()
    assert outcomes() == [("receipt.refused", "own_address")]


def test_a_ticket_that_asks_for_none_gets_none(ask: OpenTicket) -> None:
    ask(receipt=False)
    react()
    assert (receipts(), outcomes()) == ([], [])
