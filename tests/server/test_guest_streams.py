"""The stream of a customer's open page tells that their ticket changed, and nothing else."""

import asyncio
from typing import Any

import pytest
from flask import Flask

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import link_token
from helpdesk.outbox.addressing import secret
from helpdesk.server import streams
from helpdesk.tickets import actions
from helpdesk.tickets.models import Ticket
from tests.cast import Cast, make_cast
from tests.server.test_streams import Browser, Site, in_context, new_ticket, play, scope


@pytest.fixture
def people(app: Flask) -> Cast:
    """The cast in real time: the event loop needs a clock that goes."""
    with ext.write() as session:
        return make_cast(session)


def path_of(ticket_id: int) -> str:
    with ext.session() as session:
        ticket = session.get_one(Ticket, ticket_id)
        return f"/t/{link_token(secret(), ticket.id, ticket.link_nonce)}/events"


def note(ticket_id: int, user_id: int) -> None:
    with ext.write() as session:
        ticket = session.get_one(Ticket, ticket_id)
        actions.note(session, ticket, "Canary", user_id=user_id, at=now())


async def listen(site: Site, path: str) -> Browser:
    browser = await site.ask(scope(path))
    await browser.until(lambda: bool(browser.body))
    return browser


def test_page_hears_of_its_own_ticket_and_of_no_other(app: Flask, people: Cast) -> None:
    mine, other = (new_ticket(people, people.support.id) for _ in range(2))
    paths = [path_of(ticket_id) for ticket_id in (mine, other)]

    async def scene(site: Site) -> None:
        me, them = [await listen(site, path) for path in paths]
        await asyncio.sleep(1)  # what came before they listened
        before = them.body
        seen = me.body
        await asyncio.to_thread(in_context, app, note, mine, people.alice.id)
        await me.until(lambda: me.body != seen, 3)
        assert set(map(str, me.told())) == {"{}"} and b"Canary" not in me.body
        assert them.body == before

    play(app, scene)


@pytest.mark.parametrize("path", ["/t/1-" + "a" * 26 + "/events", "/t/999-" + "b" * 26 + "/events"])
def test_wrong_link_has_no_stream(app: Flask, people: Cast, path: str) -> None:
    new_ticket(people, people.support.id)

    async def scene(site: Site) -> None:
        browser = await site.ask(scope(path))
        await browser.until(lambda: browser.over)
        assert (browser.status, browser.body) == (404, b"not found\n")

    play(app, scene)


def test_one_ticket_has_few_streams_and_the_staff_keep_theirs(
    app: Flask, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PER_TICKET", 2)
    path = path_of(new_ticket(people, people.support.id))

    async def scene(site: Site) -> None:
        held: list[Any] = [await listen(site, path) for _ in range(2)]
        third = await site.ask(scope(path))
        await third.until(lambda: third.over)
        assert third.status == 429 and all(not one.over for one in held)

    play(app, scene)
