"""Calendars and policies are edited by plain forms: hours, holidays, targets, steps, conflicts."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from helpdesk import ext
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.tickets import policies, sla
from helpdesk.tickets.models import Calendar, Clock, Metric, Policy, Priority, StepAction
from tests.cast import Cast
from tests.web.conftest import Desk, Page, Pages
from tests.web.rooms import enter

WEEK = {
    f"{day}-{edge}": time
    for day in ("mon", "tue", "wed", "thu", "fri")
    for edge, time in (("from", ["9", "13:30"]), ("to", ["13.00", "18:00"]))
}


@pytest.fixture
def ada(pages: Pages) -> Pages:
    return enter(pages, "ada")


def calendar_of(calendar_id: int) -> Calendar:
    with ext.session() as session:
        return session.get_one(Calendar, calendar_id)


def open_form(pages: Pages, path: str) -> dict[str, object]:
    """Fields of the form at `path` with every repeated one, as a browser sends them."""
    page = pages.get(path)
    return fields_of(page, path)


def fields_of(page: Page, path: str) -> dict[str, object]:
    (form,) = [f for f in page.all("form") if f.get("action") == path]
    fields: dict[str, list[str]] = {}
    for box in form.iter("input"):
        if box.get("type") != "checkbox" or "checked" in box.attrib:
            fields.setdefault(box.get("name", ""), []).append(box.get("value", ""))
    for choice in form.iter("select"):
        options = list(choice.iter("option"))
        chosen = ([o for o in options if "selected" in o.attrib] or options)[0]
        value = chosen.get("value", chosen.text or "")
        fields.setdefault(choice.get("name", ""), []).append(value)
    return dict(fields)


def test_new_calendar_keeps_breaks_special_days_and_holidays(ada: Pages) -> None:
    ada.get("/admin/calendars/new")
    fields = {
        "csrf_token": ada.token,
        "name": "Київ",
        "timezone": "Europe/Kyiv",
        **WEEK,
        "day": ["2026-12-25", "2026-12-26", ""],
        "hours": ["", "10-14, 15:00 – 16:30", ""],
    }
    assert ada.send("/admin/calendars/new", fields).status == 200
    with ext.session() as session:
        made = session.scalars(select(Calendar).where(Calendar.name == "Київ")).one()
    assert made.weekly["mon"] == [["09:00", "13:00"], ["13:30", "18:00"]]
    assert "sat" not in made.weekly
    assert made.holidays == ["2026-12-25"]
    assert made.special == {"2026-12-26": [["10:00", "14:00"], ["15:00", "16:30"]]}


def test_saving_an_unchanged_calendar_changes_nothing(ada: Pages, cast: Cast) -> None:
    path = f"/admin/calendars/{cast.office.id}"
    fields = open_form(ada, path)
    assert ada.send(path, fields).status == 200
    after = calendar_of(cast.office.id)
    assert (after.weekly, after.version) == (cast.office.weekly, 1)


def test_add_hours_gives_one_more_pair_without_saving(ada: Pages, cast: Cast) -> None:
    path = f"/admin/calendars/{cast.office.id}"
    fields = open_form(ada, path)
    page = ada.send(path, fields | {"more": "sat", "name": "Renamed"})
    assert len([i for i in page.all("input") if i.get("name") == "sat-from"]) == 1
    assert "Renamed" in str(fields_of(page, path)["name"])
    assert calendar_of(cast.office.id).name == "Office"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mon-from": ["18:00"], "mon-to": ["09:00"]}, "Monday: the window 18:00–09:00 ends"),
        ({"mon-from": ["9", "12"], "mon-to": ["13", "18"]}, "overlap"),
        ({"mon-from": ["25:99"]}, "isn’t a time"),
        ({"mon-from": ["' OR 1=1"]}, "isn’t a time"),
        ({"name": " "}, "needs a name"),
        ({"day": ["2026-02-30"], "hours": [""]}, "isn’t a date"),
        ({"day": ["2026-12-25"], "hours": ["noon"]}, "25 December: write hours such as"),
        ({"timezone": "Mars/Base"}, "known time zone"),
        ({f"{d}-from": [] for d in ("mon", "tue", "wed", "thu", "fri")}, "promises nothing"),
    ],
)
def test_calendar_that_can_not_be_says_where(
    ada: Pages, cast: Cast, change: dict[str, object], words: str
) -> None:
    path = f"/admin/calendars/{cast.office.id}"
    page = ada.send(path, open_form(ada, path) | change)
    assert page.status == 400
    assert words.replace("’", "'") in page.text.replace("’", "'")
    assert page.all("p[@role='alert']")
    assert calendar_of(cast.office.id).version == 1


def test_second_save_of_an_old_calendar_is_a_conflict(ada: Pages, cast: Cast) -> None:
    path = f"/admin/calendars/{cast.office.id}"
    old = open_form(ada, path)
    assert ada.send(path, old | {"name": "First"}).status == 200
    page = ada.send(path, old | {"name": "Second"})
    assert page.status == 409 and "in the meantime" in page.text
    assert calendar_of(cast.office.id).name == "First"
    assert ada.send(path, fields_of(page, path)).status == 200
    assert calendar_of(cast.office.id).name == "Second"


def test_change_of_hours_moves_running_deadlines(ada: Pages, cast: Cast, desk: Desk) -> None:
    desk.ticket()
    path = f"/admin/calendars/{cast.office.id}"
    fields = open_form(ada, path)
    assert "running deadlines count by this calendar" in ada.get(path).text
    page = ada.send(path, fields | {"mon-from": ["09:00", "18:00"], "mon-to": ["14:00", "20:00"]})
    assert "counted anew" in page.text
    with ext.write() as session:
        sla.recount_due(session, now())
    with ext.session() as session:
        query = select(Clock.due_at).where(Clock.metric == Metric.FIRST_RESPONSE)
        # From Monday 12:00: two hours until 14:00, two more from 18:00.
        assert session.scalars(query).one() == datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def test_calendar_says_whether_it_is_open_now(
    ada: Pages, cast: Cast, clock: time_machine.Traveller
) -> None:
    path = f"/admin/calendars/{cast.office.id}"
    page = ada.get(path)
    assert "Open now, until 18:00" in page.text
    clock.shift(timedelta(hours=7))
    assert "Closed now, until 24 Nov, 09:00" in ada.get(path).text


def test_public_holidays_are_a_suggestion(ada: Pages, cast: Cast) -> None:
    path = f"/admin/calendars/{cast.office.id}/holidays"
    page = ada.get(path + "?country=PL&year=2026")
    boxes = [i.get("value", "") for i in page.all("input") if i.get("name") == "day"]
    assert "2026-05-03" in boxes and len(boxes) > 10
    fields = {"csrf_token": ada.token, "day": ["2026-05-01", "2026-05-03", "junk", "9999-99-99x"]}
    page = ada.send(path, fields)
    assert "2 days were added." in page.text
    assert calendar_of(cast.office.id).holidays == ["2026-05-01", "2026-05-03"]
    again = ada.get(path + "?country=PL&year=2026")
    assert len([i for i in again.all("input") if "disabled" in i.attrib]) == 2


def test_ukraine_has_no_holidays_and_the_page_says_why(ada: Pages, cast: Cast) -> None:
    page = ada.get(f"/admin/calendars/{cast.office.id}/holidays?country=UA&year=2026")
    assert "martial law" in page.text


@pytest.mark.parametrize(
    "query", ["country=%00&year=99999", "country=zz&year=-1", "country=&year="]
)
def test_odd_country_or_year_breaks_nothing(ada: Pages, cast: Cast, query: str) -> None:
    assert ada.get(f"/admin/calendars/{cast.office.id}/holidays?{query}").status == 200


# Policies


def test_new_policy_with_steps(ada: Pages, cast: Cast) -> None:
    ada.get("/admin/policies/new")
    fields = {
        "csrf_token": ada.token,
        "name": "VIP",
        "queue_id": str(cast.billing.id),
        "priority": "high",
        "client_tag": "VIP",
        "calendar_id": str(cast.office.id),
        "targets.first_response": "0:30",
        "targets.speed_of_answer": "0:00:20",
        "warn_percent": "80",
        "active": "1",
        "act": ["notify:supervisor", "priority:urgent", f"reassign:{cast.sam.id}", ""],
        "after": ["0:00", "0:20", "1:00", "2:00"],
        "step_metric": ["", "", "first_response", ""],
    }
    page = ada.send("/admin/policies/new", fields)
    assert page.status == 200, page.text
    assert "after 24 min of the first promise" in page.text
    with ext.session() as session:
        made = session.scalars(select(Policy).where(Policy.name == "VIP")).one()
        steps = [(s.action, s.after_seconds, s.role, s.priority, s.user_id) for s in made.steps]
    assert made.targets == {"first_response": 1800, "speed_of_answer": 20}
    assert (made.queue_id, made.priority, made.client_tag) == (cast.billing.id, "high", "vip")
    assert steps == [
        (StepAction.NOTIFY, 0, "supervisor", None, None),
        (StepAction.PRIORITY, 1200, None, Priority.URGENT, None),
        (StepAction.REASSIGN, 3600, None, None, cast.sam.id),
    ]


def standard(cast: Cast) -> str:
    with ext.session() as session:
        return f"/admin/policies/{session.scalars(select(Policy.id)).one()}"


def test_steps_are_added_and_taken_out_without_saving(ada: Pages, cast: Cast) -> None:
    path = standard(cast)
    fields = open_form(ada, path)
    page = ada.send(path, fields | {"more": "step"})
    grown = fields_of(page, path)
    assert grown["act"] == [""]
    page = ada.send(path, grown | {"act": ["notify:assignee"], "drop": "0"})
    assert "act" not in fields_of(page, path)
    with ext.session() as session:
        assert session.scalars(select(Policy)).one().steps == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"targets.first_response": "soon"}, "Write hours and minutes"),
        ({"targets.first_response": "999999:00"}, "Write hours and minutes"),
        ({"targets.first_response": "0:00"}, "Write hours and minutes"),
        ({"warn_percent": "0"}, "whole number"),
        ({"warn_percent": "x"}, "whole number"),
        ({"queue_id": "999"}, "nothing with this id"),
        ({"queue_id": "1; drop"}, "Choose one from the list"),
        ({"act": ["reassign:999"], "after": ["0:10"], "step_metric": [""]}, "nothing with this id"),
        ({"act": ["explode:1"], "after": ["0:10"], "step_metric": [""]}, "A step notifies"),
        ({"act": ["notify:agent"], "after": ["x"], "step_metric": [""]}, "hours and minutes"),
    ],
)
def test_policy_that_can_not_be_says_where(
    ada: Pages, cast: Cast, change: dict[str, object], words: str
) -> None:
    path = standard(cast)
    page = ada.send(path, open_form(ada, path) | change)
    assert page.status == 400 and words in page.text
    with ext.session() as session:
        assert session.scalars(select(Policy)).one().version == 1


def test_policy_conflict_is_shown_with_what_was_typed(ada: Pages, cast: Cast) -> None:
    path = standard(cast)
    old = open_form(ada, path)
    assert ada.send(path, old | {"warn_percent": "50"}).status == 200
    page = ada.send(path, old | {"warn_percent": "60"})
    assert page.status == 409 and "in the meantime" in page.text
    assert fields_of(page, path)["warn_percent"] == ["60"]


def test_policy_is_switched_off_then_deleted(ada: Pages, cast: Cast) -> None:
    path = standard(cast)
    assert ada.send(path + "/delete", {"csrf_token": ada.get(path) and ada.token}).status == 409
    fields = open_form(ada, path)
    fields.pop("active")
    assert "Switched off" in ada.send(path, fields).text
    assert "is gone" in ada.post(path + "/delete").text
    with ext.session() as session:
        assert session.scalars(select(Policy)).all() == []
        last = session.scalars(select(Event.kind).order_by(Event.id.desc()).limit(1)).one()
    assert last == "policy.deleted"


def test_policy_that_made_promises_stays_as_a_record(ada: Pages, cast: Cast, desk: Desk) -> None:
    desk.ticket()
    path = standard(cast)
    fields = open_form(ada, path)
    fields.pop("active")
    ada.send(path, fields)
    assert "stays as a record" in ada.post(path + "/delete").text


def test_list_shows_the_most_particular_policy_first(ada: Pages, cast: Cast) -> None:
    with ext.write() as session:
        policies.create(
            session,
            name="Particular",
            targets={"first_response": 60},
            queue_id=cast.billing.id,
            priority="urgent",
            at=now(),
        )
    text = ada.get("/admin/policies").text
    assert text.index("Particular") < text.index("Standard")
