"""A run in chunks: rows are read and checked without a lock, then written with the run's progress.

A chunk's rows and the number of its last one are committed together, so that a run goes on where
it was after a crash, and no row comes in twice. A dry run is the same without writing; it begins
anew when its process is gone, for it remembers what earlier rows would have made.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from babel.numbers import get_territory_currencies
from flask import current_app
from sqlalchemy import func, or_, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from helpdesk import ext, files
from helpdesk.accounts.models import User
from helpdesk.clients.import_models import ImportKind, ImportProblem, ImportRun, RunState
from helpdesk.clients.importing.facts import FactRow, Facts, read_fact
from helpdesk.clients.importing.limits import BadFile
from helpdesk.clients.importing.loading import load
from helpdesk.clients.importing.planned import Planned
from helpdesk.clients.importing.reading import Table
from helpdesk.clients.importing.rows import ClientRow, Known, Mapped, Problem, problem, read_client
from helpdesk.clients.importing.totals import LIKE_SUM, SUM
from helpdesk.clients.importing.world import CHANGED, CREATED, World
from helpdesk.clients.importing.writing import write
from helpdesk.events import Actor, record
from helpdesk.ext import add_rows
from helpdesk.fields import fields_of
from helpdesk.lib import stems
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import email_key

log = structlog.get_logger()

CHUNK = 250  # clients in one transaction
FACTS = 100  # purchases and the like: verb by verb, so fewer
FORGET = 5_000  # rows after which words of earlier ones are forgotten: most are names
MOST_PROBLEMS = 20_000  # that are kept; the others are only counted
LEASE = timedelta(seconds=60)  # after which another worker takes a run over
_TOTALS = {
    SUM: _lazy("This row is the total of those above it. It is left out."),
    LIKE_SUM: _lazy("This row looks like a total. If it is one, delete it from the file."),
}
_REFUSED = _lazy("This row could not be taken in. Enter it by hand.")
# What a value that no check knew may lead to; a database that is away is tried again instead.
_BREAKS = (IntegrityError, DataError, ArithmeticError, LookupError, TypeError, ValueError)
ACTIVE = (RunState.CHECKING, RunState.RUNNING)
_ME = uuid.uuid4().hex


@dataclass
class _Open:
    """The file that this process reads, with what a dry run remembers of it."""

    run_id: int
    state: RunState
    table: Table
    known: Known
    planned: Planned = field(default_factory=Planned)
    seen: set[str] = field(default_factory=set)


@dataclass
class Chunk:
    """Checked rows that wait for a transaction."""

    run_id: int
    after: int  # the last row before them
    last: int
    rows: Sequence[ClientRow | FactRow]
    over: bool
    restart: bool
    at: datetime
    merged: Sequence[str] = ()
    warnings: Sequence[Problem] = ()
    error: BadFile | None = None


_open: dict[str, _Open] = {}  # at most one: {"": ...}


def next_chunk() -> Chunk | None:
    """Read and check the next rows of the oldest run that waits; None where none does."""
    at = now()
    with ext.session() as session:
        run = session.scalar(_waiting(at))
        if run is None:
            _open.clear()
            return None
        known = _known(session, run)
        path = files.path_of(run.file.sha256)
    dry = run.state == RunState.CHECKING
    mine = _open.get("")
    kept = mine is not None and mine.run_id == run.id and mine.state == run.state
    restart = dry and run.row > 0 and not (kept and mine and mine.table.position == run.row)
    after = 0 if restart else run.row
    chunk = Chunk(run.id, after, after, (), False, restart, at)
    try:
        table = _table(run, path, after, known)
        _read(chunk, run.kind, table, known)
    except BadFile as error:
        chunk.error = error
    except FileNotFoundError:
        chunk.error = BadFile(_lazy("The file is not kept any more. Choose it anew."))
    return chunk


def take(session: Session, chunk: Chunk) -> int:
    """Write a chunk and the progress of its run in the caller's transaction; how much it was."""
    query = select(ImportRun).where(ImportRun.id == chunk.run_id)
    run = session.scalar(query.with_for_update(**ext.skip_locked(session)))
    if run is None or run.state not in ACTIVE or not _is_mine(run, chunk):
        _open.clear()
        return 0
    run.worker, run.updated_at = _ME, chunk.at
    if chunk.restart:
        _begin_anew(session, run)
    if chunk.error is not None:
        return _fail(run, chunk)
    problems = _put(session, run, chunk)
    _note(session, run, problems)
    _note(session, run, chunk.warnings, warn=True)
    run.row = chunk.last
    if chunk.over or chunk.after // FORGET != chunk.last // FORGET:
        stems.forget()
    if chunk.over:
        _finish(session, run, chunk)
    session.flush()
    return max(len(chunk.rows), 1)


