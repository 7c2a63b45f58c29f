"""The record of a call is the same whatever order its news comes in, and however often."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.calls import facts, record
from helpdesk.calls.derive import derive
from helpdesk.calls.flow import receive
from helpdesk.calls.models import (
    Call,
    CallLeg,
    CallState,
    Direction,
    EndReason,
    LegRole,
    LegState,
    Provider,
)
from helpdesk.calls.providers.port import Heard
from helpdesk.calls.states import may_follow
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.match import find_or_create
from helpdesk.clients.models import Person
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.tickets.models import Ticket
from tests.cast import Cast

T0 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
OURS = "+380443334455"
News = tuple[facts.Facts, ...]


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def heard(kind: str, name: str, seconds: float, **told: Any) -> Heard:
    """A carrier's word; reports have the carrier's own time, in whole seconds."""
    own = at(int(seconds)) if kind in ("leg", "conference", "recording") else None
    about: dict[str, Any] = {"provider_id": name, "at": own, "key": f"{kind}{name}{told}{seconds}"}
    return Heard(provider=Provider.TWIN, kind=kind, **{**about, **told})


class History:
    """What is said about one call from its begin to its end, as facts, in its order."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.now = 0.0
        self.sequence = 0
        self.offers = 0
        self.news: list[facts.Facts] = []

    def later(self) -> float:
        self.now += self.chance.uniform(0.2, 40)
        return self.now

    def says(self, **said: Any) -> None:
        self.news.append(facts.told(at(self.now), said))

    def hears(self, kind: str, name: str, role: LegRole = LegRole.CUSTOMER, **told: Any) -> None:
        one = heard(kind, name, self.now, sequence=self.sequence, **told)
        self.sequence += 1
        self.news.append(facts.of(one, role, at(self.now)))

    def begins(self) -> None:
        self.hears("voice", "CA", state=LegState.RINGING)
        for state in (LegState.INITIATED, LegState.RINGING, LegState.IN_PROGRESS):
            self.hears("leg", "CA", state=state)
        self.says(language_at=at(self.now))

    def wanders(self) -> None:
        for _ in range(self.chance.randrange(4)):
            self.later()
            self.says(**{self.chance.choice(["menu_at", "answer_at", "identify_at"]): at(self.now)})
        if self.chance.random() < 0.3:
            self.says(contained_at=at(self.now))

    def waits(self) -> None:
        self.later()
        self.says(queued_at=at(self.now), queue_id=self.chance.randrange(1, 3))
        if self.chance.random() < 0.2:
            self.says(place_at=at(-100))

    def is_offered(self) -> str:
        self.offers += 1
        name = f"AG{self.offers}"
        self.later()
        self.says(offer_id=self.offers, offered_at=at(self.now))
        self.hears("leg", name, LegRole.AGENT, state=LegState.RINGING, **self.whose)
        return name

    @property
    def whose(self) -> Mapping[str, Any]:
        return {"label": f"agent-{self.offers}", "query": {"offer": str(self.offers)}}

    def is_left_alone(self) -> None:
        name = self.is_offered()
        self.later()
        self.hears("leg", name, LegRole.AGENT, state=LegState.NO_ANSWER, **self.whose)
        self.says(released_id=self.offers)

    def talks(self, *, lost: bool = False) -> None:
        name = self.is_offered()
        self.later()
        self.says(accepted_id=self.offers)
        self.hears("leg", name, LegRole.AGENT, state=LegState.IN_PROGRESS, **self.whose)
        self.says(agent_in_id=self.offers)
        self.hears("conference", name, LegRole.AGENT, event="join", conference_id="CF1")
        self.says(customer_in_id=self.offers, answered_at=at(self.now))
        self.hears("conference", "CA", event="join", conference_id="CF1")
        for number in range(1, self.chance.choice([1, 3, 4])):
            self.later()
            self.says(holds={str(number): at(self.now)})
        self.later()
        if lost:
            self.says(released_id=self.offers)
        if lost or self.chance.random() < 0.5:
            self.hears("leg", name, LegRole.AGENT, state=LegState.FAILED, **self.whose)
        else:
            self.hangs_up()
            self.hears("leg", name, LegRole.AGENT, state=LegState.COMPLETED, **self.whose)

    def hangs_up(self) -> None:
        self.hears("leg", "CA", state=LegState.COMPLETED)

    def says_something(self) -> None:
        self.later()
        self.says(left_at=at(self.now), voicemail_at=at(self.now))
        self.later()
        told = {
            "recording_id": "RE1",
            "recording_state": self.chance.choice(["absent", "completed"]),
        }
        self.hears("step", "CA", step="recorded", recording_id="RE1")
        self.hears("recording", "CA", **told)

    def wants_a_callback(self) -> None:
        self.later()
        self.says(left_at=at(self.now), callback_at=at(self.now))


