"""/simulator: call, press, speak, hang up, write an SMS, move the clock, make mishaps."""

import re
from datetime import timedelta

from flask import Blueprint, current_app, jsonify, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.calls.providers.twin.remote import Remote
from helpdesk.lib import phone
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.web.desk.changes import is_script
from helpdesk.web.guard import needs, said
from helpdesk.web.simulator import hours, line, mishaps, view

blueprint = Blueprint("simulator", __name__)

KEYS = frozenset("0123456789*#")
ACTS = frozenset({"answer", "decline", "hangup"})
MOVES = {"10": 10.0, "300": 300.0}
LONGEST = 1000  # characters that are said or written at once
_SID = re.compile(r"CA[0-9a-f]{32}")


@blueprint.get("/simulator")
@needs("desk.use")
@line.where_offered
def page() -> str:
    return _page()


@blueprint.get("/simulator/live")
@needs("desk.use")
@line.where_offered
def live() -> BaseResponse:
    """What changes on the page; nothing (204) where all of it was `seen`."""
    try:
        state = line.state(request.args.get("last", type=int))
    except HelpdeskError:
        return make_response(_fragment(None))
    if request.args.get("seen") == view.digest(state):
        return BaseResponse(status=204)
    return make_response(_fragment(state))


@blueprint.get("/simulator/request")
@needs("desk.use")
@line.where_offered
def one_request() -> str:
    """One line of the log in full: what was asked and the document that came back."""
    number = request.args.get("id", default=0, type=int)
    lines = line.ask(lambda twin: twin.state(max(0, number - 1)))["log"] if number > 0 else []
    if not lines or lines[0]["id"] != number:
        raise Conflict(_lazy("The log has forgotten this request."))
    name = "simulator/_request.html" if is_script() else "simulator/request.html"
    return render_template(name, line=lines[0])


@blueprint.post("/simulator/call")
@needs("desk.use")
@line.where_offered
def call() -> BaseResponse:
    """Somebody calls one of our numbers."""
    return _do(lambda twin: twin.call(_caller(), _number("to")))


@blueprint.post("/simulator/again")
@needs("desk.use")
@line.where_offered
def again() -> BaseResponse:
    """Hang up and call once more, from the start."""

    def anew(twin: Remote) -> str:
        sid = _sid(request.form.get("sid", ""))
        old = next((one for one in twin.state(1 << 40)["calls"] if one["sid"] == sid), None)
        if old is None:
            raise Conflict(_lazy("This call is over. Call again."))
        twin.act(sid, "hangup")
        return twin.call(old["from"], old["to"])

    return _do(anew)


@blueprint.post("/simulator/act")
@needs("desk.use")
@line.where_offered
def act() -> BaseResponse:
    """Answer, decline or hang up a telephone, or press a key on it."""

    def work(twin: Remote) -> None:
        what, _colon, sid = request.form.get("act", "").partition(":")
        sid = _sid(sid or request.form.get("sid", ""))
        if what in ACTS:
            twin.act(sid, what)
        elif what and len(what) <= 32 and not set(what) - KEYS:
            twin.act(sid, "digits", digits=what)
        else:
            raise HelpdeskError(_lazy("Press digits, * or #."), field="act")

    return _do(work)


@blueprint.post("/simulator/say")
@needs("desk.use")
@line.where_offered
def say() -> BaseResponse:
    """The caller says something; `unclear`: it was badly understood."""

    def speak(twin: Remote) -> None:
        sid, text = (
            _sid(request.form.get("sid", "")),
            _text("text", _lazy("Write what the caller says.")),
        )
        twin.act(sid, "speech", text=text, confidence=0.35 if request.form.get("unclear") else 0.92)

    return _do(speak)


@blueprint.post("/simulator/sms")
@needs("desk.use")
@line.where_offered
def sms() -> BaseResponse:
    """The caller writes to one of our numbers."""

    def write(twin: Remote) -> None:
        body = _text("body", _lazy("Write the text of the SMS."))
        twin.sms(_number("from"), _number("to"), body)

    return _do(write)


@blueprint.post("/simulator/clock")
@needs("desk.use")
@line.where_offered
def clock() -> BaseResponse:
    """Stop the time, let it run, or skip some of it."""

    def move(twin: Remote) -> None:
        wanted = request.form.get("move", "")
        if wanted in ("pause", "real"):
            twin.clock(mode="manual" if wanted == "pause" else "real")
        elif wanted in MOVES:
            twin.clock(advance=MOVES[wanted])
        elif wanted in ("night", "open"):
            at = view.shown_time(twin.state(1 << 40))
            goal = hours.night(at) if wanted == "night" else hours.opening(at)
            twin.clock(advance=max(0.0, (goal - at) / timedelta(seconds=1)))
        else:
            raise HelpdeskError(_lazy("Choose one from the list."), field="move")

    return _do(move)


@blueprint.post("/simulator/faults")
@needs("desk.use")
@line.where_offered
def faults() -> BaseResponse:
    """Which mishaps strike from now on."""
    return _do(lambda twin: mishaps.switch(twin, request.form.getlist("fault")))


def _do(what: view.Act) -> BaseResponse:
    """Do it, and go on at the telephone it was about: signal for the module, page for others."""
    shown = request.form.get("call", "")
    try:
        sid = str(line.ask(what) or shown)
    except HelpdeskError as error:
        if is_script():
            raise
        return make_response(_page({error.field or "": said(error)}), error.status)
    if is_script():
        return jsonify(done=True, call=sid)
    return redirect(f"/simulator?call={sid}" if _SID.fullmatch(sid) else "/simulator")


def _page(errors: dict[str, str] | None = None) -> str:
    try:
        state = line.state()
    except HelpdeskError:
        state = None
    return render_template("simulator/page.html", errors=errors or {}, **_shown(state))


def _fragment(state: line.State | None) -> str:
    return render_template("simulator/_live.html", errors={}, **_shown(state))


def _shown(state: line.State | None) -> dict[str, object]:
    sid = request.values.get("call", "")
    return view.shown(state, sid if _SID.fullmatch(sid) else "") | {"away": _(line.AWAY)}


def _caller() -> str:
    """E.164, or "anonymous". Raises HelpdeskError."""
    chosen = request.form.get("from", "")
    if chosen == view.WITHHELD:
        return view.WITHHELD
    return _number("typed" if chosen == view.OTHER else "from")


def _number(name: str) -> str:
    text = request.form.get(name, "")
    found = phone.normalize(text, current_app.config["COUNTRY"]) if len(text) <= 40 else None
    if found is None:
        raise HelpdeskError(
            _lazy("This is no phone number. Write it like 067 123 45 67 or +380671234567."),
            field=name,
        )
    return found


def _sid(text: str) -> str:
    if not _SID.fullmatch(text):
        raise HelpdeskError(_lazy("Choose a telephone first."), field="sid")
    return text


def _text(name: str, missing: str) -> str:
    text = " ".join(request.form.get(name, "").split())
    if not text:
        raise HelpdeskError(missing, field=name)
    if len(text) > LONGEST:
        raise HelpdeskError(_lazy("At most %(limit)s characters."), field=name, limit=LONGEST)
    return text
