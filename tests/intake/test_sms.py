"""SMS in: kept before the answer, one effect each, the right ticket, wishes, pictures; and out."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.calls import carriers
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.match import by_phone
from helpdesk.clients.models import ContactPoint, Person
from helpdesk.events import SYSTEM, Event
from helpdesk.intake import receive, sms
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError
from helpdesk.outbox import sms_sending
from helpdesk.outbox.actions import resend
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState
from helpdesk.reactions import react
from helpdesk.tickets import actions
from helpdesk.tickets.models import (
    Attachment,
    Channel,
    Message,
    MessageKind,
    Queue,
    Status,
    Ticket,
)
from tests.calls.stored import Stored
from tests.cast import Cast

OURS = "+380441234567"
NUMBER = "+380671112233"


@pytest.fixture
def carrier(app: Flask, cast: Cast) -> Stored:
    with ext.write() as session:
        session.get_one(Queue, cast.billing.id).numbers = [OURS]
    return Stored(app)


class Sender:
    """A telephone that writes SMS, each with an id of its own."""

    def __init__(self, carrier: Stored, number: str = NUMBER) -> None:
        self.carrier, self.number, self.count = carrier, number, 0

    def write(self, body: str, *, work: bool = True, **more: str) -> Delivery:
        self.count += 1
        sid = more.pop("sid", f"SM{self.number[-4:]}{self.count:028}")
        params = {"MessageSid": sid, "From": self.number, "To": OURS, "Body": body, "NumMedia": "0"}
        answer = self.carrier.post("/twilio/sms", params | more)
        assert (answer.status_code, answer.text) == (200, sms.ANSWER)
        assert answer.headers["Content-Type"].startswith("text/xml")
        if work:
            settle()
        with ext.session() as session:
            return session.scalars(select(Delivery).order_by(Delivery.id.desc()).limit(1)).one()


@pytest.fixture
def phone(carrier: Stored) -> Sender:
    return Sender(carrier)


def settle() -> None:
    """Let everything that follows happen."""
    sms.fetch_media()
    receive.process_new()
    react()
    sms_sending.send_due()
    react()


def tickets() -> list[Ticket]:
    with ext.session() as session:
        return list(session.scalars(select(Ticket).order_by(Ticket.id)))


def outgoing() -> list[Outgoing]:
    with ext.session() as session:
        return list(session.scalars(select(Outgoing).order_by(Outgoing.id)))


def said(kind: str) -> list[dict[str, Any]]:
    with ext.session() as session:
        return list(
            session.scalars(select(Event.data).where(Event.kind == kind).order_by(Event.id))
        )


def answer(text: str, cast: Cast, ticket_id: int | None = None) -> Message:
    with ext.write() as session:
        ticket = session.get_one(Ticket, ticket_id or tickets()[-1].id)
        message = actions.reply(session, ticket, text, user_id=cast.alice.id, at=now())
    settle()
    return message


def report(carrier: Stored, row: Outgoing, state: str, **more: str) -> int:
    """What the carrier says of an SMS of ours."""
    address = f"/twilio/sms/status?outgoing={row.id}&try={more.pop('attempt', row.attempts)}"
    params = {"MessageSid": row.carrier_id or "SMlost", "MessageStatus": state} | more
    return carrier.post(address, params).status_code


def test_an_sms_opens_a_ticket_of_the_client_with_one_receipt(
    carrier: Stored, phone: Sender, cast: Cast
) -> None:
    delivery = phone.write("Де моє замовлення?")
    (ticket,) = tickets()
    assert (ticket.channel, ticket.subject) == (Channel.SMS, "Де моє замовлення?")
    assert ticket.queue_id == cast.billing.id and ticket.language == "uk"
    assert (delivery.state, delivery.ticket_id) == (DeliveryState.DONE, ticket.id)
    with ext.session() as session:
        found = by_phone(session, NUMBER, "UA")
        assert found is not None and found.person_id == ticket.person_id
    (sent,) = carrier.sent
    assert (sent["To"], sent["From"]) == (NUMBER, OURS)
    assert sent["Body"].startswith("Helpdesk:") and ticket.number in sent["Body"]
    assert "замовлення" not in sent["Body"]  # a number is no identity
    assert len(said("receipt.sent")) == 1


def test_a_repeat_changes_nothing_and_hears_the_same(
    carrier: Stored, phone: Sender, clock: time_machine.Traveller
) -> None:
    for _ in range(3):
        phone.write("Hello", sid="SM" + "1" * 32)
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1
        assert session.scalar(select(func.count()).select_from(Message)) == 1
    phone.write("", sid="")  # without an id: by all that it says
    phone.write("", sid="")
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 2


def test_a_forgery_is_refused_and_leaves_nothing(carrier: Stored) -> None:
    params = {"MessageSid": "SM1", "From": NUMBER, "To": OURS, "Body": "x"}
    for path in ("/twilio/sms", "/twilio/sms/status"):
        assert carrier.post(path, params, signed=False).status_code == 403
        client = carrier.app.test_client()
        assert client.post(path, json=params).status_code == 403
        large = client.post(path, data="Body=" + "x" * (sms.BODY + 1))
        assert large.status_code in (403, 413)
        assert client.get(path).status_code in (403, 404, 405)
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_what_follows_joins_the_open_ticket_and_later_makes_a_new_one(
    phone: Sender, cast: Cast, clock: time_machine.Traveller
) -> None:
    phone.write("First")
    phone.write("and more")
    assert len(tickets()) == 1
    clock.shift(timedelta(hours=71))
    phone.write("still there?")
    assert len(tickets()) == 1
    clock.shift(timedelta(hours=73))
    phone.write("something else")
    assert len(tickets()) == 2
    answer("Yes, on Monday.", cast, tickets()[0].id)
    clock.shift(timedelta(days=9))
    phone.write("Thanks")  # to our SMS, so to that ticket
    with ext.session() as session:
        last = session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
    assert (last.text, last.ticket_id) == ("Thanks", tickets()[0].id)


def test_closed_is_final_and_resolved_is_not(
    phone: Sender, cast: Cast, clock: time_machine.Traveller
) -> None:
    phone.write("Lamp")
    answer("Done", cast)
    for status, count in ((Status.RESOLVED, 1), (Status.CLOSED, 2)):
        with ext.write() as session:
            first = session.scalars(select(Ticket).order_by(Ticket.id)).first()
            assert first is not None
            actions.set_status(session, first, status, actor=SYSTEM, at=now())
        phone.write("Not at all")
        assert len(tickets()) == count
    assert tickets()[0].status == Status.CLOSED
    assert tickets()[1].related_to_id == tickets()[0].id


def test_senders_without_a_number_make_tickets_of_their_own(carrier: Stored) -> None:
    for name in ("KYIVSTAR", "4242", "KYIVSTAR"):
        Sender(carrier, name).write("Stop", sid=f"SM{name}{len(tickets())}")
    assert [ticket.subject for ticket in tickets()] == [
        "KYIVSTAR: Stop",
        "4242: Stop",
        "KYIVSTAR: Stop",
    ]
    assert not carrier.sent
    own = Sender(carrier, OURS).write("Loop")
    assert (own.state, own.reason) == (DeliveryState.IGNORED, sms.OWN_NUMBER)
    assert len(tickets()) == 3


def test_a_bare_stop_is_a_wish_and_no_ticket(
    carrier: Stored, phone: Sender, cast: Cast, clock: time_machine.Traveller
) -> None:
    words = ["STOP", "unsubscribe!", " Стоп. ", "ВІДПИСАТИСЯ", "отписаться"]
    back = ["Start", "СТАРТ", "підписатися", "ПОДПИСАТЬСЯ", "unstop"]
    for stop, start in zip(words, back, strict=True):
        for word, stopped in ((stop, True), (stop, True), (start, False), (start, False)):
            phone.write(word)
            with ext.session() as session:
                point = session.scalars(
                    select(ContactPoint).where(ContactPoint.key == NUMBER)
                ).one()
                assert (point.sms_stopped_at is not None) == stopped, word
    assert not tickets()
    assert [one["stopped"] for one in said("contact_point.sms")] == [True, False] * len(words)
    assert len(carrier.sent) == 4  # a word for each new wish; then it is a game
    assert "START" in carrier.sent[0]["Body"] and "STOP" in carrier.sent[1]["Body"]
    phone.write("Stop", OptOutType="STOP")  # the carrier has answered by itself
    assert len(carrier.sent) == 4
    phone.write("Please stop the delivery")
    assert len(tickets()) == 1
    assert said("receipt.refused")[0]["reason"] == "stopped"


def test_no_sms_goes_to_who_wants_none(
    carrier: Stored, phone: Sender, cast: Cast, clock: time_machine.Traveller
) -> None:
    phone.write("Lamp")
    phone.write("STOP")
    sent = len(carrier.sent)
    with pytest.raises(HelpdeskError, match="STOP"):
        answer("Hello", cast)
    with ext.write() as session:  # an address they have is the way then
        person = session.get_one(Person, tickets()[0].person_id)
        add_contact_point(
            session, person, kind="email", value="w@client.example", country="UA", at=now()
        )
    assert answer("Hello", cast).channel == Channel.EMAIL
    assert len(carrier.sent) == sent
    phone.write("START")
    message = answer("Again", cast)
    assert message.channel == Channel.SMS
    with ext.write() as session:  # STOP came while it waited
        row = session.scalars(select(Outgoing).where(Outgoing.message_id == message.id)).one()
        row.state, row.due_at = OutgoingState.QUEUED, now()
        point = session.scalars(select(ContactPoint).where(ContactPoint.key == NUMBER)).one()
        point.sms_stopped_at = now()
    sent = len(carrier.sent)
    settle()
    assert len(carrier.sent) == sent
    with ext.session() as session:
        again = session.get_one(Outgoing, row.id)
        assert again.state == OutgoingState.FAILED and "STOP" in (again.last_error or "")
    with pytest.raises(HelpdeskError, match="STOP"), ext.write() as session:
        resend(session, session.get_one(Outgoing, row.id), actor=SYSTEM, at=now())


def test_what_no_sms_can_carry_is_refused_before_it_is_sent(
    phone: Sender, cast: Cast, clock: time_machine.Traveller
) -> None:
    phone.write("Lamp")
    for letter, most in (("a", 1530), ("ж", 670), ("€", 765)):
        with pytest.raises(HelpdeskError, match="at most"):
            answer(letter * (most + 1), cast)
        assert answer(letter * most, cast).channel == Channel.SMS
    with ext.write() as session:
        session.get_one(Queue, cast.billing.id).numbers = []
    with pytest.raises(HelpdeskError, match="No queue has a telephone number"):
        answer("Hello", cast)


def test_an_answer_goes_out_and_the_ticket_hears_what_became_of_it(
    carrier: Stored, phone: Sender, cast: Cast, clock: time_machine.Traveller
) -> None:
    phone.write("Lamp")
    answer("On Monday", cast)
    row = outgoing()[-1]
    assert (row.kind, row.state, row.to_address) == (OutgoingKind.SMS, OutgoingState.SENT, NUMBER)
    assert carrier.sent[-1]["Body"] == "On Monday"
    for state, wanted in (
        ("sent", OutgoingState.SENT),
        ("delivered", OutgoingState.DELIVERED),
        ("sent", OutgoingState.DELIVERED),  # late
        ("undelivered", OutgoingState.DELIVERED),  # it has arrived
        ("nonsense", OutgoingState.DELIVERED),
    ):
        assert report(carrier, row, state) == 204
        assert outgoing()[-1].state == wanted
    answer("On Tuesday", cast)
    row = outgoing()[-1]
    for _ in range(2):
        report(carrier, row, "undelivered", ErrorCode="30003")
    failed = outgoing()[-1]
    assert failed.state == OutgoingState.FAILED
    assert failed.last_error == "The client’s phone could not be reached."
    assert len(said("message.failed")) == 1
    with ext.write() as session:
        resend(session, session.get_one(Outgoing, failed.id), actor=SYSTEM, at=now())
    report(carrier, row, "undelivered", ErrorCode="30003")  # of the old try
    settle()
    again = outgoing()[-1]
    assert again.state == OutgoingState.SENT and again.carrier_id != row.carrier_id
    assert carrier.sent[-1]["Body"] == "On Tuesday"
    assert carrier.post("/twilio/sms/status", {"MessageSid": "SMunknown"}).status_code == 204


def test_who_opted_out_at_the_carrier_is_marked_and_a_landline_is_bad(
    carrier: Stored, phone: Sender, cast: Cast, clock: time_machine.Traveller
) -> None:
    phone.write("Lamp")
    carrier.refuse = 400, 21610
    answer("Hello", cast)
    assert outgoing()[-1].state == OutgoingState.FAILED
    assert said("contact_point.sms")[-1]["stopped"] is True
    carrier.refuse = None
    phone.write("START")
    answer("Hello", cast)
    report(carrier, outgoing()[-1], "undelivered", ErrorCode="30006")
    with ext.session() as session:
        point = session.scalars(select(ContactPoint).where(ContactPoint.key == NUMBER)).one()
        assert point.bad
    with pytest.raises(HelpdeskError, match="don't arrive"):
        answer("Hello", cast)


def test_while_the_carrier_is_away_it_waits_and_a_lost_answer_makes_no_second_sms(
    carrier: Stored, phone: Sender, cast: Cast, clock: time_machine.Traveller
) -> None:
    phone.write("Lamp")
    carrier.refuse = 503, 0
    answer("Hello", cast)
    asked = len(carrier.sent)
    assert outgoing()[-1].state == OutgoingState.QUEUED
    settle()
    assert len(carrier.sent) == asked
    carrier.refuse = None
    carrier.silent = True
    clock.shift(timedelta(minutes=5))
    settle()
    row = outgoing()[-1]
    assert (row.state, row.carrier_id, row.maybe_sent) == (OutgoingState.SENDING, None, True)
    with pytest.raises(Conflict), ext.write() as session:
        resend(session, session.get_one(Outgoing, row.id), actor=SYSTEM, at=now())
    report(carrier, row, "sent", attempt="99")
    assert outgoing()[-1].state == OutgoingState.SENDING
    report(carrier, row, "sent")
    assert (outgoing()[-1].state, outgoing()[-1].carrier_id) == (OutgoingState.SENT, "SMlost")
    asked = len(carrier.sent)
    clock.shift(timedelta(hours=1))
    settle()
    assert len(carrier.sent) == asked


def test_pictures_come_from_the_carrier_alone(
    carrier: Stored, phone: Sender, clock: time_machine.Traveller
) -> None:
    account = f"/2010-04-01/Accounts/{carriers.account().sid}"
    good = f"https://api.twilio.com{account}/Messages/MM1/Media/ME1"
    carrier.files["ME1"] = b"\x89PNG picture", "image/png"
    foreign = [
        "http://127.0.0.1:8000/admin",
        "http://169.254.169.254/latest/meta-data",
        "https://evil.example/x.png",
        "https://api.twilio.com@evil.example/x",
        f"https://api.twilio.com{account}/../../x",
        "file:///etc/passwd",
    ]
    urls = [good, *foreign]
    media = {f"MediaUrl{n}": url for n, url in enumerate(urls)}
    phone.write("Look", NumMedia=str(len(urls)), **media)
    with ext.session() as session:
        (message,) = session.scalars(select(Message)).all()
        (file,) = session.scalars(select(Attachment)).all()
    assert (file.filename, file.content_type) == ("mms-1.png", "image/png")
    assert message.parse_errors == ["media_missing"]
    assert {path for method, path, _ in carrier.asked if method == "GET"} == {
        f"{account}/Messages/MM1/Media/ME1"
    }


def test_a_picture_that_is_late_is_waited_for_and_stops_nobody(
    carrier: Stored, phone: Sender, clock: time_machine.Traveller
) -> None:
    account = f"/2010-04-01/Accounts/{carriers.account().sid}"
    url = f"https://api.twilio.com{account}/Messages/MM1/Media/ME1"
    phone.write("Look", NumMedia="1", MediaUrl0=url)
    other = Sender(carrier, "+380672223344")
    other.write("Me too")
    assert [ticket.subject for ticket in tickets()] == ["Me too"]
    carrier.files["ME1"] = b"x" * (sms.MEDIA_BYTES + 1), "image/png"
    clock.shift(timedelta(seconds=10))
    settle()
    assert [ticket.subject for ticket in tickets()] == ["Me too", "Look"]
    phone.write("Another", NumMedia="1", MediaUrl0=url.replace("ME1", "ME2"))
    for _ in sms.WAITS:
        clock.shift(timedelta(minutes=5))
        settle()
    with ext.session() as session:
        query = select(Message.parse_errors).where(Message.text != "Me too").order_by(Message.id)
        assert list(session.scalars(query)) == [["media_missing"]] * 2


def test_what_came_while_we_were_away_is_fetched_once(
    carrier: Stored, phone: Sender, clock: time_machine.Traveller
) -> None:
    phone.write("First", sid="SM" + "1" * 32)
    for n in (1, 2):
        carrier.texts.append(
            {
                "sid": f"SM{str(n) * 32}",
                "from": NUMBER,
                "to": OURS,
                "body": f"Number {n}",
                "direction": "inbound",
                "num_media": "0",
            }
        )
    for _ in range(2):
        assert sms.fetch_missed() == 2
        settle()
    with ext.session() as session:
        texts = list(
            session.scalars(
                select(Message.text).where(Message.kind == MessageKind.INBOUND).order_by(Message.id)
            )
        )
    assert texts == ["First", "Number 2"]
    clock.shift(timedelta(hours=3))
    assert sms.fetch_missed() == 2  # the carrier was asked for what came since
    carrier.app.config["TWIN_URL"] = None
    assert sms.fetch_missed() == 0


def test_receipts_of_one_number_have_a_limit(
    carrier: Stored, phone: Sender, cast: Cast, clock: time_machine.Traveller
) -> None:
    for n in range(3):
        phone.write(f"Request {n}")
        with ext.write() as session:
            for ticket in session.scalars(select(Ticket).order_by(Ticket.id)):
                actions.set_status(session, ticket, Status.CLOSED, actor=SYSTEM, at=now())
    assert len(tickets()) == 3
    assert len(carrier.sent) == 1
    assert [one["reason"] for one in said("receipt.refused")] == ["hour_limit"] * 2
