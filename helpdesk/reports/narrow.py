"""Filters and rights for rows that are no tickets but speak of the same things: calls, rings,
planned callbacks."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.clients.models import Client, ClientKind
from helpdesk.ext import LANGUAGES
from helpdesk.reports.filters import NOTHING, Filters
from helpdesk.reports.scope import Scope
from helpdesk.tickets.models import Channel, Queue, Ticket
from helpdesk.tickets.reasons import tree


@dataclass(frozen=True)
class About:
    """Where these rows keep what filters speak of; None: only their ticket knows."""

    queue: Any
    agent: Any
    client: Any
    ticket: Any
    language: Any
    product: Any = None
    reason: Any = None
    channel: Channel = Channel.PHONE  # of all of them


def conditions(
    session: Session, filters: Filters, scope: Scope, about: About
) -> list[ColumnElement[bool]]:
    """What narrows these rows, the viewer's rights among it; without the slot."""
    found = _allowed(scope, about)
    pairs = (("queue", about.queue), ("agent", about.agent), ("client", about.client))
    for name, column in pairs:
        value = getattr(filters, name)
        if value is not None:
            found.append(column.is_(None) if value == NOTHING else column == value)
    if filters.channel is not None and filters.channel != about.channel:
        found.append(false())
    if filters.language is not None:
        known = filters.language != "-"
        found.append(about.language == filters.language if known else _unknown(about.language))
    if filters.team is not None:
        found.append(_of_team(filters.team, about) if filters.team else _of_no_team(about))
    if filters.organisation is not None:
        found.append(_of_organisation(filters.organisation, about.client))
    return [*found, *_classes(session, filters, about)]


def _allowed(scope: Scope, about: About) -> list[ColumnElement[bool]]:
    """Somebody's own calls are theirs in whichever queue they were."""
    if scope.nothing:
        return [false()]
    if scope.user_id is not None:
        return [about.agent == scope.user_id]
    return [_of_team(scope.team_id, about)] if scope.team_id is not None else []


def _of_team(team_id: int, about: About) -> ColumnElement[bool]:
    """The rule of `scope.of_team`: the team of the person, else of the queue."""
    members = select(User.id).where(User.team_id == team_id)
    queues = select(Queue.id).where(Queue.team_id == team_id)
    return or_(about.agent.in_(members), and_(about.queue.in_(queues), _unowned(about.agent)))


def _of_no_team(about: About) -> ColumnElement[bool]:
    queues = select(Queue.id).where(Queue.team_id.is_(None))
    nobodys = or_(about.queue.is_(None), about.queue.in_(queues))
    return and_(nobodys, _unowned(about.agent))


def _unowned(agent: Any) -> ColumnElement[bool]:
    teamless = select(User.id).where(User.team_id.is_(None))
    return or_(agent.is_(None), agent.in_(teamless))


def _unknown(language: Any) -> ColumnElement[bool]:
    return or_(language.is_(None), language.not_in(LANGUAGES))


def _of_organisation(organisation_id: int, client: Any) -> ColumnElement[bool]:
    """As the cut divides: an organisation stands for itself, a person for the one they belong to,
    who belongs to none and who isn't known for none (0)."""
    own = Client.kind == ClientKind.ORGANISATION
    if organisation_id == NOTHING:
        belong = select(Client.id).where(or_(own, Client.organisation_id.is_not(None)))
        return or_(client.is_(None), client.not_in(belong))
    people = select(Client.id).where(Client.organisation_id == organisation_id, ~own)
    return or_(client == organisation_id, client.in_(people))


def _classes(session: Session, filters: Filters, about: About) -> list[ColumnElement[bool]]:
    """Product, reason, priority and kind: of the row where it has them, else of its ticket."""
    own: list[ColumnElement[bool]] = []
    of_ticket: list[ColumnElement[bool]] = []
    for name, column, ticket in (
        ("product", about.product, Ticket.product_id),
        ("reason", about.reason, Ticket.reason_id),
        ("only_reason", about.reason, Ticket.reason_id),
    ):
        value = getattr(filters, name)
        if value is not None:
            target = own if column is not None else of_ticket
            ids = tree(session).under(value) if name == "reason" and value else []
            target.append(_is(column if column is not None else ticket, value, ids))
    for name, word in (("priority", Ticket.priority), ("kind", Ticket.kind)):
        value = getattr(filters, name)
        if value is not None:
            of_ticket.append(word.is_(None) if value == "-" else word == value)
    if of_ticket:
        of_it = select(Ticket.id).where(Ticket.id == about.ticket, *of_ticket)
        own.append(of_it.correlate_except(Ticket).exists())
    return own


def _is(column: Any, value: int, ids: list[int]) -> ColumnElement[bool]:
    if value == NOTHING:
        return column.is_(None)  # type: ignore[no-any-return]
    return column.in_(ids) if ids else column == value  # type: ignore[no-any-return]
