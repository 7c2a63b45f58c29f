"""What we ask of the carrier is done once, whatever happens to the request or to us."""

import threading
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.calls import claims, commands, outgoing, record
from helpdesk.calls.carriers import carrier
from helpdesk.calls.models import (
    Call,
    CallCommand,
    CallLeg,
    CallState,
    CommandState,
    Direction,
    EndReason,
    LegRole,
    LegState,
    Offer,
    OfferOutcome,
    Provider,
)
from helpdesk.lib.clock import now
from tests.calls.phones import Leg, Phone
from tests.cast import Cast

THEIRS = "+380671234567"
CALLS = "POST /2010-04-01/Accounts"


def waiting(phone: Phone) -> Leg:
    """A caller in the queue."""
    leg = phone.call().listen().press("0")
    assert leg.listen().queue
    return leg


def of_kind(kind: str) -> list[CallCommand]:
    with ext.session() as session:
        query = select(CallCommand).where(CallCommand.kind == kind).order_by(CallCommand.id)
        return list(session.scalars(query))


def the_call(session: Session) -> Call:
    return session.scalars(select(Call).order_by(Call.id)).one()


def order(kind: str, key: str = "k", **data: object) -> None:
    with ext.write() as session:
        commands.order(session, the_call(session), kind, key=key, at=now(), **data)


def dialled(cast: Cast, number: str = THEIRS) -> int:
    """An outbound call whose customer is to be rung."""
    with ext.write() as session:
        call = outgoing.create(
            session, number=number, queue_id=cast.support.id, language="uk", at=now()
        )
        leg = record.customer_leg(session, call)
        commands.order(
            session, call, "ring_customer", key="r", at=now(), leg=leg, to=number, timeout=90
        )
        return call.id


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fault", ["rest-lost", "rest-timeout", "rest"])
def test_an_agent_is_rung_once_whatever_became_of_the_request(
    phone: Phone, cast: Cast, fault: str
) -> None:
    """Done but not told, not done and not told, refused for now: one telephone rings in the end."""
    phone.agents[cast.alice].on_duty(cast.alice)
    status = {"status": 503} if fault == "rest" else {}
    phone.faults.add(fault, "Calls", **status)
    waiting(phone)
    phone.advance(3)
    assert len(phone.agents[cast.alice].legs) == 1
    assert phone.agents[cast.alice].ringing
    (ring,) = of_kind("ring_agent")
    told = fault == "rest-lost"  # by the telephone itself, whose state came as a webhook
    assert (ring.state, ring.attempts) == (CommandState.DONE, 1 if told else 2)
    phone.agents[cast.alice].answer()
    phone.advance(2)
    with ext.session() as session:
        assert the_call(session).state == CallState.TALKING


def test_a_worker_that_died_after_the_request_rings_nobody_twice(
    phone: Phone, cast: Cast, app: Flask, clock: time_machine.Traveller
) -> None:
    phone.call(THEIRS).hang_up()
    dialled(cast)
    with ext.session() as session:
        ((id_, _call),) = claims.due(session, now(), 5)
    with ext.write() as session:
        task = claims.claim(session, id_, now())
    assert task is not None
    commands._ask(task)  # and here it died
    assert commands.run_due() == 0  # another one waits for the end of its claim
    clock.shift(claims.LEASE + timedelta(seconds=1))
    phone.settle()
    assert len(phone.agents[THEIRS].legs) == 1
    assert of_kind("ring_customer")[0].state == CommandState.DONE
    with ext.session() as session:
        call = session.scalars(select(Call).where(Call.direction == Direction.OUTBOUND)).one()
        assert call.provider_id == phone.agents[THEIRS].legs[0].sid


def test_two_workers_do_one_thing_once(phone: Phone, cast: Cast, app: Flask) -> None:
    dialled(cast)
    taken = []
    start = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            with ext.session() as session:
                found = claims.due(session, now(), 5)
            start.wait(5)
            for id_, _call in found:
                with ext.write() as session:
                    if claims.claim(session, id_, now()) is not None:
                        taken.append(id_)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1


def test_what_the_carrier_refuses_for_good_is_given_up_loudly(phone: Phone, cast: Cast) -> None:
    phone.faults.add("rest", "Calls", status=400, code=21211)
    call_id = dialled(cast)
    phone.settle()
    (ring,) = of_kind("ring_customer")
    assert (ring.state, ring.due_at, ring.attempts) == (CommandState.FAILED, None, 1)
    assert (ring.last_error or "").startswith("21211")
    with ext.session() as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.end_reason) == (CallState.ENDED, EndReason.FAILED)
        assert call.over_at is not None


def test_an_agent_whose_telephone_cannot_be_rung_costs_no_place(phone: Phone, cast: Cast) -> None:
    phone.agents[cast.alice].on_duty(cast.alice)
    phone.faults.add("rest", "Calls", status=400, code=21217)
    leg = waiting(phone)
    with ext.session() as session:
        call = the_call(session)
        offer = session.scalars(select(Offer)).one()
        assert offer.outcome == OfferOutcome.UNANSWERED
        assert (call.waiting, call.place_at) == (1, call.queued_at)
    assert leg.queue


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_trying_again_takes_longer_each_time_and_ends(phone: Phone, cast: Cast) -> None:
    phone.faults.add("rest", "Calls", status=429, times=1000)
    dialled(cast)
    phone.settle()
    first = of_kind("ring_customer")[0]
    assert first.due_at is not None
    assert timedelta(seconds=0.2) <= first.due_at - now() <= timedelta(seconds=0.5)
    phone.advance(30)
    later = of_kind("ring_customer")[0]
    assert 4 <= later.attempts <= 12
    phone.advance(claims.STALE.total_seconds())
    (ring,) = of_kind("ring_customer")
    assert (ring.state, ring.due_at) == (CommandState.FAILED, None)


