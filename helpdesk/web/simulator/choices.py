"""Who may call and where: clients with a number, our numbers."""

from collections.abc import Sequence
from typing import Any

from flask import g, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.clients.models import ContactKind, ContactPoint, Person
from helpdesk.ext import LANGUAGES
from helpdesk.lib import phone
from helpdesk.tickets.models import Queue
from helpdesk.web.guard import reading
from helpdesk.web.words import words

WITHHELD, OTHER = "anonymous", "other"
LOOKED_AT, EACH = 120, 8  # numbers that are read, and shown of each language
NOBODYS = "+380440000000"
"""A number of ours that no queue has: it leads to the oldest queue."""


def shown() -> dict[str, Any]:
    """The choices of the forms and what is chosen: in the address, or in a form sent before."""
    groups, ours = callers(), numbers()
    known = {number for _language, people in groups for number, _name in people}
    wanted = _wanted("from")
    chosen = wanted if wanted in known | {WITHHELD, OTHER} else OTHER if wanted else ""
    return {
        "groups": groups,
        "numbers": ours,
        "from_": chosen or next(iter(people[0][0] for _l, people in groups if people), OTHER),
        "typed": _wanted("typed") or (wanted if chosen == OTHER and wanted != OTHER else ""),
        "to": _wanted("to"),
        "own": OTHER,
        "withheld": WITHHELD,
    }


def callers() -> list[tuple[str, list[tuple[str, str]]]]:
    """[(language, [(E.164, "Оксана, +380 …")])] of some people, the newest of each language."""
    query = (
        select(ContactPoint)
        .where(ContactPoint.kind == ContactKind.PHONE, ContactPoint.removed_at.is_(None))
        .options(joinedload(ContactPoint.person).joinedload(Person.client))
        .order_by(ContactPoint.id)
        .limit(LOOKED_AT)
    )
    groups: dict[str, list[tuple[str, str]]] = {lang: [] for lang in _languages()}
    for point in reading().scalars(query):
        spoken = point.person.language or point.person.client.language or ""
        group = groups.setdefault(spoken, [])
        if len(group) < EACH:
            group.append((point.key, f"{point.person.name}, {phone.display(point.key)}"))
    return [(words().language.get(lang, ""), found) for lang, found in groups.items() if found]


def _languages() -> Sequence[str]:
    return sorted(LANGUAGES, key=lambda lang: (lang != "uk", lang != g.language))


def numbers() -> list[tuple[str, str]]:
    """(E.164, "+380 44 …, Support") of the active queues, and one that nobody has."""
    query = select(Queue.name, Queue.numbers).where(Queue.active.is_(True)).order_by(Queue.id)
    found = [
        (number, f"{phone.display(number)}, {name}")
        for name, own in reading().execute(query)
        for number in own
    ]
    return [*found, (NOBODYS, _("%(number)s, of no queue", number=phone.display(NOBODYS)))]


def person_of(number: str) -> str | None:
    """The name of somebody with this number."""
    if not number.startswith("+"):
        return None
    kept: dict[str, str | None] = g.setdefault("simulator_names", {})
    if number not in kept:
        query = (
            select(Person.name)
            .join(ContactPoint, ContactPoint.person_id == Person.id)
            .where(
                ContactPoint.kind == ContactKind.PHONE,
                ContactPoint.key == number,
                ContactPoint.removed_at.is_(None),
            )
            .order_by(Person.id)
            .limit(1)
        )
        kept[number] = reading().scalar(query)
    return kept[number]


def _wanted(name: str) -> str:
    return request.values.get(name, "")[:40]
