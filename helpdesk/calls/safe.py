"""What a telephone hears when we can't work: said without the database, in all our languages."""

from functools import cache

from helpdesk import ext
from helpdesk.calls import prompts
from helpdesk.calls.carriers import carrier
from helpdesk.calls.script import Hangup, Pause, Record, Say, Script

WAITS = frozenset({"wait", "waited", "hold"})
"""Steps of those who wait for somebody: they go on waiting and are asked again."""
STAFF = frozenset({"agent", "accept", "gone", "over", "outgoing"})
"""Steps of agents' telephones."""
LAST = frozenset({"after", "recorded"})
"""Steps after which nothing is missing but a goodbye."""
PAUSE = 10  # seconds
LAST_RESORT = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Response><Say language="en-US">We cannot take your call now. Goodbye.</Say></Response>'
)


def document(step: str) -> str:
    """The document for a telephone that asks for this step and must not be left in silence."""
    try:
        return carrier().document(script(step))
    except Exception:  # whatever is wrong with us, a caller gets an answer
        return LAST_RESORT


def script(step: str) -> Script:
    """The apology and a message, for most steps; see the sets above for the others."""
    if step in WAITS:
        return Script([Pause(PAUSE)])
    sorry = _said("sorry")
    if step in STAFF:
        return Script([*sorry[-1:], Hangup()])
    if step in LAST:
        return Script([Hangup()])
    return Script([*sorry, *_said("voicemail"), Record(then="recorded")])


@cache
def _said(key: str) -> tuple[Say, ...]:
    """Which one they speak isn't known here; the order is that of `prompts`."""
    words: list[Say] = []
    for language in prompts.LANGUAGES:
        with ext.in_language(language):
            words.append(prompts.say(key, language))
    return tuple(words)
