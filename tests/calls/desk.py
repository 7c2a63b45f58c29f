"""A desk for tests of the distribution: callers in the queue, agents with telephones, both moved
by what a carrier would say, without one."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.presence import Availability, Phone, Presence
from helpdesk.calls import distribution, flow, record, watch
from helpdesk.calls.models import (
    Call,
    CallCommand,
    CallLeg,
    Direction,
    LegState,
    Offer,
    OfferOutcome,
    Provider,
)
from helpdesk.calls.providers.port import Heard
from helpdesk.calls.script import Conference, Gather, Say, Script
from helpdesk.calls.states import OVER
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import new_token

OURS = "+380443550110"


def on(session: Session, user_id: int, **about: Any) -> Presence:
    """Let somebody be available; `about` sets columns of their presence."""
    row = presence.set_state(session, user_id, Availability.AVAILABLE, at=now())
    for name, value in ({"phone": Phone.OWN, "number": f"+38067{user_id:07}"} | about).items():
        setattr(row, name, value)
    session.flush()
    return row


def state_of(user_id: int) -> Presence:
    with ext.session() as session:
        return session.get_one(Presence, user_id)


def told(
    session: Session, name: str, state: LegState, *, agent: Offer | None = None, **about: Any
) -> Call:
    """A carrier says how a leg stands."""
    query = {"offer": str(agent.id)} if agent is not None else {}
    label = f"agent-{agent.user_id}" if agent is not None else None
    about = {"direction": Direction.OUTBOUND} | about if agent is not None else about
    heard = Heard(
        provider=Provider.TWIN,
        kind="leg",
        key=new_token(16),
        provider_id=name,
        state=state,
        label=label,
        query=query,
        **about,
    )
    call = record.take(session, heard, now())
    assert call is not None
    return call


@dataclass
class Caller:
    """Somebody who waits in a queue."""

    call_id: int
    name: str

    def hang_up(self) -> None:
        with ext.write() as session:
            told(session, self.name, LegState.COMPLETED)

    def step(self, step: str, **query: Any) -> Script:
        return asked(self.call_id, step, self.name, query)

    @property
    def call(self) -> Call:
        with ext.session() as session:
            return session.get_one(Call, self.call_id)

    @property
    def offers(self) -> list[Offer]:
        with ext.session() as session:
            query = select(Offer).where(Offer.call_id == self.call_id).order_by(Offer.id)
            return list(session.scalars(query))

    @property
    def orders(self) -> list[tuple[str, str]]:
        """(kind, step) of what the carrier was told to do, in its order."""
        with ext.session() as session:
            query = select(CallCommand).where(CallCommand.call_id == self.call_id)
            rows = session.scalars(query.order_by(CallCommand.id))
            return [
                (row.kind, str(row.data.get("step", "")).partition("?")[0])
                for row in rows
                if row.kind != "fetch"
            ]


def waits(
    queue_id: int | None,
    number: str = "+380671234567",
    *,
    skill: str | None = None,
    lang: str = "uk",
) -> Caller:
    """A call comes in and joins the queue."""
    name = f"CA{new_token(12)}"
    heard = Heard(
        provider=Provider.TWIN,
        kind="voice",
        key=new_token(16),
        provider_id=name,
        from_number=number,
        to_number=OURS,
        state=LegState.IN_PROGRESS,
    )
    with ext.write() as session:
        call = record.take(session, heard, now())
        assert call is not None
        call.skill, call.language = skill, lang
        record.note(session, call, now(), queued_at=now(), queue_id=queue_id)
        return Caller(call.id, name)


def distribute() -> int:
    with ext.write() as session:
        return distribution.assign(session, now())


def sweep() -> int:
    with ext.write() as session:
        return watch.sweep(session, now())


def asked(call_id: int, step: str, name: str, query: dict[str, Any], **more: Any) -> Script:
    """The document that a telephone gets at a step."""
    with ext.write() as session:
        heard = Heard(
            provider=Provider.TWIN,
            kind="step",
            key=new_token(16),
            provider_id=name,
            step=step,
            query={key: str(value) for key, value in query.items()},
            state=LegState.IN_PROGRESS,
            direction=Direction.OUTBOUND if step in ("agent", "accept") else Direction.INBOUND,
            **more,
        )
        call = record.take(session, heard, now())
        assert call is not None and call.id == call_id
        return flow.STEPS[step](session, call, heard, now())


@dataclass
class Ringing:
    """An agent's telephone that rings, by its offer."""

    offer: Offer
    name: str = field(default_factory=lambda: f"CA{new_token(12)}")

    def state(self, state: LegState) -> None:
        with ext.write() as session:
            told(session, self.name, state, agent=self.offer)

    def step(self, step: str, digits: str | None = None, **query: Any) -> Script:
        query = {"offer": self.offer.id} | query
        return asked(self.offer.call_id, step, self.name, query, digits=digits)

    def accept(self) -> Script:
        """Answer, and press 1 where it is asked."""
        script = self.step("agent")
        if isinstance(script.verbs[-1], Gather):
            script = self.step("accept", digits="1", asked=1)
        return script


def ringing(user_id: int) -> Ringing | None:
    """The telephone of this agent, if it rings."""
    with ext.session() as session:
        query = select(Offer).where(Offer.user_id == user_id, Offer.closed_at.is_(None))
        offer = session.scalar(query)
        return Ringing(offer) if offer is not None else None


def rings(user_id: int) -> Ringing:
    found = ringing(user_id)
    assert found is not None, "the telephone does not ring"
    return found


def talk(caller: Caller, user_id: int) -> Ringing:
    """The offered call is taken and the customer comes into the conference."""
    phone = rings(user_id)
    assert joins(phone.accept())
    assert joins(caller.step("join", talk=phone.offer.id))
    return phone


def joins(script: Script) -> bool:
    return isinstance(script.verbs[-1], Conference)


def words(script: Script) -> str:
    """All that is said in a document."""
    said: list[str] = []
    for verb in script.verbs:
        parts = verb.say if isinstance(verb, Gather) else [verb]
        said += [part.text for part in parts if isinstance(part, Say)]
    return " ".join(said)


def faults(session: Session) -> list[str]:
    """What must never be: read from the rows as they are."""
    open_ = session.scalars(select(Offer).where(Offer.closed_at.is_(None))).all()
    found = []
    if len({one.call_id for one in open_}) < len(open_):
        found.append("two open offers of a call")
    if len({one.user_id for one in open_}) < len(open_):
        found.append("two open offers to an agent")
    rows = session.scalars(select(Presence).order_by(Presence.user_id)).all()
    offered = {one.user_id: one.call_id for one in open_}
    for row in rows:
        engaged = row.state == Availability.IN_CALL
        if row.user_id in offered and (not engaged or row.call_id != offered[row.user_id]):
            found.append(f"user {row.user_id} is offered a call and {row.state.value}")
        if engaged != _has_call(session, row, offered):
            found.append(f"user {row.user_id}: {row.state.value}, call {row.call_id}")
    return found


def _has_call(session: Session, row: Presence, offered: dict[int, int]) -> bool:
    if row.user_id in offered:
        return True
    if row.call_id is None or row.state == Availability.WRAP_UP:
        return False
    call = session.get_one(Call, row.call_id)
    offer = session.scalar(
        select(Offer).where(Offer.call_id == call.id).order_by(Offer.id.desc()).limit(1)
    )
    leg = session.get(CallLeg, offer.leg_id) if offer is not None and offer.leg_id else None
    taken = offer is not None and offer.outcome == OfferOutcome.ACCEPTED
    return taken and call.ended_at is None and (leg is None or leg.state not in OVER)
