"""A real SMTP relay for tests: it takes emails, or misbehaves as told."""

import asyncio
import email
import socket
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Mood(Enum):
    """How the relay treats what it is offered."""

    ACCEPT = auto()
    LATER = auto()  # 451 after DATA
    NEVER = auto()  # 550 to RCPT: no such address
    UNWANTED = auto()  # 550 to RCPT: it doesn't want us
    BUSY = auto()  # 421 to MAIL
    DROP_IN_DATA = auto()  # hangs up while the email is coming
    DROP_AFTER_DATA = auto()  # takes the email and hangs up without a word
    SLOW = auto()  # takes its time after DATA


@dataclass
class Taken:
    """An email that the relay has taken."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        message = email.message_from_bytes(self.raw, policy=default)
        assert isinstance(message, EmailMessage)
        return message


@dataclass
class Relay:
    """The relay; `mood` may change while it runs, `moods` gives one recipient another."""

    mood: Mood = Mood.ACCEPT
    moods: dict[str, Mood] = field(default_factory=dict)
    slowness: float = 0.3
    words: str = "no such user here"
    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    encrypted: int = 0
    logins: int = 0

    def __enter__(self) -> Self:
        self._controller = _Controller(self)
        self._controller.start()
        self.connections = 0  # starting tries one itself
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        return self._controller.port

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def parsed(self) -> list[EmailMessage]:
        return [taken.parsed for taken in self.taken]

    def mood_for(self, recipient: str) -> Mood:
        return self.moods.get(recipient, self.mood)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Handler:
    def __init__(self, relay: Relay) -> None:
        self.relay = relay

    async def handle_EHLO(
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        answers: list[str],
    ) -> list[str]:
        session.host_name = hostname
        self.relay.encrypted += session.ssl is not None
        return answers

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.relay.mood is Mood.BUSY:
            return "421 4.3.2 try another time"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self.relay.mood_for(address) is Mood.NEVER:
            return f"550 5.1.1 {self.relay.words}"
        if self.relay.mood_for(address) is Mood.UNWANTED:
            return f"550 5.7.1 {self.relay.words}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        mood = self.relay.mood_for(envelope.rcpt_tos[0])
        if mood is Mood.LATER:
            return "451 4.7.1 greylisted"
        if mood is Mood.SLOW:
            await asyncio.sleep(self.relay.slowness)
        assert isinstance(envelope.content, bytes)
        self.relay.taken.append(
            Taken((envelope.mail_from or "").strip("<>"), list(envelope.rcpt_tos), envelope.content)
        )
        if mood is Mood.DROP_AFTER_DATA:
            server.transport.abort()
        return "250 taken"


class _Server(SMTP):
    """Hangs up in the middle of an email when told so."""

    relay: Relay
    _reading = False

    async def smtp_DATA(self, arg: str) -> None:
        self._reading = True
        try:
            await super().smtp_DATA(arg)
        finally:
            self._reading = False

    def data_received(self, data: bytes) -> None:
        recipients = self.envelope.rcpt_tos if self.envelope else []
        mood = self.relay.mood_for(recipients[0]) if recipients else Mood.ACCEPT
        if self._reading and mood is Mood.DROP_IN_DATA:
            self.transport.abort()
            return
        super().data_received(data)

    def connection_made(self, transport: Any) -> None:
        self.relay.connections += 1
        super().connection_made(transport)


class _Controller(Controller):
    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        super().__init__(_Handler(relay), hostname="127.0.0.1", port=free_port())

    def factory(self) -> SMTP:
        relay = self.relay
        server = _Server(
            self.handler,
            enable_SMTPUTF8=True,
            tls_context=relay.tls,
            auth_require_tls=False,
            authenticator=self._check if relay.login else None,
            loop=self.loop,
        )
        server.relay = relay
        return server

    def _check(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        self.relay.logins += given == self.relay.login
        return AuthResult(success=given == self.relay.login, handled=False)
