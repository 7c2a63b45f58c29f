"""What the chosen telephone hears and waits for, and how far its caller came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext as _
from flask_babel import ngettext

from helpdesk.calls import waits
from helpdesk.calls.models import Call, CallLeg, CallState
from helpdesk.lib import phone
from helpdesk.lib.clock import now
from helpdesk.web.guard import reading
from helpdesk.web.words import words


@dataclass(frozen=True)
class Telephone:
    """One telephone of the twin. `role`: "caller", "customer" (we ring them) or "agent"."""

    sid: str
    role: str
    name: str
    number: str
    word: str
    tone: str | None
    live: bool
    rings: bool
    at_desk: bool  # an agent's browser: it is answered on the pages of the desk
    asks: Mapping[str, Any] | None
    raw: Mapping[str, Any]
    leg: CallLeg | None


def number(text: str) -> str:
    """As people read it."""
    return phone.display(text) if text.startswith("+") else _("withheld number")


def bubble(heard: Mapping[str, Any]) -> dict[str, Any]:
    """`look`: "them", "me" or "sound"."""
    kind, text = heard["kind"], heard["text"]
    if heard["who"] == "person":
        return {"look": "me", "pressed": kind == "digits", "text": text, "lang": None}
    if kind == "say" or (kind == "error" and heard["language"]):
        tone = "bad" if kind == "error" else None
        return {"look": "them", "text": text, "lang": _lang(heard["language"]), "tone": tone}
    return {"look": "sound", "text": _sounds(kind, text), "lang": None}


def _sounds(kind: str, text: str) -> str:
    known = {
        "ringing": _("It rings."),
        "music": _("Music."),
        "play": _("Music: %(name)s", name=urlsplit(text).path.rpartition("/")[2]),
        "beep": _("A beep: speak now."),
        "connected": _("Connected with %(number)s", number=number(text)),
        "error": _("The line is dead: %(words)s", words=text),
    }
    return str(known.get(kind, text))


def _lang(tag: str | None) -> str | None:
    """The tag of a voice; "uk-UA"."""
    return tag if tag and tag.replace("-", "").isalnum() else None


def language(chosen: Telephone) -> str:
    """The language that was heard last, by its own name."""
    said = [one["language"] for one in chosen.raw["heard"] if one["kind"] == "say"]
    return words().language.get((said[-1] or "")[:2], "") if said else ""


def awaited(chosen: Telephone, call: Call | None) -> str:
    """What the telephone waits for, in a sentence."""
    if not chosen.live:
        return str(_("The call is over."))
    if chosen.rings:
        return str(_("It rings. Answer it."))
    if chosen.raw["conference"]:
        return _talk(chosen, call)
    asks = chosen.asks
    if chosen.raw["queue"] and call is not None:
        place = waits.estimate(reading(), call, now()).position
        return str(_("Waits in the queue, place %(num)s.", num=place))
    if asks is None:
        return str(_("Listen: nothing is asked now."))
    if asks.get("message"):
        return str(_("A message is recorded: say it, then press # or hang up."))
    return _asked(asks)


def _talk(chosen: Telephone, call: Call | None) -> str:
    who = call.user.name if call and call.user else _("an agent")
    if chosen.raw["held"]:
        return str(_("%(name)s has put you on hold.", name=who))
    if call is not None and call.state == CallState.CONNECTING:
        return str(_("You are being connected with %(name)s.", name=who))
    return str(_("You talk with %(name)s.", name=who))


def _asked(asks: Mapping[str, Any]) -> str:
    if not asks["keys"]:
        return str(_("Words are awaited: say something."))
    count, entered = asks["digits"], asks["entered"]
    if count:
        text = ngettext("%(num)s key is awaited", "%(num)s keys are awaited", count)
    else:
        text = _("Keys are awaited; # ends them")
    if asks.get("speech"):
        text = _("%(keys)s, or words", keys=text)
    return f"{text}: {entered}" if entered else f"{text}."


def steps(chosen: Telephone, call: Call | None) -> list[tuple[str, str]]:
    """(word, "done", "now" or ""): how far the caller came."""
    if chosen.role != "caller":
        return []
    facts: Mapping[str, Any] = call.facts if call else {}
    last = _("Agent")
    if call is not None and call.answered_at is None:
        last = _("Message") if "voicemail_at" in facts else last
        last = _("Callback") if "callback_at" in facts else last
    known = call is None or call.client_id is not None
    reached = [
        any(one["kind"] == "say" for one in chosen.raw["heard"]),
        call is not None,
        call is not None and bool({"menu_at", "queued_at", "voicemail_at"} & facts.keys()),
        call is not None and call.queued_at is not None,
        call is not None and (call.answered_at is not None or last != _("Agent")),
    ]
    names = [
        _("Greeting"),
        _("Recognised") if known else _("Not known"),
        _("Menu"),
        _("Queue"),
        last,
    ]
    now = max((n for n, is_reached in enumerate(reached) if is_reached), default=-1)
    looks = [
        "now" if n == now and chosen.live else "done" if r else "" for n, r in enumerate(reached)
    ]
    return list(zip(names, looks, strict=True))
