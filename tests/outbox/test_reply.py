"""Answers thread in mail programs, quote what they answer, and carry nothing live from outside."""

from html.parser import HTMLParser

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import ext, files
from helpdesk.clients.models import Client, ContactKind, ContactPoint, Person
from helpdesk.intake import quotes
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import read_ticket_address
from helpdesk.outbox.models import Outgoing
from helpdesk.outbox.reply import QUOTE_LINES, subject_of
from helpdesk.outbox.sending import send_due
from helpdesk.reactions import react
from helpdesk.tickets import actions
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Attachment, Channel, Ticket
from helpdesk.tickets.received import add_message
from tests.cast import Cast
from tests.outbox.conftest import Answer, OpenTicket
from tests.relay import Relay

XSS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "</title><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "<style>@import 'http://evil.example'</style>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    'http://x.example/"onmouseover=alert(1)//',
]
TABLES = {"span", "table", "tr", "th", "td"}
ALLOWED = TABLES | {"html", "head", "meta", "title", "body", "div", "p", "a", "br", "blockquote"}


class Tags(HTMLParser):
    """Collects what an HTML email does."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def assert_harmless(html: str) -> None:
    found = Tags(html)
    assert found.tags <= ALLOWED
    for name, value in found.attributes:
        assert not name.startswith("on")
        assert name != "src"
        if name == "href":
            assert value.startswith(("http://", "https://"))
        if name == "style":
            assert "url(" not in value


def only_row() -> Outgoing:
    with ext.session() as session:
        return session.scalars(select(Outgoing).order_by(Outgoing.id.desc())).all()[0]


def writes(
    cast: Cast, ticket_id: int, text: str, message_id: str, *, stranger: bool = False
) -> None:
    who = cast.stranger if stranger else cast.oksana
    content = Content(text=text, subject="Re: x", message_id=message_id, stranger=stranger)
    with ext.write() as session:
        add_message(session, ticket_id, content, who=who, channel=Channel.EMAIL, at=now())


def test_answers_thread_in_order(relay: Relay, cast: Cast, ask: OpenTicket, answer: Answer) -> None:
    ticket_id = ask(message_id="c1@client.example")
    answer(ticket_id, "one")
    writes(cast, ticket_id, "and then?", "c2@client.example")
    answer(ticket_id, "two")
    answer(ticket_id, "three")
    react()
    send_due()
    first, second, third = relay.parsed()
    assert first["In-Reply-To"] == "<c1@client.example>"
    assert first["References"].split() == ["<c1@client.example>"]
    assert second["In-Reply-To"] == "<c2@client.example>"
    assert second["References"].split() == [
        "<c1@client.example>",
        first["Message-ID"],
        "<c2@client.example>",
    ]
    assert third["In-Reply-To"] == "<c2@client.example>"
    assert third["References"].split()[-1] == "<c2@client.example>"
    assert second["Message-ID"] in third["References"]
    assert all(read_ticket_address(b"k" * 32, m["Reply-To"]) == ticket_id for m in relay.parsed())
    assert {m["Subject"] for m in (first,)} == {"Re: Замовлення 17"}
    assert first["From"] == "Alice <support@example.com>"


def test_an_answer_quotes_the_clients_last_message(
    cast: Cast, ask: OpenTicket, answer: Answer
) -> None:
    ticket_id = ask("Де моє замовлення?\nДякую")
    answer(ticket_id, "Їде до Вас.")
    react()
    row = only_row()
    assert row.text.startswith("Їде до Вас.\n\n")
    assert "> Де моє замовлення?\n> Дякую\n" in row.text
    assert row.html is not None
    assert "<blockquote" in row.html


@pytest.mark.parametrize("language", ["en", "ru", "uk"])
def test_our_own_quote_is_recognised_when_it_comes_back(
    cast: Cast, ask: OpenTicket, answer: Answer, language: str
) -> None:
    with ext.write() as session:
        session.get_one(Person, cast.oksana.person_id).language = language
    answer(ask(), "The answer.")
    react()
    assert only_row().language == language
    assert quotes.visible(only_row().text) == "The answer."


def test_a_long_message_is_quoted_in_part(ask: OpenTicket, answer: Answer) -> None:
    answer(ask("\n".join(f"line {n}" for n in range(500))))
    react()
    text = only_row().text
    assert "> line 0\n" in text
    assert f"> line {QUOTE_LINES}\n" not in text
    assert text.rstrip().endswith("> …")


def test_a_strangers_message_is_not_quoted_to_the_client(
    cast: Cast, ask: OpenTicket, answer: Answer
) -> None:
    ticket_id = ask("own words")
    writes(cast, ticket_id, "STRANGERCANARY", "s@elsewhere.example", stranger=True)
    answer(ticket_id)
    react()
    row = only_row()
    assert "STRANGERCANARY" not in row.text
    assert "own words" in row.text
    assert "s@elsewhere.example" not in (row.references or "")


def test_a_note_never_leaves_the_house(relay: Relay, cast: Cast, ask: OpenTicket) -> None:
    ticket_id = ask()
    with ext.write() as session:
        ticket = session.get_one(Ticket, ticket_id)
        actions.note(session, ticket, "secret", user_id=cast.alice.id, at=now())
    react()
    assert send_due() == 0
    assert relay.taken == []


def test_the_signature_stands_under_the_answer_once(
    cast: Cast, ask: OpenTicket, answer: Answer
) -> None:
    with ext.write() as session:
        session.merge(cast.alice).signature = "Alice\nSupport"
    answer(ask(), "Hello.")
    react()
    assert only_row().text.startswith("Hello.\n\n-- \nAlice\nSupport\n")
    answer(ask(), "Hello.\nAlice\nSupport")
    react()
    assert only_row().text.count("Support") == 1


def test_files_go_with_the_answer(
    relay: Relay, ask: OpenTicket, answer: Answer, app: Flask
) -> None:
    message_id = answer(ask())
    digest = files.put(b"%PDF-1.7 rahunok")
    with ext.write() as session:
        session.add(
            Attachment(
                message_id=message_id,
                file_id=files.adopt(session, digest, 16),
                filename="рахунок.pdf",
                content_type="application/pdf",
                size=16,
            )
        )
    react()
    send_due()
    [attached] = relay.parsed()[0].iter_attachments()
    assert attached.get_filename() == "рахунок.pdf"
    assert attached.get_content() == b"%PDF-1.7 rahunok"


def test_a_missing_file_fails_visibly(relay: Relay, ask: OpenTicket, answer: Answer) -> None:
    message_id = answer(ask())
    digest = files.put(b"gone")
    with ext.write() as session:
        session.add(
            Attachment(
                message_id=message_id,
                file_id=files.adopt(session, digest, 4),
                filename="a",
                content_type="text/plain",
                size=4,
            )
        )
    files.remove(digest)
    react()
    send_due()
    row = only_row()
    assert (row.state, row.last_error) == ("failed", "A file of this email is missing.")


def test_a_ticket_by_phone_is_answered_to_the_persons_address(
    cast: Cast, ask: OpenTicket, answer: Answer
) -> None:
    ticket_id = ask()
    with ext.write() as session:
        point = ContactPoint(
            person_id=cast.oksana.person_id,
            kind=ContactKind.PHONE,
            value="+380 67 123 45 67",
            key="+380671234567",
            created_at=now(),
        )
        session.add(point)
        session.flush()
        session.get_one(Ticket, ticket_id).contact_point_id = point.id
    answer(ticket_id)
    react()
    assert only_row().to_address == "oksana@client.example"


@pytest.mark.parametrize("sample", XSS)
def test_nothing_live_in_an_answer(
    relay: Relay, cast: Cast, ask: OpenTicket, answer: Answer, sample: str
) -> None:
    with ext.write() as session:
        session.merge(cast.alice).signature = sample
        session.get_one(Client, cast.oksana.client_id).name = sample
    answer(ask(sample, subject=sample), sample)
    react()
    send_due()
    [message] = relay.parsed()
    html = message.get_body(("html",))
    assert html is not None
    assert_harmless(html.get_content())
    text = message.get_body(("plain",))
    assert text is not None
    assert sample in text.get_content()


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Lamp", "Re: Lamp"),
        ("Re: Lamp", "Re: Lamp"),
        ("RE: Re[2]: FW: Lamp", "Re: Lamp"),
        ("Відп: Лампа", "Re: Лампа"),
        ("Ответ: Лампа", "Re: Лампа"),
        ("", "Re: Your request 10001"),
        ("Re:", "Re: Your request 10001"),
        ("hi\r\nBcc: x@y.example", "Re: hi Bcc: x@y.example"),
        ("React is broken", "Re: React is broken"),
    ],
)
def test_the_subject_has_one_re(app: Flask, subject: str, shown: str) -> None:
    with ext.in_language("en"):
        assert subject_of(subject, "10001") == shown
