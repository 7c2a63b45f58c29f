"""Contact reasons: the tree of why clients turn to us."""

from sqlalchemy import select

from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.refs import given, queue_of, reason_of
from helpdesk.api.shapes.base import Paged, Query
from helpdesk.api.shapes.products import ReasonIn, ReasonList, ReasonOut
from helpdesk.tickets import reasons
from helpdesk.tickets.models import ContactReason, Queue, TicketKind


@operation(
    "GET",
    "/reasons",
    permission="reason.read",
    query=Paged,
    answer=ReasonList,
    tag="set-up",
)
def list_reasons(call: Call[Paged, None]) -> ReasonList:
    """List contact reasons; `parent_id` makes the tree."""
    rows = (
        select(ContactReason, Queue.name)
        .outerjoin(Queue, Queue.id == ContactReason.queue_id)
        .where(ContactReason.id > id_of(call.query.cursor, 0))
        .order_by(ContactReason.id)
        .limit(call.query.limit + 1)
    )
    page, last = cut(call.session.execute(rows).all(), call.query.limit)
    return ReasonList(
        items=[_shape(reason, queue) for reason, queue in page],
        next_cursor=id_cursor(last[0].id if last else None),
    )


@operation(
    "POST",
    "/reasons",
    permission="reason.change",
    body=ReasonIn,
    answer=ReasonOut,
    tag="set-up",
    status=201,
)
def add_reason(call: Call[Query, ReasonIn]) -> ReasonOut:
    """Add a contact reason as the last under its parent."""
    body, session = call.body, call.session
    above, named_queue, kind = given(body.parent), given(body.queue), given(body.kind)
    queue = None if named_queue is None else queue_of(session, call.viewer, named_queue)
    reason = reasons.create_reason(
        session,
        names=body.names.model_dump(),
        key=given(body.key, ""),
        parent_id=None if above is None else reason_of(session, above).id,
        queue_id=queue.id if queue else None,
        kind=None if kind is None else TicketKind(kind),
        in_form=body.in_form,
        actor=call.actor,
    )
    return _shape(reason, queue.name if queue else None)


def _shape(reason: ContactReason, queue: str | None) -> ReasonOut:
    return ReasonOut(
        id=reason.id,
        key=reason.key,
        parent_id=reason.parent_id,
        names=reason.names,
        kind=reason.kind.value if reason.kind else None,
        queue=queue,
        in_form=reason.in_form,
        active=reason.active,
    )
