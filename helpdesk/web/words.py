"""Words that pages repeat in every row, resolved once for each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from flask import g, render_template
from flask_babel import gettext as _
from flask_babel import pgettext
from markupsafe import Markup

from helpdesk.ext import in_language
from helpdesk.web.desk import call_words


@dataclass(frozen=True)
class Words:
    """Labels by value; `unit` holds short units of time, `script` what the modules say."""

    status: Mapping[str, str]
    priority: Mapping[str, str]
    channel: Mapping[str, str]
    metric: Mapping[str, str]
    role: Mapping[str, str]
    reason: Mapping[str, str]
    kind: Mapping[str, str]
    language: Mapping[str, str]
    unit: Mapping[str, str]
    script: Mapping[str, str]
    paused: str
    late: str
    weekdays: tuple[str, ...]


def words() -> Words:
    """The words of this request's language."""
    return _words(g.get("language") or "en")


def words_in(language: str) -> Words:
    """The words of a language that need not be the reader's, e.g. of an email."""
    return _words(language)


def keys_help() -> Markup:
    """The inside of the dialog behind "?", which stands in every page of the desk."""
    return _keys_help(g.get("language") or "en")


def forget_words() -> None:
    """Read the catalogues again, e.g. in tests that change them."""
    _words.cache_clear()
    _keys_help.cache_clear()
    call_words.forget()


@lru_cache(maxsize=8)
def _keys_help(_language: str) -> Markup:
    return Markup(render_template("parts/_keys.html", page=False))


@lru_cache(maxsize=8)
def _words(language: str) -> Words:
    with in_language(language):
        return Words(
            status=_statuses(),
            priority={
                "low": pgettext("priority", "Low"),
                "normal": pgettext("priority", "Normal"),
                "high": pgettext("priority", "High"),
                "urgent": pgettext("priority", "Urgent"),
            },
            channel={
                "email": _("Email"),
                "phone": _("Call"),
                "web": _("Web form"),
                "sms": _("SMS"),
                "api": _("API"),
            },
            metric=_metrics(),
            role={
                "agent": _("Agent"),
                "supervisor": _("Supervisor"),
                "admin": _("Administrator"),
            },
            reason=_reasons(),
            kind=_kinds(),
            language={"en": "English", "ru": "русский", "uk": "українська"},
            unit=_units(),
            script=_script(),
            paused=pgettext("clock", "paused"),
            late=pgettext("clock", "overdue"),
            weekdays=_weekdays(),
        )


def _statuses() -> dict[str, str]:
    return {
        "new": pgettext("ticket status", "New"),
        "open": pgettext("ticket status", "Open"),
        "pending": pgettext("ticket status", "Awaiting client"),
        "on_hold": pgettext("ticket status", "Awaiting third party"),
        "resolved": pgettext("ticket status", "Resolved"),
        "closed": pgettext("ticket status", "Closed"),
    }


def _metrics() -> dict[str, str]:
    return {
        "first_response": _("First response"),
        "next_response": _("Next response"),
        "resolution": _("Resolution"),
        "speed_of_answer": _("Speed of answer"),
        "callback": _("Callback"),
    }


def _reasons() -> dict[str, str]:
    return {
        "working": _("working time"),
        "outside_hours": _("outside working hours"),
        "break": _("break"),
        "holiday": _("holiday"),
        "special": _("special day"),
        "weekend": _("weekend"),
        "waiting_for_client": _("awaiting the client"),
        "on_hold": _("awaiting a third party"),
        "resolved": _("was resolved"),
        "late": _("overdue"),
    }


def _kinds() -> dict[str, str]:
    return {
        "question": pgettext("ticket kind", "Question"),
        "request": pgettext("ticket kind", "Request"),
        "complaint": pgettext("ticket kind", "Complaint"),
        "suggestion": pgettext("ticket kind", "Suggestion"),
        "thanks": pgettext("ticket kind", "Thanks"),
    }


def _units() -> dict[str, str]:
    return {
        "s": pgettext("short unit", "s"),
        "min": pgettext("short unit", "min"),
        "h": pgettext("short unit", "h"),
        "d": pgettext("short unit", "d"),
        "B": pgettext("short unit", "B"),
        "kB": pgettext("short unit", "kB"),
        "MB": pgettext("short unit", "MB"),
    }


def _weekdays() -> tuple[str, ...]:
    return (
        pgettext("short weekday", "Mon"),
        pgettext("short weekday", "Tue"),
        pgettext("short weekday", "Wed"),
        pgettext("short weekday", "Thu"),
        pgettext("short weekday", "Fri"),
        pgettext("short weekday", "Sat"),
        pgettext("short weekday", "Sun"),
    )


def _script() -> dict[str, str]:
    units = _units()
    return {
        "min": units["min"],
        "h": units["h"],
        "d": units["d"],
        "saved": _("Draft saved"),
        "noted": _("Saved"),
        "restored": _("Restored from this browser"),
        "kept": _("Kept in this browser, not on the server yet"),
        "uploading": _("Uploading"),
        "nothing": _("There is no text yet."),
        "unsent": _("This was not sent: the page closed first. Look and send again."),
        "failed": _("That did not work. Your text is kept here; try again."),
        "offline": _("No connection. Your text is kept here; send again when it is back."),
        "reconnecting": _("Offline, reconnecting"),
        "signed_out": _("Your session has ended. Log in again; drafts are kept."),
        "fresh": _("New: {}, show"),
    }


def notice_text(kind: str) -> str:
    """What a notice of this kind says; the kind is that of the event behind it."""
    texts = {
        "ticket.opened": _("New ticket"),
        "ticket.assigned": _("A ticket was given to you"),
        "message.received": _("The client wrote"),
        "message.noted": _("A colleague left a note"),
        "message.failed": _("Your answer could not be delivered"),
        "message.bounced": _("The mail came back undelivered"),
        "ticket.rated": _("The client is not satisfied"),
        "clock.warned": _("A deadline is near"),
        "clock.breached": _("A deadline is over"),
        "clock.stepped": _("Escalated: a deadline is over"),
        "call.missed": _("The client called and was not answered"),
        "task.due": _("Something you planned is due"),
        "task.failed": _("A callback reached nobody"),
        "queue.unattended": _("Callers wait and nobody is on duty"),
        "alarm.began": _("An alarm began"),
        "imap.failing": _("A mailbox could not be fetched for ten minutes"),
    }
    return str(texts.get(kind, _("Something changed")))
