"""A real SMTP adapter on a free port, and a mailroom that sends, processes and looks."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.intake import receive, smtp
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.models import Delivery
from helpdesk.lib.clock import now
from helpdesk.tickets.models import Message, Ticket
from tests.cast import Cast


def email(
    text: str = "The lamp does not work.",
    *,
    sender: str = "oksana@client.example",
    to: str = "support@example.com",
    subject: str = "Lamp",
    message_id: str | None = "<one@client.example>",
    **headers: str,
) -> EmailMessage:
    """A plain email; underscores in `headers` stand for hyphens."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    if message_id:
        message["Message-ID"] = message_id
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


@dataclass
class Mailroom:
    """What tests of intake do: let an email in, process it, look at the result."""

    app: Flask
    cast: Cast

    def take(
        self,
        message: EmailMessage | bytes,
        *,
        to: str | None = None,
        envelope_from: str | None = None,
    ) -> Delivery:
        """Let an email in as the adapter does and process it; returns its Delivery."""
        raw = message if isinstance(message, bytes) else message.as_bytes()
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if envelope_from is None:
            envelope_from = "oksana@client.example"
        with ext.write() as session:
            item = RawEmail(raw, envelope_from, (to or "support@example.com",), now())
            (delivery_id,) = accept(session, [item])
        receive.process_new()
        return self.delivery(delivery_id)

    def delivery(self, delivery_id: int) -> Delivery:
        with ext.session() as session:
            return session.get_one(Delivery, delivery_id)

    def deliveries(self) -> list[Delivery]:
        with ext.session() as session:
            return list(session.scalars(select(Delivery).order_by(Delivery.id)))

    def tickets(self) -> list[Ticket]:
        with ext.session() as session:
            return list(session.scalars(select(Ticket).order_by(Ticket.id)))

    def messages(self, ticket_id: int | None) -> list[Message]:
        with ext.session() as session:
            query = select(Message).where(Message.ticket_id == ticket_id).order_by(Message.id)
            return list(session.scalars(query))


@pytest.fixture
def mailroom(app: Flask, cast: Cast) -> Mailroom:
    return Mailroom(app, cast)


@dataclass(frozen=True)
class Door:
    """The SMTP adapter as a sender meets it."""

    port: int

    def connect(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, local_hostname="client.example", timeout=10)

    def send(self, message: EmailMessage | bytes, to: str = "support@example.com") -> None:
        with self.connect() as client:
            raw = message if isinstance(message, bytes) else message.as_bytes()
            client.sendmail("oksana@client.example", [to], raw)


@pytest.fixture
def door(app: Flask, cast: Cast) -> Iterator[Door]:
    sock = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        await smtp.serve(app, sock, stop)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    yield Door(sock.getsockname()[1])
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
