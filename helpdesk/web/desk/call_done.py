"""What the forms of the telephone answer: a signal for the module, a page for others."""

from flask import jsonify, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.web.desk.changes import is_script
from helpdesk.web.guard import safe_path


def done(go: str | None = None) -> BaseResponse:
    """It is done; `go`: where to continue, else the page that the form was on."""
    if is_script():
        return jsonify(done=True, go=go)
    return redirect(go or safe_path(request.form.get("back")))
