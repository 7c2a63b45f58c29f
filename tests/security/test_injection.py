"""CWE-79, CWE-89, CWE-1336: words that want to be markup, SQL or templates (I18, I19, I26, I28)."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.clients.match import find_or_create
from helpdesk.clients.models import Client
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import link_token
from helpdesk.outbox.models import Outgoing
from helpdesk.reactions import react
from helpdesk.tickets import actions
from helpdesk.tickets.content import FileRef
from helpdesk.tickets.models import NUMBER_OFFSET, Message, Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages

MARKUP = [
    "\"><xss-canary onclick=alert(1) x='",
    "</title></textarea></script>{{1337*1337}}<xss-canary>",
]
SQL = ["1) UNION SELECT 1--", "9" * 25, "\x00%\\", "'||pg_sleep(5)||'"]
PARAMETERS = {
    "/desk": ("q", "view", "before"),
    "/desk/rows": ("q", "view", "before"),
    "/desk/clients": ("q", "after"),
    "/desk/notices": ("before",),
    "/admin/deliveries": ("state", "message_id", "before"),
    "/outbox": ("state", "before"),
    "/admin/staff": ("after", "before"),
    "/login": ("next",),
    "/": ("lang",),
}
API = {
    "tickets": ("q", "status", "queue", "client", "number", "message_id", "limit", "cursor"),
    "clients": ("q", "email", "phone", "limit", "cursor"),
    "deliveries": ("state", "message_id", "limit", "cursor"),
    "events": ("after", "limit", "cursor"),
    "queues": ("limit", "cursor"),
    "users": ("limit", "cursor"),
}


@pytest.mark.parametrize("word", SQL)
def test_no_word_in_any_filter_becomes_sql(pages: Pages, desk: Desk, cast: Cast, word: str) -> None:
    """Every filter, sort key and cursor of pages and API; both databases (T24)."""
    desk.ticket()
    with ext.write() as session:
        bearer = {"Authorization": f"Bearer {cast.token(session, cast.ada)}"}
    pages.log_in("ada")
    asked: list[tuple[str, tuple[str, ...], dict[str, str]]] = [
        *((path, names, {}) for path, names in PARAMETERS.items()),
        *((f"/api/v1/{noun}", names, bearer) for noun, names in API.items()),
    ]
    wrong = []
    for path, names, headers in asked:
        for name in names:
            answer = pages.raw("GET", path, query_string={name: word}, headers=headers)
            if answer.status_code not in (200, 302, 400, 404):
                wrong.append((path, name, answer.status_code))
    assert not wrong
    with ext.session() as session:
        assert session.scalar(select(Ticket.id)) is not None


@pytest.mark.parametrize("word", MARKUP)
def test_no_word_becomes_markup_on_any_page(
    pages: Pages, desk: Desk, cast: Cast, word: str
) -> None:
    """Subject, name, text, tag, file name, notes in lists, titles, cards and the portal."""
    with ext.write() as session:
        who = find_or_create(session, email="x@y.example", name=word, at=now())
    file = FileRef("0" * 64, 1, word, "text/plain")
    number = desk.ticket(word, word, who=who, files=(file,))
    ticket_id = int(number) - NUMBER_OFFSET
    with ext.write() as session:
        ticket = session.get_one(Ticket, ticket_id)
        by: dict[str, Any] = {"actor": actions.Actor(user_id=cast.alice.id), "at": now()}
        actions.set_tags(session, ticket, [word[:40]], **by)
        actions.assign(session, ticket, session.merge(cast.ada, load=False), **by)
        actions.note(session, ticket, word, user_id=cast.alice.id, at=now())
        actions.reply(session, ticket, word, user_id=cast.alice.id, at=now())
        session.get_one(Client, who.client_id).about = word
        link = link_token(pages.app.config["SECRET_KEY"].encode(), ticket_id, ticket.link_nonce)
    react()
    pages.log_in("ada")
    with ext.session() as session:
        outgoing = session.scalars(select(Outgoing.id)).first()
        message = session.scalars(select(Message.id)).first()
    assert message is not None
    for path in (
        "/desk?view=all", "/desk/rows?view=all", f"/desk/t/{number}", f"/desk/t/{number}/talk",
        f"/desk/t/{number}/side", f"/desk/clients/{who.client_id}", "/desk/clients",
        "/desk/notices", f"/t/{link}", "/outbox", f"/outbox/{outgoing}", "/admin/deliveries",
        "/desk?q=canary", "/supervisor",
    ):  # fmt: skip
        page = pages.get(path)
        assert page.status == 200, path
        assert not page.all("xss-canary"), path
        assert not [a for a in page.all("a") if a.get("href", "").startswith("javascript")], path
        assert str(1337 * 1337) not in page.html, path


@pytest.mark.parametrize(
    "word", ["{{1337*1337}}", "{% raise %}", "%(number)s %s", "${1337*1337}", "{0.__class__}"]
)
def test_no_word_of_people_is_a_template_of_emails(
    pages: Pages, desk: Desk, cast: Cast, word: str
) -> None:
    number = desk.ticket(word, word)
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        actions.reply(session, ticket, word, user_id=cast.alice.id, at=now())
    react()
    with ext.session() as session:
        (outgoing,) = session.query(Outgoing).all()
    assert outgoing.subject == f"Re: {word}"
    assert outgoing.text.startswith(word)
