"""Contract statements: what a client was promised in a month under a policy, and what was met.

A promise (a clock) counts in the month in which it began, in the company's time zone, for the
organisation that its ticket belongs to. What an approved exclusion takes out counts neither as met
nor as breached. A promise that stands on a closed statement of its client counts on no other one:
what comes to the client afterwards, as by a merge, is left for a further statement.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlalchemy.orm import Session, aliased

from helpdesk.accounts.models import User
from helpdesk.clients.models import Client, ClientKind
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.reports.contracts.why import Why, whys
from helpdesk.reports.models import Exclusion, Statement
from helpdesk.reports.period import Period
from helpdesk.tickets import clocks
from helpdesk.tickets.models import Clock, Metric, Ticket
from helpdesk.tickets.promises import Promise, promises

OUTCOMES = ("met", "breached", "running")
CHUNK = 500  # ids in one statement
WHATEVER = range(1 << 62)  # any id
CLOCKS = Statement.data["numbers"]["clock_ids"]
"""Which promises stand on a closed statement."""
Listed = tuple[int, Sequence[int] | None]


@dataclass(frozen=True)
class Subject:
    """Of whom, by which policy and of which month ("2026-11") a statement speaks."""

    client_id: int
    policy_id: int
    month: str


@dataclass(frozen=True)
class Excluded:
    """What became of the wish not to count a breach; `approved` None: nothing yet."""

    id: int
    reason: str
    author: str
    author_id: int
    made_at: datetime
    approved: bool | None
    decider: str | None
    decided_at: datetime | None
    withdrawn: bool = False  # taken back by its author: it stays in the house


@dataclass(frozen=True)
class Breach:
    """A promise that was not met. Seconds are business seconds; `stopped_at` None: not met yet."""

    clock_id: int
    ticket_id: int
    metric: str
    due_at: datetime | None
    stopped_at: datetime | None
    late_seconds: int
    why: str  # of `Why`
    excluded: Excluded | None


@dataclass(frozen=True)
class Line:
    """The promises of one metric, or of all (`metric` ""); `excluded` are among `breached`."""

    metric: str
    targets: tuple[int, ...]  # business seconds: the shortest and the longest that were promised
    counted: int
    met: int
    breached: int
    excluded: int
    running: int

    @property
    def before(self) -> float | None:
        """The share met of what has an outcome, exclusions not regarded."""
        return share(self.met, self.breached)

    @property
    def after(self) -> float | None:
        """The share met without the breaches that were excluded."""
        return share(self.met, self.breached - self.excluded)


@dataclass(frozen=True)
class Numbers:
    """A statement as it stands at `at`."""

    lines: tuple[Line, ...]
    total: Line
    breaches: tuple[Breach, ...]
    at: datetime
    clock_ids: tuple[int, ...] = ()  # what is counted

    @property
    def exclusions(self) -> list[tuple[Breach, Excluded]]:
        """What the client may read: those that were not withdrawn."""
        return [pair for pair in self.wishes if not pair[1].withdrawn]

    @property
    def wishes(self) -> list[tuple[Breach, Excluded]]:
        """Whatever was asked for."""
        return [(one, one.excluded) for one in self.breaches if one.excluded is not None]

    @property
    def undecided(self) -> int:
        return sum(excluded.approved is None for _breach, excluded in self.exclusions)


@dataclass(frozen=True)
class Names:
    """What the parts of a statement are called, and the hours by which time counts."""

    client: str
    policy: str
    calendar: str | None  # None: 24 × 7
    timezone: str | None = None
    weekly: Mapping[str, Any] = field(default_factory=dict)


def company_zone() -> ZoneInfo:
    """The zone in which months begin and end."""
    return ZoneInfo(str(current_app.config["TIMEZONE"]))


def month_of(text: str) -> Period:
    """The days of a month such as "2026-11". Raises HelpdeskError."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        first = date.min
    if not 2000 <= first.year <= 2200 or len(text) != 7:
        raise HelpdeskError(
            _lazy("“%(text)s” is no month. For example 2026-11"), field="month", text=text[:20]
        )
    after = (first + timedelta(days=31)).replace(day=1)
    return Period(first, after - timedelta(days=1), company_zone())


