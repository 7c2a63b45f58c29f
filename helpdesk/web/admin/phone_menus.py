"""What callers hear: the menu of each queue, its hours and waits, and who is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, settings
from helpdesk.calls import menus
from helpdesk.calls.caller.main import labels_of
from helpdesk.calls.caller.preview import preview
from helpdesk.calls.hours import hours_for
from helpdesk.calls.models import PhoneMenu
from helpdesk.ext import LANGUAGES
from helpdesk.kb.models import Article, ArticleText, State
from helpdesk.lib import phone
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.tickets.models import Calendar, Queue
from helpdesk.web.admin.forms import chosen_id, page_status, wrong
from helpdesk.web.guard import actor, needs, reading
from helpdesk.web.words import words

blueprint = Blueprint("admin_phone_menus", __name__)

DEFAULT = "default"
OFFERED = 200
"""Articles in the list beside the field; any other is found by its key."""
MOST_BLOCKED = 1_000
SECONDS = tuple(menus.SECONDS)


@dataclass(frozen=True)
class Row:
    """A choice as its line of the form holds it."""

    digit: str = ""
    action: str = ""
    article: str = ""
    queue: str = ""
    skill: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """What the form of a menu holds, as typed."""

    greetings: Mapping[str, str]
    consent: Mapping[str, str]
    rows: list[Row]
    seconds: Mapping[str, str]
    flags: Mapping[str, bool]
    calendar: str
    overflow: str
    version: str


@blueprint.get("/admin/phone")
@needs("queue.change")
def listing() -> str:
    """The default menu and every open queue, with what its callers get."""
    return _listing("\n".join(map(phone.display, settings.get(reading(), "blocked_numbers"))))


@blueprint.post("/admin/phone/blocked")
@needs("queue.change")
def block() -> BaseResponse | tuple[str, int]:
    """Which numbers are refused: their calls end before anybody answers."""
    text = request.form.get("blocked", "")[:40_000]
    try:
        numbers = _read_numbers(text)
        with ext.write() as session:
            settings.put(session, "blocked_numbers", numbers, actor=actor())
    except HelpdeskError as error:
        return _listing(text, wrong(error)), page_status(error)
    flash(_("Saved."))
    return redirect("/admin/phone")


@blueprint.get("/admin/phone/<name>")
@needs("queue.change")
def edit(name: str) -> str:
    queue = _queue(reading(), name)
    return _page(queue, _shown(_base(reading(), queue)))


@blueprint.post("/admin/phone/<name>")
@needs("queue.change")
def save(name: str) -> BaseResponse | tuple[str, int]:
    queue, shown = _queue(reading(), name), _read()
    try:
        with ext.write() as session:
            menus.save(
                session,
                queue.id if queue is not None else None,
                actor=actor(),
                at=now(),
                version=int(shown.version) if shown.version.isdigit() else 0,
                **_values(shown),
            )
    except HelpdeskError as error:
        return _page(queue, shown, _wrong(error), fresh=error), page_status(error)
    flash(_("Saved. The next caller hears it."))
    return redirect(f"/admin/phone/{name}")


@blueprint.post("/admin/phone/<name>/remove")
@needs("queue.change")
def remove(name: str) -> BaseResponse | str:
    """Let the queue have the menu of the others; the page that follows can put its own back."""
    queue = _queue(reading(), name)
    with ext.write() as session:
        own = menus.own_menu(session, queue.id if queue is not None else None)
        if own is None:
            return redirect(f"/admin/phone/{name}")
        before = _shown(own, version="0")
        menus.remove(session, own, at=now(), actor=actor())
    return _page(queue, before, removed=True)


def _listing(blocked: str, errors: dict[str, str] | None = None) -> str:
    session, at = reading(), now()
    found = session.scalars(select(PhoneMenu)).all()
    own = {menu.queue_id: menu for menu in found}
    queues = session.scalars(
        select(Queue).where(Queue.active.is_(True)).order_by(Queue.sort_key)
    ).all()
    usual = own.get(None) or menus.usual()
    keys = {id_: _keys(menu) for id_, menu in {**own, None: usual}.items()}
    rows = []
    for queue in queues:
        menu = own.get(queue.id, usual)
        is_open = hours_for(session, queue.id, menu).is_open(at)
        rows.append((queue, keys.get(queue.id, keys[None]), queue.id in own, is_open))
    return render_template(
        "admin/phone_menus.html",
        rows=rows,
        written=None in own,
        display=phone.display,
        blocked=blocked,
        errors=errors or {},
    )


def action_names() -> dict[str, str]:
    """What a key may do, in an administrator's words."""
    return {
        "answer": _("Read an article"),
        "speech": _("Answer a question"),
        "status": _("State of a request"),
        "queue": _("Another queue"),
        "voicemail": _("Take a message"),
    }


