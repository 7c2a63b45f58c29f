"""The brand: set in one place, in three languages, safe whatever is typed."""

import io

import pytest
from sqlalchemy import select

from helpdesk import ext, settings
from helpdesk.events import Event
from helpdesk.lib import colour
from helpdesk.web.portal import brand
from tests.web.conftest import Pages

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
def ada(pages: Pages) -> Pages:
    """A browser in which the administrator Ada is logged in."""
    pages.log_in("ada")
    pages.get("/admin/brand")
    return pages


def test_everything_is_seen_at_once(ada: Pages) -> None:
    page = ada.post(
        "/admin/brand",
        brand_name="Svitlo",
        brand_phone="0 800 30 45 60",
        incident_en="Cards may be slow\nSince 12:10",
        brand_address_en="1 Khreshchatyk, Kyiv",
        footer_links_en="Our shop | https://shop.example/\nTerms | /en/privacy",
        privacy_notice_uk="## Що ми зберігаємо\n\n<script>x</script>",
    )
    assert "Saved." in page.text
    page = ada.get("/en/")
    assert "Svitlo" in page.text and "Cards may be slow" in page.text
    links = {a.get("href"): a.text for a in page.all("footer//a")}
    assert links["https://shop.example/"] == "Our shop" and "/en/privacy" in links
    assert "tel:+380800304560" in links
    notice = ada.get("/en/privacy")
    assert "Що ми зберігаємо" in notice.text and not notice.all("main//script")
    assert notice.one("main/div").get("lang") == "uk"


def test_each_change_is_an_event_and_nothing_else_is(ada: Pages) -> None:
    ada.post("/admin/brand", brand_colour="#aa3300")
    ada.get("/admin/brand")
    ada.post("/admin/brand")
    with ext.session() as session:
        kinds = session.scalars(select(Event.data).where(Event.kind == "setting.changed")).all()
    assert kinds == [{"name": "brand_colour"}]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("brand_name", " \u200b", "Write the name"),
        ("brand_colour", "blue}body{", "Write a colour"),
        ("brand_phone", "call us", "is no phone number"),
        ("brand_phone", "12", "is no phone number"),
        ("footer_links_uk", "Shop https://shop.example", "a link a line"),
        ("footer_links_en", "Shop | javascript:alert(1)", "a link a line"),
        ("footer_links_en", "Shop | //evil.example", "a link a line"),
        ("footer_links_en", "\n".join(["A | /"] * 13), "a link a line"),
        ("incident_ru", "x" * 1001, "at most 1000"),
        ("privacy_notice_en", "[" * 10_001, "square brackets"),
    ],
)
def test_what_does_not_fit_is_shown_again_with_the_reason(
    ada: Pages, field: str, value: str, said: str
) -> None:
    page = ada.post("/admin/brand", **{"brand_address_en": "Kyiv", field: value})
    assert page.status == 400 and said in page.text
    assert "Kyiv" in page.html
    with ext.session() as session:
        assert settings.get(session, "brand_address") == {}


def test_two_who_change_at_once_do_not_overwrite_each_other(ada: Pages) -> None:
    with ext.write() as session:
        settings.put(session, "brand_phone", "112")
    page = ada.post("/admin/brand", brand_name="Svitlo")
    assert page.status == 409 and "Somebody changed this" in page.text


def upload(ada: Pages, data: bytes, name: str) -> int:
    assert ada.page is not None
    fields = ada.page.form("/admin/brand") | {"logo": (io.BytesIO(data), name)}
    return ada.send("/admin/brand", fields).status


def test_logo_is_told_by_its_content_and_can_be_taken_away(ada: Pages) -> None:
    assert upload(ada, PNG, "logo.exe") == 200
    page = ada.get("/en/")
    (image,) = page.all("header//img")
    answer = ada.raw("GET", image.get("src", ""))
    assert (answer.mimetype, answer.data) == ("image/png", PNG)
    assert "immutable" in answer.headers["Cache-Control"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    ada.get("/admin/brand")
    ada.post("/admin/brand", no_logo="1")
    assert ada.raw("GET", "/brand/logo").status_code == 404
    assert not ada.get("/en/").all("header//img")


@pytest.mark.parametrize(
    "data", [b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>", b"", PNG + bytes(10_000)]
)
def test_no_other_file_becomes_the_logo(ada: Pages, data: bytes) -> None:
    assert upload(ada, data, "logo.png") == 400
    assert ada.raw("GET", "/brand/logo").status_code == 404


@pytest.mark.parametrize(
    "text", ["#ffee00", "#000", "#fff", "#808080", "#2956c4", "#e3000f", "oklch(0.7 0.2 140)"]
)
def test_any_colour_can_be_read_in_both_themes(text: str) -> None:
    accent = brand.accent_of(text)
    assert accent is not None
    for shown, grounds in ((accent.light, brand.LIGHT), (accent.dark, brand.DARK)):
        assert all(colour.contrast(shown, ground) >= 4.5 for ground in grounds)
    css = brand.style(accent)
    light, dark = css.split("--on-acc:light-dark(")[1].split("})")[0].rstrip(")}").split(",")
    for on, shown in ((light, accent.light), (dark, accent.dark)):
        found = colour.read(on if on.endswith(")") else on + ")")
        assert found is not None and colour.contrast(found, shown) >= 4.5


def test_colour_comes_as_a_style_sheet_of_its_own(ada: Pages) -> None:
    ada.post("/admin/brand", brand_colour="#e3000f")
    links = [link.get("href", "") for link in ada.get("/en/").all("link")]
    (css,) = [href for href in links if "brand.css" in href]
    answer = ada.raw("GET", css)
    assert answer.mimetype == "text/css" and answer.text.startswith(".portal{--acc:light-dark(")
    assert "immutable" in answer.headers["Cache-Control"]


def test_only_administrators_change_it(pages: Pages) -> None:
    pages.log_in("sam")
    assert pages.get("/admin/brand").status == 404
