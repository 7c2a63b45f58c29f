"""What each agent has in work, does and passes on, against the norms of the house."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal, or_, select, union_all
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
from helpdesk.tickets.models import Queue, Ticket
from helpdesk.tickets.spells import Came, Spell

TOO_FEW = _lazy("too few")
TOO_MANY = _lazy("too many")
_AGENT, _QUEUE = "agent", "queue"
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


def agents(
    session: Session, ask: Ask, in_work: Mapping[int, int], queue_ids: Collection[int]
) -> tuple[list[Agent], dict[int, str]]:
    """All agents of the house whom these filters and rights concern, and who else has numbers; who
    has most first. With them the names of these queues. Three statements."""
    moves = _moved(session, ask)
    calls: defaultdict[int, list[CallRow]] = defaultdict(list)
    for row in call_rows.read(session, ask)[0]:
        if row.handled and row.user_id is not None:
            calls[row.user_id].append(row)
    judged = ask.filters.narrowed(agent=None, team=None) == Filters()
    known = in_work.keys() | calls.keys() | {user_id for _name, user_id in moves}
    found, queues = [], {}
    for row in _named(session, ask, known - {NOTHING}, queue_ids):
        if row.kind == _QUEUE:
            queues[row.id] = row.name
            continue
        count = in_work.get(row.id, 0)
        word = _word(count, row.least, row.most) if judged and row.ruled else None
        mine = {name: moves[name, row.id] for name in _MOVES}
        found.append(Agent(row.id, row.name, count, word, mine, calls[row.id]))
    return sorted(found, key=lambda one: (-one.in_work, one.name, one.id)), queues


def _word(count: int, least: int | None, most: int | None) -> str | None:
    """Judges a number by the norms as they are set."""
    if count > (settings.DEFAULTS["norm_most"] if most is None else most):
        return TOO_MANY
    return (
        TOO_FEW if count < (settings.DEFAULTS["norm_least"] if least is None else least) else None
    )


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


def _named(
    session: Session, ask: Ask, known: set[int], queue_ids: Collection[int]
) -> Sequence[Any]:
    """Agents (with whether the norms are for them) and queues, and the norms beside each."""
    ruled = and_(User.role == Role.AGENT, User.active.is_(True))
    people = select(literal(_AGENT).label("kind"), User.id, User.name, ruled.label("ruled"))
    people = people.where(or_(ruled, User.id.in_(known)), *_seen(ask, known))
    queues = select(literal(_QUEUE), Queue.id, Queue.name, false()).where(Queue.id.in_(queue_ids))
    both = union_all(people, queues).subquery()
    norms = [_norm("norm_least").label("least"), _norm("norm_most").label("most")]
    return session.execute(select(both, *norms).order_by(both.c.kind, both.c.id)).all()


def _norm(name: str) -> Any:
    return select(settings.Setting.value).where(settings.Setting.name == name).scalar_subquery()


def _seen(ask: Ask, known: set[int]) -> list[ColumnElement[bool]]:
    """Whom the rights and the filters of a person or team let one see."""
    scope, filters = ask.scope, ask.filters
    found: list[ColumnElement[bool]] = [false()] if scope.nothing else []
    if scope.user_id is not None:
        found.append(User.id == scope.user_id)
    if scope.team_id is not None:
        found.append(or_(User.team_id == scope.team_id, User.id.in_(known)))
    if filters.agent is not None:
        found.append(User.id == filters.agent)
    if filters.team is not None:
        found.append(User.team_id == (filters.team or None))
    return found
