"""Demo data: a shop for home appliances with 60 clients and 60 days of work behind it."""

import random
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.clients.models import Client
from helpdesk.demo import calls, knowledge, phone, record
from helpdesk.demo.history import Agenda, play
from helpdesk.demo.plan import Promised, plan
from helpdesk.demo.stage import PASSWORD, STAFF, Stage, Writer, build
from helpdesk.demo.story import Story
from helpdesk.events import Event
from helpdesk.notices import tell
from helpdesk.outbox.actions import enqueue_reply
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.tickets.models import Priority, Ticket
from helpdesk.tickets.promises import pick as pick_policy

__all__ = ["DEMO_PASSWORD", "DEMO_USERS", "is_empty", "load"]

DEMO_PASSWORD = PASSWORD
DEMO_USERS = tuple((staff.login, staff.role) for staff in STAFF)
"""(local part of the address at MAIL_DOMAIN, role); all have DEMO_PASSWORD."""

SEED = 20_261
NOTICED = timedelta(days=5)
LAST_EMAILS = 25  # of our replies that can be looked at as emails


def is_empty() -> bool:
    """Whether the desk knows no client and no ticket yet, so that demo data does no harm."""
    with ext.session() as session:
        return not any(session.scalar(select(model.id).limit(1)) for model in (Client, Ticket))


def load(at: datetime) -> None:
    """Load the demo as if it had gone on until `at`, UTC; the same `at` gives the same demo.

    Entry point: one transaction, so that no worker reacts to half of it, and nothing of it is
    left to react to: no email leaves the house.
    """
    at = at.replace(microsecond=0)
    pick = random.Random(SEED)
    with ext.write() as session:
        stage = build(session, at, pick)
        record.prepare(session, stage.began)
        knowledge.load(session, at, stage.staff)
        phone.load(session, stage.queues, stage.began, stage.staff["maryna"].id)
        planned = plan(stage, at, pick, promised_by(session, stage))
        agenda = Agenda()
        calls.plan(session, stage, at, random.Random(SEED), agenda)
        replies = play(session, stage, planned, at, agenda)
        record.fill(session, stage, at, pick)
        for moment, message_id in replies[-LAST_EMAILS:]:
            _already_sent(session, message_id, moment)
        _tell(session, stage, at)
        session.execute(update(Event).where(Event.todo.is_not(None)).values(todo=None))


def _tell(session: Session, stage: Stage, at: datetime) -> None:
    """The breaches of the last days, as far as they still matter, wait to be read."""
    late = (
        select(Event, Ticket)
        .join(Ticket, Ticket.id == Event.ticket_id)
        .where(Event.kind == "clock.breached", Event.at > at - NOTICED, Ticket.done_at.is_(None))
        .order_by(Event.id)
    )
    for event, ticket in session.execute(late).all():
        boss = stage.staff["maryna"].id
        for user_id in sorted({ticket.assignee_id or boss, boss}):
            tell(session, user_id, event, ticket.id, event.kind, at=event.at)


def promised_by(session: Session, stage: Stage) -> Promised:
    """Tells the business seconds to the first or a later response, by the policy that fits."""

    def seconds(story: Story, writer: Writer, first: bool) -> int:
        urgent = story.priority == "urgent" or not first
        priority = Priority(story.priority) if urgent else Priority.NORMAL
        queue = stage.queues[story.queue]
        promise = pick_policy(session, queue.id, priority, writer.known.tags)
        assert promise is not None
        return promise.targets["first_response" if first else "next_response"]

    return seconds


def _already_sent(session: Session, message_id: int, at: datetime) -> None:
    sent = OutgoingState.CAUGHT if current_app.config["RELAY"] is None else OutgoingState.SENT
    outgoing_id = enqueue_reply(session, message_id, at=at)
    values = {"state": sent, "due_at": None, "attempts": 1, "sent_at": at}
    session.execute(update(Outgoing).where(Outgoing.id == outgoing_id).values(values))
