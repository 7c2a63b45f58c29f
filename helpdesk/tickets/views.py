"""The lists of the desk: which tickets a view holds, its rows page by page, its counts.

A list is one statement over the columns a row shows; every view has an index to walk, so a
page costs the same however many tickets there are. Counts stop at CAP.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Row, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from helpdesk.accounts.permissions import Viewer
from helpdesk.clients.models import Person
from helpdesk.lib.errors import NotFound
from helpdesk.tickets.models import Channel, Metric, Priority, Status, Ticket, TicketKind

PAGE = 50
CAP = 999
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NAMES = ("mine", "unassigned", "risk", "breached", "all", "done")


@dataclass(frozen=True)
class View:
    """One list: its name, and the queue if it is a queue's.

    `about`: "kind:complaint", or "reason:7" and "product:3", which `tickets.about` reads.
    """

    name: str
    queue_id: int | None = None
    about: str = ""

    @property
    def key(self) -> str:
        """How addresses write it: "mine", "queue:3"."""
        return self.about or (f"queue:{self.queue_id}" if self.name == "queue" else self.name)


class TicketRow(NamedTuple):
    """What a row of a list shows of a ticket."""

    id: int
    subject: str
    status: Status
    priority: Priority
    channel: Channel
    tags: list[str]
    last_message_at: datetime
    waiting_since: datetime | None
    next_due_at: datetime | None
    next_metric: Metric | None
    sla: str | None
    done_at: datetime | None
    assignee_id: int | None
    kind: TicketKind | None
    person: str


class Page(NamedTuple):
    """Rows and the cursor of the next page, None at the end."""

    rows: list[TicketRow]
    cursor: str | None


COLUMNS = (
    Ticket.id,
    Ticket.subject,
    Ticket.status,
    Ticket.priority,
    Ticket.channel,
    Ticket.tags,
    Ticket.last_message_at,
    Ticket.waiting_since,
    Ticket.next_due_at,
    Ticket.next_metric,
    Ticket.sla,
    Ticket.done_at,
    Ticket.assignee_id,
    Ticket.kind,
    Person.name,
)
# Made once: building a statement costs more than running it.
_ROWS = cast(Select[Any], select(*COLUMNS).join(Person, Person.id == Ticket.person_id))


def read_view(name: str | None) -> View:
    """The view an address names; "mine" if it names none. Raises NotFound for an unknown one."""
    if not name:
        return View("mine")
    if name in NAMES:
        return View(name)
    head, _, id_ = name.partition(":")
    is_id = id_.isascii() and id_.isdigit() and len(id_) < 18
    if head == "queue" and is_id:
        return View("queue", int(id_))
    if (head in ("reason", "product") and is_id) or (head == "kind" and id_ in set(TicketKind)):
        return View(head, about=name)
    raise NotFound()


def list_page(
    session: Session, viewer: Viewer, view: View, *, cursor: str | None = None, limit: int = PAGE
) -> Page:
    """One page of a view: by promise at risk and breached, else the newest message first."""
    query = _ROWS.where(*_conditions(viewer, view))
    by_promise = view.name in ("risk", "breached")
    after = _read_cursor(cursor)
    if by_promise:
        place = tuple_(Ticket.next_due_at, Ticket.id)
        query = query.order_by(Ticket.next_due_at, Ticket.id)
        query = query.where(place > after) if after is not None else query
    else:
        place = tuple_(Ticket.last_message_at, Ticket.id)
        query = query.order_by(Ticket.last_message_at.desc(), Ticket.id.desc())
        query = query.where(place < after) if after is not None else query
    rows = _rows(session.execute(query.limit(limit + 1)))
    more = rows[limit - 1] if len(rows) > limit else None
    moment = more and (more.next_due_at if by_promise else more.last_message_at)
    return Page(rows[:limit], _cursor(moment, more.id) if more and moment else None)


def rows_of(session: Session, viewer: Viewer, ids: Sequence[int]) -> list[TicketRow]:
    """The rows of these tickets in this order, without those the viewer may not see."""
    if not ids:
        return []
    query = _ROWS.where(Ticket.id.in_(ids), *_open_to(viewer))
    found = {row.id: row for row in _rows(session.execute(query))}
    return [found[id_] for id_ in ids if id_ in found]


def counts(session: Session, viewer: Viewer, views: Iterable[View]) -> dict[str, int]:
    """How many tickets each view holds, at most CAP + 1, in one statement."""
    wanted = list(views)
    if not wanted:
        return {}
    columns = [
        select(func.count())
        .select_from(select(literal(1)).where(*_conditions(viewer, view)).limit(CAP + 1).subquery())
        .scalar_subquery()
        for view in wanted
    ]
    row = session.execute(select(*columns)).one()
    return {view.key: int(number) for view, number in zip(wanted, row, strict=True)}


def tickets_of_client(
    session: Session, viewer: Viewer, client_id: int, *, limit: int = PAGE
) -> list[TicketRow]:
    """The newest tickets of a client that the viewer may see."""
    query = _ROWS.where(Ticket.client_id == client_id, *_open_to(viewer))
    query = query.order_by(Ticket.last_message_at.desc(), Ticket.id.desc())
    return _rows(session.execute(query.limit(limit)))


def _rows(found: Iterable[Row[Any]]) -> list[TicketRow]:
    return [TicketRow._make(row) for row in found]


def _open_to(viewer: Viewer) -> list[ColumnElement[bool]]:
    return [] if viewer.queue_ids is None else [Ticket.queue_id.in_(viewer.queue_ids)]


def _conditions(viewer: Viewer, view: View) -> list[ColumnElement[bool]]:
    active = Ticket.done_at.is_(None)
    own: dict[str, list[ColumnElement[bool]]] = {
        "mine": [active, Ticket.assignee_id == viewer.user_id],
        "unassigned": [active, Ticket.assignee_id.is_(None)],
        "queue": [active, Ticket.queue_id == view.queue_id],
        "risk": [active, Ticket.sla == "risk"],
        "breached": [active, Ticket.sla == "breached"],
        "all": [active],
        "kind": [active, Ticket.kind == view.about.removeprefix("kind:")],
        "done": [Ticket.done_at.is_not(None)],
    }
    return own[view.name] + _open_to(viewer)


def _cursor(moment: datetime, id_: int) -> str:
    return f"{(moment - EPOCH) // MICROSECOND}-{id_}"


def _read_cursor(cursor: str | None) -> ColumnElement[Any] | None:
    if not cursor:
        return None
    micros, _, id_ = cursor.partition("-")
    if not (micros.isascii() and micros.isdigit() and id_.isascii() and id_.isdigit()):
        raise NotFound()
    if len(micros) > 17 or len(id_) > 17:
        raise NotFound()
    at = EPOCH + int(micros) * MICROSECOND
    return tuple_(literal(at, Ticket.last_message_at.type), literal(int(id_), Ticket.id.type))
