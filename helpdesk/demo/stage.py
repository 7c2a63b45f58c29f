"""Sets the demo's stage: staff, queues, business hours, promises and the clients' records."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.accounts.actions import add_user
from helpdesk.accounts.models import User
from helpdesk.accounts.teams import create_team, set_members
from helpdesk.clients.actions import add_contact_point, add_person, create_client
from helpdesk.clients.match import Known
from helpdesk.clients.models import Client
from helpdesk.demo.notice import NOTICE
from helpdesk.demo.people import Household, Somebody, households
from helpdesk.events import SYSTEM
from helpdesk.lib import worktime
from helpdesk.lib.text import email_key
from helpdesk.tickets import calendars, policies, queues
from helpdesk.tickets.models import Calendar, Policy, Queue

PASSWORD = "svitlo-demo-2026"
BEFORE = timedelta(days=90)  # how long ago the shop began to use the desk
MINUTE, HOUR = 60, 3_600
DAY = ["09:00", "13:00"], ["14:00", "18:00"]
WEEK = {day: [*DAY] for day in ("mon", "tue", "wed", "thu", "fri")} | {"sat": [["10:00", "15:00"]]}


@dataclass(frozen=True)
class Staff:
    """A member of staff of the demo; `login` is the local part of the address."""

    login: str
    name: str
    role: str
    language: str
    feminine: bool
    signature: str


STAFF = (
    Staff("olena", "Олена Гнатюк", "agent", "uk", True, "З повагою,\nОлена Гнатюк\nSvitlo"),
    Staff("denys", "Денис Ковальов", "agent", "ru", False, "Денис Ковальов, Svitlo"),
    Staff("maryna", "Марина Левченко", "supervisor", "uk", True, "Марина Левченко\nSvitlo"),
    Staff("admin", "Andrew Miller", "admin", "en", False, "Andrew Miller\nSvitlo"),
)


@dataclass(frozen=True)
class Writer:
    """A person who may write, as the verbs and the texts need them."""

    known: Known
    person: Somebody
    language: str
    organisation: bool


@dataclass(frozen=True)
class Stage:
    """What the history is played on."""

    staff: Mapping[str, User]
    queues: Mapping[str, Queue]
    calendar: worktime.Calendar
    writers: tuple[Writer, ...]
    began: datetime


def build(session: Session, at: datetime, pick: random.Random) -> Stage:
    """Make everything that stood before the first ticket came in."""
    began = at - BEFORE
    settings.put(session, "brand_name", "Svitlo")
    settings.put(session, "privacy_notice", NOTICE)
    staff = {one.login: _user(session, one, began) for one in STAFF}
    found = {
        "support": _queue(session, "Support", "+380 44 355 01 10", began),
        "billing": _queue(session, "Billing", "+380 44 355 01 11", began),
    }
    queues.change_queue(
        session, found["support"], country="UA", at=began, actor=SYSTEM, receipt_articles=True
    )
    _teams(session, staff, found, began)
    office = _calendar(session, began)
    _promises(session, found["billing"], office, staff["maryna"], began)
    compiled = calendars.worktime_of(office)
    assert compiled is not None
    writers = [
        writer
        for n, household in enumerate(households())
        for writer in _household(session, n, household, staff, began, pick)
    ]
    return Stage(staff, found, compiled, tuple(writers), began)


def _user(session: Session, staff: Staff, at: datetime) -> User:
    email = f"{staff.login}@{current_app.config['MAIL_DOMAIN']}"
    user = session.scalar(select(User).where(User.email == email_key(email)))
    if user is None:
        user = add_user(
            session,
            email=email,
            name=staff.name,
            role=staff.role,
            at=at,
            password=PASSWORD,
            language=staff.language,
            timezone=current_app.config["TIMEZONE"],
        )
        user.signature = staff.signature
    return user


def _teams(
    session: Session, staff: Mapping[str, User], known: Mapping[str, Queue], at: datetime
) -> None:
    for name, people, queue in (
        ("Customer care", ("olena", "maryna"), "support"),
        ("Payments", ("denys",), "billing"),
    ):
        team = create_team(session, name=name, at=at)
        set_members(session, team, [staff[login].id for login in people], actor=SYSTEM)
        queues.change_queue(
            session, known[queue], country="UA", at=at, actor=SYSTEM, team_id=team.id
        )


def _queue(session: Session, name: str, number: str, at: datetime) -> Queue:
    """The queue of this name; the first start has made one of them already."""
    queue = session.scalar(select(Queue).where(Queue.name == name))
    if queue is not None:
        queue.numbers = queue.numbers or [number.replace(" ", "")]
        return queue
    return queues.create_queue(
        session,
        name=name,
        address=f"{name.lower()}@{current_app.config['MAIL_DOMAIN']}",
        country="UA",
        numbers=[number],
        at=at,
    )


def _calendar(session: Session, at: datetime) -> Calendar:
    known = session.scalar(select(Calendar).where(Calendar.name == "Svitlo"))
    if known is not None:
        return known
    zone = current_app.config["TIMEZONE"]
    holidays = [f"{at.year + n}-{day}" for n in (0, 1) for day in ("01-01", "12-25")]
    return calendars.create(
        session, name="Svitlo", timezone=zone, weekly=WEEK, holidays=holidays, at=at
    )


def _promises(session: Session, billing: Queue, office: Calendar, boss: User, at: datetime) -> None:
    """Three policies. One without conditions that is there already would win by its age."""
    for older in session.scalars(select(Policy).where(Policy.active.is_(True))):
        policies.change(session, older, actor=SYSTEM, at=at, active=False)
    tell = {"action": "notify", "after_seconds": 0, "role": "supervisor"}
    for name, hours, more in (
        ("Svitlo: standard", (4, 4, 24), {"steps": [tell], "pause_on_hold": True}),
        ("Svitlo: invoices and payments", (8, 8, 40), {"queue_id": billing.id, "steps": [tell]}),
        ("Svitlo: VIP", (2, 2, 16), {"client_tag": "vip", "steps": _steps(boss)}),
        ("Svitlo: urgent", (1, 1, 8), {"priority": "urgent", "steps": _steps(boss)}),
    ):
        metrics = ("first_response", "next_response", "resolution")
        targets = {metric: count * HOUR for metric, count in zip(metrics, hours, strict=True)}
        targets |= {"speed_of_answer": MINUTE, "callback": 2 * HOUR}
        policies.create(session, name=name, targets=targets, calendar_id=office.id, at=at, **more)


def _steps(boss: User) -> list[dict[str, object]]:
    return [
        {"action": "notify", "after_seconds": 0, "role": "assignee"},
        {"action": "notify", "after_seconds": 0, "role": "supervisor"},
        {"action": "priority", "after_seconds": HOUR // 2, "priority": "urgent"},
        {"action": "reassign", "after_seconds": 2 * HOUR, "user_id": boss.id},
    ]


def _household(
    session: Session,
    n: int,
    household: Household,
    staff: Mapping[str, User],
    began: datetime,
    pick: random.Random,
) -> list[Writer]:
    at = began + timedelta(days=pick.randrange(20), seconds=pick.randrange(86_400))
    organisation = household.organisation is not None
    tags = ["vip"] if n % 7 == 3 else []
    client = create_client(
        session,
        kind="organisation" if organisation else "person",
        name=household.organisation or household.people[0].name,
        at=at,
        language=household.language,
        tags=tags + (["b2b"] if organisation else []),
    )
    client.potential = n % 9 == 5
    client.owner_id = staff["maryna"].id if tags else None
    return [
        _person(session, client.id, household, somebody, at, pick) for somebody in household.people
    ]


def _person(
    session: Session,
    client_id: int,
    household: Household,
    somebody: Somebody,
    at: datetime,
    pick: random.Random,
) -> Writer:
    client = session.get_one(Client, client_id)
    person = add_person(
        session,
        client,
        name=somebody.name,
        at=at,
        role=somebody.role,
        language=household.language,
        vocative=somebody.vocative,
    )
    number = f"+380 {pick.choice((50, 63, 67, 93, 97))} 555 {pick.randrange(10_000):04}"
    values = {"email": somebody.email}
    if pick.random() < 0.8:
        values["phone"] = number
    points = [
        add_contact_point(session, person, kind=kind, value=value, country="UA", at=at)
        for kind, value in values.items()
    ]
    points[0].preferred = True
    points[0].verified = pick.random() < 0.6
    known = Known(client_id, person.id, points[0].id, household.language, tags=tuple(client.tags))
    return Writer(known, somebody, household.language, household.organisation is not None)
