"""The part of a timeline that telephone calls tell: one line for each call."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
)

from helpdesk.accounts.models import User
from helpdesk.calls.models import Call, Direction, EndReason, Recording, RecordingKind
from helpdesk.lib.text import shorten
from helpdesk.reports.client.timeline_columns import CLIENT, MOST, columns_of
from helpdesk.reports.client.timeline_item import Mark, TimelineItem, older

CALL = 7  # its rank in the order
NOTES = 120
_SOUND = (
    select(func.max(Recording.id))
    .where(Recording.call_id == Call.id, Recording.file_id.is_not(None))
    .correlate(Call)
    .scalar_subquery()
)


def calls(rank: int) -> Select[Any]:
    """`thing`: the ticket, `amount`: the stored recording, `currency`: the direction, `day`: not
    used, `since`: when they began to talk or wait."""
    columns = columns_of(
        rank,
        Call.id,
        moment=Call.started_at,
        text=Call.notes,
        more=cast(Call.end_reason, Text),
        amount=_SOUND,
        currency=cast(Call.direction, Text),
        by=User.name,
        thing=Call.ticket_id,
        since=func.coalesce(Call.answered_at, Call.queued_at, Call.started_at),
        until=Call.ended_at,
        talked=cast(Call.answered_at.is_not(None), Integer),
    )
    return (
        columns.outerjoin(User, User.id == Call.user_id)
        .where(Call.client_id == CLIENT, older(Call.started_at, Call.id, rank))
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(MOST)
    )


def calls_in(rank: int) -> Select[Any]:
    """Those alone that the client made."""
    return calls(rank).where(Call.direction == Direction.INBOUND)


def of_queues() -> ColumnElement[bool]:
    """What a reader with queues of their own may see; `queue_ids` is to be given."""
    nowhere = and_(Call.queue_id.is_(None), Call.ticket_id.is_(None))
    return or_(Call.queue_id.in_(bindparam("queue_ids", expanding=True)), nowhere)


def call_item(row: Any) -> TimelineItem:
    """`thing_id` is the stored recording."""
    reason = EndReason(row.more) if row.more else None
    direction = Direction(row.currency)
    return TimelineItem(
        at=row.moment,
        kind="call",
        channel="phone",
        direction=direction.value,
        title=call_title(direction, reason, bool(row.talked), row.since, row.until),
        by=row.by,
        ticket_id=row.thing,
        call_id=row.id,
        mark=Mark(row.moment, CALL, row.id),
        more=shorten(row.text, NOTES),
        thing_id=row.amount,
    )


def call_title(
    direction: Direction,
    reason: EndReason | None,
    talked: bool,
    since: datetime,
    until: datetime | None,
) -> str:
    """What came of a call, in the reader's language. `since`: they talked, or else waited."""
    if talked:
        time = _length(since, until)
        if direction == Direction.OUTBOUND:
            return str(_("We called, talked for %(time)s", time=time))
        return str(_("Call, talked for %(time)s", time=time))
    if direction == Direction.OUTBOUND:
        return _in_vain(reason)
    if reason in (EndReason.ABANDONED_QUEUE, EndReason.ABANDONED_RING):
        waited = _length(since, until)
        return str(_("Missed call, hung up after waiting for %(time)s", time=waited))
    titles: Mapping[EndReason | None, str] = {
        EndReason.CONTAINED: _("Call, the menu answered"),
        EndReason.ABANDONED_MENU: _("Missed call, hung up in the menu"),
        EndReason.CALLBACK: _("Call, a callback was promised"),
        EndReason.VOICEMAIL: _("Voicemail"),
        EndReason.NO_MESSAGE: _("Missed call, no message was left"),
        EndReason.REFUSED: _("Call from a blocked number, refused"),
        EndReason.FAILED: _("Call that failed"),
        None: _("Call, under way"),
    }
    return str(titles.get(reason) or _("Missed call"))


def _in_vain(reason: EndReason | None) -> str:
    titles: Mapping[EndReason | None, str] = {
        EndReason.NO_ANSWER: _("We called, nobody answered"),
        EndReason.BUSY: _("We called, the line was busy"),
        None: _("We call"),
    }
    return str(titles.get(reason) or _("We called, it failed"))


def _length(since: datetime, until: datetime | None) -> str:
    """Whole minutes, or seconds below one; what still goes on has no length yet."""
    if until is None:
        return "…"
    seconds = max(0, round((until - since).total_seconds()))
    if seconds < 60:
        return str(ngettext("%(num)s second", "%(num)s seconds", seconds))
    minutes = round(seconds / 60)
    return str(ngettext("%(num)s minute", "%(num)s minutes", minutes))


def sound_word(kind: RecordingKind) -> str:
    """What a player plays."""
    return str(_("Voicemail") if kind == RecordingKind.VOICEMAIL else _("Recording of the talk"))
