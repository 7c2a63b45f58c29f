"""POST /hooks/pbx/<token>: any telephone exchange tells of its calls, as JSON or as a form."""

import hmac
import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask_babel import gettext
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from helpdesk import ext, settings
from helpdesk.calls import exchange
from helpdesk.calls.providers import pbx
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.tokens import token_hash

blueprint = Blueprint("pbx", __name__)
ext.csrf.exempt(blueprint)  # the secret in the address is the proof

LARGEST = 64 * 1024  # bytes of a body


@blueprint.post("/hooks/pbx/<token>")
def receive(token: str) -> Response:
    """Take one event; the answer names our call. A repeat gets the same answer."""
    at, country = now(), current_app.config["COUNTRY"]
    try:
        with ext.session() as session:
            if not _opens(session, token):
                raise NotFound()
        told = pbx.read(_values(), at, country)
        with ext.write() as session:
            call_id = exchange.take(session, told, at, country).id
    except HelpdeskError as error:
        return _refused(error)
    except OperationalError:
        return _away()
    return jsonify(ok=True, call=call_id)


def _opens(session: Session, token: str) -> bool:
    kept = str(settings.get(session, exchange.TOKEN))
    return bool(kept) and hmac.compare_digest(token_hash(token), kept)


def _values() -> Mapping[str, Any]:
    """What was posted. Raises HelpdeskError."""
    request.max_content_length = request.max_form_memory_size = LARGEST
    try:
        if not request.is_json:
            return request.form.to_dict()
        found = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise HelpdeskError(_lazy("This is no JSON.")) from error
    except HTTPException as error:
        raise HelpdeskError(_lazy("This is too large.")) from error
    if not isinstance(found, dict):
        raise HelpdeskError(_lazy("A JSON object is needed."))
    return found


def _refused(error: HelpdeskError) -> Response:
    response = jsonify(ok=False, field=error.field, error=gettext(error.message, **error.params))
    response.status_code = error.status
    return response


def _away() -> Response:
    """The database is away or locked: nothing was taken, so the exchange may send it again."""
    response = jsonify(ok=False, error=gettext("The database does not answer. Send it again."))
    response.status_code = 503
    response.headers["Retry-After"] = "5"
    return response
