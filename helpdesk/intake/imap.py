"""The IMAP adapter: one connection to one folder, with bounds on time and size everywhere.

Nothing here changes an email but `mark`. What goes wrong is a Trouble: the kind for the one who
reads it, the words of the server beside it.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError
from imapclient.tls import create_default_context

from helpdesk.intake.imap_wire import ANSWER_BYTES, CONNECT_SECONDS, Wire
from helpdesk.intake.models import ImapAfter, ImapTls, ImapTrouble
from helpdesk.lib.text import clean_line

READ_SECONDS = 60.0
IDLE_SECONDS = 240.0  # shorter than what most routers remember of a silent connection
FIRST_IDLE_SECONDS = 1.0  # what came between the last look and IDLE may not wake us
POLL_SECONDS = 30.0  # where the server has no IDLE
TICK_SECONDS = 0.5
SLACK_BYTES = 4 << 20  # some servers announce sizes that are not exact
PIECE = 1 << 20
WINDOW = 50_000  # UIDs in one search: its answer is one line
WORDS = 300


class Trouble(Exception):
    """Why a mailbox cannot be fetched; `words` are the server's own."""

    def __init__(self, kind: ImapTrouble, words: str = "") -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.words = clean_line(words, WORDS)


class Refused(Exception):
    """The server said no to one command; the connection is good."""


@dataclass(frozen=True)
class Login:
    """Where a mailbox is and how it opens."""

    host: str
    port: int
    tls: ImapTls
    username: str
    password: str
    folder: str


@dataclass(frozen=True)
class Folder:
    """What the server says of a folder: the next email gets `next_uid`."""

    uidvalidity: int
    next_uid: int
    count: int


@dataclass(frozen=True)
class Facts:
    """Of an email that is still on the server. `at`: when it came there."""

    size: int
    at: datetime


