"""Who else has the ticket open: each open page tells of itself and learns of the others."""

from flask import Blueprint, render_template
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.tickets import viewers
from helpdesk.tickets.queries import ticket_for, ticket_id_of
from helpdesk.web.guard import me, needs, reading, viewer

blueprint = Blueprint("desk_here", __name__)


@blueprint.post("/desk/t/<number>/here")
@needs("ticket.read")
def here(number: str) -> str:
    """I have it open; the answer names the others."""
    ticket_id, at = ticket_id_of(number), now()
    ticket_for(reading(), viewer(), ticket_id, "ticket.read")
    if not viewers.is_known(reading(), ticket_id, me().id, at):
        with ext.write() as session:
            viewers.seen(session, ticket_id, me().id, at)
    others = viewers.others(reading(), ticket_id, me().id, at)
    return render_template("desk/_here.html", others=others)


@blueprint.post("/desk/t/<number>/left")
@needs("ticket.read")
def left(number: str) -> BaseResponse:
    """I have gone to something else."""
    ticket_id = ticket_id_of(number)
    ticket_for(reading(), viewer(), ticket_id, "ticket.read")
    with ext.write() as session:
        viewers.left(session, ticket_id, me().id)
    return BaseResponse(status=204)