def story(number: int) -> History:
    """One of many courses that a call can take."""
    history = History(random.Random(number))
    ways: Sequence[Callable[[], object]] = (
        lambda: None,
        history.is_left_alone,
        history.is_offered,
        lambda: history.talks(lost=True),
        history.talks,
        history.says_something,
        history.wants_a_callback,
    )
    history.begins()
    history.wanders()
    if number % 8:
        history.waits()
        for _ in range(history.chance.randrange(3)):
            history.is_left_alone()
        ways[number % 7]()
    history.later()
    history.hangs_up()
    if "answered_at" in together(history.news):
        history.later()
        history.says(wrapped_at=at(history.now))
    return history


def together(news: Sequence[facts.Facts]) -> facts.Facts:
    merged: facts.Facts = {}
    for one in news:
        merged = facts.merge(merged, one)
    return merged


def test_ten_thousand_orders_and_repetitions_end_in_the_same_record() -> None:
    chance = random.Random(1)
    stories = [story(number).news for number in range(100)]
    ends = [together(news) for news in stories]
    rows = [derive(end) for end in ends]
    assert {row.end_reason for row in rows} >= {
        *(EndReason.TALKED, EndReason.VOICEMAIL, EndReason.NO_MESSAGE, EndReason.CALLBACK),
        *(EndReason.ABANDONED_MENU, EndReason.ABANDONED_QUEUE, EndReason.ABANDONED_RING),
        EndReason.CONTAINED,
    }
    for number in range(10_000):
        news, end, row = (these[number % 100] for these in (stories, ends, rows))
        mixed = [*news, *chance.choices(news, k=chance.randrange(6))]
        chance.shuffle(mixed)
        merged = together(mixed)
        assert merged == end
        assert derive(merged) == row


def test_a_call_only_goes_forward_and_is_over_in_the_end() -> None:
    for number in range(300):
        news = story(number).news
        states = [derive(together(news[: count + 1])).state for count in range(len(news))]
        moves = set(zip(states, states[1:], strict=False))
        # Lost agents: the carrier's word and ours are one transaction, seen apart only here.
        wrong = {move for move in moves if not may_follow(*move)} - {
            (CallState.WRAP_UP, CallState.QUEUED)
        }
        assert not wrong
        assert states[-1] == CallState.ENDED
        row = derive(together(news))
        assert row.over_at is not None or row.end_reason == EndReason.ABANDONED_RING
        assert row.waiting is None


def test_merging_is_fair_to_both_sides() -> None:
    """Commutative, associative, idempotent: two workers that merge by parts agree."""
    chance = random.Random(2)
    for number in range(200):
        news = story(number).news
        cut = sorted(chance.choices(range(len(news)), k=2))
        one, two, three = news[: cut[0]], news[cut[0] : cut[1]], news[cut[1] :]
        first, second, third = together(one), together(two), together(three)
        left = facts.merge(facts.merge(first, second), third)
        assert left == facts.merge(first, facts.merge(second, third))
        assert left == facts.merge(third, facts.merge(second, first))
        assert facts.merge(left, left) == left


