"""The way to the relay: connect, encrypt, log in, hand over one email after another."""

import ipaddress
import re
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from helpdesk.lib.errors import _lazy
from helpdesk.lib.text import clean_line
from helpdesk.outbox.headers import wire_address

TIMEOUT = 60.0
"""Seconds the relay has for each step."""
END_TIMEOUT = 300.0
"""Seconds it has for its word on the whole email (RFC 5321 §4.5.3.2.6 asks for patience)."""

_LINE_START_DOT = re.compile(rb"(?m)^\.")
_NO_MAILBOX = re.compile(rb"5\.1\.(?:1|6|10)(?!\d)")
"""No such mailbox, moved away, takes no mail (RFC 3463 §3.2, RFC 7505 §4.2). A server's other
refusals, with or without such a code, may be about us and not about the address."""


class NotSent(Exception):
    """The email did not go. `words`: what the server or the network said, one line.

    `permanent`: trying again is useless. `relay_down`: no other email would go either.
    `maybe_sent`: the connection broke after the whole email was handed over. `no_mailbox`: the
    server says that there is no such address.
    """

    def __init__(
        self,
        words: str,
        *,
        permanent: bool = False,
        relay_down: bool = False,
        maybe_sent: bool = False,
        no_mailbox: bool = False,
    ) -> None:
        super().__init__(words)
        self.words = clean_line(words, 300)
        self.permanent = permanent
        self.relay_down = relay_down
        self.maybe_sent = maybe_sent
        self.no_mailbox = no_mailbox


@dataclass(frozen=True)
class RelaySettings:
    """Where the relay is and how to talk to it; `tls` is opportunistic, required, implicit, off."""

    host: str
    port: int
    tls: str
    user: str | None
    password: str | None = field(repr=False)
    name: str = "localhost"  # what we call ourselves

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "RelaySettings | None":
        """The relay of the application's configuration, None where none is set."""
        bind = config["RELAY"]
        if bind is None:
            return None
        return cls(
            host=bind.host,
            port=bind.port,
            tls=config["RELAY_TLS"],
            user=config["RELAY_USER"],
            password=config["RELAY_PASSWORD"],
            name=config["MAIL_DOMAIN"],
        )

    @property
    def is_local(self) -> bool:
        if self.host == "localhost":
            return True
        with suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return False

    def context(self) -> ssl.SSLContext:
        """Certificates are checked where encryption was asked for or a password is at stake.

        Elsewhere encryption without proof is still better than none (RFC 7435).
        """
        context = ssl.create_default_context()
        if self.tls == "opportunistic" and (self.user is None or self.is_local):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class Relay:
    """One connection, opened when first needed and kept for the emails that follow."""

    def __init__(
        self,
        settings: RelaySettings,
        timeout: float = TIMEOUT,
        end_timeout: float = END_TIMEOUT,
    ) -> None:
        self.settings = settings
        self.timeout = timeout
        self.end_timeout = end_timeout
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
        self._drop()

    def send(self, sender: str, recipient: str, data: bytes) -> None:
        """Hand over one email and return when the relay has taken it. Raises NotSent.

        `sender`: the envelope sender, "" for the null one. `data` ends its lines in CRLF.
        """
        target = _recipient(recipient)
        smtp = self._connected()
        try:
            _transaction(smtp, sender, target, data, self.end_timeout)
        except NotSent as refusal:
            if refusal.relay_down:
                self._drop()
            else:
                self._reset()
            raise
        except (OSError, UnicodeError) as error:  # smtplib's errors are OSErrors
            self._drop()
            raise NotSent(_words_of(error), relay_down=True) from error

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is None:
            try:
                self._smtp = self._open()
            except OSError as error:
                raise NotSent(_words_of(error), relay_down=True) from error
        return self._smtp

    def _open(self) -> smtplib.SMTP:
        try:
            return self._log_in(self._dial(encrypt=True))
        except ssl.SSLError:
            if self.settings.tls != "opportunistic" or self.settings.user is not None:
                raise
            return self._dial(encrypt=False)

    def _dial(self, *, encrypt: bool) -> smtplib.SMTP:
        s = self.settings
        if s.tls == "implicit":
            return smtplib.SMTP_SSL(
                s.host, s.port, s.name, timeout=self.timeout, context=s.context()
            )
        smtp = smtplib.SMTP(s.host, s.port, s.name, timeout=self.timeout)
        try:
            if encrypt and s.tls != "off":
                _encrypt(smtp, s)
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _log_in(self, smtp: smtplib.SMTP) -> smtplib.SMTP:
        s = self.settings
        if s.user is None:
            return smtp
        try:
            safe = isinstance(smtp.sock, ssl.SSLSocket) or s.is_local or s.tls == "off"
            if not safe:
                raise NotSent(
                    _lazy("The relay offers no encryption, so the password was not sent."),
                    relay_down=True,
                )
            smtp.login(s.user, s.password or "")
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _reset(self) -> None:
        if self._smtp is None:
            return
        try:
            self._smtp.rset()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _encrypt(smtp: smtplib.SMTP, settings: RelaySettings) -> None:
    smtp.ehlo_or_helo_if_needed()
    if smtp.has_extn("starttls"):
        smtp.starttls(context=settings.context())
    elif settings.tls == "required":
        raise NotSent(_lazy("The relay offers no encryption."), relay_down=True)


