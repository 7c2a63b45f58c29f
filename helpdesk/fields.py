"""Custom fields: what else is kept of a client or person, described as data by an administrator."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import LANGUAGES, Base, EnumText
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean, clean_line

TEXT_LIMIT = 1000
LABEL_LIMIT = 80
MAX_CHOICES = 100
MAX_FIELDS = 100
MAX_NUMBER = 1e12
EARLIEST, LATEST = 1900, 2200  # years of a date
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[./]([0-9]{1,2})[./]([0-9]{4})")
_YES = frozenset({"1", "yes", "true", "y", "да", "так", "є", "+"})
_NO = frozenset({"0", "no", "false", "n", "нет", "ні", "немає", "-"})


class FieldKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes_no"


class FieldScope(StrEnum):
    """Of whom a field is kept; PERSON and ORGANISATION are a client's kinds."""

    ALL = "all"
    PERSON = "person"
    ORGANISATION = "organisation"


class Field(Base):
    """One field of the client's profile. Values lie in `client.profile` under `key`."""

    __tablename__ = "field"
    __table_args__ = (Index("ix_field_position", "position", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)  # ASCII, as in the API and CSV
    labels: Mapped[dict[str, Any]]  # {"en": "Birthday", "ru": ..., "uk": ...}
    kind: Mapped[FieldKind] = mapped_column(EnumText(FieldKind))
    scope: Mapped[FieldScope] = mapped_column(
        EnumText(FieldScope), default=FieldScope.ALL, server_default="all"
    )
    choices: Mapped[list[str]]  # values of a choice, in their order
    sensitive: Mapped[bool] = mapped_column(default=False)  # needs client.sensitive
    wanted: Mapped[bool] = mapped_column(default=False)  # an empty one is listed as a gap
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)

    def label(self, language: str) -> str:
        """What people call it in this language, else in another, else its key."""
        found = (self.labels.get(lang) for lang in (language, *LANGUAGES))
        return next((str(text) for text in found if text), self.key)

    def suits(self, client_kind: str) -> bool:
        """Whether it is kept of clients of this kind: person or organisation."""
        return self.scope in (FieldScope.ALL, client_kind)


def fields_of(session: Session, *, active: bool = True) -> list[Field]:
    """The fields in their order; `active` False: also those that are switched off."""
    query = select(Field).order_by(Field.position, Field.id)
    return list(session.scalars(query.where(Field.active.is_(True)) if active else query))


def create_field(
    session: Session,
    *,
    key: str,
    labels: Mapping[str, str],
    kind: str,
    scope: str = FieldScope.ALL,
    choices: Sequence[str] = (),
    sensitive: bool = False,
    wanted: bool = False,
    actor: Actor = SYSTEM,
) -> Field:
    """Add a field at the end.

    Raises HelpdeskError for a bad or used key, label, kind, scope or choice.
    """
    if not _KEY.fullmatch(key):
        message = _lazy("A key has small Latin letters, digits and _, and begins with a letter.")
        raise HelpdeskError(message, field="key")
    if session.scalar(select(Field.id).where(Field.key == key)) is not None:
        raise HelpdeskError(_lazy("There is a field %(key)s already."), field="key", key=key)
    if kind not in set(FieldKind):
        raise HelpdeskError(_lazy("Choose one from the list."), field="kind")
    count, last = session.execute(select(func.count(Field.id), func.max(Field.position))).one()
    if count >= MAX_FIELDS:
        message = _lazy("There are %(most)s fields already; no more fit.")
        raise HelpdeskError(message, field="key", most=MAX_FIELDS)
    field = Field(
        key=key,
        labels=_labels(labels),
        kind=FieldKind(kind),
        scope=_scope(scope),
        choices=_choices(FieldKind(kind), choices),
        sensitive=sensitive,
        wanted=wanted,
        position=0 if last is None else last + 1,
    )
    session.add(field)
    session.flush()
    record(session, "field.created", actor=actor, field_id=field.id)
    return field


