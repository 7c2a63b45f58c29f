"""Who asks: the bearer token of a request, its user, rights and language."""

from datetime import datetime, timedelta

import flask_babel
from flask import g, request
from sqlalchemy import or_, update

from helpdesk import ext
from helpdesk.accounts.actions import find_token
from helpdesk.accounts.models import ApiToken
from helpdesk.accounts.permissions import viewer_of
from helpdesk.api.problems import Refused
from helpdesk.lib.clock import now
from helpdesk.lib.errors import _lazy

USED_EVERY = timedelta(minutes=1)
MAX_TOKEN = 200


def authenticate() -> None:
    """Set `g.user` and `g.viewer` by the token. Raises Refused (401); cookies count nothing."""
    g.user = g.viewer = None
    token = _bearer()
    with ext.session() as session:
        found = find_token(session, token) if token else None
        if found is None:
            raise Refused(
                401,
                _lazy("Send a valid token: Authorization: Bearer TOKEN."),
                headers={"WWW-Authenticate": 'Bearer realm="api"'},
            )
        row, user = found
        scopes = frozenset(row.scopes)
        g.viewer = viewer_of(session, user, scopes=scopes, token_id=row.id)
    g.user, g.language, g.timezone = user, user.language, user.timezone
    flask_babel.refresh()
    at = now()
    if row.last_used_at is None or at - row.last_used_at >= USED_EVERY:
        _remember(row.id, at)


def _bearer() -> str | None:
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token or len(sent.token) > MAX_TOKEN:
        return None
    return sent.token


def _remember(token_id: int, at: datetime) -> None:
    """Note the use; of parallel requests the first one writes."""
    stale = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= at - USED_EVERY)
    with ext.write() as session:
        session.execute(
            update(ApiToken).where(ApiToken.id == token_id, stale).values(last_used_at=at)
        )
