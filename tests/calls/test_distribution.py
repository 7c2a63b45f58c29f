"""Who gets which call: the longest waiting caller, the longest free agent who can serve them."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from helpdesk import ext
from helpdesk.accounts import engaged, presence
from helpdesk.accounts.duty import available
from helpdesk.accounts.presence import Availability, Phone
from helpdesk.calls import distribution, menus, offers
from helpdesk.calls.models import Call, CallState, LegState, Offer, OfferOutcome
from helpdesk.lib.clock import now
from tests.calls import desk
from tests.calls.desk import distribute, on, ringing, rings, state_of, sweep, waits
from tests.cast import Cast


def test_the_longest_waiting_caller_rings_at_the_longest_free_agent(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        on(session, cast.alice.id)
    clock.shift(5)
    with ext.write() as session:
        on(session, cast.sam.id)
    first = waits(cast.support.id)
    clock.shift(5)
    second, third = waits(cast.support.id), waits(cast.support.id)
    assert distribute() == 2
    assert rings(cast.alice.id).offer.call_id == first.call_id
    assert rings(cast.sam.id).offer.call_id == second.call_id
    assert third.offers == []
    assert (first.call.state, third.call.state) == (CallState.OFFERED, CallState.QUEUED)
    assert first.orders == [("ring_agent", "agent")]
    assert state_of(cast.alice.id).state == Availability.IN_CALL
    assert distribute() == 0
    with ext.session() as session:
        assert desk.faults(session) == []


def test_queues_languages_and_skills_decide_who_may(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        on(session, cast.bob.id)  # Billing only
        clock.shift(1)
        on(session, cast.alice.id, languages=["en"])
        clock.shift(1)
        on(session, cast.sam.id, languages=["uk"], skills=["repair"])
    english = waits(cast.support.id, lang="en")
    repair = waits(cast.support.id, lang="en", skill="repair")
    billing = waits(cast.billing.id, lang="uk")
    assert distribute() == 3
    assert rings(cast.alice.id).offer.call_id == english.call_id
    assert rings(cast.sam.id).offer.call_id == repair.call_id, "nobody with the skill speaks it"
    assert rings(cast.bob.id).offer.call_id == billing.call_id


def test_a_language_that_somebody_on_duty_speaks_waits_for_them(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        on(session, cast.alice.id, languages=["en"])
        on(session, cast.sam.id, languages=["uk"])
    waits(cast.support.id, lang="uk")
    waiting = waits(cast.support.id, lang="uk")
    other = waits(cast.support.id, lang="ru")
    assert distribute() == 2
    assert waiting.offers == [], "Sam speaks Ukrainian and will be free again"
    assert rings(cast.alice.id).offer.call_id == other.call_id, "nobody speaks Russian"
    with ext.write() as session:
        on(session, cast.ada.id, languages=["en"])
        assert [one.user_id for one in available(session, now(), queue_id=cast.support.id)] == [
            cast.ada.id
        ]
        for language, found in (("uk", []), ("en", [cast.ada.id]), ("ru", [cast.ada.id])):
            people = available(session, now(), queue_id=cast.support.id, language=language)
            assert [one.user_id for one in people] == found


def test_after_some_waiting_the_people_of_the_next_queue_are_asked_too(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        menus.save(
            session,
            cast.support.id,
            at=now(),
            overflow_seconds=60,
            overflow_queue_id=cast.billing.id,
        )
        on(session, cast.bob.id)
    caller = waits(cast.support.id)
    assert distribute() == 0
    clock.shift(59)
    assert distribute() == 0
    clock.shift(1)
    assert distribute() == 1
    assert rings(cast.bob.id).offer.call_id == caller.call_id


def test_an_unanswered_offer_keeps_the_place_and_pauses_the_agent(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        on(session, cast.alice.id)
    first = waits(cast.support.id)
    clock.shift(10)
    later = waits(cast.support.id)
    distribute()
    offer = rings(cast.alice.id).offer
    place = first.call.place_at
    clock.shift(24)
    assert distribute() == 0
    with ext.session() as session:
        assert not distribution.due(session, now())
    clock.shift(1)
    with ext.session() as session:
        assert distribution.due(session, now())
    assert distribute() == 1
    assert [one.outcome for one in first.offers] == [OfferOutcome.UNANSWERED]
    assert first.call.place_at == place and first.call.state == CallState.QUEUED
    agent = state_of(cast.alice.id)
    assert (agent.state, agent.paused, agent.unanswered) == (Availability.BREAK, True, 1)
    assert distribute() == 0, "the paused one is left alone"
    with ext.write() as session:
        presence.set_state(session, cast.alice.id, "available", at=now())
    assert distribute() == 1
    again = rings(cast.alice.id).offer
    assert again.call_id == first.call_id and again.id != offer.id and not later.offers
    assert first.orders == [("ring_agent", "agent"), ("hang_up", ""), ("ring_agent", "agent")]


@pytest.mark.parametrize(
    ("ends", "outcome", "state", "paused"),
    [
        (LegState.NO_ANSWER, OfferOutcome.UNANSWERED, Availability.BREAK, True),
        (LegState.FAILED, OfferOutcome.UNANSWERED, Availability.BREAK, True),
        (LegState.BUSY, OfferOutcome.DECLINED, Availability.BREAK, False),
    ],
)
def test_what_the_carrier_says_of_the_agents_telephone_ends_the_offer(
    cast: Cast, ends: LegState, outcome: OfferOutcome, state: Availability, paused: bool
) -> None:
    with ext.write() as session:
        on(session, cast.alice.id)
        on(session, cast.sam.id)
    caller = waits(cast.support.id)
    distribute()
    phone = rings(cast.alice.id)
    phone.state(LegState.RINGING)
    phone.state(ends)
    phone.state(ends)
    agent = state_of(cast.alice.id)
    assert (agent.state, agent.paused) == (state, paused)
    assert [one.outcome for one in caller.offers] == [outcome]
    assert distribute() == 1
    assert rings(cast.sam.id).offer.call_id == caller.call_id


def test_who_declines_has_a_breath_and_is_not_paused(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        on(session, cast.alice.id)
    caller = waits(cast.support.id)
    distribute()
    rings(cast.alice.id).step("accept", digits="2", asked=1)
    assert distribute() == 0
    agent = state_of(cast.alice.id)
    assert (agent.state, agent.paused) == (Availability.BREAK, False)
    assert agent.until == now() + engaged.DECLINED
    clock.shift(engaged.DECLINED)
    assert sweep() == 1
    assert distribute() == 1
    assert [one.outcome for one in caller.offers] == [OfferOutcome.DECLINED, None]


def test_a_caller_who_leaves_is_not_held_against_the_agent(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        on(session, cast.alice.id)
    free_since = state_of(cast.alice.id).free_since
    caller = waits(cast.support.id)
    clock.shift(3)
    distribute()
    caller.hang_up()
    caller.hang_up()
    agent = state_of(cast.alice.id)
    assert (agent.state, agent.free_since) == (Availability.AVAILABLE, free_since)
    assert [one.outcome for one in caller.offers] == [OfferOutcome.WITHDRAWN]
    assert caller.orders == [("ring_agent", "agent"), ("hang_up", "")]
    assert distribute() == 0


def test_a_browser_that_is_silent_gets_no_call_and_is_off_in_the_end(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        on(session, cast.alice.id, phone=Phone.BROWSER)
    clock.shift(61)
    waits(cast.support.id)
    assert distribute() == 0
    with ext.write() as session:
        presence.seen(session, cast.alice.id, now())
    assert distribute() == 1
    rings(cast.alice.id).state(LegState.NO_ANSWER)
    clock.shift(timedelta(minutes=2))
    assert sweep() == 1
    agent = state_of(cast.alice.id)
    assert (agent.state, agent.paused) == (Availability.OFF, False)
    assert sweep() == 0


def test_the_indexes_hold_even_where_nobody_asks(cast: Cast) -> None:
    with ext.write() as session:
        on(session, cast.alice.id)
    caller = waits(cast.support.id)
    distribute()
    other = waits(cast.support.id)
    for call_id, user_id in ((caller.call_id, cast.sam.id), (other.call_id, cast.alice.id)):
        with pytest.raises(IntegrityError), ext.write() as session:
            call = session.get_one(Call, call_id)
            offers.add(session, call, user_id, now(), expires_at=now())
    with ext.write() as session:
        on(session, cast.sam.id)
        person = available(session, now(), queue_id=cast.support.id)[0]
        call = session.get_one(Call, caller.call_id)
        assert offers.ring(session, call, person, now(), ring_seconds=20) is None
    assert state_of(cast.sam.id).state == Availability.AVAILABLE
    assert ringing(cast.sam.id) is None


def at_once(app: Flask, *things: Callable[[], object]) -> None:
    """Do things in threads at the same moment; an error of any of them is raised."""
    barrier, errors = threading.Barrier(len(things)), list[BaseException]()

    def run(thing: Callable[[], object]) -> None:
        try:
            with app.app_context():
                barrier.wait(10)
                thing()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(thing,)) for thing in things]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_workers_and_events_at_the_same_moment_never_offer_twice(
    app: Flask, cast: Cast, clock: time_machine.Traveller
) -> None:
    agents = [cast.alice.id, cast.sam.id, cast.ada.id]
    for round_ in range(4):
        callers = [waits(cast.support.id, f"+38067000{round_}{n:03}") for n in range(4)]
        with ext.write() as session:
            for user_id in agents:
                on(session, user_id)
        at_once(app, distribute, distribute, distribute, callers[0].hang_up)
        with ext.session() as session:
            assert desk.faults(session) == []
            open_ = session.scalars(select(Offer).where(Offer.closed_at.is_(None))).all()
        distribute()
        assert {ringing(user_id) is not None for user_id in agents} == {True}
        assert len(open_) >= 2
        phones = [rings(user_id) for user_id in agents]
        clock.shift(30)
        at_once(app, distribute, *(phone.accept for phone in phones))
        with ext.session() as session:
            assert desk.faults(session) == []
        at_once(app, *(caller.hang_up for caller in callers), distribute)
        with ext.session() as session:
            assert desk.faults(session) == []
        for user_id in agents:
            with ext.write() as session:
                presence.set_state(session, user_id, "off", at=now())
