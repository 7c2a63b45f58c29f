"""Clients that may be one are found, each once, without comparing everybody with everybody."""

from typing import Any

import pytest
from sqlalchemy import func, select, update

from helpdesk import ext, jobs
from helpdesk.clients import duplicates
from helpdesk.clients.actions import (
    add_contact_point,
    add_person,
    change_client,
    create_client,
)
from helpdesk.clients.contact_points import change_point
from helpdesk.clients.duplicates import count_open, dismiss, doubles_of, offer_again, open_pairs
from helpdesk.clients.match import find_or_create
from helpdesk.clients.merge import merge
from helpdesk.clients.models import Client, ContactPoint, DuplicatePair, Person
from helpdesk.events import Actor, Event
from helpdesk.fields import seed_fields
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict
from tests.cast import Cast
from tests.test_query_plans import caught, whole_tables


def somebody(name: str, *values: str, kind: str = "person", **profile: Any) -> int:
    """A client with one person and these addresses or numbers."""
    with ext.write() as session:
        seed_fields(session)
        client = create_client(session, kind=kind, name=name, at=now())
        person = add_person(session, client, name=name, at=now())
        for value in values:
            what = "email" if "@" in value else "phone"
            add_contact_point(session, person, kind=what, value=value, country="UA", at=now())
        if profile:
            change_client(session, client, actor=Actor(), at=now(), profile=profile)
        return client.id


def found() -> list[tuple[int, int, str]]:
    """The open pairs after the job has run."""
    while jobs.find_duplicates():
        pass
    with ext.session() as session:
        pairs = open_pairs(session, limit=500)
    return sorted((pair.first.id, pair.second.id, pair.row.reason) for pair in pairs)


def test_nobody_is_a_double_at_first(cast: Cast) -> None:
    assert found() == []
    with ext.session() as session:
        assert not duplicates.waiting(session)


def test_one_number_in_two_spellings(cast: Cast) -> None:
    one, two = somebody("Oksana", "067 123 45 67"), somebody("Somebody", "+38 (067) 1234567")
    assert found() == [(one, two, "phone")]


def test_one_mailbox_with_dots_and_tags(cast: Cast) -> None:
    one = somebody("Oksana", "oksana.lyt@gmail.com")
    two = somebody("O. L.", "OksanaLyt+shop@googlemail.com")
    somebody("Other", "oksana.lyt@firm.example")
    assert found() == [(one, two, "email")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"residence": "Київ"}, {"residence": "київ "}),
        ({"birthday": "1980-12-31"}, {"birthday": "1980-12-31"}),
    ],
)
def test_one_name_in_two_alphabets_and_something_else_the_same(
    cast: Cast, first: dict[str, str], second: dict[str, str]
) -> None:
    one = somebody("Oksana Hrytsenko", "a@gmail.com", **first)
    two = somebody("Гриценко Оксана Іванівна", "b@ukr.net", **second)
    assert found() == [(one, two, "name")]


def test_namesakes_of_one_firm_and_of_one_domain(cast: Cast) -> None:
    one = somebody("Іван Коваль", "ivan@firm.example")
    two = somebody("Ivan Koval", "koval@firm.example")
    assert found() == [(one, two, "name")]


def test_who_wrote_once_and_called_once_under_a_rare_name(cast: Cast) -> None:
    one, two = somebody("Іван Коваль", "ivan@ukr.net"), somebody("Ivan Koval", "067 111 11 11")
    assert found() == [(one, two, "name")]


def test_namesakes_with_nothing_else_in_common_are_two(cast: Cast) -> None:
    somebody("Іван Коваль", "a@ukr.net", residence="Київ")
    somebody("Іван Коваль", "b@ukr.net", residence="Львів")
    somebody("Іван", "067 111 11 11"), somebody("Іван", "c@ukr.net")
    assert found() == []


def test_namesakes_born_on_two_days_are_two(cast: Cast) -> None:
    somebody("Іван Коваль", "a@ukr.net", residence="Київ", birthday="1980-01-01")
    somebody("Іван Коваль", "067 111 11 11", residence="Київ", birthday="1990-01-01")
    assert found() == []


def test_a_common_name_alone_says_nothing(cast: Cast) -> None:
    for n in range(5):
        somebody("Іван Коваль", f"a{n}@ukr.net")
    found()
    last = somebody("Іван Коваль", "067 111 11 11")
    assert not any(last in pair for pair in found())