@pytest.mark.parametrize("name", ["nonsense", "state", "legs_at"])
def test_what_is_no_fact_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        facts.told(T0, {name: 1})


DOCUMENTS = ("voice", "step", "step", "queue")


def call_in_queue(name: str, number: str | None) -> list[Heard]:
    """A caller who presses 0, waits and hangs up: the documents first, then the reports."""
    who: dict[str, Any] = {"from_number": number, "to_number": OURS}
    moving = who | {"state": LegState.IN_PROGRESS}
    return [
        heard("voice", name, 0, **who | {"state": LegState.RINGING}),
        heard("step", name, 5, step="language", digits="", **moving),
        heard("step", name, 8, step="menu", digits="0", **moving),
        heard("queue", name, 60, step="left", queue_result="hangup", **who),
        heard("leg", name, 0, state=LegState.INITIATED, sequence=0, **who),
        heard("leg", name, 1, state=LegState.RINGING, sequence=1, **who),
        heard("leg", name, 2, state=LegState.IN_PROGRESS, sequence=2, **who),
        heard("leg", name, 60, state=LegState.COMPLETED, sequence=3, **who),
    ]


def mixed(news: Sequence[Heard], chance: random.Random) -> list[Heard]:
    """The reports anywhere, also before the call's begin, and twice; documents in their order."""
    documents = [one for one in news if one.kind in DOCUMENTS]
    reports = [one for one in news if one.kind not in DOCUMENTS]
    order = [*documents, *reports, *chance.choices(reports, k=2)]
    marks = sorted(range(len(order)), key=lambda _: chance.random())
    kept = iter(documents)
    shuffled = [order[mark] for mark in marks]
    return [next(kept) if one.kind in DOCUMENTS else one for one in shuffled]


def shown(call: Call, legs: Sequence[CallLeg]) -> dict[str, Any]:
    left_out = {"id", "token", "provider_id", "from_number", "facts", "ticket_id", "last_event_at"}
    left_out |= {"client_id", "person_id", "contact_point_id", "task_id", "step"}
    columns = [column.key for column in Call.__table__.columns if column.key not in left_out]
    row = {name: getattr(call, name) for name in columns}
    return row | {
        "known": call.client_id is not None,
        "legs": [
            (leg.role, leg.state, leg.created_at, leg.answered_at, leg.ended_at) for leg in legs
        ],
    }


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_in_the_database_too(app: Flask, cast: Cast) -> None:
    """Many calls with their news in every order: each the same rows, one ticket each."""
    chance, rows = random.Random(3), []
    for count in range(100):
        name, number = f"CA{count}", f"+38067{count:07}"
        news = call_in_queue(name, number)
        with ext.write() as session:
            for one in news if count == 0 else mixed(news, chance):
                receive(session, one, one.at or at(int(one.key.rsplit("}", 1)[1])))
        with ext.session() as session:
            call = session.scalars(select(Call).where(Call.provider_id == name)).one()
            rows.append(shown(call, call.legs))
    assert all(row == rows[0] for row in rows)
    assert rows[0]["end_reason"] == EndReason.ABANDONED_QUEUE
    with ext.session() as session:
        tickets = session.scalar(select(func.count()).select_from(Ticket))
        started = select(func.count()).where(Event.kind == "call.started")
        ended = select(func.count()).where(Event.kind == "call.ended")
        assert (tickets, session.scalar(started), session.scalar(ended)) == (100, 100, 100)


def take(one: Heard) -> int | None:
    with ext.write() as session:
        call = record.take(session, one, now())
        return call.id if call else None


def read(call_id: int | None) -> Call:
    with ext.session() as session:
        return session.get_one(Call, call_id)


