"""Clients, their people and their timeline."""

from typing import Annotated, Literal

from pydantic import MISSING, Field

from helpdesk.api.shapes.base import (
    NO_NUL,
    VISIBLE,
    ChannelWord,
    Email,
    Id,
    In,
    LanguageWord,
    Line,
    Listed,
    Moment,
    Name,
    Named,
    Out,
    Paged,
    Phone,
    Query,
    Ref,
    Tags,
)

RelationWord = Literal["client", "partner", "supplier"]
FieldKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
FieldValue = Annotated[str, Field(max_length=1000, pattern=NO_NUL)] | bool | int | float | None
Profile = Annotated[
    dict[FieldKey, FieldValue],
    Field(
        max_length=100,
        description="Values by the key of a profile field; null takes one out.",
        json_schema_extra={"additionalProperties": False},
    ),
]
ZoneName = Annotated[
    str, Field(max_length=60, pattern=NO_NUL, description="IANA time zone, e.g. Europe/Kyiv.")
]
ExternalId = Annotated[
    str,
    Field(min_length=1, max_length=80, pattern=VISIBLE, description="The id in another system."),
]


class ContactPointOut(Out):
    kind: Literal["email", "phone", "messenger"]
    value: str
    verified: bool
    preferred: bool
    bad: bool


class PersonOut(Out):
    id: int
    name: str
    role: str
    contact_points: list[ContactPointOut]


class ClientOut(Out):
    id: int
    kind: Literal["person", "organisation"]
    name: str
    language: str | None
    owner: str | None
    tags: list[str]
    people: list[PersonOut]
    relation: RelationWord
    potential: bool
    organisation: Named | None = Field(description="The organisation that this client belongs to.")
    timezone: str | None
    external_id: str | None
    merged_into: int | None = Field(description="The client that this one lives on in.")
    profile: dict[str, str | bool | int | float] = Field(
        description="Values by the key of a profile field."
    )
    profile_hidden: list[str] = Field(
        description="Keys whose values this token may not read: it lacks client.sensitive."
    )
    created_at: Moment


class ClientList(Listed):
    items: list[ClientOut]


class ClientQuery(Paged):
    email: Line | MISSING = MISSING
    phone: Annotated[str, Field(max_length=80, pattern=NO_NUL)] | MISSING = MISSING
    q: Line | MISSING = Field(default=MISSING, description="Name, address or number.")
    external_id: Line | MISSING = MISSING


class PointIn(In):
    preferred: bool = Field(default=False, description="The one of its kind to use first.")


class EmailPoint(PointIn):
    kind: Literal["email"]
    value: Email


class PhonePoint(PointIn):
    kind: Literal["phone"]
    value: Phone


class MessengerPoint(PointIn):
    kind: Literal["messenger"]
    value: Name


class PersonIn(In):
    name: Name
    role: Line | MISSING = MISSING
    contact_points: Annotated[
        list[Annotated[EmailPoint | PhonePoint | MessengerPoint, Field(discriminator="kind")]],
        Field(max_length=20),
    ] = Field(default_factory=list)


class ClientIn(In):
    kind: Literal["person", "organisation"] | MISSING = MISSING
    name: Name
    language: LanguageWord | None | MISSING = MISSING
    owner: Ref | None | MISSING = MISSING
    tags: Tags | MISSING = MISSING
    relation: RelationWord | MISSING = MISSING
    potential: bool | MISSING = MISSING
    organisation: Id | None | MISSING = MISSING
    timezone: ZoneName | None | MISSING = MISSING
    external_id: ExternalId | None | MISSING = MISSING
    profile: Profile | MISSING = MISSING
    people: Annotated[list[PersonIn], Field(max_length=20)] | MISSING = Field(
        default=MISSING, description="Left out for a person: one with the client's name."
    )


class ClientChange(In):
    """Only the fields that are there are changed."""

    name: Name | MISSING = MISSING
    language: LanguageWord | None | MISSING = MISSING
    owner: Ref | None | MISSING = MISSING
    tags: Tags | MISSING = MISSING
    relation: RelationWord | MISSING = MISSING
    potential: bool | MISSING = MISSING
    organisation: Id | None | MISSING = MISSING
    timezone: ZoneName | None | MISSING = MISSING
    external_id: ExternalId | None | MISSING = MISSING
    profile: Profile | MISSING = MISSING


class TimelineQuery(Query):
    limit: int = Field(default=50, ge=1, le=200)
    cursor: Annotated[str, Field(pattern=r"^[0-9a-z]{1,10}-[0-9]-[0-9a-z]{1,12}$")] | MISSING = (
        MISSING
    )


class TimelineOut(Out):
    at: Moment
    kind: str
    channel: ChannelWord | None
    direction: Literal["inbound", "outbound"] | None
    title: str
    by: str | None
    ticket_id: int | None
    call_id: int | None


class TimelineList(Listed):
    items: list[TimelineOut]
