"""Which carrier this installation uses: Twilio with an account, its offline twin without one."""

from urllib.parse import quote

import requests
from flask import Request, current_app
from werkzeug.exceptions import HTTPException

from helpdesk.calls.models import Provider
from helpdesk.calls.providers.port import Carrier, Heard
from helpdesk.calls.providers.twilio import parse, signature
from helpdesk.calls.providers.twilio.carrier import TwilioCarrier
from helpdesk.calls.providers.twilio.rest import API
from helpdesk.calls.providers.twilio.signature import Account, Sent
from helpdesk.calls.providers.twilio.tokens import Browser
from helpdesk.calls.providers.twin.account import account as twin_account

_KEPT = "helpdesk_carrier"
SESSION = "carrier_session"
"""In `app.extensions`: a `requests.Session` that all requests go through, for tests."""


def carrier() -> Carrier:
    """The carrier, made once for a process and again when its settings change."""
    config, extensions = current_app.config, current_app.extensions
    names = ("TWIN_URL", "PUBLIC_URL", "TESTING", "SECRET_KEY", "TWILIO_ACCOUNT_SID")
    session = extensions.get(SESSION)
    settings = (id(session), *(config.get(name) for name in names))
    made: tuple[object, TwilioCarrier] | None = extensions.get(_KEPT)
    if made is None or made[0] != settings:
        made = extensions[_KEPT] = (settings, _made(session or requests.Session()))
    return made[1]


def provider() -> Provider:
    """Twilio, or the twin."""
    return Provider.TWILIO if current_app.config["TWILIO_ACCOUNT_SID"] else Provider.TWIN


def account() -> Account:
    """The account that webhooks are signed by and REST requests log in with."""
    config = current_app.config
    if provider() == Provider.TWILIO:
        return Account(
            config["TWILIO_ACCOUNT_SID"],
            config["TWILIO_AUTH_TOKEN"],
            config["TWILIO_AUTH_TOKEN_SECONDARY"],
            config["TWILIO_SHARED_KEY"],
        )
    twin = twin_account(config["SECRET_KEY"])
    return Account(twin.sid, twin.token)


def authentic(request: Request) -> bool:
    """Whether a webhook comes from the carrier. Never raises; whoever gets False gets 403."""
    try:
        form = {name: request.form.getlist(name) for name in request.form}
        body = b"" if form else request.get_data()
    except HTTPException:  # too large, or cut off
        return False
    sent = Sent(_target(request), form, body, dict(request.headers))
    return signature.authentic(sent, current_app.config["PUBLIC_URL"], account())


def heard(request: Request) -> Heard:
    """What a voice webhook says. Never raises."""
    query = request.query_string.decode("latin-1")
    return parse.heard(provider(), request.path, query, request.form.to_dict())


def _made(session: requests.Session) -> TwilioCarrier:
    config = current_app.config
    found, kind = account(), provider()
    key = config["TWILIO_API_KEY"], config["TWILIO_API_SECRET"], config["TWILIO_APP_SID"]
    if kind == Provider.TWIN:
        key = (found.sid, found.token, found.sid)
    return TwilioCarrier(
        account=found,
        public_url=config["PUBLIC_URL"],
        provider=kind,
        base=config["TWIN_URL"] if kind == Provider.TWIN else config["TWILIO_API"] or API,
        browser=Browser(*key) if all(key) else None,
        voices=config["TWILIO_VOICES"],
        session=session,
        strict=bool(config["TESTING"]),
    )


def _target(request: Request) -> str:
    """Path and query as they were sent: the query raw, the path (ours, plain ASCII) escaped."""
    query = request.query_string.decode("latin-1")
    return quote(request.path) + (f"?{query}" if query else "")
