"""Dial: numbers and browsers rung from a leg, the bridge to whoever answers, conferences."""

from collections.abc import Callable
from xml.etree.ElementTree import Element

from helpdesk.calls.providers.twin.engine import recording
from helpdesk.calls.providers.twin.engine.conferring import confer
from helpdesk.calls.providers.twin.engine.params import duration
from helpdesk.calls.providers.twin.engine.running import Runner
from helpdesk.calls.providers.twin.engine.things import Activity, Frame, Hook, Leg, new_sid

RING_SECONDS = 30
TIME_LIMIT = 14_400.0
RECORDED = {"record-from-answer", "record-from-ringing", "true"}


class Dialing(Activity):
    """Rings one or several telephones; the first that answers is connected."""

    def __init__(
        self, runner: Runner, leg: Leg, frame: Frame, dial: Element, nouns: list[Element]
    ) -> None:
        self.runner, self.leg, self.frame, self.dial = runner, leg, frame, dial
        self.exchange = runner.exchange
        self.children = [self._child(noun) for noun in nouns]
        self.bridged: Leg | None = None
        self.over = False

    def ring(self) -> None:
        self.exchange.hear(self.leg, "carrier", "ringing", "")
        for child in self.children:
            self.exchange.ring(child)

    def key(self, key: str) -> None:
        if key == "*" and self.bridged and self.dial.get("hangupOnStar") == "true":
            self.exchange.end(self.bridged)

    def stop(self, why: str) -> None:
        """The one who dialled is gone: everybody they rang is hung up."""
        self.over = True
        for child in self.children:
            self.exchange.end(child, "completed" if child.answered_at else "canceled")

    def _child(self, noun: Element) -> Leg:
        runner, frame = self.runner, self.frame
        to = (noun.text or "").strip()
        child = Leg(
            new_sid("CA"),
            "outbound-dial",
            self.dial.get("callerId") or self.leg.from_,
            f"client:{to}" if noun.tag == "Client" else to,
            self.exchange.agenda.now(),
            runner.hook(frame, noun, "url") or Hook(""),
            fallback=self.leg.fallback,
            status_hook=runner.hook(frame, noun, "statusCallback"),
            parent_sid=self.leg.sid,
            timeout=int(self.dial.get("timeout") or RING_SECONDS),
        )
        child.on_answer = lambda: self._answered(child)
        child.on_end.append(lambda: self._ended(child))
        child.on_document_end = self._heard_out(child)
        return self.exchange.add_leg(child)

    def _answered(self, child: Leg) -> None:
        """Whoever answers may hear a document of their own first; the others stop ringing."""
        for other in self.children:
            if other is not child:
                self.exchange.end(other, "canceled")
        if child.document.url:
            self.runner.start(child)
        else:
            self._bridge(child)

    def _heard_out(self, child: Leg) -> Callable[[], bool]:
        def bridge() -> bool:
            if self.bridged is None and not self.over:
                self._bridge(child)
                return True
            return False

        return bridge

    def _bridge(self, child: Leg) -> None:
        self.bridged = child
        child.frames = []
        child.turn += 1
        self.exchange.answer(self.leg)
        self.exchange.hear(self.leg, "carrier", "connected", child.to)
        self.exchange.hear(child, "carrier", "connected", self.leg.from_)
        limit = float(self.dial.get("timeLimit") or TIME_LIMIT)
        self.exchange.later(child, limit, lambda: self.exchange.end(child))
        kind = self.dial.get("record", "")
        if kind.removesuffix("-dual") in RECORDED:
            hook = self.runner.hook(self.frame, self.dial, "recordingStatusCallback")
            channels = 2 if kind.endswith("-dual") else 1
            recording.of_leg(self.exchange, child, "DialVerb", hook, channels)

    def _ended(self, child: Leg) -> None:
        if self.over or any(other.live for other in self.children):
            return
        self.over = True
        form = {
            "DialCallSid": child.sid,
            "DialCallStatus": child.status,
            "DialCallDuration": str(duration(child)),
            "DialBridged": "true" if self.bridged is child else "false",
        }
        self.runner.follow(self.leg, self.frame, self.dial, form)


def dial(runner: Runner, leg: Leg, frame: Frame, verb: Element) -> None:
    """A conference, or telephones; a number may stand without a noun."""
    nouns = list(verb)
    if nouns and nouns[0].tag == "Conference":
        confer(runner, leg, frame, verb, nouns[0])
        return
    if not nouns and (verb.text or "").strip():
        nouns = [_number((verb.text or "").strip())]
    if not nouns or any(noun.tag not in ("Number", "Client") for noun in nouns):
        runner.refuse(leg, 13201, "Dial: the twin knows Number, Client and Conference")
        return
    dialing = Dialing(runner, leg, frame, verb, nouns)
    runner.busy(leg, frame, dialing)
    dialing.ring()


def _number(text: str) -> Element:
    noun = Element("Number")
    noun.text = text
    return noun
