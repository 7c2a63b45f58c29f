"""What the telephone shows on every page of the desk: availability, who rings, who talks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext

from helpdesk.accounts.presence import Availability, Phone, Presence
from helpdesk.calls import queries
from helpdesk.calls.carriers import provider
from helpdesk.calls.models import Call, CallState, Direction, Offer, Provider
from helpdesk.clients.models import Client, Person
from helpdesk.lib import phone
from helpdesk.lib.clock import now
from helpdesk.reports.client.card import card_of
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.tickets.views import tickets_of_client
from helpdesk.web.cached import keep
from helpdesk.web.cached import known as known_count
from helpdesk.web.desk.call_words import CHOICES, SIGNS, call_words
from helpdesk.web.desk.card import contact_lines
from helpdesk.web.desk.client_page import today
from helpdesk.web.desk.listing import draw
from helpdesk.web.guard import me, reading, viewer
from helpdesk.web.words import words

TICKETS = 4
LATE_SECONDS = 20.0
ENGAGED = (Availability.IN_CALL, Availability.WRAP_UP)
LIVE = (CallState.OFFERED, CallState.CONNECTING, CallState.TALKING, CallState.HELD)
WRITING = timedelta(minutes=30)  # before the call: what was touched then was being written


@dataclass(frozen=True)
class Telephone:
    """All of it, ready for the templates. Moments are seconds since 1970, for the timers."""

    state: str
    word: str
    icon: str
    tone: str | None
    now: int
    until: int | None  # end of the wrap-up
    paused: bool
    choices: tuple[tuple[str, str, str], ...]  # value, word, sign
    own_phone: bool  # their telephone has a number; else the browser is one
    number: str
    twin: bool  # calls are simulated: no sound comes out of the browser
    late: str | None  # callbacks that are overdue; None: not counted lately
    offer: dict[str, Any] | None
    call: dict[str, Any] | None

    @property
    def answers(self) -> bool:
        """Whether the simulated telephone of this browser has to pick up what was accepted."""
        connecting = self.call is not None and self.call["state"] == CallState.CONNECTING
        return self.twin and not self.own_phone and connecting

    @property
    def on(self) -> bool:
        """Whether this user takes part in calls at all, so that a click can call."""
        return self.state not in ("off", "email_only")


def telephone() -> Telephone:
    """What this request's reader sees of the telephone; read once a request."""
    found: Telephone | None = g.get("telephone")
    if found is None:
        found = g.telephone = _read()
    return found


def stop_keeping() -> None:
    """After a change: what is shown is read anew."""
    g.pop("telephone", None)


def _read() -> Telephone:
    at = now()
    presence: Presence | None = g.presence
    offer, call = None, None
    if presence is not None and presence.state in ENGAGED:
        offer, call = queries.phone_of(reading(), me().id)
    shown = _shown(presence)
    icon, tone = SIGNS[shown]
    known = call_words().presence
    return Telephone(
        state=shown,
        word=known[shown],
        icon=icon,
        tone=tone,
        now=int(at.timestamp()),
        until=epoch(presence.until if presence else None),
        paused=shown == "paused",
        choices=tuple((one, known[one], SIGNS[one][0]) for one in CHOICES),
        own_phone=presence is not None and presence.phone == Phone.OWN,
        number=phone.display(presence.number) if presence and presence.number else "",
        twin=provider() == Provider.TWIN,
        late=known_count(_late_key()),
        offer=_offer(offer, call) if offer and call else None,
        call=_call(call, presence) if call and not offer else None,
    )


def late_count() -> str:
    """How many callbacks of the reader's queues are overdue: "" for none; seconds old at most.

    Pages show what was counted lately, and let their rail ask for it otherwise.
    """
    return keep(_late_key(), LATE_SECONDS, _count_late)


def _count_late() -> str:
    count = queries.overdue_count(reading(), viewer(), now())
    return "" if not count else str(count) if count <= queries.CAP else f"{queries.CAP}+"


def _late_key() -> tuple[object, ...]:
    who = viewer()
    return ("counts", "callbacks", who.user_id, who.queue_ids)


