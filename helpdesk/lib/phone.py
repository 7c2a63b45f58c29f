"""Phone numbers: any spelling to E.164 and back to what people read."""

import re

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""What carriers send for a withheld number: ANONYMOUS, RESTRICTED, BLOCKED... typed on the keys."""

_COSTLY = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.UNKNOWN,
    }
)
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_MAX = 80
_SIP = re.compile(r"sips?:(\+?[0-9]+)@", re.I)
_OLD_TRUNK = re.compile(r"8[\s(~-]*(0[\s()\-]*[1-9].*)")
_TYPED = re.compile(r"\+?[0-9\s().\-/\xa0\u2010-\u2014]+")
_DATE = re.compile(r"(?:\d{4}[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./]\d{2,4})(?:\s.*)?")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def normalize(number: str, country: str) -> str | None:
    """The number in E.164 ("+380671234567"), read as dialled in `country` (ISO 3166 code, for
    numbers without +); None when it is none, is too short to call from abroad, or is withheld.

    Understands 00 and 810 prefixes, a trunk 8 or 0, a country code without +, brackets, extensions
    (dropped), tel: and sip: addresses. Numbers with + need a possible length, others must be valid.
    """
    number = number.strip()[:_MAX]
    if sip := _SIP.match(number):
        number = sip[1]
    country = country.upper()
    for spelling in _spellings(number, country):
        parsed = _parse(spelling, country)
        if parsed is None:
            continue
        known = phonenumbers.is_valid_number(parsed)
        if known or (spelling.startswith("+") and phonenumbers.is_possible_number(parsed)):
            e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
            return None if e164 in _WITHHELD else e164
    return None


def display(e164: str) -> str:
    """The number in groups, as people in its country write it ("+380 67 123 45 67"); what can't be
    read comes back as it is.
    """
    parsed = _parse(e164, None)
    if parsed is None or not e164.startswith("+"):
        return e164
    if re.fullmatch(r"\+380\d{9}", e164):
        return f"+380 {e164[4:6]} {e164[6:9]} {e164[9:11]} {e164[11:]}"
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


def is_ordinary(e164: str, country: str) -> bool:
    """Whether a stranger may have us call this number: one of our country, without extra charge."""
    parsed = _parse(e164, None)
    if parsed is None or phonenumbers.region_code_for_number(parsed) != country.upper():
        return False
    return phonenumbers.number_type(parsed) not in _COSTLY


def may_get_sms(e164: str) -> bool:
    """Whether this may be a mobile phone: an SMS to a landline is lost, or read out at night."""
    parsed = _parse(e164, None)
    return parsed is not None and phonenumbers.number_type(parsed) in _MOBILE


def tail(number: str) -> str:
    """The last nine digits, or fewer: what a number is looked up by when its prefix is unsure."""
    return digits(number)[-9:]


def digits(number: str) -> str:
    """The decimal digits of any script, as ASCII."""
    return "".join(str(int(c)) for c in number if c.isdecimal())


def looks_like_phone(query: str) -> bool:
    """Whether a search is for a phone number, whole or its end: five to fifteen digits with the
    usual separators or a +, seven or more without any; no date, no IP address.
    """
    query = query.strip()
    if not _TYPED.fullmatch(query) or _DATE.fullmatch(query) or _IP.fullmatch(query):
        return False
    count = len(digits(query))
    return (5 if len(query) > count else 7) <= count <= 15


def _spellings(number: str, country: str) -> list[str]:
    found = [number]
    if country == "UA" and (old := _OLD_TRUNK.fullmatch(number)):
        found.append(old[1])
    if not number.startswith("+") and 11 <= len(digits(number)) <= 15 and number[:1] not in "0(":
        found.append("+" + digits(number))
    return found


def _parse(number: str, country: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
