"""Gather: prompts that keys or words may interrupt, and what was given in the end."""

from typing import Any
from xml.etree.ElementTree import Element

from helpdesk.calls.providers.twin.engine.running import Runner
from helpdesk.calls.providers.twin.engine.speaking import hear
from helpdesk.calls.providers.twin.engine.things import Activity, Frame, Leg

TIMEOUT = 5.0


class Gathering(Activity):
    """Waits for keys, words, or silence."""

    def __init__(self, runner: Runner, leg: Leg, frame: Frame, verb: Element) -> None:
        self.runner, self.leg, self.frame, self.verb = runner, leg, frame, verb
        self.inputs = (verb.get("input") or "dtmf").split()
        self.finish = verb.get("finishOnKey", "#")
        self.count = int(verb.get("numDigits") or 0)
        text = verb.get("timeout") or ""
        self.timeout = float(text) if text.isdecimal() else TIMEOUT
        self.digits = ""
        self.prompts = list(verb)

    def prompt(self) -> None:
        """Let the next prompt sound; after the last one silence is counted."""
        if not self.prompts:
            self.listen()
            return
        seconds = hear(self.runner.exchange, self.leg, self.prompts.pop(0))
        self.runner.exchange.later(self.leg, seconds, self.prompt)

    def listen(self) -> None:
        self.leg.turn += 1
        self.runner.exchange.later(self.leg, self.timeout, self.silence)

    def key(self, key: str) -> None:
        if "dtmf" not in self.inputs:
            return
        if key in self.finish:
            self.submit(finished=key)
            return
        self.digits += key
        if len(self.digits) == self.count:
            self.submit()
        else:
            self.listen()

    def words(self, text: str, confidence: float) -> None:
        if "speech" not in self.inputs or self.digits:
            return
        self._go({"SpeechResult": text, "Confidence": f"{confidence:.4f}"})

    def silence(self) -> None:
        self.submit()

    def submit(self, finished: str = "") -> None:
        """Keys were entered, or the time is over without any."""
        if self.digits:
            self._go({"Digits": self.digits, "FinishedOnKey": finished})
        elif self.verb.get("actionOnEmptyResult") == "true":
            self._go({"Digits": "", "FinishedOnKey": finished})
        else:
            self.frame.activity = Activity()
            self.runner.step(self.leg)

    def asks(self) -> dict[str, Any]:
        listens = "speech" in self.inputs
        return {
            "keys": "dtmf" in self.inputs,
            "digits": self.count,
            "finish": self.finish,
            "entered": self.digits,
            "speech": (self.verb.get("language") or "en-US") if listens else None,
        }

    def _go(self, extra: dict[str, str]) -> None:
        self.runner.follow(self.leg, self.frame, self.verb, extra, default=self.frame.url)


def gather(runner: Runner, leg: Leg, frame: Frame, verb: Element) -> None:
    gathering = Gathering(runner, leg, frame, verb)
    runner.busy(leg, frame, gathering)
    gathering.prompt()
