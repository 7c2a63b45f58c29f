"""A client's timeline over all sources: one order, one keyset, a bounded cost."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import insert
from sqlalchemy.orm import Session

from helpdesk import ext, files
from helpdesk.clients import actions, billing, fact_actions
from helpdesk.clients.facts import Invoice, Purchase
from helpdesk.clients.models import Client
from helpdesk.events import Actor, Event, record
from helpdesk.kb.models import Article, ArticleText, Reading, Source, State
from helpdesk.lib.clock import now
from helpdesk.reports.client.timeline import ALL, ONLY, Chosen, client_timeline, timeline_page
from helpdesk.reports.client.timeline_item import Mark, TimelineItem
from helpdesk.surveys import Rating
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Message, MessageKind
from helpdesk.tickets.received import add_message, open_ticket
from tests.cast import Cast
from tests.web.conftest import counted


def article(session: Session) -> Article:
    found = Article(key="descale", source_lang="en", tags=[], created_at=now())
    text = ArticleText(
        lang="en", slug="descale", title="How to descale", body_markdown="", body_html="",
        excerpt="", keywords=[], state=State.PUBLIC, updated_at=now(),
    )  # fmt: skip
    found.texts = [text]
    session.add(found)
    session.flush()
    return found


def everything(cast: Cast, clock: time_machine.Traveller) -> None:
    """One of each kind, three of them at one moment."""
    by: dict[str, Any] = {"actor": Actor(user_id=cast.alice.id), "at": now()}
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        ticket: dict[str, Any] = {
            "subject": "Form",
            "channel": Channel.WEB,
            "language": None,
            "at": now(),
        }
        ticket_id = open_ticket(session, queue_id=cast.support.id, who=cast.oksana, **ticket)
        said = Content(text="It leaks", subject="Kettle")
        channel: dict[str, Any] = {"channel": Channel.WEB, "at": now(), "first": True}
        add_message(session, ticket_id, said, who=cast.oksana, **channel)
        fact_actions.add_note(session, client, "Calls late", user_id=cast.alice.id, at=now())
        file: dict[str, Any] = {
            "sha256": files.put(b"act"),
            "size": 3,
            "content_type": "text/plain",
        }
        fact_actions.add_document(session, client, filename="act.pdf", **file, **by)
        gone = fact_actions.add_note(session, client, "Wrong", user_id=cast.alice.id, at=now())
        fact_actions.delete_note(session, gone, **by)
        due = now() + timedelta(hours=1)
        promise = fact_actions.make_promise(
            session, client, "Call back", due_at=due, user_id=cast.alice.id, at=now()
        )
        clock.shift(timedelta(minutes=30))
        by["at"] = now()
        fact_actions.settle_promise(session, promise, True, **by)
        actions.change_client(session, client, tags=["vip"], about="x", **by)
        rating = Rating(
            ticket_id=ticket_id, person_id=cast.oksana.person_id, score=5, comment="Quick", at=now()
        )
        session.add(rating)
        session.flush()
        about = {"ticket_id": ticket_id, "client_id": client.id}
        record(session, "ticket.rated", at=now(), rating_id=rating.id, score=5, **about)
        reading: dict[str, Any] = {
            "lang": "en",
            "source": Source.PORTAL,
            "person_id": cast.oksana.person_id,
        }
        session.add(Reading(at=now(), article_id=article(session).id, **reading))
        session.flush()
        day = now().date()
        for n, amount in enumerate((89_900, 10_000)):
            money: dict[str, Any] = {"external_id": f"P{n}", "amount": amount, "currency": "UAH"}
            sale = money | {"title": "Kettle", "bought_on": day - timedelta(days=n)}
            billing.put_purchase(session, client, sale, **by)
            billing.put_invoice(session, client, money | {"issued_on": day}, **by)


def whole(cast: Cast, **more: Any) -> list[TimelineItem]:
    with ext.session() as session:
        return client_timeline(session, cast.oksana.client_id, queue_ids=None, limit=100, **more)


def test_every_source_tells_its_part(cast: Cast, clock: time_machine.Traveller) -> None:
    everything(cast, clock)
    titles = {(item.kind, item.title) for item in whole(cast)}
    assert titles == {
        ("article", "Read the article: How to descale"),
        ("client.changed", "The record was changed: about, tags"),
        ("client.created", "The client was added"),
        ("client.note", "Calls late"),
        ("document", "Document: act.pdf"),
        ("invoice", "Invoice P0: UAH\xa0899.00"),
        ("invoice", "Invoice P1: UAH\xa0100.00"),
        ("message", "Kettle"),
        ("promise.made", "Promise: Call back"),
        ("promise.settled", "Promise kept: Call back"),
        ("purchase", "Purchase UAH\xa0899.00: Kettle"),
        ("purchase", "Purchase UAH\xa0100.00: Kettle"),
        ("ticket.rated", "Ticket 10001 rated 5 of 5"),
    }
    rated = next(item for item in whole(cast) if item.kind == "ticket.rated")
    assert rated.more == "“Quick”"


def test_pages_of_any_size_make_the_same_whole_over_all_sources(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    everything(cast, clock)
    items = whole(cast)
    assert [i.mark for i in items] == sorted((i.mark for i in items), reverse=True)
    for size in (1, 2, 3, 7):
        seen: list[TimelineItem] = []
        before: Mark | None = None
        with ext.session() as session:
            while True:
                page = timeline_page(
                    session,
                    cast.oksana.client_id,
                    ALL,
                    queue_ids=None,
                    limit=size,
                    before=before,
                )
                seen += page.items
                if page.older is None:
                    break
                before = page.older
        assert seen == items


@pytest.mark.parametrize(
    ("part", "kinds"),
    [
        ("forms", {"message"}),
        ("emails", set()),
        ("notes", {"client.note"}),
        ("money", {"purchase", "invoice"}),
        ("articles", {"article"}),
        ("contacts", {"message"}),
        ("ratings", {"ticket.rated"}),
    ],
)
def test_one_part_is_shown_alone(
    cast: Cast, clock: time_machine.Traveller, part: str, kinds: set[str]
) -> None:
    everything(cast, clock)
    with ext.session() as session:
        page = timeline_page(session, cast.oksana.client_id, ONLY[part], queue_ids=None, limit=50)
    assert {item.kind for item in page.items} == kinds and page.older is None


def test_a_rare_channel_is_looked_for_portion_by_portion(
    cast: Cast, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpdesk.reports.client.timeline.WINDOW", 3)
    everything(cast, clock)
    with ext.write() as session:
        for _ in range(4):
            clock.shift(timedelta(minutes=1))
            said = Content(text="By email", subject="")
            add_message(session, 1, said, who=cast.oksana, channel=Channel.EMAIL, at=now())
    with ext.session() as session:
        ask: dict[str, Any] = {"queue_ids": None, "limit": 10}
        first = timeline_page(session, cast.oksana.client_id, ONLY["forms"], **ask)
        assert first.items == [] and first.older is not None
        second = timeline_page(
            session, cast.oksana.client_id, ONLY["forms"], before=first.older, **ask
        )
        assert [item.title for item in second.items] == ["Kettle"]


def many(session: Session, cast: Cast, tickets: int, messages: int, rows: int) -> None:
    """A client with a history as long as a firm's of ten years, written at once."""
    start = now() - timedelta(days=3000)
    said: list[dict[str, Any]] = []
    log: list[dict[str, Any]] = []
    for n in range(tickets):
        at = start + timedelta(hours=n)
        ticket: dict[str, Any] = {
            "subject": "Many",
            "channel": Channel.EMAIL,
            "language": None,
            "at": at,
        }
        id_ = open_ticket(session, queue_id=cast.support.id, who=cast.oksana, **ticket)
        for m in range(messages):
            moment = at + timedelta(minutes=m)
            said.append({
                "ticket_id": id_, "kind": MessageKind.INBOUND, "channel": Channel.EMAIL,
                "person_id": cast.oksana.person_id, "subject": "", "text": "Hello " * 50,
                "parse_errors": [], "created_at": moment,
            })  # fmt: skip
            log.append({
                "at": moment, "kind": "message.received", "person_id": cast.oksana.person_id,
                "ticket_id": id_, "client_id": cast.oksana.client_id,
                "data": {"message_id": len(said)},
            })  # fmt: skip
    session.execute(insert(Message), said)
    session.execute(insert(Event), log)
    day = now().date()
    money = [
        {
            "client_id": cast.oksana.client_id, "external_id": str(n), "amount": 100,
            "currency": "UAH", "updated_at": now(),
        }
        for n in range(rows)
    ]  # fmt: skip
    session.execute(
        insert(Purchase),
        [
            row | {"title": "x", "status": "delivered", "quantity": 1, "paid_by": "",
                   "bought_on": day - timedelta(days=n)}
            for n, row in enumerate(money)
        ],
    )  # fmt: skip
    session.execute(
        insert(Invoice),
        [
            row | {"issued_on": day - timedelta(days=n), "paid": 0, "cancelled": False}
            for n, row in enumerate(money)
        ],
    )


def test_ten_thousand_entries_cost_two_statements_and_little_time(cast: Cast) -> None:
    with ext.write() as session:
        many(session, cast, tickets=200, messages=40, rows=1000)
    for part in (ALL, *ONLY.values()):
        with ext.session() as session, counted() as sent:
            spent = min(_page(session, cast, part) for _ in range(3))
        assert len([s for s in sent if not re.match("BEGIN|COMMIT|ROLLBACK", s)]) <= 3 * 2 * 2
        assert spent < 0.04  # 5 ms on an idle machine; sorting all of them takes longer


def _page(session: Session, cast: Cast, part: Chosen) -> float:
    """Seconds of processor time of the second page."""
    ask: dict[str, Any] = {"queue_ids": None, "limit": 50}
    page = timeline_page(session, cast.oksana.client_id, part, **ask)
    began = time.process_time()
    timeline_page(session, cast.oksana.client_id, part, before=page.older, **ask)
    return time.process_time() - began
