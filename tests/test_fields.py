"""Custom fields: what fits a kind, what an administrator may do, what is missing."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from helpdesk import ext, fields
from helpdesk.events import Event
from helpdesk.fields import Field, FieldKind
from helpdesk.lib.errors import HelpdeskError
from tests.cast import Cast

LABELS = {"en": "Shoe size", "ru": "Размер обуви", "uk": "Розмір взуття"}


def field(kind: FieldKind, *choices: str) -> Field:
    return Field(key="x", labels=LABELS, kind=kind, choices=list(choices))


FITS: list[tuple[FieldKind, Any, Any]] = [
    (FieldKind.TEXT, "  tea\x00 ", "tea"),
    (FieldKind.TEXT, "", None),
    (FieldKind.TEXT, None, None),
    (FieldKind.NUMBER, "1 200,5", 1200.5),
    (FieldKind.NUMBER, "1\u00a0200", 1200),
    (FieldKind.NUMBER, 7.0, 7),
    (FieldKind.NUMBER, "-3", -3),
    (FieldKind.DATE, "31.12.1980", "1980-12-31"),
    (FieldKind.DATE, "1/2/1980", "1980-02-01"),
    (FieldKind.DATE, "1980-12-31", "1980-12-31"),
    (FieldKind.DATE, date(1980, 1, 2), "1980-01-02"),
    (FieldKind.CHOICE, "green TEA", "Green tea"),
    (FieldKind.YES_NO, "так", True),
    (FieldKind.YES_NO, "Нет", False),
    (FieldKind.YES_NO, False, False),
]


@pytest.mark.parametrize(("kind", "raw", "stored"), FITS)
def test_a_value_that_fits_is_stored_plainly(kind: FieldKind, raw: Any, stored: Any) -> None:
    value = fields.check_value(field(kind, "Green tea", "Coffee"), raw)
    assert value == stored and type(value) is type(stored)


BAD: list[tuple[FieldKind, Any]] = [
    (FieldKind.TEXT, "x" * 1001),
    (FieldKind.TEXT, 5),
    (FieldKind.NUMBER, "many"),
    (FieldKind.NUMBER, "nan"),
    (FieldKind.NUMBER, "1e999"),
    (FieldKind.NUMBER, True),
    (FieldKind.DATE, "30.02.1980"),
    (FieldKind.DATE, "0001-01-01"),
    (FieldKind.DATE, "31.12.9999"),
    (FieldKind.DATE, "yesterday"),
    (FieldKind.DATE, "31.12.80"),
    (FieldKind.DATE, 1980),
    (FieldKind.CHOICE, "Milk"),
    (FieldKind.YES_NO, "perhaps"),
]


@pytest.mark.parametrize(("kind", "raw"), BAD)
def test_a_value_that_does_not_fit_names_its_field(kind: FieldKind, raw: Any) -> None:
    with pytest.raises(HelpdeskError) as refused:
        fields.check_value(field(kind, "Green tea", "Coffee"), raw)
    assert refused.value.field == "profile.x"


@settings(deadline=None, max_examples=200)
@given(
    kind=st.sampled_from(list(FieldKind)), raw=st.text(max_size=40) | st.floats() | st.booleans()
)
def test_anything_typed_either_fits_for_good_or_is_refused(kind: FieldKind, raw: Any) -> None:
    one = field(kind, "a", "b")
    try:
        value = fields.check_value(one, raw)
    except HelpdeskError:
        return
    assert fields.check_value(one, value) == value


def test_a_new_installation_has_fields_and_keeps_its_own(cast: Cast) -> None:
    with ext.write() as session:
        fields.seed_fields(session)
        found = fields.fields_of(session)
        assert [one.key for one in found][:2] == ["birthday", "residence"]
        assert {one.key for one in found if one.sensitive} == {"income", "children"}
        assert found[0].label("uk") == "День народження"
        assert found[0].label("de") == "Birthday"
        found[0].labels = LABELS
        fields.seed_fields(session)
        assert fields.fields_of(session)[0].label("en") == "Shoe size"


def test_fields_are_made_changed_moved_and_switched_off(cast: Cast) -> None:
    with ext.write() as session:
        make = fields.create_field
        one = make(session, key="shoe", labels=LABELS, kind="number")
        two = make(
            session,
            key="tea",
            labels=LABELS,
            kind="choice",
            choices=["Green", " ", "green", "Black"],
        )
        assert two.choices == ["Green", "Black"]
        fields.move_field(session, two, -1)
        fields.move_field(session, two, -1)
        assert [f.key for f in fields.fields_of(session)] == ["tea", "shoe"]
        fields.change_field(session, one, active=False, wanted=True)
        assert [f.key for f in fields.fields_of(session)] == ["tea"]
        assert [f.key for f in fields.fields_of(session, active=False)] == ["tea", "shoe"]
        kinds = session.scalars(select(Event.kind).where(Event.kind.like("field.%"))).all()
        assert kinds == ["field.created", "field.created", "field.changed", "field.changed"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"key": "Shoe size"}, "key"),
    ({"key": "1a"}, "key"),
    ({"key": "taken"}, "key"),
    ({"kind": "robot"}, "kind"),
    ({"scope": "robot"}, "scope"),
    ({"labels": {"en": "A", "ru": "Б", "uk": " "}}, "label_uk"),
    ({"kind": "choice", "choices": ["one"]}, "choices"),
    ({"kind": "choice", "choices": [str(n) for n in range(101)]}, "choices"),
]


def test_a_wrong_field_is_refused_with_the_place(cast: Cast) -> None:
    with ext.write() as session:
        fields.create_field(session, key="taken", labels=LABELS, kind="text")
        for values, place in WRONG:
            whole = {"key": "x", "labels": LABELS, "kind": "text"} | values
            with pytest.raises(HelpdeskError) as refused:
                fields.create_field(session, **whole)
            assert refused.value.field == place


def test_a_profile_is_changed_key_by_key(cast: Cast) -> None:
    with ext.write() as session:
        fields.seed_fields(session)
        profile = fields.check_profile(
            session, "person", {"loyalty": 5}, {"birthday": "31.12.1980"}
        )
        assert profile == {"loyalty": 5, "birthday": "1980-12-31"}
        assert fields.check_profile(session, "person", profile, {"loyalty": " "}) == {
            "birthday": "1980-12-31"
        }
        missing = fields.gaps(fields.fields_of(session), profile)
        assert [one.key for one in missing] == ["residence"]
        with pytest.raises(HelpdeskError, match="only for people") as refused:
            fields.check_profile(session, "organisation", {}, {"birthday": "31.12.1980"})
        assert refused.value.field == "profile.birthday"
        assert fields.check_profile(session, "organisation", profile, {"birthday": ""}) == {
            "loyalty": 5
        }
        with pytest.raises(HelpdeskError, match="no field horoscope"):
            fields.check_profile(session, "person", {}, {"horoscope": "Lion"})
