"""/admin/reasons and /admin/products: the tree, the list, what is undone."""

import pytest

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.products import create_product
from helpdesk.tickets import reasons
from helpdesk.tickets.models import Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages, counted
from tests.web.rooms import enter

NEW = {"name_en": "Delivery", "name_ru": "Доставка", "name_uk": "Доставка"}


@pytest.fixture
def ada(pages: Pages) -> Pages:
    return enter(pages, "ada")


@pytest.fixture
def keys(cast: Cast) -> dict[str, int]:
    with ext.write() as session:
        reasons.seed_reasons(session)
        return {one.key: one.id for one in reasons.tree(session)}


def order(above: int | None = None) -> list[str]:
    with ext.session() as session:
        return [one.key for one in reasons.tree(session).children(above)]


def test_the_first_reason_is_made_from_an_empty_tree(ada: Pages) -> None:
    assert "No contact reasons yet" in ada.get("/admin/reasons").text
    ada.get("/admin/reasons/new")
    page = ada.post("/admin/reasons/new", kind="complaint", **NEW)
    assert page.place == "/admin/reasons" and "Added: Delivery." in page.text
    assert "Complaint" in page.text
    (top,) = order()
    assert top == "delivery"


def test_one_is_added_under_another(ada: Pages, keys: dict[str, int]) -> None:
    ada.get(f"/admin/reasons/new?under={keys['delivery']}")
    names = {"name_en": "Courier", "name_ru": "Курьер", "name_uk": "Кур’єр"}
    ada.post("/admin/reasons/new", **names)
    assert order(keys["delivery"])[-1] == "courier"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name_ru": " "}, "needed in each language"),
        ({"key": "No!"}, "small Latin letters"),
        ({"parent": "999"}, "Choose one from the list"),
        ({"parent": "x"}, "Choose one from the list"),
        ({"kind": "robot"}, "Choose one from the list"),
        ({"queue": "999"}, "Choose a queue"),
        ({"name_en": "PAYMENT"}, "here already"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    ada: Pages, keys: dict[str, int], wrong: dict[str, str], said: str
) -> None:
    ada.get("/admin/reasons/new")
    names = {"name_en": "Parcel", "name_ru": "Посылка", "name_uk": "Посилка"}
    page = ada.send("/admin/reasons/new", {"csrf_token": ada.token} | names | wrong)
    assert page.status in (400, 409) and said in page.text
    assert 'value="Посилка"' in page.html


def test_a_rename_and_a_new_place_are_undone(ada: Pages, keys: dict[str, int]) -> None:
    late = keys["delivery-late"]
    ada.get(f"/admin/reasons/{late}")
    page = ada.post(f"/admin/reasons/{late}", name_en="Too late", parent=str(keys["order"]))
    assert "Too late" in page.text and order(keys["order"])[-1] == "delivery-late"
    page = ada.post("/admin/reasons/undo")
    assert "Put back as it was." in page.text and "Too late" not in page.text
    assert order(keys["delivery"])[1] == "delivery-late"
    page = ada.send("/admin/reasons/undo", {"csrf_token": ada.token})
    assert "nothing to put back" in page.text


def test_an_undo_does_not_undo_what_a_colleague_did_since(ada: Pages, keys: dict[str, int]) -> None:
    late = keys["delivery-late"]
    ada.get("/admin/reasons")
    ada.send(f"/admin/reasons/{late}/switch", {"csrf_token": ada.token, "active": "0"})
    with ext.write() as session:
        found = reasons.reason_for_change(session, late)
        reasons.change_reason(session, found, names={"en": "Very late"})
    page = ada.post("/admin/reasons/undo")
    assert "Somebody changed this" in page.text and "Very late" in page.text


def test_a_reason_is_switched_off_and_on_again(ada: Pages, keys: dict[str, int]) -> None:
    top = keys["delivery"]
    ada.get("/admin/reasons")
    page = ada.send(f"/admin/reasons/{top}/switch", {"csrf_token": ada.token, "active": "0"})
    assert "Switched off: Delivery." in page.text and "switched off above" in page.text
    page = ada.post("/admin/reasons/undo")
    assert "switched off" not in page.text.replace("switched off;", "")


def test_order_changes_by_arrows(ada: Pages, keys: dict[str, int]) -> None:
    ada.get("/admin/reasons")
    ada.send(f"/admin/reasons/{keys['order']}/move", {"csrf_token": ada.token, "step": "up"})
    assert order()[:2] == ["order", "before-purchase"]


def test_a_form_that_somebody_overtook_is_shown_again(ada: Pages, keys: dict[str, int]) -> None:
    path = f"/admin/reasons/{keys['delivery']}"
    stale = ada.get(path).form(path)
    ada.post(path, name_en="Shipping")
    assert ada.send(path, stale).status == 409


def test_numbers_lead_to_the_tickets_they_count(
    ada: Pages, desk: Desk, keys: dict[str, int]
) -> None:
    desk.ticket()
    with ext.write() as session:
        lamp = create_product(session, name="Lamp", at=now()).id
        ticket = session.query(Ticket).one()
        ticket.reason_id, ticket.product_id = keys["delivery-late"], lamp
    for page, link in (
        ("/admin/reasons", f"/desk?reason={keys['delivery-late']}"),
        ("/admin/products", f"/desk?product={lamp}"),
    ):
        (found,) = [a for a in ada.get(page).all("a") if a.get("href") == link]
        assert found.text == "1"
        assert "Kettle leaks" in ada.get(link).text


def test_the_tree_and_the_list_need_few_statements(ada: Pages, keys: dict[str, int]) -> None:
    with ext.write() as session:
        for n in range(120):
            create_product(session, name=f"Lamp {n}", at=now())
    for path in ("/admin/reasons", "/admin/products"):
        with counted() as statements:
            ada.get(path)
        assert len(statements) <= 12, path


def test_products_are_added_searched_and_switched_off(ada: Pages) -> None:
    assert "No products yet" in ada.get("/admin/products").text
    ada.get("/admin/products/new")
    page = ada.post("/admin/products/new", name="Лампа «Їжак»", sku="L-1", group="Світло")
    assert page.place == "/admin/products" and "Світло" in page.text
    assert "Лампа" in ada.get("/admin/products?q=їжак").text
    assert "Nothing found" in ada.get("/admin/products?q=%25").text
    (link,) = ada.get("/admin/products").all("th/a")
    path = link.get("href", "")
    stale = ada.get(path).form(path)
    page = ada.post(path, active="")
    assert "switched off" in page.text
    assert ada.send(path, stale).status == 409
    assert ada.get("/admin/products/999").status == 404
    ada.get("/admin/products/new")
    page = ada.post("/admin/products/new", name="Other", sku="L-1")
    assert page.status == 409 and "belongs to another product" in page.text
    assert ada.post("/admin/products/new", name=" ").status == 400


def test_a_long_list_of_products_has_pages(ada: Pages) -> None:
    with ext.write() as session:
        for n in range(53):
            create_product(session, name=f"Lamp {n}", at=now())
    page = ada.get("/admin/products?q=lamp")
    (more,) = [a.get("href", "") for a in page.all("a[@rel='next']")]
    assert "Lamp 52" in ada.get(more).text and len(page.all("tbody/tr")) == 50
    assert ada.get("/admin/products?after=999").status == 404


def test_supervisors_do_not_change_them(pages: Pages) -> None:
    sam = enter(pages, "sam")
    for path in ("/admin/reasons", "/admin/products"):
        assert sam.get(path).status == 404
