"""Agents and callers on real telephones of the twin: what both hear, and who ends up with whom."""

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.models import User
from helpdesk.accounts.presence import Availability
from helpdesk.calls import actions
from helpdesk.calls.models import Call, CallState, EndReason, Offer, OfferOutcome
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.tickets.models import Queue
from tests.calls.desk import state_of
from tests.calls.phones import OURS, Leg, Phone
from tests.cast import Cast

MOBILE = "+380501112233"
CLIENT = "+380671112233"


def own_phone(user: User, number: str = MOBILE) -> None:
    with ext.write() as session:
        presence.set_phone(session, user.id, "own", number, country="UA", at=now())
        presence.set_state(session, user.id, "available", at=now())


def in_queue(phone: Phone, number: str = "+380671234567") -> Leg:
    """A caller who asked for a person."""
    leg = phone.call(number).listen()
    while leg.queue is None and not leg.over and leg.asks:
        leg.press("0").listen()
    return leg


def the_call() -> Call:
    with ext.session() as session:
        return session.scalars(select(Call).order_by(Call.id.desc()).limit(1)).one()


def outcomes() -> list[OfferOutcome | None]:
    with ext.session() as session:
        return list(session.scalars(select(Offer.outcome).order_by(Offer.id)))


def on_screen(act: str, user: User, **how: bool) -> None:
    """What the agent does with the present call in the desk."""
    with ext.write() as session:
        call = session.get_one(Call, the_call().id)
        if act == "hang up":
            actions.hang_up(session, call, now(), user_id=user.id)
        else:
            actions.hold(session, call, how["held"], now(), user_id=user.id)


def test_a_voicemail_takes_no_call_and_the_next_agent_talks_holds_and_says_goodbye(
    cast: Cast, phone: Phone
) -> None:
    own_phone(cast.alice)
    caller = in_queue(phone)
    mobile = phone.agents[MOBILE].answer()
    phone.advance(1)
    phone.agents[cast.sam].on_duty(cast.sam)
    phone.advance(40)
    assert mobile.over and outcomes()[0] == OfferOutcome.UNANSWERED
    assert state_of(cast.alice.id).paused
    assert "To take it, press 1." in " ".join(mobile.heard)
    browser = phone.agents[cast.sam].answer()
    phone.advance(2)
    assert caller.talks_with == [f"agent-{cast.sam.id}"] and not mobile.conference
    assert the_call().state == CallState.TALKING
    on_screen("hold", cast.sam, held=True)
    phone.advance(5)
    assert caller.held and caller.steps[-1] == "hold"
    on_screen("hold", cast.sam, held=False)
    phone.advance(2)
    assert not caller.held and caller.talks_with
    on_screen("hang up", cast.sam)
    phone.advance(10)
    assert caller.over and browser.over and caller.steps[-1] == "after"
    assert the_call().state == CallState.WRAP_UP
    assert state_of(cast.sam.id).state == Availability.WRAP_UP
    phone.advance(60)
    assert the_call().state == CallState.ENDED
    assert state_of(cast.sam.id).state == Availability.AVAILABLE
    assert phone.problems == [] and caller.failed == []


def test_a_browser_that_vanishes_sends_the_caller_to_the_next_agent(
    cast: Cast, phone: Phone
) -> None:
    phone.agents[cast.alice].on_duty(cast.alice)
    caller = in_queue(phone)
    gone = phone.agents[cast.alice].answer()
    phone.advance(3)
    assert caller.talks_with
    later = in_queue(phone, "+380509998877")
    phone.awake.discard(cast.alice.id)
    phone.advance(20)
    gone.hang_up()
    phone.advance(12)
    assert state_of(cast.alice.id).state == Availability.OFF
    assert caller.queue and caller.steps[-2] == "after"
    phone.agents[cast.sam].on_duty(cast.sam)
    phone.advance(1)
    phone.agents[cast.sam].answer()
    phone.advance(2)
    assert caller.talks_with == [f"agent-{cast.sam.id}"]
    assert later.queue
    assert phone.problems == []


def test_the_telephone_stops_ringing_when_the_caller_leaves_and_says_so_if_it_was_answered(
    cast: Cast, phone: Phone
) -> None:
    own_phone(cast.alice)
    caller = in_queue(phone)
    caller.hang_up()
    phone.advance(1)
    assert phone.agents[MOBILE].ringing is None
    assert state_of(cast.alice.id).state == Availability.AVAILABLE
    second = in_queue(phone, "+380509998877")
    mobile = phone.agents[MOBILE].answer()
    phone.faults.add("rest", "POST", times=3)
    second.hang_up()
    mobile.press("1")
    phone.advance(20)
    assert mobile.over and state_of(cast.alice.id).state == Availability.AVAILABLE
    assert the_call().end_reason == EndReason.ABANDONED_RING
    assert outcomes()[-1] in (OfferOutcome.LATE, OfferOutcome.WITHDRAWN)


def test_an_agent_phones_a_client(cast: Cast, phone: Phone) -> None:
    own_phone(cast.alice)
    with pytest.raises(HelpdeskError, match="no number"), ext.write() as session:
        actions.call_out(session, cast.alice, CLIENT, at=now(), queue_id=cast.support.id)
    with ext.write() as session:
        session.get_one(Queue, cast.billing.id).numbers = [OURS]
        user = session.get_one(User, cast.alice.id)
        actions.call_out(session, user, CLIENT, at=now(), queue_id=cast.support.id)
    phone.advance(1)
    assert phone.agents[CLIENT].legs == []
    mobile = phone.agents[MOBILE].answer().listen()
    mobile.press("1")
    phone.advance(1)
    client = phone.agents[CLIENT].answer()
    phone.advance(2)
    assert client.talks_with == [f"agent-{cast.alice.id}"]
    assert the_call().state == CallState.TALKING
    mobile.hang_up()
    phone.advance(10)
    assert client.over and the_call().state == CallState.WRAP_UP
    with ext.write() as session:
        presence.set_state(session, cast.alice.id, "available", at=now())
    phone.advance(2)
    assert the_call().state == CallState.ENDED
    with ext.write() as session:
        actions.call_out(session, user, CLIENT, at=now(), queue_id=cast.support.id)
    phone.advance(1)
    mobile = phone.agents[MOBILE].answer().listen()
    mobile.press("1")
    phone.advance(1)
    phone.agents[CLIENT].decline()
    phone.advance(10)
    assert the_call().end_reason == EndReason.BUSY
    assert mobile.over and "did not answer" in " ".join(mobile.heard)
    assert state_of(cast.alice.id).state == Availability.AVAILABLE
    assert phone.problems == []
