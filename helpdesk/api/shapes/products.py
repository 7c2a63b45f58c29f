"""Products and contact reasons."""

from typing import Annotated

from pydantic import MISSING, ConfigDict, Field

from helpdesk.api.shapes.base import (
    NO_NUL,
    VISIBLE,
    In,
    KindWord,
    Line,
    Listed,
    Out,
    Paged,
    ReasonRef,
    Ref,
)
from helpdesk.products import GROUP_LIMIT, NAME_LIMIT, SKU_LIMIT
from helpdesk.tickets.reasons import KEY_LIMIT
from helpdesk.tickets.reasons import NAME_LIMIT as REASON_LIMIT

ProductName = Annotated[str, Field(min_length=1, max_length=NAME_LIMIT, pattern=VISIBLE)]
Group = Annotated[str, Field(max_length=GROUP_LIMIT, pattern=NO_NUL)]
Sku = Annotated[str, Field(max_length=SKU_LIMIT, pattern=NO_NUL)]
ReasonTitle = Annotated[str, Field(min_length=1, max_length=REASON_LIMIT, pattern=VISIBLE)]
ReasonKey = Annotated[
    str, Field(min_length=1, max_length=KEY_LIMIT, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
]


class ProductOut(Out):
    id: int
    name: str
    group: str
    sku: str | None
    active: bool


class ProductList(Listed):
    items: list[ProductOut]


class ProductQuery(Paged):
    q: Line | MISSING = Field(
        default=MISSING, description="Words of the name, or the beginning of the sku."
    )
    active: bool | MISSING = Field(
        default=MISSING, description="True: without those that are switched off."
    )


class ProductIn(In):
    name: ProductName
    group: Group = ""
    sku: Sku | None | MISSING = Field(default=MISSING, description="Null or empty: none.")


class ProductChange(In):
    """Only the fields that are there are changed."""

    name: ProductName | MISSING = MISSING
    group: Group | MISSING = MISSING
    sku: Sku | None | MISSING = MISSING
    active: bool | MISSING = MISSING


class ReasonOut(Out):
    id: int
    key: str
    parent_id: int | None
    names: dict[str, str] = Field(description="By language.")
    kind: KindWord | None = Field(description="What it makes of a ticket without a kind.")
    queue: str | None = Field(description="Where forms with it go.")
    in_form: bool
    active: bool


class ReasonList(Listed):
    items: list[ReasonOut]


class Names(In):
    """In each language."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    en: ReasonTitle
    ru: ReasonTitle
    uk: ReasonTitle


class ReasonIn(In):
    names: Names
    key: ReasonKey | MISSING = Field(
        default=MISSING, description="Left out: made of the English name."
    )
    parent: ReasonRef | None | MISSING = Field(default=MISSING, description="Null: the top.")
    kind: KindWord | None | MISSING = MISSING
    queue: Ref | None | MISSING = MISSING
    in_form: bool = True