class Connection:
    """A connection that is logged in; use it in a `with`. Everything raises Trouble, and what
    concerns single emails Refused."""

    def __init__(self, login: Login, *, read_seconds: float = READ_SECONDS) -> None:
        self.login = login
        try:
            with _explained(login):
                self._client = _dialled(login, read_seconds)
        except Refused as error:  # at the greeting, or to encrypt
            raise Trouble(ImapTrouble.PROTOCOL, str(error)) from error
        try:
            with self._command():
                _log_in(self._client, login)
            self.can_idle = self._can("IDLE")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._log_out()
        self.close()

    def close(self) -> None:
        """Hang up, from any thread."""
        self._client.wire.hang_up()
        with suppress(OSError, IMAPClientError):
            self._client.shutdown()

    def open(self, *, readonly: bool) -> Folder:
        """Open the folder, again to hear what is new in it."""
        try:
            with self._command():
                said = self._client.select_folder(self.login.folder, readonly=readonly)
        except Refused as error:
            raise Trouble(ImapTrouble.FOLDER, str(error)) from error
        count = int(said[b"EXISTS"])
        following = said.get(b"UIDNEXT") or (max(self._search("1:*")) + 1 if count else 1)
        return Folder(int(said.get(b"UIDVALIDITY", 0)), int(following), count)

    def uids(self, first: int, end: int, count: int, since: datetime | None) -> Iterator[list[int]]:
        """The emails from UID `first` to before `end`, ascending, of `count` in the folder;
        `since`: not those that came on earlier days."""
        step = max(end, 1) if count <= WINDOW else WINDOW
        for low in range(first, end, step):
            high = min(low + step, end) - 1
            found = sorted(uid for uid in self._search(f"{low}:{high}", since) if low <= uid)
            yield [uid for uid in found if uid <= high]

    def facts(self, uids: Sequence[int]) -> dict[int, Facts]:
        """Size and arrival of those that are still there."""
        found = self._fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
        return {
            uid: Facts(int(row[b"RFC822.SIZE"]), row[b"INTERNALDATE"])
            for uid, row in found.items()
            if uid in set(uids) and b"RFC822.SIZE" in row and b"INTERNALDATE" in row
        }

    def bodies(self, sizes: dict[int, int]) -> dict[int, bytes]:
        """The raw emails, unseen as they were; those that the server holds back are missing."""
        found = self._fetch(sizes, ["BODY.PEEK[]"], 2 * sum(sizes.values()) + SLACK_BYTES)
        bodies = {uid: row.get(b"BODY[]") for uid, row in found.items() if uid in sizes}
        return {uid: body for uid, body in bodies.items() if isinstance(body, bytes)}

    def body(self, uid: int, limit: int, alive: Callable[[], object]) -> bytes | None:
        """One large email in pieces; None once it is larger than `limit`, or gone."""
        whole = b""
        while len(whole) <= limit:
            alive()
            piece = self._part(uid, "BODY.PEEK[]", len(whole))
            if piece is None:
                return None
            whole += piece
            if len(piece) < PIECE:
                return whole
        return None

    def header(self, uid: int) -> bytes:
        """Its header, or the beginning of a long one."""
        return self._part(uid, "BODY.PEEK[HEADER]", 0) or b""

    def mark(self, uids: Sequence[int], after: ImapAfter, target: str | None) -> None:
        """Do with them on the server what the administrator chose. Raises Refused."""
        if after == ImapAfter.SEEN:
            with self._command():
                self._client.add_flags(uids, [b"\\Seen"], silent=True)
        if after != ImapAfter.MOVE or not target:
            return
        with self._command():
            there = self._client.folder_exists(target)
        if not there:
            with self._command():
                self._client.create_folder(target)
        self._move(uids, target)

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Until new mail may be there, at most so long; `stopped` is asked all the time."""
        if not self.can_idle:
            self._sleep(min(seconds, POLL_SECONDS), stopped)
            return
        if not self._idle(FIRST_IDLE_SECONDS, stopped):
            self._idle(seconds, stopped)

    def folders(self) -> list[str]:
        """The names of all folders."""
        with self._command():
            return [str(name) for _flags, _mark, name in self._client.list_folders()]

    def _idle(self, seconds: float, stopped: Callable[[], bool]) -> bool:
        """Whether the server said something of new mail."""
        with self._command():
            self._client.idle()
        self._sleep(seconds, stopped, self._client.socket())
        with self._command():
            _text, said = self._client.idle_done()
        return any(b"EXISTS" in line for line in said)

    def _sleep(
        self, seconds: float, stopped: Callable[[], bool], sock: socket.socket | None = None
    ) -> None:
        deadline = time.monotonic() + seconds
        poll = select.poll()
        if sock is not None:
            poll.register(sock, select.POLLIN | select.POLLHUP | select.POLLERR)
        while not stopped() and (left := deadline - time.monotonic()) > 0:
            if poll.poll(min(left, TICK_SECONDS) * 1000):
                return

    def _move(self, uids: Sequence[int], target: str) -> None:
        if self._can("MOVE"):
            with self._command():
                self._client.move(uids, target)
            return
        with self._command():
            self._client.copy(uids, target)
        with self._command():
            self._client.delete_messages(uids, silent=True)
        if self._can("UIDPLUS"):  # a plain EXPUNGE would take what others marked as well
            with self._command():
                self._client.uid_expunge(uids)

    def _search(self, range_: str, since: datetime | None = None) -> list[int]:
        criteria: list[Any] = ["UID", range_]
        if since is not None:  # by the day of the server's zone
            criteria += ["SINCE", (since - timedelta(days=1)).date()]
        with self._command():
            return [int(uid) for uid in self._client.search(criteria)]

    def _part(self, uid: int, what: str, start: int) -> bytes | None:
        found = self._fetch([uid], [f"{what}<{start}.{PIECE}>"], 2 * PIECE + SLACK_BYTES)
        name = f"{what.replace('.PEEK', '')}<{start}>".encode()
        part = found.get(uid, {}).get(name)
        return part if isinstance(part, bytes) else None

    def _fetch(self, uids: Any, what: list[str], limit: int = ANSWER_BYTES) -> dict[int, Any]:
        with self._command(limit):
            found: dict[int, Any] = dict(self._client.fetch(list(uids), what))
        return found

    def _can(self, capability: str) -> bool:
        with self._command():
            return bool(self._client.has_capability(capability))

    def _log_out(self) -> None:
        with suppress(Trouble, Refused), self._command():
            self._client.logout()

    @contextmanager
    def _command(self, limit: int = ANSWER_BYTES) -> Iterator[None]:
        """Bounds of one command, and its errors in our words."""
        with _explained(self.login), self._client.wire.bounded(limit=limit):
            yield


class _Client(IMAPClient):  # type: ignore[misc]  # it names no types
    """IMAPClient on a wire of ours."""

    wire: Wire

    def _create_IMAP4(self) -> Wire:
        self.wire = Wire(self.host, self.port, self.ssl_context if self.ssl else None)
        return self.wire


def _dialled(login: Login, read_seconds: float) -> _Client:
    """Connected, and encrypted unless the server is this machine."""
    context = create_default_context()
    client = _Client(
        login.host,
        port=login.port,
        ssl=login.tls == ImapTls.TLS,
        ssl_context=context,
        timeout=SocketTimeout(CONNECT_SECONDS, read_seconds),
    )
    client.normalise_times = False
    if login.tls == ImapTls.STARTTLS:
        _encrypt(client, context)
    return client


def _encrypt(client: _Client, context: ssl.SSLContext) -> None:
    """By STARTTLS or not at all: a password never goes in the clear to another machine."""
    try:
        if not client.has_capability("STARTTLS"):
            raise Trouble(ImapTrouble.STARTTLS)
        with client.wire.bounded():
            client.starttls(context)
    except BaseException:
        with suppress(OSError):
            client.shutdown()
        raise


def _log_in(client: Any, login: Login) -> None:
    if client.has_capability("AUTH=PLAIN"):  # UTF-8, unlike LOGIN
        client.plain_login(login.username, login.password)
    elif (login.username + login.password).isascii():
        client.login(login.username, login.password)
    else:
        raise LoginError("the server takes ASCII only")


@contextmanager
def _explained(login: Login) -> Iterator[None]:
    """Errors of the network and of the library in our words; never with the password."""
    try:
        yield
    except (OSError, IMAPClientError) as error:
        words = str(error).replace(login.password or "\0", "•••")
        kind = _kind(error)
        if kind is None:
            raise Refused(clean_line(words, WORDS)) from None
        raise Trouble(kind, words) from None
    except (ValueError, LookupError, TypeError, AssertionError) as error:
        # What the library says of an answer that is no IMAP.
        raise Trouble(ImapTrouble.PROTOCOL, type(error).__name__) from None


_KINDS: Sequence[tuple[type[Exception], ImapTrouble]] = (
    (socket.gaierror, ImapTrouble.NAME),
    (ssl.SSLCertVerificationError, ImapTrouble.CERTIFICATE),
    (TimeoutError, ImapTrouble.SLOW),
    (ssl.SSLError, ImapTrouble.TLS),
    (ConnectionResetError, ImapTrouble.LOST),
    (BrokenPipeError, ImapTrouble.LOST),
    (OSError, ImapTrouble.AWAY),
    (LoginError, ImapTrouble.LOGIN),
    (IMAPClientAbortError, ImapTrouble.LOST),
)


def _kind(error: Exception) -> ImapTrouble | None:
    """None: the server said no to a command. The library calls a connection that broke during
    the log-in a refused log-in."""
    if isinstance(error, LoginError) and isinstance(error.__context__, IMAPClientAbortError):
        return ImapTrouble.LOST
    if isinstance(error, IMAPClientAbortError) and "unexpected response" in str(error):
        return ImapTrouble.PROTOCOL
    return next((kind for known, kind in _KINDS if isinstance(error, known)), None)
