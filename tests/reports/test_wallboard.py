"""The wallboard: every number is as long as its list, for everybody who may see it."""

import random
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.accounts.models import Team, User
from helpdesk.accounts.presence import Availability, Presence
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import HelpdeskError
from helpdesk.planner.models import TaskKind
from helpdesk.planner.planning import plan
from helpdesk.reports.calls import report as phone
from helpdesk.reports.filters import Filters
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Scope
from helpdesk.reports.sheet import Ask
from helpdesk.reports.wallboard import levels
from helpdesk.reports.wallboard.levels import USUAL, Level, judged, limits, worst
from helpdesk.reports.wallboard.lists import LISTS
from helpdesk.reports.wallboard.snapshot import Numbers, Snapshot, snapshot
from helpdesk.tickets.models import Queue, Status, Ticket
from tests.calls import desk
from tests.cast import Cast
from tests.test_query_plans import caught, whole_tables
from tests.tickets.lives import live

KYIV = ZoneInfo("Europe/Kyiv")
HOUR = timedelta(hours=1)
COUNTED = {
    "now_open": "open",
    "now_unassigned": "unassigned",
    "now_unanswered": "unanswered",
    "now_due": "due",
    "now_breached": "breached",
    "now_calls": "calls",
    "now_callbacks": "callbacks",
    "now_late_callbacks": "late_callbacks",
}


def seen(session: Session, scope: Scope | None = None) -> Snapshot:
    return snapshot(session, scope or Scope(), at=now(), zone=KYIV)


def listed(session: Session, name: str, scope: Scope, **filters: Any) -> list[int]:
    today = now().astimezone(KYIV).date()
    ask = Ask(Period(today, today, KYIV), Filters(**filters), scope, now(), "en")
    found = list(LISTS[name].ids(session, ask))
    assert len(found) == len(set(found))
    return found


@pytest.fixture
def crew(cast: Cast) -> Team:
    """Alice's team, which Billing belongs to."""
    with ext.write() as session:
        team = Team(name="Crew", sort_key=sort_key("Crew"), created_at=now())
        session.add(team)
        session.flush()
        session.get_one(User, cast.alice.id).team_id = team.id
        session.get_one(Queue, cast.billing.id).team_id = team.id
        return team


@pytest.fixture
def busy(cast: Cast, crew: Team) -> None:
    """Tickets, callers and callbacks, drawn by chance."""
    pick = random.Random(11)
    owners = [None, cast.alice.id, cast.bob.id]
    with ext.write() as session:
        for number in range(60):
            queue = cast.support.id if number % 2 else cast.billing.id
            live(session, cast, now() - 5 * HOUR, [], queue)
        for ticket in session.scalars(select(Ticket).order_by(Ticket.id)):
            ticket.assignee_id = pick.choice(owners)
            ticket.sla = pick.choice([None, None, "risk", "breached"])
            ticket.next_due_at = pick.choice(
                [None, now() + timedelta(minutes=pick.randrange(-90, 90))]
            )
            ticket.waiting_since = pick.choice(
                [None, now() - timedelta(minutes=pick.randrange(300))]
            )
            if pick.random() < 0.1:
                ticket.status, ticket.done_at = Status.RESOLVED, now()
            if pick.random() < 0.05:
                ticket.merged_into_id = 1
        for number in range(12):
            task = plan(
                session,
                kind=TaskKind.CALLBACK if number % 5 else TaskKind.TASK,
                client_id=cast.oksana.client_id,
                person_id=cast.oksana.person_id,
                number=f"+3806712345{number:02}",
                queue_id=pick.choice([cast.support.id, cast.billing.id]),
                owner_id=pick.choice(owners),
                due_at=now() + HOUR,
                at=now(),
            )
            task.due_at = now() + timedelta(minutes=pick.randrange(-60, 120))
    for number in range(5):
        desk.waits(pick.choice([cast.support.id, cast.billing.id]), f"+3806700000{number:02}")


@pytest.mark.usefixtures("busy")
def test_every_number_is_as_long_as_its_list(cast: Cast, crew: Team) -> None:
    scopes = [
        Scope(),
        Scope(team_id=crew.id),
        Scope(user_id=cast.bob.id),
        Scope(nothing=True),
    ]
    with ext.session() as session:
        for scope in scopes:
            board = seen(session, scope)
            for name, attribute in COUNTED.items():

                def count(some: Numbers, attribute: str = attribute) -> int:
                    return int(getattr(some, attribute))

                whole = listed(session, name, scope)
                assert len(whole) == count(board.total), (scope, name)
                for queue_id, some in board.queues.items():
                    mine = listed(session, name, scope, queue=queue_id)
                    assert len(mine) == count(some), (scope, name, queue_id)
                for team_id, some in board.teams.items():
                    mine = listed(session, name, scope, team=team_id)
                    assert len(mine) == count(some), (scope, name, team_id)
                if name in ("now_open", "now_breached", "now_due", "now_unanswered"):
                    for agent_id, some in board.agents.items():
                        mine = listed(session, name, scope, agent=agent_id)
                        assert len(mine) == count(some), (scope, name, agent_id)
        board = seen(session)
        assert min(getattr(board.total, name) for name in COUNTED.values()) > 0, "all were tried"
        oldest = session.get_one(Ticket, listed(session, "now_unanswered", Scope())[0])
        assert oldest.waiting_since == board.total.oldest
        assert seen(session, Scope(nothing=True)).queues == {}


