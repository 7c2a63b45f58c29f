"""The form inside other sites: a script tag, a frame, and what may hold it.

The frame works without cookies, which browsers keep from frames of other sites: the token of the
form is its own (`form_token.py`), the language goes with the address. Who may hold the frame is a
setting; the browser enforces it (CSP frame-ancestors), so that no other site can dress it up.
"""

import json
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, g, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, settings
from helpdesk.ext import LANGUAGES
from helpdesk.lib.errors import HelpdeskError
from helpdesk.web.cached import brand, setting
from helpdesk.web.guard import public, reading, said
from helpdesk.web.portal import ask, link, talk
from helpdesk.web.portal.asked import Typed
from helpdesk.web.portal.brand import accent_of
from helpdesk.web.portal.language import speak_in
from helpdesk.web.site import CSP, guest_language

blueprint = Blueprint("portal_embed", __name__)
blueprint.register_error_handler(link.WrongLink, link.missing)

SCRIPT = "public, max-age=3600"
COLOUR = "#2956c4"
NOBODY = "frame-ancestors 'none'"
PLACE = "{/* said by the server */}"


@blueprint.get("/embed.js")
@public
def script() -> BaseResponse:
    """What a page of others loads: a button that opens the frame, or the frame in its place."""
    words = json.dumps(_said(), ensure_ascii=False).replace("<", "\\u003c")
    response = Response(_script().replace(PLACE, words), mimetype="text/javascript")
    response.headers["Cache-Control"] = SCRIPT
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.add_etag()
    return response.make_conditional(request)


@blueprint.get("/embed/ask")
@public
def show() -> str:
    """The empty form."""
    _speak()
    return ask.page(Typed(), where="embed")


@blueprint.post("/embed/ask")
@public
def send() -> BaseResponse | tuple[str, int]:
    """Take the form, as /ask does; what follows stays in the frame."""
    _speak()
    answer = ask.taken_from("embed")
    if isinstance(answer, BaseResponse) and answer.location:
        answer.location += f"&{urlencode({'from': holder()})}"
    return answer


@blueprint.get("/embed/t/<token>")
@public
def taken(token: str) -> str:
    """The number and the promise; the conversation opens in a page of its own."""
    _speak()
    ticket = link.ticket_of(token)
    standing = talk.standing(reading(), ticket, g.language)
    path = f"/t/{token}?lang={g.language}"
    return render_template("portal/embed_taken.html", number=ticket.number, now=standing, path=path)


@blueprint.get("/embed/kept")
@public
def kept() -> str:
    """What a form becomes that could not be made a ticket yet."""
    _speak()
    return render_template("portal/embed_taken.html")


@blueprint.post("/embed/solved")
@public
def solved() -> str | tuple[str, int]:
    """An article answered the question, so that the form need not be sent."""
    _speak()
    try:
        ask.solved()
    except HelpdeskError as error:  # the page was open for too long: a new form
        return ask.page(Typed(errors={"token": said(error)}), where="embed"), error.status
    return render_template("portal/embed_taken.html", answered=True)


for view in (send, solved):
    ext.csrf.exempt(view)


@blueprint.after_request
def let_in(response: Response) -> Response:
    """Let the sites of the setting hold these pages, and nobody else."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    origins = " ".join(_origins())
    if origins and response.mimetype == "text/html":
        policy = CSP.replace(NOBODY, f"frame-ancestors {origins}")
        response.headers["Content-Security-Policy"] = policy
    return response


@blueprint.app_template_global("embed_holder")
def holder() -> str:
    """The site that holds the frame, as its script says; "" for one that may not."""
    origin = request.args.get("from", "")
    return origin if origin in _origins() else ""


def _origins() -> list[str]:
    """The sites of the setting, as it is now: what each process keeps for seconds would let a site
    in, or lock it out, according to the process that answers.
    """
    if "embed_origins" not in g:
        g.embed_origins = settings.get(reading(), "embed_origins")
    return list(g.embed_origins)


def _speak() -> None:
    wanted = request.values.get("lang", "")
    speak_in(wanted if wanted in LANGUAGES else guest_language())


def _script() -> str:
    """static/embed.js without what only its readers need: every page of others loads it."""
    path = Path(str(current_app.static_folder)) / "embed.js"
    lines = map(str.strip, path.read_text("utf-8").splitlines())
    return "\n".join(line for line in lines if not line.startswith("//")) + "\n"


def _said() -> dict[str, object]:
    """Words and colour of the button; the frame says the rest itself."""
    accent = accent_of(str(setting("brand_colour")))
    words = {}
    for language in LANGUAGES:
        with ext.in_language(language):
            words[language] = [str(_("Ask us")), str(_("Close")), brand()]
    primary = str(setting("primary_language"))
    return {"colour": accent.light.css() if accent else COLOUR, "primary": primary, "words": words}
