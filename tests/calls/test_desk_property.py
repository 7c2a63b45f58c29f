"""Whatever callers, agents and telephones do, in whatever order: the rules of the desk hold."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.presence import Availability, Phone, Presence
from helpdesk.calls import actions
from helpdesk.calls.models import Call, CallState, LegState, Offer, OfferOutcome
from helpdesk.calls.script import Gather
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict
from tests.calls import desk
from tests.cast import Cast

ACTS = (
    *("arrive",) * 3,
    *("accept",) * 4,
    *("pass",) * 2,
    "voicemail picks up",
    "decline",
    "busy",
    "ring out",
    "leave",
    "leave",
    "agent hangs up",
    "agent hangs up on screen",
    "agent vanishes",
    "hold",
    "break",
    "return",
    "write up",
)


@dataclass
class Room:
    """A desk with three agents and the callers that came so far."""

    cast: Cast
    clock: time_machine.Traveller
    callers: list[desk.Caller] = field(default_factory=list)
    phones: dict[int, desk.Ringing] = field(default_factory=dict)

    @property
    def agents(self) -> list[int]:
        return [self.cast.alice.id, self.cast.bob.id, self.cast.sam.id]

    def open(self) -> None:
        """Everybody is available; nobody is left of an example that failed."""
        with ext.write() as session:
            for call in session.scalars(select(Call).where(Call.ended_at.is_(None))):
                desk.told(session, call.provider_id, LegState.COMPLETED)
            for user_id, languages in zip(self.agents, ([], [], ["uk"]), strict=True):
                desk.on(session, user_id, languages=languages)
                phone = Phone.BROWSER if user_id == self.cast.sam.id else Phone.OWN
                session.get_one(Presence, user_id).phone = phone

    def do(self, act: str, which: int) -> None:
        self.clock.shift(1)
        user_id = self.agents[which % len(self.agents)]
        if act == "arrive":
            queue = (self.cast.support, self.cast.billing)[which % 2]
            number = f"+38067{len(self.callers):07}"
            self.callers.append(desk.waits(queue.id, number, lang=("uk", "en")[which // 2 % 2]))
        elif act in ("leave", "hold"):
            self.caller(act, which)
        elif act in ("break", "return"):
            state = Availability.BREAK if act == "break" else Availability.AVAILABLE
            with ext.write() as session:
                presence.set_state(session, user_id, state, at=now())
        elif act == "pass":
            self.clock.shift(which)
        else:
            self.agent(act, user_id)

    def caller(self, act: str, which: int) -> None:
        if not self.callers:
            return
        caller = self.callers[which % len(self.callers)]
        if act == "leave":
            caller.hang_up()
            return
        call = caller.call
        with ext.write() as session:
            try:
                held = call.state != CallState.HELD
                fresh = session.get_one(Call, call.id)
                actions.hold(session, fresh, held, now(), user_id=call.user_id or 0)
            except Conflict:
                pass

    def agent(self, act: str, user_id: int) -> None:
        phone = desk.ringing(user_id)
        if phone is not None:
            self.phones[user_id] = phone
            self.answers(act, phone)
        elif user_id in self.phones:
            self.talks(act, self.phones[user_id], user_id)

    def answers(self, act: str, phone: desk.Ringing) -> None:
        caller = next(one for one in self.callers if one.call_id == phone.offer.call_id)
        if act == "accept" and desk.joins(phone.accept()):
            caller.step("join", talk=phone.offer.id)
        elif act == "voicemail picks up" and isinstance(phone.step("agent").verbs[-1], Gather):
            phone.step("accept", digits="", asked=2)
            phone.state(LegState.COMPLETED)
        elif act == "decline":
            with ext.write() as session:
                actions.decline(session, session.get_one(Offer, phone.offer.id), now())
        elif act == "busy":
            phone.state(LegState.BUSY)
        elif act == "ring out":
            self.clock.shift(25)

    def talks(self, act: str, phone: desk.Ringing, user_id: int) -> None:
        with ext.session() as session:
            call = session.get_one(Call, phone.offer.call_id)
        if act == "agent hangs up":
            phone.state(LegState.COMPLETED)
        elif act == "agent vanishes":
            self.clock.shift(16)
            phone.state(LegState.FAILED)
        elif act == "agent hangs up on screen" and call.user_id == user_id:
            with ext.write() as session:
                try:
                    fresh = session.get_one(Call, call.id)
                    actions.hang_up(session, fresh, now(), user_id=user_id)
                except Conflict:
                    pass
        elif act == "write up" and call.state == CallState.WRAP_UP:
            with ext.write() as session:
                fresh = session.get_one(Call, call.id)
                actions.record.note(session, fresh, now(), wrapped_at=now())

    def turn(self) -> None:
        """The worker's jobs, and the rules that hold after them."""
        desk.sweep()
        desk.distribute()
        with ext.session() as session:
            assert desk.faults(session) == []
            offers = session.scalars(select(Offer).where(Offer.closed_at.is_(None))).all()
            new = [
                (session.get_one(Call, one.call_id), one.user_id)
                for one in offers
                if one.offered_at == now()
            ]
        waiting = self.waiting()
        for call, user_id in new:
            earlier = [one for one in waiting if place(one) < place(call)]
            assert not [one.id for one in earlier if self.may(user_id, one)], "passed over"

    def waiting(self) -> list[Call]:
        """Who waits and rings at nobody."""
        with ext.session() as session:
            rings = select(Offer.call_id).where(Offer.closed_at.is_(None))
            query = select(Call).where(Call.state == CallState.QUEUED, Call.id.not_in(rings))
            return list(session.scalars(query.where(Call.waiting == 1)))

    def may(self, user_id: int, call: Call) -> bool:
        """Whether this agent surely may serve this caller: bob only Billing, sam only Ukrainian."""
        queue = user_id != self.cast.bob.id or call.queue_id == self.cast.billing.id
        return queue and (user_id != self.cast.sam.id or call.language == "uk")

    def close(self) -> None:
        """Everybody leaves; then every call has come to exactly one end."""
        for caller in self.callers:
            caller.hang_up()
        self.turn()
        self.clock.shift(timedelta(minutes=3))
        desk.sweep()
        with ext.session() as session:
            assert desk.faults(session) == []
            ids = [one.call_id for one in self.callers]
            calls = session.scalars(select(Call).where(Call.id.in_(ids))).all()
            assert {(one.state, one.waiting) for one in calls} <= {(CallState.ENDED, None)}
            assert all(one.end_reason is not None for one in calls)
            events = session.scalars(select(Event).where(Event.kind == "call.ended")).all()
            ends = Counter(one.data["call_id"] for one in events)
            assert {ends[id_] for id_ in ids} <= {1}
            offers = session.scalars(select(Offer).where(Offer.call_id.in_(ids))).all()
            assert all(one.outcome is not None for one in offers)
            talked = {one.id for one in calls if one.answered_at is not None}
            taken = {one.call_id for one in offers if one.outcome == OfferOutcome.ACCEPTED}
            assert talked <= taken
        self.callers.clear()
        self.phones.clear()


def place(call: Call) -> tuple[datetime, int]:
    assert call.place_at is not None
    return call.place_at, call.id


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 7)), min_size=6, max_size=24))
def test_the_rules_of_the_desk_hold(
    cast: Cast, clock: time_machine.Traveller, acts: list[tuple[str, int]]
) -> None:
    room = Room(cast, clock)
    room.open()
    room.do("arrive", 0)
    for act, which in acts:
        room.do(act, which)
        room.turn()
    room.close()
