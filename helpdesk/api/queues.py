"""Queues with the address they answer from."""

from sqlalchemy import select

from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.shapes.base import Paged, Query
from helpdesk.api.shapes.setup import QueueIn, QueueList, QueueOut
from helpdesk.tickets.models import Mailbox, Queue
from helpdesk.tickets.queries import address_of_queue
from helpdesk.tickets.queues import create_queue


@operation("GET", "/queues", permission="queue.read", query=Paged, answer=QueueList, tag="set-up")
def list_queues(call: Call[Paged, None]) -> QueueList:
    """List queues."""
    rows = select(Queue).where(Queue.id > id_of(call.query.cursor, 0))
    if call.viewer.queue_ids is not None:
        rows = rows.where(Queue.id.in_(call.viewer.queue_ids))
    rows = rows.order_by(Queue.id).limit(call.query.limit + 1)
    page, last = cut(call.session.scalars(rows).all(), call.query.limit)
    ids = [queue.id for queue in page]
    boxes = call.session.execute(
        select(Mailbox.queue_id, Mailbox.address)
        .where(Mailbox.queue_id.in_(ids))
        .order_by(Mailbox.is_primary, Mailbox.id.desc())
    )
    addresses = dict(boxes.all())  # the primary one, else the oldest, comes last
    return QueueList(
        items=[_shape(queue, addresses.get(queue.id)) for queue in page],
        next_cursor=id_cursor(last.id if last else None),
    )


@operation(
    "POST",
    "/queues",
    permission="queue.change",
    body=QueueIn,
    answer=QueueOut,
    tag="set-up",
    status=201,
)
def add_queue(call: Call[Query, QueueIn]) -> QueueOut:
    """Add a queue and the address that leads into it."""
    queue = create_queue(
        call.session,
        name=call.body.name,
        address=call.body.address,
        numbers=call.body.numbers,
        receipt_articles=call.body.receipt_articles,
        in_form=call.body.in_form,
        country=call.country,
        at=call.at,
        actor=call.actor,
    )
    return _shape(queue, address_of_queue(call.session, queue.id))


def _shape(queue: Queue, address: str | None) -> QueueOut:
    return QueueOut(
        id=queue.id,
        name=queue.name,
        address=address,
        numbers=queue.numbers,
        receipt_articles=queue.receipt_articles,
        in_form=queue.in_form,
    )
