"""Phone menus as data: what a queue's callers may choose and how long they wait; reads, verbs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.calls.models import PhoneMenu
from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import LANGUAGES, lock
from helpdesk.kb.checks import checked_voice
from helpdesk.kb.models import ArticleText
from helpdesk.kb.queries import PUBLIC, article_at, texts_of
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.tickets.models import Calendar, Queue

MOST_CHOICES = 4
"""More are forgotten before the last one has been read out."""
DIGITS = tuple("123456789")
ACTIONS = ("answer", "speech", "status", "queue", "voicemail")
LABEL_LIMIT, SKILL_LIMIT = 80, 40
TEXT_FIELDS = ("greetings", "consent")
SECONDS: Mapping[str, tuple[int, int]] = {
    "ring_seconds": (10, 60),
    "wrap_up_seconds": (0, 900),
    "max_wait_seconds": (60, 3_600),
    "overflow_seconds": (15, 3_600),
}
"""Least and most of each length of time."""
FLAGS = ("callbacks", "voicemail", "recording")
CHANGEABLE = frozenset(
    {*TEXT_FIELDS, "choices", "calendar_id", "overflow_queue_id", *SECONDS, *FLAGS}
)
USUAL_CHOICES = (("1", "speech"), ("2", "status"))


def menu_for(session: Session, queue_id: int | None) -> PhoneMenu:
    """The menu of a queue, else the default one, else what holds where nobody wrote any (not a
    row of the database, and never added to the session).
    """
    default, own = PhoneMenu.queue_id.is_(None), PhoneMenu.queue_id == queue_id
    query = select(PhoneMenu).where(default if queue_id is None else own | default)
    query = query.order_by(default, PhoneMenu.id)
    return session.scalars(query.limit(1)).first() or usual()


def own_menu(session: Session, queue_id: int | None) -> PhoneMenu | None:
    """The menu that was written for this queue (None: the default one)."""
    query = select(PhoneMenu).where(
        PhoneMenu.queue_id.is_(None) if queue_id is None else PhoneMenu.queue_id == queue_id
    )
    return session.scalars(query.order_by(PhoneMenu.id).limit(1)).first()


def usual() -> PhoneMenu:
    """The menu of a new installation: ask a question, hear the state of a request."""
    return PhoneMenu(
        queue_id=None,
        greetings={},
        choices=[_choice(digit, action) for digit, action in USUAL_CHOICES],
        calendar_id=None,
        ring_seconds=20,
        wrap_up_seconds=60,
        max_wait_seconds=900,
        overflow_seconds=None,
        overflow_queue_id=None,
        callbacks=True,
        voicemail=True,
        recording=False,
        consent={},
        consent_version=1,
        version=0,
    )


def save(
    session: Session,
    queue_id: int | None,
    *,
    at: datetime,
    actor: Actor = SYSTEM,
    version: int | None = None,
    **changes: Any,
) -> PhoneMenu:
    """Write the menu of a queue (None: the default one): what is not named stays as it is.

    The wording of the consent has a version that grows when the wording changes. Raises Conflict
    if the menu has changed since `version` (0: there was none), HelpdeskError naming in `field`
    what is wrong, e.g. `choices.0.article`, and TypeError for what is not a menu's: that is a bug.
    """
    if changes.keys() - CHANGEABLE:
        raise TypeError(f"a phone menu has no {sorted(changes.keys() - CHANGEABLE)}")
    lock(session, "phone menus")
    menu = own_menu(session, queue_id)
    if version is not None and version != (menu.version if menu is not None else 0):
        raise Conflict(_lazy("Somebody changed this menu in the meantime. Look and save again."))
    base = menu if menu is not None else usual()
    _check_queue(session, queue_id, "queue")
    wanted = {name: changes.get(name, getattr(base, name)) for name in CHANGEABLE}
    values = _checked(session, queue_id, wanted)
    changed = sorted(name for name in values if values[name] != getattr(base, name))
    if menu is not None and not changed:
        return menu
    if "consent" in changed:
        base.consent_version += 1
    for name in changed:
        setattr(base, name, values[name])
    base.version += 1
    if menu is None:
        base.queue_id = queue_id
        session.add(base)
    session.flush()
    _record(session, base, changed, actor, at)
    return base


def remove(session: Session, menu: PhoneMenu, *, at: datetime, actor: Actor) -> None:
    """Take a menu away: its queue's callers hear the default one, or the usual one."""
    _record(session, menu, ["removed"], actor, at)
    session.delete(menu)
    session.flush()