def epoch(at: datetime | None) -> int | None:
    """Seconds since 1970."""
    return int(at.timestamp()) if at else None


def name_of(call: Call) -> str:
    """Who it is, as far as is known."""
    if call.person is not None:
        return call.person.name
    return number_of(call) or str(_("Withheld number"))


def number_of(call: Call) -> str:
    """The customer's number for people to read; "" for a withheld one."""
    value = call.from_number if call.direction == Direction.INBOUND else call.to_number
    return phone.display(value) if value else ""


def ticket_number(call: Call) -> int | None:
    return call.ticket_id + NUMBER_OFFSET if call.ticket_id else None


def client_context(call: Call) -> dict[str, Any]:
    """What is known of the caller: three statements."""
    card = card_of(reading(), call, queue_ids=viewer().queue_ids, today=today())
    rows = []
    if call.client_id is not None:
        rows = tickets_of_client(reading(), viewer(), call.client_id, limit=TICKETS * 3)
    open_rows = [row for row in rows if row.done_at is None]
    return {
        "call": call,
        "who": name_of(call),
        "number": number_of(call),
        "client": call.client,
        "language": words().language.get(_language(call.person, call.client) or call.language, ""),
        "card": card,
        "candidates": queries.candidates(reading(), call),
        "foreign": call.provider == Provider.PBX,
        "late": [debt for debt in card.debts if debt.late],
        "lines": contact_lines(card),
        "tickets": draw(open_rows[:TICKETS], ""),
        "open_text": _open_text(len(open_rows)),
        "today": today(),
        "at": now(),
    }


def menu_context(call: Call) -> dict[str, Any]:
    """What the caller did in the menu."""
    if call.direction != Direction.INBOUND:
        return {"heard": [], "said": []}
    return {
        "heard": queries.heard_in_menu(reading(), call, g.language),
        "said": queries.said_in_menu(reading(), call),
    }


def back_number(call: Call) -> int | None:
    """The number of the ticket to which the reader was writing when the call came."""
    ticket_id = queries.half_written(reading(), me().id, call.started_at - WRITING)
    return ticket_id + NUMBER_OFFSET if ticket_id else None


def _shown(presence: Presence | None) -> str:
    if presence is None:
        return Availability.OFF.value
    if presence.paused:
        return "paused"
    return presence.state.value


def _offer(offer: Offer, call: Call) -> dict[str, Any]:
    facts = {
        "id": offer.id,
        "until": epoch(offer.expires_at),
        "since": epoch(call.queued_at or call.started_at),
        "outgoing": call.direction == Direction.OUTBOUND,
    }
    return client_context(call) | menu_context(call) | facts


def _call(call: Call, presence: Presence | None) -> dict[str, Any]:
    after = call.state in (CallState.WRAP_UP, CallState.ENDED)
    held = call.state == CallState.HELD
    return {
        "id": call.id,
        "who": name_of(call),
        "href": f"/desk/clients/{call.client_id}" if call.client_id else None,
        "number": ticket_number(call),
        "state": call.state.value,
        "word": call_words().state[call.state],
        "after": after,
        "held": held,
        "since": epoch(call.answered_at or call.started_at),
        "seconds": talk_seconds(call),
        "talking": call.state in (CallState.TALKING, CallState.HELD),
        "recorded": call.consent_given is True,
        "notes": call.notes,
        "back": back_number(call),
        "until": epoch(presence.until if presence else None),
    }


def talk_seconds(call: Call) -> int | None:
    """How long the talk took; None while it goes on, or if there was none."""
    if call.answered_at is None or call.ended_at is None:
        return None
    return max(0, int((call.ended_at - call.answered_at).total_seconds()))


def _language(person: Person | None, client: Client | None) -> str | None:
    return (person.language if person else None) or (client.language if client else None)


def _open_text(count: int) -> str:
    if not count:
        return str(_("No open ticket"))
    return str(ngettext("Open: %(num)s ticket", "Open: %(num)s tickets", count))
