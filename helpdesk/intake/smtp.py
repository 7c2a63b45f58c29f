"""The SMTP adapter: refuses early, and says 250 only once the Delivery is committed."""

import asyncio
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import ext
from helpdesk.intake import mail_data
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.own import OwnAddresses
from helpdesk.lib.clock import now

log = structlog.get_logger()

MAX_CONNECTIONS = 200
MAX_PER_ADDRESS = 20
MAX_RECIPIENTS = 100
COMMAND_SECONDS = 60
DATA_SECONDS = 300
SLACK_BYTES = 8 << 20
BATCH = 100  # emails in one commit
OWN_SECONDS = 2.0  # how long the list of our addresses is trusted

ACCEPTED = "250 2.0.0 Accepted"
UNKNOWN = "550 5.1.1 No such mailbox here"
BUSY = "451 4.3.0 Cannot store the message now, try again later"
TOO_MANY = "421 4.7.0 Too many connections, try again later"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"
TOO_LARGE = "552 5.3.4 The email is too large"
LONG_LINE = "500 5.6.0 A line is too long (RFC 5321 section 4.5.3.1.6)"
NO_RECIPIENT = "503 5.5.1 RCPT first"
BAD_DATA = "501 5.5.4 DATA takes no parameter"
BARE_NEWLINE = "550 5.5.2 A line with a single dot must end with CR LF (RFC 5321 section 2.3.8)"
BAD_ADDRESS = "501 5.1.7 The sender address has characters that are not allowed"

