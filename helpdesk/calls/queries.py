"""Reads for the desk: what an agent's telephone shows now, who may be calling, the call log."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from helpdesk.accounts.permissions import Viewer, can
from helpdesk.accounts.presence import Presence
from helpdesk.calls.models import (
    Call,
    CallEvent,
    Direction,
    EndReason,
    Offer,
    VoiceAnswer,
)
from helpdesk.clients.models import Client, ContactKind, ContactPoint, Person
from helpdesk.kb.models import ArticleText
from helpdesk.lib.errors import NotFound
from helpdesk.planner.models import Task
from helpdesk.tickets.models import Draft, MessageKind, Ticket

PAGE = 50
CAP = 99
FEW = 6
RECENT = timedelta(days=90)  # how far lists that no index serves look back
SPOKEN = 40  # events of a call that are searched for what the caller said
R = TypeVar("R")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MISSED = (
    EndReason.ABANDONED_QUEUE,
    EndReason.ABANDONED_RING,
    EndReason.VOICEMAIL,
    EndReason.NO_MESSAGE,
)
CALL_VIEWS = ("mine", "missed", "queue")


class Heard(NamedTuple):
    """An article that the caller heard in the menu; `helped` None: did not say."""

    title: str
    helped: bool | None


class Candidate(NamedTuple):
    """Somebody who has the number of a call."""

    person_id: int
    name: str
    client_id: int
    client_name: str
    contact_point_id: int


class CallRow(NamedTuple):
    """A line of the call log."""

    id: int
    direction: Direction
    from_number: str | None
    to_number: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None
    over_at: datetime | None
    client_id: int | None
    ticket_id: int | None
    queue_id: int | None
    user_id: int | None
    person: str | None

    @property
    def number(self) -> str | None:
        """The customer's."""
        return self.from_number if self.direction == Direction.INBOUND else self.to_number

    @property
    def seconds(self) -> int | None:
        """How long they talked."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return max(0, int((self.ended_at - self.answered_at).total_seconds()))


class Page(NamedTuple, Generic[R]):
    """Rows and the cursor of the next page, None at the end."""

    rows: list[R]
    cursor: str | None


def phone_of(session: Session, user_id: int) -> tuple[Offer | None, Call | None]:
    """What rings at this user, or what they talk on or wrap up; one statement.

    Both are None for whoever is not IN_CALL or in WRAP_UP: then it need not be asked.
    """
    row = session.execute(_PHONE, {"user_id": user_id}).first()
    return (row[0], row[1]) if row else (None, None)


def overdue_count(session: Session, viewer: Viewer, at: datetime) -> int:
    """How many planned contacts of the viewer's queues are late, at most CAP + 1."""
    late = select(literal(1)).where(Task.done_at.is_(None), Task.due_at < at)
    late = late.where(*_of_queues(viewer, Task.queue_id)).limit(CAP + 1)
    return session.scalar(select(func.count()).select_from(late.subquery())) or 0


def call_for(session: Session, viewer: Viewer, call_id: int, permission: str) -> Call:
    """A call of a queue of the viewer, or their own, with what its page names. Raises NotFound."""
    found = session.scalar(select(Call).where(Call.id == call_id).options(*_NAMED))
    if found is None:
        raise NotFound()
    own = found.user_id == viewer.user_id and can(viewer, permission)
    if not own and not can(viewer, permission, found):
        raise NotFound()
    return found


def own_call(session: Session, user_id: int, call_id: int) -> Call:
    """The call that this user talks on or wraps up, to be changed. Raises NotFound."""
    found = session.scalar(select(Call).where(Call.id == call_id, Call.user_id == user_id))
    if found is None:
        raise NotFound()
    return found


def own_offer(session: Session, user_id: int, offer_id: int) -> Offer:
    """An offer to this user, open or not. Raises NotFound."""
    found = session.scalar(select(Offer).where(Offer.id == offer_id, Offer.user_id == user_id))
    if found is None:
        raise NotFound()
    return found


