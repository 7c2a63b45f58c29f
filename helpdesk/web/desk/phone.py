"""The agent's own side of the telephone: availability, which phone, its window, signs of life."""

from flask import Blueprint, current_app, flash, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.presence import Phone
from helpdesk.calls.carriers import carrier, provider
from helpdesk.calls.models import Provider
from helpdesk.calls.providers.port import CarrierError
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.web.desk import softphone
from helpdesk.web.desk.call_done import done
from helpdesk.web.desk.call_view import stop_keeping, telephone
from helpdesk.web.guard import actor, me, needs, reading, said
from helpdesk.web.site import CSP

blueprint = Blueprint("desk_phone", __name__)

MICROPHONE = "camera=(), geolocation=(), microphone=(self), payment=(), usb=()"
# What the carrier's library needs, on the one page that loads it.
SOUND_CSP = CSP.replace(
    "connect-src 'self'",
    "connect-src 'self' https://eventgw.twilio.com wss://voice-js.roaming.twilio.com "
    "https://media.twiliocdn.com https://sdk.twilio.com",
).replace(
    "media-src 'self'",
    "media-src 'self' mediastream: https://media.twiliocdn.com https://sdk.twilio.com",
)


class Away(HelpdeskError):
    """The carrier does not answer."""

    status = 503


@blueprint.get("/desk/phone")
@needs("desk.use")
def window() -> BaseResponse:
    """The page of the reader's telephone; with a real carrier the sound lives in it."""
    return _page({})


@blueprint.get("/desk/phone/menu")
@needs("desk.use")
def menu() -> str:
    """Availability to choose, for the popover of the rail."""
    return render_template("desk/_availability.html", back="", page=False)


@blueprint.post("/desk/phone/state")
@needs("desk.use")
def state() -> BaseResponse:
    """Be available, on a break, with emails only, or off; also the way back from a pause."""
    with ext.write() as session:
        wanted = request.form.get("state", "")
        presence.set_state(session, me().id, wanted, at=now(), actor=actor())
        presence.seen(session, me().id, now())
    return done()


@blueprint.post("/desk/phone/longer")
@needs("desk.use")
def longer() -> BaseResponse:
    """A minute more to write up the call."""
    with ext.write() as session:
        presence.extend_wrap_up(session, me().id, now())
    return done()


@blueprint.post("/desk/phone/choice")
@needs("desk.use")
def choice() -> BaseResponse:
    """Where calls ring: in the browser or on a number."""
    own = request.form.get("phone") == Phone.OWN
    number = request.form.get("number", "")
    try:
        with ext.write() as session:
            presence.set_phone(
                session,
                me().id,
                Phone.OWN if own else Phone.BROWSER,
                number=number if own else None,
                country=current_app.config["COUNTRY"],
                at=now(),
            )
    except HelpdeskError as error:
        return _page({error.field or "number": said(error)}, error.status)
    stop_keeping()
    flash(_("Saved."))
    return done("/desk/phone")


@blueprint.post("/desk/phone/seen")
@needs("desk.use")
def seen() -> BaseResponse:
    """A sign of life of the browser that takes the calls."""
    with ext.write() as session:
        presence.seen(session, me().id, now())
    return jsonify(seen=True)


@blueprint.get("/desk/phone/token")
@needs("desk.use")
def token() -> BaseResponse:
    """What the softphone registers with at the carrier, for this user only."""
    try:
        found = carrier().browser_token(f"agent-{me().id}")
    except CarrierError as error:
        raise Away(
            _lazy("The telephone service does not answer. Try again in a moment.")
        ) from error
    return jsonify(found)


@blueprint.post("/desk/phone/<any(answer,decline,hangup,digits):act>")
@needs("desk.use")
def leg(act: str) -> BaseResponse:
    """Work the simulated telephone of this browser; only its own leg."""
    softphone.only_simulated()
    keys = request.form.get("digits", "")
    if act == "digits" and (not keys or len(keys) > 32 or set(keys) - set("0123456789*#")):
        raise HelpdeskError(_lazy("Press digits, * or #."), field="digits")
    if act == "answer":
        return jsonify(done=softphone.answer_own_leg(reading(), me().id))
    found = softphone.own_leg(reading(), me().id)
    if found is None:
        raise Conflict(_lazy("There is no call on your phone."))
    return jsonify(done=softphone.act(found, act, keys))


def _page(errors: dict[str, str], status: int = 200) -> BaseResponse:
    shown = telephone()
    sound = provider() == Provider.TWILIO
    page = render_template(
        "desk/phone.html",
        section="me",
        sound=sound,
        errors=errors,
        chosen=request.form.get("phone", "own" if shown.own_phone else "browser"),
        number=request.form.get("number", shown.number),
    )
    response = make_response(page, status)
    if sound:
        response.headers["Content-Security-Policy"] = SOUND_CSP
        response.headers["Permissions-Policy"] = MICROPHONE
    return response
