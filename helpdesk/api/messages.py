"""Messages of a ticket and their files."""

from flask import Response, current_app, send_file

from helpdesk import files
from helpdesk.api.operation import PREFIX, Call, Reply, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.shapes.base import Paged, Query
from helpdesk.api.shapes.tickets import (
    AttachmentOut,
    Author,
    MessageIn,
    MessageList,
    MessageOut,
)
from helpdesk.clients.models import ContactKind
from helpdesk.events import record
from helpdesk.lib.errors import NotFound
from helpdesk.tickets import actions
from helpdesk.tickets.models import Attachment, Message
from helpdesk.tickets.queries import messages_of, ticket_for


@operation(
    "GET",
    "/tickets/<int:ticket_id>/messages",
    permission="ticket.read",
    query=Paged,
    answer=MessageList,
    tag="messages",
)
def list_messages(call: Call[Paged, None], ticket_id: int) -> MessageList:
    """List the messages of a ticket, oldest first."""
    ticket_for(call.session, call.viewer, ticket_id, "ticket.read")
    after, limit = id_of(call.query.cursor, 0), call.query.limit
    page, last = cut(messages_of(call.session, ticket_id, after=after, limit=limit + 1), limit)
    return MessageList(
        items=[_shape(message) for message in page],
        next_cursor=id_cursor(last.id if last else None),
    )


@operation(
    "POST",
    "/tickets/<int:ticket_id>/messages",
    permission="ticket.answer",
    body=MessageIn,
    answer=MessageOut,
    tag="messages",
    status=201,
)
def create_message(call: Call[Query, MessageIn], ticket_id: int) -> Reply:
    """Answer the client (outbound, sent at once) or write a note for colleagues."""
    session, body = call.session, call.body
    ticket = ticket_for(session, call.viewer, ticket_id, "ticket.answer", change=True)
    write = actions.reply if body.kind == "outbound" else actions.note
    message = write(session, ticket, body.text, user_id=call.viewer.user_id, at=call.at)
    session.refresh(message)
    return Reply(_shape(message))


@operation(
    "GET",
    "/attachments/<int:attachment_id>",
    permission="ticket.read",
    answer=None,
    tag="messages",
    writes=True,
)
def read_attachment(call: Call[Query, None], attachment_id: int) -> Response:
    """Download a file of a message; never to be shown inline, whatever its type."""
    session = call.session
    attachment = session.get(Attachment, attachment_id)
    if attachment is None or attachment.message_id is None or attachment.ticket_id is None:
        raise NotFound()
    ticket = ticket_for(session, call.viewer, attachment.ticket_id, "ticket.read")
    path = files.path_of(attachment.file.sha256)
    if not path.is_file():
        raise NotFound()
    record(
        session,
        "attachment.read",
        actor=call.actor,
        at=call.at,
        ticket_id=ticket.id,
        client_id=ticket.client_id,
        attachment_id=attachment.id,
    )
    response = send_file(
        path,
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=attachment.filename,
        etag=False,
        conditional=False,
    )
    response.headers |= {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
    return response


def _shape(message: Message) -> MessageOut:
    return MessageOut(
        id=message.id,
        kind=message.kind.value,
        channel=message.channel.value,
        author=_author(message),
        subject=message.subject,
        text=message.text,
        visible_text=message.text if message.visible_text is None else message.visible_text,
        html=message.html,
        message_id=message.message_id,
        in_reply_to=message.in_reply_to,
        is_auto_reply=message.is_auto_reply,
        is_bounce=message.is_bounce,
        parse_errors=message.parse_errors,
        attachments=[_file(attachment) for attachment in message.attachments],
        created_at=message.created_at,
    )


def _author(message: Message) -> Author:
    if message.user is not None:
        return Author(name=message.user.name, email=message.user.email, phone=None)
    point = message.contact_point
    kind = point.kind if point is not None else None
    return Author(
        name=message.person.name if message.person else None,
        email=point.value if point is not None and kind == ContactKind.EMAIL else None,
        phone=point.key if point is not None and kind == ContactKind.PHONE else None,
    )


def _file(attachment: Attachment) -> AttachmentOut:
    return AttachmentOut(
        id=attachment.id,
        filename=attachment.filename,
        content_type=attachment.content_type,
        size=attachment.size,
        inline=attachment.inline,
        url=f"{current_app.config['PUBLIC_URL']}{PREFIX}/attachments/{attachment.id}",
    )
