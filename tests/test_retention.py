"""What is kept for a time goes when its time is over, and nothing else does."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import cache
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update

from helpdesk import ext, files, privacy, settings
from helpdesk.accounts.actions import one_time_link
from helpdesk.accounts.limits import allow
from helpdesk.accounts.models import IdempotentAnswer, LimitHit, LoginSession, OneTimeLink
from helpdesk.accounts.sessions import log_in
from helpdesk.clients import fact_actions
from helpdesk.clients.facts import Document
from helpdesk.clients.models import Client
from helpdesk.events import Actor
from helpdesk.ext import Base
from helpdesk.files import StoredFile
from helpdesk.intake import receive
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.archive import archive_raw, raw_of
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.kb.models import Picture
from helpdesk.lib.clock import now
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.reactions import react
from helpdesk.reports.models import ReportFile
from helpdesk.tickets import actions, drafts
from helpdesk.tickets.models import Attachment, Draft, Message, MessageKind, Ticket
from tests.cast import PASSWORD, Cast


@cache
def email(n: int = 1) -> bytes:
    message = EmailMessage()
    message["From"] = "oksana@client.example"
    message["To"] = "support@example.com"
    message["Subject"] = "Lamp"
    message["Message-ID"] = f"<{n}@client.example>"
    message.set_content(f"The lamp does not work, said {n} times.")
    data = f"proof {n}".encode()
    message.add_attachment(data, maintype="text", subtype="plain", filename="a.txt")
    return message.as_bytes()


def take(*numbers: int, to: str = "support@example.com") -> list[int]:
    raw = [email(n) for n in numbers]
    with ext.write() as session:
        items = [RawEmail(one, "oksana@client.example", (to,), now()) for one in raw]
        found = accept(session, items)
    receive.process_new()
    return found


def count(model: type[Base]) -> int:
    with ext.session() as session:
        return session.scalars(select(func.count()).select_from(model)).one()


def days(number: float) -> datetime:
    return now() + timedelta(days=number)


def test_raw_emails_go_after_their_period(cast: Cast, clock: time_machine.Traveller) -> None:
    old, archived = take(1, 2)
    clock.shift(timedelta(minutes=11))
    archive_raw(limit=1)
    with ext.session() as session:
        packed = session.get_one(Delivery, old).raw_sha256
    assert packed is not None
    assert privacy.retain(days(89)) == 0
    assert privacy.retain(days(91)) >= 2
    with ext.session() as session:
        for delivery_id in (old, archived):
            delivery = session.get_one(Delivery, delivery_id)
            assert delivery.envelope_from is None
            assert delivery.message_id is not None
            with pytest.raises(FileNotFoundError):
                raw_of(delivery)
    assert not files.path_of(packed).exists()
    assert count(Attachment) == 2
    assert privacy.retain(days(91)) == 0


def test_the_administrator_sets_the_period(cast: Cast) -> None:
    (delivery_id,) = take(1)
    with ext.write() as session:
        settings.put(session, "retention_raw_days", 3)
    privacy.retain(days(4))
    with ext.session() as session, pytest.raises(FileNotFoundError):
        raw_of(session.get_one(Delivery, delivery_id))


def test_an_email_that_waits_to_be_processed_is_never_lost(cast: Cast) -> None:
    with ext.write() as session:
        item = RawEmail(email(), "oksana@client.example", ("support@example.com",), now())
        accept(session, [item])
    privacy.retain(days(400))
    assert receive.process_new() == 1
    assert count(Ticket) == 1


def test_an_archived_email_that_another_delivery_needs_stays(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    (first,) = take(1)
    clock.shift(timedelta(days=80))
    (second,) = take(1, to="billing@example.com")
    clock.shift(timedelta(minutes=11))
    archive_raw()
    with ext.session() as session:
        packed = {session.get_one(Delivery, id_).raw_sha256 for id_ in (first, second)}
    assert len(packed) == 1
    privacy.retain(days(15))
    with ext.session() as session:
        assert session.get_one(Delivery, first).raw_sha256 is None
        assert b"said 1 times" in raw_of(session.get_one(Delivery, second))


def test_a_run_in_small_steps_does_it_all(cast: Cast) -> None:
    take(1, 2, 3, 4, 5)
    assert privacy.retain(days(91), limit=2) == 5
    with ext.session() as session:
        assert session.scalar(select(Delivery.id).where(Delivery.raw.is_not(None))) is None


def test_old_drafts_go_with_their_files(cast: Cast, clock: time_machine.Traveller) -> None:
    take(1)
    with ext.write() as session:
        for kind in (MessageKind.OUTBOUND, MessageKind.NOTE):
            drafts.save_draft(session, 1, cast.alice.id, kind, "half a", at=now())
        drafts.attach(
            session,
            1,
            cast.alice.id,
            MessageKind.OUTBOUND,
            sha256=(uploaded := files.put(b"uploaded")),
            size=8,
            filename="a.txt",
            content_type="text/plain",
            at=now(),
        )
    clock.shift(timedelta(days=20))
    with ext.write() as session:
        drafts.save_draft(session, 1, cast.alice.id, MessageKind.NOTE, "typed on", at=now())
    assert count(Draft) == 2
    privacy.retain(days(11))
    with ext.session() as session:
        assert session.scalars(select(Draft.text)).all() == ["typed on"]
    assert count(Attachment) == 1
    assert not files.path_of(uploaded).exists()


def test_sessions_links_limits_and_answers_end(cast: Cast) -> None:
    with ext.write() as session:
        user = session.merge(cast.alice)
        log_in(session, user, PASSWORD, old_token=None, agent="Firefox", at=now())
        one_time_link(session, user, now())
        allow(session, "login", "alice", most=5, seconds=900, at=now())
        cast.token(session, user)
        ext.add_row(
            session,
            IdempotentAnswer,
            token_id=1,
            key="k",
            request_hash="0" * 64,
            status=201,
            body="{}",
            created_at=now(),
        )
    models = (LoginSession, OneTimeLink, LimitHit, IdempotentAnswer)
    privacy.retain(now())
    assert [count(model) for model in models] == [1, 1, 1, 1]
    privacy.retain(days(1.1))
    assert [count(model) for model in models] == [1, 0, 0, 0]
    privacy.retain(days(31))
    assert [count(model) for model in models] == [0, 0, 0, 0]


def test_bodies_of_sent_emails_go_and_the_answer_stays(cast: Cast) -> None:
    take(1)
    with ext.write() as session:
        ticket = session.get_one(Ticket, 1)
        actions.reply(session, ticket, "A new bulb is on its way.", user_id=cast.alice.id, at=now())
    react()
    with ext.write() as session:
        sent = {"state": OutgoingState.SENT, "due_at": None}
        session.execute(update(Outgoing).where(Outgoing.message_id.is_not(None)).values(sent))
        failed = {"state": OutgoingState.FAILED, "due_at": None}
        session.execute(update(Outgoing).where(Outgoing.message_id.is_(None)).values(failed))
    privacy.retain(days(91))
    with ext.session() as session:
        reply, receipt = session.scalars(
            select(Outgoing).order_by(Outgoing.message_id.is_(None))
        ).all()
        assert (reply.text, reply.html) == ("", None)
        assert receipt.text != ""
        texts = session.scalars(select(Message.text).order_by(Message.id)).all()
        assert texts[-1] == "A new bulb is on its way."


def test_a_file_without_owner_goes_after_a_day(app: Flask, cast: Cast) -> None:
    sha256 = files.put(b"nobody's")
    with ext.write() as session:
        files.adopt(session, sha256, 8)
    privacy.retain(days(0.9))
    assert files.path_of(sha256).exists()
    privacy.retain(days(1.1))
    assert not files.path_of(sha256).exists()
    assert count(StoredFile) == 0


def test_documents_and_pictures_are_owners_too(cast: Cast) -> None:
    """Every table that points to a file keeps it, today's tables and later ones."""
    by: dict[str, Any] = {"actor": Actor(user_id=cast.alice.id), "at": now()}
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        document = fact_actions.add_document(
            session, client, sha256=files.put(b"contract"), size=8,
            filename="contract.txt", content_type="text/plain", **by,
        )  # fmt: skip
        file_id = files.adopt(session, files.put(b"picture"), 7)
        session.add(Picture(file_id=file_id, filename="a.png", content_type="image/png", size=7,
                            created_at=now()))  # fmt: skip
    privacy.retain(days(40))
    assert count(StoredFile) == 2

    with ext.write() as session:
        fact_actions.delete_document(session, session.get_one(Document, document.id), **by)
    privacy.retain(days(29))
    assert count(StoredFile) == 2, "may still be taken back"
    privacy.retain(days(31))
    privacy.retain(days(31))
    assert count(StoredFile) == 1


