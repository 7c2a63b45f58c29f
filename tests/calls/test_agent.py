"""The agent's side of a call: taking it, talking, hold, the end of it, and all that goes wrong."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.presence import Availability, Phone
from helpdesk.calls import actions, menus, outgoing, wrap_up
from helpdesk.calls.models import (
    Call,
    CallCommand,
    CallState,
    EndReason,
    LegState,
    Offer,
    OfferOutcome,
)
from helpdesk.calls.script import Conference, Enqueue, Gather, Hangup, Play, Redirect
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError
from helpdesk.tickets.models import Queue
from tests.calls import desk
from tests.calls.desk import (
    asked,
    distribute,
    joins,
    on,
    ringing,
    rings,
    state_of,
    sweep,
    talk,
    waits,
    words,
)
from tests.cast import Cast

CLIENT = "+380671112233"


def alice_on(cast: Cast, phone: Phone = Phone.OWN) -> None:
    with ext.write() as session:
        on(session, cast.alice.id, phone=phone)


def offered(cast: Cast, phone: Phone = Phone.OWN) -> tuple[desk.Caller, desk.Ringing]:
    """Alice's telephone rings for a caller of Support."""
    alice_on(cast, phone)
    caller = waits(cast.support.id)
    distribute()
    return caller, rings(cast.alice.id)


def seen(cast: Cast) -> None:
    with ext.write() as session:
        presence.seen(session, cast.alice.id, now())


def test_an_own_telephone_asks_for_a_key_so_that_a_voicemail_takes_no_call(cast: Cast) -> None:
    caller, phone = offered(cast)
    script = phone.step("agent")
    assert isinstance(script.verbs[-1], Gather)
    assert "Support" in words(script) and "press 1" in words(script)
    again = phone.step("accept", digits="", asked=1)
    assert isinstance(again.verbs[-1], Gather)
    assert caller.call.state == CallState.OFFERED, "the greeting of a voicemail accepts nothing"
    assert phone.step("accept", digits="", asked=2).verbs == [Hangup()]
    phone.state(LegState.COMPLETED)
    assert [one.outcome for one in caller.offers] == [OfferOutcome.UNANSWERED]
    assert state_of(cast.alice.id).paused


@pytest.mark.parametrize("kind", [Phone.OWN, Phone.BROWSER])
def test_a_call_from_the_offer_to_the_written_up_record(
    cast: Cast, clock: time_machine.Traveller, kind: Phone
) -> None:
    caller, phone = offered(cast, kind)
    clock.shift(4)
    script = phone.accept()
    assert script.verbs == [
        Conference(
            caller.call.conference,
            label=f"agent-{cast.alice.id}",
            then=f"over?offer={phone.offer.id}",
        )
    ]
    assert caller.call.state == CallState.CONNECTING
    assert caller.orders[-1] == ("redirect", "join")
    (verb,) = caller.step("join", talk=phone.offer.id).verbs
    assert isinstance(verb, Conference) and verb.ends and verb.label == "customer"
    call = caller.call
    assert (call.state, call.user_id) == (CallState.TALKING, cast.alice.id)
    assert call.answered_at == now() and call.waiting is None
    clock.shift(30)
    caller.hang_up()
    agent = state_of(cast.alice.id)
    assert (agent.state, agent.call_id) == (Availability.WRAP_UP, caller.call_id)
    assert agent.until == now() + timedelta(seconds=60)
    assert caller.call.state == CallState.WRAP_UP
    phone.state(LegState.COMPLETED)
    clock.shift(5)
    with ext.write() as session:
        call = session.get_one(Call, caller.call_id)
        wrap_up.save(session, call, user_id=cast.alice.id, at=now(), notes="Sent a new lamp.")
    assert caller.call.state == CallState.ENDED and caller.call.end_reason == EndReason.TALKED
    agent = state_of(cast.alice.id)
    assert (agent.state, agent.call_id, agent.free_since) == (Availability.AVAILABLE, None, now())
    with ext.session() as session:
        query = select(Event).where(Event.kind == "presence.changed").order_by(Event.id)
        changes = [(one.data["new"], one.at) for one in session.scalars(query)]
    start = now() - timedelta(seconds=39)
    assert changes == [
        ("available", start),
        ("in_call", start),
        ("wrap_up", start + timedelta(seconds=34)),
        ("available", now()),
    ]


