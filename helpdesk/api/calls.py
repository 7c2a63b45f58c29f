"""Telephone calls and their recordings."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import Response, current_app, send_file
from pydantic import MISSING
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session, joinedload

from helpdesk import files
from helpdesk.accounts.permissions import Viewer, can
from helpdesk.api.operation import PREFIX, operation
from helpdesk.api.operation import Call as Request
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.refs import queue_of
from helpdesk.api.shapes.base import MAX_ID, Named, Query
from helpdesk.api.shapes.calls import CallList, CallOut, CallQuery
from helpdesk.calls import recordings
from helpdesk.calls.models import Call, CallState, Provider, Recording
from helpdesk.lib import phone
from helpdesk.lib.errors import NotFound

LIVE = timedelta(days=7)  # what isn't ended is no older: so a list of live calls stays cheap


@operation("GET", "/calls", permission="ticket.read", query=CallQuery, answer=CallList, tag="calls")
def list_calls(call: Request[CallQuery, None]) -> CallList:
    """List calls, newest first; `after` the last one you know, oldest first."""
    query, known = call.query, call.query.after
    rows = _select().where(*_open_to(call.viewer), *_filters(call))
    if known is MISSING:
        rows = rows.where(Call.id < id_of(query.cursor, MAX_ID)).order_by(Call.id.desc())
    else:
        rows = rows.where(Call.id > max(known, id_of(query.cursor, 0))).order_by(Call.id)
    page, last = cut(call.session.scalars(rows.limit(query.limit + 1)).all(), query.limit)
    return CallList(
        items=_shapes(call.session, page), next_cursor=id_cursor(last.id if last else None)
    )


@operation("GET", "/calls/<int:call_id>", permission="ticket.read", answer=CallOut, tag="calls")
def read_call(call: Request[Query, None], call_id: int) -> CallOut:
    """Read a call."""
    found = call.session.scalar(_select().where(Call.id == call_id, *_open_to(call.viewer)))
    if found is None:
        raise NotFound()
    return _shapes(call.session, [found])[0]


@operation(
    "GET",
    "/recordings/<int:recording_id>",
    permission="ticket.read",
    answer=None,
    tag="calls",
    writes=True,
)
def read_recording(call: Request[Query, None], recording_id: int) -> Response:
    """Download a voicemail or the recording of a talk; that is kept in the log of events."""
    query = select(Recording).where(Recording.id == recording_id)
    query = query.options(joinedload(Recording.call), joinedload(Recording.file))
    found = call.session.scalar(query)
    if found is None or found.file is None or not _may_hear(call.viewer, found.call):
        raise NotFound()
    path = files.path_of(found.file.sha256)
    if not path.is_file():
        raise NotFound()
    recordings.played(call.session, found, actor=call.actor, at=call.at)
    response = send_file(path, found.content_type, etag=False, conditional=False)
    response.headers |= {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
    return response


def _select() -> Select[Call]:
    return select(Call).options(joinedload(Call.queue), joinedload(Call.user))


def _open_to(viewer: Viewer) -> list[Any]:
    """Calls of the viewer's queues, and those that came to none and stand on no ticket."""
    if viewer.queue_ids is None:
        return []
    nowhere = and_(Call.queue_id.is_(None), Call.ticket_id.is_(None))
    return [or_(Call.queue_id.in_(viewer.queue_ids), nowhere)]


def _may_hear(viewer: Viewer, call: Call) -> bool:
    if call.queue_id is None and call.ticket is not None:
        return can(viewer, "ticket.read", call.ticket)
    return can(viewer, "ticket.read", call)


def _filters(call: Request[CallQuery, None]) -> list[Any]:
    query, found = call.query, list[Any]()
    if query.from_ is not MISSING:
        number = phone.normalize(query.from_, call.country)
        found.append(Call.from_number == (number or query.from_))
    if query.provider_id is not MISSING:
        found += [Call.provider.in_(list(Provider)), Call.provider_id == query.provider_id]
    if query.queue is not MISSING:
        queue = queue_of(call.session, call.viewer, query.queue, unknown=404)
        found.append(Call.queue_id == queue.id)
    if query.client is not MISSING:
        found.append(Call.client_id == query.client)
    if query.ticket is not MISSING:
        found.append(Call.ticket_id == query.ticket)
    if query.state is not MISSING:
        state = CallState(query.state)
        found.append(Call.state == state)
        if state != CallState.ENDED:
            found.append(Call.started_at > call.at - LIVE)
    return found


def _shapes(session: Session, calls: Sequence[Call]) -> list[CallOut]:
    stored = _stored(session, [call.id for call in calls])
    return [_shape(call, stored.get(call.id)) for call in calls]


def _stored(session: Session, call_ids: Sequence[int]) -> dict[int, int]:
    """The newest stored recording of each call; one statement."""
    query = select(Recording.call_id, Recording.id).where(
        Recording.call_id.in_(call_ids), Recording.file_id.is_not(None)
    )
    return dict(session.execute(query.order_by(Recording.id)).all())


def _shape(call: Call, recording_id: int | None) -> CallOut:
    address = f"{current_app.config['PUBLIC_URL']}{PREFIX}/recordings/{recording_id}"
    return CallOut(
        id=call.id,
        provider_id=call.provider_id,
        direction=call.direction.value,
        **{"from": call.from_number},
        to=call.to_number,
        client_id=call.client_id,
        ticket_id=call.ticket_id,
        queue=Named(id=call.queue.id, name=call.queue.name) if call.queue else None,
        state=call.state.value,
        started_at=call.started_at,
        queued_at=call.queued_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        end_reason=call.end_reason.value if call.end_reason else None,
        agent=Named(id=call.user.id, name=call.user.name) if call.user else None,
        recording_url=address if recording_id else None,
    )