def _recipient(address: str) -> str:
    try:
        return wire_address(address)
    except ValueError as error:
        raise NotSent(_lazy("This address cannot be written to."), permanent=True) from error


def _transaction(
    smtp: smtplib.SMTP, sender: str, recipient: str, data: bytes, end_timeout: float
) -> None:
    """MAIL, RCPT, DATA (RFC 5321 §3.3), each answer judged. Raises NotSent, OSError."""
    _expect(smtp.mail(sender, _mail_options(smtp, recipient, data)), 2)
    _expect_recipient(smtp.rcpt(recipient))
    _expect(smtp.docmd("DATA"), 3)
    end = b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n"
    smtp.send(_LINE_START_DOT.sub(b"..", data) + end)
    sock = smtp.sock
    if sock is not None:
        sock.settimeout(end_timeout)
    try:
        answer = smtp.getreply()
    except OSError as error:
        raise NotSent(_words_of(error), relay_down=True, maybe_sent=True) from error
    if sock is not None:
        sock.settimeout(smtp.timeout)
    _expect(answer, 2)


def _mail_options(smtp: smtplib.SMTP, recipient: str, data: bytes) -> list[str]:
    options = [f"SIZE={len(data)}"] if smtp.has_extn("size") else []
    if recipient.isascii():
        return options
    if not smtp.has_extn("smtputf8"):
        raise NotSent(
            _lazy("The relay cannot write to addresses with other letters than Latin ones."),
            permanent=True,
        )
    return [*options, "SMTPUTF8"]


def _expect_recipient(answer: tuple[int, bytes]) -> None:
    """As `_expect` with 2; notices when the answer is about the address."""
    code, words = answer
    if code // 100 == 5 and _NO_MAILBOX.match(words.lstrip()):
        shown = f"{code} {words.decode('utf-8', 'replace')}"
        raise NotSent(shown, permanent=True, no_mailbox=True)
    _expect(answer, 2)


def _expect(answer: tuple[int, bytes], wanted: int) -> None:
    """Raise NotSent unless the answer's code begins with `wanted` (RFC 5321 §4.2.1)."""
    code, words = answer
    if code // 100 == wanted:
        return
    shown = f"{code} {words.decode('utf-8', 'replace')}"
    raise NotSent(shown, permanent=code // 100 == 5, relay_down=code == 421)


def _words_of(error: Exception) -> str:
    """What went wrong, without anything but the server's or the system's own words."""
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        return f"{error.smtp_code} {text}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
