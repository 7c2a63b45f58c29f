"""How much of a client's record is filled in, and what is missing."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from helpdesk.clients.models import Client, ContactPoint
from helpdesk.fields import Field, gaps


class Completeness(NamedTuple):
    """`percent` of all fields, name and language and a way to reach them among them.

    `missing`: the wanted fields that are empty. Fields that are not kept of clients of this kind
    do not count.
    """

    percent: int
    missing: list[Field]
    no_language: bool
    unreachable: bool  # no contact point, or only bad ones


def completeness(
    client: Client, fields: Sequence[Field], points: Iterable[ContactPoint]
) -> Completeness:
    """Judge a record by its active fields and its contact points."""
    fields = [field for field in fields if field.suits(client.kind)]
    no_language = client.language is None
    unreachable = all(point.bad for point in points)
    filled = sum(field.key in client.profile for field in fields)
    there = 1 + filled + (not no_language) + (not unreachable)  # a name is always there
    percent = 100 * there // (3 + len(fields))
    return Completeness(percent, gaps(fields, client.profile), no_language, unreachable)
