"""What a caller is told about the wait, and how near that was to what came of it."""

import random
from collections.abc import Sequence
from datetime import timedelta
from heapq import heappop, heappush

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.calls import record, waits
from helpdesk.calls.models import Call, Direction, Provider
from helpdesk.calls.waits import Talk, band, predict
from helpdesk.lib.clock import now
from tests.calls import desk
from tests.calls.desk import on
from tests.cast import Cast
from tests.test_query_plans import caught


def was_served(
    queue_id: int, *, waited: float, talked: float, ago: float = 60, told: int | None = None
) -> None:
    """A talk that was over `ago` seconds ago."""
    over = now() - timedelta(seconds=ago)
    answered = over - timedelta(seconds=talked)
    queued = answered - timedelta(seconds=waited)
    with ext.write() as session:
        record.create(
            session,
            provider=Provider.TWIN,
            provider_id=f"CA{over.timestamp()}-{waited}-{talked}-{told}",
            direction=Direction.INBOUND,
            at=queued,
            started_at=queued,
            queued_at=queued,
            queue_id=queue_id,
            offer_id=1,
            accepted_id=1,
            agent_in_id=1,
            customer_in_id=1,
            answered_at=answered,
            ended_at=over,
            wrapped_at=over,
            estimated_seconds=told,
        )


def told(caller: desk.Caller) -> waits.Estimate:
    with ext.session() as session:
        return waits.estimate(session, session.get_one(Call, caller.call_id), now())


def test_position_and_wait_follow_the_talks_of_late(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        on(session, cast.alice.id)
    for n in range(6):
        was_served(cast.support.id, waited=100 + n, talked=120, ago=60 * n + 30)
        was_served(cast.billing.id, waited=1, talked=3000, ago=60 * n + 30)
    desk.waits(cast.support.id)
    desk.distribute()
    first, second = desk.waits(cast.support.id), desk.waits(cast.support.id)
    assert told(first) == waits.Estimate(2, 200, 2, 5, people=1)
    assert told(second).position == 3
    assert told(second).seconds == 200, "at most twice what the last one waited"
    with ext.session() as session, caught() as statements:
        assert waits.present(session, cast.support.id, now()).position == 4
    assert len([one for one in statements if one[0] != "BEGIN"]) == 3
    clock.shift(600)
    with ext.write() as session:
        presence.seen(session, cast.alice.id, now())
    assert told(first).seconds == 300, "at least half of what the first in line has waited"


def test_nobody_on_duty_or_too_few_talks_tell_no_wait(cast: Cast) -> None:
    caller = desk.waits(cast.support.id)
    assert told(caller) == waits.Estimate(1, None, None, None, people=0)
    with ext.write() as session:
        on(session, cast.alice.id, paused=True)
    assert told(caller).seconds is None
    with ext.write() as session:
        on(session, cast.sam.id)
    assert told(caller).seconds == 0, "somebody is free"
    desk.distribute()
    assert told(desk.waits(cast.support.id)).seconds is None, "no talk was ever over"


def test_the_error_of_the_told_waits_is_measured(cast: Cast) -> None:
    with ext.session() as session:
        assert waits.error(session, now() - timedelta(hours=1)) is None
    for waited, said in ((100, 130), (200, 190), (50, None)):
        was_served(cast.support.id, waited=waited, talked=60, told=said)
    with ext.session() as session:
        assert waits.error(session, now() - timedelta(hours=1)) == 20
        assert waits.error(session, now()) is None


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 4000), st.floats(0, 4000), st.booleans()), max_size=12),
    st.integers(0, 20),
    st.integers(0, 20),
    st.floats(0, 4000),
)
@hypothesis_settings(deadline=None)
def test_a_wait_is_never_less_than_none(
    position: int, talks: list[tuple[float, float, bool]], people: int, free: int, first: float
) -> None:
    seconds = predict(position, [Talk(*one) for one in talks], people, free, first)
    assert seconds is None or seconds >= 0
    assert (seconds is None) or people
    if seconds is not None:
        low, high = band(seconds)
        assert 0 <= low * 60 <= seconds <= high * 60 and high > low


@pytest.mark.parametrize(("seconds", "minutes"), [(0, (0, 1)), (60, (0, 2)), (240, (3, 5))])
def test_a_wait_is_told_as_a_band_of_minutes(seconds: int, minutes: tuple[int, int]) -> None:
    assert band(seconds) == minutes


def simulated(
    seed: int, *, agents: int, per_hour: Sequence[int], mean: float
) -> list[tuple[float, float]]:
    """(predicted, real) wait in seconds of callers who had to wait, in a desk of `agents` with a
    rate of arrivals that changes every half hour, talks of `mean` seconds in the mean."""
    rng = random.Random(seed)
    arrivals = []
    for slot, rate in enumerate(per_hour):
        at = slot * 1800.0
        while (at := at + rng.expovariate(rate / 3600)) < (slot + 1) * 1800:
            arrivals.append(at)
    free_at = [0.0] * agents
    served: list[tuple[float, float, float]] = []  # (answered, over, waited)
    found = []
    for at in arrivals:
        answered = max(at, free_at[0])
        over = answered + rng.gammavariate(2, mean / 2)
        heappop(free_at)
        heappush(free_at, over)
        ahead = [one for one in served if one[0] > at]
        past = sorted((one for one in served if one[1] <= at), reverse=True)
        talks = [Talk(w, o - a, o > at - 900) for a, o, w in past[:200]]
        first = max((at - (a - w) for a, _o, w in ahead), default=0.0)
        busy = sum(1 for a, o, _w in served if a <= at < o)
        predicted = predict(len(ahead) + 1, talks, agents, agents - busy, first)
        if predicted is not None and answered > at:
            found.append((predicted, answered - at))
        served.append((answered, over, answered - at))
    return found


def error_of(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(abs(told - real) for told, real in pairs) / len(pairs)


@pytest.mark.parametrize(
    ("agents", "per_hour"),
    [(5, (80, 110, 130, 100, 60)), (12, (200, 260, 300, 240, 160)), (2, (30, 45, 50, 30, 20))],
)
def test_the_told_wait_beats_what_others_tell(agents: int, per_hour: Sequence[int]) -> None:
    pairs = [
        pair
        for seed in range(8)
        for pair in simulated(seed, agents=agents, per_hour=per_hour, mean=150)
    ]
    assert len(pairs) > 200
    mean = sum(real for _told, real in pairs) / len(pairs)
    flat = error_of([(mean, real) for _told, real in pairs])
    assert error_of(pairs) < 0.6 * flat, (error_of(pairs), flat, mean)


def test_those_who_give_up_shorten_the_wait_of_the_others() -> None:
    talks = [Talk(100.0, 60.0, recent=True)] * 5
    alone = [predict(place, talks, 2, 0, 90.0) for place in (1, 4, 7)]
    among_others = [predict(place, talks, 2, 0, 90.0, 1 / 60) for place in (1, 4, 7)]
    assert alone == [45, 120, 200]
    assert among_others == [45, 66, 90]  # 60 s · ln(1 + wait / 60 s)
