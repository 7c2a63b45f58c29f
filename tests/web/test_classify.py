"""What a ticket is about, on the desk: chips, pickers, lists by reason and product, history."""

from typing import Any

import pytest

from helpdesk import ext
from helpdesk.clients.items import put_item
from helpdesk.clients.models import Client
from helpdesk.events import SYSTEM
from helpdesk.lib.clock import now
from helpdesk.products import create_product
from helpdesk.tickets import reasons
from helpdesk.tickets.models import NUMBER_OFFSET, Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages, counted


@pytest.fixture
def keys(cast: Cast) -> dict[str, int]:
    """The seeded tree by key."""
    with ext.write() as session:
        reasons.seed_reasons(session)
        return {one.key: one.id for one in reasons.tree(session)}


def about(number: str) -> tuple[Any, ...]:
    with ext.session() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        return ticket.kind, ticket.reason_id, ticket.product_id, ticket.item_id


def choose(alice: Pages, number: str, what: str, **fields: Any) -> Any:
    path = f"/desk/t/{number}/{what}"
    page = alice.get(path if what in ("reason", "product") else f"/desk/t/{number}")
    forms = [one for one in page.all("form[@method='post']") if path in (one.get("action") or "")]
    was = forms[0].find(".//input[@name='was']")
    assert was is not None
    values = {"csrf_token": alice.token, "was": was.get("value"), **fields}
    return alice.send(path, values)


def test_an_agent_says_why_the_client_wrote(alice: Pages, desk: Desk, keys: dict[str, int]) -> None:
    number = desk.ticket()
    page = choose(alice, number, "reason", reason=keys["delivery-late"])
    assert page.place == f"/desk/t/{number}"
    assert "It is late" in page.text and "Complaint" in page.text
    assert "Reason: – → Delivery / It is late" in page.text and "Kind: – → Complaint" in page.text
    page = choose(alice, number, "kind", kind="question")
    assert "Kind: Complaint → Question" in page.text
    assert about(number)[:2] == ("question", keys["delivery-late"])


def test_the_page_for_browsers_without_scripts_has_a_list_with_groups(
    alice: Pages, desk: Desk, keys: dict[str, int]
) -> None:
    number = desk.ticket()
    page = alice.get(f"/desk/t/{number}/reason?view=all")
    assert [one.get("label") for one in page.all("optgroup")][:2] == ["Before a purchase", "Order"]
    page = alice.post(f"/desk/t/{number}/reason?view=all", reason=str(keys["payment-refund"]))
    assert page.place == f"/desk/t/{number}?view=all" and "Refund" in page.text
    assert alice.get(f"/desk/t/{number}/reason").form(f"/desk/t/{number}/reason")["reason"] == str(
        keys["payment-refund"]
    )


def test_the_popover_gets_a_list_that_words_narrow(
    alice: Pages, desk: Desk, keys: dict[str, int]
) -> None:
    number = desk.ticket()
    fragment = alice.raw("GET", f"/desk/t/{number}/reason", headers={"HX-Request": "true"})
    assert 'data-words="Delivery / It is late"' in fragment.text and "<html" not in fragment.text


def test_a_switched_off_reason_is_refused_in_words(
    alice: Pages, desk: Desk, keys: dict[str, int]
) -> None:
    number = desk.ticket()
    with ext.write() as session:
        off = reasons.reason_for_change(session, keys["delivery"])
        reasons.change_reason(session, off, active=False)
    for value in (keys["delivery-late"], 999, "x", "1" * 30):
        page = choose(alice, number, "reason", reason=value)
        assert "switched off" in page.text or "Choose one from the list" in page.text
    assert about(number)[1] is None
    assert "It is late" not in alice.get(f"/desk/t/{number}/reason").text


def test_what_the_client_owns_is_offered_first(alice: Pages, desk: Desk, cast: Cast) -> None:
    number, other = desk.ticket(), desk.ticket(who=cast.stranger)
    with ext.write() as session:
        kettle, lamp = (create_product(session, name=n, at=now()) for n in ("Kettle", "Лампа"))
        owner = session.get_one(Client, cast.oksana.client_id)
        values = {"product_id": kettle.id, "serial": "SN-77"}
        item, _ = put_item(session, owner, values, actor=SYSTEM, at=now())
        ids = {"kettle": kettle.id, "lamp": lamp.id, "item": item.id}
    choose(alice, other, "product", product=ids["lamp"])
    page = alice.get(f"/desk/t/{number}/product")
    assert page.text.index("SN-77") < page.text.index("Лампа")
    assert "SN-77" not in alice.get(f"/desk/t/{other}/product").text
    page = choose(alice, number, "product", item=ids["item"])
    assert "Product: – → Kettle" in page.text
    assert about(number)[2:] == (ids["kettle"], ids["item"])
    assert "another client" in choose(alice, other, "product", item=ids["item"]).text
    page = choose(alice, number, "product", product="")
    assert about(number)[2:] == (None, None) and "Product: Kettle → –" in page.text