def month_name(month: Period) -> str:
    """The month as it stands in an address: "2026-11"."""
    return f"{month.first:%Y-%m}"


def subject_of(session: Session, clock: Clock) -> Subject | None:
    """In which statement a clock counts; None for a client that belongs to no organisation."""
    ticket = session.get_one(Ticket, clock.ticket_id)
    client = session.get_one(Client, ticket.client_id)
    is_one = client.kind == ClientKind.ORGANISATION
    owner = client.id if is_one else client.organisation_id
    if owner is None or clock.policy_id is None:
        return None
    return Subject(owner, clock.policy_id, f"{clock.started_at.astimezone(company_zone()):%Y-%m}")


def names_of(session: Session, subject: Subject) -> Names:
    """What the parties and the policy are called now. Raises NotFound where one isn't there, or
    the client is no organisation."""
    client = session.get(Client, subject.client_id)
    if client is None or client.kind != ClientKind.ORGANISATION:
        raise NotFound()
    promise = _promise(session, subject.policy_id)
    hours = promise.calendar
    if hours is None:
        return Names(client.name, promise.name, None)
    weekly = {day: windows for day, windows in hours.weekly.items() if windows}
    return Names(client.name, promise.name, promise.calendar_name, hours.timezone, weekly)


def count(session: Session, subject: Subject, at: datetime) -> Numbers:
    """What stands on no closed statement, as it is at `at`. Raises HelpdeskError for what is no
    month and NotFound for a policy that isn't there."""
    promise = _promise(session, subject.policy_id)
    done = on_closed(session, subject)
    rows = [row for row in session.execute(_counted(subject, at)) if row.id not in done]
    broken = [row for row in rows if row.outcome == "breached"]
    excluded = _exclusions(session, [row.id for row in broken])
    approved = {row.id for row in broken if row.id in excluded and excluded[row.id].approved}
    lines = [
        _line(metric, [row for row in rows if row.metric == metric], approved, promise)
        for metric in Metric
    ]
    return Numbers(
        lines=tuple(line for line in lines if line.counted or line.targets),
        total=_line("", rows, approved, promise),
        breaches=tuple(_breaches(session, broken, excluded, promise, at)),
        at=at,
        clock_ids=tuple(row.id for row in rows),
    )


def on_closed(session: Session, subject: Subject) -> Container[int]:
    """The promises of the client's month that stand on a closed statement. One statement."""
    query = select(Statement.policy_id, CLOCKS)
    query = query.where(Statement.client_id == subject.client_id, Statement.month == subject.month)
    return stated(((row[0], row[1]) for row in session.execute(query)), subject.policy_id)


def stated(listed: Iterable[Listed], policy_id: int | None) -> Container[int]:
    """The promises that stand on these closed statements (policy, what each lists) and so count
    under `policy_id` (None: any) no more, whichever policy they had when they were written down.
    A statement of old lists nothing: it has whatever there is of its policy."""
    found: set[int] = set()
    for policy, clock_ids in listed:
        if clock_ids is None and policy_id in (None, policy):
            return WHATEVER
        found.update(clock_ids or ())
    return found


def is_of(subject: Subject) -> ColumnElement[bool]:
    """Condition on Statement: closed for this client, policy and month. There may be several."""
    return and_(
        Statement.client_id == subject.client_id,
        Statement.policy_id == subject.policy_id,
        Statement.month == subject.month,
    )


def lies_in(month: Period) -> list[ColumnElement[bool]]:
    """Conditions on Clock joined with Ticket: the promises of a month."""
    return [
        Clock.policy_id.is_not(None),
        Clock.started_at >= month.start,
        Clock.started_at < month.end,
        Ticket.merged_into_id.is_(None),
    ]


def outcome_at(at: datetime) -> ColumnElement[str]:
    """met, breached or running, as the SLA report tells them apart."""
    overdue = and_(Clock.stopped_at.is_(None), Clock.due_at <= at)
    return case(
        (or_(Clock.breached_at.is_not(None), overdue), "breached"),
        (Clock.stopped_at.is_not(None), "met"),
        else_="running",
    )


