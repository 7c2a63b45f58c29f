"""The distribution of calls: who waits longest goes to the agent who has been free the longest.

Several workers may do it at the same moment: a lock makes them take turns, and the unique indexes
of offers hold even without it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

from helpdesk.accounts import duty
from helpdesk.accounts.duty import Duty
from helpdesk.accounts.presence import Availability, Presence
from helpdesk.calls import offers
from helpdesk.calls.menus import menu_for
from helpdesk.calls.models import Call, Offer, PhoneMenu, Provider
from helpdesk.ext import lock


class Waiting(NamedTuple):
    """A call that waits for an agent."""

    id: int
    queue_id: int | None
    language: str
    skill: str | None
    place_at: datetime | None
    queued_at: datetime | None


class Need(NamedTuple):
    """What an agent must bring: calls with the same need wait for the same people."""

    queue_ids: tuple[int, ...]
    language: str
    skill: str | None


def due(session: Session, at: datetime) -> bool:
    """Whether `assign` may have something to do; one statement that only reads."""
    rang_out = exists().where(Offer.closed_at.is_(None), Offer.expires_at <= at)
    free = exists().where(Presence.state == Availability.AVAILABLE, Presence.paused.is_(False))
    waits = exists(_waiting().with_only_columns(Call.id).order_by(None))
    return bool(session.scalar(select(or_(rang_out, free & waits))))


def assign(session: Session, at: datetime) -> int:
    """End the offers that rang out and offer waiting calls to free agents; returns how many of
    both.

    Calls go in the order of their places. A call goes to the longest free agent of its queue (of
    the queue it overflows to as well, when it has waited that long) who has its skill and speaks
    its language; if nobody on duty speaks it, to any other.
    """
    lock(session, "distribution")
    expired = offers.expire(session, at)
    team = duty.on_duty(session)
    free = {one.user_id for one in team if one.free(at)}
    if not free:
        return expired
    calls = [Waiting(*row) for row in session.execute(_waiting())]
    menus = {queue_id: menu_for(session, queue_id) for queue_id in {c.queue_id for c in calls}}
    return expired + _match(session, calls, team, free, menus, at)


def _waiting() -> Select[int, int | None, str, str | None, datetime | None, datetime | None]:
    """Calls in a queue that are not offered to anybody, in the order of their places."""
    is_offered = exists().where(Offer.call_id == Call.id, Offer.closed_at.is_(None))
    return (
        select(Call.id, Call.queue_id, Call.language, Call.skill, Call.place_at, Call.queued_at)
        .where(Call.waiting.is_not(None), ~is_offered)
        .where(Call.provider.not_in((Provider.PBX, Provider.HAND)))
        .order_by(Call.place_at, Call.id)
    )


def _match(
    session: Session,
    calls: Sequence[Waiting],
    team: Sequence[Duty],
    free: set[int],
    menus: Mapping[int | None, PhoneMenu],
    at: datetime,
) -> int:
    """Offer each call in its turn. A need that nobody free can meet is looked at once."""
    made, unmet = 0, set[Need]()
    for call in calls:
        menu = menus[call.queue_id]
        need = _need(call, menu, at)
        if not free or need in unmet:
            continue
        offered = _offer(session, call, need, team, free, menu, at)
        if offered is None:
            unmet.add(need)
        made += bool(offered)
    return made


def _offer(
    session: Session,
    waiting: Waiting,
    need: Need,
    team: Sequence[Duty],
    free: set[int],
    menu: PhoneMenu,
    at: datetime,
) -> bool | None:
    """Offer one call to the first free agent who can take it; who can't any more is taken from
    `free`. None where nobody can; False where the call is being changed by somebody just now.
    """
    agents = [one for one in duty.able(team, *need) if one.user_id in free]
    if not agents:
        return None
    call = offers.free_call(session, waiting.id)
    if call is None or call.waiting is None:
        return False
    for agent in agents:
        free.discard(agent.user_id)
        if offers.ring(session, call, agent, at, ring_seconds=menu.ring_seconds) is not None:
            return True
    return None


def _need(call: Waiting, menu: PhoneMenu, at: datetime) -> Need:
    queue_ids = [] if call.queue_id is None else [call.queue_id]
    after, other = menu.overflow_seconds, menu.overflow_queue_id
    if queue_ids and after is not None and other is not None and call.queued_at is not None:
        queue_ids += [other] if at - call.queued_at >= timedelta(seconds=after) else []
    return Need(tuple(queue_ids), call.language, call.skill)
