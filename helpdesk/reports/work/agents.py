"""What each agent has in work, does and passes on, against the norms of the house."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.accounts.models import Role, User
from helpdesk.lib.errors import _lazy
from helpdesk.reports.calls import rows as call_rows
from helpdesk.reports.calls.rows import CallRow
from helpdesk.reports.filters import NOTHING, Filters
from helpdesk.reports.sheet import Ask, Cell, Chart, Line, Table
from helpdesk.reports.work import measures as named
from helpdesk.reports.work.flow import groups, moved
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.spells import Came, Spell

TOO_FEW = _lazy("too few")
TOO_MANY = _lazy("too many")
_MOVES = ("done", "reopened", "transferred")
_CAME = {
    Came.DONE: "done",
    Came.REOPENED: "reopened",
    Came.QUEUE: "transferred",
    Came.PASSED: "transferred",
}


@dataclass(frozen=True)
class Agent:
    """A line of the table; `word` judges how many tickets they have, None: as it should be."""

    id: int
    name: str
    in_work: int
    word: str | None
    moves: Mapping[str, int]
    calls: Sequence[CallRow]  # handled in the period


def agents(session: Session, ask: Ask, in_work: Mapping[int, int]) -> list[Agent]:
    """All agents of the house whom these filters and rights concern, and who else has numbers; who
    has most first. Four statements."""
    moves = _moved(session, ask)
    calls: defaultdict[int, list[CallRow]] = defaultdict(list)
    for row in call_rows.read(session, ask)[0]:
        if row.handled and row.user_id is not None:
            calls[row.user_id].append(row)
    least, most = settings.several(session, ("norm_least", "norm_most"))
    judged = ask.filters.narrowed(agent=None, team=None) == Filters()
    found = []
    known = in_work.keys() | calls.keys() | {user_id for _name, user_id in moves}
    for user in _people(session, ask, known - {NOTHING}):
        count = in_work.get(user.id, 0)
        word = TOO_MANY if count > most else TOO_FEW if count < least else None
        ruled = judged and user.role == Role.AGENT and user.active
        mine = {name: moves[name, user.id] for name in _MOVES}
        found.append(
            Agent(user.id, user.name, count, word if ruled else None, mine, calls[user.id])
        )
    return sorted(found, key=lambda one: (-one.in_work, one.name, one.id))


def table(people: Sequence[Agent]) -> Table:
    return Table(
        key="agents",
        title=named.TITLES["agents"],
        cut="agent",
        measures=named.AGENTS,
        lines=tuple(_line(one) for one in people),
        chart=Chart.BARS,
    )


def _line(one: Agent) -> Line:
    link = {"agent": str(one.id)}
    count = len(one.calls)
    handled = ("calls_handled", link)
    work, wrap = sum(row.work for row in one.calls), sum(row.wrap for row in one.calls)
    moves = [Cell(one.moves[name], link=(f"work_{name}", link)) for name in _MOVES]
    cells = (
        Cell(one.in_work, link=("work_active", link), word=one.word),
        *moves,
        Cell(count, link=handled),
        Cell(work / count if count else None, link=handled if count else None),
        Cell(wrap / count if count else None, link=handled if count else None),
    )
    return Line(one.id, one.name, cells, link)


def _moved(session: Session, ask: Ask) -> Counter[tuple[str, int]]:
    """How often each happened to tickets that are an agent's now."""
    period = ask.period
    query = moved(_MOVES).where(Spell.from_at >= period.start, Spell.from_at < period.end)
    found: Counter[tuple[str, int]] = Counter()
    columns: list[Any] = [Spell.came, Ticket.assignee_id]
    for came, user_id, count in groups(session, ask, query, columns):
        found[_CAME[came], user_id or NOTHING] += count
    return found


def _people(session: Session, ask: Ask, known: set[int]) -> Sequence[User]:
    """Agents of the house, as far as the rights and the filters of a person or team let one see."""
    everybody = and_(User.role == Role.AGENT, User.active.is_(True))
    query = select(User).where(or_(everybody, User.id.in_(known)))
    scope, filters = ask.scope, ask.filters
    if scope.nothing:
        return []
    if scope.user_id is not None:
        query = query.where(User.id == scope.user_id)
    if scope.team_id is not None:
        query = query.where(or_(User.team_id == scope.team_id, User.id.in_(known)))
    if filters.agent is not None:
        query = query.where(User.id == filters.agent)
    if filters.team is not None:
        query = query.where(User.team_id == (filters.team or None))
    return session.scalars(query.order_by(User.id)).all()