def _keys(menu: PhoneMenu) -> list[tuple[str, str]]:
    """Keys and what callers hear that they are for, in the reader's language."""
    return sorted(labels_of(reading(), menu, str(g.language)).items())


def _queue(session: Session, name: str) -> Queue | None:
    """The queue of an address, None for the default menu. Raises NotFound."""
    if name == DEFAULT:
        return None
    known = name.isascii() and name.isdigit() and len(name) < 18
    queue = session.get(Queue, int(name)) if known else None
    if queue is None:
        raise NotFound()
    return queue


def _base(session: Session, queue: Queue | None) -> PhoneMenu:
    """The menu to begin with: a queue without one begins with what its callers hear now."""
    return menus.menu_for(session, queue.id if queue is not None else None)


def _read() -> Shown:
    form = request.form
    columns = ("digit", "action", "article", "queue", "skill")
    rows = []
    for n in range(menus.MOST_CHOICES):
        typed = {name: form.get(f"{name}-{n}", "")[:200].strip() for name in columns}
        labels = {lang: form.get(f"label-{n}-{lang}", "")[:300] for lang in LANGUAGES}
        rows.append(Row(**typed, labels=labels))
    return Shown(
        greetings={lang: form.get(f"greetings.{lang}", "")[:2_000] for lang in LANGUAGES},
        consent={lang: form.get(f"consent.{lang}", "")[:2_000] for lang in LANGUAGES},
        rows=rows,
        seconds={name: form.get(name, "")[:9].strip() for name in SECONDS},
        flags={name: form.get(name) == "1" for name in menus.FLAGS},
        calendar=form.get("calendar_id", "")[:20],
        overflow=form.get("overflow_queue_id", "")[:20],
        version=form.get("version", "")[:9],
    )


def _shown(menu: PhoneMenu, version: str | None = None) -> Shown:
    rows = [
        Row(
            str(choice["digit"]),
            str(choice["action"]),
            choice["article"] or "",
            str(choice["queue_id"] or ""),
            choice["skill"] or "",
            choice["labels"],
        )
        for choice in menu.choices
    ]
    seconds = {name: getattr(menu, name) for name in SECONDS}
    return Shown(
        greetings=menu.greetings,
        consent=menu.consent,
        rows=rows + [Row()] * (menus.MOST_CHOICES - len(rows)),
        seconds={name: "" if value is None else str(value) for name, value in seconds.items()},
        flags={name: bool(getattr(menu, name)) for name in menus.FLAGS},
        calendar=str(menu.calendar_id or ""),
        overflow=str(menu.overflow_queue_id or ""),
        version=version if version is not None else str(menu.version),
    )


def _values(shown: Shown) -> dict[str, Any]:
    """What the verbs take. Raises HelpdeskError."""
    choices = [
        {
            "digit": row.digit,
            "action": row.action,
            "article": row.article or None,
            "queue_id": chosen_id(row.queue, f"choices.{n}.queue_id"),
            "skill": row.skill or None,
            "labels": row.labels,
        }
        for n, row in enumerate(shown.rows)
        if row.digit or row.action
    ]
    return {
        "greetings": shown.greetings,
        "consent": shown.consent,
        "choices": choices,
        "calendar_id": chosen_id(shown.calendar, "calendar_id"),
        "overflow_queue_id": chosen_id(shown.overflow, "overflow_queue_id"),
        **shown.flags,
        **{name: _number(name, shown.seconds[name]) for name in SECONDS},
    }


