"""What the parts of an email say: its text, its HTML and its files."""

import binascii
import mimetypes
import re
from dataclasses import dataclass, field
from html import unescape

from helpdesk.intake import mail_params, mail_words
from helpdesk.intake.inbound import InboundFile
from helpdesk.intake.mail_charset import decode as decode_bytes
from helpdesk.intake.mime import Headers, Layout, Part, split
from helpdesk.lib.html import sanitize, text_to_html, to_text
from helpdesk.lib.text import clean, clean_filename, clean_line

MAX_TEXT = 2_000_000
"""Characters of text and of HTML that are kept; the raw email holds the rest."""

_EXTENSIONS = {
    "application/ms-tnef": "winmail.dat",
    "application/pgp-encrypted": "version.asc",
    "application/pgp-keys": "key.asc",
    "application/pgp-signature": "signature.asc",
    "application/pkcs7-mime": "smime.p7m",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-signature": "smime.p7s",
    "message/delivery-status": "delivery-status.txt",
    "message/disposition-notification": "disposition-notification.txt",
    "message/feedback-report": "feedback-report.txt",
    "message/global-delivery-status": "delivery-status.txt",
    "text/calendar": "invitation.ics",
    "text/plain": ".txt",
    "text/rfc822-headers": "headers.txt",
    "text/vcard": "contact.vcf",
    "text/x-vcard": "contact.vcf",
}
_TYPES = mimetypes.MimeTypes()
_EMAILS = {"message/rfc822", "message/global"}
_ENCRYPTED = {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
_IGNORED = {"text/x-amp-html"}
_CID = re.compile(r'data-cid="([^"]*)"')
_PLAIN_ENCODINGS = {"", "7bit", "8bit", "binary", "7-bit", "8-bit"}


@dataclass(frozen=True, slots=True)
class Body:
    """Clean text, sanitised HTML or None, and the files in the order of the email."""

    text: str
    html: str | None
    files: tuple[InboundFile, ...]


@dataclass(slots=True)
class _Block:
    """Text in one or two forms."""

    plain: str | None = None
    html: str | None = None


@dataclass(slots=True)
class _Found:
    """What was met on the way through the parts."""

    blocks: list[_Block] = field(default_factory=list)
    files: list[InboundFile] = field(default_factory=list)


def read(layout: Layout) -> Body:
    """Text, HTML and files of a split email; problems are noted in the layout."""
    found = _Found()
    _visit(layout, layout.root, found, "")
    blocks = [block for block in found.blocks if (block.plain or block.html or "").strip()]
    source = "\n".join(_as_html(block) for block in blocks) if _has_html(blocks) else ""
    html = sanitize(_limited(layout, source)) if source else None
    text = "\n\n".join(_as_text(layout, block).strip("\n") for block in blocks)
    return Body(clean(_limited(layout, text)), html, _mark_inline(found.files, html))


def decode_part(layout: Layout, part: Part) -> bytes:
    """The bytes of a part without their transfer encoding; never raises."""
    body = layout.body(part)
    encoding = part.headers.text("content-transfer-encoding").partition(";")[0].strip()
    if encoding in _PLAIN_ENCODINGS or part.is_multipart:
        return body
    if encoding == "base64":
        data, whole = mail_words.base64(body)
        if not whole:
            layout.note("broken_base64")
        return data
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    layout.note(f"unknown_encoding:{clean_line(encoding, 40)}")
    return body


def part_text(layout: Layout, part: Part) -> str:
    """The text of a text part in its charset; problems are noted."""
    text, error = decode_bytes(decode_part(layout, part), part.params.get("charset"))
    if error:
        layout.note(error)
    text = text.removeprefix("\ufeff")  # a byte order mark
    if part.params.get("format", "").lower() == "flowed":
        return _unflow(text, delete_space=part.params.get("delsp", "").lower() == "yes")
    return text


def _visit(layout: Layout, part: Part, found: _Found, parent: str) -> None:
    """Sort a part and those below it into texts and files (depth is bounded by MAX_DEPTH)."""
    if part.content_type in _ENCRYPTED:
        layout.note("encrypted")
    if part.children:
        inner = _Found(files=found.files)
        for child in part.children:
            _visit(layout, child, inner, part.content_type)
        alternative = part.content_type == "multipart/alternative"
        found.blocks += [_merge(inner.blocks)] if alternative else inner.blocks
    elif part.content_type in _IGNORED and parent == "multipart/alternative":
        return
    elif _is_text(part, parent):
        text = part_text(layout, part)
        is_html = part.content_type == "text/html"
        found.blocks.append(_Block(html=text) if is_html else _Block(plain=text))
    elif part.end > part.start or part.headers.fields:
        found.files.append(_file(layout, part, len(found.files) + 1))


def _is_text(part: Part, parent: str) -> bool:
    """Whether a part is to be read in place, not offered as a file.

    A name makes it a file, but not if it is the whole email or a form of its text.
    """
    if part.content_type not in ("text/plain", "text/html"):
        return False
    disposition = mail_params.parse(part.headers.get("content-disposition"))
    if disposition.main == "attachment":
        return False
    if parent in ("", "multipart/alternative"):
        return True
    return not (disposition.params.get("filename") or part.params.get("name"))


def _merge(blocks: list[_Block]) -> _Block:
    """The forms of an alternative as one block."""
    plain = [block.plain for block in blocks if block.plain and block.plain.strip()]
    html = [block.html for block in blocks if block.html and block.html.strip()]
    return _Block("\n\n".join(plain) or None, "\n".join(html) or None)


def _has_html(blocks: list[_Block]) -> bool:
    return any(block.html for block in blocks)


def _as_html(block: _Block) -> str:
    return block.html if block.html is not None else text_to_html(block.plain or "")


def _as_text(layout: Layout, block: _Block) -> str:
    return block.plain if block.plain is not None else to_text(_limited(layout, block.html or ""))


def _limited(layout: Layout, text: str) -> str:
    if len(text) > MAX_TEXT:
        layout.note("text_too_long")
    return text[:MAX_TEXT]


def _unflow(text: str, *, delete_space: bool) -> str:
    """Paragraphs of format=flowed put together again (RFC 3676), quote marks kept."""
    out: list[str] = []
    held: list[str] = []
    held_depth = 0
    for line in text.split("\n"):
        rest = line.lstrip(">")
        depth = len(line) - len(rest)
        rest = rest.removeprefix(" ")
        if held and (depth != held_depth or rest == "-- "):
            out.append(_quoted(held_depth, held))
            held = []
        flows = rest.endswith(" ") and rest != "-- "
        held.append(rest[:-1] if flows and delete_space else rest)
        held_depth = depth
        if not flows:
            out.append(_quoted(depth, held))
            held = []
    return "\n".join([*out, _quoted(held_depth, held)] if held else out)


def _quoted(depth: int, pieces: list[str]) -> str:
    text = "".join(pieces)
    return f"{'>' * depth} {text}" if depth else text


def _file(layout: Layout, part: Part, number: int) -> InboundFile:
    """A part as a file with a name safe to show."""
    disposition = mail_params.parse(part.headers.get("content-disposition"))
    data = decode_part(layout, part)
    wanted = disposition.params.get("filename") or part.params.get("name") or ""
    wanted = wanted if clean_line(wanted) else _given_name(part, data, number)
    cid = clean_line(mail_words.text_of(part.headers.get("content-id") or b"", 300).strip("<> "))
    shown = disposition.main == "inline" and part.content_type.startswith("image/")
    return InboundFile(clean_filename(wanted), part.content_type, data, cid or None, shown)


def _given_name(part: Part, data: bytes, number: int) -> str:
    """A name by type for a part that has none; an attached email goes by its subject."""
    kind = part.content_type
    if kind in _EMAILS:
        subject = mail_words.text_of(headers_of(data).get("subject") or b"", 80)
        return f"{subject or f'message-{number}'}.eml"
    known = _EXTENSIONS.get(kind, "")
    if known and not known.startswith("."):
        return known
    extension = known or _TYPES.guess_extension(kind) or ".bin"
    return f"attachment-{number}{extension}"


def headers_of(data: bytes) -> Headers:
    """The top header of an attached email, at most 64 kB of it."""
    return split(data[:65536]).root.headers


def _mark_inline(files: list[InboundFile], html: str | None) -> tuple[InboundFile, ...]:
    """Say of each file whether it is shown within the text."""
    if html is None:
        return tuple(files)
    shown = {unescape(cid) for cid in _CID.findall(html)}
    return tuple(
        InboundFile(f.filename, f.content_type, f.data, f.content_id, f.content_id in shown)
        for f in files
    )
