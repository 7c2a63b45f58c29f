"""Tickets, their messages and clocks."""

from typing import Annotated, Literal

from pydantic import MISSING, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from helpdesk.api.shapes.base import (
    NO_NUL,
    ChannelWord,
    ClockWord,
    Email,
    Id,
    In,
    KindWord,
    Line,
    Listed,
    MetricWord,
    Moment,
    Named,
    Out,
    Paged,
    Phone,
    PriorityWord,
    ProductRef,
    ReasonRef,
    Ref,
    RfcId,
    StatusWord,
    Tags,
    Text,
    Title,
)
from helpdesk.lib.errors import _lazy


class Requester(Out):
    id: int
    name: str
    email: str | None
    phone: str | None


class ClockOut(Out):
    metric: MetricWord
    policy: str | None
    state: ClockWord
    due_at: Moment | None
    remaining_seconds: int = Field(description="Business seconds, negative after a breach.")


class ReasonName(Out):
    id: int
    key: str
    name: str = Field(description="In the language of the token's user.")


class TicketOut(Out):
    id: int
    number: str
    subject: str
    status: StatusWord
    priority: PriorityWord
    channel: ChannelWord
    queue: Named
    product: Named | None
    kind: KindWord | None
    reason: ReasonName | None
    language: str | None
    requester: Requester
    client: Named
    assignee: Named | None
    tags: list[str]
    created_at: Moment
    updated_at: Moment
    first_response_at: Moment | None
    resolved_at: Moment | None
    merged_into: int | None
    clocks: list[ClockOut]


class TicketList(Listed):
    items: list[TicketOut]


class TicketQuery(Paged):
    message_id: RfcId | MISSING = Field(
        default=MISSING, description="The RFC 5322 Message-ID of an email in the ticket."
    )
    number: Annotated[str, Field(pattern=r"^[0-9]{1,12}$")] | MISSING = MISSING
    q: Line | MISSING = Field(
        default=MISSING, description="Words, a number, name, address or phone; the newest 200."
    )
    status: StatusWord | MISSING = MISSING
    queue: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)] | MISSING = Field(
        default=MISSING, description="An id or a name."
    )
    client: Id | MISSING = MISSING
    reason: Annotated[str, Field(min_length=1, max_length=80, pattern=NO_NUL)] | MISSING = Field(
        default=MISSING, description="An id or a key; those under it are meant as well."
    )
    product: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)] | MISSING = Field(
        default=MISSING, description="An sku, a name or an id, looked for in this order."
    )
    kind: KindWord | MISSING = MISSING


class RequesterIn(In):
    """Who asks, by address or number; of both the address decides, a new client keeps both."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["email"]}, {"required": ["phone"]}]}
    )

    email: Email | MISSING = MISSING
    phone: Phone | MISSING = MISSING
    name: Line | MISSING = MISSING

    @model_validator(mode="after")
    def _reachable(self) -> "RequesterIn":
        if self.email is MISSING and self.phone is MISSING:
            raise PydanticCustomError("said", _lazy("An address or a number is needed."))
        return self


class TicketIn(In):
    subject: Line
    text: Text
    requester: RequesterIn
    queue: Ref | MISSING = MISSING
    priority: PriorityWord | MISSING = MISSING
    kind: KindWord | None | MISSING = Field(
        default=MISSING, description="Left out: what the reason says."
    )
    reason: ReasonRef | None | MISSING = MISSING
    product: ProductRef | None | MISSING = MISSING


class TicketChange(In):
    """Only the fields that are there are changed."""

    status: StatusWord | MISSING = MISSING
    priority: PriorityWord | MISSING = MISSING
    queue: Ref | MISSING = MISSING
    assignee: Ref | None | MISSING = Field(default=MISSING, description="Null: nobody.")
    tags: Tags | MISSING = MISSING
    subject: Title | MISSING = MISSING
    kind: KindWord | None | MISSING = MISSING
    reason: ReasonRef | None | MISSING = MISSING
    product: ProductRef | None | MISSING = MISSING


class Author(Out):
    name: str | None
    email: str | None
    phone: str | None


class AttachmentOut(Out):
    id: int
    filename: str
    content_type: str
    size: int
    inline: bool
    url: str


class MessageOut(Out):
    id: int
    kind: Literal["inbound", "outbound", "note", "call", "system"]
    channel: ChannelWord
    author: Author
    subject: str
    text: str
    visible_text: str = Field(description="Without quotes and signature.")
    html: str | None = Field(description="Sanitised.")
    message_id: str | None
    in_reply_to: str | None
    is_auto_reply: bool
    is_bounce: bool
    parse_errors: list[str]
    attachments: list[AttachmentOut]
    created_at: Moment


class MessageList(Listed):
    items: list[MessageOut]


class MessageIn(In):
    kind: Literal["outbound", "note"]
    text: Text


class SpanOut(Out):
    from_: Moment = Field(alias="from")
    to: Moment
    counted: bool
    seconds: int
    reason: str


class ExplainedOut(Out):
    metric: MetricWord
    target_seconds: int
    spans: list[SpanOut]
    due_at: Moment | None


class ExplainedList(Listed):
    items: list[ExplainedOut]
