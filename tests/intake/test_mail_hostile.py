"""Broken and hostile email: it is always understood as far as it goes, in bounded time."""

import base64
import os
import time

import pytest

from helpdesk.intake import mail_body
from helpdesk.intake.inbound import Inbound
from helpdesk.intake.mail import suspicious
from helpdesk.intake.mime import MAX_PARTS, split
from helpdesk.lib.text import clean_filename
from tests.intake.mails import (
    assert_clean,
    encoded,
    file_part,
    mail,
    multi,
    multipart,
    nested,
    part,
    read,
)

SECONDS = 3


def quickly(raw: bytes) -> Inbound:
    """Read under the stop-watch."""
    start = time.process_time()
    got = read(raw)
    assert time.process_time() - start < SECONDS
    return got


def deep(depth: int) -> bytes:
    top = 'Content-Type: multipart/mixed; boundary="b0"\r\n\r\n'
    levels = "".join(
        f'--b{n - 1}\r\nContent-Type: multipart/mixed; boundary="b{n}"\r\n\r\n'
        for n in range(1, depth)
    )
    last = f"--b{depth - 1}\r\nContent-Type: text/plain\r\n\r\nthe deep words\r\n"
    return f"From: a@client.example\r\nSubject: deep\r\n{top}{levels}{last}".encode()


def test_depth_1000() -> None:
    got = quickly(deep(1000))
    assert "too_many_parts" in got.parse_errors and "too_deep" in got.parse_errors
    assert got.text == "the deep words"
    assert got.subject == "deep"
    assert suspicious(deep(1000)) and suspicious(deep(12)) and not suspicious(deep(5))


def test_depth_60_is_flattened_and_read() -> None:
    got = quickly(deep(60))
    assert got.parse_errors == ("too_deep", "no_final_boundary")
    assert got.text.strip() == "the deep words"


def test_depth_of_attached_emails_is_not_followed() -> None:
    raw = mail("the core")
    for _ in range(300):
        raw = mail(raw, Content_Type="message/rfc822")
    got = quickly(raw)
    assert len(got.files) == 1 and got.files[0].filename.endswith(".eml")


def test_50000_parts() -> None:
    raw = multipart("mixed", part("first words"), *[part("x")] * 50_000)
    got = quickly(raw)
    assert "too_many_parts" in got.parse_errors
    assert got.text.startswith("first words")
    assert split(raw).parts == MAX_PARTS
    assert suspicious(raw)


def test_50000_nested_parts_before_the_text() -> None:
    raw = multipart("mixed", *[file_part(b"x", "image/png")] * 1000, part("late words"))
    assert quickly(raw).text == "late words"


def test_a_million_lines_of_dashes() -> None:
    raw = multipart("mixed", part("words\r\n" + "--x\n" * 1_000_000))
    got = quickly(raw)
    assert "too_many_parts" in got.parse_errors
    assert got.text.startswith("words")


def test_8000_pieces_of_a_file_name() -> None:
    pieces = "".join(f'; filename*{n}="a"' for n in range(8000))
    raw = multipart(
        "mixed", part("hi"), part("x", "text/x-y", Content_Disposition=f"attachment{pieces}")
    )
    got = quickly(raw)
    assert len(got.files) == 1 and len(got.files[0].filename) <= 150
    typed = mail("hi", Content_Type="text/plain" + "".join(f"; a*{n}=x" for n in range(8000)))
    assert "too_many_params" in quickly(typed).parse_errors
    assert suspicious(typed)


def test_a_large_attachment_is_read_quickly() -> None:
    data = os.urandom(30_000_000)
    raw = multipart(
        "mixed",
        part("big"),
        file_part(data, "application/zip", Content_Disposition="attachment; filename=a.zip"),
    )
    got = quickly(raw)
    assert got.files[0].data == data
    assert not suspicious(raw)


def test_a_header_of_a_megabyte() -> None:
    for value in (
        "x" * 1_000_000,
        "a@b.example, " * 80_000,
        "=?utf-8?Q?x?= " * 70_000,
        "(" * 1_000_000,
    ):
        got = quickly(mail("the words", To=value, without=["Subject"]))
        assert "headers_too_long" in got.parse_errors
        assert got.text == "the words"
        assert suspicious(mail(To=value))


