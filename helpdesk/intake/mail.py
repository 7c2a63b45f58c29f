"""Bytes of an email to an Inbound: pure, never raises, whatever the bytes are."""

from helpdesk.intake import (
    guard,
    mail_auth,
    mail_body,
    mail_bounce,
    mail_fallback,
    mail_fields,
    mail_language,
    mime,
    quotes,
)
from helpdesk.intake.inbound import Bounce, Inbound

# An ordinary email stays far below these; above them it is read in a child process.
ORDINARY_DEPTH = 10
ORDINARY_PARTS = 100
ORDINARY_HEADER_BYTES = 64 * 1024
ORDINARY_TEXT = 1024 * 1024
_BROKE_BUDGET = {"too_deep", "too_many_parts", "too_many_params", "headers_too_long"}


def parse(
    raw: bytes,
    *,
    envelope_from: str | None,
    own_addresses: guard.Own = (),
    authserv_id: str | None = None,
) -> Inbound:
    """Understand an email. Never raises: what can't be read is told in `parse_errors`.

    `envelope_from`: MAIL FROM, "" for the null path, None if unknown. `own_addresses`: which
    addresses are ours. `authserv_id`: the name under which our own mail server writes
    Authentication-Results; None trusts nobody.
    """
    try:
        layout = mime.split(raw)
    except Exception as error:  # as in parse_layout
        return mail_fallback.rescue(raw, f"parser_error:{type(error).__name__}")
    return parse_layout(
        layout,
        envelope_from=envelope_from,
        own_addresses=own_addresses,
        authserv_id=authserv_id,
    )


def suspicious(raw: bytes) -> bool:
    """Whether the shape of an email is not that of ordinary mail (any bytes, linear time)."""
    return unusual(mime.split(raw))


def unusual(layout: mime.Layout) -> bool:
    """Whether a split email should be read where it can do no harm."""
    if layout.depth > ORDINARY_DEPTH or layout.parts > ORDINARY_PARTS:
        return True
    if layout.header_bytes > ORDINARY_HEADER_BYTES or _BROKE_BUDGET & set(layout.errors):
        return True
    texts = (p for p in layout.root.walk() if p.content_type.startswith("text/"))
    return any(_is_heavy(layout, part) for part in texts)


def parse_layout(
    layout: mime.Layout,
    *,
    envelope_from: str | None,
    own_addresses: guard.Own,
    authserv_id: str | None,
) -> Inbound:
    """`parse` for an email that is split already."""
    try:
        return _understand(layout, envelope_from, own_addresses, authserv_id)
    except Exception as error:  # any bug of ours on hostile input must still open a ticket
        code = f"parser_error:{type(error).__name__}"
        return mail_fallback.rescue(layout.raw, code, tuple(layout.errors))


def _is_heavy(layout: mime.Layout, part: mime.Part) -> bool:
    """Whether a text is so long, or a line of it, that reading it may take its time."""
    size = part.end - part.start
    return size > ORDINARY_TEXT or (size > mime.LONG_LINE and mime.has_long_line(layout.body(part)))


def _understand(
    layout: mime.Layout, envelope_from: str | None, own: guard.Own, authserv_id: str | None
) -> Inbound:
    headers = layout.root.headers
    top = mail_fields.read(headers)
    body = mail_body.read(layout)
    text = body.text
    if layout.over_budget and not text.strip():
        text = mail_fallback.first_text(layout.raw)
    visible = quotes.visible(text, forwarded=quotes.is_forward(top.subject))
    automatic = guard.judge(headers, envelope_from, own)
    bounce = mail_bounce.find(layout, text, envelope_from)
    reason = _reason(automatic, bounce)
    return Inbound(
        "email",
        message_id=top.message_id,
        in_reply_to=top.in_reply_to,
        references=top.references,
        sender=top.sender,
        reply_to=top.reply_to,
        sender_header=top.sender_header,
        to=top.to,
        cc=top.cc,
        subject=top.subject,
        date=top.date,
        text=text,
        visible_text=visible,
        html=body.html,
        language=mail_language.detect(f"{top.subject}\n{visible}"),
        files=body.files,
        is_auto_reply=automatic.is_response and bounce is None,
        is_bounce=bounce is not None,
        bounce=bounce,
        no_receipt=reason is not None,
        no_receipt_reason=reason,
        parse_errors=tuple(dict.fromkeys((*layout.errors, *top.errors))),
        auth=_auth(headers, top, authserv_id),
    )


def _auth(headers: mime.Headers, top: mail_fields.Fields, authserv_id: str | None) -> str:
    """Of several authors it isn't known which one was proven."""
    verdict = mail_auth.verdict(headers, top.sender, authserv_id)
    return "none" if verdict == "pass" and "several_from" in top.errors else verdict


def _reason(automatic: guard.Automatic, bounce: Bounce | None) -> str | None:
    """Why no receipt is sent: being a bounce says more than its marks."""
    return "bounce" if bounce is not None else automatic.reason