def test_a_wrap_up_ends_by_itself_later_if_asked_and_in_what_was_chosen_meanwhile(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    caller, _phone = offered(cast)
    talk(caller, cast.alice.id)
    with ext.write() as session:
        row = presence.set_state(session, cast.alice.id, "break", at=now())
        assert (row.state, row.next_state) == (Availability.IN_CALL, Availability.BREAK)
    caller.hang_up()
    with ext.write() as session:
        until = presence.extend_wrap_up(session, cast.alice.id, now(), seconds=30).until
    assert until == now() + timedelta(seconds=90)
    clock.shift(89)
    assert sweep() == 0 and caller.call.state == CallState.WRAP_UP
    clock.shift(1)
    assert sweep() > 0 and sweep() == 0
    assert state_of(cast.alice.id).state == Availability.BREAK
    assert caller.call.state == CallState.ENDED and caller.call.wrapped_at == now()
    with pytest.raises(Conflict), ext.write() as session:
        presence.extend_wrap_up(session, cast.alice.id, now())


def test_without_time_for_wrap_up_the_next_call_comes_at_once(cast: Cast) -> None:
    with ext.write() as session:
        menus.save(session, None, at=now(), wrap_up_seconds=0)
    caller, _phone = offered(cast)
    talk(caller, cast.alice.id)
    caller.hang_up()
    assert state_of(cast.alice.id).state == Availability.AVAILABLE
    sweep()
    assert caller.call.state == CallState.ENDED


def test_the_agent_takes_and_ends_the_call_on_the_screen(cast: Cast) -> None:
    caller, phone = offered(cast, Phone.BROWSER)
    with ext.write() as session:
        actions.accept(session, session.get_one(Offer, phone.offer.id), now())
        actions.accept(session, session.get_one(Offer, phone.offer.id), now())
    assert caller.call.state == CallState.CONNECTING
    talk_ = phone.step("agent")
    assert joins(talk_) and joins(caller.step("join"))
    with pytest.raises(Conflict), ext.write() as session:
        actions.hang_up(session, session.get_one(Call, caller.call_id), now(), user_id=cast.sam.id)
    with ext.write() as session:
        actions.hang_up(
            session, session.get_one(Call, caller.call_id), now(), user_id=cast.alice.id
        )
    assert caller.orders[-2:] == [("hang_up", ""), ("redirect", "after")]
    assert state_of(cast.alice.id).state == Availability.WRAP_UP
    phone.state(LegState.COMPLETED)
    assert caller.orders[-2:] == [("hang_up", ""), ("redirect", "after")]
    goodbye = caller.step("after", talk=phone.offer.id)
    assert words(goodbye) == "До побачення." or goodbye.verbs[-1] == Hangup()
    caller.hang_up()
    assert caller.call.state == CallState.WRAP_UP


def test_what_the_screen_may_not_do_says_why(cast: Cast) -> None:
    caller, phone = offered(cast)
    with pytest.raises(HelpdeskError, match="press 1"), ext.write() as session:
        actions.accept(session, session.get_one(Offer, phone.offer.id), now())
    with ext.write() as session:
        actions.decline(session, session.get_one(Offer, phone.offer.id), now())
    for act in (actions.decline,):
        with pytest.raises(Conflict), ext.write() as session:
            act(session, session.get_one(Offer, phone.offer.id), now())
    with pytest.raises(Conflict), ext.write() as session:
        call = session.get_one(Call, caller.call_id)
        actions.hold(session, call, True, now(), user_id=cast.alice.id)
    for state in ("in_call", "wrap_up", "elsewhere"):
        with pytest.raises(HelpdeskError), ext.write() as session:
            presence.set_state(session, cast.alice.id, state, at=now())


def test_hold_is_music_and_its_time_counts(cast: Cast, clock: time_machine.Traveller) -> None:
    caller, _phone = offered(cast)
    talk(caller, cast.alice.id)

    def hold(held: bool) -> None:
        with ext.write() as session:
            call = session.get_one(Call, caller.call_id)
            actions.hold(session, call, held, now(), user_id=cast.alice.id)

    hold(True)
    hold(True)
    assert caller.call.state == CallState.HELD
    music = caller.step("hold")
    assert [type(verb) for verb in music.verbs[1:]] == [Play, Redirect]
    assert words(music) and not words(caller.step("hold", again=1))
    clock.shift(20)
    hold(False)
    assert (caller.call.state, caller.call.hold_seconds) == (CallState.TALKING, 20)
    hold(True)
    clock.shift(5)
    caller.hang_up()
    assert caller.call.hold_seconds == 25
    assert [kind for kind, _step in caller.orders if kind.endswith("hold")] == [
        "hold",
        "unhold",
        "hold",
    ]


def test_who_accepts_too_late_hears_that_the_caller_has_left(cast: Cast) -> None:
    caller, phone = offered(cast)
    phone.step("agent")
    caller.hang_up()
    script = phone.step("accept", digits="1", asked=1)
    assert "The caller has left." in words(script) and script.verbs[-1] == Hangup()
    assert [one.outcome for one in caller.offers] == [OfferOutcome.LATE]
    assert state_of(cast.alice.id).state == Availability.AVAILABLE
    with ext.session() as session:
        call = session.get_one(Call, caller.call_id)
        planned = call.task_id is not None
    assert ("A callback is planned." in words(script)) == planned
    assert caller.call.end_reason == EndReason.ABANDONED_RING


def test_who_accepts_a_call_that_went_on_hears_so(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    caller, phone = offered(cast)
    with ext.write() as session:
        on(session, cast.sam.id)
    clock.shift(30)
    distribute()
    assert rings(cast.sam.id).offer.call_id == caller.call_id
    script = phone.step("accept", digits="1", asked=1)
    assert "somebody else" in words(script) and script.verbs[-1] == Hangup()
    assert caller.call.state == CallState.OFFERED


def test_a_caller_who_leaves_while_being_connected_leaves_no_agent_in_a_conference(
    cast: Cast,
) -> None:
    caller, phone = offered(cast)
    assert joins(phone.accept())
    caller.hang_up()
    assert caller.orders[-1] == ("redirect", "gone")
    assert "has left" in words(phone.step("gone"))
    assert state_of(cast.alice.id).state == Availability.AVAILABLE
    assert caller.call.state == CallState.ENDED


def test_an_agent_who_hangs_up_says_goodbye(cast: Cast) -> None:
    caller, _phone = offered(cast)
    phone = talk(caller, cast.alice.id)
    phone.state(LegState.COMPLETED)
    assert caller.orders[-1] == ("redirect", "after")
    assert state_of(cast.alice.id).state == Availability.WRAP_UP
    script = caller.step("after", talk=phone.offer.id)
    assert script.verbs[-1] == Hangup()


def test_a_lost_browser_puts_the_caller_to_the_old_place(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    caller, _phone = offered(cast, Phone.BROWSER)
    phone = talk(caller, cast.alice.id)
    clock.shift(10)
    other = waits(cast.support.id)
    clock.shift(16)
    phone.state(LegState.COMPLETED)
    assert state_of(cast.alice.id).state == Availability.OFF
    assert (caller.call.state, caller.call.waiting) == (CallState.QUEUED, 1)
    script = caller.step("after", talk=phone.offer.id)
    assert isinstance(script.verbs[-1], Enqueue) and words(script)
    with ext.write() as session:
        on(session, cast.sam.id)
    distribute()
    assert rings(cast.sam.id).offer.call_id == caller.call_id, "before who came later"
    talk(caller, cast.sam.id)
    assert caller.call.user_id == cast.sam.id and other.offers == []
    late = caller.step("after", talk=phone.offer.id)
    assert joins(late), "the old goodbye does not end the new talk"
    caller.hang_up()
    assert state_of(cast.sam.id).state == Availability.WRAP_UP


def test_an_agent_whose_telephone_never_answers_after_a_click_gives_the_call_back(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    caller, phone = offered(cast, Phone.BROWSER)
    with ext.write() as session:
        actions.accept(session, session.get_one(Offer, phone.offer.id), now())
    clock.shift(20)
    assert sweep() == 0
    clock.shift(6)
    assert sweep() == 1 and sweep() == 0
    assert caller.call.state == CallState.QUEUED
    assert state_of(cast.alice.id).paused
    assert caller.orders[-1] == ("hang_up", "")


def test_hanging_up_before_the_customer_is_there_gives_the_call_back(cast: Cast) -> None:
    caller, phone = offered(cast, Phone.BROWSER)
    assert joins(phone.accept())
    with ext.write() as session:
        actions.hang_up(
            session, session.get_one(Call, caller.call_id), now(), user_id=cast.alice.id
        )
    assert caller.call.state == CallState.QUEUED
    assert isinstance(caller.step("join", talk=phone.offer.id).verbs[-1], Enqueue)
    assert not state_of(cast.alice.id).paused


def test_the_talk_is_recorded_only_with_consent(cast: Cast) -> None:
    with ext.write() as session:
        menus.save(session, None, at=now(), recording=True)
    alice_on(cast)
    for consent, recorded in ((None, False), (False, False), (True, True)):
        caller = waits(cast.support.id)
        with ext.write() as session:
            session.get_one(Call, caller.call_id).consent_given = consent
        distribute()
        talk(caller, cast.alice.id)
        assert (("record", "") in caller.orders) == recorded
        caller.hang_up()
        with ext.write() as session:
            presence.set_state(session, cast.alice.id, "available", at=now())


def call_client(cast: Cast, number: str = CLIENT) -> Call:
    with ext.write() as session:
        session.get_one(Queue, cast.support.id).numbers = [desk.OURS]
        return actions.call_out(session, cast.alice, number, at=now(), queue_id=cast.support.id)


def dialled(call: Call) -> tuple[desk.Caller, desk.Ringing]:
    """The client's and the agent's telephone of a call that goes out."""
    with ext.session() as session:
        offer = session.scalars(select(Offer).where(Offer.call_id == call.id)).one()
    return desk.Caller(call.id, f"CA-client-{call.id}"), desk.Ringing(offer)


def client_says(caller: desk.Caller, state: LegState) -> None:
    with ext.write() as session:
        leg = actions.record.customer_leg(session, session.get_one(Call, caller.call_id))
        assert leg is not None
        leg.provider_id = caller.name
        session.flush()
        desk.told(session, caller.name, state)


def test_click_to_call_rings_the_agent_first_and_then_the_client(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        on(session, cast.alice.id)
        presence.set_state(session, cast.alice.id, "email_only", at=now())
    caller, phone = dialled(call_client(cast))
    assert caller.orders == [("ring_agent", "agent")]
    with pytest.raises(Conflict):
        call_client(cast)
    assert isinstance(phone.step("agent").verbs[-1], Gather), "a voicemail rings no client"
    assert caller.orders == [("ring_agent", "agent")]
    assert joins(phone.step("accept", digits="1", asked=1))
    assert caller.orders[-1] == ("ring_customer", "")
    client_says(caller, LegState.IN_PROGRESS)
    assert joins(caller.step("join"))
    assert caller.call.state == CallState.TALKING
    caller.hang_up()
    assert state_of(cast.alice.id).state == Availability.WRAP_UP
    clock.shift(61)
    sweep()
    assert state_of(cast.alice.id).state == Availability.EMAIL_ONLY, "back to where they were"
    assert caller.call.end_reason == EndReason.TALKED


@pytest.mark.parametrize(
    ("state", "reason"),
    [(LegState.NO_ANSWER, EndReason.NO_ANSWER), (LegState.BUSY, EndReason.BUSY)],
)
def test_a_client_who_does_not_answer_leaves_the_agent_free(
    cast: Cast, state: LegState, reason: EndReason
) -> None:
    alice_on(cast)
    caller, phone = dialled(call_client(cast))
    assert joins(phone.accept())
    client_says(caller, state)
    assert (caller.call.state, caller.call.end_reason) == (CallState.ENDED, reason)
    assert caller.orders[-1] == ("redirect", "gone")
    assert "did not answer" in words(phone.step("gone"))
    assert state_of(cast.alice.id).state == Availability.AVAILABLE


def test_an_agent_who_does_not_pick_up_rings_no_client(cast: Cast) -> None:
    alice_on(cast)
    caller, phone = dialled(call_client(cast))
    phone.state(LegState.NO_ANSWER)
    assert caller.call.state == CallState.ENDED
    assert "ring_customer" not in dict(caller.orders)
    assert state_of(cast.alice.id).state == Availability.AVAILABLE


def test_a_callback_goes_through_the_distribution_by_its_place(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    place = now()
    clock.shift(600)
    waiting = waits(cast.support.id)
    clock.shift(5)
    with ext.write() as session:
        call = outgoing.create(
            session,
            number=CLIENT,
            queue_id=cast.support.id,
            language="uk",
            at=now(),
            place_at=place,
        )
    alice_on(cast)
    distribute()
    phone = rings(cast.alice.id)
    assert phone.offer.call_id == call.id and waiting.offers == []
    assert joins(phone.accept())
    caller = desk.Caller(call.id, "CA-client")
    assert caller.orders[-1] == ("ring_customer", "")
    with ext.session() as session:
        order = select(CallCommand.data).where(CallCommand.kind == "ring_customer")
        assert session.scalars(order).one()["to"] == CLIENT


def test_a_softphone_that_dials_by_itself_is_a_call_of_its_agent(cast: Cast) -> None:
    alice_on(cast, Phone.BROWSER)
    label = f"agent-{cast.alice.id}"
    with ext.write() as session:
        call = outgoing.create(session, number=CLIENT, queue_id=None, language="uk", at=now())
        session.delete(session.scalars(select(desk.CallLeg)).one())
        session.add(
            desk.CallLeg(
                call_id=call.id,
                provider_id="CA-dials",
                role="agent",
                user_id=cast.alice.id,
                state=LegState.IN_PROGRESS,
                created_at=now(),
            )
        )
    script = asked(call.id, "outgoing", "CA-dials", {}, label=label, to_number=CLIENT)
    assert joins(script)
    caller, _phone = dialled(call)
    assert caller.orders == [("ring_customer", "")]
    assert state_of(cast.alice.id).state == Availability.IN_CALL
    assert ringing(cast.alice.id) is None


def test_steps_of_nobody_end_in_words_or_silence_and_never_in_an_error(cast: Cast) -> None:
    caller, phone = offered(cast)
    for step in ("agent", "accept", "gone", "over"):
        for query in ({"offer": "999999"}, {"offer": "²"}, {"offer": ""}, {}):
            assert asked(caller.call_id, step, caller.name, query).verbs == [Hangup()]
    assert words(caller.step("join"))
    assert caller.call.state == CallState.OFFERED
    assert asked(caller.call_id, "outgoing", caller.name, {}).verbs == [Hangup()]


def test_phones_and_skills_are_checked(cast: Cast) -> None:
    with ext.write() as session:
        row = presence.set_phone(
            session, cast.alice.id, "own", "067 123 45 67", country="UA", at=now()
        )
        assert (row.phone, row.number) == (Phone.OWN, "+380671234567")
        row = presence.set_phone(session, cast.alice.id, "browser", country="UA", at=now())
        assert (row.phone, row.number) == (Phone.BROWSER, "+380671234567")
        row = presence.set_skills(
            session, cast.alice.id, languages=["uk", "en", "uk"], skills=[" repair "], at=now()
        )
        assert (row.languages, row.skills) == (["en", "uk"], ["repair"])
        for number in ("", "12", "nonsense"):
            with pytest.raises(HelpdeskError):
                presence.set_phone(session, cast.alice.id, "own", number, country="UA", at=now())
        for bad in ({"languages": ["de"], "skills": []}, {"languages": [], "skills": ["x" * 41]}):
            with pytest.raises(HelpdeskError):
                presence.set_skills(session, cast.alice.id, at=now(), **bad)
        with pytest.raises(HelpdeskError):
            presence.set_phone(session, cast.alice.id, "pigeon", country="UA", at=now())
