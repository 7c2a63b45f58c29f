"""Time zones to choose from: hundreds of names, so forms fetch them when they are asked for."""

from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale
from flask import Blueprint, Response, render_template

from helpdesk.ext import LANGUAGES
from helpdesk.web.guard import needs

blueprint = Blueprint("desk_zones", __name__)

RENAMED = {"Europe/Kiev": "Europe/Kyiv"}  # the locale data keep old names
FRESH = "private, max-age=86400"
CONTINENTS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe"),
    *("Indian", "Pacific"),
)


@blueprint.get("/desk/zones")
@needs("desk.use")
def zones() -> Response:
    """The options of a list of time zones."""
    response = Response(render_template("desk/_zones.html", zones=places()))
    response.headers["Cache-Control"] = FRESH
    return response


@lru_cache(maxsize=1)
def places() -> tuple[str, ...]:
    """The time zones that are named after places, and UTC."""
    found = (name for name in available_timezones() if name.split("/")[0] in CONTINENTS)
    return ("UTC", *sorted(found))


def find_zone(text: str) -> str:
    """The zone that somebody means by "europe/kyiv", "New York" or «Київ»; else the text itself."""
    typed = text.strip()
    return typed if typed in available_timezones() else _spellings().get(_plain(typed), typed)


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    cities = {_plain(name.rpartition("/")[2]): name for name in places()}
    return _own_names() | cities | {_plain(name): name for name in places()}


def _own_names() -> dict[str, str]:
    """Cities as they are called in the languages of the staff."""
    found = {}
    for code in LANGUAGES:
        for name, words in Locale(code).time_zones.items():
            zone = RENAMED.get(name, name)
            if "city" in words and zone in available_timezones():
                found[_plain(words["city"])] = zone
    return found


def _plain(text: str) -> str:
    return " ".join(text.replace("_", " ").split()).casefold()
