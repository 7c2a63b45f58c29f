"""A caller's telephone for tests of the menu: presses, speaks, keeps silent, hears the document.

It asks the steps as a carrier would, each document rendered and checked as Twilio's.
"""

from dataclasses import dataclass, field
from typing import Any

from helpdesk import ext
from helpdesk.calls import flow, record
from helpdesk.calls.carriers import carrier
from helpdesk.calls.models import Call, LegState, Provider
from helpdesk.calls.providers.port import Heard
from helpdesk.calls.providers.twilio import checker
from helpdesk.calls.script import (
    Enqueue,
    Gather,
    Hangup,
    Leave,
    Record,
    Reject,
    Say,
    Script,
)
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import new_token

KYIV = "+380671234567"
OURS = "+380443550110"  # no queue names it: calls go to the oldest one


@dataclass
class Line:
    """One call. `heard` is all that was said so far, `script` the present document."""

    number: str | None = KYIV
    name: str = field(default_factory=lambda: f"CA{new_token(12)}")
    call_id: int = 0
    script: Script = field(default_factory=Script)
    heard: list[str] = field(default_factory=list)
    queue: Enqueue | None = None
    waiting: bool = False

    @property
    def end(self) -> str:
        """Where the caller is: "asked", "queue", "message", "over", "refused"."""
        kinds = {Gather: "asked", Enqueue: "queue", Hangup: "over", Reject: "refused"}
        if self.waiting:
            return "queue"
        if any(isinstance(verb, Record) for verb in self.script.verbs):
            return "message"
        return kinds.get(type(self.script.verbs[-1]), "?") if self.script.verbs else "silence"

    @property
    def last(self) -> str:
        """What the present document says."""
        return " ".join(say.text for say in says(self.script))

    @property
    def voices(self) -> list[str]:
        return [say.language for say in says(self.script)]

    @property
    def question(self) -> Gather:
        (gather,) = [verb for verb in self.script.verbs if isinstance(verb, Gather)]
        return gather

    def press(self, digits: str) -> "Line":
        return self.step(self.question.then, digits=digits)

    def silent(self) -> "Line":
        return self.press("")

    def speak(self, words: str, confidence: float = 0.9) -> "Line":
        return self.step(self.question.then, speech=words, digits="", confidence=confidence)

    def wait(self) -> "Line":
        """The carrier asks what is heard in the queue."""
        assert self.queue is not None
        return self.step(self.queue.wait)

    def left(self, result: str) -> "Line":
        """The carrier tells why the caller is out of the queue."""
        assert self.queue is not None
        self.waiting = False
        return self.step(self.queue.then, kind="queue", queue_result=result)

    def recorded(self, seconds: int) -> "Line":
        return self.step("recorded", seconds=seconds)

    def step(self, address: str, *, kind: str = "step", **told: Any) -> "Line":
        """Ask a step; follow what needs nobody: leaving the queue, redirections."""
        name, _mark, query = address.partition("?")
        heard = Heard(
            provider=Provider.TWIN,
            kind=kind,
            key=new_token(16),
            provider_id=self.name,
            step=name,
            query=dict(pair.split("=") for pair in query.split("&") if pair),
            from_number=self.number,
            to_number=OURS,
            state=LegState.IN_PROGRESS,
            **told,
        )
        with ext.write() as session:
            call = record.take(session, heard, now())
            assert call is not None
            self.call_id = call.id
            self.script = flow.answer(session, call, heard, now())
        document = carrier().document(self.script)
        assert not checker.check(document, waiting=self.waiting), document
        self.heard += [say.text for say in says(self.script)]
        return self._follow()

    def call(self) -> Call:
        with ext.session() as session:
            return session.get_one(Call, self.call_id)

    def _follow(self) -> "Line":
        last = self.script.verbs[-1] if self.script.verbs else None
        if isinstance(last, Enqueue):
            self.queue, self.waiting = last, True
        if isinstance(last, Leave):
            return self.left("leave")
        return self


def says(script: Script) -> list[Say]:
    """All that is said, in its order."""
    found: list[Say] = []
    for verb in script.verbs:
        parts = verb.say if isinstance(verb, Gather) else [verb]
        found += [part for part in parts if isinstance(part, Say)]
    return found


def dial(number: str | None = KYIV) -> Line:
    """A call comes in and is greeted."""
    return Line(number).step("voice", kind="voice")


def english(number: str | None = KYIV) -> Line:
    """A caller whom we don't know asks for English: for tests whose matter isn't the language."""
    return dial(number).press("3")
