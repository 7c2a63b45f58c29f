"""The one table: kind of event → what follows.

A reaction takes (session, event, at), only adds and flushes, and is harmless when repeated.
One that happens a hundred times a second has a form for many events in `TOGETHER`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.events import Event
from helpdesk.outbox import actions as outbox
from helpdesk.outbox import sms, suggested
from helpdesk.reactions.alarms import tell_of_alarm
from helpdesk.reactions.callbacks import confirm_callback, drop_callbacks, email_unreached
from helpdesk.reactions.codes import send_code
from helpdesk.reactions.staff import (
    tell_assignee_of_bounce,
    tell_assignee_of_call,
    tell_assignee_of_message,
    tell_assignees_of_messages,
    tell_author_of_failure,
    tell_by_step,
    tell_new_assignee,
    tell_of_clock,
    tell_of_low_rating,
    tell_of_mailbox,
    tell_of_task,
    tell_of_waiting_callers,
)
from helpdesk.tickets import sla
from helpdesk.tickets.models import Channel

Reaction = Callable[[Session, Event, datetime], None]
Reactions = Callable[[Session, Sequence[Event], datetime], None]


def prepare(session: Session, limit: int) -> dict[str, Any]:
    """What the next `limit` events need that takes long to find: read before the write lock is
    taken, and put into the `info` of the session in which they are followed up.
    """
    return suggested.prepare(session, limit)


def send_receipt(session: Session, event: Event, at: datetime) -> None:
    send_receipts(session, [event], at)


def send_receipts(session: Session, events: Sequence[Event], at: datetime) -> None:
    asked: dict[int, int | None] = {}
    for event in events:
        if event.data.get("receipt") is not True or event.ticket_id is None:
            continue
        delivery_id = event.data.get("delivery_id")
        if event.data.get("channel") == Channel.SMS:
            sms.enqueue_receipt(session, event.ticket_id, at=at, delivery_id=delivery_id)
        else:
            asked[event.ticket_id] = delivery_id
    if asked:
        outbox.enqueue_receipts(session, asked, at=at)


def send_reply(session: Session, event: Event, at: datetime) -> None:
    outbox.enqueue_reply(session, event.data["message_id"], at=at)


def recount_promises(session: Session, event: Event, at: datetime) -> None:
    """Policies choose by the client's tags."""
    if "tags" in event.data["fields"] and event.client_id is not None:
        sla.recount_client(session, event.client_id)


REACTIONS: dict[str, list[Reaction]] = {
    "ticket.opened": [send_receipt],
    "ticket.assigned": [tell_new_assignee],
    "portal.code_asked": [send_code],
    "client.changed": [recount_promises],
    "message.sent": [send_reply],
    "message.received": [tell_assignee_of_message],
    "message.failed": [tell_author_of_failure],
    "message.bounced": [tell_assignee_of_bounce],
    "ticket.rated": [tell_of_low_rating],
    "clock.warned": [tell_of_clock],
    "clock.breached": [tell_of_clock],
    "clock.stepped": [tell_by_step],
    "ticket.status": [drop_callbacks],
    "call.callback": [confirm_callback],
    "call.missed": [tell_assignee_of_call],
    "task.due": [tell_of_task],
    "task.failed": [tell_of_task, email_unreached],
    "queue.unattended": [tell_of_waiting_callers],
    "alarm.began": [tell_of_alarm],
    "imap.failing": [tell_of_mailbox],
}

TOGETHER: Mapping[Reaction, Reactions] = {
    send_receipt: send_receipts,
    tell_assignee_of_message: tell_assignees_of_messages,
}
"""The same reactions for many events at once, for what they can read together."""
