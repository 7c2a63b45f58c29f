"""Two records of one client become one, and two again, as if nothing had happened."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, select

from helpdesk import ext, privacy
from helpdesk.clients.actions import (
    add_contact_point,
    add_person,
    change_client,
    create_client,
)
from helpdesk.clients.match import by_email, find_or_create
from helpdesk.clients.merge import FIELDS, merge, merges_of, pointing_at, survivor, undo_merge
from helpdesk.clients.models import Client, ContactPoint, MergeChange, Person
from helpdesk.clients.search import find_client_ids
from helpdesk.events import Actor, Event
from helpdesk.fields import seed_fields
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound
from helpdesk.tickets.models import Channel, Ticket
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast
from tests.clients.filler import Filler, dump

LOGS = frozenset({"event", "client_merge", "client_merge_change"})


def newcomer(name: str, email: str) -> int:
    with ext.write() as session:
        return find_or_create(session, email=email, name=name, at=now()).client_id


def joined(cast: Cast, kept: int, gone: int, *take: str) -> int:
    with ext.write() as session:
        return merge(
            session, kept, gone, take=take, actor=Actor(user_id=cast.alice.id), at=now()
        ).id


def undone(cast: Cast, merge_id: int) -> None:
    with ext.write() as session:
        undo_merge(session, merge_id, actor=Actor(user_id=cast.alice.id), at=now())


def versionless() -> dict[str, list[tuple[str, ...]]]:
    """Everything but the logs and the counter by which forms notice a change."""
    place = [column.name for column in Client.__table__.columns].index("version")
    with ext.session() as session:
        rows = dump(session, LOGS)
    rows["client"] = sorted(row[:place] + row[place + 1 :] for row in rows["client"])
    return rows


def test_what_belonged_to_the_second_record_belongs_to_the_first(cast: Cast) -> None:
    kept = cast.oksana.client_id
    with ext.write() as session:
        twin = find_or_create(session, email="oksana.work@client.example", name="Оксана", at=now())
        ticket_id = open_ticket(
            session, queue_id=cast.support.id, who=twin, subject="Чайник",
            channel=Channel.EMAIL, language="uk", at=now(),
        )  # fmt: skip
        client = session.get_one(Client, twin.client_id)
        change_client(session, client, actor=Actor(), at=now(), tags=["vip"], about="Likes tea")
    joined(cast, kept, twin.client_id)
    with ext.session() as session:
        ticket = session.get_one(Ticket, ticket_id)
        assert (ticket.client_id, ticket.person_id) == (kept, cast.oksana.person_id)
        client = session.get_one(Client, kept)
        assert "vip" in client.tags
        assert "Likes tea" in client.about
        assert survivor(session, session.get_one(Client, twin.client_id)).id == kept
        found = by_email(session, "oksana.work@client.example")
        assert found is not None
        assert (found.client_id, found.person_id) == (kept, cast.oksana.person_id)
        assert find_client_ids(session, "oksana.work@client.example", country="UA") == [kept]
        assert twin.client_id not in find_client_ids(session, "Оксана", country="UA")
        assert [one.gone_id for one in merges_of(session, kept)] == [twin.client_id]


def test_people_who_share_an_address_become_one_person(cast: Cast) -> None:
    with ext.write() as session:
        firms = [
            create_client(session, kind="organisation", name=name, at=now())
            for name in ("Lamps Ltd", "Lamps LLC")
        ]
        people = [add_person(session, firm, name="Petro", at=now()) for firm in firms]
        add_person(session, firms[1], name="Ivan", at=now())
        for person, number in zip(people, ("067 111 22 33", "+380671112233"), strict=True):
            add_contact_point(session, person, kind="phone", value=number, country="UA", at=now())
        add_contact_point(
            session, people[1], kind="email", value="petro@lamps.example", country="UA", at=now()
        )
    joined(cast, firms[0].id, firms[1].id)
    with ext.session() as session:
        here = select(Person.name).where(Person.client_id == firms[0].id)
        names = session.scalars(here.where(Person.removed_at.is_(None)).order_by(Person.id))
        assert list(names) == ["Petro", "Ivan"]
        points = select(ContactPoint.value).where(
            ContactPoint.person_id == people[0].id, ContactPoint.removed_at.is_(None)
        )
        values = list(session.scalars(points))
        assert len(values) == 2, "the number once, and the address"
        assert "petro@lamps.example" in values


def test_the_values_of_the_first_record_stay_unless_the_others_are_chosen(cast: Cast) -> None:
    kept, gone = newcomer("Anna", "anna@a.example"), newcomer("Anna Bell", "anna@b.example")
    with ext.write() as session:
        seed_fields(session)
        by: dict[str, Any] = {"actor": Actor(), "at": now()}
        change_client(session, session.get_one(Client, kept), language="en",
                      profile={"residence": "Lviv"}, **by)  # fmt: skip
        change_client(session, session.get_one(Client, gone), language="uk", timezone="Europe/Kyiv",
                      profile={"residence": "Kyiv", "occupation": "pilot"}, **by)  # fmt: skip
    joined(cast, kept, gone, "name")
    with ext.session() as session:
        client = session.get_one(Client, kept)
        assert (client.name, client.language) == ("Anna Bell", "en")
        assert client.timezone == "Europe/Kyiv", "was empty"
        assert client.profile == {"residence": "Lviv", "occupation": "pilot"}


def test_no_table_still_points_to_the_record_that_went(app: Flask, cast: Cast) -> None:
    """Tables that come later are covered: each gets rows here by its columns alone."""
    kept, gone = newcomer("Anna", "anna@a.example"), newcomer("Anna Bell", "anna@b.example")
    targets: dict[str, int] = {}
    with ext.write() as session:
        filler = Filler(session)
        person = session.scalars(select(Person).where(Person.client_id == gone)).one()
        point = session.scalars(select(ContactPoint).where(ContactPoint.person_id == person.id))
        ids = {Client: gone, Person: person.id, ContactPoint: point.one().id}
        other = create_client(session, kind="organisation", name="Other", at=now())
        for model, id_ in ids.items():
            table = model.__table__
            assert isinstance(table, Table)
            for column in pointing_at(table):
                if column.table.name in ("client", "person", "contact_point"):
                    continue
                filler.row(column.table, **{column.name: id_})
                targets[f"{column.table.name}.{column.name}"] = id_
        other.organisation_id = gone
    before = versionless()
    done = joined(cast, kept, gone)
    with ext.session() as session:
        for model in (Client, Person):
            for column in pointing_at(model.__table__):  # type: ignore[arg-type]
                left = session.scalars(select(column).where(column == ids[model])).all()
                assert not left, f"{column} still points to the one that went"
        assert session.get_one(Client, other.id).organisation_id == kept
    assert len(targets) >= 20
    undone(cast, done)
    assert versionless() == before


def test_undoing_leaves_what_happened_since_where_it_is(cast: Cast) -> None:
    kept, gone = newcomer("Anna", "anna@a.example"), newcomer("Anna Bell", "anna@b.example")
    done = joined(cast, kept, gone)
    with ext.write() as session:
        client = session.get_one(Client, kept)
        change_client(session, client, actor=Actor(), at=now(), name="Anna Smith")
        found = by_email(session, "anna@b.example")
        assert found is not None
        new = open_ticket(
            session, queue_id=cast.support.id, who=found, subject="Since",
            channel=Channel.EMAIL, language="en", at=now() + timedelta(minutes=1),
        )  # fmt: skip
        version = client.version
    undone(cast, done)
    with ext.session() as session:
        assert session.get_one(Client, kept).name == "Anna Smith"
        assert session.get_one(Ticket, new).client_id == kept
        assert session.get_one(Client, kept).version > version  # an open form is told
        again = by_email(session, "anna@b.example")
        assert again is not None
        assert again.client_id == gone
        assert find_client_ids(session, "anna@b.example", country="UA") == [gone]


def test_undoing_takes_back_the_tags_and_fields_that_came_and_leaves_what_was_added(
    cast: Cast,
) -> None:
    kept, gone = newcomer("Anna", "anna@a.example"), newcomer("Anna Bell", "anna@b.example")
    by: dict[str, Any] = {"actor": Actor(), "at": now()}
    with ext.write() as session:
        seed_fields(session)
        first, second = session.get_one(Client, kept), session.get_one(Client, gone)
        change_client(session, first, tags=["a"], profile={"residence": "Lviv"}, **by)
        change_client(session, second, tags=["a", "b"], profile={"occupation": "pilot"}, **by)
    done = joined(cast, kept, gone)
    with ext.write() as session:
        client = session.get_one(Client, kept)
        assert client.tags == ["a", "b"] and len(client.profile) == 2
        change_client(session, client, tags=["a", "b", "vip"], profile={"loyalty": 5}, **by)
    undone(cast, done)
    with ext.session() as session:
        client = session.get_one(Client, kept)
        assert client.tags == ["a", "vip"]
        assert client.profile == {"residence": "Lviv", "loyalty": 5}
        assert session.get_one(Client, gone).tags == ["a", "b"]


def test_what_cannot_be_merged_is_said(cast: Cast) -> None:
    kept, gone = newcomer("Anna", "anna@a.example"), newcomer("Bob", "bob@b.example")
    third = newcomer("Cleo", "cleo@c.example")
    with ext.write() as session, pytest.raises(HelpdeskError, match="two different"):
        merge(session, kept, kept, actor=Actor(), at=now())
    with ext.write() as session, pytest.raises(NotFound):
        merge(session, kept, 99_999, actor=Actor(), at=now())
    done = joined(cast, kept, gone)
    with ext.write() as session, pytest.raises(Conflict, match="merged already"):
        merge(session, third, gone, actor=Actor(), at=now())
    joined(cast, kept, third)
    with ext.write() as session, pytest.raises(Conflict, match="Cleo"):
        undo_merge(session, done, actor=Actor(), at=now())


def test_erasing_the_one_erases_the_other_for_good(cast: Cast) -> None:
    kept, gone = newcomer("Anna", "anna@a.example"), newcomer("Zorbelia", "anna@b.example")
    done = joined(cast, kept, gone)
    with ext.write() as session:
        erased = privacy.erase_client(session, kept, actor=Actor(), at=now())
    privacy.after_erasure(erased)
    with ext.session() as session:
        assert session.get_one(Client, gone).name == ""
        assert session.scalar(select(MergeChange.id)) is None
    with ext.write() as session, pytest.raises(Conflict, match="erased"):
        undo_merge(session, done, actor=Actor(), at=now())


def test_it_stands_in_the_history(cast: Cast) -> None:
    kept, gone = newcomer("Anna", "anna@a.example"), newcomer("Bob", "bob@b.example")
    undone(cast, joined(cast, kept, gone))
    with ext.session() as session:
        rows = session.scalars(select(Event).where(Event.kind.like("client.%merged")))
        assert [(row.kind, row.client_id, row.data["other_id"]) for row in rows] == [
            ("client.merged", kept, gone),
            ("client.unmerged", kept, gone),
        ]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    plan=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=6),
    shared=st.lists(st.integers(0, 4), min_size=5, max_size=5),
)
def test_any_merges_undone_backwards_leave_no_trace(
    cast: Cast, plan: list[tuple[int, int, bool]], shared: list[int]
) -> None:
    clients = _some_clients(shared)
    before = versionless()
    done: list[int] = []
    for first, second, take in plan:
        try:
            done.append(joined(cast, clients[first], clients[second], *(FIELDS if take else ())))
        except HelpdeskError:
            continue
    for merge_id in reversed(done):
        undone(cast, merge_id)
    assert versionless() == before


def _some_clients(shared: list[int]) -> list[int]:
    """Five clients, some of whom have a number in common."""
    ids = []
    with ext.write() as session:
        for place, number in enumerate(shared):
            kind = "organisation" if place % 2 else "person"
            client = create_client(session, kind=kind, name=f"Client {place}", at=now())
            for name in ("Ann", "Ben")[: 1 + place % 2]:
                person = add_person(session, client, name=f"{name} {place}", at=now())
                add_contact_point(
                    session, person, kind="phone", value=f"+38067000000{number}",
                    country="UA", at=now(),
                )  # fmt: skip
            ids.append(client.id)
    return ids
