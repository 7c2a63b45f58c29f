"""What becomes of an email: a ticket, a message on a ticket, or a failure that is kept."""

import threading

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.events import Actor, Event
from helpdesk.intake import receive
from helpdesk.intake.actions import RawEmail, accept, replay
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict
from helpdesk.lib.tokens import ticket_address
from helpdesk.tickets.actions import set_status
from helpdesk.tickets.models import Attachment, Channel, Status, Ticket
from tests.intake.conftest import Mailroom, email


def events(kind: str) -> list[Event]:
    with ext.session() as session:
        return list(session.scalars(select(Event).where(Event.kind == kind).order_by(Event.id)))


def test_an_email_opens_a_ticket_for_the_client_it_is_from(mailroom: Mailroom) -> None:
    delivery = mailroom.take(email("Не горить лампа, допоможіть.", subject="Лампа"))
    (ticket,) = mailroom.tickets()
    (message,) = mailroom.messages(ticket.id)
    assert delivery.state == DeliveryState.DONE
    assert delivery.ticket_id == ticket.id
    assert (ticket.subject, ticket.status, ticket.channel) == ("Лампа", Status.NEW, Channel.EMAIL)
    assert ticket.client_id == mailroom.cast.oksana.client_id
    assert ticket.queue_id == mailroom.cast.support.id
    assert ticket.language == "uk"
    assert ticket.waiting_since == delivery.received_at
    assert message.text == "Не горить лампа, допоможіть."
    assert message.message_id == "one@client.example"


def test_an_unknown_sender_becomes_a_potential_client(mailroom: Mailroom) -> None:
    mailroom.take(email(sender="Пётр Власов <Petr@New.Example>"))
    with ext.session() as session:
        point = session.scalars(
            select(ContactPoint).where(ContactPoint.key == "petr@new.example")
        ).one()
        person = session.get_one(Person, point.person_id)
        client = session.get_one(Client, person.client_id)
    assert (client.name, client.potential) == ("Пётр Власов", True)
    assert not point.verified
    assert [event.client_id for event in events("client.created")][-1] == client.id


def test_the_same_email_again_changes_nothing(mailroom: Mailroom) -> None:
    first = mailroom.take(email())
    assert mailroom.take(email()).id == first.id
    retried = b"Received: from elsewhere\r\n" + email().as_bytes()
    assert mailroom.take(retried).id == first.id
    assert len(mailroom.tickets()) == 1


def test_another_email_under_a_used_message_id_is_not_lost(mailroom: Mailroom) -> None:
    mailroom.take(email("One"))
    mailroom.take(email("Two"))
    assert len(mailroom.deliveries()) == 2
    texts = [m.text for t in mailroom.tickets() for m in mailroom.messages(t.id)]
    assert sorted(texts) == ["One", "Two"]


def test_an_email_without_message_id_is_still_known_again(mailroom: Mailroom) -> None:
    first = mailroom.take(email(message_id=None))
    assert mailroom.take(email(message_id=None)).id == first.id


def test_an_email_without_from_opens_a_ticket_with_the_raw_message(mailroom: Mailroom) -> None:
    raw = b"To: support@example.com\r\nSubject: who am I\r\n\r\nhello"
    mailroom.take(raw, envelope_from="")
    (ticket,) = mailroom.tickets()
    assert ticket.contact_point_id is None
    with ext.session() as session:
        names = session.scalars(
            select(Attachment.filename).where(Attachment.ticket_id == ticket.id)
        ).all()
    assert names == ["message.eml"]


def test_a_broken_email_opens_a_ticket_with_the_raw_message(mailroom: Mailroom) -> None:
    raw = (
        b"From: oksana@client.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain; charset=x-unknown\r\n\r\n\xff\xfe broken"
    )
    mailroom.take(raw)
    (ticket,) = mailroom.tickets()
    (message,) = mailroom.messages(ticket.id)
    assert message.parse_errors
    with ext.session() as session:
        attachment = session.scalars(
            select(Attachment).where(Attachment.message_id == message.id)
        ).one()
    assert attachment.content_type == "message/rfc822"


