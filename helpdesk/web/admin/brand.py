"""What customers see of us: name, logo, colour, numbers, notices, in three languages."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, files, settings
from helpdesk.ext import LANGUAGES
from helpdesk.kb.markdown import render
from helpdesk.kb.pictures import add_picture, kind_of
from helpdesk.lib import colour
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.phone import digits
from helpdesk.lib.text import clean, clean_line
from helpdesk.web.admin.forms import check_seen, fingerprint, page_status, wrong
from helpdesk.web.cached import forget
from helpdesk.web.guard import actor, needs, reading
from helpdesk.web.portal.brand import accent_of, read_links

blueprint = Blueprint("admin_brand", __name__)

Logo = tuple[FileStorage, bytes, str]  # as it was sent, its octets, its type

NAME_LIMIT = 60
LOGO_LIMIT = 10_000
"""Octets: the whole start page with its fonts stays below 100 kB."""
KILO = 1000
SHORTEST = 3  # digits of a short number
ORDER = ("uk", "ru", "en")
PLAIN = ("brand_name", "brand_colour", "brand_phone")
TEXTS = tuple(settings.TEXTS)
NAMES = (*PLAIN, "brand_logo", *TEXTS)


@blueprint.get("/admin/brand")
@needs("setting.change")
def form() -> str:
    return _page(_typed(_current(reading())))


@blueprint.post("/admin/brand")
@needs("setting.change")
def save() -> BaseResponse | tuple[str, int]:
    """Save what was changed; a new logo is on the disk before the database is locked."""
    try:
        wanted, logo = _read(), _logo()
        with ext.write() as session:
            _change(session, wanted, logo)
    except HelpdeskError as error:
        return _page(request.form, wrong(error)), page_status(error)
    forget()
    flash(_("Saved."))
    return redirect("/admin/brand")


def _change(session: Session, wanted: dict[str, Any], logo: Logo | None) -> None:
    current = _current(session)
    check_seen(fingerprint(current))
    if "no_logo" in request.form:
        wanted["brand_logo"] = {}
    elif logo is not None:
        wanted["brand_logo"] = _keep_logo(session, *logo)
    for name, value in wanted.items():
        if current[name] != value:
            settings.put(session, name, value, actor=actor())


def _current(session: Session) -> dict[str, Any]:
    return {name: settings.get(session, name) for name in NAMES}


def _typed(values: Mapping[str, Any]) -> dict[str, str]:
    """The settings as the fields of the form have them."""
    texts = {f"{name}_{lang}": values[name].get(lang, "") for name in TEXTS for lang in LANGUAGES}
    return {name: str(values[name]) for name in PLAIN} | texts


def _read() -> dict[str, Any]:
    """What was sent, checked. Raises HelpdeskError naming the field."""
    sent = request.form
    found: dict[str, Any] = {
        "brand_name": clean_line(sent.get("brand_name", ""), NAME_LIMIT),
        "brand_colour": clean_line(sent.get("brand_colour", ""), NAME_LIMIT),
        "brand_phone": _phone(clean_line(sent.get("brand_phone", ""), NAME_LIMIT)),
    }
    if not found["brand_name"]:
        raise HelpdeskError(_lazy("Write the name that customers know."), field="brand_name")
    if found["brand_colour"] and colour.read(found["brand_colour"]) is None:
        message = _lazy("Write a colour such as #2956c4 or oklch(0.49 0.18 264).")
        raise HelpdeskError(message, field="brand_colour")
    for name in TEXTS:
        texts = {lang: clean(sent.get(f"{name}_{lang}", "")).strip() for lang in LANGUAGES}
        found[name] = {lang: text for lang, text in texts.items() if text}
    for lang, text in found["footer_links"].items():
        _check_links(lang, text)
    for lang, text in found["privacy_notice"].items():
        _check_notice(lang, text)
    return found


def _phone(text: str) -> str:
    """The number as it was typed: people know "0 800 …" by its groups. Raises HelpdeskError."""
    is_number = re.fullmatch(r"[+0-9() .\u00a0-]*", text) and digits(text)
    if text and not (is_number and len(digits(text)) >= SHORTEST):
        message = _lazy("“%(number)s” is no phone number. For example +380 44 123 45 67.")
        raise HelpdeskError(message, field="brand_phone", number=text)
    return text


def _check_links(lang: str, text: str) -> None:
    try:
        read_links(text)
    except ValueError as error:
        message = _lazy("“%(line)s”: write the words, a bar and the address, a link a line.")
        raise HelpdeskError(message, field=f"footer_links_{lang}", line=str(error)[:80]) from None


def _check_notice(lang: str, text: str) -> None:
    try:
        render(text)
    except HelpdeskError as error:
        name = f"privacy_notice_{lang}"
        raise HelpdeskError(error.message, field=name, **error.params) from None


def _logo() -> Logo | None:
    """The picture that was sent, and its type by its content. Raises HelpdeskError."""
    sent = request.files.get("logo")
    if sent is None or not sent.filename:
        return None
    data = sent.read(LOGO_LIMIT + 1)
    kind = kind_of(data)
    if kind is None:
        message = _lazy("Only PNG, JPEG, GIF and WebP pictures fit here.")
        raise HelpdeskError(message, field="logo")
    if len(data) > LOGO_LIMIT:
        message = _lazy("The logo has more than %(limit)s kB: every customer loads it.")
        raise HelpdeskError(message, field="logo", limit=LOGO_LIMIT // KILO)
    return sent, data, kind


def _keep_logo(session: Session, sent: FileStorage, data: bytes, kind: str) -> dict[str, str]:
    sha256 = files.put(data)
    add_picture(
        session,
        sha256=sha256,
        size=len(data),
        kind=kind,
        filename=sent.filename or "",
        at=now(),
        actor=actor(),
    )
    return {"sha256": sha256, "type": kind}


def _page(typed: Mapping[str, str], errors: dict[str, str] | None = None) -> str:
    current = _current(reading())
    return render_template(
        "admin/brand.html",
        typed=typed,
        logo=current["brand_logo"],
        accent=accent_of(typed.get("brand_colour", "")),
        languages=ORDER,
        seen=fingerprint(current),
        errors=errors or {},
    )
