"""Who is on duty on the telephone, free or not, and who of them may serve a call."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import QueueMember, Role, User
from helpdesk.accounts.presence import Availability, Phone, Presence

ON_DUTY = (Availability.AVAILABLE, Availability.IN_CALL, Availability.WRAP_UP)
UNSEEN: Mapping[Phone, timedelta] = {
    Phone.BROWSER: timedelta(seconds=60),
    Phone.OWN: timedelta(hours=1),
}
"""After so long without a sign of life no call is offered."""


@dataclass(frozen=True)
class Duty:
    """A member of staff on duty: who they are to the distribution of calls."""

    user_id: int
    state: Availability
    paused: bool
    free_since: datetime
    phone: Phone
    number: str | None
    languages: frozenset[str]
    skills: frozenset[str]
    seen_at: datetime | None
    queue_ids: frozenset[int] | None  # None: all

    def free(self, at: datetime) -> bool:
        """Whether a call may be offered now."""
        return (
            self.state == Availability.AVAILABLE
            and not self.paused
            and self.seen_at is not None
            and self.seen_at > at - UNSEEN[self.phone]
        )

    @property
    def is_busy(self) -> bool:
        """Whether they are in a call or write one up: the next one will be theirs."""
        return self.state != Availability.AVAILABLE

    def works_in(self, queue_ids: Collection[int]) -> bool:
        """Whether one of these queues is theirs; of no queue: everybody's."""
        return self.queue_ids is None or not queue_ids or not self.queue_ids.isdisjoint(queue_ids)

    def speaks(self, language: str) -> bool:
        """Whether they talk in this language; who named none talks in all."""
        return not self.languages or language in self.languages


def on_duty(session: Session) -> list[Duty]:
    """Who takes calls at present, free or not, the longest free first; one statement."""
    rows = session.execute(
        select(Presence, User.role, User.all_queues, QueueMember.queue_id)
        .join(User, User.id == Presence.user_id)
        .outerjoin(QueueMember, QueueMember.user_id == Presence.user_id)
        .where(Presence.state.in_(ON_DUTY), User.active.is_(True))
        .order_by(Presence.free_since, Presence.user_id)
        .execution_options(populate_existing=True)
    ).all()
    queues: dict[int, set[int]] = {}
    people: dict[int, tuple[Presence, bool]] = {}
    for row, role, all_queues, queue_id in rows:
        people[row.user_id] = (row, all_queues or role != Role.AGENT)
        queues.setdefault(row.user_id, set()).add(queue_id)
    return [
        _duty(row, None if everywhere else frozenset(queues[user_id] - {None}))
        for user_id, (row, everywhere) in people.items()
    ]


def able(
    team: Iterable[Duty], queue_ids: Collection[int], language: str | None, skill: str | None
) -> list[Duty]:
    """Those of the team who may serve such a call, in their order: in one of the queues, with the
    skill, in the language. If nobody on duty speaks it, the others: better than nobody.
    """
    known = [
        one for one in team if one.works_in(queue_ids) and (skill is None or skill in one.skills)
    ]
    return [one for one in known if language is None or one.speaks(language)] or known


def available(
    session: Session,
    at: datetime,
    *,
    queue_id: int | None,
    language: str | None = None,
    skill: str | None = None,
) -> list[Duty]:
    """Who can be offered such a call now, the longest free first; one statement."""
    queue_ids = () if queue_id is None else (queue_id,)
    return [one for one in able(on_duty(session), queue_ids, language, skill) if one.free(at)]


def _duty(row: Presence, queue_ids: frozenset[int] | None) -> Duty:
    return Duty(
        user_id=row.user_id,
        state=row.state,
        paused=row.paused,
        free_since=row.free_since,
        phone=row.phone,
        number=row.number,
        languages=frozenset(row.languages),
        skills=frozenset(row.skills),
        seen_at=row.seen_at,
        queue_ids=queue_ids,
    )
