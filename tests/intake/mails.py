"""Emails made to measure: builders of raw bytes, ordinary and hostile."""

import base64
from collections.abc import Iterable
from dataclasses import fields, is_dataclass

from helpdesk.intake.inbound import Inbound
from helpdesk.intake.mail import parse
from helpdesk.lib.text import clean, clean_filename, clean_line

Field = tuple[str, str | bytes]
TOP: dict[str, str | bytes] = {
    "From": "Oksana Koval <oksana@client.example>",
    "To": "Support <support@desk.example>",
    "Subject": "Printer is broken",
    "Date": "Sat, 21 Nov 2026 17:30:00 +0200",
    "Message-ID": "<one@client.example>",
    "MIME-Version": "1.0",
}
SAID: dict[str, str | bytes] = {"Content-Type": "text/plain; charset=utf-8"}


def as_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def header(fields: Iterable[Field]) -> bytes:
    return b"".join(name.encode() + b": " + as_bytes(value) + b"\r\n" for name, value in fields)


def mail(
    body: str | bytes = "Hello, it does not work.\r\n",
    *,
    without: Iterable[str] = (),
    **fields: str | bytes,
) -> bytes:
    """An email with the usual top; `_` in a keyword stands for a hyphen in the field's name."""
    top = TOP | SAID | {name.replace("_", "-"): value for name, value in fields.items()}
    kept = [(name, value) for name, value in top.items() if name not in without]
    return header(kept) + b"\r\n" + as_bytes(body)


def part(body: str | bytes, kind: str = "text/plain; charset=utf-8", **fields: str) -> bytes:
    named = [(name.replace("_", "-"), value) for name, value in fields.items()]
    return header([("Content-Type", kind), *named]) + b"\r\n" + as_bytes(body)


def file_part(data: bytes, kind: str, **fields: str) -> bytes:
    return part(base64.encodebytes(data), kind, Content_Transfer_Encoding="base64", **fields)


def multi(kind: str, *parts: bytes, boundary: str = "=_b1", end: bool = True) -> bytes:
    """A multipart body."""
    mark = b"\r\n--" + boundary.encode()
    tail = mark + b"--\r\n" if end else b""
    return b"".join(mark + b"\r\n" + one for one in parts) + tail


def nested(kind: str, *parts: bytes, boundary: str) -> bytes:
    """A multipart as a part of another."""
    return part(multi(kind, *parts, boundary=boundary), f'multipart/{kind}; boundary="{boundary}"')


def multipart(kind: str, *parts: bytes, end: bool = True, **fields: str | bytes) -> bytes:
    """An email whose body is a multipart."""
    content_type = f'multipart/{kind}; boundary="=_b1"'
    return mail(multi(kind, *parts, end=end), **({"Content_Type": content_type} | fields))


def read(raw: bytes, envelope_from: str | None = "oksana@client.example") -> Inbound:
    return parse(
        raw,
        envelope_from=envelope_from,
        own_addresses={"support@desk.example"},
        authserv_id="mx.desk.example",
    )


def encoded(text: str) -> str:
    """An encoded word, lone surrogates and all."""
    return f"=?utf-8?B?{base64.b64encode(text.encode('utf-8', 'surrogatepass')).decode()}?="


def strings(value: object) -> list[str]:
    """Every string anywhere in an Inbound."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [one for item in value for one in strings(item)]
    if is_dataclass(value):
        return [one for f in fields(value) for one in strings(getattr(value, f.name))]
    return []


def assert_clean(got: Inbound) -> None:
    """Nothing that a database, a header line or a file name can't take."""
    for one in strings(got):
        one.encode()  # no lone surrogate
        assert "\x00" not in one
    for one in (got.text, got.visible_text):
        assert clean(one) == one
    for one in (got.subject, *(a.name for a in (*got.to, *got.cc))):
        assert "\n" not in one and "\r" not in one
        assert clean_line(one, 998) == one
    for file in got.files:
        assert clean_filename(file.filename) == file.filename
