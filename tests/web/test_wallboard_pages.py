"""The wallboard, the people on it, its levels and the alarms, as a supervisor sees them."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import ext, jobs
from helpdesk.accounts.models import ReportScope, Team, User
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.reactions import react
from helpdesk.reports.models import Alarm, AlarmRule
from helpdesk.surveys import Rating
from helpdesk.tickets.models import NUMBER_OFFSET, Queue, Ticket
from helpdesk.web.supervisor.wall_words import by_syllable
from tests.calls import desk as line
from tests.cast import Cast
from tests.web.conftest import Desk, Page, Pages


@pytest.fixture
def sam(pages: Pages) -> Pages:
    """A browser in which the supervisor is logged in."""
    pages.log_in("sam")
    return pages


def link(page: Page, href: str) -> Any:
    """The one link on the board that leads there, without its signs."""
    (found,) = [a for a in page.all("a") if a.get("href") == href]
    return found


def number(page: Page, href: str) -> str:
    return " ".join("".join(link(page, href).itertext()).split())


def late(number_: str, minutes: int = 10) -> None:
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number_) - NUMBER_OFFSET)
        ticket.sla, ticket.next_due_at = "breached", now() - timedelta(minutes=minutes)


def team_of(cast: Cast) -> int:
    """A team that Billing belongs to."""
    with ext.write() as session:
        team = Team(name="Crew", sort_key=sort_key("Crew"), created_at=now())
        session.add(team)
        session.flush()
        session.get_one(Queue, cast.billing.id).team_id = team.id
        return team.id


def test_the_board_shows_what_is_and_every_number_leads_to_it(
    sam: Pages, desk: Desk, cast: Cast
) -> None:
    page = sam.get("/supervisor")
    assert "Agents free" in page.text and "no call yet" in page.text
    board = page.one("*[@id='board']")
    assert not [one for one in board.iter() if one.get("data-tone") == "bad"], "nothing red"
    broken = desk.ticket("Kettle burns")
    late(broken)
    desk.ticket("Another", queue=cast.billing)
    line.waits(cast.support.id)
    page = sam.get("/supervisor")
    tile = "Breached 1 act now"
    assert number(page, "/supervisor/list/now_breached") == tile
    own = f"?queue={cast.support.id}"
    assert number(page, f"/supervisor/list/now_breached{own}") == "1"
    assert number(page, f"/supervisor/list/now_open{own}") == "2"
    assert number(page, f"/supervisor/list/now_calls{own}").startswith("1 ·")
    assert "−10:00" in page.text and "Kettle burns" in page.text
    links = {a.get("href") for a in page.all("a")} - {"#main"}
    ours = [a for a in links if a and a.startswith(("/supervisor", "/desk/t/"))]
    for href in ours:
        assert sam.get(href).status == 200, href
    page = sam.get("/supervisor/list/now_breached")
    assert "Kettle burns" in page.text, "two clicks from the red number to the email"
    assert link(page, f"/desk/t/{broken}") is not None
    page = sam.get(f"/supervisor/list/now_open{own}")
    assert "Another" not in page.text


def test_the_fragment_is_the_board_alone_and_says_when_the_log_in_has_ended(
    sam: Pages, desk: Desk
) -> None:
    asks = {"headers": {"HX-Request": "true"}}
    page = sam.get("/supervisor/board", **asks)
    assert "<html" not in page.html and "Agents free" in page.text
    sam.client.delete_cookie("helpdesk_login")
    assert sam.raw("GET", "/supervisor/board", **asks).status_code == 401


def test_by_team_one_team_and_a_screen_without_anything_else(
    sam: Pages, desk: Desk, cast: Cast
) -> None:
    assert "No team yet." not in sam.get("/supervisor").text
    team_id = team_of(cast)
    desk.ticket("Bill", queue=cast.billing)
    desk.ticket("Lamp")
    page = sam.get("/supervisor?by=team")
    assert number(page, f"/supervisor/list/now_open?team={team_id}") == "1"
    page = sam.get(f"/supervisor?team={team_id}")
    assert "Crew now" in page.text
    assert number(page, f"/supervisor/list/now_open?team={team_id}&queue={cast.billing.id}") == "1"
    assert "screen" in (sam.get("/supervisor?screen").one("body").get("class") or "")
    for wrong in ("team=99999", "team=x", "team=" + "9" * 30):
        assert sam.get(f"/supervisor?{wrong}").status == 404
    assert sam.get("/supervisor/people?state=moon").status == 404


def test_a_supervisor_of_one_team_sees_that_team_only(sam: Pages, desk: Desk, cast: Cast) -> None:
    team_id = team_of(cast)
    desk.ticket("Lamp")
    with ext.write() as session:
        user = session.get_one(User, cast.sam.id)
        user.reports, user.team_id = ReportScope.TEAM, team_id
    page = sam.get("/supervisor")
    assert number(page, f"/supervisor/list/now_open?queue={cast.billing.id}") == "0"
    assert "Support" not in page.text and "f-team" not in page.html
    assert sam.get(f"/supervisor?team={team_id}").status == 404
    with ext.write() as session:
        session.get_one(User, cast.sam.id).reports = ReportScope.NONE
    assert "No queue is yours to watch." in sam.get("/supervisor").text


def test_more_queues_than_a_screen_has_room_for(sam: Pages, desk: Desk, cast: Cast) -> None:
    """Those in trouble come first; of the others it is said how many of them are in trouble too."""
    names = [f"Гарантійне обслуговування техніки {number}" for number in range(9)]
    with ext.write() as session:
        session.add_all(
            Queue(name=name, sort_key=sort_key(name), numbers=[], created_at=now())
            for name in names
        )
    late(desk.ticket())
    page = sam.get("/supervisor")
    rows = page.one("*[@id='board']").findall(".//tbody/tr[@id]")
    shown = [row for row in rows if row.get("id").startswith("l-")]
    assert len(shown) == 4 and "Support" in "".join(shown[0].itertext())
    assert "7 more, all right or quieter" in page.text
    assert "Гарант…іки 0" in page.text and names[0] not in page.text
    whole = sam.get("/supervisor?all=1")
    assert all(whole.text.count(f"іки {number}") == 1 for number in range(9))


def test_headings_break_between_syllables() -> None:
    broken = {"Порушення": "По-ру-шен-ня", "Нерешённые": "Не-ре-шён-ные", "Breached": "Breached"}
    assert {word: by_syllable(word).replace("\xad", "-") for word in broken} == broken


def test_ratings_and_promises_are_those_of_the_readers_team(
    sam: Pages, desk: Desk, cast: Cast
) -> None:
    number_ = desk.ticket()
    with ext.write() as session:
        ticket_id = int(number_) - NUMBER_OFFSET
        rating = {"person_id": cast.oksana.person_id, "score": 1, "comment": "Slow", "at": now()}
        session.add(Rating(ticket_id=ticket_id, **rating))
    assert "Slow" in sam.get("/supervisor/ratings").text
    crew = team_of(cast)  # Billing's; the ticket is Support's
    with ext.write() as session:
        user = session.get_one(User, cast.sam.id)
        user.reports, user.team_id = ReportScope.TEAM, crew
    page = sam.get("/supervisor/ratings")
    assert "Slow" not in page.text and "No ratings yet" in page.text
    assert not [a for a in page.all("a") if a.get("href") == "/supervisor/statements"]
    assert number_ not in sam.get("/supervisor/promises").text
    assert "/supervisor/levels" not in sam.get("/supervisor").text  # everybody's
    assert sam.get("/supervisor/levels").status == 404


def test_people_on_shift_with_what_they_are_on(sam: Pages, cast: Cast) -> None:
    assert "Nobody is on shift" in sam.get("/supervisor/people").text
    with ext.write() as session:
        line.on(session, cast.alice.id)
    caller = line.waits(cast.support.id)
    line.distribute()
    line.rings(cast.alice.id)
    line.talk(caller, cast.alice.id)
    page = sam.get("/supervisor/people")
    assert "Alice" in page.text and link(page, f"/desk/call/{caller.call_id}") is not None
    assert "Nobody is in this state now" in sam.get("/supervisor/people?state=free").text
    assert "in call" in sam.get("/supervisor").text


def test_levels_are_set_and_wrong_ones_are_shown_again(sam: Pages, desk: Desk) -> None:
    late(desk.ticket())
    sam.get("/supervisor/levels")
    page = sam.post("/supervisor/levels", **{"breached.warn": "2", "breached.bad": "5"})
    assert "Saved." in page.text
    assert "all right" in number(sam.get("/supervisor"), "/supervisor/list/now_breached")
    for name, value in {
        "calls.bad": "1", "service.warn": "a lot", "longest.bad": "soon", "due.warn": "x" * 9_999,
        "free.warn": "-1",
    }.items():  # fmt: skip
        sam.get("/supervisor/levels")
        page = sam.post("/supervisor/levels", **{name: value})
        assert page.status == 400 and page.all("p[@role='alert']"), name
    sam.get("/supervisor/levels")
    page = sam.post("/supervisor/levels", **{"service.warn": "85,5 %", "longest.bad": "0:10:30"})
    assert page.form("/supervisor/levels")["service.warn"] == "85.5"
    assert page.form("/supervisor/levels")["longest.bad"] == "0:10:30"


def test_an_alarm_from_its_rule_to_its_notice_to_its_end(
    sam: Pages, desk: Desk, cast: Cast, clock: Any
) -> None:
    assert "Nobody is warned yet" in sam.get("/supervisor/alarms").text
    sam.get("/supervisor/alarms/new")
    fields = {"name": "Kettles burn", "measure": "breached", "threshold": "0", "for": ""}
    page = sam.post("/supervisor/alarms/new", **fields, subject=f"queue:{cast.support.id}")
    assert page.place == "/supervisor/alarms" and "Breached, open (Support) over 0" in page.text
    number_ = desk.ticket()
    late(number_)
    jobs.watch_alarms()
    react(limit=100)
    page = sam.get("/desk/notices")
    assert (
        "An alarm began: Kettles burn" in page.text and link(page, "/supervisor/alarms") is not None
    )
    assert "within a day" not in page.text
    assert "1 alarm" in sam.get("/supervisor").text
    page = sam.get("/supervisor/alarms")
    behind = f"/supervisor/list/now_breached?queue={cast.support.id}"
    assert [a.text for a in page.all("a") if a.get("href") == behind] == ["1", "1"]
    with ext.session() as session:
        (alarm,) = session.scalars(select(Alarm))
        (rule,) = session.scalars(select(AlarmRule))
    earlier = now() - timedelta(hours=1)
    more = {"value": 1, "worst": 1, "threshold": 0, "began_at": earlier, "ended_at": earlier}
    with ext.write() as session:
        session.add(Alarm(rule_id=rule.id, **more))
    assert "Kettles burn · 2 times within a day" in sam.get("/desk/notices").text
    sam.get("/supervisor/alarms")
    page = sam.post(f"/supervisor/alarms/{alarm.id}/acknowledge", comment="On it <b>now</b>")
    assert "On it <b>now</b>" in page.text and "Sam" in page.text
    token = {"csrf_token": sam.token, "comment": "me too"}
    assert sam.send(f"/supervisor/alarms/{alarm.id}/acknowledge", token).status == 409
    with ext.write() as session:
        session.get_one(Ticket, int(number_) - NUMBER_OFFSET).sla = None
    clock.shift(20)
    jobs.watch_alarms()
    page = sam.get("/supervisor/alarms")
    assert "Nothing is exceptional now" in page.text and "Past" in page.text
    page = sam.post(f"/supervisor/alarms/rules/{rule.id}/switch")
    assert "is off" in page.text and "Switch on" in page.text
    page = sam.get(f"/supervisor/alarms/rules/{rule.id}")
    page = sam.post(f"/supervisor/alarms/rules/{rule.id}", threshold="7", version="1")
    assert page.status == 409 and "Somebody changed this" in page.text
    page = sam.post(f"/supervisor/alarms/rules/{rule.id}")
    assert page.place == "/supervisor/alarms" and "over 7" in page.text


def test_a_rule_that_cannot_be_is_shown_again(sam: Pages, cast: Cast) -> None:
    good = {"name": "Busy", "threshold": "5"}
    for wrong in (
        {"name": ""}, {"threshold": "many"}, {"threshold": "9" * 50}, {"measure": "moon"},
        {"subject": "queue:99999"}, {"subject": "moon:1"}, {"whom": "user:x"}, {"for": "long"},
        {"whom": f"user:{cast.alice.id}"}, {"side": "beside"}, {"for": "99999:00"},
        {"measure": "longest", "threshold": "5"}, {"measure": "service", "threshold": "500"},
    ):  # fmt: skip
        sam.get("/supervisor/alarms/new")
        page = sam.post("/supervisor/alarms/new", **good | wrong)
        assert page.status == 400, wrong
        assert page.all("p[@role='alert']"), wrong
    assert sam.get("/supervisor/alarms/rules/99999").status == 404
    assert sam.get("/supervisor/alarms?before=x").status == 404


def test_agents_have_no_board(pages: Pages, app: Flask) -> None:
    pages.log_in("alice")
    for path in ("/supervisor", "/supervisor/board", "/supervisor/alarms", "/supervisor/levels"):
        assert pages.get(path).status == 404
