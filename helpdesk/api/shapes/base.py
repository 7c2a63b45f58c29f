"""What all shapes are made of: cleaned text, ids, moments, lists and the error."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    MISSING,
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)
from pydantic_core import PydanticCustomError

from helpdesk.lib.errors import _lazy
from helpdesk.lib.text import valid_email
from helpdesk.tickets.actions import TEXT_LIMIT

MAX_ID = 2**63 - 1

# A character that cleaning leaves and a person can see, without and with digits. Spelt out,
# because the same pattern has to mean the same in JSON Schema, Python and here.
_SIGNS = (
    r"!-/:-~\u00a1-\u00ac\u00ae-\u034e\u0370-\u061b\u0620-\u115e\u1161-\u167f\u1681-\u17b3"
    r"\u17b6-\u180a\u1810-\u1fff\u3041-\u3163\u3165-\ud7ff"
)
NO_NUL = r"^[^\x00]*$"
VISIBLE = rf"^[^\x00]*[0-9{_SIGNS}][^\x00]*$"
NOT_ONLY_DIGITS = rf"^[^\x00]*[{_SIGNS}][^\x00]*$"
DATE = r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
HOUR = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
KEY = r"^[!-~]{1,255}$"


def _email(value: str) -> str:
    if not valid_email(value):
        message = _lazy("This is not an email address: %(email)s")
        raise PydanticCustomError("said", message, {"email": value[:80]})
    return value


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 7.0 is the integer 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
Id = Annotated[int, Field(ge=1, le=MAX_ID), Whole]
Line = Annotated[str, Field(max_length=300, pattern=NO_NUL)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=VISIBLE)]
Title = Annotated[str, Field(min_length=1, max_length=300, pattern=VISIBLE)]
UniqueName = Annotated[str, Field(min_length=1, max_length=80, pattern=NOT_ONLY_DIGITS)]
Text = Annotated[
    str,
    Field(
        min_length=1,
        max_length=TEXT_LIMIT,
        pattern=VISIBLE,
        description=f"At most {TEXT_LIMIT} characters.",
        # Generators of test data give up on a pattern that may be this long.
        json_schema_extra=lambda schema: schema.pop("maxLength", None),
    ),
]
Email = Annotated[
    str,
    Field(max_length=254, pattern=NO_NUL, json_schema_extra={"format": "email"}),
    AfterValidator(_email),
]
Phone = Annotated[str, Field(min_length=3, max_length=40, pattern=r"^[^\x00]*[0-9][^\x00]*$")]
RfcId = Annotated[str, Field(max_length=1000, pattern=NO_NUL)]
Tag = Annotated[str, Field(max_length=40, pattern=NO_NUL)]
Tags = Annotated[list[Tag], Field(max_length=20)]
Ref = Annotated[
    Id | Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)],
    Field(description="An id or a name."),
]
_Words = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
ReasonRef = Annotated[Id | _Words, Field(description="An id or a key.")]
ProductRef = Annotated[
    Id | _Words, Field(description="A number is an id; a text is an sku, a name or an id.")
]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]

StatusWord = Literal["new", "open", "pending", "on_hold", "resolved", "closed"]
PriorityWord = Literal["low", "normal", "high", "urgent"]
ChannelWord = Literal["email", "phone", "web", "sms", "api"]
MetricWord = Literal["first_response", "next_response", "resolution", "speed_of_answer", "callback"]
KindWord = Literal["question", "request", "complaint", "suggestion", "thanks"]
ClockWord = Literal["running", "paused", "met", "breached"]
LanguageWord = Literal["en", "ru", "uk"]
DeliveryWord = Literal["new", "done", "ignored", "quarantined", "failed"]


class Out(BaseModel):
    """What goes out: every field is always there."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class In(BaseModel):
    """A JSON body that comes in: unknown fields and other types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """The parameters behind the question mark."""

    model_config = ConfigDict(extra="forbid")


class Named(Out):
    id: int
    name: str


class FieldError(Out):
    field: str = Field(description="Where in the request, for example requester.email.")
    message: str


class Problem(Out):
    """An error (RFC 9457), in the language of the token's user."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError]


class Paged(Query):
    limit: int = Field(default=50, ge=1, le=200)
    cursor: Annotated[str, Field(pattern=r"^[0-9a-z]{1,12}$")] | MISSING = Field(
        default=MISSING, description="`next_cursor` of the page before."
    )


class Listed(Out):
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.")
