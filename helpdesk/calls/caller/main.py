"""The menu of a queue: its choices, 0 for a person, * once more, and another language."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.calls import menus, prompts
from helpdesk.calls.caller import answers, lines
from helpdesk.calls.caller.turn import Turn, scene, step
from helpdesk.calls.models import PhoneMenu
from helpdesk.calls.script import Hangup, Script
from helpdesk.tickets.models import Queue


@scene("menu")
def offer(turn: Turn) -> Script:
    turn.note(menu_at=turn.at)
    choices = turn.menu.choices
    labels = labels_of(turn.session, turn.menu, turn.language)
    if not turn.is_open and not turn.tries:
        turn.first(lines.closed(turn.hours, turn.language, turn.hour))
    return turn.ask("menu", lines.menu(choices, labels, turn.language, is_open=turn.is_open))


@step("menu")
def menu(turn: Turn) -> Script:
    if turn.key is None or turn.key == "*":
        return turn.go("menu")
    if turn.key == "0":
        return turn.go("person")
    chosen = [choice for choice in turn.menu.choices if choice["digit"] == turn.key]
    if chosen:
        return _do(turn, chosen[0])
    if turn.key == lines.language_key(turn.menu.choices):
        return turn.go("language")
    return turn.puzzled("menu")


@step("more")
def more(turn: Turn) -> Script:
    """After an answer that helped: the menu, a person, or goodbye."""
    if turn.key == "1":
        return turn.go("menu")
    return turn.anywhere() or turn.go("goodbye")


@scene("goodbye")
def goodbye(turn: Turn) -> Script:
    turn.stand("goodbye")
    return Script([*turn.lead, turn.say("goodbye"), Hangup()])


def labels_of(session: Session, menu: PhoneMenu, language: str) -> dict[str, str]:
    """What each key is for, by digit: the menu's words, else the name of what it leads to."""
    return {
        str(choice["digit"]): choice["labels"].get(language) or _named(session, choice, language)
        for choice in menu.choices
    }


def _named(session: Session, choice: Mapping[str, Any], language: str) -> str:
    if choice["action"] == "answer":
        text = menus.voiced(session, choice["article"] or "", language)
        if text is not None and text.lang == language:
            return text.title
    if choice["action"] == "queue":
        queue = session.get(Queue, choice["queue_id"])
        if queue is not None:
            return queue.name
    return prompts.text(f"label_{choice['action']}", language)


def _do(turn: Turn, choice: Mapping[str, Any]) -> Script:
    turn.call.skill = choice["skill"]
    action = choice["action"]
    if action == "answer":
        return answers.by_topic(turn, str(choice["article"]))
    if action == "queue":
        turn.queue_id = choice["queue_id"]
        return turn.go("person")
    return turn.go(action)
