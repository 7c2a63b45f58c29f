"""What happened inside: the call's record as lines, and what follows if everybody is busy."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.accounts.models import User
from helpdesk.calls.hours import hours_for
from helpdesk.calls.menus import menu_for
from helpdesk.calls.models import (
    Call,
    CallEvent,
    CallLeg,
    Direction,
    EndReason,
    Offer,
    OfferOutcome,
    Recording,
    RecordingKind,
)
from helpdesk.calls.queries import heard_in_menu
from helpdesk.tickets.models import NUMBER_OFFSET, Queue
from helpdesk.web.desk.call_words import call_words
from helpdesk.web.formats import moment, stopwatch, zone
from helpdesk.web.guard import reading
from helpdesk.web.words import words

EVENTS = 80
HIDDEN = "…"  # several keys may be a code: they are not kept


@dataclass(frozen=True)
class Entry:
    """A line of what happened; `href`: where the thing it names stands."""

    at: datetime
    icon: str
    title: str
    text: str = ""
    tone: str | None = None
    href: str | None = None

    @property
    def time(self) -> str:
        return f"{self.at.astimezone(zone()):%H:%M:%S}"


def call_of(leg: CallLeg | None) -> Call | None:
    """The call of a telephone, with what its lines name."""
    if leg is None:
        return None
    names = (Call.person, Call.client, Call.queue, Call.user, Call.task, Call.ticket)
    query = select(Call).where(Call.id == leg.call_id)
    return reading().scalar(query.options(*(joinedload(name) for name in names)))


def entries(call: Call | None) -> list[Entry]:
    """Everything in its order."""
    if call is None:
        return []
    found = [*_begins(call), *_menu(call), *_waits(call), *_offers(call), *_ends(call)]
    return sorted(found, key=lambda entry: entry.at)


def rules(call: Call | None, at: datetime) -> list[tuple[str, str]]:
    """(when, what): what follows by the menu if nobody takes the call."""
    if call is None or call.ended_at is not None or call.answered_at is not None:
        return []
    menu = menu_for(reading(), call.queue_id)
    hours = hours_for(reading(), call.queue_id, menu)
    found = [(_length(menu.ring_seconds), _("nobody takes it: the next agent, the place is kept"))]
    if menu.overflow_seconds and menu.overflow_queue_id:
        queue = reading().get(Queue, menu.overflow_queue_id)
        name = queue.name if queue else ""
        asked = _("team “%(queue)s” is asked too", queue=name)
        found.append((_length(menu.overflow_seconds), asked))
    ways = [_("a callback")] if menu.callbacks else []
    ways += [_("a message")] if menu.voicemail else []
    if ways:
        offered = _("offered: %(ways)s", ways=", ".join(ways))
        found.append((_length(menu.max_wait_seconds), offered))
    closes = hours.closes(at)
    if closes is not None:
        found.append(
            (f"{closes.astimezone(zone()):%H:%M}", _("closed: nobody joins the queue any more"))
        )
    return found


def _length(seconds: int) -> str:
    if seconds < 60:
        return str(_("%(num)s s", num=seconds))
    return str(_("%(num)s min", num=seconds // 60))


def _begins(call: Call) -> Iterator[Entry]:
    at = call.started_at
    if call.direction == Direction.OUTBOUND:
        name = call.person.name if call.person else ""
        href = f"/desk/clients/{call.client_id}" if call.client_id else None
        yield Entry(at, "phone-outgoing", _("We call"), name, href=href)
        return
    if call.client is not None:
        name = call.person.name if call.person else call.client.name
        tags = ", ".join(call.client.tags)
        title = _("Number known") if call.person else _("Number known to several people")
        text = f"{name}, {tags}" if tags else name
        yield Entry(at, "phone-incoming", title, text, href=f"/desk/clients/{call.client_id}")
    elif call.from_number is None:
        yield Entry(at, "phone-incoming", _("Number withheld"), _("nobody is looked up"))
    else:
        yield Entry(at, "phone-incoming", _("Number not known"), _("no client has it"))
    spoken = words().language.get(call.language, call.language)
    theirs = call.client is not None and "language_at" not in call.facts
    yield Entry(at, "language", _("Language: theirs") if theirs else _("Language"), spoken)


def _menu(call: Call) -> Iterator[Entry]:
    query = select(CallEvent.kind, CallEvent.payload, CallEvent.received_at, CallEvent.repeats)
    rows = reading().execute(
        query.where(CallEvent.call_id == call.id).order_by(CallEvent.id).limit(EVENTS)
    )
    last, again = call.started_at, 0
    for kind, payload, at, repeats in rows:
        yield from _asked(kind, payload, at)
        last, again = (at, again + repeats) if repeats else (last, again)
    if again:
        text = ngettext("%(num)s message", "%(num)s messages", again)
        yield Entry(last, "copy", _("Came twice, counted once"), text, tone="warn")
    for heard in heard_in_menu(reading(), call, g.language):
        helped = {True: _("helped"), False: _("did not help"), None: ""}[heard.helped]
        at = datetime.fromisoformat(call.facts.get("answer_at", call.started_at.isoformat()))
        yield Entry(
            at, "book-2", _("Answer read out"), ": ".join(filter(None, (heard.title, helped)))
        )
    if call.consent_asked_at is not None and call.consent_given is not None:
        told = _("agreed") if call.consent_given else _("refused")
        yield Entry(call.consent_asked_at, "microphone", _("Asked about the recording"), told)


def _asked(kind: str, payload: dict[str, Any], at: datetime) -> Iterator[Entry]:
    keys, speech = payload.get("Digits"), payload.get("SpeechResult")
    if keys:
        title = _("Several keys") if keys == HIDDEN else _("Key %(key)s", key=keys)
        yield Entry(at, "circle-dot", title, _place(kind), tone="acc")
    elif speech:
        sure = payload.get("Confidence", "")
        text = _("“%(text)s”", text=speech) + (f" · {sure[:4]}" if sure else "")
        yield Entry(at, "microphone", _("Said"), text, tone="acc")


def _place(step: str) -> str:
    """Where a key was pressed; "" where its entry says enough."""
    places = {
        "language": _("Language"),
        "menu": _("Menu"),
        "request": _("Your request"),
        "consent": _("Recording"),
        "waited": _("Queue"),
        "callback": _("Callback"),
    }
    return str(places.get(step, ""))


def _waits(call: Call) -> Iterator[Entry]:
    if call.queued_at is None:
        return
    name = call.queue.name if call.queue else ""
    told = ""
    if call.estimated_seconds:
        told = _("wait of %(length)s told", length=stopwatch(call.estimated_seconds))
    title = _("Queue “%(queue)s”", queue=name)
    yield Entry(call.queued_at, "users-group", title, told, tone="warn")
    if call.ticket_id is not None:
        number = call.ticket_id + NUMBER_OFFSET
        text = call.ticket.subject if call.ticket else ""
        title = _("Ticket № %(number)s", number=number)
        yield Entry(call.queued_at, "ticket", title, text, href=f"/desk/t/{number}")


def _offers(call: Call) -> Iterator[Entry]:
    query = (
        select(Offer, User.name)
        .join(User, User.id == Offer.user_id)
        .where(Offer.call_id == call.id)
        .order_by(Offer.id)
    )
    for offer, name in reading().execute(query):
        text = _("the telephone rings") if offer.outcome is None else ""
        yield Entry(offer.offered_at, "headset", _("Offer to %(name)s", name=name), text)
        if offer.outcome is not None and offer.closed_at is not None:
            tone = "good" if offer.outcome == OfferOutcome.ACCEPTED else "warn"
            yield Entry(offer.closed_at, "headset", _outcomes()[offer.outcome], name, tone=tone)


def _outcomes() -> dict[OfferOutcome, str]:
    return {
        OfferOutcome.ACCEPTED: _("Accepted"),
        OfferOutcome.DECLINED: _("Declined"),
        OfferOutcome.UNANSWERED: _("Not answered"),
        OfferOutcome.WITHDRAWN: _("Taken back"),
        OfferOutcome.LATE: _("Too late: the caller was gone"),
    }


def _ends(call: Call) -> Iterator[Entry]:
    href = f"/desk/call/{call.id}"
    if call.answered_at is not None:
        name = call.user.name if call.user else ""
        yield Entry(call.answered_at, "phone-call", _("They talk"), name, tone="good", href=href)
    if call.task is not None:
        due = moment(call.task.due_at, "full")
        text = _("until %(time)s", time=due)
        yield Entry(
            call.task.created_at,
            "phone-outgoing",
            _("Callback planned"),
            text,
            href="/desk/callbacks",
        )
    rows = reading().scalars(
        select(Recording).where(Recording.call_id == call.id).order_by(Recording.id)
    )
    for one in rows:
        title = _("Message") if one.kind == RecordingKind.VOICEMAIL else _("Recording")
        text = stopwatch(one.seconds) if one.seconds is not None else ""
        yield Entry(one.created_at, "player-play", title, text, href=href)
    if call.ended_at is not None:
        text = call_words().ended[call.end_reason] if call.end_reason else ""
        lost = call.end_reason in (EndReason.ABANDONED_QUEUE, EndReason.ABANDONED_RING)
        title = _("Call ended")
        yield Entry(call.ended_at, "phone-off", title, text, "bad" if lost else None, href)
    if call.wrapped_at is not None:
        result = call_words().disposition[call.disposition] if call.disposition else ""
        yield Entry(call.wrapped_at, "clipboard-check", _("Written up"), result, href=href)