def voiced(session: Session, key: str, language: str) -> ArticleText | None:
    """The public text of an article that can be read out: in the language, else in the primary
    one.
    """
    article = article_at(session, key)
    if article is None:
        return None
    texts = texts_of(session, article.id, states=PUBLIC)
    spoken = (language, str(settings.get(session, "primary_language")))
    found = (texts[lang] for lang in spoken if lang in texts and texts[lang].voice_text)
    return next(found, None)


def _record(
    session: Session, menu: PhoneMenu, fields: list[str], actor: Actor, at: datetime
) -> None:
    about: dict[str, Any] = {"menu_id": menu.id, "queue_id": menu.queue_id, "fields": fields}
    record(session, "phone_menu.changed", actor=actor, at=at, **about)


def _checked(session: Session, queue_id: int | None, raw: dict[str, Any]) -> dict[str, Any]:
    """The columns for these inputs. Raises HelpdeskError."""
    values: dict[str, Any] = {name: _texts(name, raw[name]) for name in TEXT_FIELDS}
    values |= {name: bool(raw[name]) for name in FLAGS}
    values |= {name: _seconds(name, raw[name]) for name in SECONDS}
    values["choices"] = _choices(session, raw["choices"])
    values["calendar_id"] = _known_calendar(session, raw["calendar_id"])
    values["overflow_queue_id"] = raw["overflow_queue_id"]
    _check_queue(session, raw["overflow_queue_id"], "overflow_queue_id")
    _check_overflow(queue_id, values)
    if not (values["callbacks"] or values["voicemail"]):
        message = _lazy("Leave callbacks or voicemail on: a caller whom nobody answers needs one.")
        raise HelpdeskError(message, field="voicemail")
    return values


def _check_overflow(queue_id: int | None, values: Mapping[str, Any]) -> None:
    after, to = values["overflow_seconds"], values["overflow_queue_id"]
    if (after is None) != (to is None):
        message = _lazy("Overflow needs both: after how long, and to which queue.")
        raise HelpdeskError(message, field="overflow_seconds")
    if to is not None and to == queue_id:
        raise HelpdeskError(_lazy("Choose another queue than its own."), field="overflow_queue_id")
    if after is not None and after >= values["max_wait_seconds"]:
        message = _lazy("Overflow must come before the longest wait.")
        raise HelpdeskError(message, field="overflow_seconds")


def _texts(name: str, texts: Any) -> dict[str, str]:
    """Texts by language without the empty ones, each short enough to be heard out."""
    if not isinstance(texts, Mapping) or texts.keys() - set(LANGUAGES):
        raise HelpdeskError(_lazy("Texts must be given by language."), field=name)
    found = {}
    for lang in LANGUAGES:
        try:
            words = checked_voice(str(texts.get(lang, "")))
        except HelpdeskError as error:
            error.field = f"{name}.{lang}"
            raise
        if words:
            found[lang] = words
    return found


def _seconds(name: str, value: Any) -> int | None:
    low, high = SECONDS[name]
    if value is None and name == "overflow_seconds":
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        message = _lazy("A number of seconds from %(low)s to %(high)s fits here.")
        raise HelpdeskError(message, field=name, low=low, high=high)
    return value


