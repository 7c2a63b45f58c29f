"""A country's public holidays, as a suggestion that an administrator looks through."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from babel import Locale

from helpdesk.lib.collate import sort_key
from helpdesk.lib.late import library

# What the library answers in for a reader of ours, where it can.
_LANGUAGES = {"en": ("en_US", "en_GB", "en"), "ru": ("ru", "en_US"), "uk": ("uk", "en_US")}


@lru_cache(maxsize=8)
def countries(language: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of each known country in the order of names."""
    names: Mapping[str, str] = Locale.parse(language).territories
    found = [(code, names.get(code, code)) for code in _supported() if len(code) == 2]
    return tuple(sorted(found, key=lambda pair: sort_key(pair[1])))


def public_holidays(country: str, year: int, language: str) -> list[tuple[date, str]]:
    """(day, name) of the public holidays of a year; none where the law names none.

    Ukraine has none since 2023: under martial law holidays are working days.
    """
    known = _supported().get(country)
    if known is None:
        return []
    spoken = next((name for name in _LANGUAGES[language] if name in known), None)
    found = library("holidays").country_holidays(country, years=year, language=spoken)
    return sorted(found.items())


@lru_cache(maxsize=1)
def _supported() -> dict[str, frozenset[str]]:
    """Each country with the languages its holidays are named in."""
    holidays = library("holidays")
    spoken = holidays.list_localized_countries()
    return {code: frozenset(spoken.get(code, ())) for code in holidays.list_supported_countries()}
