"""Verbs on imports: begin, say what the columns are, check, run, stop and go on."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from helpdesk.clients.import_models import (
    ImportKind,
    ImportMapping,
    ImportProblem,
    ImportRun,
    RunState,
)
from helpdesk.clients.importing.columns import Column
from helpdesk.clients.importing.facts import NEEDED
from helpdesk.clients.importing.reading import Opened, signature
from helpdesk.events import Actor, record
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_filename

_IDENTITY = frozenset({"id", "external_id", "name", "person", "emails", "phones", "messengers"})
_WHOSE = frozenset({"client_id", "client_external_id", "client_email", "client_phone"})
EDITABLE = (RunState.MAPPING, RunState.CHECKED, RunState.FAILED)


def run_of(session: Session, run_id: int) -> ImportRun:
    """A run, locked against its worker where the database can. Raises NotFound."""
    run = session.scalar(select(ImportRun).where(ImportRun.id == run_id).with_for_update())
    if run is None:
        raise NotFound()
    return run


def create_run(
    session: Session,
    kind: ImportKind,
    opened: Opened,
    *,
    file_id: int,
    filename: str,
    mapping: Mapping[str, str],
    user_id: int,
    at: datetime,
) -> ImportRun:
    """Keep a file that waits to be mapped; a mapping used before goes before the guess."""
    run = ImportRun(
        kind=kind,
        state=RunState.MAPPING,
        user_id=user_id,
        file_id=file_id,
        filename=clean_filename(filename),
        reading=opened.reading,
        headers=opened.headers,
        mapping=remembered(session, kind, opened.headers) or dict(mapping),
        created_at=at,
        updated_at=at,
    )
    session.add(run)
    session.flush()
    return run


def remembered(session: Session, kind: ImportKind, headers: list[str]) -> dict[str, str] | None:
    """What a file with these headers was mapped to the last time."""
    query = select(ImportMapping.mapping).where(
        ImportMapping.kind == kind, ImportMapping.signature == signature(headers)
    )
    return session.scalar(query)


def remembered_row(session: Session, kind: ImportKind, opened: Opened) -> int:
    """The row of the headers: one that was mapped before goes before the guess."""
    marks = {signature(headers): row for row, headers in reversed(opened.start)}
    query = select(ImportMapping.signature).where(
        ImportMapping.kind == kind, ImportMapping.signature.in_(marks)
    )
    known = [marks[mark] for mark in session.scalars(query)]
    guessed = int(opened.reading["header"])
    return guessed if guessed in known else min(known, default=guessed)


def reread(
    session: Session, run: ImportRun, opened: Opened, mapping: Mapping[str, str], *, at: datetime
) -> None:
    """Another sheet, encoding, delimiter or header row. Raises Conflict while the file is read."""
    _check_idle(run)
    run.reading, run.headers = opened.reading, opened.headers
    run.mapping = remembered(session, run.kind, opened.headers) or dict(mapping)
    run.state, run.updated_at = RunState.MAPPING, at
    _forget(session, run)
    session.flush()


def set_mapping(
    session: Session,
    run: ImportRun,
    mapping: Mapping[str, str],
    columns: Iterable[Column],
    *,
    at: datetime,
) -> None:
    """Say what the columns are ({header: key}), remember it, and begin the dry run.

    Raises HelpdeskError for a mapping that leads nowhere, Conflict while the file is read.
    """
    _check_idle(run)
    known = {column.key: column for column in columns}
    chosen = {h: key for h, key in mapping.items() if h in run.headers and key in known}
    _check_mapping(run.kind, chosen, known)
    run.mapping = dict(chosen)
    _remember(session, run, at)
    _forget(session, run)
    run.state, run.todo, run.worker, run.updated_at = RunState.CHECKING, 1, None, at
    session.flush()


def start(session: Session, run: ImportRun, *, actor: Actor, at: datetime) -> None:
    """Begin the real run after a dry run. Raises Conflict where there was none."""
    if run.state != RunState.CHECKED:
        raise Conflict(_lazy("Check the file first."))
    _forget(session, run)
    run.state, run.todo, run.worker, run.updated_at = RunState.RUNNING, 1, None, at
    session.flush()
    record(session, "import.started", actor=actor, at=at, run_id=run.id, kind=run.kind)


def stop(session: Session, run: ImportRun, *, at: datetime) -> None:
    """Stop after the rows that are being written. What is in stays in; a dry run just ends."""
    if run.state == RunState.RUNNING:
        run.state = RunState.STOPPED
    elif run.state == RunState.CHECKING:
        run.state = RunState.MAPPING
    run.todo, run.worker, run.updated_at = None, None, at
    session.flush()


def go_on(session: Session, run: ImportRun, *, at: datetime) -> None:
    """Go on where it was stopped. Raises Conflict for a run that was not."""
    if run.state != RunState.STOPPED:
        raise Conflict(_lazy("This import was not stopped."))
    run.state, run.todo, run.worker, run.updated_at = RunState.RUNNING, 1, None, at
    session.flush()


def _check_idle(run: ImportRun) -> None:
    if run.state not in EDITABLE:
        raise Conflict(_lazy("This file is being imported or is in already. Choose it anew."))


def _check_mapping(
    kind: ImportKind, chosen: Mapping[str, str], known: Mapping[str, Column]
) -> None:
    keys = list(chosen.values())
    twice = next((key for key in keys if keys.count(key) > 1 and not known[key].many), None)
    if twice:
        headers = ", ".join(header for header, key in chosen.items() if key == twice)
        message = _lazy("Two columns cannot mean the same: %(headers)s")
        raise HelpdeskError(message, headers=headers[:200])
    if kind == ImportKind.CLIENTS:
        if not _IDENTITY & set(keys):
            message = _lazy("Choose a column with a name, an address or a number.")
            raise HelpdeskError(message)
        return
    if not _WHOSE & set(keys):
        message = _lazy("Choose a column that says whose it is: an ID, an email or a phone.")
        raise HelpdeskError(message)
    missing = next((key for key in NEEDED[kind] if key not in keys), None)
    if missing:
        raise HelpdeskError(
            _lazy("A column is missing: %(column)s"), column=_lazy(known[missing].label)
        )


def _remember(session: Session, run: ImportRun, at: datetime) -> None:
    mark = signature(run.headers)
    query = select(ImportMapping).where(
        ImportMapping.kind == run.kind, ImportMapping.signature == mark
    )
    found = session.scalar(query.with_for_update())
    if found is None:
        found = ImportMapping(kind=run.kind, signature=mark)
        session.add(found)
    found.mapping, found.updated_at = run.mapping, at


def _forget(session: Session, run: ImportRun) -> None:
    """Counts and problems of an earlier pass."""
    session.execute(delete(ImportProblem).where(ImportProblem.run_id == run.id))
    run.row = run.created = run.changed = run.same = run.bad = 0
    run.error = run.finished_at = None
