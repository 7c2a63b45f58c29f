"""Whose numbers somebody may see: all, those of their team, or their own."""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import ReportScope, Role, User
from helpdesk.tickets.models import Queue, Ticket


@dataclass(frozen=True)
class Scope:
    """At most one of the three narrows; all None: everything."""

    team_id: int | None = None
    user_id: int | None = None
    nothing: bool = False  # a supervisor of no team
    queue_ids: frozenset[int] | None = None  # an agent who works in some queues only

    @cached_property
    def everything(self) -> bool:
        return self == Scope()


def scope_of(user: User, queue_ids: frozenset[int] | None = None) -> Scope:
    """What this user's rights let them see. `queue_ids`: the queues open to them (None: all)."""
    if user.role == Role.AGENT or (
        user.role == Role.SUPERVISOR and user.reports == ReportScope.NONE
    ):
        return Scope(user_id=user.id, queue_ids=queue_ids)
    if user.role == Role.SUPERVISOR and user.reports == ReportScope.TEAM:
        return Scope(team_id=user.team_id, nothing=user.team_id is None)
    return Scope()


def tickets_in(scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions on Ticket."""
    found: list[ColumnElement[bool]] = []
    if scope.nothing:
        found.append(false())
    if scope.team_id is not None:
        found.append(of_team(scope.team_id))
    if scope.user_id is not None:
        found.append(Ticket.assignee_id == scope.user_id)
    if scope.queue_ids is not None:
        found.append(Ticket.queue_id.in_(sorted(scope.queue_ids)))
    return found


def of_team(team_id: int) -> ColumnElement[bool]:
    """Tickets of a team: of its people; where nobody, or somebody of no team, has the ticket, of
    the queue's team."""
    members = select(User.id).where(User.team_id == team_id)
    queues = select(Queue.id).where(Queue.team_id == team_id)
    return or_(Ticket.assignee_id.in_(members), and_(Ticket.queue_id.in_(queues), _unowned()))


def of_no_team() -> ColumnElement[bool]:
    """Tickets that `of_team` gives to no team."""
    return and_(Ticket.queue_id.in_(select(Queue.id).where(Queue.team_id.is_(None))), _unowned())


def _unowned() -> ColumnElement[bool]:
    teamless = select(User.id).where(User.team_id.is_(None))
    return or_(Ticket.assignee_id.is_(None), Ticket.assignee_id.in_(teamless))


def team_of(session: Session) -> "Teams":
    """Who and which queue belongs to which team. Two statements."""
    people = session.execute(select(User.id, User.team_id).where(User.team_id.is_not(None)))
    queues = session.execute(select(Queue.id, Queue.team_id).where(Queue.team_id.is_not(None)))
    return Teams({row.id: row.team_id for row in people}, {row.id: row.team_id for row in queues})


@dataclass(frozen=True)
class Teams:
    """The rule of `of_team` for rows in memory."""

    people: dict[int, int]
    queues: dict[int, int]

    def of(self, assignee_id: int | None, queue_id: int | None) -> int | None:
        mine = self.people.get(assignee_id) if assignee_id is not None else None
        return mine if mine is not None else self.queues.get(queue_id or 0)