def test_files_come_along(mailroom: Mailroom) -> None:
    message = email()
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="чек.pdf")
    mailroom.take(message)
    with ext.session() as session:
        attachment = session.scalars(select(Attachment)).one()
    assert (attachment.filename, attachment.size) == ("чек.pdf", 8)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "\u200b.htaccess", "\u202egpj.exe", "x" * 300]
)
def test_hostile_file_names_never_reach_the_disk(mailroom: Mailroom, name: str) -> None:
    message = email()
    message.add_attachment(b"data", maintype="application", subtype="x", filename=name)
    mailroom.take(message)
    with ext.session() as session:
        shown = session.scalars(select(Attachment.filename)).one()
    assert "/" not in shown and not shown.startswith(".") and len(shown) <= 150
    root = mailroom.app.config["DATA_DIR"] / "files"
    assert all(len(p.name) == 64 for p in root.rglob("*") if p.is_file())


def test_a_reply_wakes_a_waiting_ticket(mailroom: Mailroom) -> None:
    mailroom.take(email())
    (ticket,) = mailroom.tickets()
    with ext.write() as session:
        row = session.get_one(Ticket, ticket.id)
        set_status(session, row, Status.PENDING, actor=Actor(), at=now())
    answer = email(
        "Any news?", message_id="<two@client.example>", In_Reply_To="<one@client.example>"
    )
    assert mailroom.take(answer).ticket_id == ticket.id
    (ticket,) = mailroom.tickets()
    assert ticket.status == Status.OPEN
    assert events("ticket.status")[-1].data["reason"] == "client_wrote"


def test_a_reply_to_a_closed_ticket_opens_a_related_one(mailroom: Mailroom) -> None:
    mailroom.take(email())
    (ticket,) = mailroom.tickets()
    with ext.write() as session:
        row = session.get_one(Ticket, ticket.id)
        set_status(session, row, Status.CLOSED, actor=Actor(), at=now())
    answer = email("Again", message_id="<two@client.example>", In_Reply_To="<one@client.example>")
    mailroom.take(answer)
    assert [t.related_to_id for t in mailroom.tickets()] == [None, ticket.id]


def test_automatic_mail_becomes_a_ticket_without_a_receipt(mailroom: Mailroom) -> None:
    delivery = mailroom.take(email(Auto_Submitted="auto-generated"))
    assert len(mailroom.tickets()) == 1
    assert delivery.receipt_sent is False
    assert events("ticket.opened")[0].data["receipt"] is False


def test_a_vacation_answer_joins_quietly(mailroom: Mailroom) -> None:
    mailroom.take(email())
    (ticket,) = mailroom.tickets()
    with ext.write() as session:
        row = session.get_one(Ticket, ticket.id)
        set_status(session, row, Status.PENDING, actor=Actor(), at=now())
    vacation = email(
        "I am away.",
        message_id="<v@client.example>",
        In_Reply_To="<one@client.example>",
        Auto_Submitted="auto-replied",
    )
    delivery = mailroom.take(vacation)
    assert delivery.is_auto_reply and delivery.ticket_id == ticket.id
    assert mailroom.tickets()[0].status == Status.PENDING


def bounce(original: str, *, status: str = "5.1.1", action: str = "failed") -> bytes:
    """A delivery status notification (RFC 3464) for the email with this Message-ID."""
    text = (
        "From: MAILER-DAEMON@mx.example\r\nTo: support@example.com\r\nSubject: Undelivered\r\n"
        "MIME-Version: 1.0\r\nMessage-ID: <b@mx.example>\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n"
        "--B\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; oksana@client.example\r\nAction: {action}\r\n"
        f"Status: {status}\r\n\r\n"
        f"--B\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{original}>\r\n\r\n--B--\r\n"
    )
    return text.encode()


def test_a_bounce_without_our_token_lands_on_its_ticket_and_blames_nobody(
    mailroom: Mailroom,
) -> None:
    mailroom.take(email())
    delivery = mailroom.take(bounce("one@client.example"), envelope_from="")
    (ticket,) = mailroom.tickets()
    assert delivery.is_bounce and delivery.ticket_id == ticket.id
    assert mailroom.messages(ticket.id)[-1].is_bounce
    assert not events("contact_point.bad")


def test_a_bounce_with_our_token_marks_the_address_bad(mailroom: Mailroom) -> None:
    mailroom.take(email())
    (ticket,) = mailroom.tickets()
    address = signed(mailroom, ticket.id)
    mailroom.take(bounce("unknown@elsewhere.example"), to=address, envelope_from="")
    assert len(mailroom.tickets()) == 1
    assert len(events("contact_point.bad")) == 1


