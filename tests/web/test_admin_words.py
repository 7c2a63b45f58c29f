"""Every word on the pages of portal, supervisor and admin can be translated."""

from collections.abc import Iterator

import flask_babel
import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.permissions import PERMISSIONS
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import link_token
from helpdesk.outbox.actions import enqueue_receipt
from helpdesk.outbox.addressing import secret
from helpdesk.outbox.models import Outgoing
from helpdesk.tickets import policies
from helpdesk.tickets.models import NUMBER_OFFSET, Policy, Ticket
from helpdesk.web.words import forget_words
from tests.cast import Cast
from tests.web.conftest import Desk, Pages
from tests.web.rooms import enter
from tests.web.test_site import Marked, bare_words

DATA = (
    *("Alice", "Bob", "Sam", "Ada", "Support", "Billing", "Helpdesk", "Office", "Standard", "Vip"),
    *("support@example.com", "billing@example.com", "alice@example.com", "bob@example.com"),
    *("sam@example.com", "ada@example.com", "oksana@client.example", "Kettle", "Leaks", "UTC"),
    *("Оксана Литвиненко", "Українська", "Русский", "English", "Europe/Kyiv", "Message-ID", "Nov"),
    "Mon",
    *("HELPDESK_SMTP_RELAY", "www.example.com", "one@client.example", "українська", "русский"),
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Dec", "Poland"),
)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything that goes through gettext is in brackets."""
    monkeypatch.setattr(flask_babel.Domain, "get_translations", lambda self: Marked())
    forget_words()
    yield
    forget_words()


def test_every_word_in_sight_is_translatable(
    marked: None, pages: Pages, cast: Cast, desk: Desk
) -> None:
    number = desk.ticket("Kettle", "Leaks")
    ticket_id = int(number) - NUMBER_OFFSET
    with ext.write() as session:
        enqueue_receipt(session, ticket_id, at=now())
        accept(
            session, [RawEmail(b"Leaks", "oksana@client.example", ("support@example.com",), now())]
        )
        steps = [{"action": "notify", "after_seconds": 60, "role": "supervisor"}]
        policies.create(session, name="Vip", targets={"resolution": 60}, steps=steps, at=now())
        nonce = session.get_one(Ticket, ticket_id).link_nonce
        outgoing_id = session.scalars(select(Outgoing.id)).one()
        policy_id = session.scalars(select(Policy.id).where(Policy.name == "Vip")).one()
        email = session.get_one(Outgoing, outgoing_id)
        email.text, email.subject = "Leaks", "Kettle"
    enter(pages, "ada")
    office = f"/admin/calendars/{cast.office.id}"
    paths = (
        *("/", f"/t/{link_token(secret(), ticket_id, nonce)}", "/t/wrong", "/supervisor"),
        *("/admin", "/admin/staff", f"/admin/staff/{cast.bob.id}", "/admin/staff/new"),
        *("/admin/queues", f"/admin/queues/{cast.support.id}", "/admin/queues/new", office),
        *("/admin/calendars", "/admin/calendars/new", f"{office}/holidays", "/admin/policies"),
        *(f"/admin/policies/{policy_id}", "/admin/policies/new", "/admin/settings"),
        *("/admin/deliveries", "/admin/deliveries?state=all", "/admin/deliveries/1", "/outbox"),
        *("/admin/tokens", "/outbox?state=failed"),
    )
    for path in paths:
        assert bare_words(pages.get(path), (*DATA, *PERMISSIONS)) == [], path
    page = pages.get(f"/outbox/{outgoing_id}")
    headers = " ".join("".join(pre.itertext()) for pre in page.all("pre"))
    assert bare_words(page, (*DATA, *headers.split())) == []
