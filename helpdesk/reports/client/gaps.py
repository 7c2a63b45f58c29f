"""What is missing in clients' records and tickets: counts, and lists to work off.

Only a window of the newest rows is looked at in one statement, so that a page costs the same
however many clients there are; a list goes on where the window ended.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from helpdesk.accounts.permissions import Viewer
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.fields import Field, FieldScope
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.views import TicketRow, rows_of

WINDOW = 5000
PAGE = 50
PROFILE = "profile."
_LAST = 2**63 - 1
FIXED = ("name", "unreachable", "bad", "language")


class GapPage(NamedTuple):
    """Rows with the gap, and where to look on: None where everything was looked at."""

    rows: Sequence[Any]
    before: int | None


def gaps_of(fields: Sequence[Field]) -> dict[str, FieldScope]:
    """The gaps there are with the clients that may have them.

    The fixed ones, then "profile.KEY" for each wanted field.
    """
    wanted = {PROFILE + field.key: field.scope for field in fields if field.wanted}
    return dict.fromkeys(FIXED, FieldScope.ALL) | wanted


def client_gaps(session: Session, gaps: Mapping[str, FieldScope]) -> Mapping[str, int]:
    """How many of the newest WINDOW clients have each of these gaps. One statement."""
    seen = _window(None)
    counts = [func.sum(sql_case(_missing(seen, name, scope))).label(f"n{n}")
              for n, (name, scope) in enumerate(gaps.items())]  # fmt: skip
    row = session.execute(select(*counts).select_from(seen)).one()
    return {name: int(number or 0) for name, number in zip(gaps, row, strict=True)}


def clients_with_gap(
    session: Session, name: str, scope: FieldScope, *, before: int | None = None
) -> GapPage:
    """The newest clients with a gap, at most PAGE; `before`: the id of the last one looked at."""
    seen = _window(before)
    rows = session.scalars(
        select(seen).where(_missing(seen, name, scope)).order_by(seen.id.desc()).limit(PAGE + 1)
    ).all()
    if len(rows) > PAGE:
        return GapPage(rows[:PAGE], rows[PAGE - 1].id)
    oldest = _clients(before).offset(WINDOW - 1).limit(1)
    return GapPage(rows, session.scalar(oldest.with_only_columns(Client.id)))


def count_unclassified(session: Session, viewer: Viewer) -> int:
    """How many of the newest WINDOW active tickets that the viewer may see have no reason."""
    newest = _active(viewer).limit(WINDOW).subquery()
    without = select(func.count()).select_from(newest).where(newest.c.reason_id.is_(None))
    return int(session.scalar(without) or 0)


def unclassified(session: Session, viewer: Viewer) -> list[TicketRow]:
    """The newest of them, at most PAGE."""
    newest = _active(viewer).limit(WINDOW).subquery()
    query = select(newest.c.id).where(newest.c.reason_id.is_(None)).limit(PAGE)
    order = (newest.c.last_message_at.desc(), newest.c.id.desc())
    return rows_of(session, viewer, list(session.scalars(query.order_by(*order))))


def sql_case(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0).cast(Integer)


def _clients(before: int | None) -> Select[Client]:
    query = select(Client).where(Client.erased_at.is_(None), Client.merged_into_id.is_(None))
    query = query.where(Client.id < (_LAST if before is None else before))
    return query.order_by(Client.id.desc())


def _window(before: int | None) -> Any:
    return aliased(Client, _clients(before).limit(WINDOW).subquery("seen"))


def _active(viewer: Viewer) -> Select[Any]:
    conditions = [Ticket.done_at.is_(None)]
    if viewer.queue_ids is not None:
        conditions.append(Ticket.queue_id.in_(viewer.queue_ids))
    query = select(Ticket.id, Ticket.last_message_at, Ticket.reason_id).where(*conditions)
    return cast(Select[Any], query.order_by(Ticket.last_message_at.desc(), Ticket.id.desc()))


def _missing(seen: Any, name: str, scope: FieldScope) -> ColumnElement[bool]:
    """Whether a client has this gap."""
    if name.startswith(PROFILE):
        absent: ColumnElement[bool] = seen.profile[name.removeprefix(PROFILE)].as_string().is_(None)
        return absent if scope == FieldScope.ALL else and_(seen.kind == scope.value, absent)
    mine = exists().where(
        Person.client_id == seen.id,
        Person.removed_at.is_(None),
        ContactPoint.person_id == Person.id,
        ContactPoint.removed_at.is_(None),
    )
    good = mine.where(ContactPoint.bad.is_(False))
    found: dict[str, ColumnElement[bool]] = {
        # Intake names whom it does not know by their address or number.
        "name": or_(seen.name_key == "", seen.name == "", seen.name.contains("@")),
        "language": seen.language.is_(None),
        "unreachable": ~mine,
        "bad": and_(mine, ~good),
    }
    return found[name]