def _waiting(at: datetime) -> Any:
    free = or_(
        ImportRun.worker.is_(None), ImportRun.worker == _ME, ImportRun.updated_at < at - LEASE
    )
    query = select(ImportRun).where(ImportRun.todo.is_not(None), free)
    return query.order_by(ImportRun.id).limit(1)


def _is_mine(run: ImportRun, chunk: Chunk) -> bool:
    """Whether the run still stands where the chunk was read, and no other worker has it."""
    taken = run.worker not in (None, _ME) and run.updated_at >= chunk.at - LEASE
    return not taken and (chunk.restart or run.row == chunk.after)


def _table(run: ImportRun, path: Path, after: int, known: Known) -> _Open:
    mine = _open.get("")
    if (
        mine is not None
        and (mine.run_id, mine.state) == (run.id, run.state)
        and after
        and mine.table.position == after
    ):
        mine.known = known
        return mine
    table = Table(path, run.reading)
    table.skip_to(after)
    _open[""] = _Open(run.id, run.state, table, known)
    return _open[""]


def _read(chunk: Chunk, kind: ImportKind, mine: _Open, known: Known) -> None:
    size = CHUNK if kind == ImportKind.CLIENTS else FACTS
    rows = mine.table.take(size)
    read: Any = read_client if kind == ImportKind.CLIENTS else read_fact
    chunk.rows = [read(row, known) for row in rows if row.total != SUM]
    chunk.warnings = [Problem(row.number, "", _TOTALS[row.total], {}) for row in rows if row.total]
    chunk.last = mine.table.position
    chunk.over = len(rows) < size
    chunk.merged = mine.table.merged if chunk.over else ()


def _put(session: Session, run: ImportRun, chunk: Chunk) -> list[Problem]:
    mine = _open[""]
    good = [row for row in chunk.rows if not row.problems]
    problems = [one for row in chunk.rows for one in row.problems]
    for outcome in _put_together(session, mine, run, good, chunk.at):
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            setattr(run, outcome, getattr(run, outcome) + 1)
    run.bad += len({one.row for one in problems})
    return problems


def _put_together(
    session: Session, mine: _Open, run: ImportRun, rows: Sequence[Any], at: datetime
) -> list[str | Problem]:
    """All rows at once; where that breaks, one by one, so that only those that break it stay out
    and no run stands still."""
    put = _put_clients if run.kind == ImportKind.CLIENTS else _put_facts
    try:
        with session.begin_nested():
            return put(session, mine, run, rows, at)
    except _BREAKS as error:
        if len(rows) > 1:
            alone = (_put_together(session, mine, run, [row], at) for row in rows)
            return [outcome for found in alone for outcome in found]
        log.error(
            "import.row_refused", run_id=run.id, row=rows[0].number, error=type(error).__name__
        )
        return [Problem(rows[0].number, "", _REFUSED, {})]


def _put_clients(
    session: Session, mine: _Open, run: ImportRun, rows: Sequence[Any], at: datetime
) -> list[str | Problem]:
    dry = run.state == RunState.CHECKING
    world = World()
    if dry:
        mine.planned.recall(world, rows)
    load(session, world, rows)
    outcomes = [_outcome(world.put, row, mine.known) for row in rows]
    if dry:
        mine.planned.keep(world)
    else:
        write(session, world, actor=Actor(user_id=run.user_id), at=at)
    return outcomes


