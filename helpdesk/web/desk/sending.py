"""Sending an answer again that did not reach the client."""

from flask import Blueprint, flash, redirect
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.outbox.actions import resend as send_again
from helpdesk.outbox.queries import outgoing_for
from helpdesk.tickets.queries import ticket_for, ticket_id_of
from helpdesk.web.desk.changes import back_to, changed, is_script
from helpdesk.web.guard import actor, needs, said, viewer

blueprint = Blueprint("desk_sending", __name__)


@blueprint.post("/desk/t/<number>/resend/<int:outgoing_id>")
@needs("ticket.answer")
def resend(number: str, outgoing_id: int) -> BaseResponse:
    """Try a failed answer once more, to the address known now."""
    ticket_id = ticket_id_of(number)
    try:
        with ext.write() as session:
            ticket = ticket_for(session, viewer(), ticket_id, "ticket.answer")
            client_id = ticket.client_id
            outgoing = outgoing_for(session, outgoing_id)
            if outgoing.ticket_id != ticket_id:
                raise NotFound()
            send_again(session, outgoing, actor=actor(), at=now())
    except HelpdeskError as error:
        if is_script() or error.status == 404:
            raise
        flash(said(error), "error")
        return redirect(back_to(number))
    if not is_script():
        flash(_("It is being sent again."))
    return changed(number, ticket_id, client_id)
