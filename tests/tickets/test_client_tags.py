"""A client who becomes a VIP is promised a faster answer at once, on tickets already open."""

from datetime import timedelta

from helpdesk import ext
from helpdesk.clients.actions import change_client
from helpdesk.clients.models import Client
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.reactions import react
from helpdesk.tickets import policies, sla
from helpdesk.tickets.models import Channel
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast


def test_tags_of_the_client_choose_the_policy_of_open_tickets(cast: Cast) -> None:
    with ext.write() as session:
        policies.create(
            session, name="VIP", targets={"first_response": 1800}, client_tag="vip", at=now()
        )
        ticket = open_ticket(
            session, queue_id=cast.support.id, who=cast.oksana, subject="Lamp",
            channel=Channel.EMAIL, language="uk", at=now(),
        )  # fmt: skip
        assert sla.promise(session, ticket) == now() + timedelta(hours=4)
        client = session.get_one(Client, cast.oksana.client_id)
        change_client(session, client, actor=Actor(user_id=cast.alice.id), at=now(), tags=["vip"])
    react()
    with ext.write() as session:
        assert sla.recount_due(session, now()) > 0
    with ext.session() as session:
        assert sla.promise(session, ticket) == now() + timedelta(minutes=30)
