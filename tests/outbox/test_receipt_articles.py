"""Receipts that offer articles: where the queue wants it, and only what may well answer."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.clients.match import Known, find_or_create
from helpdesk.events import Event
from helpdesk.kb.actions import add_translation, create_article, set_state
from helpdesk.kb.checks import Content
from helpdesk.kb.models import Article, ArticleText, Outcome, Reading, Search, Source, State
from helpdesk.kb.search import search
from helpdesk.lib.clock import now
from helpdesk.outbox import actions as outbox
from helpdesk.outbox import suggested
from helpdesk.outbox.models import Outgoing, OutgoingKind
from helpdesk.outbox.sending import send_due
from helpdesk.outbox.upset import is_upset
from helpdesk.reactions import react
from helpdesk.tickets.models import ContactReason, Message, Queue, Status, Ticket, TicketKind
from tests.cast import Cast
from tests.outbox.conftest import OpenTicket
from tests.outbox.test_round_trip import ANSWER, comes_in
from tests.relay import Relay

TEXTS = {
    "return": {
        "en": ("How to return an item and get your money back", "Bring the item within 14 days."),
        "ru": ("Как вернуть товар и получить деньги обратно", "Принесите товар за 14 дней."),
        "uk": ("Як повернути товар і отримати гроші назад", "Принесіть товар упродовж 14 днів."),
    },
    "password": {
        "en": ("Restore your password", "Press “Forgot password” and follow the link."),
        "ru": ("Восстановить пароль", "Нажмите «Забыли пароль» и перейдите по ссылке."),
        "uk": ("Відновити пароль", "Натисніть «Забули пароль» і перейдіть за посиланням."),
    },
    "delivery": {
        "en": ("How long delivery takes", "The courier comes within three days."),
        "ru": ("Сколько идёт доставка", "Курьер приедет за три дня."),
        "uk": ("Скільки триває доставка", "Кур’єр приїде за три дні."),
    },
}
ASKED = {
    "en": "Hello! I forgot my password. How do I restore the password?",
    "ru": "Здравствуйте! Забыли пароль. Как восстановить пароль?",
    "uk": "Вітаю! Забули пароль. Як відновити пароль?",
}


@pytest.fixture(autouse=True)
def articles(cast: Cast) -> None:
    """Three articles in three languages; Support offers them."""
    with ext.write() as session:
        for key, texts in TEXTS.items():
            first = create_article(
                session, Content(*texts["en"]), lang="en", key=key, state=State.PUBLIC, at=now()
            )
            article = session.get_one(Article, first.article_id)
            for lang in ("ru", "uk"):
                add_translation(
                    session, article, Content(*texts[lang]), lang=lang, state=State.PUBLIC, at=now()
                )
        session.get_one(Queue, cast.support.id).receipt_articles = True


def client(language: str | None, address: str = "client@elsewhere.example") -> Known:
    with ext.write() as session:
        return find_or_create(session, email=address, name="Somebody", language=language, at=now())


def receipt() -> Outgoing:
    query = select(Outgoing).where(Outgoing.kind == OutgoingKind.RECEIPT)
    with ext.session() as session:
        return session.scalars(query.order_by(Outgoing.id.desc()).limit(1)).one()


def received(ask: OpenTicket, text: str, language: str = "en", **more: Any) -> Outgoing:
    """The receipt for a ticket with this text."""
    ask(text, who=client(language), receipt=True, language=language, **more)
    react()
    return receipt()


def titles_in(row: Outgoing) -> list[str]:
    known = [title for texts in TEXTS.values() for title, _ in texts.values()]
    return [title for title in known if title in row.text]


def searches() -> list[Search]:
    with ext.session() as session:
        return list(session.scalars(select(Search).order_by(Search.id)))


@pytest.mark.parametrize("language", ["en", "ru", "uk"])
def test_a_receipt_offers_the_article_in_the_readers_language(
    app: Flask, ask: OpenTicket, language: str
) -> None:
    row = received(ask, ASKED[language], language, subject="")
    title = TEXTS["password"][language][0]
    assert titles_in(row)[0] == title
    assert row.html is not None and title in row.html
    host = app.config["PUBLIC_URL"]
    link = re.search(rf"{host}/t/(\S+)/solved\?article=password", row.text)
    assert link is not None and link[0] in row.html
    with ext.session() as session:
        text = session.scalars(select(ArticleText).where(ArticleText.title == title)).one()
        event = session.scalars(select(Event).where(Event.kind == "receipt.sent")).one()
    assert f"{host}/{language}/help/{text.slug}" in row.text
    assert event.data["articles"][0] == text.article_id
    [offered] = searches()
    assert (offered.source, offered.ticket_id, offered.lang) == (
        Source.EMAIL,
        row.ticket_id,
        language,
    )
    assert (offered.query, offered.outcome) == ("", None)


def test_a_client_who_writes_another_language_reads_titles_in_their_own(ask: OpenTicket) -> None:
    ask(ASKED["ru"], who=client("uk"), subject="", receipt=True, language="ru")
    react()
    assert titles_in(receipt())[0] == TEXTS["password"]["uk"][0]


def test_a_queue_that_does_not_want_articles_offers_none_and_looks_for_none(
    ask: OpenTicket, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ext.write() as session:
        session.get_one(Queue, cast.support.id).receipt_articles = False

    def looked(*_more: object, **_named: object) -> None:
        raise AssertionError("nobody wants that")

    monkeypatch.setattr(suggested, "search", looked)
    monkeypatch.setattr(suggested, "_look", looked)
    assert titles_in(received(ask, ASKED["en"])) == []
    assert searches() == []


@pytest.mark.parametrize(
    "text",
    [
        "I am furious: I forgot my password. How do I restore the password?",
        "Это обман! Забыли пароль. Как восстановить пароль?",
        "Моя скарга: забули пароль. Як відновити пароль?",
    ],
)
def test_angry_people_get_no_articles(ask: OpenTicket, text: str) -> None:
    assert titles_in(received(ask, text)) == []
    assert searches() == []


def test_complaints_get_no_articles(ask: OpenTicket, cast: Cast) -> None:
    with ext.write() as session:
        upper = ContactReason(
            key="bad", names={"en": "It went wrong"}, kind=TicketKind.COMPLAINT, position=0
        )
        session.add(upper)
        session.flush()
        lower = ContactReason(
            key="bad-late", names={"en": "Late"}, parent_id=upper.id, kind=None, position=0
        )
        session.add(lower)
        session.flush()
        reason_id = lower.id
    whose = {"kind": client("en", "a@x.example"), "reason": client("en", "b@x.example")}
    tickets = {
        what: ask(ASKED["en"], who=who, receipt=True, language="en", message_id=f"{what}@x.example")
        for what, who in whose.items()
    }
    with ext.write() as session:
        session.get_one(Ticket, tickets["kind"]).kind = TicketKind.COMPLAINT
        session.get_one(Ticket, tickets["reason"]).reason_id = reason_id
    react()
    query = select(Outgoing).where(Outgoing.kind == OutgoingKind.RECEIPT)
    with ext.session() as session:
        assert [titles_in(row) for row in session.scalars(query)] == [[], []]


def test_what_no_article_answers_gets_none(ask: OpenTicket) -> None:
    row = received(ask, "Our dog ate the remote control and now the TV is stuck.", subject="Dog")
    assert titles_in(row) == []


def test_a_language_without_a_public_text_gets_none(ask: OpenTicket) -> None:
    with ext.write() as session:
        for text in session.scalars(select(ArticleText).where(ArticleText.lang == "en")).all():
            set_state(session, text, State.INTERNAL, at=now())
    assert titles_in(received(ask, ASKED["en"])) == []


def test_automatic_mail_is_offered_nothing(ask: OpenTicket) -> None:
    ticket_id = ask(ASKED["en"], who=client("en"), language="en")
    with ext.write() as session:
        session.scalars(select(Message)).one().is_auto_reply = True
        outbox.enqueue_receipt(session, ticket_id, at=now())
    assert titles_in(receipt()) == []


def test_an_unverified_address_reads_titles_and_nothing_that_was_submitted(
    relay: Relay, ask: OpenTicket
) -> None:
    ask(
        "BODYCANARY I forgot my password. How do I restore the password? http://spam.example",
        who=client("en", "victim@elsewhere.example"),
        subject="SUBJECTCANARY",
        receipt=True,
        language="en",
    )
    react()
    send_due()
    [message] = relay.parsed()
    parts = [part.get_content() for part in message.walk() if not part.is_multipart()]
    whole = "\n".join([*map(str, message.values()), *parts])
    assert "Restore your password" in whole
    for canary in ("BODYCANARY", "SUBJECTCANARY", "spam.example", "forgot my"):
        assert canary not in whole


def test_articles_are_looked_for_while_others_may_write(
    ask: OpenTicket, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    def checked(*more: Any, **named: Any) -> Any:
        with ext.write():  # on SQLite this would wait for ever for a lock of the caller
            looked.append(1)
        return search(*more, **named)

    monkeypatch.setattr(suggested, "search", checked)
    assert titles_in(received(ask, ASKED["en"]))[0] == "Restore your password"
    assert looked == [1]


def test_a_receipt_that_nobody_prepared_offers_them_too(ask: OpenTicket) -> None:
    ticket_id = ask(ASKED["en"], who=client("en"), language="en")
    with ext.write() as session:
        outbox.enqueue_receipt(session, ticket_id, at=now())
    assert titles_in(receipt())[0] == "Restore your password"


def test_where_looking_fails_the_receipt_goes_without(
    ask: OpenTicket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_more: object, **_named: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(suggested, "search", broken)
    assert titles_in(received(ask, ASKED["en"])) == []


def test_what_solved_it_is_counted_once_and_the_client_can_still_write(
    app: Flask, relay: Relay, ask: OpenTicket
) -> None:
    """The real way: our email, the link in it, the button, and an email back."""
    app.config["WTF_CSRF_ENABLED"] = False
    ticket_id = ask(ASKED["uk"], subject="", receipt=True)
    react()
    send_due()
    ours = relay.parsed()[-1]
    text = ours.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    link = re.search(r"/t/\S+/solved\?article=password", text)
    assert link is not None
    with app.test_client() as browser:
        for _ in range(3):  # mail scanners follow links
            shown = browser.get(link[0])
            assert "Відновити пароль" in shown.text and "Забули пароль" in shown.text
        assert now_is(ticket_id) == Status.NEW
        path = link[0].partition("?")[0]
        for _ in range(2):
            assert browser.post(path, data={"article": "password"}).status_code == 303
    assert now_is(ticket_id) == Status.RESOLVED
    with ext.session() as session:
        event = session.scalars(select(Event).where(Event.kind == "ticket.status")).one()
        reading = session.scalars(select(Reading)).one()
        ticket = session.get_one(Ticket, ticket_id)
    assert (event.person_id, event.data["reason"]) == (ticket.person_id, "article")
    assert (reading.source, reading.ticket_id, reading.person_id) == (
        Source.EMAIL,
        ticket_id,
        ticket.person_id,
    )
    [offered] = searches()
    assert (offered.outcome, offered.article_id) == (Outcome.SOLVED, reading.article_id)
    answer = ANSWER.format(to="support@example.com", id="b", parent=ours["Message-ID"])
    comes_in(answer, "support@example.com", "oksana@client.example")
    assert now_is(ticket_id) == Status.OPEN


def now_is(ticket_id: int) -> Status:
    with ext.session() as session:
        return session.get_one(Ticket, ticket_id).status


@pytest.mark.parametrize(
    ("text", "upset"),
    [
        ("This is UNACCEPTABLE", True),
        ("Я буду жаловаться, пишу жалобу", True),
        ("Ви мене ошукали!", True),
        ("В суд подам", True),
        ("Подам до суду", True),
        ("Як повернути чайник?", False),
        ("Де купити посудомийну машину?", False),
        ("Could you issue a new invoice?", False),
        ("Нужен сундук и хамелеон", False),
        ("The pursuer of courtesy", False),
    ],
)
def test_angry_words_are_told_from_others(text: str, upset: bool) -> None:
    assert is_upset(text) is upset
