"""Which language a customer's page speaks, and where the same page stands in the others.

Pages of the knowledge base carry their language in the address (`/uk/help/…`); other pages speak
the one that was chosen in this browser, else by rule. A switch of language is a link with `?lang=`,
which is remembered and then taken out of the address.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import urlencode

import flask_babel
from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.ext import LANGUAGES
from helpdesk.web.cached import setting
from helpdesk.web.site import guest_language

P = ParamSpec("P")
R = TypeVar("R")

COOKIE = "language"
YEAR = 31_536_000
ORDER = ("uk", "ru", "en")
"""In which languages stand beside each other where a reader chooses."""
IN_PATH = "/<any(en, ru, uk):lang>"
"""The beginning of the address of a page that carries its language."""


def chosen() -> str | None:
    """What the reader chose by `?lang=` or earlier in this browser."""
    for wanted in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return None


def speak(otherwise: str) -> None:
    """Say this page in the chosen language, `otherwise` where nobody has chosen."""
    speak_in(chosen() or otherwise)


def speak_in(language: str) -> None:
    """Say this page in this language, whatever was chosen."""
    g.language = language
    flask_babel.refresh()


def stands_at(paths: Mapping[str, str], *, beside: Mapping[str, str] | None = None) -> None:
    """Tell the frame where this page stands in each language; `beside`: where the switch leads in
    languages that lack it.
    """
    g.alternates = dict(paths)
    g.switch = {**(beside or {}), **paths}


def switch(language: str) -> str:
    """Where the switch of languages leads: this page in that language."""
    path = g.get("switch", {}).get(language, "")
    sign = "&" if "?" in path else "?"
    return f"{path}{sign}lang={language}"


def alternates() -> dict[str, str]:
    """The paths of this page by language; empty where its address has no language."""
    found: dict[str, str] = g.get("alternates", {})
    return found


def by_default(paths: Mapping[str, str]) -> str:
    """Of a page's paths the one for readers of other languages (hreflang x-default)."""
    return paths.get(str(setting("primary_language"))) or next(iter(paths.values()), "/")


def in_address(view: Callable[P, R]) -> Callable[P, R | BaseResponse]:
    """The page speaks the `lang` of its address; a choice by `?lang=` leaves the address. Write it
    under `public`.
    """

    @wraps(view)
    def shown(*args: P.args, **values: P.kwargs) -> R | BaseResponse:
        speak_in(str(values["lang"]))
        return _without_choice() or view(*args, **values)

    return shown


def _without_choice() -> BaseResponse | None:
    if request.method != "GET" or "lang" not in request.args:
        return None
    rest = urlencode([pair for pair in request.args.items(multi=True) if pair[0] != "lang"])
    return redirect(f"{request.path}?{rest}" if rest else request.path, 302)


def keep_choice(response: Response) -> Response:
    """Remember the language of `?lang=` in this browser."""
    wanted = request.args.get("lang")
    if wanted in LANGUAGES:
        secure = request.is_secure
        response.set_cookie(
            COOKIE, wanted, max_age=YEAR, samesite="Lax", secure=secure, httponly=True
        )
    return response


def to_language(path: str) -> BaseResponse:
    """Lead an address without a language to the one for this reader."""
    query = request.query_string.decode("ascii", "replace")
    target = f"/{chosen() or guest_language()}{path}"
    return redirect(f"{target}?{query}" if query else target, 302)


def ask_path(question: str = "") -> str:
    """Where a reader asks us, in the language of this page; `question` is carried over."""
    return f"/ask?{urlencode({'lang': g.language, **({'q': question} if question else {})})}"
