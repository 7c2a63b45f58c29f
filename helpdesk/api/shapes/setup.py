"""How the house is set up: queues, calendars, policies, users."""

from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import MISSING, ConfigDict, Field

from helpdesk.api.shapes.base import (
    DATE,
    HOUR,
    NO_NUL,
    Email,
    In,
    Listed,
    Out,
    Phone,
    PriorityWord,
    Ref,
    UniqueName,
    Whole,
)
from helpdesk.lib.worktime import WEEKDAYS


class QueueOut(Out):
    id: int
    name: str
    address: str | None
    numbers: list[str]
    receipt_articles: bool
    in_form: bool


class QueueList(Listed):
    items: list[QueueOut]


class QueueIn(In):
    name: UniqueName
    address: Email
    numbers: Annotated[list[Phone], Field(max_length=50)] = Field(default_factory=list)
    receipt_articles: bool = Field(
        default=False, description="Receipts offer articles that may answer."
    )
    in_form: bool = Field(
        default=False, description="It takes web forms whose contact reason leads to no queue."
    )


Window = Annotated[
    list[Annotated[str, Field(pattern=HOUR)]],
    Field(min_length=2, max_length=2, description='For example ["09:00", "18:00"].'),
]
Windows = Annotated[list[Window], Field(max_length=48)]
Day = Annotated[str, Field(pattern=DATE)]
Zone = Annotated[
    str,
    Field(
        max_length=60,
        pattern=NO_NUL,
        json_schema_extra={"enum": sorted(available_timezones()), "examples": ["Europe/Kyiv"]},
    ),
]


class Weekly(In):
    """Windows of each day; a day left out is closed."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [day], "properties": {day: {"minItems": 1}}} for day in WEEKDAYS]
        }
    )

    mon: Windows = Field(default_factory=list)
    tue: Windows = Field(default_factory=list)
    wed: Windows = Field(default_factory=list)
    thu: Windows = Field(default_factory=list)
    fri: Windows = Field(default_factory=list)
    sat: Windows = Field(default_factory=list)
    sun: Windows = Field(default_factory=list)


class WeeklyOut(Out):
    mon: list[list[str]]
    tue: list[list[str]]
    wed: list[list[str]]
    thu: list[list[str]]
    fri: list[list[str]]
    sat: list[list[str]]
    sun: list[list[str]]


class CalendarOut(Out):
    id: int
    name: str
    timezone: str
    weekly: WeeklyOut
    holidays: list[str]
    special: dict[str, list[list[str]]]


class CalendarList(Listed):
    items: list[CalendarOut]


class CalendarIn(In):
    name: UniqueName
    timezone: Zone
    weekly: Weekly
    holidays: Annotated[list[Day], Field(max_length=1000)] = Field(default_factory=list)
    special: Annotated[
        dict[Day, Windows],
        Field(max_length=1000, json_schema_extra={"additionalProperties": False}),
    ] = Field(default_factory=dict)


Seconds = Annotated[int, Field(ge=1, le=366 * 86_400), Whole]


class Targets(In):
    """Business seconds of each promise; one left out is not promised."""

    first_response: Seconds | MISSING = MISSING
    next_response: Seconds | MISSING = MISSING
    resolution: Seconds | MISSING = MISSING
    speed_of_answer: Seconds | MISSING = MISSING
    callback: Seconds | MISSING = MISSING


class PolicyOut(Out):
    id: int
    name: str
    queue: str | None
    priority: PriorityWord | None
    calendar: str | None
    targets: dict[str, int]


class PolicyList(Listed):
    items: list[PolicyOut]


class PolicyIn(In):
    name: UniqueName
    queue: Ref | None | MISSING = MISSING
    priority: PriorityWord | None | MISSING = MISSING
    calendar: Ref | None | MISSING = Field(default=MISSING, description="Null: 24 × 7.")
    targets: Targets


class UserOut(Out):
    id: int
    name: str
    email: str
    role: Literal["agent", "supervisor", "admin"]
    active: bool


class UserList(Listed):
    items: list[UserOut]
