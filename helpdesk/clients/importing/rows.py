"""One row of a clients' file: every cell checked, problems named by column."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from helpdesk.clients.checks import CHECKS, clean_tags, read_contact
from helpdesk.clients.importing.columns import PROFILE
from helpdesk.clients.importing.headers import Row
from helpdesk.clients.importing.limits import BROKEN, CELL_LIMIT, FORMULA, LONG, UNREADABLE
from helpdesk.clients.models import ClientKind, ContactKind, Relation
from helpdesk.fields import Field, check_scope, check_value
from helpdesk.lib import phone
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean, clean_line, email_key, fold

YES = frozenset({"1", "yes", "y", "true", "да", "так", "є", "+"})
NO = frozenset({"0", "no", "n", "false", "нет", "ні", "немає", "-"})
_KINDS = {
    ClientKind.PERSON: ("person", "private", "individual", "физлицо", "физическое лицо", "особа")
    + ("фізособа", "фізична особа", "фоп", "фл", "человек", "людина", "лицо"),
    ClientKind.ORGANISATION: ("organisation", "organization", "company", "legal entity", "юрлицо")
    + ("юридическое лицо", "юрособа", "юридична особа", "организация", "організація", "компания")
    + ("компанія", "юл", "фирма", "фірма"),
}
_RELATIONS = {
    Relation.CLIENT: ("client", "customer", "клиент", "клієнт"),
    Relation.PARTNER: ("partner", "партнер", "партнёр"),
    Relation.SUPPLIER: ("supplier", "vendor", "поставщик", "постачальник"),
}
_LANGUAGES = {
    "en": ("en", "english", "английский", "англійська"),
    "ru": ("ru", "russian", "русский", "російська"),
    "uk": ("uk", "ua", "ukrainian", "украинский", "українська"),
}
_LEGAL = re.compile(  # forms of companies, as their names begin or end
    r"(?:^|\s)(?:ТОВ|ООО|ТзОВ|ПрАТ|ПАТ|АТ|ЗАО|ОАО|ПАО|АО|ДП|КП|ПП|LLC|Ltd\.?|Inc\.?|GmbH|PLC)(?=\W|$)"
)
_BETWEEN = re.compile(r"[;\n]|,(?!\s*(?:ext|доб|вн|дод))|\s/\s", re.I)  # numbers in one cell
_ROUNDED = re.compile(r"[0-9][.,][0-9]+E\+?[0-9]+", re.I)  # 3,80671E+11: the number is lost
_FRACTION = re.compile(r"(\+?[0-9]{7,15})[.,]0+")  # 380671234567.0 of programs that calculate
_ID = re.compile(r"[0-9]{1,17}")
name_key = lru_cache(maxsize=4096)(sort_key)  # asked several times for each row
SHOWN = 60  # characters of a cell that a problem repeats


@dataclass(frozen=True)
class Mapped:
    """A column of the file that means something."""

    place: int
    header: str
    key: str


@dataclass(frozen=True)
class Problem:
    """What is wrong with a cell, or with the whole row where `column` is empty."""

    row: int
    column: str
    message: str
    parts: Mapping[str, Any]


@dataclass
class Known:
    """What rows are checked against; read once for many of them."""

    mapped: Sequence[Mapped]
    width: int  # how many headers there are
    fields: Mapping[str, Field] = field(default_factory=dict)
    users: Mapping[str, int] = field(default_factory=dict)  # by email
    country: str = "UA"
    currency: str = "UAH"

    def header(self, key: str | None) -> str:
        """The column of the file that stands for this, "" where none does."""
        return next((one.header for one in self.mapped if one.key == key), "")


@dataclass
class ClientRow:
    """A checked row. `values` holds columns of the client, `person` those of the person."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    points: dict[tuple[ContactKind, str], str] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)  # id, person_id
    organisation: str = ""
    fields: list[Field] = field(default_factory=list)  # those of the profile that are filled in
    problems: list[Problem] = field(default_factory=list)

    def check_kind(self, kind: str) -> None:
        """Raises HelpdeskError where a field is filled in that such a client does not have."""
        for one in self.fields:
            check_scope(one, kind)


def read_client(row: Row, known: Known) -> ClientRow:
    """Check every cell. Empty cells say nothing, so they change nothing."""
    found = ClientRow(row.number)
    found.problems += surplus(row, known)
    for one in known.mapped:
        cell = row.cells[one.place] if one.place < len(row.cells) else ""
        if not cell.strip():
            continue
        try:
            check_broken(cell)
            _take(found, one.key, cell, known)
        except HelpdeskError as error:
            found.problems.append(problem(row.number, one.header, error))
    if not found.problems and not _means_somebody(found):
        message = _lazy("A name, an address or a number is needed.")
        found.problems.append(Problem(row.number, "", message, {}))
    for name in (found.values.get("name"), found.person.get("name"), found.organisation):
        name_key(name or "")  # while nobody waits for the database
    return found


def surplus(row: Row, known: Known) -> list[Problem]:
    """Cells without a header: most often a delimiter within a text without quotation marks."""
    if not any(cell.strip() for cell in row.cells[known.width :]):
        return []
    message = _lazy("The row has more cells than there are headers.")
    return [Problem(row.number, "", message, {})]


def check_broken(cell: str) -> None:
    """Raises HelpdeskError for a cell whose value could not be read."""
    if not cell.startswith(BROKEN):
        return
    if cell == FORMULA:
        message = _lazy(
            "A formula without a result. Open the file in a spreadsheet program and save it."
        )
        raise HelpdeskError(message)
    if cell == LONG:
        message = _lazy("A cell is longer than %(most)s characters. Shorten it.")
        raise HelpdeskError(message, most=CELL_LIMIT)
    message = _lazy("An error of the spreadsheet: %(value)s")
    if UNREADABLE in cell:
        message = _lazy("A character cannot be read: %(value)s")
    raise HelpdeskError(message, value=cell[1 : SHOWN + 1])


