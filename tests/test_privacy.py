"""Erasure leaves no trace of a person, and nothing of anybody else is lost."""

import json
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import JSON, Enum, LargeBinary, String, func, select
from sqlalchemy.types import TypeDecorator

from helpdesk import ext, files, privacy
from helpdesk.accounts.models import IdempotentAnswer
from helpdesk.calls import recordings
from helpdesk.calls.models import (
    Call,
    CallCommand,
    CallEvent,
    CallState,
    CommandState,
    Direction,
    Provider,
    Recording,
    RecordingState,
)
from helpdesk.calls.providers.port import Heard
from helpdesk.clients import fact_actions
from helpdesk.clients.actions import add_contact_point, add_person, change_client, create_client
from helpdesk.clients.billing import put_invoice, put_purchase
from helpdesk.clients.items import put_item
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.events import Actor, Event
from helpdesk.ext import EnumText
from helpdesk.fields import seed_fields
from helpdesk.intake import receive, sms
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.archive import archive_raw
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.kb.actions import create_article
from helpdesk.kb.checks import Content
from helpdesk.kb.learning import learn
from helpdesk.kb.models import Search, Source
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound
from helpdesk.lib.tokens import ticket_address
from helpdesk.outbox import sms_sending
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState
from helpdesk.planner.models import Task, TaskKind, TaskState
from helpdesk.privacy.inventory import BLANKED, decided
from helpdesk.products import create_product
from helpdesk.reactions import react
from helpdesk.reports.models import Exclusion, ReportFile, Statement
from helpdesk.surveys import Rating
from helpdesk.tickets import actions, drafts
from helpdesk.tickets.models import (
    Attachment,
    Channel,
    Clock,
    Draft,
    Message,
    MessageKind,
    Queue,
    Status,
    Ticket,
)
from helpdesk.tickets.search import find_ticket_ids
from tests import canaries
from tests.calls.stored import Stored
from tests.cast import Cast


def take(raw: EmailMessage | bytes, *, to: str, sender: str) -> int:
    """Let an email in and process it; returns the id of its ticket."""
    data = raw if isinstance(raw, bytes) else raw.as_bytes()
    data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    with ext.write() as session:
        (delivery_id,) = accept(session, [RawEmail(data, sender, (to,), now())])
    receive.process_new()
    with ext.session() as session:
        delivery = session.get_one(Delivery, delivery_id)
        assert delivery.state == DeliveryState.DONE, delivery.reason
        assert delivery.ticket_id is not None
        return delivery.ticket_id


