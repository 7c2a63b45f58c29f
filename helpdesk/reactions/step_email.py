"""The email that a step of a policy sends to a colleague."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.accounts.models import User
from helpdesk.events import Event
from helpdesk.outbox import actions as outbox
from helpdesk.outbox.addressing import desk_link
from helpdesk.outbox.rendering import moment, render
from helpdesk.tickets.models import Clock, Metric, Ticket


def email_step(session: Session, event: Event, ticket: Ticket, user: User, at: datetime) -> None:
    """Put it into the outbox, in the language and the zone of its reader."""
    clock = session.get_one(Clock, event.data["clock_id"])
    language = user.language
    with ext.in_language(language):
        what = _promise_broken(clock.metric)
        title = _("%(what)s: ticket %(number)s", number=ticket.number, what=what)
        due = moment(clock.due_at, user.timezone, language, today=at) if clock.due_at else ""
    text, html = render(
        "notice",
        language,
        brand=settings.get(session, "brand_name"),
        what=what,
        number=ticket.number,
        subject=ticket.subject,
        client=ticket.client.name,
        due=due,
        link=desk_link(ticket),
    )
    outbox.enqueue_notice(
        session,
        user,
        event_id=event.id,
        ticket_id=ticket.id,
        subject=title,
        text=text,
        html=html,
        at=at,
    )


def _promise_broken(metric: Metric) -> str:
    words = {
        Metric.FIRST_RESPONSE: _("First response is overdue"),
        Metric.NEXT_RESPONSE: _("Next response is overdue"),
        Metric.RESOLUTION: _("Resolution is overdue"),
        Metric.SPEED_OF_ANSWER: _("Speed of answer is overdue"),
        Metric.CALLBACK: _("Callback is overdue"),
    }
    return str(words[metric])