@pytest.mark.usefixtures("busy")
def test_next_to_breach_are_the_latest_broken_and_the_first_that_will_be(cast: Cast) -> None:
    with ext.session() as session:
        found = seen(session).promises
        due = [one.due_at for one in found]
        assert due == sorted(due) and 3 <= len(found) <= 6
        assert sum(one.due_at <= now() for one in found) <= 3
        assert all(one.due_at <= now() + HOUR for one in found)
        mine = seen(session, Scope(user_id=cast.bob.id)).promises
        assert {one.assignee_id for one in mine} <= {cast.bob.id}


def test_people_stand_with_what_they_are_on(cast: Cast, clock: Any, crew: Team) -> None:
    with ext.write() as session:
        desk.on(session, cast.alice.id)
        desk.on(session, cast.bob.id)
    caller = desk.waits(cast.support.id)
    with ext.session() as session:
        board = seen(session)
        assert (board.free, len(board.on_shift), board.total.calls) == (2, 2, 1)
        assert board.total.first_call == now()
    desk.distribute()
    with ext.session() as session:
        board = seen(session)
        (one,) = [one for one in board.on_shift if one.state == Availability.IN_CALL]
        assert (one.call_id, board.free) == (caller.call_id, 1)
        assert [who.name for who in seen(session, Scope(team_id=crew.id)).on_shift] == ["Alice"]
    with ext.write() as session:
        row = session.get_one(Presence, cast.bob.id)
        row.state, row.paused = Availability.BREAK, True
    with ext.session() as session:
        assert seen(session).free == 0


def test_the_service_level_is_that_of_the_calls_report(cast: Cast, clock: Any) -> None:
    with ext.write() as session:
        desk.on(session, cast.alice.id)
    quick = desk.waits(cast.support.id, "+380670000001")
    desk.distribute()
    desk.rings(cast.alice.id)
    desk.talk(quick, cast.alice.id)
    clock.shift(60)
    desk.waits(cast.billing.id, "+380670000002")
    clock.shift(40)
    desk.waits(cast.billing.id, "+380670000003")  # may still be answered in time
    with ext.session() as session:
        board = seen(session)
        assert board.total.served.share == 0.5
        shares = {id_: some.served.share for id_, some in board.queues.items()}
        assert shares == {cast.support.id: 1.0, cast.billing.id: 0.0}
        today = now().astimezone(KYIV).date()
        ask = Ask(Period(today, today, KYIV), Filters(), Scope(), now(), "en")
        tiles = {measure.key: cell.value for measure, cell in phone.report(session, ask).tiles}
        assert board.total.served.share in tiles.values()
    midnight = datetime.combine(today + timedelta(days=1), time(), KYIV)
    for moment, share in ((midnight - timedelta(seconds=1), True), (midnight, False)):
        clock.move_to(moment)
        with ext.session() as session:
            assert (seen(session).total.served.share is not None) == share, moment


@pytest.mark.usefixtures("busy")
def test_a_snapshot_takes_few_statements_and_reads_no_whole_table(app: Flask) -> None:
    with ext.session() as session:
        with caught() as sent:
            seen(session)
        assert len(sent) <= 11
        assert whole_tables(sent) == []


def test_levels_say_from_where_on_somebody_must_act(cast: Cast) -> None:
    known = limits({})
    at = datetime(2026, 11, 23, 10, tzinfo=KYIV)
    some = Numbers(calls=3, breached=1, due=2, oldest=at - timedelta(days=2))
    level = judged(some, at, known)
    assert level["calls"] == Level.WARN and level["breached"] == Level.BAD
    assert level["due"] == Level.GOOD and level["oldest"] == Level.WARN
    assert level["service"] is None and level["longest"] is None, "nothing to judge"
    assert worst(level) == Level.BAD and worst({"calls": None}) is None
    assert known["service"].level(0.8) == Level.GOOD, "the goal itself is met"
    assert known["service"].level(0.69) == Level.BAD
    wanted = {usual.key: (usual.warn, usual.bad) for usual in USUAL}
    with ext.write() as session:
        actor = Actor(user_id=cast.sam.id)
        levels.put(session, wanted | {"calls": (10, 20)}, actor=actor)
        for wrong in ({"calls": (5, 4)}, {"service": (0.7, 0.8)}, {"due": (-1, 3)}):
            with pytest.raises(HelpdeskError):
                levels.put(session, wanted | wrong, actor=actor)
        stored = settings.get(session, levels.SETTING)
    assert limits(stored)["calls"].level(9) == Level.GOOD
    assert limits({"calls": "broken"})["calls"].warn == 3
