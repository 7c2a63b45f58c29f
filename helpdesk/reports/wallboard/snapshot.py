"""How things stand at this moment, per queue, team and member of staff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import Team
from helpdesk.accounts.presence import Availability
from helpdesk.reports.filters import NOTHING
from helpdesk.reports.scope import Scope, Teams
from helpdesk.reports.wallboard import rows as now_rows
from helpdesk.reports.wallboard.service import Served, served_today


@dataclass(frozen=True)
class Numbers:
    """Counts of one queue, team or person, or of all; moments are UTC, None where nobody waits."""

    open: int = 0
    unassigned: int = 0
    unanswered: int = 0
    oldest: datetime | None = None  # since when the longest unanswered client waits
    due: int = 0  # within the hour
    breached: int = 0
    calls: int = 0  # callers who wait
    first_call: datetime | None = None  # since when the first of them does
    callbacks: int = 0  # due within the hour, or late
    late_callbacks: int = 0
    served: Served = field(default_factory=Served)

    def __add__(self, other: "Numbers") -> "Numbers":
        return Numbers(
            self.open + other.open,
            self.unassigned + other.unassigned,
            self.unanswered + other.unanswered,
            _earlier(self.oldest, other.oldest),
            self.due + other.due,
            self.breached + other.breached,
            self.calls + other.calls,
            _earlier(self.first_call, other.first_call),
            self.callbacks + other.callbacks,
            self.late_callbacks + other.late_callbacks,
            self.served + other.served,
        )


@dataclass(frozen=True)
class Somebody:
    """A member of staff on shift and what they are on."""

    id: int
    name: str
    state: Availability
    since: datetime
    paused: bool  # left an offer unanswered
    call_id: int | None
    ticket_id: int | None
    talking_since: datetime | None
    team_id: int | None = None

    @property
    def free(self) -> bool:
        """Whether the next call can be theirs."""
        return self.state == Availability.AVAILABLE and not self.paused


@dataclass(frozen=True)
class Promise:
    """A ticket whose promise ends next, or has just been broken."""

    ticket_id: int
    subject: str
    assignee_id: int | None
    due_at: datetime
    breached: bool


@dataclass(frozen=True)
class Snapshot:
    """One moment, for everybody who may see the same. Keys are ids; 0: of none."""

    at: datetime
    total: Numbers
    queues: Mapping[int, Numbers]
    teams: Mapping[int, Numbers]
    agents: Mapping[int, Numbers]  # of tickets only
    on_shift: Sequence[Somebody]
    promises: Sequence[Promise]
    queue_names: Mapping[int, str]  # in order of name
    team_names: Mapping[int, str]
    user_names: Mapping[int, str]  # active staff in order of name
    user_teams: Mapping[int, int]

    @property
    def free(self) -> int:
        return sum(one.free for one in self.on_shift)


def snapshot(session: Session, scope: Scope, *, at: datetime, zone: ZoneInfo) -> Snapshot:
    """How things stand at `at`; today is that of `zone`. Nine statements at most."""
    queues = now_rows.queues(session)
    everybody = now_rows.people(session)
    people = [row for row in everybody if _is_seen(scope, row)]
    teams = _teams(session, scope)
    belongs = Teams(
        {row.id: row.team_id for row in everybody if row.team_id is not None},
        {row.id: row.team_id for row in queues if row.team_id is not None},
    )
    found = _Sums(belongs)
    found.tickets(now_rows.tickets(session, scope, at))
    found.calls(now_rows.callers(session, scope))
    found.callbacks(now_rows.callbacks(session, scope, at))
    found.served(served_today(session, scope, at=at, zone=zone))
    shown = {row.id for row in queues if row.active and _is_in(scope, row)} | found.queues.keys()
    return Snapshot(
        at=at,
        total=found.total,
        queues={row.id: found.queues.get(row.id, Numbers()) for row in queues if row.id in shown},
        teams={id_: found.teams.get(id_, Numbers()) for id_ in teams},
        agents=found.agents,
        on_shift=_on_shift(session, people),
        promises=[
            Promise(row.id, row.subject, row.assignee_id, row.next_due_at, row.sla == "breached")
            for row in now_rows.next_due(session, scope, at)
        ],
        queue_names={row.id: row.name for row in queues},
        team_names=teams,
        user_names={row.id: row.name for row in everybody},
        user_teams=belongs.people,
    )


class _Sums:
    """Adds rows up for the whole, each queue, team and assignee."""

    def __init__(self, belongs: Teams) -> None:
        self.belongs = belongs
        self.total = Numbers()
        self.queues: dict[int, Numbers] = {}
        self.teams: dict[int, Numbers] = {}
        self.agents: dict[int, Numbers] = {}

    def tickets(self, rows: now_rows.Rows) -> None:
        for row in rows:
            some = Numbers(
                open=row.open,
                unassigned=row.open if row.assignee_id is None else 0,
                unanswered=row.unanswered,
                oldest=row.oldest,
                due=row.due,
                breached=row.breached,
            )
            self._add(some, row.queue_id, row.assignee_id)
            agent = row.assignee_id or NOTHING
            self.agents[agent] = self.agents.get(agent, Numbers()) + some

    def calls(self, rows: now_rows.Rows) -> None:
        for row in rows:
            self._add(Numbers(calls=row.calls, first_call=row.first), row.queue_id)

    def callbacks(self, rows: now_rows.Rows) -> None:
        for row in rows:
            some = Numbers(callbacks=row.callbacks, late_callbacks=row.late)
            self._add(some, row.queue_id, row.owner_id)

    def served(self, served: Mapping[tuple[int | None, int | None], Served]) -> None:
        for (queue_id, user_id), some in served.items():
            self._add(Numbers(served=some), queue_id, user_id)

    def _add(self, some: Numbers, queue_id: int | None, user_id: int | None = None) -> None:
        self.total += some
        queue, team = queue_id or NOTHING, self.belongs.of(user_id, queue_id) or NOTHING
        self.queues[queue] = self.queues.get(queue, Numbers()) + some
        self.teams[team] = self.teams.get(team, Numbers()) + some


def _teams(session: Session, scope: Scope) -> dict[int, str]:
    query = select(Team.id, Team.name).order_by(Team.sort_key, Team.id)
    if scope.team_id is not None:
        query = query.where(Team.id == scope.team_id)
    if scope.nothing or scope.user_id is not None:
        return {}
    return {row.id: row.name for row in session.execute(query)}


def _is_seen(scope: Scope, person: Any) -> bool:
    """Whether who sees this much sees this member of staff."""
    if scope.nothing:
        return False
    if scope.user_id is not None:
        return bool(person.id == scope.user_id)
    return scope.team_id is None or person.team_id == scope.team_id


def _is_in(scope: Scope, queue: Any) -> bool:
    """Whether an empty queue stands on the board of who sees this much."""
    if scope.nothing or scope.user_id is not None:
        return False
    return scope.team_id is None or queue.team_id == scope.team_id


def _on_shift(session: Session, people: now_rows.Rows) -> list[Somebody]:
    here = [row for row in people if row.state not in (None, Availability.OFF)]
    talks = now_rows.talks(session, [row.call_id for row in here if row.call_id is not None])
    return [_somebody(row, talks.get(row.call_id)) for row in here]


def _somebody(row: Any, talk: Any) -> Somebody:
    talking = talk is not None and row.state == Availability.IN_CALL
    return Somebody(
        id=row.id,
        name=row.name,
        state=row.state,
        since=row.since,
        paused=bool(row.paused),
        call_id=talk.id if talk is not None else None,
        ticket_id=talk.ticket_id if talk is not None else None,
        talking_since=talk.answered_at if talking else None,
        team_id=row.team_id,
    )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def waited(since: datetime | None, at: datetime) -> int | None:
    """Seconds since then; None where nobody waits."""
    return None if since is None else max(0, int((at - since).total_seconds()))
