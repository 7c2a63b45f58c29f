"""Alarms: over or under for so long, told once to whom it concerns, ended, acknowledged, logged."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from helpdesk import ext, jobs
from helpdesk.accounts.models import ReportScope, Role, Team, User
from helpdesk.events import Actor, Event, record
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound
from helpdesk.notices import Notice
from helpdesk.outbox.models import Outgoing
from helpdesk.reactions import react
from helpdesk.reports.alarms import rules as alarm_rules
from helpdesk.reports.alarms import sweep as alarms
from helpdesk.reports.alarms import watched
from helpdesk.reports.alarms.gauges import GAUGES, Subject
from helpdesk.reports.alarms.rules import Wanted
from helpdesk.reports.alarms.watched import ALL, REPORTED
from helpdesk.reports.filters import Filters
from helpdesk.reports.models import Alarm
from helpdesk.reports.names import REPORTS
from helpdesk.reports.period import Period
from helpdesk.reports.scope import Scope
from helpdesk.reports.sheet import Ask
from helpdesk.reports.wallboard.snapshot import snapshot
from helpdesk.tickets.models import Metric, Queue
from tests.calls import desk
from tests.cast import Cast

KYIV = ZoneInfo("Europe/Kyiv")
BUSY = Wanted("Busy", "calls", "over", 1, role="supervisor", for_seconds=60)


def made(cast: Cast, wanted: Wanted = BUSY, scope: Scope | None = None, **more: Any) -> int:
    with ext.write() as session:
        wanted = Wanted(**{**vars(wanted), **more})
        actor = Actor(user_id=cast.sam.id)
        return alarm_rules.create(session, wanted, scope or Scope(), actor=actor, at=now()).id


def look() -> None:
    """What the worker does, until there is nothing more to do."""
    jobs.watch_alarms()
    react(limit=200)


def all_alarms() -> list[Alarm]:
    with ext.session() as session:
        return list(session.scalars(select(Alarm).order_by(Alarm.id)))


def happened(*kinds: str) -> list[str]:
    with ext.session() as session:
        query = select(Event.kind).where(Event.kind.like("alarm%")).order_by(Event.id)
        return [kind for kind in session.scalars(query) if not kinds or kind in kinds]


def told() -> list[int]:
    with ext.session() as session:
        query = select(Notice.user_id).where(Notice.kind == "alarm.began").order_by(Notice.id)
        return list(session.scalars(query))


def test_an_alarm_begins_after_its_time_and_ends_by_itself(cast: Cast, clock: Any) -> None:
    rule_id = made(cast)
    callers = [desk.waits(cast.support.id, f"+38067000000{n}") for n in range(3)]
    look()
    assert all_alarms() == [], "not for long enough"
    clock.shift(45)
    look()
    assert all_alarms() == []
    clock.shift(20)
    look()
    (alarm,) = all_alarms()
    assert (alarm.rule_id, alarm.value, alarm.ended_at) == (rule_id, 3, None)
    assert told() == [cast.sam.id]
    desk.waits(cast.support.id, "+380670000009")
    clock.shift(20)
    look()
    assert all_alarms()[0].worst == 4
    for caller in callers:
        caller.hang_up()
    clock.shift(20)
    look()
    (alarm,) = all_alarms()
    assert alarm.ended_at == now() and told() == [cast.sam.id]
    assert happened() == ["alarm_rule.created", "alarm.began", "alarm.ended"]


def test_a_dip_below_the_limit_begins_the_time_anew(cast: Cast, clock: Any) -> None:
    made(cast, for_seconds=60)
    first, second = (desk.waits(cast.support.id, f"+38067000000{n}") for n in range(2))
    look()
    clock.shift(40)
    second.hang_up()
    look()
    clock.shift(20)
    desk.waits(cast.support.id, "+380670000005")
    look()
    clock.shift(50)
    look()
    assert all_alarms() == []
    clock.shift(20)
    look()
    assert len(all_alarms()) == 1 and first.call.waiting


def test_two_workers_fire_once(cast: Cast, clock: Any) -> None:
    made(cast, for_seconds=0)
    desk.waits(cast.support.id, "+380670000001")
    desk.waits(cast.support.id, "+380670000002")
    with ext.session() as session:
        one = alarms.look(session, at=now(), zone=KYIV)
        other = alarms.look(session, at=now(), zone=KYIV)
    assert one == other
    with ext.write() as session:
        assert alarms.sweep(session, one, now()) == 1
    with ext.write() as session:
        assert alarms.sweep(session, other, now()) == 0
    assert happened("alarm.began") == ["alarm.began"]
    clock.shift(14)
    with ext.session() as session:
        assert not alarms.due(session, now())
    clock.shift(2)
    look()
    assert happened("alarm.began") == ["alarm.began"]


def test_under_is_the_other_side_and_what_cannot_be_measured_is_no_alarm(
    cast: Cast, clock: Any
) -> None:
    made(cast, name="Level", measure="service", side="under", threshold=0.8, for_seconds=0)
    look()
    assert all_alarms() == [], "no call yet"
    caller = desk.waits(cast.support.id)
    clock.shift(30)
    look()
    assert [alarm.value for alarm in all_alarms()] == [0]
    clock.shift(3600 * 24)
    caller.hang_up()
    clock.shift(20)
    look()
    assert all_alarms()[0].ended_at is not None, "a new day, nothing to measure"


def test_who_is_told(cast: Cast, clock: Any) -> None:
    desk.waits(cast.support.id, "+380670000001")
    made(cast, name="Ada", threshold=0, for_seconds=0, role=None, user_id=cast.ada.id)
    made(cast, name="Admins", threshold=0, for_seconds=0, role="admin")
    look()
    assert told() == [cast.ada.id, cast.ada.id]
    with ext.write() as session:
        session.get_one(User, cast.sam.id).active = False
    made(cast, threshold=0, for_seconds=0)
    look()
    assert told() == [cast.ada.id] * 3, "nobody who has left: administrators instead"


def test_an_alarm_is_not_told_to_who_may_not_see_its_numbers_any_more(
    cast: Cast, clock: Any
) -> None:
    with ext.write() as session:
        team = Team(name="A", sort_key=sort_key("A"), created_at=now())
        session.add(team)
        session.flush()
        session.get_one(User, cast.bob.id).role = Role.SUPERVISOR
    named: dict[str, Any] = {"threshold": 0, "for_seconds": 0, "role": None}
    made(cast, **named, user_id=cast.sam.id, subject=Subject(queue_id=cast.support.id))
    made(cast, **named, user_id=cast.bob.id)
    with ext.write() as session:
        sam = session.get_one(User, cast.sam.id)
        sam.reports, sam.team_id = ReportScope.TEAM, team.id
        session.get_one(User, cast.bob.id).role = Role.AGENT
    made(cast, threshold=0, for_seconds=0, subject=Subject(queue_id=cast.support.id))
    desk.waits(cast.support.id)
    look()
    assert told() == [cast.ada.id] * 3
    assert {one.user_id for one in emails()} == {cast.ada.id}


def emails() -> list[Outgoing]:
    with ext.session() as session:
        found = select(Outgoing).where(Outgoing.key.startswith("alarm:")).order_by(Outgoing.id)
        return list(session.scalars(found))


def test_it_is_told_by_email_and_less_often_while_it_comes_and_goes(cast: Cast, clock: Any) -> None:
    with ext.write() as session:
        session.get_one(User, cast.sam.id).language = "uk"
    made(cast, name="Лінія зайнята", threshold=0, for_seconds=0)
    minutes = 0
    sent: list[int] = []
    while minutes < 70:  # a call each five minutes, which is soon over
        caller = desk.waits(cast.support.id)
        look()
        sent += [minutes] * (len(emails()) - len(sent))
        caller.hang_up()
        clock.shift(20)
        look()
        clock.shift(280)
        minutes += 5
    assert len(happened("alarm.began")) == 14
    assert sent == [0, 15, 45]
    assert told() == [cast.sam.id], "one notice, which says how often"
    react(limit=200)
    with ext.session() as session:
        (notice,) = session.scalars(select(Notice))
        assert notice.created_at == now() - timedelta(minutes=10), "put in the place of the first"
    first, second, _third = emails()
    assert (first.to_address, first.user_id) == ("sam@example.com", cast.sam.id)
    assert "Лінія зайнята" in first.subject and "Calls waiting" not in first.text
    assert f"/supervisor/alarms#a{all_alarms()[0].id}" in first.text
    assert "4" in second.text and len(second.text) > len(first.text)
    assert second.html is not None and first.envelope_from == ""
    clock.shift(timedelta(days=2))
    caller = desk.waits(cast.support.id)
    look()
    assert len(emails()) == 4, "quiet for a day: the first one comes at once"
    assert told() == [cast.sam.id] * 2
    caller.hang_up()
    clock.shift(20)
    look()
    desk.waits(cast.support.id)
    for told_of, pause in ((4, 20), (5, 900), (5, 3600)):
        clock.shift(pause)
        look()
        assert len(emails()) == told_of, "what came again and stays is told after the pause"
    with ext.session() as session:
        newest = session.scalars(select(Notice).order_by(Notice.id.desc())).first()
        assert newest is not None and newest.created_at == now() - timedelta(hours=1)


def test_a_team_s_alarm_is_for_those_who_see_that_team(cast: Cast, clock: Any) -> None:
    with ext.write() as session:
        crews = [Team(name=name, sort_key=sort_key(name), created_at=now()) for name in "AB"]
        session.add_all(crews)
        session.flush()
        session.get_one(Queue, cast.support.id).team_id = crews[0].id
        sam = session.get_one(User, cast.sam.id)
        sam.reports, sam.team_id = ReportScope.TEAM, crews[1].id
        ada = session.get_one(User, cast.ada.id)
        ada.role = Role.SUPERVISOR
    made(cast, threshold=0, for_seconds=0, subject=Subject(queue_id=cast.support.id))
    desk.waits(cast.support.id)
    look()
    assert told() == [cast.ada.id]
    assert [one.user_id for one in emails()] == [cast.ada.id]


def test_acknowledged_once_with_a_comment(cast: Cast, clock: Any) -> None:
    made(cast, threshold=0, for_seconds=0)
    desk.waits(cast.support.id)
    look()
    sam, ada = Actor(user_id=cast.sam.id), Actor(user_id=cast.ada.id)
    with ext.write() as session:
        (alarm,) = alarms.open_alarms(session, Scope())
        with pytest.raises(HelpdeskError):
            alarms.acknowledge(session, alarm, "x" * 501, actor=sam, at=now())
        alarms.acknowledge(session, alarm, " Called two people in ", actor=sam, at=now())
        with pytest.raises(Conflict):
            alarms.acknowledge(session, alarm, "", actor=ada, at=now())
    (alarm,) = all_alarms()
    assert (alarm.acknowledged_by, alarm.comment) == (cast.sam.id, "Called two people in")
    assert alarm.ended_at is None, "seen is not over"
    assert happened("alarm.acknowledged") == ["alarm.acknowledged"]


def test_a_changed_or_switched_off_rule_lets_go_of_its_alarm(cast: Cast, clock: Any) -> None:
    rule_id = made(cast, threshold=0, for_seconds=0)
    desk.waits(cast.support.id)
    look()
    actor = Actor(user_id=cast.ada.id)
    with ext.write() as session:
        rule = alarms.rule_for(session, Scope(), rule_id)
        wanted = Wanted("Busy", "calls", "over", 5, role="supervisor")
        with pytest.raises(Conflict):
            alarm_rules.change(session, rule, wanted, Scope(), version=9, actor=actor, at=now())
        alarm_rules.change(session, rule, wanted, Scope(), version=1, actor=actor, at=now())
        assert (rule.version, alarms.open_count(session, Scope())) == (2, 0)
        alarm_rules.switch(session, rule, False, actor=actor, at=now())
        assert not alarms.due(session, now())
        alarm_rules.switch(session, rule, True, actor=actor, at=now())
        alarm_rules.switch(session, rule, True, actor=actor, at=now())
    kinds = happened("alarm_rule.changed", "alarm.ended")
    assert kinds == ["alarm.ended", *["alarm_rule.changed"] * 3]


REFUSED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("name", {"name": " "}),
    ("name", {"name": "x" * 10_000}),
    ("measure", {"measure": "moon"}),
    ("side", {"side": "beside"}),
    ("threshold", {"threshold": -1}),
    ("threshold", {"threshold": float("nan")}),
    ("threshold", {"measure": "service", "threshold": 80}),
    ("for", {"for_seconds": 10**9}),
    ("subject", {"subject": Subject(queue_id=999_999)}),
    ("subject", {"measure": "free", "subject": Subject(queue_id=1)}),
    ("whom", {"role": None}),
    ("whom", {"role": "agent"}),
    ("whom", {"role": None, "user_id": 999_999}),
)


def test_a_rule_that_cannot_be_is_refused(cast: Cast) -> None:
    for field, more in REFUSED:
        with pytest.raises(HelpdeskError) as refused:
            made(cast, **more)
        assert refused.value.field == field, more


def test_a_supervisor_of_one_team_watches_only_that_team(cast: Cast) -> None:
    with ext.write() as session:
        crew = Team(name="Crew", sort_key=sort_key("Crew"), created_at=now())
        session.add(crew)
        session.flush()
        session.get_one(Queue, cast.billing.id).team_id = crew.id
        session.get_one(User, cast.alice.id).team_id = crew.id
        scope = Scope(team_id=crew.id)
    everything = made(cast)
    with pytest.raises(HelpdeskError):
        made(cast, scope=scope)
    with pytest.raises(HelpdeskError):
        made(cast, scope=scope, subject=Subject(queue_id=cast.support.id))
    mine = [
        made(cast, scope=scope, subject=Subject(queue_id=cast.billing.id)),
        made(cast, scope=scope, subject=Subject(team_id=scope.team_id)),
        made(cast, scope=scope, measure="open", subject=Subject(agent_id=cast.alice.id)),
    ]
    with ext.session() as session:
        assert [rule.id for rule in alarms.rules(session, scope)] == mine
        assert len(alarms.rules(session, Scope())) == 4
        assert alarms.rules(session, Scope(nothing=True)) == []
        with pytest.raises(NotFound):
            alarms.rule_for(session, scope, everything)
    with ext.write() as session:
        sam = session.get_one(User, cast.sam.id)
        sam.reports, sam.team_id = ReportScope.TEAM, scope.team_id
    made(cast, role=None, user_id=cast.sam.id, subject=Subject(queue_id=cast.billing.id))
    with pytest.raises(HelpdeskError) as refused:
        made(cast, role=None, user_id=cast.sam.id)
    assert refused.value.field == "whom", "Sam may not see everybody's"


def test_every_gauge_reads_every_subject_it_offers(cast: Cast, clock: Any) -> None:
    with ext.write() as session:
        desk.on(session, cast.alice.id)
    desk.waits(cast.support.id)
    clock.shift(timedelta(seconds=25))
    subjects = {
        "all": Subject(),
        "queue": Subject(queue_id=cast.support.id),
        "team": Subject(team_id=1),
        "agent": Subject(agent_id=cast.alice.id),
    }
    with ext.session() as session:
        board = snapshot(session, Scope(), at=now(), zone=KYIV)

    def read(key: str, subject: Subject) -> float | None:
        with ext.session() as session:
            return watched.value_of(session, ALL[key], subject, board, zone=KYIV)

    for gauge in GAUGES.values():
        for kind in gauge.of:
            assert gauge.read is not None
            value = gauge.read(board, subjects[kind])
            assert value is None or value >= 0, (gauge.key, kind)
    assert read("longest", subjects["queue"]) == 25 and read("free", Subject()) == 1
    assert read("calls_longest", subjects["queue"]) == 25, "a tile of a report of today"
    assert read("work_opened", Subject()) == 1 and read("work_opened", subjects["agent"]) == 0


def test_what_is_watched_of_a_report_is_among_its_tiles(cast: Cast) -> None:
    today = now().astimezone(KYIV).date()
    ask = Ask(Period(today, today, KYIV), Filters(), Scope(), now(), "en")
    with ext.session() as session:
        tiles = {
            name: {measure.key for measure, _cell in entry.make(session, ask).tiles}
            for name, entry in REPORTS.items()
        }
    metrics = {f"sla_{word}_{metric}" for word in ("share", "median") for metric in Metric}
    for gauge in REPORTED.values():
        assert gauge.key in tiles[gauge.report or ""] | metrics, gauge.key


def test_a_rule_on_a_report_is_looked_at_each_minute(cast: Cast, clock: Any) -> None:
    made(cast, name="Few calls", measure="calls_offered", threshold=0, for_seconds=0)
    desk.waits(cast.support.id)
    look()
    assert [alarm.value for alarm in all_alarms()] == [1]
    clock.shift(30)
    with ext.session() as session:
        assert not alarms.due(session, now())
    clock.shift(31)
    with ext.session() as session:
        assert alarms.due(session, now())


def test_somebody_who_takes_hundreds_of_files_is_noticed(cast: Cast, clock: Any) -> None:
    made(cast, name="Taken", measure="taken", threshold=100, for_seconds=0, role="admin")
    with ext.write() as session:
        for number in range(101):
            who = Actor(user_id=cast.alice.id)
            record(session, "attachment.read", actor=who, attachment_id=number)
        for number in range(60):
            who = Actor(user_id=cast.bob.id)
            record(session, "attachment.read", actor=who, attachment_id=number)
    look()
    assert [alarm.value for alarm in all_alarms()] == [101]
    assert told() == [cast.ada.id]
    with ext.session() as session:
        board = snapshot(session, Scope(), at=now(), zone=KYIV)
        of_bob = watched.value_of(
            session, ALL["taken"], Subject(agent_id=cast.bob.id), board, zone=KYIV
        )
    assert of_bob == 60
    clock.shift(timedelta(hours=1))
    look()
    assert all_alarms()[0].ended_at == now()
