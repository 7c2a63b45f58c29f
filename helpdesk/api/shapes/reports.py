"""Reports: the SLA numbers divided as asked, and the tables that the pages show."""

import re
from typing import Annotated, Literal, get_args

from pydantic import MISSING, AfterValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk.api.shapes.base import (
    ChannelWord,
    Id,
    KindWord,
    LanguageWord,
    Listed,
    MetricWord,
    Moment,
    Named,
    Out,
    PriorityWord,
    ProductRef,
    Query,
    ReasonRef,
    Ref,
)
from helpdesk.lib.errors import _lazy
from helpdesk.reports.parts import MOST

CutWord = Literal[
    "queue",
    "agent",
    "team",
    "client",
    "organisation",
    "product",
    "reason",
    "channel",
    "priority",
    "language",
    "kind",
    "day",
    "week",
    "slot",
]
_CUT = f"({'|'.join(get_args(CutWord))})"
_DAY = r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOUR = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = rf"T{_HOUR}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[ +-]{_HOUR})?"

_WHEN = rf"^{_DAY}({_TIME})?$"
_BY = rf"^{_CUT}(,{_CUT}){{0,{MOST - 1}}}$"


def _when(text: str) -> str:
    if re.fullmatch(_WHEN, text):
        return text
    day = _lazy("“%(text)s” is no day. For example 2026-11-20")
    moment = _lazy("“%(text)s” is no moment. For example 2026-11-20T09:00:00Z")
    raise _said(moment if "T" in text.upper() else day, text=text)


def _by(text: str) -> str:
    if re.fullmatch(_BY, text):
        return text
    for name in text.split(","):
        if name not in get_args(CutWord):
            raise _said(_lazy("A report is not divided by “%(name)s”."), name=name)
    message = _lazy("Divide by each at most once, and by at most %(most)s.")
    raise PydanticCustomError("said", message, {"most": MOST})


def _said(message: str, **shown: str) -> PydanticCustomError:
    """The patterns above stand in the description of the API; a person is told what is wrong."""
    parts = {name: text[:40].replace("\0", "\ufffd") for name, text in shown.items()}
    return PydanticCustomError("said", message, parts)


When = Annotated[
    str,
    AfterValidator(_when),
    Field(
        json_schema_extra={"pattern": _WHEN},
        description="A day (included, in the company's time zone) or a moment (`to` excluded), "
        "for the ticket's creation. Without both: the last 28 days; at most 400 days.",
    ),
]
By = Annotated[
    str,
    AfterValidator(_by),
    Field(
        json_schema_extra={"pattern": _BY},
        description="By what the numbers are divided: up to six of "
        f"{', '.join(get_args(CutWord))}, with commas between.",
    ),
]


class ReportQuery(Query):
    """What every report can be asked."""

    from_: When | MISSING = Field(default=MISSING, alias="from")
    to: When | MISSING = MISSING
    queue: Ref | MISSING = MISSING
    agent: Ref | MISSING = MISSING
    team: Id | MISSING = MISSING
    client: Id | MISSING = MISSING
    organisation: Id | MISSING = MISSING
    product: ProductRef | MISSING = MISSING
    reason: ReasonRef | MISSING = Field(default=MISSING, description="With all below it.")
    channel: ChannelWord | MISSING = MISSING
    priority: PriorityWord | MISSING = MISSING
    language: LanguageWord | MISSING = MISSING
    kind: KindWord | MISSING = MISSING


class SlaQuery(ReportQuery):
    by: By = "queue"
    metric: MetricWord | MISSING = MISSING
    limit: int = Field(default=1000, ge=1, le=1000)
    cursor: Annotated[str, Field(pattern=r"^[0-9a-z]{1,12}$")] | MISSING = Field(
        default=MISSING, description="`next_cursor` of the page before."
    )


class TablesQuery(ReportQuery):
    by: CutWord | MISSING = Field(
        default=MISSING, description="By what the tables are divided, if this report can be."
    )


class SlaOut(Out):
    """The promises of one metric in one part, of tickets opened in the period."""

    by: dict[str, Named | str | None] = Field(
        description="The part: a thing, a word, a day, a week's Monday or an hour of the week; "
        "null: tickets that have none."
    )
    metric: MetricWord
    met: int
    breached: int
    running: int
    median_seconds: int | None = Field(
        description="Business seconds of those that have ended, by nearest rank: of n values in "
        "order the one at the place n × 0.5, rounded up."
    )
    p90_seconds: int | None = Field(description="The same at the place n × 0.9, rounded up.")


class SlaList(Listed):
    items: list[SlaOut]


class PeriodOut(Out):
    from_: Moment = Field(alias="from")
    to: Moment = Field(description="Excluded.")
    timezone: str = Field(description="In which days, weeks and hours are told.")


class MeasureOut(Out):
    key: str
    label: str
    unit: Literal["count", "share", "seconds", "score", "number"]
    formula: str


class TileOut(Out):
    measure: MeasureOut
    value: float | None
    before: float | None = Field(description="In the period before.")


class LineOut(Out):
    key: str | int | None = Field(description="Null: the total.")
    name: str | None = Field(description="Null: the key says what it is.")
    values: list[float | None] = Field(description="In the order of `measures`.")
    before: list[float | None]


class TableOut(Out):
    key: str
    title: str
    by: str
    measures: list[MeasureOut]
    lines: list[LineOut]
    total: LineOut | None


class ReportOut(Out):
    """A report with the numbers of its page, in the language of the token's user."""

    name: str
    title: str
    period: PeriodOut
    tiles: list[TileOut]
    tables: list[TableOut]
