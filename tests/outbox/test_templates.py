"""Every outbound template with hostile values: nothing live, no gap in languages."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from helpdesk import ext
from helpdesk.clients.models import Person
from helpdesk.lib.clock import now
from helpdesk.outbox.rendering import greeting, moment, render_html, tidy
from tests.outbox.test_reply import XSS, assert_harmless

NAMES = {"receipt", "notice", "reply", "code", "callback", "unreached", "report", "alarm"}
PLACES = (
    "answer signature quote attribution brand greeting number about promise what subject code"
    " heading says now since often"
)
LINK = "https://help.example.com/t/1-abc"


def test_every_template_is_tried_here(app: Flask) -> None:
    folder = Path(app.root_path) / "templates" / "mail"
    found = {path.stem for path in folder.glob("*.html")} - {"base", "_button"}
    assert found == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize("language", ext.LANGUAGES)
def test_hostile_values_stay_text(app: Flask, name: str, language: str) -> None:
    for sample in XSS:
        values: dict[str, Any] = dict.fromkeys([*PLACES.split(), "client", "due", "title"], sample)
        offers = [(sample, LINK, LINK)]
        values |= of_report(sample) if name == "report" else {"offers": offers}
        assert_harmless(render_html(name, language, link=LINK, **values))


def of_report(sample: str) -> dict[str, Any]:
    """A report in which every word is this one."""
    row = {"name": sample, "numbers": [sample]}
    table = {"title": sample, "head": sample, "heads": [sample], "rows": [row], "more": 2}
    return {
        **dict.fromkeys(("heading", "period", "whose", "why"), sample),
        "filters": [(sample, sample)],
        "tiles": [{"label": sample, "value": sample, "change": sample}],
        "findings": [sample],
        "tables": [table],
        "files": [{"link": LINK, "form": sample}],
        "schedules": LINK,
    }


@pytest.mark.parametrize(
    ("language", "name", "vocative", "shown"),
    [
        ("en", "Oksana", None, "Oksana"),
        ("ru", "Ольга Ивановна", None, "Ольга Ивановна"),
        ("uk", "Оксана", None, None),
        ("uk", "Оксана", "Пані Оксано", "Пані Оксано"),
        ("en", "oksana@client.example", None, None),
        ("en", "  ", None, None),
    ],
)
def test_a_greeting_names_people_rightly_or_not_at_all(
    app: Flask, language: str, name: str, vocative: str | None, shown: str | None
) -> None:
    with ext.in_language(language):
        bare = greeting(None, language)
        said = greeting(Person(name=name, vocative=vocative), language)
    assert (shown in said) if shown else (said == bare)


def test_an_erased_person_is_greeted_without_name(app: Flask) -> None:
    with ext.in_language("en"):
        assert greeting(Person(name="Oksana", erased_at=now()), "en") == greeting(None, "en")


def test_a_moment_of_another_year_says_which() -> None:
    at = now().replace(year=2027, month=1, day=4, hour=7, minute=30)
    today = at.replace(year=2026, month=12, day=30)
    assert moment(at, "Europe/Kyiv", "en", today=today) == "Mon 4 Jan 2027, 09:30 (UTC+2)"
    assert moment(at, "Asia/Kolkata", "en", today=at) == "Mon 4 Jan, 13:00 (UTC+5:30)"
    assert moment(at, "UTC", "en", today=at) == "Mon 4 Jan, 07:30 (UTC)"


def test_tidy_text_has_no_gaps() -> None:
    assert tidy("\n\na  \n\n\n\nb\n\n") == "a\n\nb\n"
