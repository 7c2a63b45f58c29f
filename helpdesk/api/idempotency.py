"""Idempotency-Key: a repeated POST gets the first answer, also at the same moment."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Response
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import IdempotentAnswer
from helpdesk.api.problems import Refused
from helpdesk.api.shapes.base import KEY
from helpdesk.ext import add_row, lock
from helpdesk.lib.errors import _lazy

KEPT = timedelta(hours=24)
HEADERS = ("Content-Type", "ETag", "Location")
REPLAYED = "Idempotent-Replayed"


def once(
    session: Session,
    *,
    token_id: int,
    key: str,
    request: tuple[str, str, bytes],
    at: datetime,
    run: Callable[[], Response],
) -> Response:
    """The answer of `run`, or the one it gave to this token's key within 24 hours.

    `request`: method, path and body. The answer is kept in the transaction that holds the
    effect, so there is never one without the other, and parallel repeats wait for the first.
    Answers to refused requests are not kept. Raises Refused for a malformed key (400) or one
    that was used for another request (409).
    """
    if not re.fullmatch(KEY, key):
        raise Refused(
            400,
            _lazy("An Idempotency-Key has 1 to 255 visible ASCII characters."),
            field="Idempotency-Key",
        )
    lock(session, f"idempotency:{token_id}:{key}")
    digest = hashlib.sha256(b"\0".join((request[0].encode(), request[1].encode(), request[2])))
    found = session.scalar(
        select(IdempotentAnswer).where(
            IdempotentAnswer.token_id == token_id, IdempotentAnswer.key == key
        )
    )
    if found is not None and found.created_at + KEPT > at:
        return _again(found, digest.hexdigest())
    if found is not None:
        session.delete(found)
        session.flush()
    response = run()
    add_row(
        session,
        IdempotentAnswer,
        token_id=token_id,
        key=key,
        request_hash=digest.hexdigest(),
        status=response.status_code,
        body=_pack(response),
        created_at=at,
    )
    return response


def sweep(session: Session, at: datetime) -> int:
    """Delete answers older than 24 hours."""
    old = delete(IdempotentAnswer).where(IdempotentAnswer.created_at < at - KEPT)
    return int(getattr(session.execute(old), "rowcount", 0))


def _again(found: IdempotentAnswer, request_hash: str) -> Response:
    if found.request_hash != request_hash:
        raise Refused(
            409,
            _lazy("This Idempotency-Key was used for another request."),
            field="Idempotency-Key",
        )
    kept = json.loads(found.body or "{}")
    response = Response(kept["body"], found.status, kept["headers"])
    response.headers[REPLAYED] = "true"
    return response


def _pack(response: Response) -> str:
    headers = {name: response.headers[name] for name in HEADERS if name in response.headers}
    return json.dumps({"headers": headers, "body": response.get_data(as_text=True)})
