"""The list: views, counts, search, pages, the fragment behind live changes; clients."""

from datetime import timedelta

import pytest

from helpdesk import ext
from helpdesk.accounts.models import Role
from helpdesk.accounts.permissions import Viewer
from helpdesk.ext import is_sqlite
from helpdesk.tickets.models import NUMBER_OFFSET, Priority
from helpdesk.tickets.views import CAP, View, counts, list_page, read_view
from tests.cast import Cast
from tests.web.conftest import Desk, Page, Pages, counted


def subjects(page: Page) -> list[str]:
    rows = [s for s in page.all("span") if "sub" in s.get("class", "").split()]
    return ["".join(row.itertext()).strip() for row in rows]


def test_each_view_holds_its_tickets(alice: Pages, desk: Desk, cast: Cast) -> None:
    mine, other = desk.ticket("Mine"), desk.ticket("Free", queue=cast.billing)
    for action, values in (
        ("assignee", {"assignee": str(cast.alice.id)}),
        ("status", {"status": "open"}),
    ):
        alice.get(f"/desk/t/{mine}")
        alice.post(f"/desk/t/{mine}/{action}", **values)
    assert subjects(alice.get("/desk")) == ["Mine"]
    assert subjects(alice.get("/desk?view=unassigned")) == ["Free"]
    assert subjects(alice.get(f"/desk?view=queue:{cast.billing.id}")) == ["Free"]
    assert set(subjects(alice.get("/desk?view=all"))) == {"Mine", "Free"}
    assert subjects(alice.get("/desk?view=done")) == []
    alice.get(f"/desk/t/{other}")
    alice.post(f"/desk/t/{other}/status", status="resolved")
    assert subjects(alice.get("/desk?view=done")) == ["Free"]
    assert "Every promise is on time" in alice.get("/desk?view=breached").text


def test_empty_list_says_what_it_means(alice: Pages) -> None:
    assert "All answered" in alice.get("/desk").text


def test_counts_stand_beside_the_views(alice: Pages, desk: Desk) -> None:
    for n in range(3):
        desk.ticket(f"Ticket {n}")
    nav = alice.get("/desk").one("nav[@id='counts']")
    assert "".join(nav.itertext()).split()[:4] == ["Mine", "0", "Unassigned", "3"]


def test_agent_of_one_queue_sees_only_its_tickets(pages: Pages, desk: Desk, cast: Cast) -> None:
    hidden, shown = desk.ticket("Support only"), desk.ticket("Bill", queue=cast.billing)
    pages.log_in("bob")
    assert subjects(pages.get("/desk?view=all")) == ["Bill"]
    assert subjects(pages.get(f"/desk?q={hidden}")) == []
    assert subjects(pages.get(f"/desk?q={shown}")) == ["Bill"]
    assert "Support" not in pages.get("/desk").one("div[@id='views']").itertext()


@pytest.mark.parametrize("view", ["x", "queue:", "queue:x", "queue:-1", "queue:" + "9" * 30])
def test_unknown_view_is_a_plain_page(alice: Pages, view: str) -> None:
    assert alice.get(f"/desk?view={view}").status == 404


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1", "9" * 20 + "-1", "1-١"])
def test_made_up_cursor_is_a_plain_page(alice: Pages, cursor: str) -> None:
    assert alice.get(f"/desk?view=all&before={cursor}").status == 404


def test_older_tickets_follow_without_gap_or_repeat(
    alice: Pages, desk: Desk, clock: object
) -> None:
    for n in range(53):
        desk.ticket(f"Ticket {n}")
        if n % 3:
            clock.shift(timedelta(microseconds=1))  # type: ignore[attr-defined]
    page = alice.get("/desk?view=all")
    (link,) = [a for a in page.all("a") if a.get("rel") == "next"]
    rest = alice.get(link.get("href", ""))
    seen = subjects(page) + subjects(rest)
    assert seen == [f"Ticket {n}" for n in reversed(range(53))]


@pytest.mark.parametrize(
    "query", ["{number}", "№ {number}", "Оксана", "oksana@client.example", "чайники", "протікає"]
)
def test_search_finds_by_number_name_address_and_word_forms(
    alice: Pages, desk: Desk, cast: Cast, query: str
) -> None:
    number = desk.ticket("Чайник", "Мій чайник протікає вже тиждень.")
    desk.ticket("Other", "Nothing alike", who=cast.stranger)
    page = alice.get("/desk", query_string={"q": query.format(number=number)})
    assert subjects(page) == ["Чайник"]


