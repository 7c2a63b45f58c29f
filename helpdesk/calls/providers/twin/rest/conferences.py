"""Conferences and their participants, queues and their members."""

from xml.etree.ElementTree import Element, SubElement, tostring

from helpdesk.calls.providers.twin.engine import conferring
from helpdesk.calls.providers.twin.engine.queueing import named
from helpdesk.calls.providers.twin.engine.things import Conference, Hook, Participant, Queue
from helpdesk.calls.providers.twin.engine.twin import Twin
from helpdesk.calls.providers.twin.rest import calls, lists, shapes
from helpdesk.calls.providers.twin.rest.wire import Answer, Incoming, Problem, as_json, missing

DIALLED = {
    "Label": "participantLabel",
    "StartConferenceOnEnter": "startConferenceOnEnter",
    "EndConferenceOnExit": "endConferenceOnExit",
    "Muted": "muted",
    "Beep": "beep",
    "WaitUrl": "waitUrl",
    "ConferenceStatusCallback": "statusCallback",
    "ConferenceStatusCallbackMethod": "statusCallbackMethod",
    "ConferenceRecord": "record",
    "CallSidToCoach": "coach",
}
"""Fields of a new participant, and the attributes of <Conference> that say the same."""


def index(twin: Twin, request: Incoming) -> Answer:
    found = [
        each
        for each in reversed(twin.exchange.conferences.values())
        if lists.same(request, FriendlyName=each.name, Status=each.status)
        and lists.within(request, "DateCreated", each.created_at)
    ]
    return lists.page(
        request, "conferences", found, lambda each: shapes.conference(twin.exchange, each)
    )


def fetch(twin: Twin, request: Incoming, sid: str) -> Answer:
    return as_json(shapes.conference(twin.exchange, _known(twin, request, sid)))


def update(twin: Twin, request: Incoming, sid: str) -> Answer:
    """End a conference. Raises Problem."""
    found = _known(twin, request, sid)
    if request.get("Status") == "completed":
        conferring.end(twin.exchange, found, "conference-ended-via-api")
        twin.driver.changed()
    return as_json(shapes.conference(twin.exchange, found))


def participants(twin: Twin, request: Incoming, sid: str) -> Answer:
    conference = _known(twin, request, sid)
    found = [
        each
        for each in conference.participants.values()
        if lists.same(request, Muted=_word(each.muted), Hold=_word(each.held))
    ]
    return lists.page(
        request, "participants", found, lambda p: shapes.participant(twin.exchange, sid, p)
    )


def invite(twin: Twin, request: Incoming, name: str) -> Answer:
    """Ring somebody who joins the conference once they answer; it may be named by its sid or by
    its name, and is made if there is none. Raises Problem.
    """
    running = twin.exchange.conferences.get(name)
    if running is None and name.startswith("CF") and len(name) == 34:
        raise missing(request.path)
    wanted = running.name if running else name
    conference = running or conferring.named(twin.exchange, wanted)
    leg = calls.placed(twin, request, inline=_dialled(request, wanted))
    twin.dial_out(leg)
    twin.driver.changed()
    future = Participant(
        leg,
        request.get("Label") or "",
        twin.exchange.agenda.now(),
        end=request.get("EndConferenceOnExit") == "true",
    )
    return as_json(shapes.participant(twin.exchange, conference.sid, future), 201)


def participant(twin: Twin, request: Incoming, sid: str, call_sid: str) -> Answer:
    return as_json(shapes.participant(twin.exchange, sid, _in(twin, request, sid, call_sid)))


def change(twin: Twin, request: Incoming, sid: str, call_sid: str) -> Answer:
    """Hold, mute. Raises Problem."""
    found = _in(twin, request, sid, call_sid)
    member = twin.exchange.conferences[sid].members[found.leg.sid]
    held, muted = _flag(request, "Hold"), _flag(request, "Muted")
    if held is not None:
        source = Hook.made(calls.address(request.get("HoldUrl")), request.get("HoldMethod"))
        member.hold(held, source)
    if muted is not None:
        member.mute(muted)
    ends = _flag(request, "EndConferenceOnExit")
    found.end = found.end if ends is None else ends
    coaching = _flag(request, "Coaching")
    if coaching is not None:
        found.coaching, found.coached = coaching, request.get("CallSidToCoach") or found.coached
    twin.driver.changed()
    return as_json(shapes.participant(twin.exchange, sid, found))


def remove(twin: Twin, request: Incoming, sid: str, call_sid: str) -> Answer:
    found = _in(twin, request, sid, call_sid)
    twin.exchange.conferences[sid].members[found.leg.sid].kick("participant_updated_via_api")
    twin.driver.changed()
    return Answer(204)


def queues(twin: Twin, request: Incoming) -> Answer:
    found = list(twin.exchange.queues.values())
    return lists.page(request, "queues", found, lambda each: shapes.queue(twin.exchange, each))


def add_queue(twin: Twin, request: Incoming) -> Answer:
    name = request.get("FriendlyName")
    if not name:
        raise Problem(400, 22001, "FriendlyName is required")
    found = named(twin.exchange, name)
    most = request.get("MaxSize") or ""
    found.max_size = int(most) if most.isdecimal() else found.max_size
    return as_json(shapes.queue(twin.exchange, found), 201)


def queue(twin: Twin, request: Incoming, sid: str) -> Answer:
    return as_json(shapes.queue(twin.exchange, _queue(twin, request, sid)))


def queue_members(twin: Twin, request: Incoming, sid: str) -> Answer:
    found = _queue(twin, request, sid)
    places = list(range(1, len(found.members) + 1))
    return lists.page(
        request, "queue_members", places, lambda n: shapes.queue_member(twin.exchange, found, n)
    )


def _queue(twin: Twin, request: Incoming, sid: str) -> Queue:
    found = twin.exchange.queues.get(sid)
    if found is None:
        raise missing(request.path)
    return found


def _known(twin: Twin, request: Incoming, sid: str) -> Conference:
    found = twin.exchange.conferences.get(sid)
    if found is None:
        raise missing(request.path)
    return found


def _in(twin: Twin, request: Incoming, sid: str, name: str) -> Participant:
    """A participant, by the leg's sid or by label."""
    for call_sid, found in _known(twin, request, sid).participants.items():
        if name in (call_sid, found.label):
            return found
    raise missing(request.path)


def _dialled(request: Incoming, name: str) -> str:
    """The document by which the invited leg joins."""
    response = Element("Response")
    noun = SubElement(SubElement(response, "Dial"), "Conference")
    noun.text = name
    for field, attribute in DIALLED.items():
        if value := request.get(field):
            noun.set(attribute, value)
    if events := request.all("ConferenceStatusCallbackEvent"):
        noun.set("statusCallbackEvent", " ".join(" ".join(events).split()))
    return tostring(response, encoding="unicode")


def _flag(request: Incoming, name: str) -> bool | None:
    value = (request.get(name) or "").lower()
    return None if value not in ("true", "false") else value == "true"


def _word(value: bool) -> str:
    return "true" if value else "false"
