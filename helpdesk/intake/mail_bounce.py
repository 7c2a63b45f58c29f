"""Delivery status notifications and older bounces, known by their structure.

In order: a message/delivery-status part (RFC 3464), qmail's and Exim's forms, Exchange's mark,
and last plain words of a mailer that sends with a null return path or as mailer-daemon. Our own
tokens play no part here. Mail of a person who quotes or forwards a bounce is none: it has neither
the structure nor that sender.
"""

import re

from helpdesk.intake.guard import is_vacation, return_path
from helpdesk.intake.inbound import Bounce
from helpdesk.intake.mail_addresses import addresses, first, mailbox
from helpdesk.intake.mail_body import decode_part, headers_of
from helpdesk.intake.mail_fields import ids, one_id
from helpdesk.intake.mail_words import text_of
from helpdesk.intake.mime import Headers, Layout, Part, split
from helpdesk.lib.text import email_key

SAMPLE = 30_000
"""Characters of the text that are searched."""

_STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
_RETURNED_TYPES = {
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
}
_MARKS = ("x-ms-exchange-message-is-ndr", "x-failed-recipients")
_ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}
_URGENCY = ("failed", "delayed", "delivered", "relayed", "expanded")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])([45])[0-7]\d[ -]")
_EMAIL = re.compile(r"[^\s<>()\[\],;:\\\"'«»]{1,64}@[^\s<>()\[\],;:\\\"'«»@]{1,255}")
_MESSAGE_ID = re.compile(r"(?im)^[> \t]{0,8}message-id:\s{0,4}<([^<>]{1,998})>")
_DAEMON = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|postmaster|microsoftexchange[0-9a-f]*)\b", re.I
)
_FAILED = re.compile(
    r"could not be delivered|couldn.t be delivered|undeliver|delivery (?:has )?failed"
    r"|delivery failure|delivery status notification|delivery to the following|returned mail"
    r"|returned to sender|returning message|permanent (?:fatal )?error|user unknown|unknown user"
    r"|wasn.t delivered|unable to deliver|address not found|did not reach|failed to deliver"
    r"|mail delivery failed|delivery problem|no such user|mailbox (?:is )?full|not delivered"
    r"|недостав|не доставлен|не может быть доставлен|не удалось доставить|не было доставлен"
    r"|ошибка (?:при )?доставк|сбой доставки|невозможно доставить|возвращено отправителю"
    r"|не вдалося доставити|не може бути доставлен|не було доставлен|помилка доставк"
    r"|неможливо доставити|повернуто відправнику",
    re.I,
)
_DELAYED = re.compile(
    r"delayed|not yet (?:been )?delivered|will (?:keep|continue) (?:to )?try|will retry"
    r"|will be retried|warning: could not send|(?:do|need) not (?:need to )?resend"
    r"|задержан|задержк|попытки (?:доставки )?будут|будет повтор|пока не доставлен"
    r"|затриман|затримк|спроби (?:доставки )?триватимуть|буде повтор|ще не доставлен",
    re.I,
)
_QMAIL = "this is the qmail-send program at"
_QMAIL_RECIPIENT = re.compile(r"(?m)^<([^\s<>]{3,320})>:")
_GAVE_UP = re.compile(r"(?:retried|gave up|giving up|given up|too long|expired)", re.I)


def find(layout: Layout, text: str, envelope_from: str | None) -> Bounce | None:
    """What a bounce says, or None for any other email. `text` is the readable text."""
    headers = layout.root.headers
    path = return_path(headers, envelope_from)
    by_mailer = path == "" or _from_daemon(headers)
    is_report = _is_report(layout.root)
    if not (by_mailer or is_report):
        return None
    for part in layout.root.walk():
        if part.content_type in _STATUS_TYPES:
            return _standard(layout, part, text)
    if is_report:
        return _old(layout, text) or Bounce(None, _status(text[:SAMPLE]), "failed", None)
    marked = any(name in headers for name in _MARKS)
    # Exim calls its reports auto-replied.
    replied = headers.text("auto-submitted").startswith("auto-replied")
    is_answer = is_vacation(headers) or (replied and not _from_daemon(headers))
    if is_answer and not marked:
        return None
    # A postmaster may be a person, who writes with a return path and sends no copy of headers.
    personal = bool(path) and not marked and _original(layout, text) is None
    return None if personal else _old(layout, text)


