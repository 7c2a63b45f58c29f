"""What reports keep of clients: files and emails of schedules, exclusions, closed statements."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.clients.models import Client
from helpdesk.files import StoredFile
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.privacy.inventory import BLANKED
from helpdesk.privacy.scope import Scope, chunks, family
from helpdesk.reports.contracts.closing import forget_names, forget_reasons
from helpdesk.reports.models import Exclusion, ReportFile, Statement
from helpdesk.tickets.models import Clock, Ticket

EMAILS = "schedule:"
"""With this begin the keys of the emails that bring reports (`outbox.report_email`)."""


def forget_reports(session: Session, scope: Scope, at: datetime) -> list[str]:
    """Take these people out of what reports keep; hashes of loose files.

    A report that was sent may name any client in a table or a comment, and its row doesn't tell:
    all of them go. Whoever needs one makes it anew.
    """
    loose = drop_files(session, list(session.scalars(select(ReportFile.id))))
    _emails(session, at)
    excluded = _exclusions(session, scope)
    for part in chunks(excluded):
        blank = update(Exclusion).where(Exclusion.id.in_(part)).values(BLANKED["clock_exclusion"])
        session.execute(blank, execution_options={"synchronize_session": False})
    if scope.client_id is not None:
        forget_names(session, family(session, scope.client_id))
    if excluded:
        forget_reasons(session, _contractors(session, scope), excluded)
    return loose


def _contractors(session: Session, scope: Scope) -> list[int]:
    """In whose statements these tickets count: their clients, and the organisations of these."""
    query = select(Client.id, Client.organisation_id).join(Ticket, Ticket.client_id == Client.id)
    rows = [
        row
        for part in chunks(scope.ticket_ids)
        for row in session.execute(query.where(Ticket.id.in_(part)).distinct())
    ]
    return sorted({id_ for row in rows for id_ in row if id_ is not None})


def drop_files(session: Session, ids: Sequence[int]) -> list[str]:
    """Delete these files of reports; the hashes of their contents."""
    loose: list[str] = []
    for part in chunks(ids):
        rows = select(StoredFile.sha256).join(ReportFile, ReportFile.file_id == StoredFile.id)
        loose += session.scalars(rows.where(ReportFile.id.in_(part)))
        session.execute(delete(ReportFile).where(ReportFile.id.in_(part)))
    return loose


def reports_of(session: Session, scope: Scope) -> dict[str, list[Any]]:
    """What was agreed about their breaches and months, to be handed to them."""
    ids = _exclusions(session, scope)
    asked = select(Exclusion).order_by(Exclusion.id)
    found = [
        row for part in chunks(ids) for row in session.scalars(asked.where(Exclusion.id.in_(part)))
    ]
    clients = family(session, scope.client_id) if scope.client_id is not None else []
    closed = select(Statement).where(Statement.client_id.in_(clients)).order_by(Statement.id)
    return {"exclusions": found, "statements": list(session.scalars(closed))}


def _exclusions(session: Session, scope: Scope) -> list[int]:
    query = select(Exclusion.id).join(Clock, Clock.id == Exclusion.clock_id)
    return [
        id_
        for part in chunks(scope.ticket_ids)
        for id_ in session.scalars(query.where(Clock.ticket_id.in_(part)))
    ]


def _emails(session: Session, at: datetime) -> None:
    """What waits to be sent is given up: it would bring the names after all."""
    since = at - timedelta(days=settings.get(session, "retention_raw_days"))
    mine = Outgoing.key.startswith(EMAILS, autoescape=True), Outgoing.created_at >= since
    given_up = update(Outgoing).where(*mine, Outgoing.due_at.is_not(None))
    session.execute(given_up.values(state=OutgoingState.FAILED, due_at=None))
    gone = {"subject": "", "text": "", "html": None}
    session.execute(
        update(Outgoing).where(*mine).values(gone),
        execution_options={"synchronize_session": False},
    )
