"""Whole calls through the twin: signed webhooks, the carrier's own timing, one menu."""

from sqlalchemy import select

from helpdesk import ext
from helpdesk.calls import menus
from helpdesk.calls.models import Call, CallState, Direction, EndReason
from helpdesk.lib.clock import now
from helpdesk.planner.models import Task
from tests.calls.line import KYIV
from tests.calls.phones import Phone
from tests.cast import Cast

OURS = "+380443550110"


def the_call() -> Call:
    with ext.session() as session:
        return session.scalars(select(Call).where(Call.direction == Direction.INBOUND)).one()


def test_an_answer_that_helps_ends_in_the_menu(shelf: Cast, phone: Phone) -> None:
    leg = phone.call(KYIV, to=OURS)
    leg.listen()
    leg.press("2")  # Russian
    leg.press("1")  # delivery
    assert any("Девяносто гривен." in text for text in leg.heard)
    leg.press("1")
    leg.hang_up()
    phone.settle()
    call = the_call()
    assert (call.state, call.end_reason) == (CallState.ENDED, EndReason.CONTAINED)
    assert call.language == "ru" and call.queued_at is None
    assert not phone.problems and not leg.failed


def test_the_state_of_a_request_is_asked_for_to_the_end(shelf: Cast, phone: Phone) -> None:
    """Every step of it has an address of its own at the carrier."""
    leg = phone.call(KYIV, to=OURS)
    leg.listen()
    leg.press("3")  # English
    leg.press("3")
    leg.press("1")  # more, by a code
    leg.press("123456")
    assert leg.heard[-1].startswith("This code does not fit.")
    leg.press("0")
    phone.advance(30)  # five more digits might have come
    assert leg.queue == f"q-{shelf.support.id}"
    assert not phone.problems and not leg.failed


def test_a_caller_keeps_the_place_and_is_called_back(shelf: Cast, phone: Phone) -> None:
    leg = phone.call(KYIV, to=OURS)
    leg.listen()
    leg.press("3")  # English
    leg.press("0")
    assert leg.queue == f"q-{shelf.support.id}"
    leg.press("1")  # be called back
    leg.press("1")  # at this number
    phone.advance(30)
    call = the_call()
    assert leg.over and call.end_reason == EndReason.CALLBACK
    with ext.session() as session:
        task = session.scalars(select(Task).order_by(Task.id)).one()
    assert (task.number, task.place_at) == (KYIV, call.queued_at)
    assert not phone.problems and not leg.failed


def test_at_night_a_message_is_taken(shelf: Cast, phone: Phone) -> None:
    phone.advance(7 * 3600, every=3600)
    leg = phone.call(KYIV, to=OURS)
    leg.listen()
    leg.press("3")  # English
    leg.press("0")
    leg.press("2")
    phone.advance(5)
    leg.hang_up()
    phone.settle()
    call = the_call()
    assert call.state == CallState.ENDED
    assert call.end_reason in (EndReason.VOICEMAIL, EndReason.NO_MESSAGE)
    assert any("tomorrow at 9:00" in text for text in leg.heard)
    assert not phone.problems and not leg.failed


def test_a_long_wait_repeats_the_place_and_ends(shelf: Cast, phone: Phone) -> None:
    with ext.write() as session:
        menus.save(session, None, max_wait_seconds=90, at=now())
    leg = phone.call(KYIV, to=OURS)
    leg.listen()
    leg.press("3")  # English
    leg.press("0")
    phone.advance(80, every=10)
    told = [text for text in leg.heard if text == "You are next."]
    assert 2 <= len(told) <= 5
    phone.advance(60, every=10)
    assert leg.queue is None
    assert any("Nobody has become free yet" in text for text in leg.heard)
    phone.advance(60, every=10)
    assert the_call().state in (CallState.VOICEMAIL, CallState.ENDED)
    assert not phone.problems and not leg.failed
