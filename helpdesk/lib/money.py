"""Money in minor units (kopecks, cents) with an ISO 4217 currency: written and read."""

import re
from copy import copy
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale
from babel.numbers import (
    NumberPattern,
    get_currency_precision,
    get_currency_symbol,
    is_currency,
    parse_pattern,
)

MAX_AMOUNT = 10**15  # minor units; fits every column and every sum of a million of them
_AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,4})?")
_SPACES = re.compile(r"[\s\xa0\u202f']")


def valid_currency(code: str) -> bool:
    """Whether this is a currency of ISO 4217, in capital letters."""
    return len(code) == 3 and code.isascii() and code.isupper() and is_currency(code)


def minor_digits(currency: str) -> int:
    """How many decimal digits the currency has: 2 for UAH, 0 for JPY."""
    return int(get_currency_precision(currency))


def money(amount: int, currency: str, language: str, *, whole: bool = False) -> str:
    """The amount of minor units as readers of the language write it: "1 240,00 ₴".

    `whole`: without the part after the decimal sign, rounded half to even.
    """
    locale, standard, rounded = _patterns(language, currency)
    value = Decimal(amount).scaleb(-minor_digits(currency))
    if whole:
        return str(rounded.apply(value, locale, currency=currency, currency_digits=False))
    return str(standard.apply(value, locale, currency=currency, currency_digits=True))


def parse_amount(text: str, currency: str) -> int | None:
    """Minor units of "1 240,50" or "1240.5"; None if it is no amount of this currency."""
    plain = _SPACES.sub("", text).replace(",", ".")
    if not _AMOUNT.fullmatch(plain):
        return None
    try:
        minor = Decimal(plain).scaleb(minor_digits(currency))
    except InvalidOperation:
        return None
    return int(minor) if minor == int(minor) and minor <= MAX_AMOUNT else None


@lru_cache(maxsize=256)
def _patterns(language: str, currency: str) -> tuple[Locale, NumberPattern, NumberPattern]:
    """With and without the minor part. A code instead of a sign stands apart (CLDR spacing)."""
    locale = Locale(language)
    standard = locale.currency_formats["standard"]
    text = str(standard.pattern)
    if text.startswith("\xa4") and get_currency_symbol(currency, locale) == currency:
        standard = parse_pattern(text.replace("\xa4", "\xa4\xa0", 1))
    rounded = copy(standard)
    rounded.frac_prec = (0, 0)
    return locale, standard, rounded
