"""The state of a caller's request: state and promise by the number alone, more after a code.

A number is no proof of who calls: what is said before the code names nobody and nothing, and a
number that we don't know hears the words of one with nothing open.
"""

from collections.abc import Sequence

from flask import current_app
from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, joinedload

from helpdesk.accounts import portal
from helpdesk.accounts.portal import WrongCode
from helpdesk.calls import prompts
from helpdesk.calls.caller.turn import MOST_TRIES, Turn, scene, step
from helpdesk.calls.script import Say, Script
from helpdesk.clients.actions import mark_verified
from helpdesk.clients.holders import Holder, holder_of, mailbox_of
from helpdesk.clients.models import Person
from helpdesk.lib.errors import TooMany
from helpdesk.tickets.models import Channel, Message, MessageKind, Status, Ticket
from helpdesk.tickets.promised import promised_on

MOST = 5
"""Open requests that are read out; who has more is helped by a person."""
MAILBOX = 25  # seconds that it takes to open a mailbox
NOBODY = 0  # no person has this id


@scene("status")
def tell(turn: Turn) -> Script:
    if turn.call.verified_at is not None and "holder" in turn.was:
        return _details(turn, int(turn.was["holder"]), 0)
    if turn.call.from_number is None:
        return turn.ask("request", [turn.say("status_withheld"), *_ways(turn)])
    tickets = _of_person(turn.session, turn.call.person_id or NOBODY)
    standing = _standing(turn, tickets[0]) if tickets else turn.say("status_none")
    return turn.ask("request", [standing, turn.say("status_more"), *_ways(turn)], more=True)


@step("request")
def request(turn: Turn) -> Script:
    if turn.key == "1" and "next" in turn.was:
        return _details(turn, int(turn.was["holder"]), int(turn.was["next"]))
    if turn.key == "1" and turn.was.get("more"):
        return _send_code(turn)
    return turn.anywhere() or turn.puzzled("status")


@step("code")
def code(turn: Turn) -> Script:
    """The code was typed, or the caller is still looking for it."""
    if turn.key in ("0", "*"):
        return turn.anywhere() or turn.go("menu")
    token = str(turn.was.get("token", ""))
    if not turn.key:
        return _wait_for_code(turn, token, turn.say("code_wait"))
    try:
        point_id = _shown(turn, token, turn.key)
    except WrongCode:
        return _wait_for_code(turn, token, turn.say("code_wrong"))
    except TooMany:
        return turn.first(turn.say("code_many"), turn.say("to_person")).go("person")
    turn.call.verified_at = turn.at
    return _details(turn.first(_thanks(turn, point_id)), point_id, 0)


def _send_code(turn: Turn) -> Script:
    """The same words and work for a number that we know and one that we don't (T17)."""
    number = str(turn.call.from_number)
    turn.note(identify_at=turn.at)
    try:
        token = portal.ask_code(
            turn.session,
            number,
            contact_point_id=mailbox_of(turn.session, None, number, turn.country),
            source=_source(turn),
            language=turn.language,
            at=turn.at,
        )
    except TooMany:
        return turn.first(turn.say("code_many"), turn.say("to_person")).go("person")
    return _ask_code(turn, token, [turn.say("code_sent"), turn.say("person")])


def _ask_code(turn: Turn, token: str, says: Sequence[Say]) -> Script:
    return turn.ask("code", says, digits=portal.DIGITS, timeout=MAILBOX, token=token)


def _wait_for_code(turn: Turn, token: str, why: Say) -> Script:
    turn.tries = int(turn.was.get("tries", 0)) + 1
    if turn.tries >= MOST_TRIES:
        return turn.first(why, turn.say("to_person")).go("person")
    return _ask_code(turn, token, [why, turn.say("person")])


def _shown(turn: Turn, token: str, typed: str) -> int:
    """The contact point that the code proves. Raises WrongCode or TooMany."""
    if not token:
        raise WrongCode()
    portal.count_try(turn.session, token, source=_source(turn), at=turn.at)
    secret = str(current_app.config["SECRET_KEY"]).encode()
    point_id = portal.check_code(turn.session, token, typed, secret=secret, at=turn.at)
    holder = holder_of(turn.session, point_id)
    if holder is None:
        raise WrongCode()
    for each in holder.point_ids:
        mark_verified(turn.session, each, at=turn.at)
    return point_id


