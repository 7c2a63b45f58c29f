"""What search engines find: all public articles in all languages, and nothing else."""

from xml.etree import ElementTree

import pytest

from helpdesk.web.portal import seo
from tests.web.conftest import Pages, counted
from tests.web.knowledge import Shelf

SITE = "http://127.0.0.1:8000"
NAMES = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "x": "http://www.w3.org/1999/xhtml",
}


def places(pages: Pages, path: str) -> list[str]:
    tree = ElementTree.fromstring(pages.raw("GET", path).text)
    return [loc.text or "" for loc in tree.iterfind(".//s:loc", NAMES)]


def test_robots_may_read_answers_but_no_requests(pages: Pages) -> None:
    answer = pages.raw("GET", "/robots.txt")
    assert answer.mimetype == "text/plain"
    lines = answer.text.splitlines()
    assert f"Sitemap: {SITE}/sitemap.xml" in lines
    assert "Disallow: /t/" in lines and "Disallow: /desk" in lines and "Disallow: /" not in lines


def test_sitemap_names_public_pages_in_each_language(pages: Pages, shelf: Shelf) -> None:
    found = places(pages, "/sitemap.xml")
    assert f"{SITE}/en/help/where-is-my-parcel" in found
    assert f"{SITE}/uk/help/de-moia-posylka" in found
    assert f"{SITE}/ru/topics/delivery" in found and f"{SITE}/uk/" in found
    assert not [place for place in found if "secret" in place or "topics/nothing" in place]


def test_versions_name_each_other(pages: Pages, shelf: Shelf) -> None:
    tree = ElementTree.fromstring(pages.raw("GET", "/sitemap.xml").text)
    (entry,) = [
        url
        for url in tree.iterfind("s:url", NAMES)
        if (url.findtext("s:loc", "", NAMES)).endswith("/en/help/where-is-my-parcel")
    ]
    beside = {link.get("hreflang"): link.get("href") for link in entry.iterfind("x:link", NAMES)}
    assert set(beside) == {"en", "uk", "x-default"} and beside["x-default"] == beside["uk"]
    assert entry.findtext("s:lastmod", "", NAMES) == "2026-11-23"


def test_large_base_is_cut_into_maps(
    pages: Pages, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = set(places(pages, "/sitemap.xml"))
    monkeypatch.setattr(seo, "ARTICLES_A_MAP", 2)
    monkeypatch.setattr(seo, "BATCH", 1)
    maps = places(pages, "/sitemap.xml")
    assert maps == [f"{SITE}/sitemap-1.xml", f"{SITE}/sitemap-2.xml"]
    parts = [place for path in maps for place in places(pages, path.removeprefix(SITE))]
    assert set(parts) == whole and len(parts) == len(whole)
    for wrong in ("/sitemap-0.xml", "/sitemap-3.xml", "/sitemap-99999999999999999999.xml"):
        assert pages.raw("GET", wrong).status_code == 404


def test_sitemap_is_written_by_few_statements(pages: Pages, shelf: Shelf) -> None:
    with counted() as found:
        places(pages, "/sitemap.xml")
    assert len(found) <= 4


def test_pages_say_what_they_are_to_machines(pages: Pages, shelf: Shelf) -> None:
    html = pages.get("/en/help/where-is-my-parcel").html
    for kind in ('"@type": "Article"', '"@type": "BreadcrumbList"'):
        assert kind in html
    assert '"@type": "FAQPage"' in pages.get("/en/").html
    assert '"@type": "FAQPage"' in pages.get("/en/topics/payment").html
    assert 'property="og:title" content="Where is my parcel"' in html
