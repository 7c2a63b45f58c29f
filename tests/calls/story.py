"""Calls told by what a carrier and the desk would say of them, for tests of what they lead to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.calls import flow, record
from helpdesk.calls.models import Call, CallState, LegState, Provider
from helpdesk.calls.providers.port import Heard
from helpdesk.lib.tokens import new_token
from helpdesk.planner.models import Task
from helpdesk.tickets.models import Clock, Metric, Ticket
from tests.cast import Cast

NUMBER = "+380671234567"
assert flow.STEPS  # the room is put together


@dataclass
class Story:
    """One call of a customer; each act takes the moment at which it happens."""

    session: Session
    cast: Cast
    call: Call
    name: str

    def queue(self, at: datetime, **about: Any) -> "Story":
        queue_id = about.pop("queue_id", self.cast.support.id)
        record.note(self.session, self.call, at, queued_at=at, queue_id=queue_id, **about)
        return self

    def note(self, at: datetime, **facts: Any) -> "Story":
        record.note(self.session, self.call, at, **facts)
        return self

    def talk(self, at: datetime, offer: int = 1) -> "Story":
        self.call.user_id = self.cast.alice.id
        parts = dict.fromkeys(("offer_id", "accepted_id", "agent_in_id", "customer_in_id"), offer)
        return self.note(at, offered_at=at, answered_at=at, **parts)

    def over(self, at: datetime, state: LegState = LegState.COMPLETED) -> "Story":
        _told(self.session, self.name, "leg", state, at)
        return self

    @property
    def ticket(self) -> Ticket:
        return self.session.get_one(Ticket, self.call.ticket_id, populate_existing=True)

    @property
    def tasks(self) -> list[Task]:
        query = select(Task).where(Task.ticket_id == self.call.ticket_id).order_by(Task.id)
        return list(self.session.scalars(query))

    def clock(self, metric: Metric) -> Clock | None:
        """The newest of its ticket."""
        query = select(Clock).where(Clock.ticket_id == self.call.ticket_id, Clock.metric == metric)
        query = query.order_by(Clock.id.desc()).limit(1)
        return self.session.scalar(query.execution_options(populate_existing=True))


def ring(session: Session, cast: Cast, at: datetime, number: str | None = NUMBER) -> Story:
    """Somebody calls and hears the greeting."""
    name = f"CA{new_token(16)}"
    call = _told(session, name, "voice", LegState.IN_PROGRESS, at, from_number=number)
    assert call.state == CallState.NEW
    return Story(session, cast, call, name)


def placed(session: Session, cast: Cast, call: Call, at: datetime, name: str = "") -> Story:
    """The customer's telephone of a call of ours rings."""
    name = name or f"CA{new_token(16)}"
    leg = record.customer_leg(session, call)
    assert leg is not None
    leg.provider_id = name
    session.flush()
    _told(session, name, "leg", LegState.RINGING, at)
    return Story(session, cast, call, name)


def _told(
    session: Session, name: str, kind: str, state: LegState, at: datetime, **about: Any
) -> Call:
    heard = Heard(
        provider=Provider.TWIN,
        kind=kind,
        key=new_token(16),
        provider_id=name,
        state=state,
        at=at,
        **about,
    )
    call = record.take(session, heard, at)
    assert call is not None
    return call
