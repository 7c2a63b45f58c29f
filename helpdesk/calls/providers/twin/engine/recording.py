"""Recordings: of a message, of a leg or of a conference, and what is told about them."""

from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element

from helpdesk.calls.providers.twin.engine.exchange import Exchange, keep
from helpdesk.calls.providers.twin.engine.params import API_VERSION, rfc2822
from helpdesk.calls.providers.twin.engine.running import Runner
from helpdesk.calls.providers.twin.engine.speaking import CHARACTERS_A_SECOND
from helpdesk.calls.providers.twin.engine.things import (
    Activity,
    Frame,
    Hook,
    Leg,
    Recording,
    new_sid,
)

TOLD_SECONDS = 1.0  # from the end of the sound to the callback
SILENT = 16102
LONGEST = 3600.0
SILENCE = 5.0
ANY_KEY = "1234567890*#"


def begin(
    exchange: Exchange, call_sid: str, source: str, hook: Hook | None, **details: Any
) -> Recording:
    """Start to record."""
    at = exchange.agenda.now()
    recording = Recording(new_sid("RE"), call_sid, source, at, hook, resumed_at=at, **details)
    keep(exchange.recordings, recording, lambda each: each.resumed_at is None)
    _tell(exchange, recording)
    return recording


def pause(exchange: Exchange, recording: Recording) -> None:
    _count(exchange, recording)
    recording.status = "paused"


def resume(exchange: Exchange, recording: Recording) -> None:
    recording.status, recording.resumed_at = "in-progress", exchange.agenda.now()


def finish(exchange: Exchange, recording: Recording, *, silent: bool = False) -> None:
    """Stop to record; that it is there (or that there is none) is told a moment later."""
    if recording.status not in ("in-progress", "paused"):
        return
    _count(exchange, recording)
    recording.status, recording.updated_at = "processing", exchange.agenda.now()
    absent = silent or recording.seconds < 1
    exchange.agenda.after(TOLD_SECONDS, lambda: _kept(exchange, recording, absent))


def of_leg(
    exchange: Exchange, leg: Leg, source: str, hook: Hook | None, channels: int
) -> Recording:
    """Record a leg until it is over."""
    recording = begin(exchange, leg.sid, source, hook, channels=channels)
    leg.on_end.append(lambda: finish(exchange, recording))
    return recording


def url(exchange: Exchange, recording: Recording) -> str:
    """The recording's address at Twilio; the product asks its own configured one by the sid."""
    account = exchange.account.sid
    return f"https://api.twilio.com/{API_VERSION}/Accounts/{account}/Recordings/{recording.sid}"


def _count(exchange: Exchange, recording: Recording) -> None:
    if recording.resumed_at is not None:
        ran = exchange.agenda.now() - recording.resumed_at
        recording.seconds, recording.resumed_at = recording.seconds + ran.total_seconds(), None


def _kept(exchange: Exchange, recording: Recording, absent: bool) -> None:
    recording.status = "absent" if absent else "completed"
    recording.error = SILENT if absent else None
    recording.updated_at = exchange.agenda.now()
    _tell(exchange, recording)


def _tell(exchange: Exchange, recording: Recording) -> None:
    hook = recording.hook
    if hook is None or recording.status not in hook.events:
        return
    form = {
        "AccountSid": exchange.account.sid,
        "CallSid": recording.call_sid,
        "RecordingSid": recording.sid,
        "RecordingUrl": url(exchange, recording),
        "RecordingStatus": recording.status,
        "RecordingChannels": str(recording.channels),
        "RecordingStartTime": rfc2822(recording.started_at),
        "RecordingSource": recording.source,
        "RecordingTrack": "both",
    }
    if recording.status == "completed":
        form["RecordingDuration"] = str(int(recording.seconds))
    if recording.error:
        form["ErrorCode"] = str(recording.error)
    if recording.conference_sid:
        form["ConferenceSid"] = recording.conference_sid
    exchange.tell(hook, form, kind="recording", call=recording.call_sid)


class Messaging(Activity):
    """Record: takes a message until a key, silence, the longest time or the end of the call."""

    def __init__(self, runner: Runner, leg: Leg, frame: Frame, verb: Element) -> None:
        self.runner, self.leg, self.frame, self.verb = runner, leg, frame, verb
        self.finish = verb.get("finishOnKey", ANY_KEY)
        self.silence = float(verb.get("timeout") or SILENCE)
        exchange = runner.exchange
        if verb.get("playBeep") != "false":
            exchange.hear(leg, "carrier", "beep", "")
        hook = runner.hook(frame, verb, "recordingStatusCallback")
        self.recording = begin(exchange, leg.sid, "RecordVerb", hook)
        self.spoke_until = exchange.agenda.now()
        exchange.later(leg, float(verb.get("maxLength") or LONGEST), self._long)
        exchange.later(leg, self.silence, self._perhaps_silent)

    def key(self, key: str) -> None:
        if key in self.finish:
            self._over(key)

    def words(self, text: str, confidence: float) -> None:
        """Somebody speaks; silence is counted from the end of it."""
        self.recording.words.append(text)
        now = self.runner.exchange.agenda.now()
        speaks = timedelta(seconds=len(text) / CHARACTERS_A_SECOND)
        self.spoke_until = max(now, self.spoke_until) + speaks
        ends = (self.spoke_until - now).total_seconds() + self.silence
        self.runner.exchange.later(self.leg, ends, self._perhaps_silent)

    def stop(self, why: str) -> None:
        """Hung up: what was said is kept, and the action is told."""
        silent = not self.recording.words
        self._end(silent)
        hook = self.runner.hook(self.frame, self.verb, "action", default=self.frame.url)
        if why == "hangup" and hook is not None and not silent:
            self.runner.tell(self.leg, hook, self._result("hangup"), "document")

    def asks(self) -> dict[str, Any]:
        return {"keys": bool(self.finish), "digits": 0, "finish": self.finish, "message": True}

    def _perhaps_silent(self) -> None:
        quiet = self.runner.exchange.agenda.now() - self.spoke_until
        if quiet >= timedelta(seconds=self.silence):
            self._over("")

    def _long(self) -> None:
        self._over("")

    def _over(self, key: str) -> None:
        silent = not self.recording.words
        self._end(silent)
        if silent:
            self.frame.activity = Activity()
            self.runner.step(self.leg)
            return
        default = self.frame.url
        self.runner.follow(self.leg, self.frame, self.verb, self._result(key), default=default)

    def _end(self, silent: bool) -> None:
        finish(self.runner.exchange, self.recording, silent=silent)

    def _result(self, key: str) -> dict[str, str]:
        return {
            "RecordingSid": self.recording.sid,
            "RecordingUrl": url(self.runner.exchange, self.recording),
            "RecordingDuration": str(int(self.recording.seconds)),
            "Digits": key,
        }


def record(runner: Runner, leg: Leg, frame: Frame, verb: Element) -> None:
    runner.busy(leg, frame, Activity())
    frame.activity = Messaging(runner, leg, frame, verb)
