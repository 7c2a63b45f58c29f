"""A form that came too late is shown again with its text, never lost."""

from collections.abc import Iterable

from flask import Response, current_app, render_template, request
from werkzeug.datastructures import MultiDict

from helpdesk.web.guard import SAFE_METHODS, safe_path

PATH = "again_path"
PREFIX = "again:"
SECRET = ("password", "csrf_token", PATH)
LONG = 60  # characters from which one word is shown in a field of its own, as all of several are

Pairs = list[tuple[str, str]]


def ask_to_log_in() -> Response:
    """The log-in page instead of one that needs it; a form's text waits in it."""
    is_form = request.method not in SAFE_METHODS
    kept = _kept(request.form.items(multi=True)) if is_form else []
    page = render_template(
        "desk/login.html",
        errors={},
        email="",
        next=safe_path(request.full_path.rstrip("?")) if not is_form else "/desk",
        again_path=request.path if is_form else None,
        again=kept,
        lost_files=bool(request.files),
    )
    return current_app.make_response((page, 401))


def show(form: MultiDict[str, str], *, status: int, path: str | None = None) -> Response:
    """The form once more, with a new token, to look at and send."""
    kept = _kept(form.items(multi=True))
    page = render_template(
        "desk/again.html",
        action=safe_path(path or request.full_path.rstrip("?")),
        short=[pair for pair in kept if not _is_long(pair[1])],
        long=[pair for pair in kept if _is_long(pair[1])],
        lost_files=bool(request.files),
        had_password=any("password" in name for name in form),
    )
    return current_app.make_response((page, status))


def after_log_in(form: MultiDict[str, str]) -> Response | None:
    """The form that waited in the log-in page, if there is one."""
    path = form.get(PATH)
    if not path:
        return None
    return show(MultiDict(waiting(form)), status=200, path=path)


def waiting(form: MultiDict[str, str]) -> Pairs:
    """What waits in a log-in page that is shown again."""
    return [
        (name.removeprefix(PREFIX), value)
        for name, value in form.items(multi=True)
        if name.startswith(PREFIX)
    ]


def _kept(pairs: Iterable[tuple[str, str]]) -> Pairs:
    return [
        (name, value)
        for name, value in pairs
        if not any(secret in name for secret in SECRET) and not name.startswith(PREFIX)
    ]


def _is_long(value: str) -> bool:
    return len(value) > LONG or len(value.split()) > 1