def test_the_number_finds_the_client_for_the_agent(app: Flask, cast: Cast) -> None:
    """One, none, several: of several nobody is named, the first client is offered."""
    one, shared, nobody = "+380671112233", "+380672223344", "+380673334455"
    with ext.write() as session:
        about: dict[str, Any] = {"at": now(), "name": "Ірина", "language": "ru"}
        known = find_or_create(session, number=one, **about)
        first = find_or_create(session, number=shared, **about)
        other = find_or_create(session, email="x@example.net", at=now())
        person = session.get_one(Person, other.person_id)
        add_contact_point(session, person, kind="phone", value=shared, country="UA", at=now())
        cast.billing.numbers = [OURS]
        session.merge(cast.billing)
    calls = [
        read(take(heard("voice", name, 0, from_number=number, to_number=OURS)))
        for name, number in (("CA1", one), ("CA2", shared), ("CA3", nobody), ("CA4", None))
    ]
    assert [call.client_id for call in calls] == [known.client_id, first.client_id, None, None]
    assert [call.person_id for call in calls] == [known.person_id, None, None, None]
    assert [bool(call.facts.get("shared")) for call in calls] == [False, True, False, False]
    assert [call.language for call in calls] == ["ru", "ru", "uk", "uk"]
    assert {call.queue_id for call in calls} == {cast.billing.id}
    stranger = read(take(heard("voice", "CA5", 0, to_number="+380440000000")))
    assert stranger.queue_id == cast.support.id


def test_a_call_whose_begin_was_missed_is_made_of_what_came(app: Flask, cast: Cast) -> None:
    id_ = take(heard("recording", "CA1", 90, recording_id="RE1", recording_state="completed"))
    assert read(id_).from_number is None
    numbers = {"from_number": "+380671112233", "to_number": OURS}
    assert take(heard("leg", "CA1", 80, state=LegState.COMPLETED, **numbers)) == id_
    call = read(id_)
    assert (call.from_number, call.end_reason) == ("+380671112233", EndReason.VOICEMAIL)
    assert call.started_at == at(80)


def test_an_outbound_leg_of_others_is_no_call_of_ours(app: Flask, cast: Cast) -> None:
    stranger = heard("leg", "CA9", 0, direction=Direction.OUTBOUND, state=LegState.RINGING)
    assert take(stranger) is None
    assert take(heard("conference", "CA9", 0, event="join", conference="c-unknown")) is None


def test_an_outbound_call_gets_its_name_when_the_customer_is_rung(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        call = record.create(
            session,
            provider=Provider.TWIN,
            provider_id="new-1",
            direction=Direction.OUTBOUND,
            at=T0,
            to_number="+380671112233",
        )
        leg = CallLeg(call_id=call.id, role=LegRole.CUSTOMER, state=LegState.QUEUED, created_at=T0)
        session.add(leg)
    out: dict[str, Any] = {"direction": Direction.OUTBOUND, "query": {"call": str(call.id)}}
    assert take(heard("leg", "CA7", 1, state=LegState.RINGING, **out)) == call.id
    with ext.write() as session:
        leg = session.get_one(CallLeg, leg.id)
        record.placed(session, session.get_one(Call, call.id), leg, "CA7", at(2))
    assert take(heard("leg", "CA7", 30, state=LegState.BUSY, **out)) == call.id
    found = read(call.id)
    assert (found.provider_id, found.state) == ("CA7", CallState.ENDED)
    assert found.end_reason == EndReason.BUSY
    with ext.session() as session:
        legs = session.scalars(select(CallLeg).where(CallLeg.call_id == call.id)).all()
        assert [one.provider_id for one in legs] == ["CA7"]


def test_an_unknown_agent_is_nobody(app: Flask, cast: Cast) -> None:
    take(heard("voice", "CA1", 0, from_number="+380671112233", to_number=OURS))
    child = {"parent_id": "CA1", "label": "agent-999", "direction": Direction.OUTBOUND}
    id_ = take(heard("leg", "CA2", 1, state=LegState.RINGING, **child))
    with ext.session() as session:
        leg = session.scalars(select(CallLeg).where(CallLeg.provider_id == "CA2")).one()
        assert (leg.call_id, leg.role, leg.user_id) == (id_, LegRole.AGENT, None)
