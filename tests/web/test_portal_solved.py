"""The link "this solved it" of a receipt: shows the article, does nothing until the button."""

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.events import Actor, Event
from helpdesk.kb import deflection
from helpdesk.kb.models import Outcome, Reading, Search
from helpdesk.lib.clock import now
from helpdesk.tickets import actions
from helpdesk.tickets.models import NUMBER_OFFSET, Status, Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages
from tests.web.knowledge import Shelf
from tests.web.test_portal_ticket import link_of


def ticket_of(number: str) -> Ticket:
    with ext.session() as session:
        return session.get_one(Ticket, int(number) - NUMBER_OFFSET)


def offer(number: str) -> None:
    """The receipt of this ticket has offered articles."""
    with ext.write() as session:
        ticket_id = int(number) - NUMBER_OFFSET
        deflection.offered(session, ticket_id=ticket_id, lang="uk", found=2, at=now())


def ending() -> tuple[Outcome | None, int | None]:
    with ext.session() as session:
        found = session.scalars(select(Search)).one()
        return found.outcome, found.article_id


def rows(number: str) -> tuple[int, int]:
    """How many events of the ticket, and how many readings there are."""
    with ext.session() as session:
        events = select(Event.id).where(Event.ticket_id == int(number) - NUMBER_OFFSET)
        return len(session.scalars(events).all()), len(session.scalars(select(Reading.id)).all())


def press(pages: Pages, number: str, article: str = "parcel") -> None:
    path = f"{link_of(number)}/solved"
    pages.get(f"{path}?article={article}")
    pages.post(path)


def test_the_page_shows_the_article_in_the_readers_language(
    pages: Pages, desk: Desk, shelf: Shelf
) -> None:
    page = pages.get(f"{link_of(desk.ticket())}/solved?article=parcel")
    assert page.status == 200
    assert page.one("h1").text == "Де моя посилка"
    assert "Відкрийте «Мої замовлення»." in page.text
    assert page.response.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.response.headers["X-Robots-Tag"]


def test_an_article_in_another_language_says_so(pages: Pages, desk: Desk, shelf: Shelf) -> None:
    page = pages.get(f"{link_of(desk.ticket())}/solved?article=refund")
    assert page.one("h1").get("lang") == "en"
    assert page.one("article").get("lang") == "en"


def test_opening_the_link_changes_nothing(pages: Pages, desk: Desk, shelf: Shelf) -> None:
    number = desk.ticket()
    offer(number)
    before = rows(number)
    for method in ("GET", "HEAD", "GET"):
        assert pages.raw(method, f"{link_of(number)}/solved?article=parcel").status_code == 200
    assert (rows(number), ticket_of(number).status) == (before, Status.NEW)
    assert ending() == (None, None)


def test_the_button_resolves_and_counts_and_i_still_need_a_person_takes_it_back(
    pages: Pages, desk: Desk, shelf: Shelf
) -> None:
    number = desk.ticket()
    offer(number)
    press(pages, number)
    ticket = ticket_of(number)
    assert (ticket.status, ticket.waiting_since) == (Status.RESOLVED, None)
    assert ending() == (Outcome.SOLVED, shelf.parcel)
    pages.get(f"{link_of(number)}/solved?article=parcel")
    pages.post(f"{link_of(number)}/reopen")
    ticket = ticket_of(number)
    assert (ticket.status, ticket.waiting_since) == (Status.OPEN, now())
    assert ending() == (Outcome.ASKED, shelf.parcel)
    with ext.session() as session:
        query = select(Event).where(Event.kind == "ticket.status").order_by(Event.id)
        said = [(e.data["new"], e.data["reason"], e.person_id) for e in session.scalars(query)]
    person = ticket.person_id
    assert said == [("resolved", "article", person), ("open", "client", person)]


def test_pressing_twice_counts_once(pages: Pages, desk: Desk, shelf: Shelf) -> None:
    number = desk.ticket()
    offer(number)
    press(pages, number)
    before = rows(number)
    fields = {"csrf_token": pages.token, "article": "refund"}
    assert pages.send(f"{link_of(number)}/solved", fields).status == 200
    assert rows(number) == before
    assert ending() == (Outcome.SOLVED, shelf.parcel)


def test_what_an_agent_solved_is_not_counted_for_an_article(
    pages: Pages, desk: Desk, shelf: Shelf, cast: Cast
) -> None:
    number = desk.ticket()
    offer(number)
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        actions.reply(
            session, ticket, "Done.", user_id=cast.alice.id, at=now(), then=Status.RESOLVED
        )
    page = pages.get(f"{link_of(number)}/solved?article=parcel")
    assert not [form for form in page.all("form") if form.get("action", "").endswith("/solved")]
    pages.post(f"{link_of(number)}/reopen")
    assert ticket_of(number).status == Status.OPEN
    assert ending() == (None, None)


@pytest.mark.parametrize("key", ["draft", "nonsense", "", "%00", "x" * 500])
def test_no_public_article_by_that_name_leaves_the_question_alone(
    pages: Pages, desk: Desk, shelf: Shelf, key: str
) -> None:
    number = desk.ticket()
    page = pages.get(f"{link_of(number)}/solved?article={key}")
    assert page.status == 200 and "Secret bonus" not in page.html
    pages.post(f"{link_of(number)}/solved")
    assert ticket_of(number).status == Status.RESOLVED
    assert rows(number)[1] == 0


def test_a_closed_request_can_not_be_reopened_here(pages: Pages, desk: Desk, shelf: Shelf) -> None:
    number = desk.ticket()
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        actions.set_status(session, ticket, Status.CLOSED, actor=Actor(), at=now())
    page = pages.get(f"{link_of(number)}/solved?article=parcel")
    assert page.status == 200
    assert not [form for form in page.all("form") if "/t/" in form.get("action", "")]


def test_a_wrong_link_opens_and_solves_nothing(pages: Pages, desk: Desk, shelf: Shelf) -> None:
    number = desk.ticket()
    wrong = link_of(number)[:-2] + "zz"
    pages.get(f"{link_of(number)}/solved?article=parcel")
    fields = {"csrf_token": pages.token, "article": "parcel"}
    assert pages.get(f"{wrong}/solved?article=parcel").status == 404
    for act in ("solved", "reopen"):
        assert pages.send(f"{wrong}/{act}", fields).status == 404
    assert ticket_of(number).status == Status.NEW


def test_going_to_and_fro_without_end_is_stopped(pages: Pages, desk: Desk, shelf: Shelf) -> None:
    number = desk.ticket()
    pages.get(f"{link_of(number)}/solved?article=parcel")
    fields = {"csrf_token": pages.token, "article": "parcel"}
    statuses = [
        pages.raw("POST", f"{link_of(number)}/{act}", data=fields).status_code
        for _ in range(11)
        for act in ("solved", "reopen")
    ]
    assert statuses == [303] * 20 + [429] * 2