def heard_in_menu(session: Session, call: Call, language: str) -> list[Heard]:
    """The articles that the caller heard, in their order, with titles the reader understands."""
    query = (
        select(VoiceAnswer.id, VoiceAnswer.helped, ArticleText.title, ArticleText.lang)
        .join(ArticleText, ArticleText.article_id == VoiceAnswer.article_id)
        .where(VoiceAnswer.call_id == call.id)
        .order_by(VoiceAnswer.id, ArticleText.id)
    )
    best: dict[int, tuple[bool, Heard]] = {}
    for row in session.execute(query):
        fits = row.lang == language
        if row.id not in best or (fits and not best[row.id][0]):
            best[row.id] = (fits, Heard(row.title, row.helped))
    return [heard for _fits, heard in best.values()]


def said_in_menu(session: Session, call: Call) -> list[str]:
    """What the caller said to the menu, as the carrier understood it, in its order."""
    query = select(CallEvent.payload).where(CallEvent.call_id == call.id)
    rows = session.scalars(query.order_by(CallEvent.id).limit(SPOKEN))
    return [str(said) for payload in rows if (said := payload.get("SpeechResult"))]


def candidates(session: Session, call: Call) -> list[Candidate]:
    """Others who have the number of the call; all of them while nobody was chosen."""
    number = call.from_number if call.direction == Direction.INBOUND else call.to_number
    if number is None:
        return []
    query = (
        select(Person.id, Person.name, Client.id, Client.name, ContactPoint.id)
        .join(Person, Person.id == ContactPoint.person_id)
        .join(Client, Client.id == Person.client_id)
        .where(
            ContactPoint.kind == ContactKind.PHONE,
            ContactPoint.key == number,
            ContactPoint.removed_at.is_(None),
            Person.removed_at.is_(None),
            Person.id != (call.person_id or 0),
        )
        .order_by(Person.id)
        .limit(FEW)
    )
    return [Candidate._make(row) for row in session.execute(query)]


def half_written(session: Session, user_id: int, since: datetime) -> int | None:
    """The ticket of the reply that this user was writing last, if it was touched since then."""
    query = select(Draft.ticket_id).where(
        Draft.user_id == user_id,
        Draft.kind == MessageKind.OUTBOUND,
        Draft.updated_at >= since,
        Draft.text != "",
    )
    return session.scalar(query.order_by(Draft.updated_at.desc()).limit(1))


def waiting_count(session: Session, viewer: Viewer) -> tuple[int, datetime | None]:
    """How many callers wait in the viewer's queues, and since when the first of them does."""
    query = select(func.count(), func.min(Call.queued_at)).where(Call.waiting.is_not(None))
    count, first = session.execute(query.where(*_of_queues(viewer, Call.queue_id))).one()
    return count, first


def calls_page(
    session: Session, viewer: Viewer, view: str, *, at: datetime, cursor: str | None = None
) -> Page[CallRow]:
    """One page of the log: `view` of CALL_VIEWS, the newest first. Raises NotFound."""
    query = _calls().where(*_call_view(viewer, view, at))
    after = _read_cursor(cursor, Call.started_at, Call.id)
    if after is not None:
        query = query.where(tuple_(Call.started_at, Call.id) < after)
    query = query.order_by(Call.started_at.desc(), Call.id.desc()).limit(PAGE + 1)
    rows = [CallRow._make(row) for row in session.execute(query)]
    more = rows[PAGE - 1] if len(rows) > PAGE else None
    return Page(rows[:PAGE], more and _cursor(more.started_at, more.id))


