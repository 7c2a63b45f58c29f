"""What an administrator edits while the product runs: brand, languages, texts, periods."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import JSON, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import LANGUAGES, Base
from helpdesk.lib.errors import HelpdeskError, _lazy

DEFAULTS: Mapping[str, Any] = {
    "brand_name": "Helpdesk",
    "brand_colour": "",  # hex or oklch(); "": ours
    "brand_logo": {},  # {"sha256": …, "type": "image/png"}
    "brand_phone": "",  # as people read it, beside those of queues
    "brand_address": {},  # this and the next three by language: {"en": …, "uk": …}
    "footer_links": {},  # lines of "Words | https://…"
    "privacy_notice": {},  # Markdown
    "embed_origins": [],  # sites that may hold our form: "https://shop.example"
    "incident": {},  # what customers must know now; the first line is its headline
    "ask_rating": True,  # in the answer that says it is solved
    "primary_language": "uk",
    "language_rule": "follow",  # or "primary_first"
    "second_factor": "nobody",  # who must have one: or admins, supervisors, everybody
    "retention_raw_days": 90,
    "retention_draft_days": 30,
    "retention_session_days": 30,
    "retention_search_days": 90,
    "retention_recording_days": 180,
    "pbx_token_hash": "",  # opens the webhook of telephone exchanges; "": nothing does
    "kb_wrong_answers": 10,  # of a hundred given without a person; 0: none is given
    "norm_least": 3,  # tickets in work, under which an agent has too few; 0: never
    "norm_most": 25,  # over which too many
    "retention_report_days": 30,
    "blocked_numbers": [],  # E.164: their calls are refused
    "wall_limits": {},  # of `reports.wallboard.levels`: {"calls": [3, 6]}; missing: the usual ones
}

TEXTS: Mapping[str, int] = {
    "brand_address": 300,
    "footer_links": 2_000,
    "privacy_notice": 50_000,
    "incident": 1_000,
}
"""Settings with a text for each language, and how many characters one may have."""


MOST_ORIGINS = 50
_PORTS = {"https": 443, "http": 80}  # these are not named in an origin (RFC 6454 §6.2)
_HOST = re.compile(r"(?!.*\.\.)[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class Setting(Base):
    """One edited setting; absent means the default."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


def get(session: Session, name: str) -> Any:
    """The value of a setting, or its default. Raises KeyError for an unknown name."""
    default = DEFAULTS[name]
    found = session.get(Setting, name)
    return default if found is None else found.value


def several(session: Session, names: Sequence[str]) -> list[Any]:
    """The values of these settings in their order. One statement. Raises KeyError."""
    rows = session.execute(select(Setting.name, Setting.value).where(Setting.name.in_(names)))
    found = {row.name: row.value for row in rows}
    return [found.get(name, DEFAULTS[name]) for name in names]


def put(session: Session, name: str, value: Any, *, actor: Actor = SYSTEM) -> None:
    """Change a setting. Raises HelpdeskError if the value does not fit."""
    _check(name, value)
    found = session.get(Setting, name)
    if found is None:
        session.add(Setting(name=name, value=value))
    else:
        found.value = value
    session.flush()
    record(session, "setting.changed", actor=actor, name=name)


def read_origins(text: str) -> list[str]:
    """The sites of lines such as "https://shop.example/page", without what follows their name.

    Raises HelpdeskError with the first line that is none.
    """
    found = [_origin(line) for line in filter(None, map(str.strip, text.splitlines()))]
    if len(found) > MOST_ORIGINS:
        message = _lazy("At most %(limit)s sites fit here.")
        raise HelpdeskError(message, field="embed_origins", limit=MOST_ORIGINS)
    return list(dict.fromkeys(found))


def _origin(line: str) -> str:
    """It goes into a header: nothing but letters, digits, dots and a port may pass."""
    try:
        parts = urlsplit(line)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        scheme = parts.scheme
        port = f":{parts.port}" if parts.port not in (None, _PORTS.get(scheme)) else ""
    except ValueError:  # a wrong port, or a wrong name
        host = scheme = port = ""
    if scheme not in ("https", "http") or not _HOST.fullmatch(host):
        message = _lazy("“%(line)s” is no site. For example https://shop.example")
        raise HelpdeskError(message, field="embed_origins", line=line[:80])
    return f"{scheme}://{host}{port}"


def _check(name: str, value: Any) -> None:
    default = DEFAULTS[name]
    if type(value) is not type(default):
        raise HelpdeskError(_lazy("The value of %(name)s does not fit."), field=name, name=name)
    allowed = {
        "primary_language": LANGUAGES,
        "language_rule": ("follow", "primary_first"),
        "second_factor": ("nobody", "admins", "supervisors", "everybody"),
    }.get(name)
    if allowed and value not in allowed:
        raise HelpdeskError(_lazy("The value of %(name)s does not fit."), field=name, name=name)
    if name in TEXTS:
        _check_texts(name, value)
    if name == "embed_origins":
        read_origins("\n".join(value))
    if name == "kb_wrong_answers":
        if not 0 <= value <= 50:
            raise HelpdeskError(_lazy("A number from 0 to 50 fits here."), field=name)
    elif name in ("norm_least", "norm_most"):
        if not 0 <= value <= 1000:
            raise HelpdeskError(_lazy("A number from 0 to 1000 fits here."), field=name)
    elif type(value) is int and not 1 <= value <= 3650:
        raise HelpdeskError(_lazy("A number of days from 1 to 3650 fits here."), field=name)


def _check_texts(name: str, texts: Mapping[Any, Any]) -> None:
    for lang, text in texts.items():
        if lang not in LANGUAGES or not isinstance(text, str):
            raise HelpdeskError(_lazy("The value of %(name)s does not fit."), field=name, name=name)
        if len(text) > TEXTS[name]:
            raise HelpdeskError(
                _lazy("The text is too long: at most %(limit)s characters."),
                field=f"{name}_{lang}",
                limit=TEXTS[name],
            )
