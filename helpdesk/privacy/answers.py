"""Kept API answers that tell of the erased: only the id stays, a repeat still does nothing."""

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import IdempotentAnswer
from helpdesk.privacy.scope import Scope


def blank_answers(session: Session, scope: Scope) -> None:
    """Leave nothing but the id of answers about the people, tickets and messages in scope."""
    kept = select(IdempotentAnswer).where(IdempotentAnswer.body.is_not(None))
    for answer in session.scalars(kept):
        packed = json.loads(answer.body or "{}")
        body = _read(packed.get("body"))
        if _tells(body, scope):
            answer.body = json.dumps(packed | {"body": json.dumps({"id": body["id"]})})
    session.flush()


def _read(body: object) -> dict[str, Any]:
    try:
        found = json.loads(body) if isinstance(body, str) else None
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "id" in found else {}


def _tells(body: dict[str, Any], scope: Scope) -> bool:
    """By the shapes of a ticket, a client, a message and a Delivery."""
    if not body:
        return False
    if "requester" in body:
        return body["id"] in scope.ticket_ids
    if "people" in body:
        people = {person["id"] for person in body["people"]}
        return body["id"] == scope.client_id or bool(people & set(scope.person_ids))
    if "text" in body:
        return body["id"] in scope.message_ids
    return body.get("ticket_id") in scope.ticket_ids
