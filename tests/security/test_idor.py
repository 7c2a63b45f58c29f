"""CWE-639, CWE-862: nothing of another queue, ticket or colleague by any id (I4, I10, I11, T13)."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from helpdesk import ext, files
from helpdesk.clients.models import Person
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.outbox.models import Outgoing
from helpdesk.reactions import react
from helpdesk.tickets import actions
from helpdesk.tickets.content import FileRef
from helpdesk.tickets.models import NUMBER_OFFSET, Attachment, Draft, Message, MessageKind, Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages

SECRET = "кенгуру-canary"
FILE = FileRef("0" * 64, 1, f"{SECRET}.txt", "text/plain")


@pytest.fixture
def hidden(desk: Desk, cast: Cast) -> int:
    """The id of a ticket in Support full of a word that Bob of Billing must never read."""
    number = desk.ticket(
        f"About {SECRET}", f"Text {SECRET}", html=f"<p>{SECRET}</p>", files=(FILE,)
    )
    ticket_id = int(number) - NUMBER_OFFSET
    with ext.write() as session:
        ticket = session.get_one(Ticket, ticket_id)
        actions.set_tags(session, ticket, [SECRET], actor=cast_actor(cast), at=now())
        actions.reply(session, ticket, f"Answer {SECRET}", user_id=cast.alice.id, at=now())
        actions.note(session, ticket, f"Note {SECRET}", user_id=cast.alice.id, at=now())
    react()
    return ticket_id


def cast_actor(cast: Cast) -> Actor:
    return Actor(user_id=cast.alice.id)


def one(query: Any) -> Any:
    with ext.session() as session:
        return session.scalars(query).first()


def addresses(app: Flask, ids: dict[str, Any]) -> Iterator[tuple[Rule, str]]:
    """Every GET page and API operation of staff that the ids lead to."""
    places = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        of_staff = rule.rule.startswith(("/desk", "/api/", "/supervisor"))
        if of_staff and "GET" in (rule.methods or ()) and rule.arguments <= ids.keys():
            yield rule, places.build(rule.endpoint, ids)


def test_an_agent_of_one_queue_never_reads_a_word_of_another(
    pages: Pages, hidden: int, cast: Cast
) -> None:
    """Every address × every id, with searches: desk, client page, notices, API, timeline."""
    mine = {
        "number": str(hidden + NUMBER_OFFSET),
        "ticket_id": hidden,
        "client_id": cast.oksana.client_id,
        "message_id": one(select(Message.id).where(Message.ticket_id == hidden)),
        "attachment_id": one(select(Attachment.id)),
    }
    with ext.write() as session:
        bearer = {"Authorization": f"Bearer {cast.token(session, cast.bob)}"}
    pages.log_in("bob")
    queries = (
        "",
        f"?q={SECRET}",
        f"?q={mine['number']}",
        "?view=all",
        "?view=queue:1",
        "?limit=200",
    )
    leaks, looked_at = [], 0
    for rule, address in addresses(pages.app, mine):
        for query in queries:
            api = rule.rule.startswith("/api/")
            answer = pages.raw("GET", address + query, headers=bearer if api else {})
            looked_at += 1
            said = answer.get_data(as_text=True).replace(f'value="{SECRET}"', "")
            if SECRET in said or answer.status_code >= 500:
                leaks.append((address + query, answer.status_code))
    assert not leaks
    assert looked_at > 150


def test_a_notice_of_a_ticket_that_moved_away_is_not_shown(
    pages: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket("Harmless", queue=cast.billing)
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        actor = cast_actor(cast)
        actions.assign(session, ticket, session.merge(cast.bob, load=False), actor=actor, at=now())
    react()
    pages.log_in("bob")
    assert "Harmless" in pages.get("/desk/notices").text
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        actions.move(
            session, ticket, session.merge(cast.support, load=False), actor=actor, at=now()
        )
        actions.set_subject(session, ticket, f"Now {SECRET}", actor=actor, at=now())
    page = pages.get("/desk/notices").text
    assert SECRET not in page and number not in page


def test_tickets_of_others_do_not_crowd_out_an_agents_search(
    pages: Pages, desk: Desk, cast: Cast
) -> None:
    desk.ticket("My kettle", queue=cast.billing)
    for n in range(60):
        desk.ticket(f"Kettle {n}")
    pages.log_in("bob")
    assert "My kettle" in pages.get("/desk?q=kettle").html


@pytest.mark.parametrize("place", ["resend", "files", "points"])
def test_ids_of_others_within_ones_own_page_are_not_there(
    pages: Pages, desk: Desk, cast: Cast, hidden: int, place: str
) -> None:
    """The second id of an address, or one in a form, is looked at as well as the first."""
    mine = desk.ticket("Bill", queue=cast.billing, who=cast.stranger)
    pages.log_in("bob")
    pages.get(f"/desk/t/{mine}")
    theirs = {
        "resend": (f"/desk/t/{mine}/resend/{one(select(Outgoing.id))}", {}),
        "files": (f"/desk/t/{mine}/files/{one(select(Attachment.id))}/remove", {}),
        "points": (
            f"/desk/clients/{cast.stranger.client_id}/points",
            {"person": cast.oksana.person_id, "value": "evil@evil.example"},
        ),
    }
    path, fields = theirs[place]
    assert pages.script(path, **fields).status_code == 404
    assert one(select(Person).where(Person.name == "evil")) is None
    assert one(select(Attachment.id)) is not None


def test_a_colleagues_draft_file_is_neither_read_nor_removed(
    pages: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket("Bill", queue=cast.billing)
    with ext.write() as session:
        file = Attachment(
            ticket_id=int(number) - NUMBER_OFFSET,
            draft_id=_draft(session, int(number) - NUMBER_OFFSET, cast.alice.id),
            file_id=_stored(session),
            filename="a.txt",
            content_type="text/plain",
            size=1,
            inline=False,
        )
        session.add(file)
        session.flush()
        file_id = file.id
    pages.log_in("bob")
    pages.get(f"/desk/t/{number}")
    assert pages.raw("GET", f"/desk/files/{file_id}").status_code == 404
    assert pages.script(f"/desk/t/{number}/files/{file_id}/remove").status_code == 404


def _draft(session: Session, ticket_id: int, user_id: int) -> int:
    kind = MessageKind.NOTE
    draft = Draft(ticket_id=ticket_id, user_id=user_id, kind=kind, text="x", updated_at=now())
    session.add(draft)
    session.flush()
    return draft.id


def _stored(session: Session) -> int:
    return files.adopt(session, files.put(b"x"), 1)
