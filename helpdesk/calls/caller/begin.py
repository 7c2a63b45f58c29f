"""A call comes in: blocked or greeted, in the language that is known or in one they choose."""

from helpdesk import settings
from helpdesk.calls import prompts
from helpdesk.calls.caller import lines
from helpdesk.calls.caller.turn import Turn, scene, step
from helpdesk.calls.script import Reject, Say, Script
from helpdesk.clients.actions import change_client
from helpdesk.clients.models import Client, Person
from helpdesk.events import SYSTEM
from helpdesk.ext import LANGUAGES

BLOCKED_TAG = "blocked"


@step("voice")
def voice(turn: Turn) -> Script:
    """The first document of a call."""
    if _blocked(turn):
        turn.note(refused_at=turn.at)
        return Script([Reject()])
    known = _stored_language(turn)
    turn.call.language = known or turn.primary
    turn.first(*_greeting(turn))
    if known is None:
        turn.note(language_at=turn.at)
        return turn.go("language")
    return turn.go("menu")


@scene("language")
def choose(turn: Turn) -> Script:
    """Each language is offered in its own voice; silence keeps the present one."""
    offers = [
        prompts.offer_language(lang, str(n)) for n, lang in enumerate(_in_order(turn.primary), 1)
    ]
    return turn.ask("language", offers)


@step("language")
def language(turn: Turn) -> Script:
    order = _in_order(turn.primary)
    key = turn.key or ""
    if key in ("0", "*"):
        return turn.anywhere() or turn.go("menu")
    if key.isdigit() and 1 <= int(key[:1]) <= len(order):
        turn.call.language = order[int(key[:1]) - 1]
        _keep_language(turn)
    return turn.go("menu")


def _in_order(primary: str) -> list[str]:
    return [primary, *(lang for lang in prompts.LANGUAGES if lang != primary)]


def _greeting(turn: Turn) -> list[Say]:
    """Without a name: a number alone doesn't show who calls."""
    brand = str(settings.get(turn.session, "brand_name"))
    found = [lines.greeting(turn.menu.greetings, turn.language, brand)]
    incident = settings.get(turn.session, "incident").get(turn.language, "")
    return [*found, *lines.incident(incident, turn.language)]


def _stored_language(turn: Turn) -> str | None:
    """What the person, else their client, has chosen before."""
    person = turn.session.get(Person, turn.call.person_id) if turn.call.person_id else None
    client = turn.session.get(Client, turn.call.client_id) if turn.call.client_id else None
    for one in (person, client):
        if one is not None and one.language in LANGUAGES:
            return str(one.language)
    return None


def _keep_language(turn: Turn) -> None:
    """A client without a language has this one from now on; not if several share the number."""
    known = turn.call.client_id is not None and turn.call.person_id is not None
    client = turn.session.get(Client, turn.call.client_id) if known else None
    if client is not None and client.language is None and _stored_language(turn) is None:
        chosen = turn.call.language
        change_client(turn.session, client, actor=SYSTEM, at=turn.at, language=chosen)


def _blocked(turn: Turn) -> bool:
    number = turn.call.from_number
    if number is not None and number in settings.get(turn.session, "blocked_numbers"):
        return True
    client = turn.session.get(Client, turn.call.client_id) if turn.call.client_id else None
    return client is not None and BLOCKED_TAG in client.tags
