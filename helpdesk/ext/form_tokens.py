"""Form tokens that look different in every answer.

A token that stays the same can be guessed letter by letter from the sizes of compressed pages
that hold chosen text beside it (BREACH); one that is masked anew each time can't.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from flask import Flask, g
from flask_wtf.csrf import CSRFProtect, generate_csrf


class MaskedCSRF(CSRFProtect):  # type: ignore[misc]  # it has no types
    """Flask-WTF's protection; tokens are masked where templates ask and unmasked when they come."""

    def init_app(self, app: Flask) -> None:
        super().init_app(app)
        app.jinja_env.globals["csrf_token"] = csrf_token
        app.context_processor(lambda: {"csrf_token": csrf_token})

    def _get_csrf_token(self) -> str | None:
        token = super()._get_csrf_token()
        return unmasked(token) if token else None


def csrf_token() -> str:
    """The token of this browser, masked; one mask for each answer."""
    if "masked_token" not in g:
        g.masked_token = masked(generate_csrf())
    token: str = g.masked_token
    return token


def masked(token: str) -> str:
    """Random bytes and the token's bytes XOR them, in URL-safe base64."""
    plain = token.encode()
    mask = secrets.token_bytes(len(plain))
    return urlsafe_b64encode(mask + _xor(plain, mask)).decode()


def unmasked(text: str) -> str:
    """What `masked` hid; "" for anything that it did not make."""
    try:
        whole = urlsafe_b64decode(text.encode("ascii"))
        half = len(whole) // 2
        return _xor(whole[:half], whole[half:]).decode("ascii")
    except ValueError:
        return ""


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
