"""What we missed is asked for: calls, recordings, ends; nothing is lost, nothing is twice."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from helpdesk import ext
from helpdesk.calls import flow, reconcile, record
from helpdesk.calls.models import (
    Call,
    CallState,
    Direction,
    EndReason,
    Provider,
    Recording,
    RecordingState,
)
from helpdesk.lib.clock import now
from helpdesk.planner.models import Task
from helpdesk.tickets.models import Ticket
from tests.calls.phones import OURS, TWIN_URL, Leg, Phone
from tests.cast import Cast


def calls() -> list[Call]:
    with ext.session() as session:
        return list(session.scalars(select(Call).order_by(Call.id)))


def the_call() -> Call:
    (call,) = calls()
    return call


def count(model: type[ext.Base]) -> int:
    with ext.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def waiting(phone: Phone) -> Leg:
    leg = phone.call().listen().press("0")
    assert leg.listen().queue
    return leg


def unheard(phone: Phone) -> None:
    """From now on no report reaches us."""
    phone.faults.add("drop", "/twilio/", times=1000)


def again(phone: Phone) -> None:
    phone.faults.clear()
    phone.settle()


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_a_call_whose_end_was_not_told_is_asked_after(phone: Phone, cast: Cast) -> None:
    leg = waiting(phone)
    phone.advance(400, every=40)
    reconcile.run()
    unheard(phone)
    leg.hang_up()
    ended_at = now()
    again(phone)
    phone.advance(60, every=30)
    reconcile.run()
    assert the_call().state == CallState.QUEUED  # not silent for long enough
    phone.advance(40, every=20)
    found = reconcile.run()
    phone.settle()
    call = the_call()
    assert (call.state, call.end_reason) == (CallState.ENDED, EndReason.ABANDONED_QUEUE)
    assert (call.ended_at, call.reconciled, found.did) == (ended_at, True, 1)
    assert (count(Ticket), count(Task)) == (1, 1)
    assert reconcile.run().did == 0


def test_a_caller_who_only_waits_is_left_alone(phone: Phone, cast: Cast) -> None:
    leg = waiting(phone)
    phone.advance(150, every=30)
    assert reconcile.run().did == 0
    assert (leg.queue, the_call().waiting) == (f"q-{cast.support.id}", 1)


def test_what_came_while_we_were_down_is_there_afterwards(
    phone: Phone, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telephony 7.3: the caller left a message all the same; it becomes one ticket with it."""
    reconcile.run()

    def away(*_: object, **__: object) -> None:
        raise OperationalError("BEGIN", {}, Exception("locked"))

    with monkeypatch.context() as patch:
        patch.setattr(flow, "receive", away)
        leg = phone.call("+380501112233").listen()
        leg.speak("Не працює інтернет")
        phone.advance(4)
        leg.hang_up()
        phone.advance(60, every=30)
        phone.faults.clear()
    assert calls() == []
    reconcile.run()
    phone.advance(5)
    call = the_call()
    assert (call.from_number, call.end_reason) == ("+380501112233", EndReason.VOICEMAIL)
    assert (call.reconciled, count(Ticket)) == (True, 1)
    with ext.session() as session:
        assert session.scalars(select(Recording.state)).all() == [RecordingState.STORED]
    for _ in range(2):
        phone.advance(60, every=30)
        assert reconcile.run().did == 0
    assert (len(calls()), count(Ticket), count(Recording)) == (1, 1, 1)


def test_a_call_that_never_reached_us_is_made(phone: Phone, cast: Cast) -> None:
    reconcile.run()
    unheard(phone)
    leg = phone.call("+380501112233")
    leg.hang_up()
    again(phone)
    assert calls() == []
    assert reconcile.run().calls == 1
    call = the_call()
    assert (call.from_number, call.to_number, call.reconciled) == ("+380501112233", OURS, True)
    assert call.end_reason == EndReason.ABANDONED_MENU
    assert reconcile.run().did == 0