def test_hanging_up_what_is_gone_is_done(phone: Phone, cast: Cast) -> None:
    leg = waiting(phone)
    phone.faults.add("drop", "/twilio/", times=20)
    leg.hang_up()  # and nobody tells us
    phone.faults.clear()
    order("hang_up")
    phone.settle()
    assert [one.state for one in of_kind("hang_up")] == [CommandState.DONE]


def test_a_redirect_that_comes_too_late_asks_how_the_call_stands(phone: Phone, cast: Cast) -> None:
    leg = waiting(phone)
    phone.faults.add("drop", "/twilio/", times=20)
    leg.hang_up()
    phone.faults.clear()
    order("redirect", step="voicemail")
    phone.settle()
    assert [one.state for one in of_kind("redirect")] == [CommandState.FAILED]
    assert [one.state for one in of_kind("fetch")] == [CommandState.DONE]
    with ext.session() as session:
        assert the_call(session).end_reason == EndReason.ABANDONED_QUEUE


def test_the_same_order_twice_is_one_and_nobody_steers_a_foreign_exchange(
    phone: Phone, cast: Cast
) -> None:
    waiting(phone)
    for _ in range(3):
        order("redirect", step="wait")
    assert len(of_kind("redirect")) == 1
    with pytest.raises(ValueError, match="no command"):
        order("dance")
    with ext.write() as session:
        about = {"provider_id": "x", "direction": Direction.INBOUND, "at": now()}
        call = record.create(session, provider=Provider.PBX, **about)  # type: ignore[arg-type]
        commands.order(session, call, "hang_up", key="foreign", at=now())
    assert of_kind("hang_up") == []


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_only_the_last_word_about_hold_counts(phone: Phone, cast: Cast) -> None:
    """While the carrier was away the agent held and went on: nobody is left on hold."""
    phone.agents[cast.alice].on_duty(cast.alice)
    leg = waiting(phone)
    phone.agents[cast.alice].answer()
    phone.advance(2)
    phone.faults.add("rest", "Participants", status=503)
    order("hold", "h1")
    phone.settle()
    order("unhold", "h2")
    phone.advance(3)
    assert [one.state for one in of_kind("hold")] == [CommandState.DROPPED]
    assert [one.state for one in of_kind("unhold")] == [CommandState.DONE]
    assert not leg.held


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_nobody_is_rung_for_a_caller_who_left(phone: Phone, cast: Cast) -> None:
    """Between the offer and the ringing: the offer is closed, the telephone stays silent."""
    phone.agents[cast.alice].on_duty(cast.alice)
    phone.faults.add("rest", "Calls", status=503, times=3)
    leg = waiting(phone)
    leg.hang_up()
    phone.advance(10)
    assert phone.agents[cast.alice].legs == []
    assert [one.state for one in of_kind("ring_agent")] == [CommandState.DROPPED]
    assert {one.state for one in of_kind("hang_up")} <= {CommandState.DONE}


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_a_hang_up_waits_for_the_name_of_the_leg_that_rings(phone: Phone, cast: Cast) -> None:
    """The answer to the request to ring was lost; the hang-up finds its telephone all the same."""
    phone.agents[cast.alice].on_duty(cast.alice)
    phone.faults.add("drop", "/twilio/status?offer", times=5)
    phone.faults.add("rest-lost", "Calls")
    leg = waiting(phone)
    leg.hang_up()
    phone.advance(10)
    (rung,) = phone.agents[cast.alice].legs
    assert rung.over
    phone.advance(100)  # its own words were lost
    phone.job("reconcile")
    with ext.session() as session:
        call = the_call(session)
        legs = session.scalars(select(CallLeg).order_by(CallLeg.id)).all()
        assert {one.state in (LegState.COMPLETED, LegState.CANCELED) for one in legs} == {True}
        assert call.over_at is not None


def test_many_calls_are_served_together(phone: Phone, cast: Cast) -> None:
    legs = [phone.call(f"+38067{count:07}") for count in range(12)]
    with ext.write() as session:
        for call in session.scalars(select(Call).order_by(Call.id)):
            commands.order(session, call, "hang_up", key=f"end-{call.id}", at=now())
    phone.settle()
    assert all(leg.over for leg in legs)
    assert {one.state for one in of_kind("hang_up")} == {CommandState.DONE}
    with ext.session() as session:
        ends = session.scalars(select(CallLeg.state).where(CallLeg.role == LegRole.CUSTOMER))
        assert set(ends) == {LegState.COMPLETED}


def test_the_carrier_is_asked_in_no_transaction(phone: Phone, cast: Cast, app: Flask) -> None:
    """While a request is under way others can write."""
    order_seen = []

    def slow(*_: object, **__: object) -> None:
        with ext.write(0.5) as session:
            session.execute(select(Call.id))
        order_seen.append("wrote")

    waiting(phone)
    order("hang_up")
    company = carrier()
    company.hang_up = slow  # type: ignore[method-assign]
    commands.run_due()
    del company.hang_up
    assert order_seen == ["wrote"]


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_whoever_may_ring_is_looked_for_but_not_rung_when_nobody_waits(
    phone: Phone, cast: Cast
) -> None:
    """The carrier was mute while the offer ran out: no telephone rings for it afterwards."""
    phone.agents[cast.alice].on_duty(cast.alice)
    phone.faults.add("rest-timeout", "Calls", times=9)
    waiting(phone)
    phone.advance(40)
    phone.faults.clear()
    phone.advance(40)
    assert phone.agents[cast.alice].legs == []
    assert [one.state for one in of_kind("ring_agent")] == [CommandState.DROPPED]
