"""Inbound: one incoming contact in plain form, whatever channel it came through."""

from dataclasses import dataclass
from datetime import datetime

from helpdesk.lib.text import email_key


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox in a header: `name` may be empty; the domain of `email` is in lower case."""

    name: str
    email: str

    @property
    def key(self) -> str:
        """What to compare addresses by."""
        return email_key(self.email)


@dataclass(frozen=True, slots=True)
class InboundFile:
    """A file that came along. `filename` is safe to show; never use it as a path.

    `content_id` has no angle brackets; `inline` says that the HTML shows it.
    """

    filename: str
    content_type: str
    data: bytes
    content_id: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a delivery status notification says (RFC 3464) about one recipient.

    `action`: failed, delayed, delivered, relayed or expanded. `status`: like "5.1.1".
    `original_message_id`: of our returned email, without angle brackets.
    """

    final_recipient: str | None
    status: str | None
    action: str
    original_message_id: str | None


@dataclass(frozen=True, slots=True)
class Inbound:
    """One contact, cleaned: no NUL, no lone surrogates, no control characters in single lines.

    `sender` is the From field and the author; `reply_to` is a suggestion only.
    `visible_text` is `text` without quoted history and signature.
    `html` is sanitised. `language`: en, ru, uk or None. `date`: UTC, what the sender claims.
    `no_receipt`: automatic mail that gets no automatic answer (RFC 3834), with the reason in
    `no_receipt_reason`; `is_auto_reply`: an automatic answer (vacation and its kin).
    `parse_errors`: short machine codes, some with a detail after a colon; when there is one,
    keep the raw email beside the message. `auth`: pass, fail or none (DMARC).
    """

    channel: str
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    sender: Address | None = None
    reply_to: Address | None = None
    sender_header: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    date: datetime | None = None
    text: str = ""
    visible_text: str = ""
    html: str | None = None
    language: str | None = None
    files: tuple[InboundFile, ...] = ()
    is_auto_reply: bool = False
    is_bounce: bool = False
    bounce: Bounce | None = None
    no_receipt: bool = False
    no_receipt_reason: str | None = None
    parse_errors: tuple[str, ...] = ()
    auth: str = "none"