def _thanks(turn: Turn, point_id: int) -> Say:
    """By name where the mailbox is one person's: in Ukrainian in the vocative or not at all."""
    holder = holder_of(turn.session, point_id)
    person = turn.session.get(Person, holder.person_ids[0]) if holder else None
    name = person.vocative if person and turn.language == "uk" else person.name if person else None
    if not name or "@" in name or holder is None or holder.shared:
        return turn.say("verified")
    return turn.say("verified_name", name=name)


def _details(turn: Turn, point_id: int, place: int) -> Script:
    """One open request of who has shown the code: number, kind, owner, promise."""
    holder = holder_of(turn.session, point_id)
    tickets = _of_holder(turn.session, holder) if holder is not None else []
    if place >= len(tickets):
        return turn.ask("request", [turn.say("requests_none"), *_ways(turn)], holder=point_id)
    ticket, left = tickets[place], len(tickets) - place - 1
    says = [_about(turn, ticket), *_owner(turn, ticket), _standing(turn, ticket)]
    if not left:
        return turn.ask("request", [*says, *_ways(turn)], holder=point_id)
    says += [prompts.more_requests(left, turn.language), turn.say("next_request"), *_ways(turn)]
    return turn.ask("request", says, holder=point_id, next=place + 1)


def _about(turn: Turn, ticket: Ticket) -> Say:
    kind = prompts.text(f"kind_{ticket.kind}" if ticket.kind else "kind", turn.language)
    return turn.say("request", number=prompts.digits(ticket.number), kind=kind)


def _owner(turn: Turn, ticket: Ticket) -> list[Say]:
    name = ticket.assignee.name.split() if ticket.assignee else []
    return [turn.say("owner", name=name[0])] if name else []


def _standing(turn: Turn, ticket: Ticket) -> Say:
    """Whose turn it is, and the promise of the clock that runs."""
    if ticket.status == Status.PENDING:
        return turn.say("status_pending")
    if ticket.status == Status.ON_HOLD:
        return turn.say("status_on_hold")
    promised = promised_on(turn.session, [ticket.id]).get(ticket.id)
    if promised is not None and promised.due > turn.at:
        zone = promised.timezone or str(current_app.config["TIMEZONE"])
        return turn.say("status_by", by=prompts.by(promised.due, zone, turn.language, turn.at))
    answered = ticket.waiting_since is None and ticket.first_response_at is not None
    return turn.say("status_answered" if answered else "status_soon")


def _ways(turn: Turn) -> list[Say]:
    return [turn.say("person"), turn.say("to_menu")]


def _source(turn: Turn) -> str:
    """Whose tries are counted together: those of one telephone."""
    return f"tel:{turn.call.from_number}"


def _of_person(session: Session, person_id: int) -> Sequence[Ticket]:
    return _open_tickets(session, (Ticket.person_id == person_id,), 1)


def _of_holder(session: Session, holder: Holder) -> Sequence[Ticket]:
    """All of one person's; of a mailbox that several share, what came by it."""
    mine: tuple[ColumnElement[bool], ...] = (Ticket.person_id.in_(holder.person_ids),)
    if holder.shared:
        mine += (Ticket.contact_point_id.in_(holder.point_ids),)
    return _open_tickets(session, mine, MOST)


def _open_tickets(
    session: Session, mine: Sequence[ColumnElement[bool]], most: int
) -> Sequence[Ticket]:
    """Newest first; a ticket with notes alone is our own matter."""
    spoken = (MessageKind.INBOUND, MessageKind.OUTBOUND)
    said = exists().where(Message.ticket_id == Ticket.id, Message.kind.in_(spoken))
    query = (
        select(Ticket)
        .options(joinedload(Ticket.assignee))
        .where(*mine, Ticket.done_at.is_(None), Ticket.merged_into_id.is_(None))
        .where(or_(Ticket.channel == Channel.PHONE, said))
        .order_by(Ticket.id.desc())
        .limit(most)
    )
    return session.scalars(query).all()