# A line with a single dot that some servers take for the end of the email and we don't.
DISGUISED_END = re.compile(rb"(?:\r\n|\r|\n)\.(?:\n|\r[^\n])|(?:\r|(?<!\r)\n)\.\r\n")
TAIL = 5  # bytes of the last chunk in which a match may begin
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass
class Doorkeeper:
    """Group commit: whatever arrives while one commit runs is committed by the next.

    `early` is the control of the durability test: it accepts before it commits.
    """

    app: Flask
    early: bool = False
    waiting: asyncio.Queue[tuple[RawEmail, asyncio.Future[str]]] = field(
        default_factory=asyncio.Queue
    )

    async def take(self, email: RawEmail) -> str:
        """Store the email and return the SMTP answer."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if self.early:
            answer.set_result(ACCEPTED)
        await self.waiting.put((email, answer))
        return await answer

    async def run(self) -> None:
        """Commit batches until cancelled."""
        while True:
            batch = [await self.waiting.get()]
            while len(batch) < BATCH and not self.waiting.empty():
                batch.append(self.waiting.get_nowait())
            answers = await asyncio.to_thread(self.store, [email for email, _ in batch])
            for (_, answer), text in zip(batch, answers, strict=True):
                if not answer.done():
                    answer.set_result(text)

    def store(self, emails: Sequence[RawEmail]) -> list[str]:
        """Commit the emails together; where that fails, each by itself."""
        try:
            self._commit(emails)
        except (SQLAlchemyError, OSError, ValueError):
            if len(emails) > 1:
                return [answer for email in emails for answer in self.store([email])]
            log.exception("smtp.not_stored")
            return [BUSY]
        return [ACCEPTED] * len(emails)

    def _commit(self, emails: Sequence[RawEmail]) -> None:
        with self.app.app_context(), ext.write() as session:
            accept(session, emails)

    def own_addresses(self) -> OwnAddresses:
        with self.app.app_context(), ext.session() as session:
            return OwnAddresses.load(session)


class Handler:
    """What aiosmtpd asks about each command."""

    def __init__(self, door: Doorkeeper) -> None:
        self.door = door
        self._own: OwnAddresses | None = None
        self._own_until = 0.0

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if CONTROL.search(address):
            return BAD_ADDRESS
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return TOO_MANY_RECIPIENTS
        try:
            known = address in await self._addresses()
        except SQLAlchemyError:
            log.exception("smtp.database_away")
            return BUSY
        if not known:
            return UNKNOWN
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        if isinstance(server, Connection) and server.disguised_end:
            return BARE_NEWLINE
        email = RawEmail(raw, envelope.mail_from or "", tuple(envelope.rcpt_tos), now())
        return await self.door.take(email)

    async def handle_VRFY(
        self, server: SMTP, session: Session, envelope: Envelope, address: str
    ) -> str:
        return "252 2.5.0 Send some mail and see"

    async def _addresses(self) -> OwnAddresses:
        moment = asyncio.get_running_loop().time()
        if self._own is None or moment >= self._own_until:
            self._own = await asyncio.to_thread(self.door.own_addresses)
            self._own_until = moment + OWN_SECONDS
        return self._own


@dataclass
class Lobby:
    """Who is connected, the oldest of each address first.

    A full house does not shut out others: of the address that holds the most connections the
    oldest one gives way (T10). Its sender tries again; nothing was accepted on it.
    """

    by_address: dict[str, list["Connection"]] = field(default_factory=dict)

    def enter(self, newcomer: "Connection", address: str) -> bool:
        """Whether there is room for one more from this address."""
        mine = self.by_address.get(address, [])
        if len(mine) >= MAX_PER_ADDRESS:
            return False
        if sum(map(len, self.by_address.values())) >= MAX_CONNECTIONS and not self._make_room():
            return False
        self.by_address.setdefault(address, []).append(newcomer)
        return True

    def leave(self, connection: "Connection", address: str) -> None:
        mine = self.by_address.get(address, [])
        if connection in mine:
            mine.remove(connection)
        if not mine:
            self.by_address.pop(address, None)

    def _make_room(self) -> bool:
        address, crowd = max(self.by_address.items(), key=lambda item: len(item[1]))
        if len(crowd) < 2:
            return False
        oldest = crowd[0]
        self.leave(oldest, address)
        oldest.give_way()
        return True


class Connection(SMTP):
    """One SMTP connection, counted against the caps, with a longer time for DATA.

    Only CR LF . CR LF ends DATA here; what other servers might take for an end is refused, so
    that no second email can be smuggled past us. Plain bare newlines are let through, since
    many programs send them.
    """

    line_length_limit = 1 << 20  # real newsletters have lines far over the RFC's 998

    def __init__(self, handler: Handler, lobby: Lobby, **options: Any) -> None:
        super().__init__(handler, **options)
        self._handler = handler
        self._lobby = lobby
        self._address = ""
        self._in_data = False
        self._received = 0
        self._tail = b""
        self.disguised_end = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername") or ("",)
        self._address = str(peer[0])
        if not self._lobby.enter(self, self._address):
            _turn_away(transport)
            return
        super().connection_made(transport)

    def give_way(self) -> None:
        """End it so that somebody else may come in."""
        if self.transport is not None:
            _turn_away(self.transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._lobby.leave(self, self._address)
        if self.transport is not None:
            super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        # Over the limit the base class goes on reading, and keeps what has no line end.
        self._received += len(data)
        if self._in_data and self._received > 2 * (self.data_size_limit or 0) + SLACK_BYTES:
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.abort()
            return
        seen = self._tail + data
        self._tail = seen[-TAIL:]
        if any(m.end() > len(seen) - len(data) for m in DISGUISED_END.finditer(seen)):
            self.disguised_end = True
        super().data_received(data)

    async def smtp_DATA(self, arg: str) -> None:
        """As the base class does it, but the email is read at once and not line by line."""
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return
        refusal = self._not_now(arg)
        if refusal is not None:
            await self.push(refusal)
            return
        self._in_data, self._received = True, 0
        self._reset_timeout(DATA_SECONDS)
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        answer = await self._judged(await mail_data.read(self._reader, self.data_size_limit or 0))
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(answer)
        self._in_data = self.disguised_end = False
        if self.transport is not None:
            self._reset_timeout()

    def _not_now(self, arg: str) -> str | None:
        if self.envelope is None or not self.envelope.rcpt_tos:
            return NO_RECIPIENT
        return BAD_DATA if arg else None

    async def _judged(self, content: bytes | None) -> str:
        """The answer to the email: what is too large was not kept."""
        assert self.session is not None and self.envelope is not None
        if content is None:
            return TOO_LARGE
        if mail_data.longest_line_over(content, self.line_length_limit):
            return LONG_LINE
        self.envelope.content = self.envelope.original_content = content
        return await self._handler.handle_DATA(self, self.session, self.envelope)


def _turn_away(transport: asyncio.BaseTransport) -> None:
    assert isinstance(transport, asyncio.Transport)
    transport.write(f"{TOO_MANY}\r\n".encode())
    transport.close()


async def serve(
    app: Flask, sock: socket.socket, stop: asyncio.Event, *, early: bool = False
) -> None:
    """Accept email on a listening socket until `stop` is set; then finish what was accepted."""
    door = Doorkeeper(app, early=early)
    handler = Handler(door)
    lobby = Lobby()
    loop = asyncio.get_running_loop()

    def connection() -> Connection:
        return Connection(
            handler,
            lobby,
            data_size_limit=app.config["MAX_MAIL_BYTES"],
            enable_SMTPUTF8=True,
            hostname=app.config["MAIL_DOMAIN"],
            ident="Helpdesk",
            timeout=COMMAND_SECONDS,
            loop=loop,
        )

    committing = asyncio.create_task(door.run())
    server = await loop.create_server(connection, sock=sock)
    try:
        await stop.wait()
    finally:
        server.close()
        while not door.waiting.empty():
            await asyncio.sleep(0.01)
        committing.cancel()