@pytest.mark.parametrize("query", ["%", "'\" OR 1=1 --", "\x00", "*", "a" * 5000, "((", "№"])
def test_hostile_search_finds_nothing_and_breaks_nothing(alice: Pages, query: str) -> None:
    page = alice.get("/desk", query_string={"q": query})
    assert page.status == 200


def test_click_in_the_list_brings_only_the_panes_beside(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    part = alice.get(
        f"/desk/t/{number}?view=all", headers={"HX-Request": "true", "HX-Target": "open"}
    )
    assert "<!doctype" not in part.html
    assert part.one("section[@id='work']") is not None
    assert not part.all("section[@id='list']")


def test_refresh_of_the_list_has_the_same_row_ids(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    rows = alice.get("/desk/rows?view=all", headers={"HX-Request": "true"})
    assert rows.one(f"li[@id='r{int(number) - NUMBER_OFFSET}']") is not None


def test_urgent_stands_out_by_sign_and_word(alice: Pages, desk: Desk) -> None:
    desk.ticket(priority=Priority.URGENT)
    page = alice.get("/desk?view=all")
    signs = [sign.get("aria-label") for sign in page.tree.iter("{http://www.w3.org/2000/svg}svg")]
    assert "Urgent" in signs


def test_list_costs_the_same_whatever_its_length(alice: Pages, desk: Desk) -> None:
    desk.ticket()
    with counted() as few:
        alice.get("/desk?view=all")
    for n in range(20):
        desk.ticket(f"More {n}")
    with counted() as many:
        alice.get("/desk?view=all")
    assert len(few) == len(many) <= 7


def test_every_view_walks_an_index(alice: Pages, cast: Cast) -> None:
    if not is_sqlite(ext.db.engine):
        pytest.skip("PostgreSQL plans an empty table differently")
    viewer = Viewer(cast.alice.id, Role.AGENT, None)
    with ext.session() as session:
        for name in ("mine", "unassigned", "risk", "breached", "all", "queue:1"):
            with counted() as sent:
                list_page(session, viewer, read_view(name))
            statement = sent[-1].replace("?", "1")
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
            steps = " ".join(step[3] for step in plan)
            assert "USING INDEX ix_ticket" in steps, (name, steps)
            assert "TEMP B-TREE" not in steps, (name, steps)


def test_counts_stop_at_the_cap(cast: Cast) -> None:
    viewer = Viewer(cast.alice.id, Role.AGENT, None)
    with ext.session() as session, counted() as sent:
        assert counts(session, viewer, [View("all"), View("mine")]) == {"all": 0, "mine": 0}
    assert len(sent) == 1 and CAP == 999


def test_client_page_shows_people_tickets_and_contacts(
    alice: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket("Kettle", "It leaks")
    page = alice.get(f"/desk/clients/{cast.oksana.client_id}")
    for words in ("Оксана Литвиненко", "oksana@client.example", "Kettle", "It leaks", number):
        assert words in page.text


def test_client_is_changed_and_a_conflict_keeps_what_was_typed(alice: Pages, cast: Cast) -> None:
    path = f"/desk/clients/{cast.oksana.client_id}"
    old = alice.get(f"{path}/edit").form(path)
    page = alice.post(path, name="Оксана Л.", tags="VIP, b2b", about="Call in the morning.")
    assert "Оксана Л." in page.one("h1").itertext() and "vip" in page.text
    page = alice.send(path, old | {"name": "Typed at the same time"})
    assert page.status == 409
    assert page.form(path)["name"] == "Typed at the same time"


def test_contact_point_is_added_or_refused_in_words(alice: Pages, cast: Cast) -> None:
    path = f"/desk/clients/{cast.oksana.client_id}"
    alice.get(path)
    assert "+380 67 123 45 67" in alice.post(f"{path}/points", value="067 123 45 67").text
    page = alice.post(f"{path}/points", value="no number")
    assert page.status == 400 and "not a phone number" in page.text


def test_clients_are_listed_by_name_and_found(alice: Pages, cast: Cast) -> None:
    assert "Оксана Литвиненко" in alice.get("/desk/clients").text
    assert "Оксана" in alice.get("/desk/clients?q=oksana").text
    assert "Nobody found" in alice.get("/desk/clients?q=zzzz").text
    assert alice.get("/desk/clients/99999").status == 404


def test_keys_have_a_page_for_browsers_without_scripts(alice: Pages) -> None:
    assert "reply to the client" in alice.get("/desk/keys").text
