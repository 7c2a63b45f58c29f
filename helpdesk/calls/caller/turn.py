"""One turn of a caller: what they sent, what is known, and how the next thing they hear is made.

A *step* takes what the caller did (keys, speech, silence), a *scene* is what they hear when they
come to a place. Scenes are known by name, so that any step leads to any place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from helpdesk import settings
from helpdesk.calls import prompts, record
from helpdesk.calls.hours import Hours, hours_for
from helpdesk.calls.menus import menu_for
from helpdesk.calls.models import Call, PhoneMenu, Provider
from helpdesk.calls.providers.port import Heard
from helpdesk.calls.script import Gather, Pause, Play, Say, Script

MOST_TRIES = 3
"""Wrong keys or silences in a row before a person takes over."""
PATIENCE = 6  # seconds of silence after a question
STAR, PERSON = "*", "0"
MOST_AHEAD = 30 * 86_400

Step = Callable[[Session, Call, Heard, datetime], Script]
Part = Say | Play | Pause


@dataclass
class Turn:
    """A request for a document, in the hands of the menu. `lead` is said before what comes."""

    session: Session
    call: Call
    heard: Heard
    at: datetime
    lead: list[Say] = field(default_factory=list)
    tries: int = 0
    queue_id: int | None = None  # that the caller chose; None: the one of the number they dialled

    @cached_property
    def was(self) -> dict[str, Any]:
        """Where the caller was: the name of the step that is asked now, with what it kept."""
        return dict(self.call.step or {})

    @property
    def language(self) -> str:
        return self.call.language

    @property
    def key(self) -> str | None:
        """The keys that were pressed: "" for silence, None where nothing was asked."""
        return self.heard.digits

    @cached_property
    def menu(self) -> PhoneMenu:
        return menu_for(self.session, self.call.queue_id)

    @cached_property
    def hours(self) -> Hours:
        return hours_for(self.session, self.call.queue_id, self.menu)

    @property
    def ahead(self) -> int:
        """Seconds by which a simulated caller's clock was put forward; 0 for a real one."""
        text = self.heard.payload.get("TwinAhead", "")
        simulated = self.heard.provider == Provider.TWIN and text.isascii() and text.isdecimal()
        return min(int(text), MOST_AHEAD) if simulated else 0

    @property
    def hour(self) -> datetime:
        """The moment by which it is told whether we are open: the caller's."""
        return self.at + timedelta(seconds=self.ahead)

    @property
    def is_open(self) -> bool:
        return self.hours.is_open(self.hour)

    @cached_property
    def primary(self) -> str:
        return str(settings.get(self.session, "primary_language"))

    @property
    def country(self) -> str:
        return str(current_app.config["COUNTRY"])

    def say(self, key: str, /, **values: object) -> Say:
        return prompts.say(key, self.language, **values)

    def first(self, *says: Say) -> "Turn":
        """Let this be said before whatever comes next."""
        self.lead += says
        return self

    def note(self, **facts: Any) -> None:
        """Put facts on the call's record; see `calls.record`."""
        record.note(self.session, self.call, self.at, **facts)

    def stand(self, name: str, **kept: Any) -> None:
        """Remember that the caller is at this step, with what it will need.

        Whose mailbox they have proved stays known to the end of the call.
        """
        lasting = {"holder": self.was["holder"]} if "holder" in self.was else {}
        tries = {"tries": self.tries} if self.tries else {}
        self.call.step = {"name": name, **lasting, **tries, **kept}

    def ask(
        self,
        name: str,
        says: Sequence[Part],
        *,
        digits: int = 1,
        timeout: int = PATIENCE,
        speech: str | None = None,
        hints: Sequence[str] = (),
        **kept: Any,
    ) -> Script:
        """Say this and hand the answer to the step `name`; keys may be pressed before the end."""
        self.stand(name, **kept)
        gather = Gather(
            then=name,
            say=[*self.lead, *says],
            digits=digits,
            timeout=timeout,
            speech=speech,
            hints=hints,
        )
        return Script([gather])

    def go(self, scene: str) -> Script:
        """Go on at another place."""
        self.tries = 0
        return SCENES[scene](self)

    def again(self, scene: str, *says: Say) -> Script:
        """Ask once more, after these words; a person takes over when that was tried enough."""
        self.tries = int(self.was.get("tries", 0)) + 1
        if self.tries >= MOST_TRIES:
            return self.first(self.say("to_person")).go("person")
        return SCENES[scene](self.first(*says))

    def puzzled(self, scene: str) -> Script:
        """Ask once more after a wrong key or silence."""
        return self.again(scene, self.say("wrong_key" if self.key else "silence"))

    def anywhere(self) -> Script | None:
        """What 0 and * do at every question."""
        if self.key == PERSON:
            return self.go("person")
        return self.go("menu") if self.key == STAR else None


Scene = Callable[[Turn], Script]
SCENES: dict[str, Scene] = {}
STEPS: dict[str, Step] = {}


def scene(name: str) -> Callable[[Scene], Scene]:
    """Register what a caller hears at a place."""

    def keep(function: Scene) -> Scene:
        SCENES[name] = function
        return function

    return keep


def step(name: str) -> Callable[[Scene], Scene]:
    """Register what takes a caller's answer at /twilio/NAME."""

    def keep(function: Scene) -> Scene:
        def run(session: Session, call: Call, heard: Heard, at: datetime) -> Script:
            return function(Turn(session, call, heard, at))

        STEPS[name] = run
        return function

    return keep
