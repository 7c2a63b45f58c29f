"""/admin/fields: an administrator says what is kept of every client."""

import pytest

from helpdesk import ext, fields
from tests.web.conftest import Pages
from tests.web.rooms import enter

NEW = {
    "label_en": "Shoe size",
    "label_ru": "Размер обуви",
    "label_uk": "Розмір взуття",
    "key": "shoe",
    "kind": "number",
}


@pytest.fixture
def ada(pages: Pages) -> Pages:
    return enter(pages, "ada")


def test_the_first_field_is_made_from_an_empty_list(ada: Pages) -> None:
    assert "No fields yet" in ada.get("/admin/fields").text
    ada.get("/admin/fields/new")
    page = ada.post("/admin/fields/new", wanted="1", scope="person", **NEW)
    assert page.place == "/admin/fields" and "Shoe size" in page.text and "wanted" in page.text
    assert "People only" in page.text
    with ext.session() as session:
        (field,) = fields.fields_of(session)
        assert (field.key, field.kind, field.label("uk")) == ("shoe", "number", "Розмір взуття")
        assert field.scope == "person"


def test_what_is_wrong_is_said_beside_it_and_what_was_typed_stays(ada: Pages) -> None:
    for wrong, said in (
        ({"key": "Shoe!"}, "small Latin letters"),
        ({"label_ru": " "}, "needed in each language"),
        ({"kind": "choice", "choices": "one"}, "at least two"),
        ({"kind": "robot"}, "Choose one"),
    ):
        ada.get("/admin/fields/new")
        page = ada.send("/admin/fields/new", {"csrf_token": ada.token} | NEW | wrong)
        assert page.status == 400 and said in page.text
        assert 'value="Shoe size"' in page.html


def test_a_field_is_changed_ordered_and_switched_off(ada: Pages) -> None:
    with ext.write() as session:
        fields.seed_fields(session)
        ids = {field.key: field.id for field in fields.fields_of(session)}
    ada.get(f"/admin/fields/{ids['income']}")
    stale = ada.page.form(f"/admin/fields/{ids['income']}") if ada.page else {}
    page = ada.post(f"/admin/fields/{ids['income']}", label_en="Salary", active="")
    assert "Salary" in page.text and "switched off" in page.text
    assert ada.send(f"/admin/fields/{ids['income']}", stale).status == 409
    ada.get("/admin/fields")
    ada.send(f"/admin/fields/{ids['loyalty']}/move", {"csrf_token": ada.token, "step": "up"})
    with ext.session() as session:
        assert [one.key for one in fields.fields_of(session)][-2:] == ["loyalty", "preferences"]
    assert ada.get("/admin/fields/999").status == 404


def test_supervisors_do_not_change_fields(pages: Pages) -> None:
    assert enter(pages, "sam").get("/admin/fields").status == 404
