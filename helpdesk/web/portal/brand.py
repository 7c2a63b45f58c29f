"""What makes the pages look like ours: name, logo, colour, how to reach us, the notices."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, render_template
from markupsafe import Markup

from helpdesk import files
from helpdesk.ext import LANGUAGES
from helpdesk.kb.markdown import render
from helpdesk.lib import colour
from helpdesk.lib.colour import Colour
from helpdesk.lib.errors import NotFound
from helpdesk.lib.phone import digits, normalize
from helpdesk.lib.text import clean_line
from helpdesk.web.assets import FOREVER
from helpdesk.web.cached import keep, setting
from helpdesk.web.desk.files import SANDBOX
from helpdesk.web.guard import public
from helpdesk.web.portal import fresh
from helpdesk.web.portal.language import IN_PATH, in_address, keep_choice, stands_at

blueprint = Blueprint("portal_brand", __name__)
blueprint.after_request(keep_choice)

LOOK_SECONDS = 5.0
MOST_LINKS = 12
SCHEMES = ("https", "http", "mailto", "tel")

# The grounds of static/css/tokens.css on which the accent is read.
_HUE = 264.0
LIGHT = (Colour(1, 0, 0), Colour(0.972, 0.004, 265), Colour(0.953, 0.022, _HUE))
DARK = (Colour(0.215, 0.013, 265), Colour(0.178, 0.012, 265), Colour(0.295, 0.055, _HUE))
WHITE = Colour(1, 0, 0)


@dataclass(frozen=True)
class Accent:
    """The colour as each theme shows it; `moved`: one of them had to differ to be read."""

    light: Colour
    dark: Colour
    moved: bool


@dataclass(frozen=True)
class Look:
    """What the frame of customers' pages shows, in one language."""

    logo: str | None
    css: str | None
    phone: str
    phone_link: str
    address: str
    links: tuple[tuple[str, str], ...]
    incident: tuple[str, str] | None  # a headline and the rest
    privacy: str | None  # the path of the notice


@blueprint.app_template_global("look")
def look() -> Look:
    """The look in the language of this request; settings are read every few seconds."""
    return keep(("look", g.language), LOOK_SECONDS, lambda: _look(str(g.language)))


@blueprint.get("/brand.css")
@public
def css() -> Response:
    """The accent in both themes; its address changes with the colour."""
    accent = accent_of(str(setting("brand_colour")))
    response = Response(style(accent) if accent else "", mimetype="text/css")
    response.headers["Cache-Control"] = FOREVER
    return response


@blueprint.get("/brand/logo")
@public
def logo() -> Response:
    """The uploaded picture; its address changes with the content."""
    kept = setting("brand_logo")
    try:
        data = files.read(str(kept["sha256"]))
    except (KeyError, FileNotFoundError):
        raise NotFound() from None
    response = Response(data, mimetype=str(kept["type"]))
    response.headers["Cache-Control"] = FOREVER
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


@blueprint.get(f"{IN_PATH}/privacy")
@public
@in_address
def privacy(lang: str) -> Response:
    """The privacy notice in this language, else in the first that has one."""
    notices = setting("privacy_notice")
    order = (lang, str(setting("primary_language")), *LANGUAGES)
    written = next((code for code in order if notices.get(code)), None)
    if written is None:
        raise NotFound()
    stands_at({code: f"/{code}/privacy" for code in LANGUAGES})
    body = Markup(_notice(str(notices[written])))
    page = render_template("portal/privacy.html", body=body, written=written)
    return fresh.keep(Response(page), fresh.SHORT)


def accent_of(text: str) -> Accent | None:
    """The accent for both themes; None where no colour is set or it can't be read."""
    return _accent(text) if text else None


@lru_cache(maxsize=16)
def _accent(text: str) -> Accent | None:
    wanted = colour.read(text)
    if wanted is None:
        return None
    light = colour.darker(wanted, (*LIGHT, _tint(wanted, 0.953, 0.022)))
    dark = colour.lighter(wanted, (*DARK, _tint(wanted, 0.295, 0.055)))
    return Accent(light, dark, moved=light != colour.fitted(wanted))


def style(accent: Accent) -> str:
    """The tokens that the accent sets, and those that follow from it."""
    light, dark = accent.light, accent.dark
    on_dark = colour.darker(_tint(dark, 0.2, 0.04), (dark,))
    pairs = {
        "acc": (light, dark),
        "acc-bg": (_tint(light, 0.953, 0.022), _tint(dark, 0.295, 0.055)),
        "on-acc": (WHITE, on_dark),
    }
    rules = (f"--{name}:light-dark({one.css()},{two.css()})" for name, (one, two) in pairs.items())
    return f".portal{{{';'.join(rules)}}}"


def read_links(text: str) -> tuple[tuple[str, str], ...]:
    """Lines of "Words | https://…" as links; ValueError with the first line that is none."""
    found = []
    for line in filter(None, (clean_line(line, 300) for line in text.splitlines())):
        words, _, address = (part.strip() for part in line.rpartition("|"))
        if not words or not _is_address(address):
            raise ValueError(line)
        found.append((words, address))
    if len(found) > MOST_LINKS:
        raise ValueError(found[MOST_LINKS][0])
    return tuple(found)


def _is_address(text: str) -> bool:
    if text.startswith("/") and not text.startswith(("//", "/\\")):
        return True
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in SCHEMES and bool(parts.netloc or parts.path)


def _tint(of: Colour, lightness: float, chroma: float) -> Colour:
    return colour.fitted(Colour(lightness, min(chroma, of.chroma), of.hue))


def _look(lang: str) -> Look:
    logo_file, accent = setting("brand_logo"), accent_of(str(setting("brand_colour")))
    phone = str(setting("brand_phone"))
    incident = str(setting("incident").get(lang, "")).strip()
    head, _, rest = incident.partition("\n")
    return Look(
        logo=f"/brand/logo?v={logo_file['sha256'][:8]}" if logo_file else None,
        css=f"/brand.css?v={_digest(style(accent))}" if accent else None,
        phone=phone,
        phone_link=dialled(phone),
        address=str(setting("brand_address").get(lang, "")),
        links=read_links(str(setting("footer_links").get(lang, ""))),
        incident=(head.strip(), rest.strip()) if incident else None,
        privacy=f"/{lang}/privacy" if any(setting("privacy_notice").values()) else None,
    )


def dialled(phone: str) -> str:
    """A number as it is typed for people, as a link dials it."""
    return normalize(phone, str(current_app.config["COUNTRY"])) or digits(phone)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@lru_cache(maxsize=8)
def _notice(markdown: str) -> str:
    return render(markdown).html


__all__ = ["accent_of", "blueprint", "dialled", "look", "read_links", "style"]
