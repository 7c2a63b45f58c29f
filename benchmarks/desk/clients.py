"""Clients of the desk: private ones, organisations, and people who belong to these."""

import random
from dataclasses import dataclass
from datetime import datetime

from benchmarks.desk.plan import CONTRACT_TAG, Plan
from benchmarks.desk.sheet import Sheet
from helpdesk.ext import LANGUAGES
from helpdesk.lib.collate import sort_key

WEIGHTS = (3, 3, 4)  # of languages


@dataclass(frozen=True)
class Caller:
    """Somebody who turns to the desk."""

    who: tuple[int, int, int]  # client, person and contact point
    language: str
    tags: tuple[str, ...]


def clients(sheet: Sheet, plan: Plan, draw: random.Random) -> list[Caller]:
    """All of them; every third organisation has a contract, and people of its own as clients."""
    at, found = plan.start, []
    for number in range(plan.organisations):
        tags = (CONTRACT_TAG,) if number % 3 == 0 else ()
        found.append(_client(sheet, draw, at, "organisation", tags, None))
    for number in range(plan.people):
        of = found[number % plan.organisations].who[0] if number % 10 == 0 else None
        found.append(_client(sheet, draw, at, "person", (), of))
    return found


def _client(
    sheet: Sheet,
    draw: random.Random,
    at: datetime,
    kind: str,
    tags: tuple[str, ...],
    organisation: int | None,
) -> Caller:
    id_, language = sheet.next_id("client"), draw.choices(LANGUAGES, WEIGHTS)[0]
    name, email = f"{kind.title()} {id_}", f"client{id_}@customers.example"
    names = {"name": name, "sort_key": sort_key(name), "language": language}
    sheet.add(
        "client",
        id=id_,
        kind=kind,
        tags=list(tags),
        organisation_id=organisation,
        profile={},
        created_at=at,
        updated_at=at,
        **names,
    )
    sheet.add("person", id=id_, client_id=id_, created_at=at, **names)
    sheet.add(
        "contact_point", id=id_, person_id=id_, kind="email", value=email, key=email, created_at=at
    )
    return Caller((id_, id_, id_), language, tags)