def theirs(client_id: int) -> Select[Any]:
    """The ids of an organisation and of the people who belong to it."""
    people = and_(Client.organisation_id == client_id, Client.kind == ClientKind.PERSON)
    return select(Client.id).where(or_(Client.id == client_id, people))


def share(met: int, breached: int) -> float | None:
    """The share met; None where nothing has an outcome."""
    return met / (met + breached) if met + breached else None


def _promise(session: Session, policy_id: int) -> Promise:
    found = promises(session).by_id.get(policy_id)
    if found is None:
        raise NotFound()
    return found


_COLUMNS = (
    "id",
    "ticket_id",
    "metric",
    "target_seconds",
    "agreed_at",
    "started_at",
    "due_at",
    "stopped_at",
    "remaining_seconds",
)


def _counted(subject: Subject, at: datetime) -> Select[Any]:
    columns: list[Any] = [getattr(Clock, name) for name in _COLUMNS]
    return (
        select(*columns, outcome_at(at).label("outcome"))
        .join(Ticket, Ticket.id == Clock.ticket_id)
        .where(
            *lies_in(month_of(subject.month)),
            Clock.policy_id == subject.policy_id,
            Ticket.client_id.in_(theirs(subject.client_id)),
        )
        .order_by(Clock.id)
    )


def _line(metric: str, rows: Sequence[Any], approved: set[int], promise: Promise) -> Line:
    promised = sorted({row.target_seconds for row in rows if row.agreed_at is None})
    if not promised and metric in promise.targets:
        promised = [promise.targets[metric]]
    ends = dict.fromkeys((promised[0], promised[-1])) if promised and metric else {}
    return Line(
        metric=metric,
        targets=tuple(ends),
        counted=len(rows),
        excluded=sum(row.id in approved for row in rows),
        **{name: sum(row.outcome == name for row in rows) for name in OUTCOMES},
    )


def _breaches(
    session: Session,
    rows: Sequence[Any],
    excluded: Mapping[int, Excluded],
    promise: Promise,
    at: datetime,
) -> list[Breach]:
    late = _late(session, [row.id for row in rows if row.remaining_seconds is None], promise, at)
    reasons = whys(session, rows)
    return [
        Breach(
            clock_id=row.id,
            ticket_id=row.ticket_id,
            metric=row.metric,
            due_at=row.due_at,
            stopped_at=row.stopped_at,
            late_seconds=max(0, late.get(row.id, -(row.remaining_seconds or 0))),
            why=reasons.get(row.id, Why.LATE),
            excluded=excluded.get(row.id),
        )
        for row in rows
    ]


def _late(
    session: Session, running: Sequence[int], promise: Promise, at: datetime
) -> dict[int, int]:
    """By how much those are late that still run; of a month that is over there are few."""
    return {
        clock.id: -clocks.remaining(clock, promise.calendar, at)
        for start in range(0, len(running), CHUNK)
        for clock in session.scalars(
            select(Clock).where(Clock.id.in_(running[start : start + CHUNK]))
        )
    }


def _exclusions(session: Session, clock_ids: Sequence[int]) -> dict[int, Excluded]:
    """Of which of these clocks somebody asked that they shall not count."""
    author, decider = aliased(User), aliased(User)
    query = (
        select(Exclusion, author.name, decider.name)
        .join(author, author.id == Exclusion.author_id)
        .outerjoin(decider, decider.id == Exclusion.decided_by)
    )
    return {
        one.clock_id: Excluded(
            id=one.id,
            reason=one.reason,
            author=by,
            author_id=one.author_id,
            made_at=one.made_at,
            approved=one.approved,
            decider=decided,
            decided_at=one.decided_at,
            withdrawn=one.withdrawn,
        )
        for start in range(0, len(clock_ids), CHUNK)
        for one, by, decided in session.execute(
            query.where(Exclusion.clock_id.in_(clock_ids[start : start + CHUNK]))
        )
    }
