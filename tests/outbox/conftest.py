"""A relay that the application sends to, and tickets to answer."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from config import Bind
from helpdesk import ext
from helpdesk.clients.match import Known
from helpdesk.lib.clock import now
from helpdesk.tickets import actions
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Message, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from tests.cast import Cast
from tests.relay import Relay

OpenTicket = Callable[..., int]
Answer = Callable[..., int]


@pytest.fixture
def relay(app: Flask) -> Iterator[Relay]:
    """A relay on a free port, set as the application's."""
    with Relay() as relay:
        app.config["RELAY"] = Bind("127.0.0.1", relay.port)
        yield relay


@pytest.fixture
def ask(cast: Cast) -> OpenTicket:
    """Opens a ticket of Oksana's (or of `who`) as intake does; returns its id."""

    def opened(
        text: str = "Де моє замовлення?",
        *,
        who: Known | None = None,
        subject: str = "Замовлення 17",
        message_id: str = "first@client.example",
        receipt: bool = False,
        language: str | None = "uk",
    ) -> int:
        who = who or cast.oksana
        with ext.write() as session:
            ticket_id = open_ticket(
                session,
                queue_id=cast.support.id,
                who=who,
                subject=subject,
                channel=Channel.EMAIL,
                language=language,
                at=now(),
                receipt=receipt,
                delivery_id=None,
            )
            content = Content(text=text, subject=subject, message_id=message_id)
            add_message(
                session, ticket_id, content, who=who, channel=Channel.EMAIL, at=now(), first=True
            )
        return ticket_id

    return opened


@pytest.fixture
def answer(cast: Cast) -> Answer:
    """Alice answers a ticket; returns the message's id."""

    def answered(ticket_id: int, text: str = "Їде до Вас.") -> int:
        with ext.write() as session:
            ticket = session.get_one(Ticket, ticket_id)
            message: Message = actions.reply(session, ticket, text, user_id=cast.alice.id, at=now())
            return message.id

    return answered
