"""Tickets with promises of every kind, written as rows: what reports count, quickly made."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import Team, User
from helpdesk.clients.models import Client, ClientKind, Person
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.products import Product
from helpdesk.reports.asking import asked
from helpdesk.reports.sheet import Ask
from helpdesk.tickets.models import (
    Channel,
    Clock,
    ClockState,
    ContactReason,
    Metric,
    Policy,
    Priority,
    Queue,
    Status,
    Ticket,
    TicketKind,
)
from helpdesk.tickets.reasons import create_reason
from tests.cast import Cast

ZONE = ZoneInfo("Europe/Kyiv")


def ask_of(user: User, at: datetime | None = None, **args: str) -> Ask:
    """What somebody asks of a report; `from_` stands for `from`."""
    named = {name.rstrip("_"): value for name, value in args.items()}
    return asked(named, user=user, queue_ids=None, zone=ZONE, at=at or now(), language="en")


def place(
    session: Session, cast: Cast, *, at: datetime, opened: datetime | None = None, **values: Any
) -> int:
    """A ticket opened at that moment; its id."""
    at = opened or at
    plain: dict[str, Any] = {
        "subject": "Kettle",
        "status": Status.OPEN,
        "priority": Priority.NORMAL,
        "channel": Channel.EMAIL,
        "queue_id": cast.support.id,
        "client_id": cast.oksana.client_id,
        "person_id": cast.oksana.person_id,
        "tags": [],
        "created_at": at,
        "updated_at": at,
        "last_message_at": at,
        "link_nonce": "n" * 32,
        "version": 1,
    }
    row = insert(Ticket.__table__).values(plain | values)  # type: ignore[arg-type]
    return int(session.execute(row.returning(Ticket.id)).scalar_one())


def promise(
    session: Session,
    ticket_id: int,
    *,
    metric: Metric = Metric.FIRST_RESPONSE,
    took: int | None = None,
    target: int = 3600,
    breached: bool | None = None,
    due_at: datetime | None = None,
    at: datetime,
    **values: Any,
) -> int:
    """A promise on it that took so many seconds (None: it still runs); its id."""
    late = breached if breached is not None else took is not None and took > target
    policy_id = session.scalars(select(Policy.id).order_by(Policy.id)).first()
    plain: dict[str, Any] = {
        "ticket_id": ticket_id,
        "metric": metric,
        "policy_id": policy_id,
        "counted": 1,
        "state": ClockState.BREACHED if late else ClockState.RUNNING,
        "target_seconds": target,
        "started_at": at,
        "due_at": due_at or at + timedelta(seconds=target),
        "remaining_seconds": None if took is None else target - took,
        "breached_at": at + timedelta(seconds=target) if late else None,
        "stopped_at": None if took is None else at + timedelta(seconds=took),
        "stepped": [],
        "paused_spans": [],
    }
    row = insert(Clock.__table__).values(plain | values)  # type: ignore[arg-type]
    return int(session.execute(row.returning(Clock.id)).scalar_one())


def client(session: Session, kind: ClientKind, above: int | None = None) -> tuple[int, int]:
    """A client with one person: their ids."""
    row = Client(
        kind=kind,
        name=f"{kind} of {above}",
        sort_key="x",
        tags=[],
        organisation_id=above,
        created_at=now(),
        updated_at=now(),
    )
    session.add(row)
    session.flush()
    person = Person(client_id=row.id, name="Somebody", sort_key="somebody", created_at=now())
    session.add(person)
    session.flush()
    return row.id, person.id


def scatter(session: Session, cast: Cast, at: datetime, count: int = 120) -> list[int]:
    """Tickets of eight weeks that differ in all by which reports divide; ids."""
    chance = random.Random(5)
    people = [client(session, ClientKind.PERSON)]
    firm = client(session, ClientKind.ORGANISATION)
    people += [firm, client(session, ClientKind.PERSON, firm[0])]
    people += [branch := client(session, ClientKind.ORGANISATION, firm[0])]
    people += [client(session, ClientKind.PERSON, branch[0])]
    _teams(session, cast)
    choices: dict[str, Sequence[Any]] = {
        "queue_id": [cast.support.id, cast.billing.id],
        "assignee_id": [None, cast.alice.id, cast.bob.id, cast.sam.id],
        "channel": list(Channel),
        "priority": list(Priority),
        "language": ["uk", "ru", "en", None],
        "kind": [None, *TicketKind],
        "reason_id": [None, *_reasons(session)],
        "product_id": [None, *_products(session)],
    }
    ids = []
    for _number in range(count):
        who = chance.choice(people)
        opened = at - timedelta(minutes=chance.randrange(56 * 1440))
        values = {name: chance.choice(found) for name, found in choices.items()}
        ids.append(place(session, cast, at=opened, client_id=who[0], person_id=who[1], **values))
        for metric in chance.sample(list(Metric), 2):
            took = chance.choice([None, chance.randrange(1, 8000)])
            promise(session, ids[-1], metric=metric, took=took, at=opened)
    return ids


def _teams(session: Session, cast: Cast) -> None:
    """Alice has one; so has Billing; Bob, Sam and Support have none."""
    teams = [
        Team(name=name, sort_key=sort_key(name), created_at=now()) for name in ("East", "West")
    ]
    session.add_all(teams)
    session.flush()
    session.get_one(User, cast.alice.id).team_id = teams[0].id
    session.get_one(Queue, cast.billing.id).team_id = teams[1].id
    session.flush()


def _reasons(session: Session) -> list[int]:
    """One and another below it."""
    above = create_reason(session, names={"en": "Repair", "ru": "Ремонт", "uk": "Ремонт"})
    below = create_reason(
        session, names={"en": "Leak", "ru": "Течь", "uk": "Теча"}, parent_id=above.id
    )
    found: list[ContactReason] = [above, below]
    return [one.id for one in found]


def _products(session: Session) -> list[int]:
    rows = [Product(name=name, sort_key=name, created_at=now()) for name in ("Kettle", "Lamp")]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]
