"""What a new installation begins with: a queue, its promises, the usual
fields and reasons, and somebody who may log in."""

from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.actions import add_user, one_time_link, set_password
from helpdesk.accounts.models import Role, User
from helpdesk.events import SYSTEM
from helpdesk.fields import seed_fields
from helpdesk.lib.clock import now
from helpdesk.tickets import calendars, policies
from helpdesk.tickets.models import Metric, Queue
from helpdesk.tickets.queues import create_queue
from helpdesk.tickets.reasons import seed_reasons

HOUR = 3600
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
EVERY_DAY = (*WORKDAYS, "sat", "sun")
CALENDARS: dict[str, tuple[str, dict[str, list[list[str]]]]] = {
    "office": ("Office hours", {day: [["09:00", "18:00"]] for day in WORKDAYS}),
    "always": ("Always", {day: [["00:00", "24:00"]] for day in EVERY_DAY}),
}
TARGETS = {
    Metric.FIRST_RESPONSE: 4 * HOUR,
    Metric.NEXT_RESPONSE: 8 * HOUR,
    Metric.RESOLUTION: 27 * HOUR,  # three office days
    Metric.SPEED_OF_ANSWER: 60,
    Metric.CALLBACK: 4 * HOUR,
}


def first_queue(app: Flask) -> None:
    """Make the queue Support with its promises where there is no queue, and the usual fields and
    reasons where there are none: an upgrade from a version without them brings them too.

    A second call, or a second process, changes nothing. Raises HelpdeskError.
    """
    with app.app_context(), ext.write() as session:
        ext.lock(session, "first start")
        if session.scalar(select(Queue.id).limit(1)) is None:
            _support(session, app.config)
        seed_fields(session)
        seed_reasons(session)


def first_administrator(app: Flask) -> str | None:
    """Make the first administrator; returns a token for /welcome/TOKEN if nobody can log in.

    Raises HelpdeskError where HELPDESK_ADMIN_EMAIL or HELPDESK_ADMIN_PASSWORD does not do.
    """
    with app.app_context(), ext.write() as session:
        ext.lock(session, "first start")
        return _administrator(session, app.config)


def _support(session: Session, config: Any) -> None:
    at = now()
    name, weekly = CALENDARS[config["FIRST_CALENDAR"]]
    calendar = calendars.create(
        session, name=name, timezone=config["TIMEZONE"], weekly=weekly, at=at
    )
    policies.create(
        session,
        name="Standard",
        targets={metric.value: seconds for metric, seconds in TARGETS.items()},
        calendar_id=calendar.id,
        at=at,
    )
    create_queue(
        session,
        name="Support",
        address=f"support@{config['MAIL_DOMAIN']}",
        country=config["COUNTRY"],
        at=at,
    )


def _administrator(session: Session, config: Any) -> str | None:
    """Make the first administrator; a token to set the password if none was given.

    Each start gives a new link until somebody has used one: the first may have scrolled away.
    """
    able = select(User).where(User.role == Role.ADMIN, User.active.is_(True))
    if session.scalar(able.where(User.password_hash.is_not(None)).limit(1)):
        return None
    user = session.scalar(able.order_by(User.id).limit(1)) or add_user(
        session,
        email=config["ADMIN_EMAIL"] or f"admin@{config['MAIL_DOMAIN']}",
        name="Administrator",
        role=Role.ADMIN.value,
        at=now(),
        password=config["ADMIN_PASSWORD"],
        timezone=config["TIMEZONE"],
    )
    if user.password_hash is None and config["ADMIN_PASSWORD"]:
        set_password(session, user, config["ADMIN_PASSWORD"], actor=SYSTEM)
    return None if user.password_hash else one_time_link(session, user, now())
