"""The people, queues, promises and products of the desk, by the product's own verbs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.desk import plan as desk
from benchmarks.desk.plan import Plan
from helpdesk.accounts.actions import add_user
from helpdesk.accounts.models import Team
from helpdesk.events import SYSTEM
from helpdesk.lib.collate import sort_key
from helpdesk.products import create_product
from helpdesk.tickets import calendars, policies
from helpdesk.tickets.models import ContactReason
from helpdesk.tickets.promises import Promises, promises
from helpdesk.tickets.queues import create_queue
from helpdesk.tickets.reasons import seed_reasons

DOMAIN = "bench.example"


@dataclass(frozen=True)
class Stage:
    """Ids of what tickets point to; the promises before and after the calendar changed."""

    queues: Mapping[str, int]
    agents: tuple[int, ...]  # those of the first team first
    supervisor: int
    products: tuple[int, ...]
    reasons: Mapping[str, int]  # by key, without those that truths are about
    price: int
    fault: int
    before: Promises
    after: Promises


def build(session: Session, plan: Plan) -> Stage:
    """Everything that is there before the first ticket; the calendar has been changed already."""
    at = plan.start
    queues = _queues(session, at)
    agents, supervisor = _staff(session, at)
    seed_reasons(session)
    products = tuple(
        create_product(session, name=name, group=name.split()[0], at=at).id
        for name in desk.PRODUCTS
    )
    before, after = _promises(session, plan)
    rows = session.execute(select(ContactReason.key, ContactReason.id).order_by(ContactReason.id))
    reasons = {row.key: row.id for row in rows}
    price, fault = reasons.pop(desk.PRICE_REASON), reasons.pop(desk.DEFECT_REASON)
    return Stage(queues, agents, supervisor, products, reasons, price, fault, before, after)


def _queues(session: Session, at: datetime) -> dict[str, int]:
    made: dict[str, int] = {}
    for team_name, names in desk.TEAMS.items():
        team = Team(name=team_name, sort_key=sort_key(team_name), created_at=at)
        session.add(team)
        session.flush()
        for name in names:
            address = f"{name.lower()}@{DOMAIN}"
            queue = create_queue(session, name=name, address=address, country="UA", at=at)
            queue.team_id = team.id
            made[name] = queue.id
    session.flush()
    return made


def _staff(session: Session, at: datetime) -> tuple[tuple[int, ...], int]:
    teams = session.scalars(select(Team.id).order_by(Team.id)).all()
    agents = []
    for number in range(desk.AGENTS):
        email = f"agent{number + 1}@{DOMAIN}"
        user = add_user(session, email=email, name=f"Agent {number + 1}", role="agent", at=at)
        if number < desk.AGENTS - 1:
            user.team_id = teams[0] if number < desk.FRONT else teams[1]
        agents.append(user.id)
    lead = add_user(session, email=f"lead@{DOMAIN}", name="Lead", role="supervisor", at=at)
    add_user(session, email=f"admin@{DOMAIN}", name="Admin", role="admin", at=at)
    lead.team_id = teams[0]
    session.flush()
    return tuple(agents), lead.id


def _promises(session: Session, plan: Plan) -> tuple[Promises, Promises]:
    at, zone = plan.start, str(desk.ZONE)
    office = calendars.create(session, name="Office", timezone=zone, weekly=desk.OLD_WEEK, at=at)
    for name, targets, conditions in (
        ("Standard", desk.TARGETS, {"calendar_id": office.id}),
        ("Urgent", desk.URGENT, {"priority": "urgent"}),
        (
            "Contract",
            desk.CONTRACT,
            {"calendar_id": office.id, "client_tag": desk.CONTRACT_TAG, "pause_on_hold": True},
        ),
    ):
        policies.create(session, name=name, targets=targets, at=at, **conditions)
    before = promises(session)
    changed = plan.change_at
    calendars.change(session, office, weekly=desk.NEW_WEEK, actor=SYSTEM, at=changed)
    return before, promises(session)
