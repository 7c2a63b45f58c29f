"""Who asks and whether they may: the log-in cookie, permissions of pages, foreign origins."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar
from urllib.parse import urlsplit

from flask import current_app, g, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import sessions
from helpdesk.accounts.models import LoginSession, User
from helpdesk.accounts.permissions import Viewer, can
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy

COOKIE = "helpdesk_login"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
PUBLIC = "public"

F = TypeVar("F", bound=Callable[..., object])


class SignedOut(HelpdeskError):
    """The page is for staff and nobody is logged in."""

    status = 401

    def __init__(self) -> None:
        super().__init__(_lazy("Your session has ended. Log in again; your text is kept."))


class Foreign(HelpdeskError):
    """A form was sent from another site."""

    status = 403

    def __init__(self) -> None:
        super().__init__(_lazy("This came from another site and was not done."))


def needs(permission: str) -> Callable[[F], F]:
    """The page is for those who hold this permission; write it under the route."""

    def mark(view: F) -> F:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def public(view: F) -> F:
    """The page is for everybody; write it under the route."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view


def permission_of(endpoint: str) -> str | None:
    """The permission a page asks for, "public", or None for one that says nothing."""
    return getattr(current_app.view_functions.get(endpoint), "permission", None)


def reading() -> Session:
    """The session in which this request reads; closed at its end."""
    if "reading" not in g:
        g.reading_context = ext.session()
        g.reading = g.reading_context.__enter__()
    session: Session = g.reading
    return session


def stop_reading() -> None:
    context: AbstractContextManager[Session] | None = g.pop("reading_context", None)
    g.pop("reading", None)
    if context is not None:
        context.__exit__(None, None, None)


def viewer() -> Viewer:
    """The member of staff who asks. Raises SignedOut."""
    if g.user is None:
        raise SignedOut()
    found: Viewer = g.viewer
    return found


def me() -> User:
    """The user who asks. Raises SignedOut."""
    if g.user is None:
        raise SignedOut()
    user: User = g.user
    return user


def actor() -> Actor:
    return Actor(user_id=me().id)


def may(permission: str) -> bool:
    """For templates: whether to offer this at all."""
    return g.user is not None and can(viewer(), permission)


def recognise() -> None:
    """Find the user behind the cookie; a browser seen is remembered every few minutes."""
    token = request.cookies.get(COOKIE, "")
    found = sessions.find_viewer(reading(), token, now()) if 0 < len(token) < 200 else None
    if found is None:
        return
    row, g.user, g.viewer, g.presence = found
    g.login_session_id = row.id
    if now() - row.last_seen_at > sessions.SEEN_EVERY:
        _touch(row)


def _touch(row: LoginSession) -> None:
    with ext.write() as session:
        sessions.touch(session, row.id, now())


def check() -> None:
    """Refuse what this page's permission does not allow.

    Raises SignedOut, NotFound (what one may not see is not there) or Foreign.
    """
    if request.method not in SAFE_METHODS and not _from_here():
        raise Foreign()
    permission = permission_of(request.endpoint or "")
    if permission == PUBLIC:
        return
    if permission is None:
        raise NotFound()
    if not can(viewer(), permission):
        raise NotFound()


def _from_here() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin in (current_app.config["PUBLIC_URL"], request.host_url[:-1])


def set_cookie(response: BaseResponse, token: str) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(sessions.LIFETIME.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )


def safe_path(target: str | None, default: str = "/desk") -> str:
    """A path of this site to go on to; anything else becomes the default."""
    if not target or not target.startswith("/") or len(target) > 2000:
        return default
    if target.startswith("//") or any(ord(c) < 33 or c == "\\" for c in target):
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc else target


def said(error: HelpdeskError) -> str:
    """The error in the reader's language."""
    return str(_(error.message, **error.params))
