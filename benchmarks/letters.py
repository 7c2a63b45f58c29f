"""The emails of the intake measurement: 8 kB, every fifth with a file of 20 kB, a third replies.

Bodies are made beforehand, so that writing a letter costs the senders next to nothing; ids,
senders, subjects and the files' bytes differ from letter to letter.
"""

import base64
import quopri
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from benchmarks.vocabulary import LANGUAGES, Vocabulary

BODIES = 120  # a sender
TEXT_WORDS = 90
LETTER_BYTES = 8_000
HEAD_BYTES = 1_500
FILE_BYTES = 20_000
FILE_EVERY = 5
REPLY_EVERY = 3
REMEMBERED = 200  # own letters a reply may answer
OUTER, INNER = "=_outer_7d1f", "=_inner_9a2c"
FRESH = b"@" * 76  # stands for the file's first line, another one in each letter


@dataclass(frozen=True)
class Letter:
    """An email ready to be sent; `message_id` without angle brackets."""

    message_id: str
    sender: str
    raw: bytes


@dataclass(frozen=True)
class Body:
    """The part of an email that is used again: an encoded subject and name, and the body."""

    subject: str
    name: str
    octets: bytes


class Writer:
    """One sender's letters. `people` are clients known by address; as many are not known yet."""

    def __init__(
        self, number: int, run: str, known: Mapping[str, Vocabulary], to: str, people: int
    ) -> None:
        self.draw = random.Random(f"{run}:{number}")
        self.number, self.run, self.to, self.people = number, run, to, people
        self.count = 0
        self.first: list[tuple[str, str, str]] = []  # message id, sender, subject
        self.bodies = [self._body(known[LANGUAGES[n % 3]], n) for n in range(BODIES)]

    def letter(self, at: datetime) -> Letter:
        """The next letter."""
        self.count += 1
        body = self.bodies[self.count % BODIES]
        message_id = f"{self.run}.{self.number}.{self.count}@mail.example"
        lines = [f"Date: {format_datetime(at)}", f"Message-ID: <{message_id}>", f"To: {self.to}"]
        if self.count % REPLY_EVERY == 0 and self.first:
            answered, sender, subject = self.draw.choice(self.first[-REMEMBERED:])
            lines += [f"In-Reply-To: <{answered}>", f"References: <{answered}>"]
            lines.append(f"Subject: Re: {subject}")
        else:
            sender = f"person{self.draw.randrange(1, 2 * self.people)}@customers.example"
            lines.append(f"Subject: {body.subject}")
            self.first.append((message_id, sender, body.subject))
        lines += [f"From: {body.name} <{sender}>", "MIME-Version: 1.0"]
        octets = body.octets.replace(FRESH, base64.b64encode(self.draw.randbytes(57)))
        return Letter(message_id, sender, TRACE + "\r\n".join(lines).encode() + b"\r\n" + octets)

    def _body(self, words: Vocabulary, number: int) -> Body:
        place = words.place(self.draw, TEXT_WORDS)
        text = words.text(place, TEXT_WORDS)
        plain = _plain(text)
        paragraphs = "".join(f'<p style="margin:0">{line}</p>\r\n' for line in text.split(". "))
        html = f"<html><head><style>p{{margin:0}}</style></head><body>{paragraphs}"
        room = LETTER_BYTES - HEAD_BYTES - len(plain) - len(_html(html))
        spacer = "<div class='c'>&nbsp;</div>\r\n"
        html += spacer * max(room * 3 // (4 * len(spacer)), 0) + "</body></html>"
        octets = _multipart("alternative", INNER, plain, _html(html))
        if number % FILE_EVERY == 0:
            octets = _multipart("mixed", OUTER, octets, _file(self.draw.randbytes(FILE_BYTES)))
        return Body(
            subject=Header(words.text(place, 6).rstrip("."), "utf-8").encode(),
            name=Header(words.text(place + 3, 2).rstrip("."), "utf-8").encode(),
            octets=octets,
        )


TRACE = (
    "Return-Path: <sender@customers.example>\r\n"
    "Received: from mx.customers.example (mx.customers.example [192.0.2.7])\r\n"
    "\tby relay.example with ESMTPS id 4Xk2mC0q1Yz9s for <support@bench.example>;\r\n"
    "\tSat, 21 Nov 2026 10:00:00 +0000\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=customers.example; s=s1;\r\n"
    "\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n"
    f"\tb={'dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4Z' * 4}\r\n"
    "X-Mailer: Example Mail 12.1\r\n"
).encode()


def _plain(text: str) -> bytes:
    octets = quopri.encodestring(text.encode()).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return _entity("text/plain; charset=utf-8", "quoted-printable", octets)


def _html(text: str) -> bytes:
    return _entity("text/html; charset=utf-8", "base64", _base64(text.encode()))


def _file(data: bytes) -> bytes:
    octets = FRESH + b"\r\n" + _base64(data)
    return _entity(
        'application/pdf; name="scan.pdf"',
        'base64\r\nContent-Disposition: attachment; filename="scan.pdf"',
        octets,
    )


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _entity(kind: str, coding: str, octets: bytes) -> bytes:
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n"
    return head.encode() + octets


def _multipart(kind: str, boundary: str, *parts: bytes) -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    mark = b"\r\n--" + boundary.encode()
    return head + b"".join(mark + b"\r\n" + part for part in parts) + mark + b"--\r\n"