def _is_report(root: Part) -> bool:
    report = root.params.get("report-type", "").lower()
    return report == "delivery-status" and root.headers.text("content-type").startswith(
        "multipart/report"
    )


def _standard(layout: Layout, part: Part, text: str) -> Bounce:
    """RFC 3464: groups of fields; the recipient with the worst news is told."""
    groups = _groups(decode_part(layout, part))
    recipients = [group for group in groups if "final-recipient" in group or "action" in group]
    group = min(recipients, key=_rank, default=Headers([]))
    action = group.text("action").partition(" ")[0]
    return Bounce(
        final_recipient=_recipient(group),
        status=_status(group.text("status"), group.text("diagnostic-code")),
        action=action if action in _ACTIONS else "failed",
        original_message_id=_original(layout, text) or _referred(layout),
    )


def _groups(data: bytes) -> list[Headers]:
    """The blocks of fields of a delivery-status part, at most 200."""
    blocks = re.split(rb"\n[ \t]*\n", data.replace(b"\r", b"")[:200_000], maxsplit=200)
    return [split(block.strip(b"\n") + b"\n\n").root.headers for block in blocks if block.strip()]


def _rank(group: Headers) -> int:
    action = group.text("action").partition(" ")[0]
    return _URGENCY.index(action) if action in _URGENCY else 0


def _recipient(group: Headers) -> str | None:
    """The address of a field such as `rfc822; user@example.org`."""
    for name in ("final-recipient", "original-recipient", "x-actual-recipient"):
        value = text_of(group.get(name) or b"").rpartition(";")[2]
        found = _EMAIL.search(value)
        if found:
            return mailbox(found.group())
    return None


def _status(*texts: str) -> str | None:
    """The enhanced status code of the first text that has one."""
    for text in texts:
        found = _STATUS.search(text)
        if found:
            return found.group(1)
    for text in texts:
        code = _REPLY_CODE.search(text)
        if code:
            return f"{code.group(1)}.0.0"
    return None


def _from_daemon(headers: Headers) -> bool:
    """Whether a mailer wrote it. A vacation note of postmaster@ would lack the words."""
    sender = first(headers.get("from"))
    local = sender.email if sender else text_of(headers.get("from") or b"").strip("<> ")
    return _DAEMON.match(local) is not None


def _old(layout: Layout, text: str) -> Bounce | None:
    """Bounces from before RFC 3464, and of mailers that never read it."""
    headers = layout.root.headers
    sample = text[:SAMPLE]
    words = f"{text_of(headers.get('subject') or b'')}\n{sample}"
    is_qmail = _QMAIL in sample.lower()
    marked = is_qmail or any(name in headers for name in _MARKS)
    is_delayed = _from_daemon(headers) and _DELAYED.search(words) is not None
    if not (marked or is_delayed or _FAILED.search(words)):
        return None
    recipient = _named(headers, sample, is_qmail)
    original = _original(layout, text)
    if recipient is None and original is None and not marked:
        return None
    action = "delayed" if is_delayed and not _GAVE_UP.search(sample) else "failed"
    return Bounce(recipient, _status(sample), action, original or _referred(layout))


def _named(headers: Headers, sample: str, is_qmail: bool) -> str | None:
    """The recipient that a bounce without fields names."""
    failed = text_of(headers.get("x-failed-recipients") or b"")
    if failed:
        return mailbox(failed.partition(",")[0])
    found = _QMAIL_RECIPIENT.search(sample) if is_qmail else None
    if found:
        return mailbox(found.group(1))
    around = {address.key for name in ("to", "from") for address in addresses(headers.get(name))}
    for match in _EMAIL.finditer(sample):
        email = mailbox(match.group().strip(".*"))
        if email and email_key(email) not in around and not _DAEMON.match(email):
            return email
    return None


def _original(layout: Layout, text: str) -> str | None:
    """The Message-ID of the email that came back, from the copy of its headers."""
    for part in layout.root.walk():
        if part.content_type in _RETURNED_TYPES and part is not layout.root:
            found = one_id(headers_of(decode_part(layout, part)).get("message-id"))
            if found:
                return found
    copied = _MESSAGE_ID.search(text[: 10 * SAMPLE])
    return one_id(copied.group(1).encode()) if copied else None


def _referred(layout: Layout) -> str | None:
    """The email that a bounce without a copy says it answers."""
    headers = layout.root.headers
    for name in ("original-message-id", "in-reply-to", "references"):
        found = ids(headers.get(name))
        if found:
            return found[-1]
    return None
