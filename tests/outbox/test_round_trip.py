"""Our emails and what comes back to them, through the real intake."""

from email.message import EmailMessage

from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.clients.models import ContactPoint
from helpdesk.events import Event
from helpdesk.intake import mail, receive
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.lib.clock import now
from helpdesk.notices import Notice
from helpdesk.outbox.models import Outgoing
from helpdesk.outbox.sending import send_due
from helpdesk.reactions import react
from helpdesk.tickets.models import Ticket
from tests.cast import Cast
from tests.outbox.conftest import Answer, OpenTicket
from tests.relay import Relay, Taken

ANSWER = """\
From: oksana@client.example
To: {to}
Subject: Re: Lamp
Message-ID: <{id}@client.example>
In-Reply-To: {parent}

Thanks!
"""
BOUNCE = """\
From: MAILER-DAEMON@relay.example
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It did not work.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; oksana@client.example
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: {parent}

--b--
"""


def comes_in(text: str, to: str, envelope_from: str) -> None:
    with ext.write() as session:
        raw = text.replace("\n", "\r\n").encode()
        accept(session, [RawEmail(raw, envelope_from, (to,), now())])
    receive.process_new()
    react()


def tickets() -> list[int]:
    with ext.session() as session:
        return list(session.scalars(select(Ticket.id)))


def kinds(ticket_id: int) -> list[str]:
    with ext.session() as session:
        query = select(Event.kind).where(Event.ticket_id == ticket_id).order_by(Event.id)
        return list(session.scalars(query))


def delivered(relay: Relay) -> tuple[Taken, EmailMessage]:
    react()
    send_due()
    return relay.taken[-1], relay.parsed()[-1]


def test_the_answer_to_our_answer_lands_in_the_same_ticket(
    relay: Relay, ask: OpenTicket, answer: Answer
) -> None:
    ticket_id = ask()
    answer(ticket_id)
    _, ours = delivered(relay)
    by_address = ANSWER.format(to=ours["Reply-To"], id="a", parent="<lost@x.example>")
    comes_in(by_address, str(ours["Reply-To"]), "oksana@client.example")
    by_header = ANSWER.format(to="support@example.com", id="b", parent=ours["Message-ID"])
    comes_in(by_header, "support@example.com", "oksana@client.example")
    assert tickets() == [ticket_id]
    assert kinds(ticket_id).count("message.received") == 3


def test_the_answer_to_a_receipt_lands_in_its_ticket(relay: Relay, ask: OpenTicket) -> None:
    ticket_id = ask(receipt=True)
    _, ours = delivered(relay)
    text = ANSWER.format(to="support@example.com", id="a", parent=ours["Message-ID"])
    comes_in(text, "support@example.com", "oksana@client.example")
    assert tickets() == [ticket_id]


def test_a_bounce_of_our_answer_reaches_its_author(
    relay: Relay, cast: Cast, ask: OpenTicket, answer: Answer
) -> None:
    ticket_id = ask()
    answer(ticket_id)
    taken, ours = delivered(relay)
    comes_in(BOUNCE.format(to=taken.sender, parent=ours["Message-ID"]), taken.sender, "")
    assert tickets() == [ticket_id]
    assert "message.bounced" in kinds(ticket_id)
    with ext.session() as session:
        [notice] = session.scalars(select(Notice)).all()
        point = session.get_one(ContactPoint, cast.oksana.contact_point_id)
    assert (notice.user_id, notice.kind) == (cast.alice.id, "message.bounced")
    assert point.bad


def test_another_help_desk_sees_that_our_automatic_mail_is_automatic(
    app: Flask, relay: Relay, ask: OpenTicket
) -> None:
    ask(receipt=True)
    taken, _ = delivered(relay)
    inbound = mail.parse(taken.raw, envelope_from=taken.sender)
    assert inbound.no_receipt
    assert inbound.is_auto_reply
    again = mail.parse(taken.raw, envelope_from="support@example.com")
    assert again.no_receipt


def test_two_help_desks_do_not_write_to_each_other_for_ever(relay: Relay, ask: OpenTicket) -> None:
    """Our receipt comes back to us, as another desk would send it: it gets no receipt."""
    ask(receipt=True)
    for _ in range(5):
        taken, _ours = delivered(relay)
        echo = (
            taken.raw.decode().replace("\r\n", "\n").replace("support@example.com", "a@b.example")
        )
        comes_in(echo, "support@example.com", "")
        send_due()
    with ext.session() as session:
        assert len(session.scalars(select(Outgoing)).all()) == 1
