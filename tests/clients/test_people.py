"""People and contact points: corrected, marked, removed and put back."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.clients import contact_points as points
from helpdesk.clients import match, people
from helpdesk.clients.actions import add_contact_point, add_person, change_client, create_client
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.clients.search import find_client_ids
from helpdesk.events import SYSTEM, Event
from helpdesk.fields import seed_fields
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.tickets.models import Channel
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast

BY: dict[str, Any] = {"actor": SYSTEM}


def firm() -> tuple[int, int, int]:
    """A firm with an accountant and her number: ids of client, person, contact point."""
    with ext.write() as session:
        client = create_client(session, kind="organisation", name="Roga i kopyta", at=now())
        person = add_person(session, client, name="Ганна", role="accountant", at=now())
        add: dict[str, Any] = {"country": "UA", "at": now()}
        point = add_contact_point(session, person, kind="phone", value="067 123-45-67", **add)
        add_contact_point(session, person, kind="email", value="hanna@firm.example", **add)
        return client.id, person.id, point.id


def test_a_person_is_changed_and_found_by_the_new_name(cast: Cast) -> None:
    client_id, person_id, _point = firm()
    with ext.write() as session:
        person = people.person_of(session, client_id, person_id)
        changes: dict[str, Any] = {
            "name": "Ганна Берег",
            "vocative": "Ганно",
            "timezone": "Europe/Warsaw",
        }
        people.change_person(session, person, at=now(), language="uk", **changes, **BY)
        event = session.scalars(select(Event).where(Event.kind == "person.changed")).one()
        assert event.data["fields"] == ["language", "name", "timezone", "vocative"]
        assert find_client_ids(session, "Берег", country="UA") == [client_id]
        for wrong in ({"name": " "}, {"language": "de"}, {"timezone": "Mars/Base"}):
            with pytest.raises(HelpdeskError):
                people.change_person(session, person, at=now(), **wrong, **BY)


def test_a_removed_person_is_found_by_nothing_and_comes_back_whole(cast: Cast) -> None:
    client_id, person_id, point_id = firm()
    with ext.write() as session:
        people.remove_person(session, session.get_one(Person, person_id), at=now(), **BY)
    with ext.session() as session:
        assert match.by_phone(session, "+380671234567", "UA") is None
        assert find_client_ids(session, "Ганна", country="UA") == []
        assert find_client_ids(session, "0671234567", country="UA") == []
        assert session.get_one(Client, client_id).people == []
        with pytest.raises(NotFound):
            people.person_of(session, client_id, person_id)
        with pytest.raises(NotFound):
            points.point_of(session, client_id, point_id)
    with ext.write() as session:
        gone = people.person_of(session, client_id, person_id, removed=True)
        people.restore_person(session, gone, at=now(), **BY)
    with ext.session() as session:
        found = match.by_phone(session, "0671234567", "UA")
        assert found is not None and found.person_id == person_id
        assert len(session.get_one(Person, person_id).contact_points) == 2


def test_a_person_with_tickets_stays(cast: Cast) -> None:
    with ext.write() as session:
        ticket: dict[str, Any] = {
            "subject": "x",
            "channel": Channel.EMAIL,
            "language": None,
            "at": now(),
        }
        open_ticket(session, queue_id=cast.support.id, who=cast.oksana, **ticket)
        person = session.get_one(Person, cast.oksana.person_id)
        with pytest.raises(HelpdeskError, match="has tickets"):
            people.remove_person(session, person, at=now(), **BY)
        stranger = session.get_one(Person, cast.stranger.person_id)
        people.remove_person(session, stranger, at=now(), **BY)


def test_a_corrected_number_is_new_to_us(cast: Cast) -> None:
    client_id, _person, point_id = firm()
    with ext.write() as session:
        point = points.point_of(session, client_id, point_id)
        points.set_verified(session, point, True, at=now(), **BY)
        points.set_bad(session, point, True, at=now(), **BY)
        points.change_point(session, point, "+380 (67) 1234567", country="UA", at=now(), **BY)
        assert point.verified and point.bad, "the same number in another spelling"
        points.change_point(session, point, "050 111 22 33", country="UA", at=now(), **BY)
        assert (point.key, point.tail) == ("+380501112233", "501112233")
        assert not point.verified and not point.bad
        with pytest.raises(HelpdeskError):
            points.change_point(session, point, "call me", country="UA", at=now(), **BY)


def test_one_of_a_kind_is_preferred(cast: Cast) -> None:
    client_id, person_id, phone_id = firm()
    with ext.write() as session:
        person = people.person_of(session, client_id, person_id)
        add: dict[str, Any] = {"kind": "email", "country": "UA", "at": now()}
        other = add_contact_point(session, person, value="h@home.example", **add)
        phone = points.point_of(session, client_id, phone_id)
        email = session.scalars(
            select(ContactPoint).where(ContactPoint.key == "hanna@firm.example")
        ).one()
        for point in (phone, email, other):
            points.set_preferred(session, point, True, at=now(), **BY)
        session.refresh(email)
        assert (phone.preferred, email.preferred, other.preferred) == (True, False, True)


def test_a_bad_address_made_good_counts_returns_anew(cast: Cast) -> None:
    client_id, _person, point_id = firm()
    with ext.write() as session:
        point = points.point_of(session, client_id, point_id)
        point.soft_bounces = 4
        points.set_bad(session, point, True, at=now(), **BY)
        points.set_bad(session, point, False, at=now(), **BY)
        assert (point.bad, point.soft_bounces) == (False, 0)


def test_an_address_added_again_is_not_put_back_twice(cast: Cast) -> None:
    client_id, person_id, point_id = firm()
    with ext.write() as session:
        point = points.point_of(session, client_id, point_id)
        points.remove_point(session, point, at=now(), **BY)
        person = people.person_of(session, client_id, person_id)
        add_contact_point(session, person, kind="phone", value="0671234567", country="UA", at=now())
        with pytest.raises(HelpdeskError, match="already"):
            points.restore_point(session, point, at=now(), **BY)


def test_what_is_known_of_a_client_is_checked_by_its_field(cast: Cast) -> None:
    client_id, _person, _point = firm()
    with ext.write() as session:
        seed_fields(session)
        firm_ = session.get_one(Client, client_id)
        oksana = session.get_one(Client, cast.oksana.client_id)
        change_client(
            session,
            oksana,
            at=now(),
            relation="partner",
            potential=False,
            timezone="Europe/Kyiv",
            organisation_id=firm_.id,
            external_id=" C-17 ",
            profile={"birthday": "31.12.1980", "income": "1 000"},
            **BY,
        )
        assert oksana.profile == {"birthday": "1980-12-31", "income": 1000}
        assert oksana.external_id == "C-17"
        event = session.scalars(select(Event).where(Event.kind == "client.changed")).one()
        assert set(event.data["fields"]) == {
            "relation", "potential", "timezone", "organisation_id", "external_id",
            "profile.birthday", "profile.income",
        }  # fmt: skip
        change_client(session, oksana, at=now(), profile={"income": ""}, **BY)
        assert oksana.profile == {"birthday": "1980-12-31"}


WRONG = [
    ({"profile": {"birthday": "soon"}}, "profile.birthday"),
    ({"relation": "enemy"}, "relation"),
    ({"timezone": "Kyiv"}, "timezone"),
    ({"organisation_id": 999}, "organisation"),
    ({"external_id": "taken"}, "external_id"),
    ({"about": "x" * 5001}, "about"),
]


def test_what_does_not_fit_a_client_is_refused(app: Flask, cast: Cast) -> None:
    client_id, _person, _point = firm()
    with ext.write() as session:
        seed_fields(session)
        session.get_one(Client, client_id).external_id = "taken"
        oksana = session.get_one(Client, cast.oksana.client_id)
        for changes, place in (*WRONG, ({"organisation_id": oksana.id}, "organisation")):
            with pytest.raises(HelpdeskError) as refused:
                change_client(session, oksana, at=now(), **changes, **BY)
            assert refused.value.field == place
        change_client(session, session.get_one(Client, client_id), at=now(), name="New", **BY)