def test_files_of_reports_go_after_their_period(cast: Cast, clock: time_machine.Traveller) -> None:
    paths = []
    with ext.write() as session:
        for age in (31, 29):
            sha256 = files.put(f"a table of {age}".encode())
            paths.append(files.path_of(sha256))
            session.add(
                ReportFile(user_id=cast.sam.id, file_id=files.adopt(session, sha256, 9),
                           filename="sla.csv", content_type="text/csv", size=9, rights="all",
                           created_at=days(-age))
            )  # fmt: skip
    privacy.retain(now())
    assert [path.exists() for path in paths] == [False, True]
    assert count(ReportFile) == 1


def test_a_file_that_was_gone_already_stops_nothing(app: Flask, cast: Cast) -> None:
    hashes = [files.put(data) for data in (b"one", b"two")]
    with ext.write() as session:
        for sha256 in hashes:
            files.adopt(session, sha256, 3)
    files.path_of(hashes[0]).unlink()
    assert privacy.retain(days(2)) == 2
    assert count(StoredFile) == 0


def test_failed_deliveries_are_kept_for_the_same_time(cast: Cast) -> None:
    (delivery_id,) = take(1)
    with ext.write() as session:
        delivery = session.get_one(Delivery, delivery_id)
        delivery.state = DeliveryState.FAILED
    privacy.retain(days(80))
    with ext.session() as session:
        assert raw_of(session.get_one(Delivery, delivery_id))
    privacy.retain(days(91))
    with ext.session() as session, pytest.raises(FileNotFoundError):
        raw_of(session.get_one(Delivery, delivery_id))
