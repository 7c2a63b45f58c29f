"""Conferences: who is in, who is held, when one starts and ends, and what is told about it."""

from xml.etree.ElementTree import Element

from helpdesk.calls.providers.twin.engine import recording
from helpdesk.calls.providers.twin.engine.documents import AS_MUSIC
from helpdesk.calls.providers.twin.engine.exchange import Exchange, keep
from helpdesk.calls.providers.twin.engine.params import rfc2822
from helpdesk.calls.providers.twin.engine.running import Runner
from helpdesk.calls.providers.twin.engine.things import (
    Conference,
    Frame,
    Hook,
    Leg,
    Member,
    Participant,
    new_sid,
)

EVENTS = {
    "start": "conference-start",
    "end": "conference-end",
    "join": "participant-join",
    "leave": "participant-leave",
    "mute": "participant-mute",
    "unmute": "participant-unmute",
    "hold": "participant-hold",
    "unhold": "participant-unhold",
    "modify": "participant-modify",
}
ASKED = {"unmute": "mute", "unhold": "hold"}  # one wish covers both
LAST_LEFT = "last-participant-left"
ENDING_LEFT = "participant-with-end-conference-on-exit-left"
ALWAYS = frozenset({"completed"})  # what a hook asks for when it names no events


class Conferring(Member):
    """A leg in a conference, or waiting for it to start."""

    def __init__(
        self, runner: Runner, leg: Leg, frame: Frame, dial: Element, noun: Element
    ) -> None:
        self.runner, self.leg, self.frame, self.dial, self.noun = runner, leg, frame, dial, noun
        self.exchange = runner.exchange
        self.conference = named(self.exchange, (noun.text or "").strip())
        self.over_it: Frame | None = None  # the music while waiting or held
        self.why_left = "participant_hung_up"
        self.participant = Participant(
            leg,
            noun.get("participantLabel", ""),
            self.exchange.agenda.now(),
            start=noun.get("startConferenceOnEnter") != "false",
            end=noun.get("endConferenceOnExit") == "true",
            muted=noun.get("muted") == "true",
            coached=noun.get("coach"),
            coaching=noun.get("coach") is not None,
        )
        self.began_at = self.exchange.agenda.now()

    def join(self) -> None:
        conference = self.conference
        conference.hook = conference.hook or self.runner.hook(
            self.frame, self.noun, "statusCallback"
        )
        conference.participants[self.leg.sid] = self.participant
        conference.members[self.leg.sid] = self
        tell(self.exchange, conference, "join", self.participant)
        if conference.status == "init" and self._may_start():
            self._start()
        elif conference.status == "init":
            self.wait()

    def wait(self) -> None:
        """Hear music until the conference starts."""
        url = self.noun.get("waitUrl")
        source = self.runner.hook(self.frame, self.noun, "waitUrl") if url else None
        if source is None and url is None:
            self.exchange.hear(self.leg, "carrier", "music", "")
        self._lay("music", source)

    def hold(self, held: bool, source: Hook | None) -> None:
        """The others don't hear this one and it doesn't hear them, but what `source` says."""
        if held == self.participant.held:
            return
        self.participant.held = held
        tell(self.exchange, self.conference, "hold" if held else "unhold", self.participant)
        self._lift()
        if held:
            if source is None:
                self.exchange.hear(self.leg, "carrier", "music", "")
            self._lay("hold", source)

    def mute(self, muted: bool) -> None:
        if muted != self.participant.muted:
            self.participant.muted = muted
            tell(self.exchange, self.conference, "mute" if muted else "unmute", self.participant)

    def kick(self, why: str) -> None:
        """Out of the conference; the leg goes on after its Dial."""
        self.why_left = why
        self._out()
        self._lift()
        seconds = int((self.exchange.agenda.now() - self.began_at).total_seconds())
        done = {"DialCallStatus": "answered", "DialCallDuration": str(seconds)}
        self.runner.follow(self.leg, self.frame, self.dial, done)

    def key(self, key: str) -> None:
        if key == "*" and self.dial.get("hangupOnStar") == "true":
            self.kick("participant_hung_up")

    def stop(self, why: str) -> None:
        if why != "hangup":
            self.why_left = "participant_updated_via_api"
        self._out()

    def failed(self) -> bool:
        """Without its music one waits in silence."""
        self._lift()
        self._lay("music", None)
        return True

    def _may_start(self) -> bool:
        people = self.conference.participants.values()
        return len(people) > 1 and any(each.start for each in people)

    def _start(self) -> None:
        conference = self.conference
        conference.status = "in-progress"
        tell(self.exchange, conference, "start", None)
        for member in list(conference.members.values()):
            member.lift()
        if self.noun.get("record") == "record-from-start":
            hook = self.runner.hook(self.frame, self.noun, "recordingStatusCallback")
            conference.recording = recording.begin(
                self.exchange, self.leg.sid, "Conference", hook, conference_sid=conference.sid
            )

    def _out(self) -> None:
        conference = self.conference
        if conference.members.pop(self.leg.sid, None) is None:
            return
        del conference.participants[self.leg.sid]
        tell(self.exchange, conference, "leave", self.participant, self.why_left)
        if not conference.participants:
            end(self.exchange, conference, "last-participant-left", self.participant)
        elif self.participant.end:
            end(
                self.exchange,
                conference,
                "participant-with-end-conference-on-exit-left",
                self.participant,
            )

    def lift(self) -> None:
        """The conference has started: no more music, unless this one is held."""
        if not self.participant.held:
            self._lift()

    def _lay(self, kind: str, source: Hook | None) -> None:
        self.over_it = Frame(kind, source or Hook(""), AS_MUSIC, url=self.frame.url)
        self.runner.push(self.leg, self.over_it)

    def _lift(self) -> None:
        if self.over_it is not None:
            self.runner.pop(self.leg, self.over_it)
            self.over_it = None