def test_a_delay_notice_marks_nothing(mailroom: Mailroom) -> None:
    mailroom.take(email())
    address = signed(mailroom, mailroom.tickets()[0].id)
    delayed = bounce("x@y.example", status="4.4.7", action="delayed")
    mailroom.take(delayed, to=address, envelope_from="")
    assert not events("contact_point.bad")


def test_a_bounce_of_nothing_we_know_opens_a_ticket_without_receipt(mailroom: Mailroom) -> None:
    delivery = mailroom.take(bounce("never@seen.example"), envelope_from="")
    assert delivery.ticket_id is not None
    assert delivery.receipt_sent is False


def signed(mailroom: Mailroom, ticket_id: int) -> str:
    secret = mailroom.app.config["SECRET_KEY"].encode()
    return ticket_address(secret, ticket_id, "support", "example.com")


def test_a_delivery_that_fails_is_kept_and_those_behind_it_go_on(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = receive.apply

    def poisoned(session: object, item: receive.Understood) -> receive.Outcome:
        if "poison" in item.inbound.text:
            raise RuntimeError("poisoned")
        return honest(session, item)  # type: ignore[arg-type]

    monkeypatch.setattr(receive, "apply", poisoned)
    bad = mailroom.take(email("poison"))
    good = mailroom.take(email("fine", message_id="<two@client.example>"))
    assert good.state == DeliveryState.DONE
    for _ in range(receive.MAX_ATTEMPTS):
        receive.process_new()
    bad = mailroom.delivery(bad.id)
    assert bad.state == DeliveryState.FAILED
    assert bad.reason == "RuntimeError: poisoned"
    assert len(events("delivery.failed")) == 1
    monkeypatch.undo()
    with ext.write() as session:
        replay(session, session.get_one(Delivery, bad.id), actor=Actor(), at=now())
    receive.process_new()
    assert mailroom.delivery(bad.id).state == DeliveryState.DONE
    assert len(mailroom.tickets()) == 2


def test_a_processed_delivery_is_not_replayed(mailroom: Mailroom) -> None:
    done = mailroom.take(email())
    with ext.write() as session, pytest.raises(Conflict):
        replay(session, session.get_one(Delivery, done.id), actor=Actor(), at=now())


def test_two_workers_share_the_work_without_doubling_it(mailroom: Mailroom, app: Flask) -> None:
    with ext.write() as session:
        accept(
            session,
            [
                RawEmail(
                    email(message_id=f"<{n}@client.example>").as_bytes(),
                    "oksana@client.example",
                    ("support@example.com",),
                    now(),
                )
                for n in range(40)
            ],
        )

    def work() -> None:
        with app.app_context():
            receive.process_new()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    receive.process_new()
    assert len(mailroom.tickets()) == 40
    assert {d.state for d in mailroom.deliveries()} == {DeliveryState.DONE}


def test_two_first_emails_of_one_sender_at_once_make_one_client(
    mailroom: Mailroom, app: Flask
) -> None:
    def send(number: int) -> None:
        with app.app_context(), ext.write() as session:
            message = email(sender="new@new.example", message_id=f"<{number}@new.example>")
            accept(session, [RawEmail(message.as_bytes(), "", ("support@example.com",), now())])
        with app.app_context():
            receive.process_new()

    senders = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    receive.process_new()
    with ext.session() as session:
        points = session.scalars(
            select(ContactPoint).where(ContactPoint.key == "new@new.example")
        ).all()
    assert len(points) == 1
    assert len(mailroom.tickets()) == 4


def test_mail_to_postmaster_goes_to_the_oldest_queue(mailroom: Mailroom) -> None:
    mailroom.take(email(to="postmaster@example.com"), to="postmaster@example.com")
    assert mailroom.tickets()[0].queue_id == mailroom.cast.support.id


def test_mail_to_billing_goes_to_billing(mailroom: Mailroom) -> None:
    mailroom.take(email(to="billing@example.com"), to="Billing@example.com")
    assert mailroom.tickets()[0].queue_id == mailroom.cast.billing.id


def test_large_emails_are_taken_in_portions(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "BATCH_BYTES", 1500)
    with ext.write() as session:
        for number in range(4):
            raw = email("x" * 900, message_id=f"<{number}@client.example>").as_bytes()
            accept(session, [RawEmail(raw, "", ("support@example.com",), now())])
    rounds = []
    while count := receive.process_new():
        rounds.append(count)
    assert rounds == [2, 2]
    assert len(mailroom.tickets()) == 4
