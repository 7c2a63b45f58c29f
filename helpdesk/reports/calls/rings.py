"""How often waiting calls rang at agents, and what the agents did."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, String, select, type_coerce
from sqlalchemy.orm import Session

from helpdesk.calls.models import Call, Direction, Offer, OfferOutcome
from helpdesk.reports.calls.rows import ABOUT, BEFORE_QUEUE
from helpdesk.reports.narrow import About, conditions
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask

_ABOUT = About(
    queue=ABOUT.queue,
    agent=Offer.user_id,
    client=ABOUT.client,
    ticket=ABOUT.ticket,
    language=ABOUT.language,
    product=ABOUT.product,
    reason=ABOUT.reason,
)

_COLUMNS: tuple[Any, ...] = (
    Call.id,
    Offer.user_id,
    type_coerce(Offer.outcome, String),
    Call.queued_at,
    Call.queue_id,
    Call.client_id,
    Call.product_id,
    Call.reason_id,
    Call.language,
)


class Ring(NamedTuple):
    """One offer of a waiting call; `moment` is when the call entered the queue, `user_id` whose
    phone rang."""

    call_id: int
    user_id: int | None
    outcome: str | None  # a word of OfferOutcome; None: rings now
    moment: datetime
    queue_id: int | None
    client_id: int | None
    product_id: int | None
    reason_id: int | None
    language: str

    @property
    def mark(self) -> str | None:
        return self.outcome

    @property
    def numbers(self) -> tuple[float, ...]:
        return ()

    @property
    def unanswered(self) -> bool:
        return self.outcome == OfferOutcome.UNANSWERED

    @property
    def declined(self) -> bool:
        return self.outcome == OfferOutcome.DECLINED


def read(session: Session, ask: Ask, *, before: bool = False) -> tuple[list[Ring], list[Ring]]:
    """Offers of the calls that entered a queue in the period, and with `before` of those of the
    one before it. One statement. Who asks for an agent means the one whose phone rang.
    """
    earlier = ask.period.before()
    start = (earlier if before else ask.period).start
    query = _query(session, ask, start)
    rows = [Ring._make(row) for row in session.connection().execute(query).all()]
    now = _within(rows, ask.period, ask)
    return now, _within(rows, earlier, ask) if before else []


def _query(session: Session, ask: Ask, start: datetime) -> Select[Any]:
    query = select(*_COLUMNS)
    query = query.join(Offer, Offer.call_id == Call.id).where(
        Call.started_at >= start - BEFORE_QUEUE,
        Call.started_at < ask.period.end,
        Call.queued_at >= start,
        Call.queued_at < ask.period.end,
        Call.direction == Direction.INBOUND,
        *conditions(session, ask.filters, ask.scope, _ABOUT),
    )
    return query.order_by(Call.queued_at, Call.id, Offer.id)


def _within(rows: Sequence[Ring], period: Period, ask: Ask) -> list[Ring]:
    start, end = period.start, period.end
    return [
        row for row in rows if start <= row.moment < end and ask.filters.keeps(row.moment, period)
    ]