def test_headers_just_under_the_limit_are_read_in_time() -> None:
    size = 250_000
    words = "".join(
        f"=?x{n % 7}?B?/////////////////////////////////////////////w==?= "
        for n in range(size // 64)
    )
    for name in (
        "Subject",
        "From",
        "To",
        "Message_ID",
        "References",
        "Content_Type",
        "X_Loop",
        "Date",
    ):
        for value in (
            words,
            '"' * size,
            "<" * size,
            "(" * size,
            "\\" * size,
            "=?" * (size // 2),
            ";" * size,
            "=?a?b?" * (size // 6),
            "a@b," * (size // 4),
        ):
            quickly(mail(**{name: value}))


def test_100000_header_fields() -> None:
    raw = b"From: a@client.example\r\n" + b"A: b\r\n" * 100_000 + b"\r\nbody"
    got = quickly(raw)
    assert "headers_too_long" in got.parse_errors
    assert got.sender is not None and got.text == "body"


def test_a_line_of_a_megabyte() -> None:
    got = quickly(mail("y" * 1_000_000))
    assert len(got.text) == 1_000_000
    assert suspicious(mail("y" * 1_000_000))
    for unit in ("> ", "On 1.1.2026 ", "a@b:", "<p>", "-- ", "From: "):
        quickly(mail(unit * 150_000))
        quickly(mail(unit * 150_000, Content_Type="text/html"))


def test_unknown_and_absurd_charsets() -> None:
    for charset in (
        "x-foo",
        "punycode",
        "zlib",
        "rot13",
        "unicode_escape",
        "hex",
        "idna",
        "a" * 500,
        "\x00",
    ):
        got = read(mail("Привіт, світе", Content_Type=f"text/plain; charset={charset}"))
        assert got.text == "Привіт, світе"
        assert any(error.startswith("unknown_charset:") for error in got.parse_errors)


def test_bytes_that_no_charset_fits() -> None:
    got = read(mail(b"ok \xff\xfe\x00\xd8 \x80 end", Content_Type="text/plain; charset=utf-8"))
    assert got.text.startswith("ok ") and got.text.endswith(" end")
    assert_clean(got)


@pytest.mark.parametrize(
    ("body", "kind", "error", "text"),
    [
        ("no parts at all", 'multipart/mixed; boundary="x"', "boundary_missing", "no parts at all"),
        ("no parts at all", "multipart/mixed", "boundary_missing", "no parts at all"),
        ("--g\r\n\r\nguessed\r\n--g--\r\n", "multipart/mixed", "no_boundary", "guessed"),
        ("--x\r\n\r\ncut", 'multipart/mixed; boundary="x"', "no_final_boundary", "cut"),
        ("--x", 'multipart/mixed; boundary="x"', "no_final_boundary", ""),
        ("--x--\r\nlost?", 'multipart/mixed; boundary="x"', "boundary_missing", ""),
        ("x --b\r\n\r\nmid", 'multipart/mixed; boundary="b"', "boundary_missing", "x --b\n\nmid"),
        (
            "--b\r\nnot a header\r\n\r\nx\r\n--b--",
            'multipart/mixed; boundary="b"',
            "broken_header",
            "not a header\n\nx",
        ),
    ],
)
def test_broken_multiparts(body: str, kind: str, error: str, text: str) -> None:
    got = read(mail(body, Content_Type=kind))
    assert got.text.strip() == text or error == "boundary_missing"
    if text:
        assert error in got.parse_errors or text in got.text


def test_the_boundary_of_the_parent_ends_an_unfinished_child() -> None:
    child = part(
        multi("mixed", part("inner"), boundary="in", end=False), 'multipart/mixed; boundary="in"'
    )
    got = read(multipart("mixed", child, part("outer")))
    assert got.text == "inner\n\nouter"


def test_the_same_boundary_inside_itself() -> None:
    got = read(multipart("mixed", nested("alternative", part("a"), boundary="=_b1"), part("b")))
    assert "a" in got.text


def test_no_from_no_message_id_two_froms() -> None:
    got = read(mail(without=["From", "Message-ID", "Date", "Subject", "To"]))
    assert (got.sender, got.message_id, got.date, got.subject) == (None, None, None, "")
    assert got.parse_errors == ("no_from",)
    two = read(b"From: a@client.example\r\nFrom: b@client.example\r\n\r\nx")
    assert two.sender is not None and two.sender.email == "a@client.example"
    assert two.parse_errors == ("several_from",)
    one = read(mail(From="a@client.example, b@client.example"))
    assert one.sender is not None and one.sender.email == "a@client.example"
    assert one.parse_errors == ("several_from",)


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"\r\n\r\n", b"\x00", b"no header", b":", b"\xff" * 99, b"--", b"From "]
)
def test_next_to_nothing(raw: bytes) -> None:
    assert_clean(quickly(raw))


def test_text_without_header_is_text() -> None:
    assert read(b"just words\r\nand more").text == "just words\nand more"


def test_mbox_line_and_bare_cr() -> None:
    assert read(b"From a@b Sat Nov 21\r\n" + mail("x")).subject == "Printer is broken"
    assert read(mail("one\r\ntwo").replace(b"\r\n", b"\r")).text == "one\ntwo"
    assert read(mail("one\rtwo\r\r\nthree")).text == "one\ntwo\n\nthree"


@pytest.mark.parametrize(
    "evil", ["hi\r\nBcc: v@x.example", "a\x00b", "a\u202egnp.exe", "z\u200bw", "x\ud800y"]
)
def test_line_breaks_and_invisible_characters_in_fields(evil: str) -> None:
    got = read(
        mail(
            Subject=encoded(evil),
            From=f"{encoded(evil)} <a@client.example>",
            To=f"{encoded(evil)} <b@client.example>",
        )
    )
    assert_clean(got)
    assert got.sender is not None
    for one in (got.subject, got.sender.name):
        assert not any(char in one for char in "\r\n\x00\u202e\u200b\ud800")
    assert got.sender.email == "a@client.example"


def test_line_break_inside_an_address_makes_no_address() -> None:
    got = read(mail(From=encoded("<a@client.example\r\nBcc: v@x.example>")))
    assert got.sender is None or got.sender.email.isprintable()
    assert read(mail(From='"a\r\n b"@client.example')).parse_errors == ("no_from",)


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\x01", "\xad"])
def test_an_address_with_hidden_characters_is_not_taken_for_another(hidden: str) -> None:
    got = read(mail(From=f"Boss <bo{hidden}ss@client.example>"))
    assert got.sender is None and got.text


EVIL_NAMES = [
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "..\u2044x",
    "\u200b.htaccess",
    "a\u202egnp.exe",
    "a\x00.php",
    "x" * 300 + ".pdf",
    "CON",
    "a.php.",
    ".",
    "..",
    "a\r\nContent-Type: text/html",
    "\ud800.txt",
    "C:\\Users\\me\\bill.pdf",
    " ",
]


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_file_names(name: str) -> None:
    for value in (
        f'attachment; filename="{encoded(name)}"',
        f"attachment; filename={encoded(name)}",
    ):
        got = read(
            multipart("mixed", file_part(b"x", "application/pdf", Content_Disposition=value))
        )
        found = got.files[0].filename
        assert clean_filename(found) == found
        assert not set(found) & set("/\\\x00\r\n\u200b\u202e\u2044")
        assert found and not found.startswith(".") and len(found) <= 150


def test_nul_in_text_is_dropped() -> None:
    assert read(mail(b"a\x00b")).text == "ab"


def test_broken_base64_is_read_as_far_as_it_goes() -> None:
    cut = base64.b64encode("Привіт, світе!".encode())[:-3]
    got = read(mail(cut, Content_Transfer_Encoding="base64"))
    assert got.text.startswith("Привіт, св")
    assert "broken_base64" in got.parse_errors


def test_unknown_transfer_encoding_is_told() -> None:
    got = read(mail("as it is", Content_Transfer_Encoding="x-rot13"))
    assert got.text == "as it is" and got.parse_errors == ("unknown_encoding:x-rot13",)


def test_endless_text_is_cut_and_told() -> None:
    got = quickly(mail("line of words\n" * 300_000))
    assert len(got.text) <= mail_body.MAX_TEXT
    assert "text_too_long" in got.parse_errors


def test_our_own_header_names_from_outside_change_nothing() -> None:
    forged = b"X-Helpdesk-Ticket: 1\r\nX-Helpdesk-Auto: yes\r\nX-Helpdesk-Loop: 1\r\n"
    assert read(forged + mail()) == read(mail())


def test_reply_to_is_never_the_author() -> None:
    got = read(mail(Reply_To="boss@desk.example"))
    assert got.sender is not None and got.sender.email == "oksana@client.example"


def test_a_bug_in_the_reader_still_gives_the_readable_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr("helpdesk.intake.mail_body.read", fail)
    got = read(multipart("mixed", part("the first words"), part("x", "text/html")))
    assert got.parse_errors == ("parser_error:RecursionError",)
    assert (got.subject, got.text, got.no_receipt) == ("Printer is broken", "the first words", True)
    monkeypatch.setattr("helpdesk.intake.mail_fields.read", fail)
    assert read(mail()).parse_errors == ("parser_error:RecursionError",)
