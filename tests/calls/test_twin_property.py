"""Whatever people and the product do, in any order, the twin stays consistent and comes to rest."""

from collections import Counter
from contextlib import suppress
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.calls.providers.twin.engine.acts import Wrong
from helpdesk.calls.providers.twin.engine.requests import Reply
from helpdesk.calls.providers.twin.engine.things import Leg
from tests.calls.exchange import OURS, PUBLIC, Desk

CONFERENCE = (
    '<Dial action="{then}" hangupOnStar="true"><Conference endConferenceOnExit="{ends}"'
    ' statusCallback="conference" statusCallbackEvent="start end join leave hold mute"'
    ' record="{record}" waitUrl="{wait}">c-1</Conference></Dial>'
)
PAGES = {
    "voice": '<Gather numDigits="1" action="menu" input="dtmf speech"><Say>Choose</Say></Gather>'
    "<Redirect>queue</Redirect>",
    "menu": lambda p: f"<Redirect>{MENU.get(p.get('Digits', ''), 'queue')}</Redirect>",
    "queue": '<Enqueue action="left" waitUrl="wait" maxQueueSize="2">q-1</Enqueue>',
    "wait": '<Gather numDigits="1" action="waited" timeout="3"><Say>Wait</Say></Gather>',
    "waited": lambda p: "<Leave/>" if p["Digits"] == "1" else "<Hangup/>",
    "left": lambda p: "<Redirect>message</Redirect>" if p["QueueResult"] == "leave" else "",
    "message": '<Record action="bye" timeout="2" recordingStatusCallback="recording"/>',
    "join": CONFERENCE.format(then="bye", ends="true", record="do-not-record", wait="hold"),
    "agent": CONFERENCE.format(then="bye", ends="false", record="record-from-start", wait=""),
    "hold": "<Say>One moment</Say>",
    "ring": '<Dial action="bye" timeout="5"><Number url="hold" statusCallback="leg">+380501112233'
    "</Number><Client>agent-9</Client></Dial>",
    "broken": "<Record",
    "bye": "<Say>Bye</Say>",
    "status": Reply(204),
    "leg": Reply(204),
}
MENU = {"1": "queue", "2": "message", "3": "join", "4": "ring", "5": "broken", "6": "agent"}

REST = {
    "hold": ("POST", f"Hold=true&HoldUrl={PUBLIC}/twilio/hold"),
    "unhold": ("POST", "Hold=false"),
    "mute": ("POST", "Muted=true"),
    "kick": ("DELETE", ""),
}
STATES = {"in-progress", "completed"}  # of a leg that was answered

number = st.integers(0, 5)
ACTS = st.one_of(
    st.tuples(st.just("call"), number),
    st.tuples(st.just("place"), number),
    st.tuples(st.just("advance"), st.sampled_from([0.5, 2, 5, 20])),
    st.tuples(st.sampled_from(["answer", "decline", "hangup"]), number),
    st.tuples(st.just("digits"), number, st.sampled_from("123456*")),
    st.tuples(st.just("speech"), number),
    st.tuples(st.just("redirect"), number, st.sampled_from(sorted(MENU.values()))),
    st.tuples(st.sampled_from(["hold", "unhold", "kick", "complete", "mute"]), number),
    st.tuples(
        st.just("fault"),
        st.sampled_from(["drop", "duplicate", "delay", "reorder", "slow", "lost", "fail"]),
        st.sampled_from(["", "status", "document", "conference"]),
    ),
)


def act(desk: Desk, what: str, *how: object) -> None:
    """Do one thing; the fifth telephone is the fifth of those that there are, or any."""
    exchange, legs = desk.twin.exchange, list(desk.twin.exchange.legs.values())
    if what == "call":
        desk.call(f"+38067000000{how[0]}")
    elif what == "place":
        form = {"To": f"client:agent-{how[0]}", "From": OURS, "Timeout": "10"}
        urls = {"Url": f"{PUBLIC}/twilio/agent", "StatusCallback": f"{PUBLIC}/twilio/status"}
        desk.rest("POST", "/Calls.json", urlencode(form | urls))
    elif what == "advance":
        desk.advance(float(str(how[0])))
    elif what == "fault":
        exchange.faults.add(str(how[0]), str(how[1]), seconds=20)
    elif legs:
        leg = legs[int(str(how[0])) % len(legs)]
        to_leg(desk, leg, what, *how[1:])


def to_leg(desk: Desk, leg: Leg, what: str, *how: object) -> None:
    if what in REST:
        method, form = REST[what]
        found = desk.twin.exchange.conferences.values()
        talk = next((c.sid for c in found if leg.sid in c.participants), "CF" + "0" * 32)
        desk.rest(method, f"/Conferences/{talk}/Participants/{leg.sid}.json", form)
    elif what in ("redirect", "complete"):
        to = f"Url={PUBLIC}/twilio/{how[0]}" if how else "Status=completed"
        desk.rest("POST", f"/Calls/{leg.sid}.json", to)
    else:
        words = {"keys": str(how[0])} if how else {"text": "hello there"}
        with suppress(Wrong):
            desk.act(leg, what, **words)


def consistent(desk: Desk) -> None:
    exchange = desk.twin.exchange
    waiting = [leg.sid for queue in exchange.queues.values() for leg, _ in queue.members]
    talking = [sid for talk in exchange.conferences.values() for sid in talk.participants]
    assert max(Counter(waiting + talking).values(), default=0) <= 1
    assert all(exchange.legs[sid].live for sid in waiting + talking)
    for talk in exchange.conferences.values():
        assert talk.participants.keys() == talk.members.keys()
        assert talk.status != "completed" or not talk.participants
    for leg in exchange.legs.values():
        assert leg.live == (leg.ended_at is None) and (leg.live or not leg.frames)
        assert leg.answered_at is None or leg.status in STATES


def at_rest(desk: Desk) -> None:
    exchange = desk.twin.exchange
    assert not any(leg.live for leg in exchange.legs.values())
    assert not any(queue.members for queue in exchange.queues.values())
    assert all(talk.status in ("completed", "init") for talk in exchange.conferences.values())
    assert not any(talk.participants for talk in exchange.conferences.values())
    assert all(r.status in ("completed", "absent") for r in exchange.recordings.values())
    assert exchange.agenda.next_at() is None and not exchange.requests.waiting


@settings(deadline=None, max_examples=150)
@given(st.lists(ACTS, min_size=3, max_size=25))
def test_any_acts_leave_the_twin_consistent_and_everything_ends(
    acts: list[tuple[object, ...]],
) -> None:
    desk = Desk(dict(PAGES))  # type: ignore[arg-type]
    for what, *how in acts:
        act(desk, str(what), *how)
        consistent(desk)
    desk.twin.exchange.faults.clear()
    for _ in range(3):  # hanging up may ring somebody who was waited for
        for leg in list(desk.twin.exchange.legs.values()):
            desk.act(leg, "hangup")
        consistent(desk)
    desk.advance(5 * 3600)
    at_rest(desk)
    if not any(what == "fault" for what, *_ in acts):
        told = Counter(params["CallSid"] for params in desk.of("status") + desk.of("leg"))
        assert told == Counter(leg.sid for leg in ended_with_hook(desk))


def ended_with_hook(desk: Desk) -> list[Leg]:
    """Those whose end must have been told, once."""
    return [leg for leg in desk.twin.exchange.legs.values() if leg.status_hook is not None]
