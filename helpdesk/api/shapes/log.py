"""What came in (deliveries) and what happened (events)."""

from typing import Annotated, Any, Literal

from pydantic import MISSING, Field

from helpdesk.api.shapes.base import (
    MAX_ID,
    ChannelWord,
    DeliveryWord,
    Listed,
    Moment,
    Out,
    Paged,
    RfcId,
)


class DeliveryOut(Out):
    id: int
    channel: ChannelWord
    received_at: Moment
    state: DeliveryWord
    reason: str | None
    message_id: str | None
    ticket_id: int | None
    is_auto_reply: bool
    is_bounce: bool
    receipt_sent: bool | None


class DeliveryList(Listed):
    items: list[DeliveryOut]


class DeliveryQuery(Paged):
    state: DeliveryWord | MISSING = MISSING
    message_id: RfcId | MISSING = MISSING


class ActorOut(Out):
    kind: Literal["user", "person", "system"]
    id: int | None
    name: str | None


class EventOut(Out):
    id: int
    at: Moment
    kind: str
    actor: ActorOut
    ticket_id: int | None
    client_id: int | None
    data: dict[str, Any]


class EventList(Listed):
    items: list[EventOut]


class EventQuery(Paged):
    after: Annotated[int, Field(ge=0, le=MAX_ID)] | MISSING = Field(
        default=MISSING, description="The id of the last event that is known; oldest first."
    )