def problem(number: int, header: str, error: HelpdeskError) -> Problem:
    parts = {key: _short(value) for key, value in error.params.items()}
    return Problem(number, header, error.message, parts)


def _short(value: Any) -> Any:
    return value if isinstance(value, int) else clean_line(str(value), SHOWN)


def word_of(cell: str, words: Mapping[Any, Sequence[str]]) -> Any:
    """The value that this word stands for. Raises HelpdeskError."""
    plain = fold(clean_line(cell)).strip()
    for value, names in words.items():
        if plain == value or plain in map(fold, names):
            return value
    listed = ", ".join(str(value) for value in words)
    raise HelpdeskError(
        _lazy("“%(value)s” is none of: %(words)s."), value=clean_line(cell, SHOWN), words=listed
    )


def yes_or_no(cell: str) -> bool:
    """Raises HelpdeskError for another word."""
    word = cell.strip().casefold()
    if word not in YES | NO:
        raise HelpdeskError(_lazy("Write yes or no here."))
    return word in YES


def own_id(cell: str) -> int:
    """An id of ours. Raises HelpdeskError."""
    if not _ID.fullmatch(cell.strip()):
        raise HelpdeskError(_lazy("This is no number: %(value)s"), value=clean_line(cell, SHOWN))
    return int(cell)


def several(kind: ContactKind, cell: str, country: str) -> list[str]:
    """The addresses or numbers of one cell; messengers with line breaks have no other marks."""
    if kind == ContactKind.MESSENGER and "\n" in cell:
        return [part for text in cell.split("\n") if (part := text.strip())]
    if kind == ContactKind.PHONE and _ROUNDED.fullmatch(cell.strip()):
        return [cell.strip()]
    if kind == ContactKind.PHONE and (found := _FRACTION.fullmatch(cell.strip())):
        cell = found[1]
    parts = [part for text in _BETWEEN.split(cell) if (part := text.strip().lstrip("'"))]
    if kind == ContactKind.PHONE:
        parts = [number for part in parts for number in _around_slashes(part, country)]
    return parts


def _around_slashes(part: str, country: str) -> list[str]:
    """Two numbers, unless the slash stands within one: 044/123-45-67."""
    if "/" not in part or phone.normalize(part, country) is not None:
        return [part]
    return [number for text in part.split("/") if (number := text.strip())]


def kind_of_name(name: str) -> ClientKind:
    """An organisation where the name says so: ТОВ, LLC …"""
    return ClientKind.ORGANISATION if _LEGAL.search(name) else ClientKind.PERSON


def tags_of(cell: str) -> list[str]:
    """Tags between commas, or between semicolons where there is no comma."""
    return clean_tags(re.split(r"[,\n]" if "," in cell else r"[;\n]", cell))


def _means_somebody(row: ClientRow) -> bool:
    return bool(row.points or row.ids or row.values.keys() & {"name", "external_id"} or row.person)


def _take(found: ClientRow, key: str, cell: str, known: Known) -> None:
    if key.startswith(PROFILE):
        _profile(found, key, cell, known)
    elif key in ("id", "person_id"):
        found.ids[key] = own_id(cell)
    elif key == "organisation":
        found.organisation = clean_line(cell)
    elif key == "owner":
        found.values["owner_id"] = _owner(cell, known)
    elif key in _POINTS:
        _add_points(found, _POINTS[key], cell, known.country)
    elif key in _PERSON:
        found.person[_PERSON[key]] = clean_line(cell, 80 if key.endswith("_id") else 200)
    elif key == "tags":
        found.values["tags"] = clean_tags([*found.values.get("tags", []), *tags_of(cell)])
    elif key == "name":
        found.values[key] = _READERS[key](f"{found.values.get(key, '')} {cell}")
    else:
        found.values[key] = _READERS[key](cell)


def _profile(found: ClientRow, key: str, cell: str, known: Known) -> None:
    name = key.removeprefix(PROFILE)
    if name in known.fields:
        value = check_value(known.fields[name], cell)
        if value is not None:
            found.profile[name] = value
            found.fields.append(known.fields[name])


def _owner(cell: str, known: Known) -> int:
    email = email_key(cell)
    if email not in known.users:
        message = _lazy("Nobody here has the email %(email)s.")
        raise HelpdeskError(message, email=clean_line(cell, SHOWN))
    return known.users[email]


def _add_points(found: ClientRow, kind: ContactKind, cell: str, country: str) -> None:
    words = cell.split()
    parts = words if kind == ContactKind.EMAIL and all("@" in word for word in words) else [cell]
    for part in (text for whole in parts for text in several(kind, whole, country)):
        key, shown = read_contact(kind, part, country)
        found.points.setdefault((kind, key), shown)


def _checked(key: str) -> Callable[[str], Any]:
    check = CHECKS[key]
    return lambda cell: check(clean(cell).strip())


_POINTS = {
    "emails": ContactKind.EMAIL,
    "phones": ContactKind.PHONE,
    "messengers": ContactKind.MESSENGER,
}
_PERSON = {
    "person": "name",
    "role": "role",
    "vocative": "vocative",
    "person_external_id": "external_id",
}
_READERS: Mapping[str, Callable[[str], Any]] = {
    "kind": lambda cell: word_of(cell, _KINDS),
    "relation": lambda cell: word_of(cell, _RELATIONS),
    "language": lambda cell: word_of(cell, _LANGUAGES),
    "potential": yes_or_no,
    "name": _checked("name"),
    "external_id": _checked("external_id"),
    "timezone": _checked("timezone"),
    "about": _checked("about"),
}
