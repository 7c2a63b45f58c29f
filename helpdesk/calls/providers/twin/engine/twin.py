"""The twin as a whole: an exchange, what its verbs do, and what drives it."""

from collections.abc import Mapping
from datetime import datetime

from helpdesk.calls.providers.twin.account import Account
from helpdesk.calls.providers.twin.engine import (
    acts,
    dialing,
    gathering,
    messages,
    queueing,
    recording,
    speaking,
)
from helpdesk.calls.providers.twin.engine.agenda import Agenda
from helpdesk.calls.providers.twin.engine.documents import Check
from helpdesk.calls.providers.twin.engine.driver import Driver, Transport
from helpdesk.calls.providers.twin.engine.exchange import Exchange
from helpdesk.calls.providers.twin.engine.running import Runner, Verb
from helpdesk.calls.providers.twin.engine.things import Hook, Leg, Message, new_sid

VERBS: Mapping[str, Verb] = {
    "Say": speaking.sound,
    "Play": speaking.sound,
    "Pause": speaking.sound,
    "Gather": gathering.gather,
    "Enqueue": queueing.enqueue,
    "Leave": speaking.leave,
    "Dial": dialing.dial,
    "Record": recording.record,
    "Redirect": speaking.redirect,
    "Reject": speaking.reject,
    "Hangup": speaking.hang_up,
}


class Twin:
    """Everything that can be done to the twin; each method takes the lock itself."""

    def __init__(
        self,
        account: Account,
        public_url: str,
        transport: Transport,
        check: Check,
        manual_at: datetime | None = None,
    ) -> None:
        self.exchange = Exchange(account, public_url, Agenda(manual_at), check)
        self.runner = Runner(self.exchange, VERBS)
        self.driver = Driver(self.exchange, transport)

    def call(self, from_: str, to: str, extra: Mapping[str, str] | None = None) -> Leg:
        """Somebody calls one of our numbers, or a browser calls out. Raises Wrong."""
        with self.driver.lock:
            leg = acts.call(self.exchange, self.runner, from_, to, extra)
            self.driver.changed()
            return leg

    def act(
        self, sid: str, what: str, *, keys: str = "", text: str = "", confidence: float = 0.9
    ) -> None:
        """What the person at this telephone does: answer, decline, digits, speech, hangup.

        Raises KeyError for an unknown leg and Wrong for what makes no sense.
        """
        with self.driver.lock:
            leg = self.exchange.legs[sid]
            if what == "digits":
                acts.press(self.exchange, leg, keys)
            elif what == "speech":
                acts.speak(self.exchange, leg, text, confidence)
            else:
                PLAIN[what](self.exchange, leg)
            self.driver.changed()

    def write(self, from_: str, to: str, body: str, media: tuple[str, ...] = ()) -> Message:
        """Somebody writes an SMS to one of our numbers."""
        with self.driver.lock:
            text = messages.write(self.exchange, from_, to, body, media)
            self.driver.changed()
            return text

    def dial_out(self, leg: Leg) -> Leg:
        """Ring a telephone for the product; its document runs once it is answered."""
        leg.on_answer = lambda: self.runner.start(leg)
        self.exchange.add_leg(leg)
        self.exchange.ring(leg)
        return leg


PLAIN = {"answer": acts.answer, "decline": acts.decline, "hangup": acts.hang_up}


def outbound(
    twin: Twin, from_: str, to: str, document: Hook, *, inline: str | None, timeout: int
) -> Leg:
    """A leg that rings somebody for the product."""
    return Leg(
        new_sid("CA"),
        "outbound-api",
        from_,
        to,
        twin.exchange.agenda.now(),
        document,
        inline=inline,
        timeout=timeout,
    )
