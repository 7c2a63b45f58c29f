"""The agent's side of a call: what their telephone is told, and what its end leads to."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from helpdesk.accounts import engaged, presence
from helpdesk.accounts.models import User
from helpdesk.accounts.presence import Phone
from helpdesk.calls import offers, outgoing, record, talks
from helpdesk.calls.agent_prompts import say
from helpdesk.calls.models import (
    Call,
    CallLeg,
    CallState,
    Direction,
    LegState,
    Offer,
    OfferOutcome,
)
from helpdesk.calls.providers.port import Heard
from helpdesk.calls.script import (
    Conference,
    Enqueue,
    Gather,
    Hangup,
    Play,
    Redirect,
    Script,
    Verb,
)
from helpdesk.calls.states import OVER
from helpdesk.lib.errors import Conflict
from helpdesk.planner.models import Task
from helpdesk.tickets.models import Queue

YES, NO = "1", "2"
MOST_ASKED = 2  # times that an own telephone is asked to press 1
PATIENCE = 6  # seconds
MUSIC = "/static/phone/hold.wav"
WITH_AGENT = (CallState.CONNECTING, CallState.TALKING, CallState.HELD)


def leg_changed(
    session: Session, call: Call, leg: CallLeg, before: LegState | None, at: datetime
) -> None:
    """The state of an agent's leg has changed: an end may end the offer, or the talk."""
    if leg.state not in OVER or before in OVER or call.provider in talks.FOREIGN:
        return
    offer = session.scalar(select(Offer).where(Offer.call_id == call.id, Offer.leg_id == leg.id))
    if offer is None:
        return
    if offer.closed_at is None:
        busy = leg.state == LegState.BUSY  # so a telephone says that they pressed "decline"
        outcome = OfferOutcome.DECLINED if busy else OfferOutcome.UNANSWERED
        offers.close(session, call, offer, outcome, at)
    elif offer.outcome == OfferOutcome.ACCEPTED and call.ended_at is None:
        talks.agent_gone(session, call, offer, leg, at)


def call_changed(session: Session, call: Call, before: CallState, at: datetime) -> None:
    """The call's state has changed: who isn't wanted any more stops ringing, and is free."""
    if call.offered_at is None:
        return
    offer = offers.last_offer(session, call)
    if offer is None:
        return
    if offer.closed_at is None and call.provider not in talks.FOREIGN:
        if call.state not in (CallState.QUEUED, CallState.OFFERED):
            offers.close(session, call, offer, OfferOutcome.WITHDRAWN, at)
        return
    if offer.outcome == OfferOutcome.ACCEPTED and call.ended_at is not None:
        talks.customer_gone(session, call, offer, at)
    if call.state == CallState.ENDED and before != CallState.ENDED:
        engaged.wrapped_up(session, offer.user_id, call.id, at)


def _agent(session: Session, call: Call, heard: Heard, at: datetime) -> Script:
    """The agent's telephone was answered. A browser asked before; a telephone of their own may be
    its voicemail, so somebody has to press 1."""
    offer = _offer(session, call, heard)
    if offer is None:
        return Script([Hangup()])
    person = presence.get(session, offer.user_id)
    if person is not None and person.phone == Phone.OWN:
        return _ask(session, call, offer, heard)
    return _accepted(session, call, offer, at)


def _accept(session: Session, call: Call, heard: Heard, at: datetime) -> Script:
    """A key was pressed on the agent's own telephone, or none."""
    offer = _offer(session, call, heard)
    if offer is None:
        return Script([Hangup()])
    if heard.digits == YES:
        return _accepted(session, call, offer, at)
    if heard.digits == NO:
        offers.close(session, offers.still(session, call), offer, OfferOutcome.DECLINED, at)
        return Script([Hangup()])
    return _ask(session, call, offer, heard)


def _ask(session: Session, call: Call, offer: Offer, heard: Heard) -> Script:
    asked = int(heard.query.get("asked", "0")) if heard.query.get("asked", "0").isdecimal() else 0
    if asked >= MOST_ASKED:
        return Script([Hangup()])
    if call.ended_at is not None:
        return _gone_words(session, call, offer)
    language = _language(session, offer)
    queue = session.get(Queue, call.queue_id) if call.queue_id is not None else None
    if call.direction == Direction.OUTBOUND and call.queued_at is None:
        whisper = say("whisper_outbound", language)
    elif queue is not None:
        whisper = say("whisper", language, queue=queue.name)
    else:
        whisper = say("whisper_nameless", language)
    then = f"accept?offer={offer.id}&asked={asked + 1}"
    return Script([Gather(then=then, say=[whisper], timeout=PATIENCE)])


def _accepted(session: Session, call: Call, offer: Offer, at: datetime) -> Script:
    """The agent wants it: into the conference, unless the caller is gone or somebody else's."""
    offers.still(session, call)
    session.refresh(offer)
    if offer.outcome != OfferOutcome.ACCEPTED:
        talks.take(session, call, offer, at)
    if offer.outcome != OfferOutcome.ACCEPTED or call.state not in WITH_AGENT:
        return _gone_words(session, call, offer)
    talks.put_through(session, call, offer, at)
    return _conference(call, f"agent-{offer.user_id}", f"over?offer={offer.id}")


