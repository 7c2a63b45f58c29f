"""Two clients made one, and the undo of it."""

from typing import Annotated

from pydantic import MISSING, Field

from helpdesk.api.shapes.base import Id, In, Moment, Out

TakenField = Annotated[
    str,
    Field(
        pattern=r"^(kind|name|relation|language|timezone|owner_id|organisation_id|external_id"
        r"|profile\.[a-z][a-z0-9_]{0,39})$"
    ),
]


class MergeIn(In):
    other: Id = Field(description="The client that is merged into the one of the address.")
    take: Annotated[list[TakenField], Field(max_length=120)] | MISSING = Field(
        default=MISSING,
        description="Fields whose value comes from the other client. Empty ones always do.",
    )


class MergeOut(Out):
    id: int
    client: int = Field(description="The client that stays.")
    other: int = Field(description="The client that lives on in it.")
    at: Moment
    undone_at: Moment | None
