"""The octets of an email: fields that nothing can break, text and files that arrive whole."""

import email
import string
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.lib.text import clean_filename, clean_line
from helpdesk.outbox.compose import MailFile, compose
from helpdesk.outbox.headers import mailbox_line, plain_line, wire_address
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOSTILE = st.text(
    st.one_of(
        st.sampled_from('\r\n\0\t :;,<>@"\\=?()\u2028\u2029\x85\u202e\ud800éЇ日🙂'),
        st.sampled_from(string.printable),
        st.characters(),
    ),
    max_size=300,
)
FIELDS = {
    "Date",
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "X-Loop",
    "X-Helpdesk-Loop",
    "Content-Language",
    "Content-Type",
    "MIME-Version",
}


def row(**values: Any) -> Outgoing:
    known: dict[str, Any] = {
        "id": 1,
        "key": "reply:1",
        "kind": OutgoingKind.REPLY,
        "state": OutgoingState.SENDING,
        "to_address": "oksana@client.example",
        "from_name": "Alice",
        "from_address": "support@example.com",
        "reply_to": "support+t1.abc@example.com",
        "envelope_from": "support+t1.abc@example.com",
        "rfc_message_id": "t1.m1.abc@example.com",
        "in_reply_to": "first@client.example",
        "references": "zero@client.example first@client.example",
        "automatic": False,
        "language": "uk",
        "subject": "Re: Замовлення",
        "text": "Добрий день.\n",
        "html": "<p>Добрий день.</p>\n",
        "created_at": AT,
    }
    return Outgoing(**(known | values))


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def head_of(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0]


def test_it_reads_back_as_it_was_written() -> None:
    message = parsed(compose(row()))
    assert message["Subject"] == "Re: Замовлення"
    assert message["From"].addresses[0].display_name == "Alice"
    assert message["Message-ID"] == "<t1.m1.abc@example.com>"
    assert message["In-Reply-To"] == "<first@client.example>"
    assert message["References"].split() == ["<zero@client.example>", "<first@client.example>"]
    assert message["Reply-To"] == "support+t1.abc@example.com"
    assert message["Date"].datetime == AT
    assert body(message, "plain") == "Добрий день.\n"
    assert body(message, "html") == "<p>Добрий день.</p>\n"
    assert "Auto-Submitted" not in message


def test_long_message_ids_are_never_written_as_encoded_words() -> None:
    long = ["a" * 200 + f"{n}@example.com" for n in range(12)]
    raw = compose(row(references=" ".join(long), in_reply_to=long[-1], rfc_message_id=long[0]))
    assert b"=?" not in head_of(raw).replace(b"Subject: =?", b"")
    assert parsed(raw)["References"].split() == [f"<{one}>" for one in long]


def test_ids_that_could_break_a_header_are_left_out() -> None:
    raw = compose(row(in_reply_to="a\r\nBcc: x@y", references="ok@x <b>@x \u0430@x a\0b@x"))
    message = parsed(raw)
    assert "In-Reply-To" not in message
    assert message["References"] == "<ok@x>"


@pytest.mark.parametrize(
    ("kind", "mark"),
    [(OutgoingKind.RECEIPT, "auto-replied"), (OutgoingKind.NOTICE, "auto-generated")],
)
def test_automatic_mail_says_so(kind: OutgoingKind, mark: str) -> None:
    message = parsed(compose(row(kind=kind, automatic=True)))
    assert message["Auto-Submitted"] == mark
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Precedence"] == "bulk"
    assert message["X-Loop"] == "support@example.com"
    assert message["X-Helpdesk-Loop"] == "example.com"


@given(subject=HOSTILE, name=HOSTILE)
@settings(deadline=None, max_examples=300)
def test_no_subject_or_name_adds_a_field(subject: str, name: str) -> None:
    raw = compose(row(subject=subject, from_name=name))
    message = parsed(raw)
    assert set(message.keys()) == FIELDS
    assert len(message.keys()) == len(FIELDS)
    assert head_of(raw).isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert str(message["Subject"]).split() == clean_line(subject, 400).split()
    assert message["From"].addresses[0].addr_spec == "support@example.com"


@given(ids=st.lists(HOSTILE, max_size=4), filename=HOSTILE, content_type=HOSTILE)
@settings(deadline=None, max_examples=200)
def test_no_id_file_name_or_type_breaks_the_email(
    ids: list[str], filename: str, content_type: str
) -> None:
    file = MailFile(filename, content_type, b"\0\xff\r\n.\r\n")
    raw = compose(row(references=" ".join(ids), in_reply_to=(ids or [""])[0]), [file])
    message = parsed(raw)
    assert set(message.keys()) <= FIELDS
    [attached] = message.iter_attachments()
    assert attached.get_content_disposition() == "attachment"
    assert attached.get_payload(decode=True) == file.data


@pytest.mark.parametrize(
    "name",
    ["рахунок.pdf", "Ї" * 140 + ".pdf", 'a"b;c.txt', "日本語 (1).docx", "x" * 150, "a'b%20c.txt"],
)
def test_file_names_arrive(name: str) -> None:
    raw = compose(row(), [MailFile(name, "application/pdf", b"%PDF")])
    [attached] = parsed(raw).iter_attachments()
    assert attached.get_filename() == clean_filename(name)
    assert attached.get_content_type() == "application/pdf"


@pytest.mark.parametrize(
    "content_type", ["multipart/mixed", "message/rfc822", "text", "a/b/c", "text/html\r\nX: y", ""]
)
def test_types_that_are_none_go_as_octets(content_type: str) -> None:
    [attached] = parsed(compose(row(), [MailFile("a", content_type, b"x")])).iter_attachments()
    assert attached.get_content_type() == "application/octet-stream"


@pytest.mark.parametrize(
    "text",
    [
        ".\n..\n.end\n",
        "From here\n",
        "x" * 5_000 + "\n",
        "Ї" * 5_000 + "\n",
        "дуже довгий текст\n" * 10_000,
        "tab\tand  spaces  \n\n\nlines\n",
        "\n",
    ],
)
def test_any_text_arrives_whole(text: str) -> None:
    raw = compose(row(text=text, html=None))
    assert body(parsed(raw), "plain") == text
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.isascii()


def test_international_domains_go_in_ascii() -> None:
    assert wire_address("Оксана@пошта.укр") == "Оксана@xn--80a1acn3a.xn--j1amh"
    assert wire_address("Olga.X@Приклад.укр").startswith("Olga.X@xn--")


@pytest.mark.parametrize(
    "address", ["", "a", "a@b@c", "a b@c.de", "a@c.de\r\nBcc: x@y.de", "<a@b.c>"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError):
        compose(row(to_address=address))


def test_fields_of_our_own_are_checked_too() -> None:
    with pytest.raises(ValueError):
        plain_line("X-Test", "a\r\nb")
    assert mailbox_line("From", "a@b.example", 'Ann "A" \\ Lee') == (
        'From: "Ann \\"A\\" \\\\ Lee" <a@b.example>\r\n'
    )