def test_a_number_that_everybody_has_is_a_switchboard(cast: Cast) -> None:
    for n in range(duplicates.SHARED + 4):
        somebody(f"Client {n}", "044 123 45 67")
    assert len(found()) <= duplicates.SHARED * (duplicates.SHARED + 1) // 2 + duplicates.SHARED


def test_a_person_with_the_number_of_their_firm_is_no_double(cast: Cast) -> None:
    firm = somebody("Lamps Ltd", "044 123 45 67", kind="organisation")
    one = somebody("Petro", "044 123 45 67")
    with ext.write() as session:
        client = session.get_one(Client, one)
        change_client(session, client, actor=Actor(), at=now(), organisation_id=firm)
    assert found() == []


def test_a_new_number_or_name_is_looked_at_again(cast: Cast) -> None:
    one, two = somebody("Petro Sum", "067 123 45 67"), somebody("Ivan Lis", "a@firm.example")
    assert found() == []
    with ext.write() as session:
        person = session.scalars(select(Person).where(Person.client_id == two)).one()
        add_contact_point(session, person, kind="phone", value="0671234567", country="UA", at=now())
    assert found() == [(one, two, "phone")]
    three = somebody("Olha Mak", "067 999 99 99")
    with ext.write() as session:
        of_three = select(ContactPoint).join(Person).where(Person.client_id == three)
        point = session.scalars(of_three).one()
        change_point(session, point, "0671234567", country="UA", actor=Actor(), at=now())
    assert (two, three, "phone") in found()


def test_these_are_two_is_asked_once_and_can_be_taken_back(cast: Cast) -> None:
    somebody("Petro", "067 123 45 67"), somebody("Ivan", "067 123 45 67")
    ((one, two, _),) = found()
    by: dict[str, Any] = {"actor": Actor(user_id=cast.alice.id), "at": now()}
    with ext.write() as session:
        pair = session.scalars(select(DuplicatePair)).one()
        dismiss(session, pair, **by)
        with pytest.raises(Conflict):
            dismiss(session, pair, **by)
        duplicates.look_again(session, one)
    assert found() == []
    with ext.write() as session:
        pair = session.scalars(select(DuplicatePair)).one()
        assert pair.settled_by == cast.alice.id
        offer_again(session, pair, **by)
    assert found() == [(one, two, "phone")]
    with ext.session() as session:
        kinds = select(Event.kind).where(Event.kind.like("duplicate.%")).order_by(Event.id)
        assert list(session.scalars(kinds)) == ["duplicate.dismissed", "duplicate.offered"]
        assert [client.id for client in doubles_of(session, two)] == [one]
        assert count_open(session) == 1


def test_a_merged_client_is_nobodys_double(cast: Cast) -> None:
    one, two = somebody("Petro", "067 123 45 67"), somebody("Ivan", "067 123 45 67")
    assert len(found()) == 1
    with ext.write() as session:
        pair_id = session.scalars(select(DuplicatePair.id)).one()
        merge(session, one, two, actor=Actor(), at=now())
        duplicates.look_again(session, one)
    assert found() == []
    with ext.write() as session, pytest.raises(Conflict, match="merged"):
        pair = duplicates.pair_of(session, pair_id)
        offer_again(session, pair, actor=Actor(), at=now())


def test_a_look_reads_no_whole_table_and_costs_the_same_among_many(cast: Cast) -> None:
    def cost() -> int:
        somebody("Petro Sum", "067 123 45 67", "petro@gmail.com", residence="Київ")
        with caught() as statements:
            jobs.find_duplicates()
        assert whole_tables(statements) == []
        return len(statements)

    found()
    first = cost()
    with ext.write() as session:
        for n in range(120):
            find_or_create(session, email=f"p{n}@many.example", name=f"Petro Sum {n % 7}", at=now())
    found()
    assert cost() <= first + 2
    with ext.session() as session:
        assert session.scalar(select(func.count(DuplicatePair.id))) is not None


def test_erased_clients_are_left_alone(cast: Cast) -> None:
    one = somebody("Petro", "067 123 45 67")
    with ext.write() as session:
        gone = update(Client).where(Client.id == one).values(erased_at=now(), name="")
        session.execute(gone)
    somebody("Ivan", "067 123 45 67")
    found()
    with ext.session() as session:
        assert not duplicates.waiting(session)
