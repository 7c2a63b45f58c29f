"""When nobody can talk now: a callback to a number that was confirmed, or a message."""

from typing import Any

from helpdesk.calls import callbacks, prompts
from helpdesk.calls.caller import lines
from helpdesk.calls.caller.turn import MOST_TRIES, Turn, scene, step
from helpdesk.calls.hours import hours_for
from helpdesk.calls.menus import menu_for
from helpdesk.calls.models import PhoneMenu
from helpdesk.calls.script import Record, Redirect, Script
from helpdesk.lib import phone
from helpdesk.lib.errors import HelpdeskError

TYPING = 10  # seconds between keys of a number
LONGEST = 180  # seconds of a message
SILENT = "silent"  # in the address that follows an empty message


@scene("later")
def offer(turn: Turn) -> Script:
    """A callback or a message, as the menu has them; without either a person is left."""
    menu = _menu(turn)
    if menu.callbacks and menu.voicemail:
        return turn.ask("later", lines.later(turn.language), **_kept(turn))
    return turn.go("callback" if menu.callbacks else "voicemail")


@step("later")
def later(turn: Turn) -> Script:
    turn.queue_id = turn.was.get("queue_id")
    if turn.key == "1":
        return turn.go("callback")
    if turn.key == "2":
        return turn.go("voicemail")
    if turn.key == "*":
        return turn.go("menu")
    turn.tries = int(turn.was.get("tries", 0)) + 1
    return turn.go("voicemail") if turn.tries >= MOST_TRIES else offer(turn)


@scene("callback")
def callback(turn: Turn) -> Script:
    """Which number is called: the one they phone from, else one they type."""
    number = turn.call.from_number
    return _type(turn) if number is None else _confirm(turn, number)


@step("callback")
def which(turn: Turn) -> Script:
    turn.queue_id = turn.was.get("queue_id")
    number = turn.was.get("number")
    if number is None:
        return _typed(turn)
    if turn.key == "1":
        return _promise(turn, str(number))
    if turn.key == "2":
        return _type(turn)
    if turn.key == "*":
        return turn.go("menu")
    turn.tries = int(turn.was.get("tries", 0)) + 1
    if turn.tries >= MOST_TRIES:
        return turn.go("voicemail")
    return _confirm(turn, str(number))


@scene("voicemail")
def voicemail(turn: Turn) -> Script:
    turn.note(voicemail_at=turn.at)
    turn.stand("recorded", **_kept(turn))
    record = Record("recorded", longest=LONGEST)
    # A carrier does not ask the step of an empty message; it goes on with the document.
    return Script([*turn.lead, turn.say("voicemail"), record, Redirect(f"recorded?{SILENT}=1")])


@step("recorded")
def recorded(turn: Turn) -> Script:
    """The message is there, or nothing was said: once more, then goodbye."""
    if not (turn.heard.seconds == 0 or SILENT in turn.heard.query):
        return turn.first(turn.say("voicemail_kept")).go("goodbye")
    turn.tries = int(turn.was.get("tries", 0)) + 1
    turn.first(turn.say("voicemail_empty"))
    return turn.go("goodbye") if turn.tries > 1 else voicemail(turn)


@step("sorry")
def sorry(turn: Turn) -> Script:
    """Whatever went wrong: a person while we are open, else a callback or a message."""
    turn.first(turn.say("sorry"))
    return turn.go("person" if turn.call.queued_at is None else "later")


def _confirm(turn: Turn, number: str) -> Script:
    says = [turn.say("callback_confirm", number=prompts.telephone(number))]
    return turn.ask("callback", says, number=number, **_kept(turn))


def _type(turn: Turn) -> Script:
    return turn.ask(
        "callback", [turn.say("callback_type")], digits=0, timeout=TYPING, **_kept(turn)
    )


def _typed(turn: Turn) -> Script:
    if turn.key == "*":
        return turn.go("menu")
    number = phone.normalize(turn.key or "", turn.country)
    if number is not None and phone.is_ordinary(number, turn.country):
        return _confirm(turn, number)
    turn.tries = int(turn.was.get("tries", 0)) + 1
    turn.first(turn.say("callback_wrong" if turn.key else "silence"))
    return turn.go("voicemail") if turn.tries >= MOST_TRIES else _type(turn)


def _promise(turn: Turn, number: str) -> Script:
    try:
        task = callbacks.promise(turn.session, turn.call, number, turn.at)
    except HelpdeskError:  # e.g. too many promises to one number
        return turn.first(turn.say("sorry")).go("voicemail")
    turn.note(callback_at=turn.at)
    menu = _menu(turn)
    zone = hours_for(turn.session, _queue_id(turn), menu).zone
    by = prompts.by(task.due_at, zone, turn.language, turn.at)
    return turn.first(turn.say("callback_by", by=by)).go("goodbye")


def _queue_id(turn: Turn) -> int | None:
    return turn.queue_id if turn.queue_id is not None else turn.call.queue_id


def _menu(turn: Turn) -> PhoneMenu:
    return menu_for(turn.session, _queue_id(turn))


def _kept(turn: Turn) -> dict[str, Any]:
    """The queue that the caller chose, for the steps that follow."""
    return {} if turn.queue_id is None else {"queue_id": turn.queue_id}