def change_field(session: Session, field: Field, *, actor: Actor = SYSTEM, **changes: Any) -> None:
    """Change labels, scope, choices, sensitive, wanted, position or active.

    Key and kind stay as they are. Values that are kept of clients outside a narrower scope stay
    and are not shown. Raises HelpdeskError for bad values.
    """
    if "labels" in changes:
        changes["labels"] = _labels(changes["labels"])
    if "scope" in changes:
        changes["scope"] = _scope(changes["scope"])
    if "choices" in changes:
        changes["choices"] = _choices(field.kind, changes["choices"])
    changed = {name: value for name, value in changes.items() if getattr(field, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(field, name, value)
    session.flush()
    record(session, "field.changed", actor=actor, field_id=field.id, fields=sorted(changed))


def move_field(session: Session, field: Field, step: int, *, actor: Actor = SYSTEM) -> None:
    """Put a field one place up (-1) or down (1); at the end nothing happens."""
    order = fields_of(session, active=False)
    place = next(n for n, one in enumerate(order) if one.id == field.id)
    if not 0 <= place + step < len(order):
        return
    order[place], order[place + step] = order[place + step], order[place]
    for position, one in enumerate(order):
        one.position = position
    session.flush()
    record(session, "field.changed", actor=actor, field_id=field.id, fields=["position"])


def check_value(field: Field, raw: Any) -> Any:
    """The value as it is stored, None for an empty one.

    Text: at most 1000 characters. Number: int or float, also from "1 200,5". Date: ISO 8601, also
    from 31.12.1980, of the years 1900 to 2200. Choice: one of the field's. Yes or no: bool, also
    from words. Raises HelpdeskError with the field `profile.KEY`.
    """
    if isinstance(raw, str):
        raw = clean(raw).strip()
    if raw is None or raw == "":
        return None
    return _CHECKS[field.kind](field, raw)


def check_scope(field: Field, client_kind: str) -> None:
    """Raises HelpdeskError for a field that is not kept of clients of this kind."""
    if not field.suits(client_kind):
        raise _bad(field, _ONLY[field.scope])


def check_profile(
    session: Session, client_kind: str, old: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """The profile after the changes; an empty value takes a key out.

    Raises HelpdeskError for an unknown key, one that is not kept of clients of this kind or a
    value that does not fit.
    """
    known = {field.key: field for field in fields_of(session, active=False)} if changes else {}
    profile = dict(old)
    for key, raw in changes.items():
        if key not in known:
            message = _lazy("There is no field %(key)s.")
            raise HelpdeskError(message, field=f"profile.{key}"[:100], key=key[:80])
        value = check_value(known[key], raw)
        if value is None:
            profile.pop(key, None)
        else:
            check_scope(known[key], client_kind)
            profile[key] = value
    return profile


def gaps(fields: Iterable[Field], profile: Mapping[str, Any]) -> list[Field]:
    """The wanted fields that are empty."""
    return [field for field in fields if field.wanted and field.key not in profile]


def seed_fields(session: Session) -> None:
    """The fields that a new installation begins with; harmless where there are any already."""
    if session.scalar(select(func.count(Field.id))):
        return
    for position, (key, kind, scope, sensitive, wanted, labels) in enumerate(SEEDS):
        names = dict(zip(LANGUAGES, labels, strict=True))
        session.add(
            Field(
                key=key,
                labels=names,
                kind=kind,
                scope=scope,
                choices=[],
                sensitive=sensitive,
                wanted=wanted,
                position=position,
            )
        )
    session.flush()


def _bad(field: Field, message: str, **params: Any) -> HelpdeskError:
    return HelpdeskError(message, field=f"profile.{field.key}", **params)


def _text(field: Field, raw: Any) -> str:
    if not isinstance(raw, str):
        raise _bad(field, _lazy("Write a text here."))
    if len(raw) > TEXT_LIMIT:
        message = _lazy("The text is too long: at most %(limit)s characters.")
        raise _bad(field, message, limit=TEXT_LIMIT)
    return raw


def _number(field: Field, raw: Any) -> int | float:
    try:
        plain = "".join(str(raw).split()).replace(",", ".") if not isinstance(raw, bool) else ""
        value = float(plain)
    except ValueError:
        raise _bad(field, _lazy("Write a number here, for example 1200 or 12.5.")) from None
    if not (math.isfinite(value) and abs(value) <= MAX_NUMBER):
        raise _bad(field, _lazy("This number is too large."))
    return int(value) if value.is_integer() else value


def _date(field: Field, raw: Any) -> str:
    text = raw.isoformat()[:10] if isinstance(raw, date) else str(raw)
    if found := _DAY_FIRST.fullmatch(text):
        text = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or not EARLIEST <= day.year <= LATEST:
        return _no_date(field)
    return day.isoformat()


def _no_date(field: Field) -> str:
    raise _bad(field, _lazy("Write a date here: 1980-12-31 or 31.12.1980."))


def _choice(field: Field, raw: Any) -> str:
    found = next((one for one in field.choices if one.casefold() == str(raw).casefold()), None)
    if found is None:
        listed = ", ".join(field.choices)[:300]
        raise _bad(field, _lazy("Choose one of: %(choices)s."), choices=listed)
    return found


def _yes_no(field: Field, raw: Any) -> bool:
    word = str(raw).casefold()
    if word not in _YES | _NO:
        raise _bad(field, _lazy("Write yes or no here."))
    return word in _YES


_CHECKS = {
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.DATE: _date,
    FieldKind.CHOICE: _choice,
    FieldKind.YES_NO: _yes_no,
}


_ONLY = {
    FieldScope.PERSON: _lazy("This field is only for people."),
    FieldScope.ORGANISATION: _lazy("This field is only for organisations."),
}


def _scope(scope: str) -> FieldScope:
    if scope not in set(FieldScope):
        raise HelpdeskError(_lazy("Choose one from the list."), field="scope")
    return FieldScope(scope)


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    cleaned = {lang: clean_line(labels.get(lang) or "", LABEL_LIMIT) for lang in LANGUAGES}
    missing = next((lang for lang in LANGUAGES if not cleaned[lang]), None)
    if missing:
        raise HelpdeskError(
            _lazy("The label is needed in each language."), field=f"label_{missing}"
        )
    return cleaned


def _choices(kind: FieldKind, choices: Sequence[str]) -> list[str]:
    if kind != FieldKind.CHOICE:
        return []
    cleaned = [text for choice in choices if (text := clean_line(choice, LABEL_LIMIT))]
    unique = list({text.casefold(): text for text in reversed(cleaned)}.values())[::-1]
    if len(unique) < 2:
        raise HelpdeskError(_lazy("A choice needs at least two lines."), field="choices")
    if len(unique) > MAX_CHOICES:
        message = _lazy("At most %(most)s choices fit.")
        raise HelpdeskError(message, field="choices", most=MAX_CHOICES)
    return unique


# (key, kind, scope, sensitive, wanted, labels in the order of LANGUAGES: en, ru, uk)
SEEDS: tuple[tuple[str, FieldKind, FieldScope, bool, bool, tuple[str, str, str]], ...] = (
    (
        "birthday",
        FieldKind.DATE,
        FieldScope.PERSON,
        False,
        True,
        ("Birthday", "День рождения", "День народження"),
    ),
    (
        "residence",
        FieldKind.TEXT,
        FieldScope.PERSON,
        False,
        True,
        ("Place of residence", "Место жительства", "Місце проживання"),
    ),
    (
        "occupation",
        FieldKind.TEXT,
        FieldScope.PERSON,
        False,
        False,
        ("Occupation", "Род занятий", "Рід занять"),
    ),
    ("children", FieldKind.NUMBER, FieldScope.PERSON, True, False, ("Children", "Дети", "Діти")),
    (
        "income",
        FieldKind.NUMBER,
        FieldScope.PERSON,
        True,
        False,
        ("Income a month", "Доход в месяц", "Дохід на місяць"),
    ),
    (
        "preferences",
        FieldKind.TEXT,
        FieldScope.ALL,
        False,
        False,
        ("Preferences", "Предпочтения", "Уподобання"),
    ),
    (
        "loyalty",
        FieldKind.NUMBER,
        FieldScope.ALL,
        False,
        False,
        ("Loyalty, of 100", "Лояльность, из 100", "Лояльність, зі 100"),
    ),
)