def _number(name: str, text: str) -> int | None:
    if not text and name == "overflow_seconds":
        return None
    if not (text.isascii() and text.isdigit()):
        low, high = menus.SECONDS[name]
        message = _lazy("A number of seconds from %(low)s to %(high)s fits here.")
        raise HelpdeskError(message, field=name, low=low, high=high)
    return int(text)


def _read_numbers(text: str) -> list[str]:
    """Numbers, one a line, in E.164. Raises HelpdeskError."""
    country, found = str(current_app.config["COUNTRY"]), []
    for line in filter(None, map(str.strip, text.splitlines())):
        number = phone.normalize(line, country)
        if number is None:
            message = _lazy("This is not a phone number: %(number)s")
            raise HelpdeskError(message, field="blocked", number=clean_line(line, 40))
        found.append(number)
    if len(found) > MOST_BLOCKED:
        message = _lazy("At most %(limit)s numbers fit here.")
        raise HelpdeskError(message, field="blocked", limit=MOST_BLOCKED)
    return list(dict.fromkeys(found))


def _wrong(error: HelpdeskError) -> dict[str, str]:
    """Errors of a choice stand at its line, whatever part of it is wrong."""
    (name, text), *_rest = wrong(error).items()
    parts = name.split(".")
    return {".".join(parts[:2]): text} if parts[0] == "choices" else {name: text}


def _page(
    queue: Queue | None,
    shown: Shown,
    errors: dict[str, str] | None = None,
    fresh: HelpdeskError | None = None,
    removed: bool = False,
) -> str:
    session, queue_id = reading(), queue.id if queue is not None else None
    menu, own = menus.menu_for(session, queue_id), menus.own_menu(session, queue_id)
    version = shown.version if own is not None and own is menu else "0"
    if isinstance(fresh, Conflict):
        version = str(own.version) if own is not None else "0"  # saving again is a decision now
    queues = session.execute(
        select(Queue.id, Queue.name).where(Queue.active.is_(True)).order_by(Queue.sort_key)
    ).all()
    calendars = session.execute(select(Calendar.id, Calendar.name).order_by(Calendar.name)).all()
    return render_template(
        "admin/phone_menu.html",
        queue=queue,
        name=DEFAULT if queue is None else str(queue.id),
        shown=shown,
        own=own,
        version=version,
        digits=[("", "–"), *((digit, digit) for digit in menus.DIGITS)],
        actions=[("", _("Nothing")), *action_names().items()],
        queues=[("", "–"), *((str(id_), title) for id_, title in queues)],
        calendars=[("", _("that of the SLA policy")), *((str(i), n) for i, n in calendars)],
        articles=_articles(session),
        seconds=menus.SECONDS,
        hearing={lang: preview(session, menu, queue_id, lang, now()) for lang in words().language},
        places=_place_names(),
        removed=removed,
        errors=errors or {},
    )


def _articles(session: Session) -> list[tuple[str, str]]:
    """Keys and titles of articles that can be read out in the primary language."""
    primary = str(settings.get(session, "primary_language"))
    rows = session.execute(
        select(Article.key, ArticleText.title)
        .join(ArticleText, ArticleText.article_id == Article.id)
        .where(ArticleText.state == State.PUBLIC, ArticleText.lang == primary)
        .where(ArticleText.voice_text != "", Article.deleted_at.is_(None))
        .order_by(ArticleText.id.desc())
        .limit(OFFERED)
    )
    return sorted(((key, title) for key, title in rows), key=lambda row: row[1])


def _place_names() -> dict[str, str]:
    return {
        "menu": _("The call begins"),
        "consent": _("Before a person answers"),
        "wait": _("While waiting"),
        "closed": _("Outside the hours, first"),
        "later": _("When nobody can talk"),
    }
