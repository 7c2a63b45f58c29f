"""How a document runs: fetched (or its fallback), verb after verb, until it ends."""

from collections.abc import Callable, Mapping
from urllib.parse import urldefrag, urljoin
from xml.etree.ElementTree import Element

from helpdesk.calls.providers.twin.engine import params
from helpdesk.calls.providers.twin.engine.documents import Refused, parsed, verbs
from helpdesk.calls.providers.twin.engine.exchange import Exchange, begin
from helpdesk.calls.providers.twin.engine.requests import Reply
from helpdesk.calls.providers.twin.engine.things import Activity, Frame, Hook, Leg

APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye."
ERROR_SECONDS = 4.0
AGAIN_SECONDS = 1.0
"""A document that took no time is not asked again at once."""
SILENT = frozenset({"Reject", "Pause", "Redirect"})
"""Verbs that may come before the call is answered."""
METHODS = {"action": "method", "url": "method", "waitUrl": "waitUrlMethod"}
"""Attributes that name the HTTP method of another one."""

Verb = Callable[["Runner", Leg, Frame, Element], None]


class Runner:
    """Runs documents on legs. `table` names what each verb does."""

    def __init__(self, exchange: Exchange, table: Mapping[str, Verb]) -> None:
        self.exchange, self.table = exchange, table

    def start(self, leg: Leg) -> None:
        """Run the leg's first document."""
        self.send_to(leg, leg.document, inline=leg.inline)

    def send_to(
        self,
        leg: Leg,
        hook: Hook,
        *,
        extra: Mapping[str, str] | None = None,
        inline: str | None = None,
    ) -> None:
        """Drop what the leg does and run another document, fetched or given."""
        for frame in reversed(leg.frames):
            frame.activity.stop("redirected")
        frame = begin(leg, hook)
        if inline is not None:
            self._given(leg, frame, inline)
        else:
            self.fetch(leg, frame, hook, extra)

    def push(self, leg: Leg, frame: Frame, extra: Mapping[str, str] | None = None) -> None:
        """Let the leg hear another document over what it waits in."""
        leg.turn += 1
        leg.frames.append(frame)
        if frame.source.url:
            self.fetch(leg, frame, frame.source, extra)

    def pop(self, leg: Leg, frame: Frame) -> None:
        """Stop this document and all that lie over it."""
        if frame not in leg.frames:
            return
        leg.turn += 1
        while leg.frames:
            top = leg.frames.pop()
            top.activity.stop("left")
            if top is frame:
                return

    def fetch(
        self, leg: Leg, frame: Frame, hook: Hook, extra: Mapping[str, str] | None = None
    ) -> None:
        """Ask for the next document of this frame, and go on with it."""
        leg.turn += 1
        turn, form = leg.turn, params.call(self.exchange.account.sid, leg) | dict(extra or {})

        def came(reply: Reply) -> None:
            if leg.turn == turn and leg.live:
                self._came(leg, frame, hook, form, reply)

        self.exchange.tell(hook, form, kind="document", call=leg.sid, done=came)

    def step(self, leg: Leg) -> None:
        """Go on with the next verb; in its own turn of events."""
        leg.turn += 1
        self.exchange.later(leg, 0, lambda: self._step(leg))

    def busy(self, leg: Leg, frame: Frame, activity: Activity) -> None:
        """The verb in progress is this."""
        leg.turn += 1
        frame.activity = activity

    def follow(
        self,
        leg: Leg,
        frame: Frame,
        verb: Element,
        extra: Mapping[str, str],
        name: str = "action",
        default: str | None = None,
    ) -> None:
        """After a verb: ask its action for a document; without one go on with the next verb."""
        frame.activity = Activity()
        hook = self.hook(frame, verb, name, default=default)
        if hook is None:
            self.step(leg)
        else:
            self.fetch(leg, frame, hook, extra)

    def hook(
        self, frame: Frame, verb: Element, name: str, *, default: str | None = None
    ) -> Hook | None:
        """The address in an attribute of a verb, relative to the document it stands in."""
        text = verb.get(name) or default
        method = verb.get(METHODS.get(name, f"{name}Method"))
        events = (verb.get(f"{name}Event") or "").split()
        return Hook.made(urljoin(frame.url, text) if text else None, method, events)

    def tell(self, leg: Leg, hook: Hook, extra: Mapping[str, str], kind: str) -> None:
        """Tell an address something of a leg; nobody waits for the answer."""
        form = params.call(self.exchange.account.sid, leg) | dict(extra)
        self.exchange.tell(hook, form, kind=kind, call=leg.sid)

    def refuse(self, leg: Leg, code: int, words: str) -> None:
        """The caller hears that something is wrong, and the call is over."""
        self.exchange.log.add(
            self.exchange.agenda.now(), "", "error", leg.sid, problem=f"{code}: {words}"
        )
        self.exchange.answer(leg)
        leg.turn += 1
        self.exchange.hear(leg, "carrier", "error", APPLICATION_ERROR, "en-US")
        self.exchange.later(leg, ERROR_SECONDS, lambda: self.exchange.end(leg))

    def _came(
        self, leg: Leg, frame: Frame, hook: Hook, form: Mapping[str, str], reply: Reply
    ) -> None:
        try:
            found = verbs(reply, frame.allowed, self.exchange.check)
        except Refused as refused:
            self._try_fallback(leg, frame, hook, form, refused)
            return
        self._load(leg, frame, urldefrag(hook.url).url, found)

    def _try_fallback(
        self, leg: Leg, frame: Frame, hook: Hook, form: Mapping[str, str], why: Refused
    ) -> None:
        fallback = leg.fallback if frame.kind == "call" else None
        if fallback is None or hook is fallback:
            self._failed(leg, why)
            return
        self.exchange.log.add(
            self.exchange.agenda.now(), hook.url, "error", leg.sid, problem=f"{why.code}: {why}"
        )
        error = {"ErrorCode": str(why.code), "ErrorUrl": urldefrag(hook.url).url}
        self.fetch(leg, frame, fallback, dict(form) | error)

    def _failed(self, leg: Leg, why: Refused) -> None:
        """A document heard while waiting fails the wait, the call's own one fails the call."""
        for under in leg.frames[:-1]:
            if under.activity.failed():
                self.exchange.log.add(
                    self.exchange.agenda.now(), "", "error", leg.sid, problem=f"{why.code}: {why}"
                )
                return
        self.refuse(leg, why.code, str(why))

    def _given(self, leg: Leg, frame: Frame, text: str) -> None:
        try:
            found = parsed(text, frame.allowed, self.exchange.check)
        except Refused as refused:
            self.refuse(leg, refused.code, str(refused))
        else:
            self._load(leg, frame, frame.url, found)

    def _load(self, leg: Leg, frame: Frame, url: str, found: list[Element]) -> None:
        frame.url, frame.verbs, frame.index = url, found, 0
        frame.loaded_at = self.exchange.agenda.now()
        self.step(leg)

    def _step(self, leg: Leg) -> None:
        frame = leg.frames[-1]
        frame.activity = Activity()
        if frame.index >= len(frame.verbs):
            self._ended(leg, frame)
            return
        verb = frame.verbs[frame.index]
        frame.index += 1
        if verb.tag not in SILENT and verb.get("answerOnBridge") != "true":
            self.exchange.answer(leg)
        action = self.table.get(verb.tag)
        if action is None:
            self.refuse(leg, 12200, f"The twin does not know <{verb.tag}>")
        else:
            action(self, leg, frame, verb)

    def _ended(self, leg: Leg, frame: Frame) -> None:
        """What is heard while waiting begins again; a call is over."""
        if frame.kind == "call":
            if leg.on_document_end is None or not leg.on_document_end():
                self.exchange.end(leg)
            return
        took = self.exchange.agenda.now() - (frame.loaded_at or self.exchange.agenda.now())
        pause = 0.0 if took.total_seconds() >= AGAIN_SECONDS else AGAIN_SECONDS
        under = leg.frames[-2].activity
        leg.turn += 1
        self.exchange.later(
            leg, pause, lambda: self.fetch(leg, frame, frame.source, under.waiting_params())
        )
