"""Deliveries: what came in and what became of it."""

from collections.abc import Sequence

from pydantic import MISSING
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.refs import bare_message_id
from helpdesk.api.shapes.base import MAX_ID, Query
from helpdesk.api.shapes.log import DeliveryList, DeliveryOut, DeliveryQuery
from helpdesk.intake.actions import replay
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.intake.queries import receipts_of
from helpdesk.lib.errors import NotFound


@operation(
    "GET",
    "/deliveries",
    permission="delivery.read",
    query=DeliveryQuery,
    answer=DeliveryList,
    tag="deliveries",
)
def list_deliveries(call: Call[DeliveryQuery, None]) -> DeliveryList:
    """List what came in, newest first."""
    query = call.query
    rows = select(Delivery).where(Delivery.id < id_of(query.cursor, MAX_ID))
    if query.state is not MISSING:
        rows = rows.where(Delivery.state == DeliveryState(query.state))
    if query.message_id is not MISSING:
        rows = rows.where(Delivery.message_id == bare_message_id(query.message_id))
    rows = rows.order_by(Delivery.id.desc()).limit(query.limit + 1)
    page, last = cut(call.session.scalars(rows).all(), query.limit)
    return DeliveryList(
        items=_shapes(call.session, page),
        next_cursor=id_cursor(last.id if last else None),
    )


@operation(
    "POST",
    "/deliveries/<int:delivery_id>/replay",
    permission="delivery.replay",
    answer=DeliveryOut,
    tag="deliveries",
)
def replay_delivery(call: Call[Query, None], delivery_id: int) -> DeliveryOut:
    """Process a failed or quarantined delivery again."""
    query = select(Delivery).where(Delivery.id == delivery_id).with_for_update()
    delivery = call.session.scalar(query)
    if delivery is None:
        raise NotFound()
    replay(call.session, delivery, actor=call.actor, at=call.at)
    return _shapes(call.session, [delivery])[0]


def _shapes(session: Session, deliveries: Sequence[Delivery]) -> list[DeliveryOut]:
    receipts = receipts_of(session, deliveries)
    return [_shape(delivery, receipts[delivery.id]) for delivery in deliveries]


def _shape(delivery: Delivery, receipt_sent: bool | None) -> DeliveryOut:
    return DeliveryOut(
        id=delivery.id,
        channel=delivery.channel.value,
        received_at=delivery.received_at,
        state=delivery.state.value,
        reason=delivery.reason,
        message_id=delivery.message_id,
        ticket_id=delivery.ticket_id,
        is_auto_reply=delivery.is_auto_reply,
        is_bounce=delivery.is_bounce,
        receipt_sent=receipt_sent,
    )
