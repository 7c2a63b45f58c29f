"""How an answer reaches the client: by email or as SMS, to which address or number."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients.models import ContactKind, ContactPoint
from helpdesk.lib import sms
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.tickets.models import Attachment, Channel, Draft, MessageKind, Ticket
from helpdesk.tickets.queries import our_numbers

BY_PHONE = (Channel.SMS, Channel.PHONE)


class Route(NamedTuple):
    """The way of an answer. `stopped`: since when this number wants no SMS."""

    channel: Channel
    point: ContactPoint | None
    stopped: datetime | None = None


def route_of(session: Session, ticket: Ticket) -> Route:
    """By email, unless the client turned to us by telephone or has nothing else.

    Where no SMS can go (they wrote STOP, or we have no number), an address they have is taken.
    """
    point = ticket.contact_point
    if point is None or point.kind != ContactKind.PHONE:
        return Route(Channel.EMAIL, point)
    email = _email_of(session, ticket)
    blocked = point.sms_stopped_at is not None or point.bad or point.removed_at is not None
    wanted = ticket.channel in BY_PHONE and not blocked and bool(our_numbers(session))
    if email is not None and not wanted:
        return Route(Channel.EMAIL, email)
    return Route(Channel.SMS, point, point.sms_stopped_at)


def checked_route(session: Session, ticket: Ticket, text: str, *, user_id: int) -> Route:
    """The same for an answer that is being sent. Raises HelpdeskError where it can't go."""
    route = route_of(session, ticket)
    point = route.point
    if point is None or point.removed_at is not None:
        raise HelpdeskError(_lazy("The client has no address to answer to."), field="text")
    if route.channel == Channel.SMS:
        _check_number(session, route, point)
        _check_sms(session, ticket, text, user_id)
    elif point.bad:
        raise HelpdeskError(
            _lazy("Mail to %(address)s came back. Correct the client's address first."),
            field="text",
            address=point.value,
        )
    return route


def _check_number(session: Session, route: Route, point: ContactPoint) -> None:
    if route.stopped is not None:
        message = _lazy("%(number)s wrote STOP: no SMS may go there until they write START.")
        raise HelpdeskError(message, field="text", number=point.value)
    if point.bad:
        message = _lazy("SMS to %(number)s don't arrive. Correct the client's number first.")
        raise HelpdeskError(message, field="text", number=point.value)
    if not our_numbers(session):
        message = _lazy("No queue has a telephone number that an SMS could be sent from.")
        raise HelpdeskError(message, field="text")


def _check_sms(session: Session, ticket: Ticket, text: str, user_id: int) -> None:
    measured = sms.measure(text.strip())
    if not measured.fits:
        raise HelpdeskError(
            _lazy("An SMS holds at most %(most)s of these characters; this text has %(length)s."),
            field="text",
            most=measured.most,
            length=measured.length,
        )
    files = (
        select(Attachment.id)
        .join(Draft, Draft.id == Attachment.draft_id)
        .where(
            Draft.user_id == user_id,
            Draft.ticket_id == ticket.id,
            Draft.kind == MessageKind.OUTBOUND,
        )
    )
    if session.scalar(files.limit(1)) is not None:
        raise HelpdeskError(_lazy("An SMS carries no files. Take them out first."), field="files")


def _email_of(session: Session, ticket: Ticket) -> ContactPoint | None:
    query = select(ContactPoint).where(
        ContactPoint.person_id == ticket.person_id,
        ContactPoint.kind == ContactKind.EMAIL,
        ContactPoint.bad.is_(False),
        ContactPoint.removed_at.is_(None),
    )
    return session.scalar(query.order_by(ContactPoint.preferred.desc(), ContactPoint.id).limit(1))