def test_a_product_is_found_by_its_name_in_any_case(alice: Pages, desk: Desk) -> None:
    number = desk.ticket("It leaks")
    assert "no products yet" in alice.get(f"/desk/t/{number}/product").text
    with ext.write() as session:
        for name in ("Лампа <b>", "Kettle"):
            create_product(session, name=name, at=now())
    page = alice.get(f"/desk/t/{number}/product?find=ЛАМПА")
    assert "Лампа <b>" in page.text and "Kettle" not in page.text
    assert "No product has" in alice.get(f"/desk/t/{number}/product?find=%25").text
    part = alice.raw(
        "GET",
        f"/desk/t/{number}/product?find=kett",
        headers={"HX-Request": "true", "HX-Target": "products"},
    )
    assert "Kettle" in part.text and "<form" not in part.text


def test_lists_by_reason_product_and_kind_lead_to_their_tickets(
    alice: Pages, desk: Desk, keys: dict[str, int]
) -> None:
    late, refund, plain = desk.ticket("Late"), desk.ticket("Refund me"), desk.ticket("Plain")
    with ext.write() as session:
        lamp = create_product(session, name="Lamp", at=now()).id
    choose(alice, late, "reason", reason=keys["delivery-late"])
    choose(alice, refund, "reason", reason=keys["payment-refund"])
    choose(alice, plain, "product", product=lamp)
    choose(alice, late, "status", status="resolved")
    for address, heading, found in (
        (f"reason={keys['delivery']}", "Reason: Delivery", [late]),
        (f"reason={keys['delivery-late']}", "Reason: Delivery / It is late", [late]),
        (f"view=reason:{keys['payment']}", "Reason: Payment", [refund]),
        (f"product={lamp}", "Product: Lamp", [plain]),
        ("kind=request", "Kind: Request", [refund]),
        ("kind=complaint", "Kind: Complaint", []),  # those that are done are not among them
        ("kind=thanks", "Kind: Thanks", []),
    ):
        page = alice.get(f"/desk?{address}")
        assert heading in page.text
        rows = [a.get("href", "").split("?")[0] for a in page.all("ul[@id='rows']/li/a")]
        assert rows == [f"/desk/t/{number}" for number in found], address
    for nothing in ("reason=999", "product=999", "kind=robot", "reason=x", "product=" + "9" * 40):
        assert alice.get(f"/desk?{nothing}").status == 404


def test_a_complaint_stands_out_in_lists(alice: Pages, desk: Desk) -> None:
    number = desk.ticket()
    assert 'aria-label="Complaint"' not in alice.get("/desk?view=all").html
    choose(alice, number, "kind", kind="complaint")
    assert 'aria-label="Complaint"' in alice.get("/desk?view=all").html


def test_agents_see_only_tickets_of_their_queues_in_these_lists(
    pages: Pages, desk: Desk, keys: dict[str, int]
) -> None:
    pages.log_in("alice")
    choose(pages, desk.ticket("Secret"), "reason", reason=keys["delivery-late"])
    pages.client.delete_cookie("helpdesk_login")
    pages.log_in("bob")
    for address in (f"reason={keys['delivery']}", "kind=complaint"):
        assert "Secret" not in pages.get(f"/desk?{address}").text


def test_a_list_by_reason_goes_on_page_by_page(
    alice: Pages, desk: Desk, keys: dict[str, int]
) -> None:
    numbers = [desk.ticket(f"Number {n}") for n in range(53)]
    with ext.write() as session:
        for n, ticket in enumerate(session.query(Ticket)):
            ticket.reason_id = keys["delivery-late" if n % 2 else "delivery-wrong"]
    page = alice.get(f"/desk?reason={keys['delivery']}")
    first = [a.get("href", "").split("?")[0] for a in page.all("ul[@id='rows']/li/a")]
    (older,) = [a.get("href", "") for a in page.all("a[@rel='next']")]
    page = alice.get(older)
    rest = [a.get("href", "").split("?")[0] for a in page.all("ul[@id='rows']/li/a")]
    assert first + rest == [f"/desk/t/{number}" for number in reversed(numbers)]


def test_pages_need_few_statements_also_with_a_history_of_products(
    alice: Pages, desk: Desk, keys: dict[str, int]
) -> None:
    number = desk.ticket()
    with ext.write() as session:
        lamps = [create_product(session, name=f"Lamp {n}", at=now()).id for n in range(5)]
    other = desk.ticket()
    for lamp in lamps:
        choose(alice, other, "product", product=lamp)
    choose(alice, number, "product", product=lamps[0])
    choose(alice, number, "reason", reason=keys["delivery-late"])
    for path in (
        f"/desk/t/{other}",
        f"/desk/t/{number}",
        f"/desk/t/{number}/reason",
        f"/desk/t/{number}/product",
        f"/desk?reason={keys['delivery']}",
    ):
        with counted() as statements:
            alice.get(path)  # nothing is kept from the page before
        assert len(statements) <= 12, (path, len(statements))
