"""Telephone calls."""

from typing import Annotated, Literal

from pydantic import MISSING, Field

from helpdesk.api.shapes.base import (
    MAX_ID,
    NO_NUL,
    Id,
    Listed,
    Moment,
    Named,
    Out,
    Paged,
    Phone,
    Ref,
)

CallStateWord = Literal[
    "new",
    "language",
    "menu",
    "answer",
    "identify",
    "queued",
    "offered",
    "connecting",
    "talking",
    "held",
    "voicemail",
    "callback",
    "wrap_up",
    "ended",
]
EndReasonWord = Literal[
    "talked",
    "contained",
    "abandoned_menu",
    "abandoned_queue",
    "abandoned_ring",
    "callback",
    "voicemail",
    "no_message",
    "no_answer",
    "busy",
    "refused",
    "failed",
]


class CallOut(Out):
    id: int
    provider_id: str = Field(description="The carrier's id of the customer's leg.")
    direction: Literal["inbound", "outbound"]
    from_: str | None = Field(alias="from", description="E.164; null: withheld.")
    to: str | None
    client_id: int | None
    ticket_id: int | None
    queue: Named | None
    state: CallStateWord
    started_at: Moment
    queued_at: Moment | None
    answered_at: Moment | None
    ended_at: Moment | None
    end_reason: EndReasonWord | None
    agent: Named | None = Field(description="Who talked.")
    recording_url: str | None = Field(
        description="Where this API gives the voicemail or the recording, once it is stored."
    )


class CallList(Listed):
    items: list[CallOut]


class CallQuery(Paged):
    from_: Phone | MISSING = Field(
        default=MISSING, alias="from", description="The caller's number in any spelling."
    )
    provider_id: Annotated[str, Field(max_length=80, pattern=NO_NUL)] | MISSING = MISSING
    queue: Ref | MISSING = MISSING
    client: Id | MISSING = MISSING
    ticket: Id | MISSING = MISSING
    state: CallStateWord | MISSING = MISSING
    after: Annotated[int, Field(ge=0, le=MAX_ID)] | MISSING = Field(
        default=MISSING,
        description="The id of the last call that is known: then oldest first. Else newest first.",
    )
