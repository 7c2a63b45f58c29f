"""The second factor: the code after the password, setting it up, codes for a lost phone."""

import io

import segno
from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, settings
from helpdesk.accounts import second_factor, sessions
from helpdesk.accounts.models import User
from helpdesk.accounts.second_factor import REQUIRED, SecondFactor
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.web import again
from helpdesk.web.cached import brand
from helpdesk.web.desk.entering import enter
from helpdesk.web.guard import COOKIE, actor, me, needs, public, reading, safe_path, said

blueprint = Blueprint("desk_factor", __name__)

CODE_LIMIT = 40


def ask(user: User) -> str:
    """The page after the password: it asks for a code, or for setting up what is required."""
    factor = second_factor.confirmed(reading(), user.id)
    return _code_page(user) if factor else _set_up_page(user)


def is_asked(user: User) -> bool:
    """Whether the password is not enough for this user."""
    if second_factor.confirmed(reading(), user.id) is not None:
        return True
    return user.role in REQUIRED[settings.get(reading(), "second_factor")]


@blueprint.post("/login/code")
@public
def log_in() -> BaseResponse | tuple[str, int]:
    """The code that was asked for after the right password."""
    user = _pending()
    try:
        _count_try(user)
        with ext.write() as session:
            mine = session.get_one(User, user.id)
            second_factor.check(session, mine, _code(), secret=_secret(), at=now())
            token = _open(session, mine)
    except HelpdeskError as error:
        return _code_page(user, {"code": said(error)}), error.status
    return enter(user, token)


@blueprint.post("/login/factor")
@public
def set_up_and_log_in() -> BaseResponse | tuple[str, int] | str:
    """The first code of an app that had to be set up before the log-in."""
    user = _pending()
    try:
        _count_try(user)
        with ext.write() as session:
            mine = session.get_one(User, user.id)
            codes = _confirm(session, mine)
            token = _open(session, mine)
    except HelpdeskError as error:
        return _set_up_page(user, {"code": said(error)}), error.status
    next_page = safe_path(request.form.get("next"))
    page = current_app.make_response(_codes_page(codes, next_page))
    return enter(user, token, page)


@blueprint.post("/desk/me/factor/begin")
@needs("desk.use")
def begin() -> BaseResponse:
    with ext.write() as session:
        second_factor.begin(session, session.get_one(User, me().id), at=now())
    return redirect("/desk/me/factor")


@blueprint.get("/desk/me/factor")
@needs("desk.use")
def form() -> str | BaseResponse:
    """The QR code of what was begun."""
    factor = reading().get(SecondFactor, me().id)
    if factor is None or factor.confirmed_at is not None:
        return redirect("/desk/me")
    return _own_page(factor)


@blueprint.post("/desk/me/factor")
@needs("desk.use")
def confirm() -> str | tuple[str, int]:
    try:
        _count_try(me())
        with ext.write() as session:
            codes = _confirm(session, session.get_one(User, me().id))
    except HelpdeskError as error:
        factor = reading().get(SecondFactor, me().id)
        if factor is None or factor.confirmed_at is not None:
            raise
        status = 400 if error.status == 401 else error.status  # the session is a good one
        return _own_page(factor, {"code": said(error)}), status
    return _codes_page(codes, "/desk/me")


@blueprint.post("/desk/me/factor/remove")
@needs("desk.use")
def remove() -> BaseResponse:
    """Only with a code: whoever finds an open browser can't."""
    try:
        if me().role in REQUIRED[settings.get(reading(), "second_factor")]:
            raise HelpdeskError(_lazy("Your role needs a second factor here."))
        _count_try(me())
        with ext.write() as session:
            user = session.get_one(User, me().id)
            second_factor.check(session, user, _code(), secret=_secret(), at=now())
            second_factor.remove(session, user, at=now(), actor=actor())
    except HelpdeskError as error:
        flash(said(error), "error")
        return redirect("/desk/me#factor")
    flash(_("The second factor is off."))
    return redirect("/desk/me")


@blueprint.post("/admin/staff/<int:user_id>/factor/remove")
@needs("user.change")
def reset(user_id: int) -> BaseResponse:
    """For somebody who lost phone and codes: they log in by password and set up a new one."""
    with ext.write() as session:
        user = session.get(User, user_id)
        if user is None:
            raise NotFound()
        second_factor.remove(session, user, at=now(), actor=actor())
        sessions.log_out_everywhere(session, user_id)
    flash(_("The second factor of %(name)s is off, and they are logged out.", name=user.name))
    return redirect(f"/admin/staff/{user_id}")


def _pending() -> User:
    token = request.form.get("pending", "")
    user = second_factor.pending_user(reading(), token, _secret(), now())
    if user is None:
        raise HelpdeskError(_lazy("The log-in took too long. Begin anew with your password."))
    return user


def _count_try(user: User) -> None:
    with ext.write() as session:
        second_factor.count_try(session, user.id, now())


def _confirm(session: Session, user: User) -> list[str]:
    by = Actor(user_id=user.id)
    return second_factor.confirm(session, user, _code(), secret=_secret(), at=now(), actor=by)


def _open(session: Session, user: User) -> str:
    old, agent = request.cookies.get(COOKIE), request.user_agent.string
    return sessions.log_in(session, user, None, old_token=old, agent=agent, at=now())


def _code() -> str:
    return request.form.get("code", "")[:CODE_LIMIT]


def _secret() -> bytes:
    secret: str = current_app.config["SECRET_KEY"]
    return secret.encode()


def _code_page(user: User, errors: dict[str, str] | None = None) -> str:
    return render_template("desk/code.html", errors=errors or {}, **_waiting(user))


def _set_up_page(user: User, errors: dict[str, str] | None = None) -> str:
    with ext.write() as session:
        factor = second_factor.begin(session, session.get_one(User, user.id), at=now())
        key, picture = _shown(factor, user)
    waiting = _waiting(user)
    return render_template(
        "desk/factor_first.html", errors=errors or {}, key=key, picture=picture, **waiting
    )


def _own_page(factor: SecondFactor, errors: dict[str, str] | None = None) -> str:
    key, picture = _shown(factor, me())
    return render_template(
        "desk/factor.html", section="me", errors=errors or {}, key=key, picture=picture
    )


def _codes_page(codes: list[str], next_page: str) -> str:
    return render_template("desk/factor_codes.html", codes=codes, next=next_page)


def _waiting(user: User) -> dict[str, object]:
    return {
        "pending": second_factor.pending(user, _secret(), now()),
        "next": safe_path(request.form.get("next")),
        "again_path": request.form.get(again.PATH),
        "again": again.waiting(request.form),
    }


def _shown(factor: SecondFactor, user: User) -> tuple[str, Markup]:
    """The key in groups of four, and its QR code as SVG without any style of its own."""
    key = second_factor.key_of(factor, _secret())
    uri = second_factor.uri_of(factor, _secret(), name=user.email, issuer=brand())
    drawn = io.BytesIO()
    segno.make(uri, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=2, svgclass="qr"
    )
    groups = " ".join(key[place : place + 4] for place in range(0, len(key), 4))
    return groups, Markup(drawn.getvalue().decode())