def plain_email(sender: str, to: str, text: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = headers.pop("subject", "Lamp")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


@dataclass(frozen=True)
class Traces:
    """Where the canary has been: its own ticket, one of another client's, the file it sent."""

    client_id: int
    person_id: int
    ticket_id: int
    other_ticket_id: int
    other_client_id: int
    sha256: str


@pytest.fixture
def traces(app: Flask, cast: Cast, clock: time_machine.Traveller) -> Traces:
    """A canary that has left words in every place the product has."""
    ticket_id = take(canaries.email(), to="support@example.com", sender=canaries.ADDRESS)
    with ext.session() as session:
        ticket = session.get_one(Ticket, ticket_id)
        client_id, person_id = ticket.client_id, ticket.person_id
        file = session.scalars(select(Attachment)).one().file
    _known_well(client_id, person_id)
    _recorded(cast, client_id, person_id, ticket_id)
    _answered(cast, ticket_id)
    clock.shift(timedelta(minutes=11))
    archive_raw()
    _returned(app, ticket_id)
    other_ticket_id, other_client_id = _elsewhere(app)
    react()
    _phoned(app, cast, client_id, person_id, ticket_id)
    _reported(cast, client_id, ticket_id)
    return Traces(client_id, person_id, ticket_id, other_ticket_id, other_client_id, file.sha256)


def _known_well(client_id: int, person_id: int) -> None:
    with ext.write() as session:
        client, person = session.get_one(Client, client_id), session.get_one(Person, person_id)
        add_contact_point(
            session, person, kind="phone", value=canaries.PHONE, country="UA", at=now()
        )
        person.role, person.vocative = canaries.ROLE, canaries.VOCATIVE
        change_client(
            session, client, actor=Actor(), at=now(), about=canaries.ABOUT, tags=[canaries.TAG]
        )


def _recorded(cast: Cast, client_id: int, person_id: int, ticket_id: int) -> None:
    """What colleagues, the billing system, the portal and the knowledge base know."""
    today = now().date()
    with ext.write() as session:
        client = session.get_one(Client, client_id)
        actor = Actor(user_id=cast.alice.id)
        by: dict[str, Any] = {"actor": actor, "at": now()}
        seed_fields(session)
        change_client(session, client, profile={"residence": canaries.PROFILE}, **by)
        fact_actions.add_note(session, client, canaries.JOTTED, user_id=cast.alice.id, at=now())
        content = f"{canaries.DOCUMENT} inside".encode()
        fact_actions.add_document(
            session, client, sha256=files.put(content), size=len(content),
            filename=f"{canaries.DOCUMENT}.txt", content_type="text/plain", **by,
        )  # fmt: skip
        fact_actions.make_promise(
            session, client, canaries.PROMISED,
            due_at=now() + timedelta(days=1), user_id=cast.alice.id, at=now(),
        )  # fmt: skip
        product = create_product(session, name="Lamp", **by)
        put_item(session, client, {"product_id": product.id, "serial": canaries.SERIAL}, **by)
        money = {"amount": 100, "currency": "UAH", "external_id": f"1-{canaries.BOUGHT}"}
        put_purchase(session, client, money | {"bought_on": today, "title": "Lamp"}, **by)
        put_invoice(session, client, money | {"issued_on": today}, **by)
        session.add(
            Rating(ticket_id=ticket_id, person_id=person_id, score=2, comment=canaries.RATED,
                   at=now())
        )  # fmt: skip
        article = create_article(session, Content("Лампа", "Як увімкнути."), lang="uk", **by)
        learn(
            session, article.article_id, "uk", canaries.ASKED,
            source=Source.DESK, ticket_id=ticket_id,
        )  # fmt: skip
        session.add(
            Search(at=now(), lang="uk", query=canaries.ASKED, source=Source.FORM, found=0,
                   ticket_id=ticket_id)
        )  # fmt: skip


def _answered(cast: Cast, ticket_id: int) -> None:
    react()  # the receipt
    alice = cast.alice.id
    with ext.write() as session:
        ticket = session.get_one(Ticket, ticket_id)
        actions.reply(session, ticket, canaries.REPLY, user_id=alice, at=now())
        actions.note(session, ticket, canaries.NOTE, user_id=alice, at=now())
        actions.set_tags(session, ticket, [canaries.TAG], actor=Actor(user_id=alice), at=now())
        kind = MessageKind.OUTBOUND
        drafts.save_draft(session, ticket_id, alice, kind, canaries.DRAFT, at=now())
        drafts.attach(
            session,
            ticket_id,
            alice,
            kind,
            sha256=files.put(b"dromedrix in a file"),
            size=19,
            filename="dromedrix.txt",
            content_type="text/plain",
            at=now(),
        )
    react()


def _returned(app: Flask, ticket_id: int) -> None:
    with ext.session() as session:
        query = select(Message.message_id).where(
            Message.ticket_id == ticket_id, Message.kind == MessageKind.OUTBOUND
        )
        sent = session.scalars(query).one()
    raw = (
        f"From: MAILER-DAEMON@mx.example\r\nTo: support@example.com\r\nSubject: Undelivered\r\n"
        f"MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\n{canaries.BOUNCED} could not be reached.\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {canaries.ADDRESS}\r\nAction: delayed\r\nStatus: 4.2.2\r\n"
        f"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{sent}>\r\n"
        f"To: {canaries.ADDRESS}\r\n\r\n{canaries.REPLY.split()[0]}\r\n--b--\r\n"
    ).encode()
    assert take(raw, to="support@example.com", sender="") == ticket_id


def _phoned(app: Flask, cast: Cast, client_id: int, person_id: int, ticket_id: int) -> None:
    """Calls with voicemail, notes and a callback; SMS there and back."""
    carrier = Stored(app)
    carrier.files["RE" + "a" * 32] = canaries.SOUND, "audio/wav"
    number = "+380679118327"
    about: dict[str, Any] = {"client_id": client_id, "person_id": person_id}
    with ext.write() as session:
        session.get_one(Queue, cast.support.id).numbers = ["+380441234567"]
        point = session.scalars(select(ContactPoint).where(ContactPoint.key == number)).one()
        about |= {"contact_point_id": point.id, "ticket_id": ticket_id}
        task = Task(
            kind=TaskKind.CALLBACK, state=TaskState.PLANNED, number=number, title=canaries.PLANNED,
            outcome=canaries.PLANNED, last_error=number, due_at=now(), next_at=now(),
            created_at=now(), **about,
        )  # fmt: skip
        named = call_of(1, from_number=number, facts={"from": number}, **about)
        nameless = call_of(2, to_number=number)  # several people had the number
        session.add_all([task, named, nameless])
        session.flush()
        heard = {"From": number, "SpeechResult": canaries.SPOKEN}
        for call_id, key in ((named.id, "a"), (nameless.id, "b"), (None, "c")):
            session.add(
                CallEvent(key=key, call_id=call_id, provider=Provider.TWIN, kind="step",
                          received_at=now(), payload=heard, status=200, answer=number, error=number)
            )  # fmt: skip
        session.add(
            CallCommand(key="ring", call_id=named.id, kind="ring_customer", data={"to": number},
                        state=CommandState.WAITING, due_at=now(), last_error=number,
                        created_at=now())
        )  # fmt: skip
        told = Heard(
            Provider.TWIN, "recording", "k", recording_id="RE" + "a" * 32,
            recording_state="completed",
        )  # fmt: skip
        recordings.heard(session, told, named, now())
    recordings.fetch_due()
    said = {"MessageSid": "SM1", "From": number, "To": "+380441234567", "Body": canaries.TEXTED}
    lost = said | {"MessageSid": "SM2", "NumMedia": "1", "MediaUrl0": "https://x.example/y"}
    with ext.write() as session:
        sms.accept(session, said, at=now())
        sms.accept(session, lost, at=now())
    receive.process_new()
    with ext.write() as session:
        texted = session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()
        assert texted.channel == Channel.SMS
        actions.reply(session, texted, canaries.TEXTED, user_id=cast.alice.id, at=now())
    react()
    sms_sending.send_due()


def _reported(cast: Cast, client_id: int, ticket_id: int) -> None:
    """A breach that shall not count, a closed month that tells of it, a report that was sent."""
    sam = cast.sam.id
    with ext.write() as session:
        clock = session.scalars(
            select(Clock).where(Clock.ticket_id == ticket_id).order_by(Clock.id).limit(1)
        ).one()
        words = {"client": canaries.NAME, "exclusions": {"1": {"reason": canaries.EXCLUDED}}}
        content = f"{canaries.REPORTED} {canaries.NAME}"
        file_id = files.adopt(session, files.put(content.encode()), len(content.encode()))
        session.add_all([
            Exclusion(clock_id=clock.id, reason=canaries.EXCLUDED, author_id=sam, made_at=now()),
            Statement(client_id=client_id, policy_id=clock.policy_id, month="2026-10",
                      data={"names": words, "numbers": {"met": 3}}, closed_by=sam,
                      closed_at=now()),
            ReportFile(user_id=sam, file_id=file_id, filename=f"{canaries.REPORTED}.csv",
                       content_type="text/csv", size=1, rights="all", created_at=now()),
            Outgoing(key="schedule:1.2", kind=OutgoingKind.NOTICE, state=OutgoingState.QUEUED,
                     due_at=now(), created_at=now(), user_id=sam, to_address="sam@example.com",
                     from_name="", from_address="noreply@example.com", envelope_from="",
                     rfc_message_id="s@example.com", automatic=True, language="en",
                     subject=canaries.REPORTED, text=content, html=f"<p>{content}"),
        ])  # fmt: skip


def call_of(number: int, **values: Any) -> Call:
    plain: dict[str, Any] = {
        "provider": Provider.TWIN, "provider_id": f"CA{number}", "token": f"t{number}",
        "direction": Direction.INBOUND, "language": "uk", "state": CallState.ENDED,
        "step": {"said": canaries.SPOKEN}, "facts": {}, "notes": canaries.CALL_NOTE,
        "started_at": now(), "last_event_at": now(),
    }  # fmt: skip
    return Call(**(plain | values))


def _elsewhere(app: Flask) -> tuple[int, int]:
    """The canary joins another client's ticket; the other one quotes it in the next email."""
    other = plain_email(
        "Oksana <oksana@client.example>",
        "support@example.com",
        "Survivor stays.",
        Message_ID="<a@client.example>",
    )
    ticket_id = take(other, to="support@example.com", sender="oksana@client.example")
    secret = app.config["SECRET_KEY"].encode()
    address = ticket_address(secret, ticket_id, "support", "example.com")
    said = f"I know that too: {canaries.ELSEWHERE}"
    joined = plain_email(canaries.ADDRESS, address, said, Message_ID="<j@k.example>")
    assert take(joined, to=address, sender=canaries.ADDRESS) == ticket_id
    quoting = plain_email(
        "oksana@client.example",
        address,
        f"Outlasting words.\n\nOn Monday {canaries.ADDRESS} wrote:\n> {said}\n",
        Message_ID="<b@client.example>",
    )
    assert take(quoting, to=address, sender="oksana@client.example") == ticket_id
    with ext.session() as session:
        return ticket_id, session.get_one(Ticket, ticket_id).client_id


def keep_answer(cast: Cast, ticket_id: int) -> None:
    """An API answer as it is kept for repeats."""
    body = json.dumps({"id": ticket_id, "subject": canaries.ANSWERED, "requester": {}})
    with ext.write() as session:
        cast.token(session, cast.ada)
        ext.add_row(
            session,
            IdempotentAnswer,
            token_id=1,
            key=f"k{ticket_id}",
            request_hash="0" * 64,
            status=201,
            body=json.dumps({"headers": {}, "body": body}),
            created_at=now(),
        )


def erase(traces: Traces, cast: Cast) -> None:
    with ext.write() as session:
        erased = privacy.erase_client(
            session, traces.client_id, actor=Actor(user_id=cast.ada.id), at=now()
        )
    privacy.after_erasure(erased)


def test_the_canaries_sing_everywhere_before_the_erasure(traces: Traces, cast: Cast) -> None:
    keep_answer(cast, traces.ticket_id)
    everywhere = canaries.found_in_values() | canaries.found_on_disk()
    assert set(everywhere) == set(canaries.WORDS)


def test_nothing_of_an_erased_client_is_left_anywhere(traces: Traces, cast: Cast) -> None:
    keep_answer(cast, traces.ticket_id)
    erase(traces, cast)
    assert canaries.found_in_values() == {}
    assert canaries.found_on_disk() == {}
    with ext.session() as session:
        for words in (canaries.NAME, canaries.ADDRESS, canaries.TEXT, "679118327"):
            assert find_ticket_ids(session, words, country="UA") == []


def test_without_the_second_half_the_disk_still_knows(
    traces: Traces, cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        privacy.erase_client(session, traces.client_id, actor=Actor(), at=now())
    assert canaries.found_in_values() == {} or ext.is_sqlite(ext.db.engine)
    assert canaries.found_on_disk()
    clock.shift(timedelta(days=1, minutes=1))
    privacy.retain(now())
    assert canaries.found_on_disk() == {}


def test_the_skeleton_stays_for_the_numbers(traces: Traces, cast: Cast) -> None:
    with ext.session() as session:
        before = session.scalars(select(func.count()).select_from(Message)).one()
        clocks = session.scalars(select(func.count()).select_from(Clock)).one()
        first_response = session.get_one(Ticket, traces.ticket_id).first_response_at
    erase(traces, cast)
    with ext.session() as session:
        ticket = session.get_one(Ticket, traces.ticket_id)
        client = session.get_one(Client, traces.client_id)
        assert ticket.subject == ""
        assert ticket.status == Status.CLOSED
        assert ticket.next_due_at is None
        assert ticket.first_response_at == first_response is not None
        assert client.name == ""
        assert client.erased_at == now()
        assert session.scalars(select(func.count()).select_from(Message)).one() == before
        assert session.scalars(select(func.count()).select_from(Clock)).one() == clocks
        kinds = set(session.scalars(select(Event.kind).where(Event.client_id == client.id)))
        assert {"ticket.opened", "message.sent", "ticket.erased", "client.erased"} <= kinds


def test_calls_stay_as_numbers_and_what_was_planned_ends(traces: Traces, cast: Cast) -> None:
    erase(traces, cast)
    with ext.session() as session:
        calls = session.scalars(select(Call).order_by(Call.id)).all()
        assert [(call.state, call.from_number, call.facts) for call in calls] == [
            (CallState.ENDED, None, {})
        ] * 2
        recording = session.scalars(select(Recording)).one()
        assert (recording.state, recording.file_id) == (RecordingState.DELETED, None)
        task = session.scalars(select(Task)).one()
        assert (task.state, task.next_at) == (TaskState.CANCELLED, None)
        command = session.scalars(select(CallCommand)).one()
        assert (command.state, command.due_at) == (CommandState.DROPPED, None)
    assert sms_sending.send_due() == 0


def test_a_closed_month_keeps_its_numbers_and_no_report_is_sent(traces: Traces, cast: Cast) -> None:
    erase(traces, cast)
    with ext.session() as session:
        month = session.scalars(select(Statement)).one()
        assert month.data == {"names": {}, "numbers": {"met": 3}}
        assert session.scalars(select(Exclusion.reason)).all() == [""]
        assert session.scalar(select(ReportFile.id)) is None
        report = session.scalars(select(Outgoing).where(Outgoing.key == "schedule:1.2")).one()
        assert (report.state, report.due_at) == (OutgoingState.FAILED, None)
        assert report.to_address == "sam@example.com"


def test_others_keep_what_is_theirs(traces: Traces, cast: Cast) -> None:
    erase(traces, cast)
    with ext.session() as session:
        rows = session.scalars(
            select(Message).where(Message.ticket_id == traces.other_ticket_id).order_by(Message.id)
        ).all()
        assert [row.text.strip() for row in rows] == ["Survivor stays.", "", "Outlasting words."]
        assert session.get_one(Client, traces.other_client_id).name
        assert session.get_one(Ticket, traces.other_ticket_id).status != Status.CLOSED
        found = find_ticket_ids(session, "outlasting", country="UA")
        assert found == [traces.other_ticket_id]
        assert find_ticket_ids(session, canaries.ELSEWHERE, country="UA") == []


def test_a_file_that_somebody_else_sent_too_stays(traces: Traces, cast: Cast) -> None:
    message = plain_email("oksana@client.example", "support@example.com", "Same file")
    message.add_attachment(
        canaries.CONTENT.encode(), maintype="text", subtype="plain", filename="mine.txt"
    )
    take(message, to="support@example.com", sender="oksana@client.example")
    erase(traces, cast)
    assert files.read(traces.sha256) == canaries.CONTENT.encode()


def test_a_file_of_the_erased_alone_is_gone(traces: Traces, cast: Cast) -> None:
    assert files.path_of(traces.sha256).exists()
    erase(traces, cast)
    assert not files.path_of(traces.sha256).exists()
    with ext.session() as session:
        assert session.scalar(select(Attachment.id)) is None
        assert session.scalar(select(Draft.id)) is None


def test_erasing_twice_is_harmless(traces: Traces, cast: Cast) -> None:
    erase(traces, cast)
    erase(traces, cast)
    assert canaries.found_in_values() == {}


def test_nobody_unknown_can_be_erased(app: Flask, cast: Cast) -> None:
    with ext.write() as session, pytest.raises(NotFound):
        privacy.erase_client(session, 4711, actor=Actor(), at=now())
    with ext.write() as session, pytest.raises(NotFound):
        privacy.erase_person(session, 4711, actor=Actor(), at=now())
    with ext.session() as session, pytest.raises(NotFound):
        privacy.export_client(session, 4711)


def test_an_answer_that_still_waits_is_not_sent(traces: Traces, cast: Cast) -> None:
    erase(traces, cast)
    with ext.session() as session:
        rows = session.scalars(select(Outgoing).where(Outgoing.ticket_id == traces.ticket_id)).all()
        assert rows
        assert all(row.due_at is None and row.to_address == "" for row in rows)


def test_an_email_not_processed_yet_is_not_processed_any_more(traces: Traces, cast: Cast) -> None:
    late = plain_email(f"x <{canaries.ADDRESS}>", "support@example.com", canaries.TEXT)
    other = plain_email("oksana@client.example", "support@example.com", "I wait as well")
    to = ("support@example.com",)
    with ext.write() as session:
        waiting = [
            RawEmail(late.as_bytes(), "forwarder@elsewhere.example", to, now()),
            RawEmail(other.as_bytes(), "oksana@client.example", to, now()),
        ]
        accept(session, waiting)
    erase(traces, cast)
    assert canaries.found_in_values() == {}
    assert receive.process_new() == 1


def test_one_person_of_an_organisation_goes_and_the_others_stay(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        client = create_client(session, kind="organisation", name="Lamps Ltd", at=now())
        gone = add_person(session, client, name=canaries.NAME, role=canaries.ROLE, at=now())
        stays = add_person(session, client, name="Petro Staywell", at=now())
        for person, address in ((gone, canaries.ADDRESS), (stays, "petro@lamps.example")):
            add_contact_point(session, person, kind="email", value=address, country="UA", at=now())
    kept = plain_email("petro@lamps.example", "support@example.com", "Petro asks")
    ticket_id = take(kept, to="support@example.com", sender="petro@lamps.example")
    take(canaries.email(), to="support@example.com", sender=canaries.ADDRESS)
    with ext.write() as session:
        erased = privacy.erase_person(session, gone.id, actor=Actor(), at=now())
    privacy.after_erasure(erased)
    assert canaries.found_in_values() == {}
    assert canaries.found_on_disk() == {}
    with ext.session() as session:
        assert session.get_one(Client, client.id).name == "Lamps Ltd"
        assert session.get_one(Person, stays.id).name == "Petro Staywell"
        assert ticket_id in find_ticket_ids(session, "Staywell", country="UA")
        points = session.scalars(select(ContactPoint).where(ContactPoint.person_id == gone.id))
        assert list(points) == []


def test_a_private_client_goes_with_its_person(traces: Traces, cast: Cast) -> None:
    with ext.write() as session:
        erased = privacy.erase_person(session, traces.person_id, actor=Actor(), at=now())
    privacy.after_erasure(erased)
    with ext.session() as session:
        assert session.get_one(Client, traces.client_id).erased_at == now()
    assert canaries.found_in_values() == {}


def test_who_writes_again_after_the_erasure_is_a_new_client(traces: Traces, cast: Cast) -> None:
    erase(traces, cast)
    again = plain_email(canaries.ADDRESS, "support@example.com", "Hello again")
    ticket_id = take(again, to="support@example.com", sender=canaries.ADDRESS)
    with ext.session() as session:
        assert session.get_one(Ticket, ticket_id).client_id != traces.client_id


def test_the_client_gets_everything_that_is_known_of_them(traces: Traces, cast: Cast) -> None:
    with ext.session() as session:
        document = privacy.export_client(session, traces.client_id)
    text = json.dumps(document, ensure_ascii=False).lower()
    missing = {word for word in canaries.WORDS if word.lower() not in text}
    # Of a file there is the name with its hash, of a recording that there is one.
    assert missing == {
        *canaries.CONTENT.split(), "dringelohka", canaries.ANSWERED, canaries.REPORTED
    }  # fmt: skip
    assert traces.sha256 in text
    assert "survivor" not in text


def test_every_column_that_can_hold_text_is_decided_about() -> None:
    undecided, unknown = [], []
    tables = ext.Base.metadata.tables
    for name, table in tables.items():
        text = {column.name for column in table.columns if _holds_text(column.type)}
        undecided += [f"{name}.{column}" for column in text - decided(name)]
        unknown += [f"{name}.{column}" for column in decided(name) - set(table.columns.keys())]
    assert undecided == []
    assert unknown == []
    assert BLANKED.keys() <= tables.keys()


def _holds_text(kind: object) -> bool:
    if isinstance(kind, EnumText):
        return False
    if isinstance(kind, TypeDecorator):
        kind = kind.impl
    return isinstance(kind, String | JSON | LargeBinary) and not isinstance(kind, Enum)