def confer(runner: Runner, leg: Leg, frame: Frame, dial: Element, noun: Element) -> None:
    """Dial a conference."""
    conferring = Conferring(runner, leg, frame, dial, noun)
    runner.busy(leg, frame, conferring)
    conferring.join()


def end(
    exchange: Exchange, conference: Conference, reason: str, by: Participant | None = None
) -> None:
    """The conference is over; who is left goes on after their Dial."""
    if conference.status == "completed":
        return
    conference.status, conference.reason = "completed", reason
    conference.ended_by = by.leg.sid if by else None
    left = "moderator_ended_conference" if by else "conference_ended_via_api"
    for member in list(conference.members.values()):
        member.kick(left)
    if conference.recording is not None:
        recording.finish(exchange, conference.recording)
    tell(exchange, conference, "end", by)


def tell(
    exchange: Exchange,
    conference: Conference,
    event: str,
    participant: Participant | None,
    why: str = "",
) -> None:
    """The status callback of a conference, if it asked for this."""
    at = conference.updated_at = exchange.agenda.now()
    hook = conference.hook
    asked = ASKED.get(event, event)
    if hook is None or not (hook.events == ALWAYS or asked in hook.events):
        return
    conference.sequence += 1
    form = {
        "AccountSid": exchange.account.sid,
        "ConferenceSid": conference.sid,
        "FriendlyName": conference.name,
        "StatusCallbackEvent": EVENTS[event],
        "SequenceNumber": str(conference.sequence),
        "Timestamp": rfc2822(at),
    }
    if event == "end":
        form |= _ending(conference, participant)
    elif participant is not None:
        form |= _of(participant, why)
    call = participant.leg.sid if participant else None
    exchange.tell(hook, form, kind="conference", call=call)


def _of(participant: Participant, why: str) -> dict[str, str]:
    form = {
        "CallSid": participant.leg.sid,
        "Muted": _word(participant.muted),
        "Hold": _word(participant.held),
        "Coaching": _word(participant.coaching),
        "StartConferenceOnEnter": _word(participant.start),
        "EndConferenceOnExit": _word(participant.end),
    }
    if participant.label:
        form["ParticipantLabel"] = participant.label
    if participant.coached:
        form["CallSidToCoach"] = participant.coached
    if why:
        form |= {"ReasonParticipantLeft": why, "ParticipantCallStatus": participant.leg.status}
    return form


def _ending(conference: Conference, by: Participant | None) -> dict[str, str]:
    form = {"ReasonConferenceEnded": conference.reason or ""}
    if by is not None:
        form |= {"CallSidEndingConference": by.leg.sid}
        form |= {"ParticipantLabelEndingConference": by.label} if by.label else {}
    return form


def _word(value: bool) -> str:
    return "true" if value else "false"


def named(exchange: Exchange, name: str) -> Conference:
    """The running conference of this name, or a new one."""
    for conference in exchange.conferences.values():
        if conference.name == name and conference.status != "completed":
            return conference
    conference = Conference(new_sid("CF"), name, exchange.agenda.now())
    keep(exchange.conferences, conference, lambda each: each.status == "completed")
    return conference
