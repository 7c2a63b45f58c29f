"""Two records of one client in the desk: found, compared, merged, taken back; what is missing."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk import ext, jobs
from helpdesk.clients.actions import (
    add_contact_point,
    add_person,
    change_client,
    create_client,
)
from helpdesk.clients.contact_points import set_bad
from helpdesk.clients.match import find_or_create
from helpdesk.clients.models import Client, ContactPoint, DuplicatePair, Merge
from helpdesk.events import Actor
from helpdesk.fields import seed_fields
from helpdesk.lib.clock import now
from tests.cast import Cast
from tests.test_query_plans import caught, whole_tables
from tests.web.conftest import Desk, Pages, counted

BY: dict[str, Any] = {"actor": Actor(), "at": now()}


@pytest.fixture
def twin(cast: Cast) -> int:
    """A second record of Oksana: she called once."""
    with ext.write() as session:
        seed_fields(session)
        client = create_client(session, kind="person", name="Lytvynenko Oksana", at=now())
        person = add_person(session, client, name="Lytvynenko Oksana", at=now())
        add_contact_point(
            session, person, kind="phone", value="067 123 45 67", country="UA", at=now()
        )
        change_client(
            session, client, language="en", profile={"residence": "Lviv"}, tags=["vip"], **BY
        )
        oksana = session.get_one(Client, cast.oksana.client_id)
        change_client(
            session, oksana, profile={"residence": "Київ", "birthday": "1980-12-31"}, **BY
        )
        id_ = client.id
    while jobs.find_duplicates():
        pass
    return id_


def test_a_likely_double_is_offered_and_merged_with_chosen_values(
    alice: Pages, cast: Cast, desk: Desk, twin: int
) -> None:
    desk.ticket("Kettle leaks")
    kept = cast.oksana.client_id
    page = alice.get("/desk/duplicates")
    for words in ("Оксана Литвиненко", "Lytvynenko Oksana", "same name", "+380 67 123 45 67"):
        assert words in page.text, words
    page = alice.get(f"/desk/clients/{kept}/merge?with={twin}")
    assert "Київ" in page.text and "Lviv" in page.text and "Birthday" in page.text
    fields = page.form(f"/desk/clients/{kept}/merge")
    assert fields["keep"] == str(kept)
    page = alice.send(
        f"/desk/clients/{kept}/merge", fields | {"value.profile.residence": str(twin)}
    )
    assert page.place.startswith(f"/desk/clients/{kept}?undo=merge-")
    assert f"№ {twin}, Lytvynenko Oksana, was merged into this record." in page.text
    with ext.session() as session:
        client = session.get_one(Client, kept)
        assert client.name == "Оксана Литвиненко"
        assert client.profile == {"residence": "Lviv", "birthday": "1980-12-31"}
    assert "No likely duplicates" in alice.get("/desk/duplicates").text


def test_the_old_address_leads_to_the_record_that_stayed(
    alice: Pages, cast: Cast, twin: int
) -> None:
    kept = cast.oksana.client_id
    alice.get(f"/desk/clients/{twin}/merge?with={kept}")
    alice.post(f"/desk/clients/{twin}/merge", keep=str(kept))
    assert alice.get(f"/desk/clients/{twin}").place == f"/desk/clients/{kept}"
    assert alice.get(f"/desk/clients/{twin}/merge").place == f"/desk/clients/{kept}/merge"
    for form in ("edit", "people/new", "items/new", "ticket"):
        assert alice.get(f"/desk/clients/{twin}/{form}").place == f"/desk/clients/{kept}"
    listed = [a.get("href") for a in alice.get("/desk/clients").all("a")]
    assert f"/desk/clients/{twin}" not in listed and f"/desk/clients/{kept}" in listed
    alice.get(f"/desk/clients/{kept}/edit")


def test_the_history_offers_the_undo_later(alice: Pages, cast: Cast, twin: int) -> None:
    kept = cast.oksana.client_id
    alice.get(f"/desk/clients/{kept}/merge?with={twin}")
    alice.post(f"/desk/clients/{kept}/merge")
    page = alice.get(f"/desk/clients/{kept}")
    assert "was merged into this record" not in page.text
    (link,) = [a.get("href", "") for a in page.all("a") if "undo=merge-" in a.get("href", "")]
    alice.get(link)
    page = alice.post(f"/desk/clients/{kept}/undo")
    assert "Put back." in page.text
    assert "Lytvynenko Oksana" in alice.get(f"/desk/clients/{twin}").text
    while jobs.find_duplicates():
        pass
    assert "same name" in alice.get("/desk/duplicates").text
    assert "was merged into this record" not in alice.get(link).text


def test_these_are_two_goes_off_the_list_and_back(alice: Pages, cast: Cast, twin: int) -> None:
    with ext.session() as session:
        (pair_id,) = session.scalars(select(DuplicatePair.id))
    alice.get("/desk/duplicates")
    page = alice.post(f"/desk/duplicates/{pair_id}")
    assert "are two clients" in page.text and "No likely duplicates" in page.text
    page = alice.post(f"/desk/duplicates/{pair_id}")
    assert "same name" in page.text
    alice.post(f"/desk/duplicates/{pair_id}")
    page = alice.send(f"/desk/duplicates/{pair_id}", {"csrf_token": alice.token})
    assert "settled this pair already" in page.text


def test_any_client_is_found_to_be_merged(alice: Pages, cast: Cast, twin: int) -> None:
    kept = cast.oksana.client_id
    path = f"/desk/clients/{kept}/merge"
    assert "Likely duplicates" in alice.get(path).text, "offered without a search"
    page = alice.get(f"{path}?q=0671234567")
    assert f"{path}?with={twin}" in [a.get("href") for a in page.all("a")]
    assert "Nobody else fits" in alice.get(f"{path}?q=Nobody").text
    assert "two different clients" in alice.get(f"{path}?with={kept}").text
    alice.get(f"{path}?with={twin}")
    page = alice.send(path, {"csrf_token": alice.token, "other": "99999", "keep": "1"})
    assert page.status == 400 and "Choose the other client." in page.text
    assert alice.get(f"{path}?with=99999").status == 404


def test_a_merge_that_cannot_be_is_said_and_what_was_chosen_stays(
    alice: Pages, cast: Cast, twin: int
) -> None:
    kept = cast.oksana.client_id
    alice.get(f"/desk/clients/{kept}/merge?with={twin}")
    fields = alice.page.form(f"/desk/clients/{kept}/merge") if alice.page else {}
    with ext.write() as session:
        session.get_one(Client, twin).erased_at = now()
    page = alice.send(
        f"/desk/clients/{kept}/merge", fields | {"value.profile.residence": str(twin)}
    )
    assert page.status == 400 and "was erased" in page.text
    again = page.form(f"/desk/clients/{kept}/merge")
    assert again["value.profile.residence"] == str(twin)
    with ext.session() as session:
        assert session.scalar(select(Merge.id)) is None


@pytest.mark.usefixtures("twin")
def test_gaps_are_counted_and_listed_with_a_way_to_fill_them(
    alice: Pages, cast: Cast, desk: Desk
) -> None:
    desk.ticket("Kettle leaks")
    with ext.write() as session:
        create_client(session, kind="person", name="Nobody Reaches", at=now())
        find_or_create(session, email="x@nameless.example", at=now())
        point = session.get_one(ContactPoint, cast.stranger.contact_point_id)
        set_bad(session, point, True, **BY)
    while jobs.find_duplicates():
        pass
    page = alice.get("/desk/gaps")
    assert "Nobody Reaches" in page.text and "No address or number: 1" in labels(page)
    for show, words in {
        "bad": "S",
        "name": "x@nameless.example",
        "language": "Nobody Reaches",
        "reason": "Kettle leaks",
        "profile.birthday": "Lytvynenko Oksana",
    }.items():
        assert words in alice.get(f"/desk/gaps?show={show}").text, show
    with ext.write() as session:
        create_client(session, kind="organisation", name="Romashka LLC", at=now())
    born = alice.get("/desk/gaps?show=profile.birthday").text
    assert "Оксана Литвиненко" not in born and "Romashka" not in born
    assert "Romashka LLC" in alice.get("/desk/gaps?show=language").text
    assert alice.get("/desk/gaps?show=nothing").status == 404


def labels(page: Any) -> list[str]:
    return [a.get("aria-label", "") for a in page.all("a")]


@pytest.mark.usefixtures("twin")
def test_gaps_of_other_queues_are_not_shown(pages: Pages, desk: Desk) -> None:
    desk.ticket("Kettle leaks")
    pages.log_in("bob")
    page = pages.get("/desk/gaps?show=reason")
    assert "Kettle leaks" not in page.text and "Tickets without a reason: 0" in labels(page)


@pytest.mark.usefixtures("twin")
def test_the_lists_ask_little_and_read_no_whole_table(alice: Pages, desk: Desk) -> None:
    with ext.write() as session:
        for n in range(60):
            find_or_create(session, email=f"p{n}@many.example", name=f"Petro {n}", at=now())
    for path in ("/desk/duplicates", "/desk/gaps", "/desk/gaps?show=reason"):
        alice.get(path)
        with counted() as sent, caught() as statements:
            alice.get(path)
        assert len(sent) <= 10, "\n".join(sent)
        assert whole_tables(statements) == []
