"""SLA policies: what is promised to whom."""

from sqlalchemy import select

from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.refs import calendar_of, given, queue_of
from helpdesk.api.shapes.base import Paged, Query
from helpdesk.api.shapes.setup import PolicyIn, PolicyList, PolicyOut
from helpdesk.tickets import policies
from helpdesk.tickets.models import Calendar, Policy, Queue


@operation(
    "GET",
    "/policies",
    permission="policy.read",
    query=Paged,
    answer=PolicyList,
    tag="set-up",
)
def list_policies(call: Call[Paged, None]) -> PolicyList:
    """List the policies in force."""
    rows = (
        select(Policy, Queue.name, Calendar.name)
        .outerjoin(Queue, Queue.id == Policy.queue_id)
        .outerjoin(Calendar, Calendar.id == Policy.calendar_id)
        .where(Policy.id > id_of(call.query.cursor, 0), Policy.active.is_(True))
        .order_by(Policy.id)
        .limit(call.query.limit + 1)
    )
    if call.viewer.queue_ids is not None:
        mine = Policy.queue_id.in_(call.viewer.queue_ids)
        rows = rows.where(Policy.queue_id.is_(None) | mine)
    page, last = cut(call.session.execute(rows).all(), call.query.limit)
    return PolicyList(
        items=[_shape(policy, queue, calendar) for policy, queue, calendar in page],
        next_cursor=id_cursor(last[0].id if last else None),
    )


@operation(
    "POST",
    "/policies",
    permission="policy.change",
    body=PolicyIn,
    answer=PolicyOut,
    tag="set-up",
    status=201,
)
def add_policy(call: Call[Query, PolicyIn]) -> PolicyOut:
    """Add a policy; of those that fit a ticket the most particular one wins."""
    body, session = call.body, call.session
    named_queue, named_calendar = given(body.queue), given(body.calendar)
    queue = None if named_queue is None else queue_of(session, call.viewer, named_queue)
    calendar = None if named_calendar is None else calendar_of(session, named_calendar)
    policy = policies.create(
        session,
        name=body.name,
        targets=body.targets.model_dump(),
        queue_id=queue.id if queue else None,
        priority=given(body.priority),
        calendar_id=calendar.id if calendar else None,
        at=call.at,
        actor=call.actor,
    )
    return _shape(policy, queue.name if queue else None, calendar.name if calendar else None)


def _shape(policy: Policy, queue: str | None, calendar: str | None) -> PolicyOut:
    return PolicyOut(
        id=policy.id,
        name=policy.name,
        queue=queue,
        priority=policy.priority.value if policy.priority else None,
        calendar=calendar,
        targets=policy.targets,
    )
