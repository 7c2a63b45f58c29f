"""The loop that follows up Events by the table.

The events of a batch are followed up together, in one transaction without savepoints; only if
that fails, again and one by one. Then a reaction that raises is undone alone and kept as a
FailedReaction: it is tried again later, then parked where people see it, and stops neither the
event's other reactions nor later events.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from traceback import extract_tb

import structlog
from sqlalchemy import Select, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.events import Event
from helpdesk.ext import add_row
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound
from helpdesk.reactions.models import FailedReaction
from helpdesk.reactions.table import REACTIONS, TOGETHER, Reaction, Reactions, prepare

log = structlog.get_logger()

HOUSE = Path(__file__).parent.parent

LADDER = (5, 30, 120, 600)
"""Seconds to the next try of a failed reaction; after the last it is parked."""
CHUNK = 50
"""Events of one transaction."""
IDLE = 1_000
"""Events of one transaction from which nothing follows: to pass them over costs little."""
LATER = frozenset({"client.changed"})
"""An import writes thousands of these; no receipt waits behind them."""


def react(limit: int = 200) -> int:
    """Follow up at most `limit` new Events, oldest first, and failed reactions that are due.

    Entry point: it commits, every few events, so that other writers wait briefly. Returns how
    many events and repeats were looked at.
    """
    done = 0
    while done < limit and _anything_to_do():
        looked_at = _react(min(limit - done, CHUNK))
        done += looked_at
        if not looked_at:
            break  # what there is, another worker holds
    return done


def _react(limit: int) -> int:
    try:
        return _follow(limit, _together)
    except Exception as error:  # one by one shows whose it is, or that it is nobody's
        log.warning("reactions.one_by_one", error=_described(error))
        return _follow(limit, _one_by_one)


def _follow(limit: int, way: Reactions) -> int:
    at = now()
    with ext.session() as session:
        prepared = prepare(session, limit)
    with ext.write() as session:
        session.info.update(prepared)
        soon = REACTIONS.keys() - LATER
        events = _claim(session, soon, limit) or _claim(session, LATER, limit)
        way(session, events, at)
        idle = _idle(session)
        _finish(session, [*(event.id for event in events), *idle])
        return len(events) + len(idle) + _repeat(session, limit, at)


def _together(session: Session, events: Sequence[Event], at: datetime) -> None:
    """What has a form for many events first: receipts stand before the answers."""
    alone: list[tuple[Event, Reaction]] = []
    gathered: dict[Reactions, list[Event]] = {}
    for event in events:
        for reaction in REACTIONS[event.kind]:
            many = TOGETHER.get(reaction)
            if many is None:
                alone.append((event, reaction))
            else:
                gathered.setdefault(many, []).append(event)
    for many, some in gathered.items():
        many(session, some, at)
    for event, reaction in alone:
        reaction(session, event, at)


def _one_by_one(session: Session, events: Sequence[Event], at: datetime) -> None:
    for event in events:
        for reaction in REACTIONS[event.kind]:
            _run(session, event, reaction, at)


def parked(session: Session, limit: int = 50) -> list[FailedReaction]:
    """Failed reactions that are tried no more, newest first."""
    query = select(FailedReaction).where(FailedReaction.due_at.is_(None))
    return list(session.scalars(query.order_by(FailedReaction.id.desc()).limit(limit)))


def unpark(session: Session, failed_id: int, *, at: datetime) -> None:
    """Try a parked reaction again from the beginning. Raises NotFound."""
    failed = session.get(FailedReaction, failed_id)
    if failed is None:
        raise NotFound()
    failed.attempts, failed.due_at = 0, at
    session.flush()


def _anything_to_do() -> bool:
    with ext.session() as session:
        todo = session.scalar(select(Event.id).where(Event.todo.is_not(None)).limit(1))
        return todo is not None or session.scalar(_due_repeats(1)) is not None


def _claim(session: Session, kinds: Collection[str], limit: int) -> Sequence[Event]:
    query = select(Event).where(Event.todo.is_not(None), Event.kind.in_(kinds))
    query = query.order_by(Event.id).limit(limit)
    return session.scalars(query.with_for_update(**ext.skip_locked(session))).all()


def _idle(session: Session) -> Sequence[int]:
    """Those from which nothing follows."""
    query = select(Event.id).where(Event.todo.is_not(None), Event.kind.not_in(REACTIONS))
    query = query.order_by(Event.id).limit(IDLE)
    return session.scalars(query.with_for_update(**ext.skip_locked(session))).all()


def _finish(session: Session, ids: Sequence[int]) -> None:
    session.execute(
        update(Event)
        .where(Event.id.in_(ids))
        .values(todo=None)
        .execution_options(synchronize_session=False)
    )


def _run(session: Session, event: Event, reaction: Reaction, at: datetime) -> None:
    error = _attempt(session, event, reaction, at)
    if error is not None:
        add_row(
            session,
            FailedReaction,
            event_id=event.id,
            reaction=reaction.__name__,
            attempts=1,
            error=_described(error),
            created_at=at,
            due_at=at + timedelta(seconds=LADDER[0]),
        )


def _attempt(session: Session, event: Event, reaction: Reaction, at: datetime) -> Exception | None:
    """Run one reaction within a savepoint; the error that undid it."""
    try:
        with session.begin_nested():
            reaction(session, event, at)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise  # the database is away: nothing of this batch counts
        return _logged(event, reaction, error)
    except Exception as error:
        return _logged(event, reaction, error)
    return None


def _logged(event: Event, reaction: Reaction, error: Exception) -> Exception:
    log.error(
        "reaction.failed",
        event_id=event.id,
        reaction=reaction.__name__,
        error=_described(error),
    )
    return error


def _described(error: Exception) -> str:
    """The error's kind and place: its words may hold personal values."""
    places = extract_tb(error.__traceback__)
    ours = [place for place in places if str(HOUSE) in place.filename]
    last = (ours or places)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"


def _due_repeats(limit: int) -> Select[FailedReaction]:
    query = select(FailedReaction).where(
        FailedReaction.due_at.is_not(None), FailedReaction.due_at <= now()
    )
    return query.order_by(FailedReaction.due_at).limit(limit)


def _repeat(session: Session, limit: int, at: datetime) -> int:
    due = session.scalars(_due_repeats(limit).with_for_update(**ext.skip_locked(session))).all()
    for failed in due:
        _try_again(session, failed, at)
    return len(due)


def _try_again(session: Session, failed: FailedReaction, at: datetime) -> None:
    event = failed.event
    named = {reaction.__name__: reaction for reaction in REACTIONS.get(event.kind, ())}
    reaction = named.get(failed.reaction)
    error = _attempt(session, event, reaction, at) if reaction else None
    if error is None:
        session.delete(failed)
        return
    failed.attempts += 1
    failed.error = _described(error)
    over = failed.attempts > len(LADDER)
    failed.due_at = None if over else at + timedelta(seconds=LADDER[failed.attempts - 1])
    session.flush()
