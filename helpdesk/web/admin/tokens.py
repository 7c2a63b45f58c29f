"""API tokens of the reader: made, shown once, revoked."""

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import actions
from helpdesk.accounts.models import ApiToken, User
from helpdesk.accounts.permissions import GRANTS
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.web.admin.forms import page_status, wrong
from helpdesk.web.guard import actor, me, needs, reading

blueprint = Blueprint("admin_tokens", __name__)

MOST = 50
NAME_LIMIT = 80


@blueprint.get("/admin/tokens")
@needs("token.own")
def listing() -> str:
    return _page()


@blueprint.post("/admin/tokens")
@needs("token.own")
def create() -> str | tuple[str, int]:
    """Make a token; the page that follows is the only one that shows it."""
    name = clean_line(request.form.get("name", ""), NAME_LIMIT)
    scopes = request.form.getlist("scope")
    try:
        if not name:
            raise HelpdeskError(_lazy("Name the program that uses it."), field="name")
        if len(_live()) >= MOST:
            message = _lazy("At most %(most)s tokens. Revoke one that is not used.")
            raise HelpdeskError(message, field="name", most=MOST)
        if set(scopes) - GRANTS[me().role]:
            raise HelpdeskError(_lazy("Choose one from the list."), field="scope")
        with ext.write() as session:
            user = session.get_one(User, me().id)
            token = actions.create_token(session, user, name, scopes, now())
    except HelpdeskError as error:
        return _page(name=name, scopes=scopes, errors=wrong(error)), page_status(error)
    return _page(made=token, made_name=name)


@blueprint.post("/admin/tokens/<int:token_id>/revoke")
@needs("token.own")
def revoke(token_id: int) -> BaseResponse:
    """End a token of one's own at once."""
    with ext.write() as session:
        token = session.get(ApiToken, token_id)
        if token is None or token.user_id != me().id:
            raise NotFound()
        if token.revoked_at is None:
            actions.revoke_token(session, token, now(), actor=actor())
        name = token.name
    flash(_("%(name)s can do nothing any more.", name=name))
    return redirect("/admin/tokens")


def _live() -> list[ApiToken]:
    query = select(ApiToken).where(ApiToken.user_id == me().id, ApiToken.revoked_at.is_(None))
    return list(reading().scalars(query.order_by(ApiToken.id.desc())))


def _page(
    *,
    name: str = "",
    scopes: list[str] | None = None,
    errors: dict[str, str] | None = None,
    made: str | None = None,
    made_name: str = "",
) -> str:
    return render_template(
        "admin/tokens.html",
        tokens=_live(),
        known=sorted(GRANTS[me().role]),
        name=name,
        scopes=scopes or [],
        made=made,
        made_name=made_name,
        errors=errors or {},
    )
