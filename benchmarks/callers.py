"""Who phones in the measurements and what they do: drawn once, the same for the same seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

LISTENS = 2.5, 6.0  # seconds until a key is pressed
WAIT_LOOP = 38.0  # seconds of announcement, music and silence in the queue
PATIENCE = 60.0  # seconds in the queue, in the mean
TALK = 14.0, 26.0  # seconds
LEAST_PATIENCE = 8.0
UNKNOWN = 0.4  # of the callers phone from a number that nobody has noted


class Wish(StrEnum):
    """What somebody phones for, and what they do when it doesn't come."""

    PERSON = "person"
    ANSWER = "answer"  # the menu's answer is enough
    CALLBACK = "callback"  # would rather be called back than wait
    MESSAGE = "message"  # leaves a message from the menu
    TIRED = "tired"  # waits, then leaves a message
    NOTHING = "nothing"  # hangs up in the menu


WISHES = {
    Wish.PERSON: 66,
    Wish.ANSWER: 14,
    Wish.CALLBACK: 8,
    Wish.MESSAGE: 4,
    Wish.TIRED: 4,
    Wish.NOTHING: 4,
}
KEYS = {
    "language": dict.fromkeys(Wish, "1"),
    "menu": {Wish.ANSWER: "1", Wish.MESSAGE: "2"} | dict.fromkeys((Wish.NOTHING,), ""),
    "helped": dict.fromkeys(Wish, "1"),
    "callback": dict.fromkeys(Wish, "1"),
    "later": dict.fromkeys(Wish, "2"),
    "waited": {Wish.CALLBACK: "1", Wish.TIRED: "2"},
}
"""What is pressed at each step; in the menu the others want a person."""


@dataclass
class Caller:
    """One who phones. `draw` is their own, so that nobody's haste changes what another does."""

    number: str
    wish: Wish
    patience: float
    talk: float
    ends: bool  # hangs up first; else the agent does
    draw: random.Random = field(repr=False)

    def key(self, step: str) -> tuple[str, float]:
        """What they press when this step asks, and after how many seconds."""
        silent = "0" if step == "menu" else ""
        key = KEYS.get(step, {}).get(self.wish, silent)
        if step == "waited" and not key:
            return "", WAIT_LOOP
        return key, self.draw.uniform(*LISTENS) if key else 4.0

    @property
    def quits(self) -> bool:
        """Hangs up in the menu."""
        return self.wish == Wish.NOTHING


class Crowd:
    """Callers one after the other, and the seconds between them."""

    def __init__(self, seed: int, known: Sequence[str]) -> None:
        self.draw = random.Random(seed)
        self.known = known

    def next(self) -> Caller:
        draw = self.draw
        stranger = draw.random() < UNKNOWN or not self.known
        number = f"+38050{draw.randrange(10_000_000):07}" if stranger else draw.choice(self.known)
        return Caller(
            number=number,
            wish=draw.choices(list(WISHES), list(WISHES.values()))[0],
            patience=LEAST_PATIENCE + draw.expovariate(1 / PATIENCE),
            talk=draw.uniform(*TALK),
            ends=draw.random() < 0.6,
            draw=random.Random(draw.getrandbits(64)),
        )

    def pause(self, rate: float) -> float:
        """Seconds to the next one, when `rate` come in a second."""
        return self.draw.expovariate(rate)
