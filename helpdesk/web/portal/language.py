"""Which language a customer's page speaks: chosen in the address or earlier, else by rule."""

import flask_babel
from flask import Response, g, request

from helpdesk.ext import LANGUAGES

COOKIE = "language"
YEAR = 31_536_000


def chosen() -> str | None:
    """What the reader chose by `?lang=` or earlier in this browser."""
    for wanted in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return None


def speak(otherwise: str) -> None:
    """Say this page in the chosen language, `otherwise` where nobody has chosen."""
    g.language = chosen() or otherwise
    flask_babel.refresh()


def keep_choice(response: Response) -> Response:
    """Remember the language of `?lang=` in this browser."""
    wanted = request.args.get("lang")
    if wanted in LANGUAGES:
        secure = request.is_secure
        response.set_cookie(
            COOKIE, wanted, max_age=YEAR, samesite="Lax", secure=secure, httponly=True
        )
    return response