def calls_of(session: Session, ids: Sequence[int]) -> list[CallRow]:
    """The lines of these calls in this order; one that is named twice stands twice."""
    rows = session.execute(_calls().where(Call.id.in_(ids))) if ids else ()
    found = {row.id: CallRow._make(row) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def task_for(session: Session, viewer: Viewer, task_id: int, permission: str) -> Task:
    """A planned contact of a queue of the viewer, or their own. Raises NotFound."""
    found = session.get(Task, task_id)
    if found is None:
        raise NotFound()
    own = found.owner_id == viewer.user_id and can(viewer, permission)
    if not own and not can(viewer, permission, found):
        raise NotFound()
    return found


def finished_tasks(session: Session, viewer: Viewer, before: str | None = None) -> Page[Task]:
    """One page of planned contacts that are over, the newest first. Raises NotFound."""
    query = select(Task).where(Task.done_at.is_not(None), *_of_queues(viewer, Task.queue_id))
    if before:
        if not (before.isascii() and before.isdigit() and len(before) < 18):
            raise NotFound()
        query = query.where(Task.id < int(before))
    query = query.options(joinedload(Task.client), joinedload(Task.person))
    rows = list(session.scalars(query.order_by(Task.id.desc()).limit(PAGE + 1)))
    return Page(rows[:PAGE], str(rows[PAGE - 1].id) if len(rows) > PAGE else None)


def most_used_reasons(session: Session, since: datetime) -> Sequence[int]:
    """Ids of contact reasons by how often calls had them since then, the most used first."""
    query = (
        select(Call.reason_id)
        .where(Call.reason_id.is_not(None), Call.started_at >= since)
        .group_by(Call.reason_id)
        .order_by(func.count().desc(), Call.reason_id)
    )
    return [id_ for id_ in session.scalars(query) if id_ is not None]


_NAMED = (
    joinedload(Call.person),
    joinedload(Call.client),
    joinedload(Call.contact_point),
    joinedload(Call.ticket).joinedload(Ticket.queue),
    joinedload(Call.queue),
)


def _phone() -> Select[Offer, Call]:
    ringing = (Offer.user_id == Presence.user_id) & Offer.closed_at.is_(None)
    return (
        select(Offer, Call)
        .select_from(Presence)
        .outerjoin(Offer, ringing)
        .outerjoin(Call, Call.id == func.coalesce(Offer.call_id, Presence.call_id))
        .where(Presence.user_id == bindparam("user_id"))
        .options(*_NAMED)
    )


# Made once: every page of an agent in a call asks it, and building costs more than running.
_PHONE = _phone()


def _calls() -> Select[Any]:
    columns = [getattr(Call, name) for name in CallRow._fields[:-1]]
    return select(*columns, Person.name).outerjoin(Person, Person.id == Call.person_id)


def _of_queues(viewer: Viewer, column: Any) -> list[ColumnElement[bool]]:
    if viewer.queue_ids is None:
        return []
    return [or_(column.is_(None), column.in_(sorted(viewer.queue_ids)))]


def _call_view(viewer: Viewer, view: str, at: datetime) -> list[ColumnElement[bool]]:
    if view not in CALL_VIEWS:
        raise NotFound()
    if view == "mine":
        return [Call.user_id == viewer.user_id]
    conditions = [*_of_queues(viewer, Call.queue_id), Call.started_at >= at - RECENT]
    if view == "missed":
        conditions += [Call.end_reason.in_(MISSED), Call.direction == Direction.INBOUND]
    return conditions


def _cursor(moment: datetime, id_: int) -> str:
    return f"{(moment - EPOCH) // MICROSECOND}-{id_}"


def _read_cursor(cursor: str | None, moment: Any, id_: Any) -> ColumnElement[Any] | None:
    if not cursor:
        return None
    micros, _, last = cursor.partition("-")
    for text in (micros, last):
        if not (text.isascii() and text.isdigit() and len(text) <= 17):
            raise NotFound()
    at = EPOCH + int(micros) * MICROSECOND
    return tuple_(literal(at, moment.type), literal(int(last), id_.type))
