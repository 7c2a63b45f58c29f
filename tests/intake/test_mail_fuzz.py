"""Any bytes are read without error, and in time that grows with their size only."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.intake import mail_fallback
from helpdesk.intake.mail import parse, suspicious
from tests.intake.mails import assert_clean, encoded, file_part, mail, multipart, part, read


def cost(raw: bytes) -> float:
    """CPU seconds of one reading, the best of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        parse(raw, envelope_from="a@client.example")
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda n: multipart("mixed", *[part("x" * 300)] * n), 200),
        (lambda n: mail("On 1.1.2026 ann wrote:\n\n> x\n" * n), 10_000),
        (lambda n: mail("<div><b>x</b></div>" * n, Content_Type="text/html"), 4_000),
        (lambda n: mail(To="Ann <ann@x.example>, " * n), 1_000),
    ],
)
def test_twice_as_much_takes_about_twice_as_long(make: Callable[[int], bytes], size: int) -> None:
    once, twice = cost(make(size)), cost(make(2 * size))
    assert twice < 3.5 * once + 0.02


SEEDS = [
    mail(),
    multipart("alternative", part("Привіт"), part("<p>Привіт", "text/html; charset=koi8-u")),
    multipart(
        "mixed",
        part("x"),
        file_part(b"abc", "image/png; name*0*=utf-8''%41; name*1=b", Content_ID="<a@b>"),
    ),
    multipart(
        "report",
        part("failed"),
        part(
            (
                "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\n"
                "Action: failed\r\nStatus: 5.1.1\r\n"
            ),
            "message/delivery-status",
        ),
        Content_Type='multipart/report; report-type=delivery-status; boundary="=_b1"',
    ),
    mail(
        "> a\r\nOn 1.1.2026 x wrote:\r\n-- \r\ny",
        Subject=encoded("ї"),
        Content_Type="text/plain; format=flowed",
    ),
]
PIECES = [
    b"\r\n",
    b"\n\n",
    b"--=_b1",
    b"--",
    b'"',
    b"=?utf-8?B?",
    b"?=",
    b";",
    b"\x00",
    b"\xff\xfe",
    b"boundary=",
    b"Content-Type: ",
    b"<",
    b">",
    b"*0*=",
    b"\xed\xa0\x80",
    b"charset=utf-16",
    b"base64",
    b"(",
    b"\\",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(raw)))
        length = draw(st.integers(0, 40))
        raw[at : at + length] = draw(st.sampled_from(PIECES) | st.binary(max_size=12))
    return bytes(raw)


@settings(deadline=None, max_examples=300)
@given(mutated())
def test_mutated_mail_never_raises_and_is_clean(raw: bytes) -> None:
    got = read(raw)
    assert not any(error.startswith("parser_") for error in got.parse_errors)
    assert_clean(got)
    assert_clean(mail_fallback.rescue(raw, "x"))
    suspicious(raw)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400))
def test_random_bytes_never_raise(raw: bytes) -> None:
    got = parse(raw, envelope_from=None, own_addresses=lambda address: False)
    assert not any(error.startswith("parser_") for error in got.parse_errors)
    assert_clean(got)


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_words_in_fields_and_names_come_out_clean(first: str, second: str) -> None:
    disposition = f'attachment; filename="{encoded(second)}"'
    body = file_part(b"x", "text/x-z", Content_Disposition=disposition)
    got = read(
        multipart("mixed", body, Subject=encoded(first), From=f"{encoded(first)} <a@b.example>")
    )
    assert_clean(got)
    assert got.sender is not None and got.sender.email == "a@b.example"
