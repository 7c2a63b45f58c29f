"""Definitions: every measure of every report says what it means, on a page and on the report."""

import re

from flask import Flask

from helpdesk.reports.names import LISTS, MEASURES, REPORTS, ROOMS
from tests.web.conftest import Pages, counted


def test_names_are_given_once() -> None:
    for kind in ("MEASURES", "LISTS"):
        keys = [
            one if isinstance(one, str) else one.key
            for _title, room in ROOMS
            for one in getattr(room, kind)
        ]
        assert len(keys) == len(set(keys)), sorted(keys)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in (*REPORTS, *LISTS, *MEASURES))


def test_every_measure_says_what_it_means() -> None:
    for measure in MEASURES.values():
        assert measure.label and measure.formula, measure.key
        assert measure.label != measure.formula, measure.key
        assert measure.better in ("up", "down", None), measure.key


def test_the_page_has_every_measure_with_formula_and_edges(app: Flask, alice: Pages) -> None:
    page = alice.get("/supervisor/definitions")
    assert page.status == 200
    found = {one.get("id"): one for one in page.all("article")}
    assert set(found) == set(MEASURES)
    for key, measure in MEASURES.items():
        said = " ".join("".join(found[key].itertext()).split())
        for words in (measure.label, measure.formula, *measure.edges):
            assert " ".join(words.split()) in said, key


def test_every_measure_on_a_report_opens_its_definition(app: Flask, pages: Pages) -> None:
    pages.log_in("sam")
    for name in REPORTS:
        page = pages.get(f"/supervisor/reports/{name}")
        opened = {one.get("popovertarget") for one in page.all("button[@class='def']")}
        boxes = {one.get("id"): one for one in page.all("div[@popover]")}
        assert opened and opened <= set(boxes), name
        for key in opened:
            (link,) = (a for a in boxes[key].iter("a"))
            assert link.get("href", "").partition("#")[2] in MEASURES, (name, key)


def test_the_page_asks_the_database_little(app: Flask, alice: Pages) -> None:
    with counted() as statements:
        alice.get("/supervisor/definitions")
    assert len(statements) <= 12
