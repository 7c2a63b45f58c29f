"""Log-in, log-out and setting a password by a one-time link."""

from flask import Blueprint, flash, g, redirect, render_template, request
from flask import session as browser
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import actions, presence, sessions
from helpdesk.accounts.models import User
from helpdesk.accounts.presence import Availability
from helpdesk.lib import passwords
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.web import again
from helpdesk.web.desk import factor
from helpdesk.web.desk.entering import enter
from helpdesk.web.guard import COOKIE, actor, me, public, reading, safe_path, said

blueprint = Blueprint("desk_login", __name__)

PASSWORD_LIMIT = 1000  # characters that are looked at


@blueprint.get("/login")
@public
def form() -> str:
    return _page({}, browser.pop("email", ""), next=safe_path(request.args.get("next")))


@blueprint.post("/login")
@public
def log_in() -> BaseResponse | tuple[str, int]:
    """Check the password; then ask for the second factor, or go on to what was wanted."""
    email = request.form.get("email", "")[:254]
    password = request.form.get("password", "")[:PASSWORD_LIMIT]
    try:
        with ext.write() as session:
            sessions.count_try(session, email, request.remote_addr or "", now())
        user = sessions.check_password(reading(), email, password)
        if user is None:
            raise sessions.WrongPassword()
        if factor.is_asked(user):
            return factor.ask(user), 200
        token = _opened(user, password)
    except HelpdeskError as error:
        return _page({"password": said(error)}, email), error.status
    return enter(user, token)


@blueprint.post("/logout")
@public
def log_out() -> BaseResponse:
    """End this browser's session; who goes takes no calls any more."""
    with ext.write() as session:
        if g.presence is not None and g.presence.state != Availability.OFF:
            presence.set_state(session, me().id, Availability.OFF, at=now(), actor=actor())
        sessions.log_out(session, request.cookies.get(COOKIE, ""))
    browser.clear()
    response = redirect("/login")
    response.delete_cookie(COOKIE)
    # Nothing of the client's data stays in the browser of a shared machine.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@blueprint.get("/welcome/<token>")
@public
def password_form(token: str) -> str:
    """Choose a password. Raises NotFound if the link is used up or out of date."""
    user = actions.link_user(reading(), token, now())
    return _password_page(user.email, {})


@blueprint.post("/welcome/<token>")
@public
def set_password(token: str) -> BaseResponse | tuple[str, int]:
    password = request.form.get("password", "")[:PASSWORD_LIMIT]
    try:
        if password != request.form.get("repeated", "")[:PASSWORD_LIMIT]:
            raise HelpdeskError(_lazy("The two passwords differ."), field="repeated")
        with ext.write() as session:
            browser["email"] = actions.use_link(session, token, password, now()).email
    except HelpdeskError as error:
        if error.status != 400:
            raise
        email = actions.link_user(reading(), token, now()).email
        wrong = {error.field or "password": said(error)}
        return _password_page(email, wrong), 400
    flash(_("Saved."))
    return redirect("/login")


def _password_page(email: str, errors: dict[str, str]) -> str:
    return render_template(
        "desk/password.html", email=email, errors=errors, shortest=passwords.MIN_LENGTH
    )


def _opened(user: User, password: str) -> str:
    """The token of this user's new session. Raises WrongPassword."""
    with ext.write() as session:
        return sessions.log_in(
            session,
            session.merge(user, load=False),
            password,
            old_token=request.cookies.get(COOKIE),
            agent=request.user_agent.string,
            at=now(),
        )


def _page(errors: dict[str, str], email: str = "", next: str | None = None) -> str:
    return render_template(
        "desk/login.html",
        errors=errors,
        email=email,
        next=next or safe_path(request.form.get("next")),
        again_path=request.form.get(again.PATH),
        again=again.waiting(request.form),
        lost_files=False,
    )
