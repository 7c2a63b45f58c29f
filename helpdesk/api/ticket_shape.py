"""Tickets in their public form: a whole page at once, with clocks and people by IN."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.api.shapes.base import Named
from helpdesk.api.shapes.tickets import ClockOut, ReasonName, Requester, TicketOut
from helpdesk.clients.models import ContactKind, ContactPoint
from helpdesk.tickets.explain import remaining
from helpdesk.tickets.models import Calendar, Clock, ContactReason, Policy, Ticket
from helpdesk.tickets.promises import worktime_of
from helpdesk.tickets.reasons import name_of


def shape_tickets(session: Session, tickets: Sequence[Ticket], at: datetime) -> list[TicketOut]:
    """The tickets as the API shows them at this moment: two statements, however many."""
    clocks = _clocks(session, [ticket.id for ticket in tickets], at)
    points = _points(session, {ticket.person_id for ticket in tickets})
    return [_shape(ticket, clocks[ticket.id], points[ticket.person_id]) for ticket in tickets]


def _shape(ticket: Ticket, clocks: list[ClockOut], points: list[ContactPoint]) -> TicketOut:
    assignee, product = ticket.assignee, ticket.product
    return TicketOut(
        id=ticket.id,
        number=ticket.number,
        subject=ticket.subject,
        status=ticket.status.value,
        priority=ticket.priority.value,
        channel=ticket.channel.value,
        queue=Named(id=ticket.queue.id, name=ticket.queue.name),
        product=Named(id=product.id, name=product.name) if product else None,
        kind=ticket.kind.value if ticket.kind else None,
        reason=_reason(ticket.reason),
        language=ticket.language,
        requester=Requester(
            id=ticket.person.id,
            name=ticket.person.name,
            email=_best(points, ContactKind.EMAIL, ticket.contact_point_id),
            phone=_best(points, ContactKind.PHONE, ticket.contact_point_id),
        ),
        client=Named(id=ticket.client.id, name=ticket.client.name),
        assignee=Named(id=assignee.id, name=assignee.name) if assignee else None,
        tags=ticket.tags,
        created_at=ticket.created_at,
        updated_at=ticket.updated_at,
        first_response_at=ticket.first_response_at,
        resolved_at=ticket.resolved_at,
        merged_into=ticket.merged_into_id,
        clocks=clocks,
    )


def _reason(reason: ContactReason | None) -> ReasonName | None:
    if reason is None:
        return None
    name = name_of(reason.names, reason.key, str(g.get("language") or "en"))
    return ReasonName(id=reason.id, key=reason.key, name=name)


def _clocks(session: Session, ticket_ids: Sequence[int], at: datetime) -> dict[int, list[ClockOut]]:
    rows = session.execute(
        select(Clock, Policy.name, Calendar)
        .outerjoin(Policy, Policy.id == Clock.policy_id)
        .outerjoin(Calendar, Calendar.id == Policy.calendar_id)
        .where(Clock.ticket_id.in_(ticket_ids))
        .order_by(Clock.ticket_id, Clock.id)
    )
    found: dict[int, list[ClockOut]] = defaultdict(list)
    for clock, policy, calendar in rows:
        found[clock.ticket_id].append(
            ClockOut(
                metric=clock.metric.value,
                policy=policy,
                state=clock.state.value,
                due_at=clock.due_at,
                remaining_seconds=remaining(clock, worktime_of(calendar), at),
            )
        )
    return found


def _points(session: Session, person_ids: Iterable[int]) -> dict[int, list[ContactPoint]]:
    rows = session.scalars(
        select(ContactPoint)
        .where(ContactPoint.person_id.in_(person_ids), ContactPoint.removed_at.is_(None))
        .order_by(ContactPoint.preferred.desc(), ContactPoint.id)
    )
    found: dict[int, list[ContactPoint]] = defaultdict(list)
    for point in rows:
        found[point.person_id].append(point)
    return found


def _best(points: Sequence[ContactPoint], kind: ContactKind, used: int | None) -> str | None:
    """The address of this kind that the ticket came from, else the preferred, else the oldest.

    A number is shown in E.164.
    """
    fitting = [point for point in points if point.kind == kind]
    chosen = next((point for point in fitting if point.id == used), None)
    chosen = chosen or (fitting[0] if fitting else None)
    if chosen is None:
        return None
    return chosen.key if kind == ContactKind.PHONE else chosen.value