def _choices(session: Session, choices: Any) -> list[dict[str, Any]]:
    if not isinstance(choices, Sequence) or isinstance(choices, str):
        raise HelpdeskError(_lazy("Choices must be a list."), field="choices")
    if len(choices) > MOST_CHOICES:
        message = _lazy("At most %(limit)s choices: nobody remembers more.")
        raise HelpdeskError(message, field="choices", limit=MOST_CHOICES)
    found: list[dict[str, Any]] = []
    for place, choice in enumerate(choices):
        if not isinstance(choice, Mapping):
            raise HelpdeskError(_lazy("Choices must be a list."), field=f"choices.{place}")
        kept = _checked_choice(session, choice, f"choices.{place}")
        if kept["digit"] in {other["digit"] for other in found}:
            message = _lazy("Two choices have the key %(digit)s.")
            raise HelpdeskError(message, field=f"choices.{place}", digit=kept["digit"])
        found.append(kept)
    return sorted(found, key=lambda choice: str(choice["digit"]))


def _checked_choice(session: Session, choice: Mapping[str, Any], where: str) -> dict[str, Any]:
    digit, action = str(choice.get("digit", "")), str(choice.get("action", ""))
    if digit not in DIGITS:
        message = _lazy("A choice has a key from 1 to 9; 0 is always a person.")
        raise HelpdeskError(message, field=f"{where}.digit")
    if action not in ACTIONS:
        raise HelpdeskError(_lazy("Choose what the key does."), field=f"{where}.action")
    kept = _choice(digit, action)
    kept["labels"] = _labels(choice.get("labels") or {}, where)
    kept["skill"] = clean_line(str(choice.get("skill") or ""), SKILL_LIMIT).lower() or None
    if action == "answer":
        kept["article"] = _known_article(session, str(choice.get("article") or ""), where)
    if action == "queue":
        kept["queue_id"] = choice.get("queue_id")
        if kept["queue_id"] is None:
            raise HelpdeskError(_lazy("Choose a queue."), field=f"{where}.queue_id")
        _check_queue(session, kept["queue_id"], f"{where}.queue_id")
    return kept


def _choice(digit: str, action: str) -> dict[str, Any]:
    about: dict[str, Any] = {"article": None, "queue_id": None, "skill": None, "labels": {}}
    return {"digit": digit, "action": action, **about}


def _labels(labels: Any, where: str) -> dict[str, str]:
    if not isinstance(labels, Mapping) or labels.keys() - set(LANGUAGES):
        raise HelpdeskError(_lazy("Texts must be given by language."), field=f"{where}.labels")
    found = {}
    for lang in LANGUAGES:
        label = clean_line(str(labels.get(lang, "")), LABEL_LIMIT + 1)
        if len(label) > LABEL_LIMIT:
            message = _lazy("The text is too long: at most %(limit)s characters.")
            raise HelpdeskError(message, field=f"{where}.labels.{lang}", limit=LABEL_LIMIT)
        if label:
            found[lang] = label
    return found


def _known_article(session: Session, key: str, where: str) -> str:
    primary = str(settings.get(session, "primary_language"))
    article = article_at(session, key) if key else None
    texts = texts_of(session, article.id, states=PUBLIC) if article is not None else {}
    if article is None or not texts:
        message = _lazy("Choose a public article of the knowledge base.")
        raise HelpdeskError(message, field=f"{where}.article")
    if primary not in texts or not texts[primary].voice_text:
        message = _lazy("“%(title)s” has no text for the phone in the primary language.")
        title = texts.get(primary, next(iter(texts.values()))).title
        raise HelpdeskError(message, field=f"{where}.article", title=title)
    return article.key


def _known_calendar(session: Session, calendar_id: Any) -> int | None:
    if calendar_id is None:
        return None
    if session.get(Calendar, calendar_id) is None:
        raise HelpdeskError(_lazy("Choose one from the list."), field="calendar_id")
    return int(calendar_id)


def _check_queue(session: Session, queue_id: Any, field: str) -> None:
    if queue_id is None:
        return
    queue = session.get(Queue, queue_id)
    if queue is None or not queue.active:
        raise HelpdeskError(_lazy("Choose a queue that is open."), field=field)