def _gone_words(session: Session, call: Call, offer: Offer) -> Script:
    """Why there is nothing to take any more."""
    language = _language(session, offer)
    if call.ended_at is None and call.state not in (CallState.CALLBACK, CallState.VOICEMAIL):
        return Script([say("passed", language), Hangup()])
    if call.direction == Direction.OUTBOUND:
        return Script([say("unreached", language), Hangup()])
    key = "gone_callback" if _callback_planned(session, call) else "gone"
    return Script([say(key, language), Hangup()])


def _gone(session: Session, call: Call, heard: Heard, at: datetime) -> Script:
    """The agent is alone in the conference, since the customer never came into it."""
    offer = _offer(session, call, heard)
    return _gone_words(session, call, offer) if offer is not None else Script([Hangup()])


def _over(session: Session, call: Call, heard: Heard, at: datetime) -> Script:
    """The conference is over for the agent."""
    return Script([Hangup()])


def _join(session: Session, call: Call, heard: Heard, at: datetime) -> Script:
    """The customer is fetched to the agent, or answered our call."""
    offer = offers.last_offer(session, offers.still(session, call))
    if offer is None or offer.outcome != OfferOutcome.ACCEPTED or call.state not in WITH_AGENT:
        return _further(session, call)
    talks.joined(session, call, offer, at)
    return _conference(call, "customer", f"after?talk={offer.id}", ends=True)


def _after(session: Session, call: Call, heard: Heard, at: datetime) -> Script:
    """The customer is out of the conference: goodbye, unless their agent was lost. They may have
    a new one already."""
    offer = offers.last_offer(session, offers.still(session, call))
    newer = offer is not None and str(offer.id) != heard.query.get("talk")
    if newer and call.state in WITH_AGENT:
        return _join(session, call, heard, at)
    return _further(session, call)


def _further(session: Session, call: Call) -> Script:
    """Of a customer without an agent: into the queue again, or goodbye."""
    if call.waiting is None:
        return Script([say("goodbye", call.language), Hangup()])
    call.step = {"name": "wait"}
    session.flush()
    enqueue = Enqueue(f"q-{call.queue_id}", wait="wait", then="left")
    return Script([say("lost", call.language), enqueue])


def _hold(session: Session, call: Call, heard: Heard, at: datetime) -> Script:
    """What a held customer hears, again and again."""
    words: list[Verb] = [] if "again" in heard.query else [say("hold", call.language)]
    return Script([*words, Play(MUSIC), Redirect("hold?again=1")])


def _outgoing(session: Session, call: Call, heard: Heard, at: datetime) -> Script:
    """An agent dials from the softphone itself: the customer is rung into the conference."""
    user = _dialling(session, heard)
    if user is None:
        return Script([Hangup()])
    offers.still(session, call)
    offer = offers.last_offer(session, call) or _own_offer(session, call, user, heard, at)
    if isinstance(offer, str):
        record.note(session, call, at, withdrawn_at=at)
        return Script([say(offer, user.language), Hangup()])
    return _accepted(session, call, offer, at)


def _own_offer(session: Session, call: Call, user: User, heard: Heard, at: datetime) -> Offer | str:
    """The offer that the agent made themselves by dialling, or the prompt that says why not."""
    if call.to_number is None:
        return "cannot_dial"
    leg = session.scalar(select(CallLeg).where(CallLeg.provider_id == heard.provider_id))
    try:
        with session.begin_nested():
            presence.seen(session, user.id, at)
            offer = offers.begin(session, call, user.id, at, leg=leg)
    except (Conflict, IntegrityError):
        return "in_call"
    outgoing.add_leg(session, call, at)
    return offer


def _dialling(session: Session, heard: Heard) -> User | None:
    id_ = (heard.label or "").removeprefix("agent-")
    user = session.get(User, int(id_)) if id_.isascii() and id_.isdecimal() else None
    return user if user is not None and user.active else None


def _conference(call: Call, label: str, then: str, *, ends: bool = False) -> Script:
    return Script([Conference(call.conference, label=label, then=then, ends=ends)])


def _offer(session: Session, call: Call, heard: Heard) -> Offer | None:
    """The offer that the address names, if it is one of this call."""
    text = heard.query.get("offer", "")
    id_ = int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0
    offer = session.get(Offer, id_) if id_ else None
    return offer if offer is not None and offer.call_id == call.id else None


def _language(session: Session, offer: Offer) -> str:
    user = session.get(User, offer.user_id)
    return user.language if user is not None else "en"


def _callback_planned(session: Session, call: Call) -> bool:
    """Whether somebody will phone the caller who left."""
    if call.task_id is not None or call.state == CallState.CALLBACK:
        return True
    mine = Task.number == call.from_number, Task.done_at.is_(None)
    return session.scalar(select(Task.id).where(*mine).limit(1)) is not None


Step = Callable[[Session, Call, Heard, datetime], Script]

STEPS: Mapping[str, Step] = {
    "agent": _agent,
    "accept": _accept,
    "gone": _gone,
    "over": _over,
    "join": _join,
    "after": _after,
    "hold": _hold,
    "outgoing": _outgoing,
}
