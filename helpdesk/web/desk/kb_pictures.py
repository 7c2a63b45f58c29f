"""/kb/pictures: images of articles, for readers of public ones and for the staff."""

from flask import Blueprint, Response, g, request
from werkzeug.datastructures import FileStorage

from helpdesk import files
from helpdesk.accounts.permissions import can
from helpdesk.kb.queries import picture_for
from helpdesk.lib.errors import NotFound
from helpdesk.web.desk.files import SANDBOX
from helpdesk.web.guard import public, reading

blueprint = Blueprint("kb_pictures", __name__)


@blueprint.get("/kb/pictures/<int:picture_id>")
@public
def picture(picture_id: int) -> Response:
    """A picture that a public article shows; staff see all."""
    staff = g.user is not None and can(g.viewer, "kb.read")
    found = picture_for(reading(), picture_id, staff=staff) if picture_id < 2**63 else None
    if found is None:
        raise NotFound()
    tag = found.file.sha256[:32]
    if request.if_none_match.contains(tag):
        return Response(status=304)
    try:
        response = Response(files.read(found.file.sha256), mimetype=found.content_type)
    except FileNotFoundError:
        raise NotFound() from None
    response.headers["Content-Disposition"] = "inline"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cache-Control"] = "private, max-age=3600" if staff else "public, max-age=3600"
    response.set_etag(tag)
    return response


def sent_picture(field: str = "picture") -> FileStorage | None:
    """The picture that came with a form, if one did."""
    sent = request.files.get(field)
    return sent if sent is not None and sent.filename else None
