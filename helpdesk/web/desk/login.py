"""Log-in, log-out and setting a password by a one-time link."""

from flask import Blueprint, g, redirect, render_template, request
from flask import session as browser
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import actions, presence, sessions
from helpdesk.accounts.models import User
from helpdesk.accounts.presence import Availability
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.web import again
from helpdesk.web.guard import COOKIE, actor, me, public, reading, safe_path, said, set_cookie

blueprint = Blueprint("desk_login", __name__)

PASSWORD_LIMIT = 1000  # characters that are looked at


@blueprint.get("/login")
@public
def form() -> str:
    return _page({}, next=safe_path(request.args.get("next")))


@blueprint.post("/login")
@public
def log_in() -> BaseResponse | tuple[str, int]:
    """Check the password; then on to where the reader wanted, or to the form that waited."""
    email = request.form.get("email", "")[:254]
    password = request.form.get("password", "")[:PASSWORD_LIMIT]
    try:
        with ext.write() as session:
            sessions.count_try(session, email, request.remote_addr or "", now())
        user, token = _opened(email, password)
    except HelpdeskError as error:
        return _page({"password": said(error)}, email), error.status
    browser.clear()  # a new token for forms, too
    response = again.after_log_in(request.form) or redirect(safe_path(request.form.get("next")))
    set_cookie(response, token)
    response.set_cookie("language", user.language, max_age=31_536_000, samesite="Lax")
    return response


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
    return render_template("desk/password.html", email=user.email, errors={})


@blueprint.post("/welcome/<token>")
@public
def set_password(token: str) -> BaseResponse | tuple[str, int]:
    password = request.form.get("password", "")[:PASSWORD_LIMIT]
    try:
        if password != request.form.get("repeated", "")[:PASSWORD_LIMIT]:
            raise HelpdeskError(_lazy("The two passwords differ."), field="repeated")
        with ext.write() as session:
            actions.use_link(session, token, password, now())
    except HelpdeskError as error:
        if error.status != 400:
            raise
        email = actions.link_user(reading(), token, now()).email
        wrong = {error.field or "password": said(error)}
        return render_template("desk/password.html", email=email, errors=wrong), 400
    return redirect("/login")


def _opened(email: str, password: str) -> tuple[User, str]:
    """Whose password this is, and the token of their new session. Raises WrongPassword."""
    user = sessions.check_password(reading(), email, password)
    if user is None:
        raise sessions.WrongPassword()
    with ext.write() as session:
        token = sessions.log_in(
            session,
            session.merge(user, load=False),
            password,
            old_token=request.cookies.get(COOKIE),
            agent=request.user_agent.string,
            at=now(),
        )
    return user, token


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