def _put_facts(
    session: Session, mine: _Open, run: ImportRun, rows: Sequence[Any], at: datetime
) -> list[str | Problem]:
    """A dry run puts everything as well, and takes it back."""
    actor = Actor(user_id=run.user_id)
    if run.state != RunState.CHECKING:
        facts = Facts(session, run.kind, mine.known, actor=actor, at=at)
        return [_outcome(facts.put, row, mine.known) for row in rows]
    with session.begin_nested() as trial:
        facts = Facts(session, run.kind, mine.known, actor=actor, at=at)
        outcomes = [_outcome(facts.put, row, mine.known) for row in rows]
        trial.rollback()
    return [_again(mine, row, one) for row, one in zip(rows, outcomes, strict=True)]


def _again(mine: _Open, row: FactRow, outcome: str | Problem) -> str | Problem:
    """What an earlier row of a dry run made is changed, not made once more."""
    number = str(row.values.get("external_id") or row.values.get("serial") or row.number)
    known = number in mine.seen
    mine.seen.add(number)
    return CHANGED if outcome == CREATED and known else outcome


def _outcome(put: Any, row: Any, known: Known) -> str | Problem:
    try:
        outcome: str = put(row)
    except HelpdeskError as error:
        return problem(row.number, known.header(error.field), error)
    return outcome


def _note(
    session: Session, run: ImportRun, problems: Sequence[Problem], *, warn: bool = False
) -> None:
    if not problems:
        return
    kept = session.scalar(
        select(func.count(ImportProblem.id)).where(ImportProblem.run_id == run.id)
    )
    rows: list[Mapping[str, Any]] = [
        {
            "run_id": run.id,
            "row": one.row,
            "column": one.column,
            "message": one.message,
            "parts": dict(one.parts),
            "warning": warn,
        }
        for one in sorted(problems, key=lambda one: one.row)[: MOST_PROBLEMS - (kept or 0)]
    ]
    add_rows(session, ImportProblem, rows)


def _begin_anew(session: Session, run: ImportRun) -> None:
    session.query(ImportProblem).filter(ImportProblem.run_id == run.id).delete()
    run.row = run.created = run.changed = run.same = run.bad = 0


def _fail(run: ImportRun, chunk: Chunk) -> int:
    error = chunk.error
    parts = {key: str(value)[:200] for key, value in error.params.items()} if error else {}
    run.error = {"message": error.message if error else "", "parts": parts}
    run.state, run.todo, run.worker, run.finished_at = RunState.FAILED, None, None, chunk.at
    _open.clear()
    return 1


def _finish(session: Session, run: ImportRun, chunk: Chunk) -> None:
    message = _lazy("Cells %(range)s are merged: the value counts for the first of them only.")
    found = [Problem(0, "", message, {"range": area}) for area in chunk.merged]
    _note(session, run, found, warn=True)
    done = run.state == RunState.RUNNING
    run.state = RunState.DONE if done else RunState.CHECKED
    run.todo, run.worker, run.finished_at, run.rows = None, None, chunk.at, run.row
    _open.clear()
    if done:
        counts = {"created": run.created, "changed": run.changed, "bad": run.bad}
        actor = Actor(user_id=run.user_id)
        about: dict[str, Any] = {"run_id": run.id, "kind": run.kind, **counts}
        record(session, "import.finished", actor=actor, at=chunk.at, **about)


def _known(session: Session, run: ImportRun) -> Known:
    """What rows of this run are checked against: fields, staff, country, currency."""
    places = {header: place for place, header in enumerate(run.headers)}
    mapped = [Mapped(places[h], h, str(key)) for h, key in run.mapping.items() if h in places]
    users = session.execute(select(User.email, User.id).where(User.active.is_(True)))
    country = str(current_app.config["COUNTRY"])
    return Known(
        mapped=mapped,
        width=len(run.headers),
        fields={one.key: one for one in fields_of(session)},
        users={email_key(email): id_ for email, id_ in users},
        country=country,
        currency=next(iter(get_territory_currencies(country)), "UAH"),
    )
