"""The statements of a month side by side, and the promises behind their numbers."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.clients.models import Client, ClientKind
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.reports.contracts.statements import (
    CLOCKS,
    OUTCOMES,
    Listed,
    Subject,
    lies_in,
    month_name,
    outcome_at,
    share,
    stated,
    subject_of,
    theirs,
)
from helpdesk.reports.models import Exclusion, Statement
from helpdesk.reports.period import Period
from helpdesk.reports.sheet import Ask, Behind, Measure, Unit
from helpdesk.tickets.models import Clock, Metric, Policy, Ticket

NUMBERS = ("counted", "met", "breached", "excluded", "running")
MOST = 200
DIGITS = 18  # of an id

Pair = tuple[int, int]  # client, policy


@dataclass(frozen=True)
class Row:
    """One statement of a month; `statement_id` of a closed one."""

    subject: Subject
    client: str
    policy: str
    sort_key: str
    counted: int
    met: int
    breached: int
    excluded: int
    running: int
    undecided: int = 0
    statement_id: int | None = None

    @property
    def after(self) -> float | None:
        """The share met without what was excluded."""
        return share(self.met, self.breached - self.excluded)


@dataclass(frozen=True)
class Wish:
    """An exclusion that waits for a decision; `subject` None: its clock is in no statement."""

    exclusion: Exclusion
    clock: Clock
    ticket: Ticket
    client: str
    author: str
    subject: Subject | None


def overview(session: Session, month: Period, at: datetime) -> list[Row]:
    """Organisations with promises that began in the month, by name and policy; what is closed as
    it was closed, and beside it what came to its client since. Three statements."""
    closed, done = _closed(session, month_name(month))
    rows = [
        Row(
            subject=Subject(row.client_id, row.policy_id, month_name(month)),
            client=row.client,
            policy=row.policy,
            sort_key=row.sort_key,
            undecided=int(row.undecided),
            **{name: int(getattr(row, name)) for name in NUMBERS},
        )
        for row in session.execute(_sums(month, at))
    ]
    rest = _rest(session, month, at, done) if done else {}
    drafts = [_left(row, rest) if row.subject.client_id in done else row for row in rows]
    return sorted([*closed, *(row for row in drafts if row.counted)], key=_order)


def _order(row: Row) -> tuple[str, str, int]:
    return row.sort_key, row.policy, row.statement_id or 0


def _pair(row: Row) -> Pair:
    return row.subject.client_id, row.subject.policy_id


def _left(row: Row, rest: Mapping[Pair, Counter[str]]) -> Row:
    """The row with what no closed statement has."""
    numbers = rest.get(_pair(row), Counter())
    left: dict[str, Any] = {name: numbers[name] for name in (*NUMBERS, "undecided")}
    return replace(row, **left)


def _rest(
    session: Session, month: Period, at: datetime, done: Mapping[int, Sequence[Listed]]
) -> Mapping[Pair, Counter[str]]:
    """What is left, of the clients with closed statements: as `_sums`, promise by promise."""
    owner = _owner()
    query = (
        select(
            Clock.id,
            owner.label("owner_id"),
            Clock.policy_id,
            outcome_at(at).label("outcome"),
            Exclusion.id.label("exclusion_id"),
            Exclusion.approved,
        )
        .join(Ticket, Ticket.id == Clock.ticket_id)
        .join(Client, Client.id == Ticket.client_id)
        .outerjoin(Exclusion, Exclusion.clock_id == Clock.id)
        .where(*lies_in(month), owner.in_(done))
    )
    found: dict[Pair, Counter[str]] = {}
    written: dict[Pair, Container[int]] = {}
    for row in session.execute(query):
        pair = row.owner_id, row.policy_id
        if pair not in written:
            written[pair] = stated(done[row.owner_id], row.policy_id)
        if row.id in written[pair]:
            continue
        numbers = found.setdefault(pair, Counter())
        numbers.update(("counted", row.outcome))
        if row.outcome == "breached" and row.exclusion_id is not None:
            numbers["excluded"] += row.approved is True
            numbers["undecided"] += row.approved is None
    return found


def undecided(session: Session) -> list[Wish]:
    """Exclusions that somebody asked for and nobody has decided on, the oldest first; at most
    MOST. Two statements."""
    query = (
        select(Exclusion, Clock, Ticket, Client, User.name)
        .join(Clock, Clock.id == Exclusion.clock_id)
        .join(Ticket, Ticket.id == Clock.ticket_id)
        .join(Client, Client.id == Ticket.client_id)
        .join(User, User.id == Exclusion.author_id)
        .where(Exclusion.approved.is_(None))
        .order_by(Exclusion.id)
        .limit(MOST)
    )
    rows = session.execute(query).all()
    above = {client.organisation_id for _one, _clock, _ticket, client, _by in rows}
    named = session.execute(select(Client.id, Client.name).where(Client.id.in_(above)))
    owners = {row.id: row.name for row in named}
    found = []
    for exclusion, clock, ticket, client, by in rows:
        subject = subject_of(session, clock)
        owner = owners.get(subject.client_id if subject else 0, client.name)
        found.append(Wish(exclusion, clock, ticket, owner, by, subject))
    return found


def undecided_count(session: Session) -> int:
    """How many there are."""
    query = select(func.count()).where(Exclusion.approved.is_(None))
    return session.scalar(query) or 0


def _owner() -> ColumnElement[int]:
    """The organisation that a client belongs to, or is; NULL for private ones."""
    return case((Client.kind == ClientKind.ORGANISATION, Client.id), else_=Client.organisation_id)


def _sums(month: Period, at: datetime) -> Select[Any]:
    """The clocks of the month by organisation and policy, with the names of both."""
    outcome = outcome_at(at)
    breached = outcome == "breached"
    asked = and_(Exclusion.id.is_not(None), Exclusion.approved.is_(None))
    owner = _owner().label("owner_id")
    sums = (
        select(
            owner,
            Clock.policy_id.label("policy_id"),
            func.count().label("counted"),
            *(_number(outcome == name).label(name) for name in OUTCOMES),
            _number(and_(breached, Exclusion.approved.is_(True))).label("excluded"),
            _number(and_(breached, asked)).label("undecided"),
        )
        .select_from(Clock)
        .join(Ticket, Ticket.id == Clock.ticket_id)
        .join(Client, Client.id == Ticket.client_id)
        .outerjoin(Exclusion, Exclusion.clock_id == Clock.id)
        .where(*lies_in(month), _owner().is_not(None))
        .group_by(owner, Clock.policy_id)
        .subquery()
    )
    names = (Client.id.label("client_id"), Client.name.label("client"), Client.sort_key)
    return (
        select(sums, *names, Policy.name.label("policy"))
        .join(Client, Client.id == sums.c.owner_id)
        .join(Policy, Policy.id == sums.c.policy_id)
    )


def _number(condition: ColumnElement[bool]) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _closed(session: Session, month: str) -> tuple[list[Row], dict[int, list[Listed]]]:
    """Closed statements of a month with their own names and totals, without reading them whole;
    and which promises stand on them, by client."""
    words, total = Statement.data["names"], Statement.data["numbers"]["total"]
    query = (
        select(
            Statement.id,
            Statement.client_id,
            Statement.policy_id,
            Client.sort_key,
            words["client"].as_string().label("client"),
            words["policy"].as_string().label("policy"),
            CLOCKS.label("clock_ids"),
            *(total[name].as_integer().label(name) for name in NUMBERS),
        )
        .join(Client, Client.id == Statement.client_id)
        .where(Statement.month == month)
    )
    found = session.execute(query).all()
    listed: dict[int, list[Listed]] = {}
    for row in found:
        listed.setdefault(row.client_id, []).append((row.policy_id, row.clock_ids))
    rows = [
        Row(
            subject=Subject(row.client_id, row.policy_id, month),
            client=row.client or "",
            policy=row.policy or "",
            sort_key=row.sort_key,
            statement_id=row.id,
            **{name: getattr(row, name) for name in NUMBERS},
        )
        for row in found
    ]
    return rows, listed


def _behind(session: Session, ask: Ask) -> Sequence[int]:
    """The promises (clocks) that a number of a draft counts.

    The organisation is a filter, the month the period; `policy`, `metric`, `outcome` narrow.
    """
    if not ask.scope.everything:
        return []
    conditions: Mapping[str, Any] = {
        "policy": lambda text: Clock.policy_id == _policy(text),
        "metric": lambda text: Clock.metric == _one_of(Metric, "metric", text),
        "outcome": lambda text: outcome_at(ask.at) == _one_of(OUTCOMES, "outcome", text),
    }
    query = (
        select(Clock.id)
        .join(Ticket, Ticket.id == Clock.ticket_id)
        .where(*lies_in(ask.period), Ticket.client_id.in_(theirs(ask.filters.organisation or 0)))
        .where(*(make(ask.args[key]) for key, make in conditions.items() if ask.args.get(key)))
        .order_by(Clock.id)
    )
    closed = select(Statement.policy_id, CLOCKS).where(
        Statement.client_id == ask.filters.organisation,
        Statement.month.between(f"{ask.period.first:%Y-%m}", f"{ask.period.last:%Y-%m}"),
    )
    policy = ask.args.get("policy")
    listed = ((row[0], row[1]) for row in session.execute(closed))
    done = stated(listed, _policy(policy) if policy else None)
    return [id_ for id_ in session.scalars(query) if id_ not in done]


def _policy(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise _unknown("policy", text)
    return int(text)


def _one_of(known: Iterable[str], name: str, text: str) -> str:
    if text not in set(known):
        raise _unknown(name, text)
    return text


def _unknown(name: str, text: str) -> HelpdeskError:
    message = _lazy("The filter %(name)s has no value “%(text)s”.")
    return HelpdeskError(message, field=name, name=name, text=text[:40])


BEFORE = Measure(
    "statement_before",
    _lazy("SLA met in a month"),
    Unit.SHARE,
    _lazy("met / (met + breached), of the promises to an organisation under a policy"),
    (
        _lazy("A promise counts in the month in which its time began, in the company's zone."),
        _lazy("What has not ended yet counts in neither."),
        _lazy("Tickets that were merged into another one are left out."),
    ),
    better="up",
)
AFTER = Measure(
    "statement_after",
    _lazy("SLA met after exclusions"),
    Unit.SHARE,
    _lazy("met / (met + breached - excluded)"),
    (
        _lazy("A breach is excluded when somebody asked for it and somebody else approved it."),
        _lazy("A closed month keeps its numbers, whatever changes later."),
        _lazy(
            "What a merge brings to a client whose month is closed goes on a separate statement."
        ),
    ),
    better="up",
)
LATE = Measure(
    "statement_late",
    _lazy("Late by"),
    Unit.SECONDS,
    _lazy("time of the policy's calendar from the deadline to the end, or until now"),
    (_lazy("Pauses while the client is awaited don't count."),),
    better="down",
)
MEASURES = (BEFORE, AFTER, LATE)
LISTS: Mapping[str, Behind] = {
    "statement": Behind("clock", _lazy("Promises of a contract statement"), _behind)
}
