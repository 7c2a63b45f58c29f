"""What a browser gets once its user is known: the cookie, their language, the page they wanted."""

from flask import Response, redirect, request
from flask import session as browser
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.accounts.models import User
from helpdesk.web import again
from helpdesk.web.guard import safe_path, set_cookie


def enter(user: User, token: str, page: Response | None = None) -> BaseResponse:
    """On to `page`, else to the form that waited, else to where the reader wanted."""
    browser.clear()  # a new token for forms, too
    response: BaseResponse | None = page or again.after_log_in(request.form)
    response = response or redirect(safe_path(request.form.get("next")))
    set_cookie(response, token)
    response.set_cookie("language", user.language, max_age=31_536_000, samesite="Lax")
    return response