def test_calls_of_others_in_the_same_account_are_not_ours(phone: Phone, cast: Cast) -> None:
    with ext.write() as session:
        cast.support.numbers = [OURS]
        session.merge(cast.support)
    reconcile.run()
    unheard(phone)
    for number in ("+380440000001", OURS):
        phone.call("+380501112233", number).hang_up()
    again(phone)
    reconcile.run()
    assert [call.to_number for call in calls()] == [OURS]


def test_what_was_before_the_first_round_is_not_ours(
    phone: Phone, cast: Cast, clock: time_machine.Traveller
) -> None:
    unheard(phone)
    phone.call().hang_up()
    again(phone)
    clock.shift(timedelta(hours=1))
    assert reconcile.run().did == 0
    assert calls() == []


def test_a_carrier_that_is_away_is_asked_from_where_we_were(
    phone: Phone, cast: Cast, app: Flask
) -> None:
    reconcile.run()
    unheard(phone)
    phone.call().hang_up()
    again(phone)
    phone.faults.add("rest", "GET", status=503, times=50)
    for _ in range(3):
        phone.advance(600, every=300)
        assert reconcile.run().error
    with ext.session() as session:
        said = reconcile.last(session)
    assert said is not None
    assert said[0] == now()
    assert said[1]
    phone.faults.clear()
    assert reconcile.run().calls == 1
    app.config["TWIN_URL"] = None
    assert reconcile.run().error
    app.config["TWIN_URL"] = TWIN_URL


def test_a_call_that_the_carrier_does_not_know_ended_when_it_fell_silent(
    phone: Phone, cast: Cast
) -> None:
    waiting(phone)
    silent_at = the_call().last_event_at
    unheard(phone)
    phone.twin.exchange.legs.clear()
    phone.advance(100, every=50)
    phone.faults.clear()
    reconcile.run()
    call = the_call()
    assert (call.state, call.ended_at, call.reconciled) == (CallState.ENDED, silent_at, True)


def test_what_nobody_can_be_asked_about_is_over_after_hours(
    app: Flask, cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        about = {"direction": Direction.INBOUND, "at": now()}
        for provider in (Provider.PBX, Provider.TWILIO):
            record.create(session, provider=provider, provider_id="1", **about)  # type: ignore[arg-type]
    clock.shift(timedelta(hours=3))
    reconcile.run()
    assert [call.over_at for call in calls()] == [None, None]
    clock.shift(timedelta(hours=2))
    reconcile.run()
    assert {call.state for call in calls()} == {CallState.ENDED}
    assert {call.over_at for call in calls()} == {calls()[0].started_at}


def test_a_recording_that_was_not_told_of_is_fetched(phone: Phone, cast: Cast) -> None:
    reconcile.run()
    leg = waiting(phone)
    leg.press("2").listen()
    leg.speak("Передзвоніть")
    phone.advance(3)
    unheard(phone)
    leg.hang_up()
    again(phone)
    with ext.write() as session:
        session.query(Recording).delete()
    phone.advance(100, every=50)
    reconcile.run()
    phone.advance(5)
    with ext.session() as session:
        recording = session.scalars(select(Recording)).one()
    assert recording.state == RecordingState.STORED
    assert the_call().end_reason == EndReason.VOICEMAIL


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_everything_lost_and_twice_and_late_still_ends_right(phone: Phone, cast: Cast) -> None:
    """A whole talk of which half of the reports are lost, late or come twice."""
    phone.agents[cast.alice].on_duty(cast.alice)
    for kind in ("drop", "duplicate", "reorder", "delay"):
        for match in ("/twilio/status", "/twilio/conference"):
            phone.faults.add(kind, match, times=2, seconds=7)
    leg = waiting(phone)
    phone.advance(3)
    phone.agents[cast.alice].answer()
    phone.advance(20)
    leg.hang_up()
    phone.advance(200, every=20)
    phone.job("reconcile")
    phone.advance(100, every=20)
    call = the_call()
    assert (call.state, call.end_reason) == (CallState.ENDED, EndReason.TALKED)
    assert call.over_at is not None
    assert count(Ticket) == 1
