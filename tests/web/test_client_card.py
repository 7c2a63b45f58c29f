"""The client's card beside a ticket: what is owed, promised, covered, missing; who it may be."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from helpdesk import ext
from helpdesk.clients import billing, contact_points, fact_actions, items
from helpdesk.clients.actions import add_contact_point, add_person, change_client, create_client
from helpdesk.clients.models import Client, ClientKind, ContactPoint, Person
from helpdesk.events import SYSTEM
from helpdesk.fields import seed_fields
from helpdesk.lib.clock import now
from helpdesk.products import Product
from helpdesk.tickets.models import Message, Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages, counted

BY: dict[str, Any] = {"actor": SYSTEM}


def side(alice: Pages, number: str) -> str:
    return alice.get(f"/desk/t/{number}/side").text


def second_oksana(cast: Cast) -> tuple[int, int]:
    """Another client whose person has the same address: (client, person)."""
    with ext.write() as session:
        client = create_client(session, kind="organisation", name="Svitlo LLC", at=now())
        person = add_person(session, client, name="Olena", at=now())
        address = {"kind": "email", "value": "Oksana@client.example", "country": "UA"}
        add_contact_point(session, person, at=now(), **address)
        return client.id, person.id


def test_money_promises_items_and_gaps_stand_beside_the_ticket(
    alice: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket("Kettle leaks", "It leaks since Monday")
    desk.ticket("Another one")
    with ext.write() as session:
        seed_fields(session)
        client = session.get_one(Client, cast.oksana.client_id)
        today = now().date()
        change_client(session, client, at=now(), tags=["vip"], timezone="Europe/Warsaw", **BY)
        bill = {
            "external_id": "1", "amount": 124_000, "currency": "UAH",
            "issued_on": today - timedelta(40), "due_on": today - timedelta(4),
        }  # fmt: skip
        billing.put_invoice(session, client, bill, at=now(), **BY)
        due = now() + timedelta(hours=2)
        fact_actions.make_promise(
            session, client, "Call back", due_at=due, user_id=cast.alice.id, at=now()
        )
        for name, days in (("Kettle", 30), ("Iron", -1)):
            product = Product(name=name, sort_key=name, created_at=now())
            session.add(product)
            session.flush()
            until = {"product_id": product.id, "warranty_until": today + timedelta(days)}
            items.put_item(session, client, until, at=now(), **BY)
    text = side(alice, number)
    for words in (
        "vip", "UAH 1,240.00", "4 days late", "14:00 Call back", "Kettle", "Europe/Warsaw",
        "missing: birthday, place of residence", "Another one", "It leaks since Monday",
    ):  # fmt: skip
        assert words in text, words
    assert "Iron" not in text and "Several people" not in text


def test_an_organisation_lacks_nothing_that_only_people_have(
    alice: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket("Kettle leaks")
    with ext.write() as session:
        seed_fields(session)
        session.get_one(Client, cast.oksana.client_id).kind = ClientKind.ORGANISATION
    assert "birthday" not in side(alice, number)


def test_the_card_is_two_statements(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    with counted() as sent:
        alice.get(f"/desk/t/{number}/side")
    cold = ("setting", "login_session", "queue_member", "ticket.id AS ticket_id")
    rest = [statement for statement in sent if not any(word in statement for word in cold)]
    assert len(rest) <= 3, "\n".join(rest)


def test_of_several_people_the_right_one_is_chosen(alice: Pages, desk: Desk, cast: Cast) -> None:
    client_id, person_id = second_oksana(cast)
    number = desk.ticket("For the firm")
    kept = desk.ticket("For herself")
    page = alice.get(f"/desk/t/{number}")
    assert "Several people have this address." in page.text and "Olena, Svitlo LLC" in page.text
    page = alice.post(f"/desk/t/{number}/requester", person=str(person_id))
    assert "This ticket is now from: Olena" in alice.get(page.place).text or "Olena" in page.text
    with ext.session() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.subject == "For the firm")).one()
        assert (ticket.client_id, ticket.person_id) == (client_id, person_id)
        point = session.get_one(ContactPoint, ticket.contact_point_id)
        assert point.person_id == person_id
        message = session.scalars(select(Message).where(Message.ticket_id == ticket.id)).one()
        assert message.person_id == person_id
    firm = alice.get(f"/desk/clients/{client_id}").text
    assert "For the firm" in firm and "requester was changed" in firm
    old = alice.get(f"/desk/clients/{cast.oksana.client_id}").text
    assert "For the firm" not in old and "For herself" in old
    assert "Several people" in side(alice, kept)


def test_somebody_without_the_address_is_no_choice(alice: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    for person in (cast.stranger.person_id, 10**6, "x"):
        answer = alice.script(f"/desk/t/{number}/requester", person=str(person))
        assert answer.status_code == 400
    with ext.session() as session:
        assert session.scalars(select(Ticket.person_id)).one() == cast.oksana.person_id


def test_removed_addresses_and_people_are_not_shown(alice: Pages, desk: Desk, cast: Cast) -> None:
    number = desk.ticket()
    second_oksana(cast)
    with ext.write() as session:
        point = session.scalars(
            select(ContactPoint).where(ContactPoint.person_id == cast.oksana.person_id)
        ).one()
        contact_points.remove_point(session, point, at=now(), **BY)
        client = session.get_one(Client, cast.oksana.client_id)
        add_person(session, client, name="Gone", at=now()).removed_at = now()
        assert session.scalars(select(Person).where(Person.name == "Gone")).one()
    text = side(alice, number)
    assert "oksana@client.example" not in text and "Gone" not in text
    assert "a working address" in text
