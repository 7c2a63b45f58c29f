"""The report on calls: what counts as answered, abandoned and neither, and by which formula."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.models import ReportScope, Team, User
from helpdesk.calls.models import (
    Call,
    CallState,
    Direction,
    EndReason,
    Offer,
    OfferOutcome,
    Provider,
)
from helpdesk.clients.models import Client
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.planner.models import Task, TaskKind, TaskResult, TaskState
from helpdesk.products import Product
from helpdesk.reports.calls import report as phone
from helpdesk.reports.calls import rows as call_rows
from helpdesk.reports.calls.rows import Ended
from helpdesk.reports.columns import bundles
from helpdesk.reports.sheet import Ask, Report
from helpdesk.tickets.models import ContactReason, Priority
from tests.cast import Cast
from tests.reports.behind import check, check_sums
from tests.reports.rows import ask_of, place, scatter
from tests.web.conftest import counted

SECOND = timedelta(seconds=1)
NUMBERS = count()
Asks = Callable[..., Ask]


def called(session: Session, at: datetime, wait: float = 10, **values: Any) -> int:
    """A call that entered the queue at that moment and was answered after `wait` seconds, talked
    for a minute and written up in another; without `answered_at` it ended then. Its id."""
    number, waited = next(NUMBERS), at + wait * SECOND
    talked = values.get("answered_at", waited)
    ended = values.get("ended_at", waited + 60 * SECOND if talked else waited)
    plain: dict[str, Any] = {
        "provider": Provider.TWIN,
        "provider_id": f"CA{number}",
        "token": f"t{number}",
        "direction": Direction.INBOUND,
        "language": "uk",
        "state": CallState.ENDED,
        "end_reason": EndReason.TALKED if talked else EndReason.ABANDONED_QUEUE,
        "step": {},
        "facts": {},
        "started_at": at - 30 * SECOND,
        "queued_at": at,
        "answered_at": waited,
        "ended_at": ended,
        "wrapped_at": ended + 60 * SECOND if talked and ended else None,
        "last_event_at": at,
    }
    row = insert(Call).values(plain | values).returning(Call.id)
    return int(session.execute(row).scalar_one())


def left(session: Session, at: datetime, wait: float, reason: EndReason, **values: Any) -> int:
    """A call that nobody answered."""
    return called(session, at, wait, answered_at=None, end_reason=reason, **values)


def rings(session: Session, call_id: int, user: User, *outcomes: OfferOutcome) -> None:
    for outcome in outcomes:
        row = Offer(call_id=call_id, user_id=user.id, offered_at=now(), expires_at=now())
        row.closed_at, row.outcome = now(), outcome
        session.add(row)
    session.flush()


def callback(session: Session, cast: Cast, due: datetime, **values: Any) -> int:
    plain: dict[str, Any] = {
        "kind": TaskKind.CALLBACK,
        "state": TaskState.PLANNED,
        "client_id": cast.oksana.client_id,
        "queue_id": cast.support.id,
        "due_at": due,
        "created_at": due - timedelta(hours=2),
    }
    row = insert(Task).values(plain | values).returning(Task.id)
    return int(session.execute(row).scalar_one())


def totals(report: Report) -> dict[str, float | None]:
    """The numbers of the whole report by measure."""
    found: dict[str, float | None] = {}
    for table in report.tables:
        assert table.total is not None
        for measure, cell in zip(table.measures, table.total.cells, strict=True):
            assert found.setdefault(measure.key, cell.value) == cell.value
    return found


def made(ask: Ask) -> dict[str, float | None]:
    with ext.session() as session:
        return totals(phone.report(session, ask))


@pytest.fixture
def sam(cast: Cast) -> Asks:
    """What the supervisor asks."""

    def ask(**args: str) -> Ask:
        return ask_of(cast.sam, **args)

    return ask


def test_five_formulas_of_the_service_level(cast: Cast, sam: Asks) -> None:
    """The worked example of the field: 1000 answered, 860 of them in 20 seconds; 60 gave up, 20 of
    them within 20 seconds and 10 of these within 5."""
    at = now() - timedelta(hours=2)
    waits = {10: 860, 30: 140}
    gave_up = {3: 10, 12: 10, 60: 40}
    with ext.write() as session:
        for wait, times in waits.items():
            for _n in range(times // 20):
                called(session, at, wait)
        for wait, times in gave_up.items():
            for _n in range(times // 20 or 1):
                left(session, at, wait, EndReason.ABANDONED_QUEUE)
        rows, _ = call_rows.read(session, sam())
    whole = [row for row in rows for _n in range(20 if row.answered or row.wait > 30 else 10)]
    assert phone.service_level(whole) == (860, 1050)
    from_columns = {
        column.measure.key: round(100 * (column.value(bundles(whole)) or 0), 2)
        for column in phone.LEVELS
    }
    assert from_columns == {
        "calls_f1": 83.02,
        "calls_f2": 86.0,
        "calls_f3": 81.13,
        "calls_f4": 82.69,
        "calls_f5": 81.9,
    }


def test_each_call_comes_to_one_thing(cast: Cast, sam: Asks) -> None:
    at = now() - timedelta(hours=1)
    queue = {"queue_id": cast.support.id}
    with ext.write() as session:
        called(session, at, 20, **queue)  # on the second
        called(session, at, 20.5, **queue)
        left(session, at, 5, EndReason.ABANDONED_RING, **queue)
        left(session, at, 5.5, EndReason.ABANDONED_QUEUE, **queue)
        left(session, at, 40, EndReason.CALLBACK, **queue)
        left(session, at, 40, EndReason.VOICEMAIL, **queue)
        left(session, at, 40, EndReason.NO_MESSAGE, **queue)
        left(session, at, 4, EndReason.FAILED, **queue)
        called(session, at, 1, queued_at=None, **queue)  # another exchange put it through itself
        called(session, at, 1, direction=Direction.OUTBOUND, **queue)
        # Was promised a callback and is still on the line; waits for long; waits since just now.
        still = {"answered_at": None, "ended_at": None, "end_reason": None, **queue}
        called(session, at, state=CallState.CALLBACK, **still)
        called(session, at, state=CallState.QUEUED, **still)
        called(session, now() - 20 * SECOND, state=CallState.QUEUED, **still)
    found = made(sam())
    assert {key: found[key] for key in list(found)[:12]} == {
        "calls_queued": 11,
        "calls_callback": 2,
        "calls_offered": 9,
        "calls_answered": 2,
        "calls_in_time": 1,
        "calls_level": pytest.approx(1 / 7),  # without the short one, and who waits for 20 seconds
        "calls_abandoned": 2,
        "calls_short": 1,
        "calls_lost": pytest.approx(1 / 7),
        "calls_voicemail": 2,
        "calls_other": 1,
        "calls_waiting": 2,
    }
    assert found["calls_asa"] == pytest.approx(20.25)
    assert found["calls_patience"] == pytest.approx(5.25)
    assert found["calls_longest"] == 3600
    assert found["calls_handled"] == 4
    with ext.session() as session:
        rows, before = call_rows.read(session, sam())
        assert sum(row.ended == Ended.WAITING for row in rows) == 2
        assert before == []


def test_work_after_the_talk_counts_and_hold_counts_once(cast: Cast, sam: Asks) -> None:
    at = now() - timedelta(hours=3)
    with ext.write() as session:
        called(session, at, 0, ended_at=at + 100 * SECOND, hold_seconds=40)
        # Left open over lunch; and what was logged by hand an hour later was no work of an hour.
        called(session, at, 0, ended_at=at, wrapped_at=at + timedelta(hours=1))
        hand = {"provider": Provider.HAND, "queued_at": None, "ended_at": at + 120 * SECOND}
        called(session, at, 0, wrapped_at=at + timedelta(hours=1), **hand)
        called(session, at, 0, ended_at=None, state=CallState.TALKING, end_reason=None)
    found = made(sam())
    assert found["calls_answered"] == 3
    assert found["calls_handled"] == 3
    assert found["calls_talk"] == pytest.approx((60 + 0 + 120) / 3)
    assert found["calls_hold"] == pytest.approx(40 / 3)
    assert found["calls_wrap"] == pytest.approx((60 + 900 + 0) / 3)
    assert found["calls_aht"] == pytest.approx(
        (found["calls_talk"] or 0) + (found["calls_hold"] or 0) + (found["calls_wrap"] or 0)
    )


def test_a_call_counts_when_it_enters_the_queue(
    cast: Cast, clock: time_machine.Traveller, sam: Asks
) -> None:
    midnight = datetime.fromisoformat("2026-11-22T22:00:00+00:00")  # in Kyiv
    with ext.write() as session:
        early = called(session, midnight - SECOND)
        late = called(session, midnight, started_at=midnight - timedelta(minutes=4))
        menu = left(session, midnight, 0, EndReason.ABANDONED_MENU, queued_at=None)
    days = {}
    for day in ("2026-11-22", "2026-11-23"):
        ask = sam(from_=day, to=day)
        with ext.session() as session:
            days[day] = phone.LISTS["calls"].ids(session, ask)
            queued = phone.LISTS["calls_menu"].ids(session, ask)
            assert (menu in queued) == (day == "2026-11-22")  # it began half a minute before
    assert days == {"2026-11-22": [early], "2026-11-23": [late]}


def test_menu_and_consent(cast: Cast, sam: Asks) -> None:
    at = now() - timedelta(hours=1)
    with ext.write() as session:
        left(session, at, 0, EndReason.CONTAINED, queued_at=None, language="en")
        left(session, at, 0, EndReason.ABANDONED_MENU, queued_at=None, consent_given=False)
        left(session, at, 0, EndReason.REFUSED, queued_at=None)
        called(session, at, consent_given=True)
        called(session, at, consent_given=True, language="ru")
        called(session, at, provider=Provider.PBX)
    found = made(sam())
    assert (found["calls_menu"], found["calls_contained"]) == (4, 1)
    assert found["calls_containment"] == pytest.approx(1 / 4)
    assert (found["calls_consent"], found["calls_refused"]) == (3, 1)
    assert found["calls_refusal"] == pytest.approx(1 / 3)
    assert made(sam(language="en"))["calls_containment"] == 1


def test_offers_count_for_whose_telephone_rang(cast: Cast, sam: Asks) -> None:
    missed, declined = OfferOutcome.UNANSWERED, OfferOutcome.DECLINED
    with ext.write() as session:
        call = called(session, now() - timedelta(hours=1), user_id=cast.alice.id)
        rings(session, call, cast.bob, missed, missed, declined, OfferOutcome.WITHDRAWN)
        rings(session, call, cast.alice, OfferOutcome.ACCEPTED)
        ours = called(session, now() - timedelta(hours=1), direction=Direction.OUTBOUND)
        rings(session, ours, cast.bob, missed)
    found = made(sam(agent=str(cast.bob.id)))
    assert (found["calls_rings"], found["calls_rona"], found["calls_declined"]) == (4, 2, 1)
    assert found["calls_rona_rate"] == 0.5
    assert "calls_queued" not in found or found["calls_queued"] == 0
    assert made(sam())["calls_rona_rate"] == pytest.approx(2 / 5)
    with ext.session() as session:
        twice = phone.LISTS["rings_unanswered"].ids(session, sam())
        assert twice == [call, call]
        assert phone.LISTS["rings_unanswered"].ids(session, ask_of(cast.alice)) == []


def test_a_callback_is_kept_until_five_minutes_later(cast: Cast, sam: Asks) -> None:
    due = now() - timedelta(hours=1)
    grace = timedelta(minutes=5)
    tried = {"attempts": 1, "first_tried_at": due + grace}
    gone = {"state": TaskState.CANCELLED}
    with ext.write() as session:
        ticket = place(session, cast, at=due, priority=Priority.HIGH)
        talked = {"result": TaskResult.TALKED, "done_at": due, "ticket_id": ticket}
        kept = callback(session, cast, due, **tried, **talked)
        callback(session, cast, due, attempts=3, first_tried_at=due + grace + SECOND)
        callback(session, cast, due)  # nobody has tried
        callback(session, cast, due, done_at=due + grace + SECOND, **gone)  # called off too late
        callback(session, cast, due, done_at=due, **gone)  # called again in time: not owed
        callback(session, cast, now() - grace)  # there is still time
        callback(session, cast, due, kind=TaskKind.MEETING)
    found = made(sam())
    assert (found["callbacks_due"], found["callbacks_kept"]) == (4, 1)
    assert found["callbacks_kept_rate"] == 0.25
    assert found["callbacks_talked_rate"] == 0.25
    assert found["callbacks_attempts"] == 4
    with ext.session() as session:
        assert phone.LISTS["callbacks_kept"].ids(session, sam()) == [kept]
        assert phone.LISTS["callbacks"].ids(session, sam(priority="high")) == [kept]
        assert phone.LISTS["callbacks"].ids(session, sam(channel="email")) == []


def test_everybody_sees_the_calls_that_are_theirs(cast: Cast) -> None:
    at = now() - timedelta(hours=1)
    billing = {"queue_id": cast.billing.id}
    with ext.write() as session:
        team = Team(name="East", sort_key="east", created_at=at)
        session.add(team)
        session.flush()
        sam, alice = session.get_one(User, cast.sam.id), session.get_one(User, cast.alice.id)
        alice.team_id, sam.reports = team.id, ReportScope.TEAM
        session.flush()
        own = called(session, at, user_id=alice.id, **billing)
        bobs = called(session, at, user_id=cast.bob.id, queue_id=cast.support.id)
        lost = left(session, at, 30, EndReason.ABANDONED_QUEUE, queue_id=cast.support.id)
        listed = phone.LISTS["calls"].ids
        assert listed(session, ask_of(cast.ada)) == [lost, bobs, own]
        assert listed(session, ask_of(alice)) == [own]
        assert listed(session, ask_of(sam)) == []  # of no team
        sam.team_id = team.id
        assert listed(session, ask_of(sam)) == [own]
        session.get_one(type(cast.support), cast.support.id).team_id = team.id
        session.flush()
        # Bob has no team: his call is the queue's, as is the one that nobody took.
        assert listed(session, ask_of(sam)) == [lost, bobs, own]
        assert listed(session, ask_of(cast.ada, team=str(team.id))) == [lost, bobs, own]
        assert listed(session, ask_of(cast.ada, team="0")) == []
        sam.reports = ReportScope.NONE
        assert listed(session, ask_of(sam)) == []


def test_every_number_is_its_list_and_the_parts_make_the_whole(cast: Cast) -> None:
    with ext.write() as session:
        tickets = scatter(session, cast, now(), count=12)
        _calls_of_all_kinds(session, cast, tickets)
    for cut in phone.CUTS:
        ask = ask_of(cast.sam, by=cut, lines="all")
        with ext.session() as session, counted() as seen:
            report = phone.report(session, ask)
            assert len(seen) <= 8, (cut, len(seen))
            check_sums(report)
            if cut in ("team", "reason"):
                assert check(session, cast.sam, ask, report) > 40
        assert {table.key for table in report.tables} >= {"calls", "times", "levels", "rings"}
    with ext.session() as session, pytest.raises(HelpdeskError):
        phone.report(session, ask_of(cast.sam, by="priority"))


def _calls_of_all_kinds(session: Session, cast: Cast, tickets: list[int]) -> None:
    """Of eight weeks; all that reports divide by differs."""
    chance = random.Random(3)
    products = [None, *session.scalars(select(Product.id).order_by(Product.id))]
    reasons = [None, *session.scalars(select(ContactReason.id).order_by(ContactReason.id))]
    clients = [None, *session.scalars(select(Client.id).order_by(Client.id))]
    for _n in range(30):
        about = {
            "queue_id": chance.choice([None, cast.support.id, cast.billing.id]),
            "client_id": chance.choice(clients),
            "ticket_id": chance.choice([None, *tickets]),
            "product_id": chance.choice(products),
            "reason_id": chance.choice(reasons),
            "language": chance.choice(["uk", "ru", "en"]),
        }
        at = now() - timedelta(minutes=chance.randrange(1, 56 * 1440))
        user = chance.choice([cast.alice, cast.bob, cast.sam])
        reason = chance.choice([None, None, *EndReason])
        wait = chance.choice([3, 15, 90])
        if reason in (None, EndReason.TALKED):
            call = called(session, at, wait, user_id=user.id, **about)
        else:
            call = left(session, at, wait, reason, **about)
        rings(session, call, user, *chance.choices(list(OfferOutcome), k=2))
        of_task = ("queue_id", "ticket_id", "language")
        due = {name: about[name] for name in of_task} | {"owner_id": chance.choice([None, user.id])}
        callback(session, cast, at, attempts=1, first_tried_at=at, **due)
