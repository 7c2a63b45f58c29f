"""The `phone` of tests: the whole product on the twin, with its clock, its jobs and its faults."""

import pytest

from tests.calls.phones import Leg, Phone
from tests.cast import Cast


def to_the_queue(phone: Phone) -> Leg:
    """A caller who chose a language and a person."""
    leg = phone.call().listen()
    return leg.press("1").listen().press("0").listen()


def talk(phone: Phone, cast: Cast) -> tuple[Leg, Leg]:
    """The caller waits, Alice takes the call."""
    alice = phone.agents[cast.alice].on_duty(cast.alice)
    caller = to_the_queue(phone)
    phone.advance(2)
    return caller, alice.answer()


def test_a_call_from_the_menu_to_the_agent_and_back(cast: Cast, phone: Phone) -> None:
    caller, agent = talk(phone, cast)
    phone.advance(5)
    assert caller.talks_with == [f"agent-{cast.alice.id}"] and agent.talks_with == ["customer"]
    assert caller.conference == agent.conference and not caller.held
    caller.hang_up()
    phone.advance(5)
    assert caller.over and agent.over
    assert not phone.problems and not caller.failed + agent.failed


STEPS = ("language", "menu", "wait", "agent", "join", "conference", "status")


@pytest.mark.parametrize("kind", ["duplicate", "lost", "reorder", "delay"])
def test_the_same_call_with_a_bad_network(cast: Cast, phone: Phone, kind: str) -> None:
    """Each step suffers once; a document that is late is asked again."""
    for step in STEPS[-2:] if kind == "delay" else STEPS:
        phone.faults.add(kind, f"/twilio/{step}", seconds=3)
    caller, agent = talk(phone, cast)
    phone.advance(10)
    assert caller.talks_with == [f"agent-{cast.alice.id}"] and not caller.failed
    caller.hang_up()
    phone.advance(10)
    assert caller.over and agent.over


def test_the_time_of_the_test_is_the_time_of_the_carrier(cast: Cast, phone: Phone) -> None:
    caller = to_the_queue(phone)
    assert (caller.queue, caller.position) == (f"q-{cast.support.id}", 1)
    before = len(caller.steps)
    phone.advance(45)
    assert caller.steps[before:] and set(caller.steps[before:]) <= {"wait", "waited"}
    assert phone.job("reconcile") >= 0
    assert caller.hang_up().over and not phone.problems
