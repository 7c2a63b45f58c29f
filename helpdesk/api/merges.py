"""Making two clients one, and two again."""

from helpdesk.api.operation import Call, operation
from helpdesk.api.refs import given
from helpdesk.api.shapes.base import Query
from helpdesk.api.shapes.merges import MergeIn, MergeOut
from helpdesk.clients import merge as merging
from helpdesk.clients.duplicates import look_again
from helpdesk.clients.models import Client, Merge
from helpdesk.lib.errors import Conflict, NotFound, _lazy


@operation(
    "POST",
    "/clients/<int:client_id>/merge",
    permission="client.merge",
    body=MergeIn,
    answer=MergeOut,
    tag="clients",
    status=201,
)
def merge_clients(call: Call[Query, MergeIn], client_id: int) -> MergeOut:
    """Merge another client into this one.

    Everything of the other client moves here; `POST /merges/{id}/undo` takes it back.
    """
    other = call.body.other
    if call.session.get(Client, client_id) is None:
        raise NotFound()
    if call.session.get(Client, other) is None:
        raise Conflict(_lazy("There is no client %(number)s."), field="other", number=other)
    take = given(call.body.take, [])
    done = merging.merge(call.session, client_id, other, take=take, actor=call.actor, at=call.at)
    look_again(call.session, client_id)
    return _shape(done)


@operation(
    "POST",
    "/merges/<int:merge_id>/undo",
    permission="client.merge",
    answer=MergeOut,
    tag="clients",
    refusals=(409,),
)
def undo_merge(call: Call[Query, None], merge_id: int) -> MergeOut:
    """Undo a merge.

    What somebody changed since stays as it is. A later merge of one of the two is undone first.
    """
    done = merging.undo_merge(call.session, merge_id, actor=call.actor, at=call.at)
    for client_id in (done.kept_id, done.gone_id):
        look_again(call.session, client_id)
    return _shape(done)


def _shape(done: Merge) -> MergeOut:
    return MergeOut(
        id=done.id, client=done.kept_id, other=done.gone_id, at=done.at, undone_at=done.undone_at
    )
