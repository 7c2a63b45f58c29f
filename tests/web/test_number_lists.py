"""The list behind a number: exactly what it counts, in words, by the reader's rights."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.models import User
from helpdesk.calls.models import Call, CallState, Direction, EndReason, Provider
from helpdesk.kb.actions import create_article
from helpdesk.kb.checks import Content
from helpdesk.kb.log import Asked, save
from helpdesk.kb.models import Feedback, Reading, Search, Source
from helpdesk.lib.clock import now
from helpdesk.planner.models import Task, TaskKind, TaskState
from helpdesk.reports.names import LISTS
from helpdesk.reports.sheet import Behind
from helpdesk.surveys import Rating
from helpdesk.tickets.models import NUMBER_OFFSET, Metric
from helpdesk.web.supervisor import list as list_page
from helpdesk.web.supervisor.list_rows import LINES
from tests.cast import Cast
from tests.reports.rows import place, promise, scatter
from tests.web.conftest import Page, Pages, counted


@pytest.fixture
def sam(pages: Pages) -> Pages:
    pages.log_in("sam")
    return pages


def rows(page: Page) -> int:
    return len(page.all("tbody/tr"))


def number_of(page: Page) -> int:
    found = re.search(r"[\d\u00a0]+", page.one("main/header/div/p/b").text or "")
    assert found
    return int(found[0].replace("\u00a0", ""))


def test_every_number_of_the_report_leads_to_exactly_that_many(cast: Cast, sam: Pages) -> None:
    with ext.write() as session:
        scatter(session, cast, now(), 40)
    report = sam.get("/supervisor/reports/sla?by=channel&period=28d")
    links = {a.get("href", ""): "".join(a.itertext()) for a in report.all("td//a")}
    lists = {href: text for href, text in links.items() if href.startswith("/supervisor/list/")}
    counts = {href: text for href, text in lists.items() if re.fullmatch(r"\d+", text.strip())}
    assert len(counts) > 30
    for href, text in sorted(counts.items())[::4]:
        assert number_of(sam.get(href)) == int(text), href


def test_it_says_what_is_counted_in_words(cast: Cast, sam: Pages) -> None:
    at = now()
    with ext.write() as session:
        ticket = place(session, cast, at=at, assignee_id=cast.alice.id)
        promise(session, ticket, took=3 * 3600, at=at)
    page = sam.get(
        f"/supervisor/list/sla?metric=first_response&outcome=breached&queue={cast.support.id}"
        "&agent=0&slot=mon-12&language=-"
    )
    assert "Nothing is counted here" in page.text
    for words in ("Queue: Support", "Agent: Nobody", "Mon 12:00", "Not recognised", "Breached"):
        assert words.lower() in page.text.lower()
    page = sam.get("/supervisor/list/sla?outcome=breached")
    (back,) = [a for a in page.all("header/a") if a.get("href", "").startswith("/supervisor/")]
    assert back.get("href") == "/supervisor/reports/sla?from=2026-10-27&to=2026-11-23"
    assert "1 promise" in page.text and "late by 2 h" in page.text and "Alice" in page.text
    (link,) = [a for a in page.all("tbody//a") if a.get("href", "").startswith("/desk/t/")]
    assert link.get("href") == f"/desk/t/{ticket + NUMBER_OFFSET}"
    assert sam.get(link.get("href", "")).status == 200


def test_what_became_of_a_promise_stands_there(cast: Cast, sam: Pages) -> None:
    at = now()
    with ext.write() as session:
        ticket = place(session, cast, at=at)
        promise(session, ticket, took=600, at=at)
        promise(session, ticket, metric=Metric.RESOLUTION, at=at)
        overdue = at - timedelta(hours=3)  # 9:00 in Kyiv: two office hours late
        promise(session, ticket, metric=Metric.CALLBACK, at=overdue, target=3600)
    text = sam.get("/supervisor/list/sla").text
    for words in ("10 min of 1 h", "target 1 h", "late by 2 h", "Standard", "Callback"):
        assert words in text.replace("\u00a0", " "), words


def test_a_long_list_has_pages(cast: Cast, sam: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_page, "PAGE", 3)
    with ext.write() as session:
        for _number in range(7):
            promise(session, place(session, cast, at=now()), took=5, at=now())
    seen: list[str] = []
    href: str | None = "/supervisor/list/sla_tickets?period=today"
    pages_seen = 0
    while href:
        page = sam.get(href if href.startswith("/") else f"/supervisor/list/sla_tickets{href}")
        assert number_of(page) == 7
        seen += [a.get("href", "") for a in page.all("tbody/tr/th/a")]
        href = next((a.get("href") for a in page.all("nav/a[@rel='next']")), None)
        pages_seen += 1
    assert pages_seen == 3 and len(set(seen)) == len(seen) == 7
    assert rows(sam.get("/supervisor/list/sla_tickets?after=3")) == 3
    assert rows(sam.get("/supervisor/list/sla_tickets?after=99")) == 1, (
        "the last page of what is left"
    )


def call(cast: Cast, **values: Any) -> Call:
    plain: dict[str, Any] = {
        "provider": Provider.TWIN,
        "provider_id": "CA1",
        "token": "t",
        "direction": Direction.INBOUND,
        "from_number": "+380671112233",
        "to_number": "+380441234567",
        "queue_id": cast.support.id,
        "person_id": cast.oksana.person_id,
        "client_id": cast.oksana.client_id,
        "language": "uk",
        "state": CallState.ENDED,
        "end_reason": EndReason.ABANDONED_QUEUE,
        "step": {},
        "facts": {},
        "started_at": now(),
        "last_event_at": now(),
    }
    return Call(**(plain | values))


def test_each_kind_of_thing_has_its_lines(
    cast: Cast, sam: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ext.write() as session:
        ticket = place(session, cast, at=now())
        things: dict[str, Any] = {
            "call": call(cast),
            "rating": Rating(
                ticket_id=ticket,
                person_id=cast.oksana.person_id,
                user_id=cast.alice.id,
                score=2,
                comment="Slow <b>answer</b>",
                at=now(),
            ),
            "task": Task(
                kind=TaskKind.CALLBACK,
                state=TaskState.PLANNED,
                client_id=cast.oksana.client_id,
                number="+380671112233",
                due_at=now(),
                created_at=now(),
            ),
        }
        session.add_all(things.values())
        session.flush()
        ids = {kind: row.id for kind, row in things.items()}
        ids |= {"ticket": ticket, "clock": promise(session, ticket, at=now())}
    told = {
        "call": "hung up while waiting",
        "rating": "Slow <b>answer</b>",
        "task": "whoever is free",
        "ticket": "Kettle",
        "clock": "First response",
    }
    for kind, words in told.items():
        twice = [ids[kind], ids[kind], 99_999]  # a thing may count twice, or be gone by now
        behind = Behind(kind, "Things", lambda _session, _ask, found=twice: found)
        monkeypatch.setattr(list_page, "LISTS", {"things": behind})
        page = sam.get("/supervisor/list/things")
        assert rows(page) == 2 and words in page.text, kind
    assert set(LINES) >= {behind.kind for behind in LISTS.values()}


def test_searches_readings_and_answers_of_the_knowledge_base(
    cast: Cast, sam: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ext.write() as session:
        save(session, [Asked("wet kettle", "en", Source.PORTAL, 0, now())])
        (search,) = session.scalars(select(Search.id))
        content = Content("Kettles", "Dry it.")
        text = create_article(session, content, lang="en", at=now())
        about = {"article_id": text.article_id, "lang": "en", "source": Source.PORTAL}
        reading = Reading(**about, ticket_id=place(session, cast, at=now()), at=now())
        answer = Feedback(text_id=text.id, visit="v", helped=False, comment="Still wet", at=now())
        session.add_all([reading, answer])
        session.flush()
        found = {"search": (search, "wet kettle"), "reading": (reading.id, "Kettles")}
        found["feedback"] = (answer.id, "Still wet")
        article = text.article_id
    for kind, (id_, words) in found.items():
        behind = Behind(kind, "Things", lambda _session, _ask, found=id_: [found])
        monkeypatch.setattr(list_page, "LISTS", {"things": behind})
        assert words in sam.get("/supervisor/list/things").text
    told = sam.get(f"/supervisor/list/things?source=portal&article={article}&like={search}").text
    for words in ("Article: Kettles", "In the words: wet kettle"):
        assert words in told


def test_own_arguments_of_lists_are_said_and_unknown_ones_are_not(cast: Cast, sam: Pages) -> None:
    page = sam.get(
        f"/supervisor/list/work_active?age=4h&nobody=1&status=open&lay_in={cast.support.id}"
        "&policy=1&score=5&by=queue&colour=red"
    )
    for words in ("Less than 4 hours", "Assignee: Nobody", "Status: Open", "queue: Support"):
        assert words in page.text
    assert "Policy: Standard" in page.text and "red" not in page.one("main/header").itertext()
    assert "Period" not in page.text  # it is so now, whatever the period says


def test_an_agent_sees_their_own_and_nothing_of_others(cast: Cast, pages: Pages) -> None:
    at = now()
    with ext.write() as session:
        for who, queue in ((cast.alice, cast.support), (cast.bob, cast.billing)):
            ticket = place(session, cast, at=at, assignee_id=who.id, queue_id=queue.id)
            promise(session, ticket, took=5, at=at)
    pages.log_in("bob")
    assert number_of(pages.get("/supervisor/list/sla")) == 1
    assert number_of(pages.get(f"/supervisor/list/sla?agent={cast.alice.id}")) == 0
    hidden = pages.get(f"/supervisor/list/sla?queue={cast.support.id}")
    assert hidden.status == 404 and "Support" not in hidden.text
    pages.client.delete_cookie("helpdesk_login")
    assert "Log in" in pages.get("/supervisor/list/sla").text


ADDRESSES: list[tuple[str, int]] = [
    ("nothing", 404),
    ("sla?outcome=lost", 400),
    ("sla?metric=speed", 400),
    ("sla?from=2026-02-30", 400),
    ("sla?queue=Support", 400),
    ("sla?after=-1", 400),
    ("sla?after=" + "9" * 40, 400),
    ("sla?metric=" + "x" * 10_000, 400),
    ("sla?client=999999", 200),
    ("sla?slot=mon-99", 400),
]


def test_what_the_address_says_wrong_is_told(sam: Pages) -> None:
    for address, status in ADDRESSES:
        assert sam.get(f"/supervisor/list/{address}").status == status, address[:60]


def test_in_every_language_and_with_few_statements(cast: Cast, sam: Pages) -> None:
    with ext.write() as session:
        scatter(session, cast, now(), 70)
    for language in ("ru", "uk"):
        with ext.write() as session:
            session.get_one(User, cast.sam.id).language = language
        sam.get("/supervisor/list/sla")
        with counted() as statements:
            page = sam.get(f"/supervisor/list/sla?queue={cast.support.id}&reason=1&period=90d")
        assert page.status == 200
        assert len(statements) <= 12, statements
