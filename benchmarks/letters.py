"""The emails of the intake measurement: 8 kB, every fifth with a file of 20 kB, a third replies."""

import base64
import quopri
import random
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from benchmarks.vocabulary import LANGUAGES, Vocabulary

TEXT_WORDS = 90
LETTER_BYTES = 8_000
HEAD_BYTES = 1_500
FILE_BYTES = 20_000
FILE_EVERY = 5
REPLY_EVERY = 3
OUTER, INNER = "=_outer_7d1f", "=_inner_9a2c"


@dataclass(frozen=True)
class Letter:
    """An email ready to be sent; `message_id` without angle brackets."""

    message_id: str
    sender: str
    raw: bytes


class Writer:
    """One sender's letters: clients who write for the first time, and replies to those."""

    def __init__(self, number: int, run: str, known: dict[str, Vocabulary], to: str) -> None:
        self.draw = random.Random(f"{run}:{number}")
        self.number, self.run, self.known, self.to = number, run, known, to
        self.count = 0
        self.first: list[tuple[str, str, str]] = []  # message id, sender, subject

    def letter(self, at: datetime) -> Letter:
        """The next letter."""
        self.count += 1
        language = LANGUAGES[self.count % len(LANGUAGES)]
        words = self.known[language]
        place = words.place(self.draw, TEXT_WORDS)
        message_id = f"{self.run}.{self.number}.{self.count}@mail.example"
        fields = [("Date", format_datetime(at)), ("Message-ID", f"<{message_id}>"), ("To", self.to)]
        if self.count % REPLY_EVERY == 0 and self.first:
            answered, sender, subject = self.draw.choice(self.first[-200:])
            fields += [("In-Reply-To", f"<{answered}>"), ("References", f"<{answered}>")]
            subject = f"Re: {subject}"
        else:
            sender = f"client{self.draw.randrange(20_000)}@customers.example"
            subject = words.text(place, 6).rstrip(".")
            self.first.append((message_id, sender, subject))
        name = Header(words.text(place + 3, 2).replace(".", ""), "utf-8").encode()
        fields += [("From", f"{name} <{sender}>"), ("Subject", Header(subject, "utf-8").encode())]
        raw = self._raw(fields, words.text(place, TEXT_WORDS))
        return Letter(message_id, sender, raw)

    def _raw(self, fields: list[tuple[str, str]], text: str) -> bytes:
        head = [*_TRACE, *fields, ("MIME-Version", "1.0")]
        paragraphs = "".join(f'<p style="margin:0">{line}</p>\r\n' for line in text.split(". "))
        html = f"<html><head><style>p{{margin:0}}</style></head><body>{paragraphs}"
        plain = _part("text/plain", text)
        room = LETTER_BYTES - HEAD_BYTES - len(plain) - len(_part("text/html", html))
        spacer = "<div class='c'>&nbsp;</div>\r\n"
        html += spacer * max(room * 3 // (4 * len(spacer)), 0) + "</body></html>"
        body = _multipart("alternative", INNER, plain, _part("text/html", html))
        if self.count % FILE_EVERY == 0:
            body = _multipart("mixed", OUTER, body, _file(self.draw.randbytes(FILE_BYTES)))
        lines = "".join(f"{name}: {value}\r\n" for name, value in head)
        return lines.encode("ascii") + body


_TRACE = [
    ("Return-Path", "<sender@customers.example>"),
    (
        "Received",
        "from mx.customers.example (mx.customers.example [192.0.2.7])\r\n"
        "\tby relay.example with ESMTPS id 4Xk2mC0q1Yz9s for <support@bench.example>;\r\n"
        "\tSat, 21 Nov 2026 10:00:00 +0000",
    ),
    (
        "DKIM-Signature",
        "v=1; a=rsa-sha256; c=relaxed/relaxed; d=customers.example; s=s1;\r\n"
        "\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n"
        "\tb=" + "\r\n\t ".join(["dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4Z"] * 4),
    ),
    ("X-Mailer", "Example Mail 12.1"),
]


def _part(kind: str, text: str) -> bytes:
    encoded = quopri.encodestring(text.encode()).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if kind == "text/html":
        encoded = base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")
        coding = "base64"
    else:
        coding = "quoted-printable"
    head = f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: {coding}\r\n\r\n"
    return head.encode() + encoded


def _file(data: bytes) -> bytes:
    head = (
        'Content-Type: application/pdf; name="scan.pdf"\r\n'
        'Content-Disposition: attachment; filename="scan.pdf"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(data).replace(b"\n", b"\r\n")


def _multipart(kind: str, boundary: str, *parts: bytes) -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    mark = b"\r\n--" + boundary.encode()
    return head + b"".join(mark + b"\r\n" + part for part in parts) + mark + b"--\r\n"
