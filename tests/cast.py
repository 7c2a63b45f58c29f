"""The cast of every test: the same people, the same queue, the same promises."""

from dataclasses import dataclass
from functools import cache

from sqlalchemy.orm import Session

from helpdesk.accounts.actions import add_user, create_token
from helpdesk.accounts.models import QueueMember, User
from helpdesk.clients.match import Known, find_or_create
from helpdesk.lib.clock import now
from helpdesk.lib.collate import sort_key
from helpdesk.lib.passwords import hash_password
from helpdesk.tickets.models import Calendar, Mailbox, Policy, Queue

PASSWORD = "correct horse battery"

OFFICE = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@dataclass(frozen=True)
class Cast:
    """Ids and rows of the people and things a test talks about."""

    alice: User  # agent, works in all queues
    bob: User  # agent, works in Billing only
    sam: User  # supervisor
    ada: User  # administrator
    support: Queue  # support@example.com, answers within 4 office hours
    billing: Queue  # billing@example.com
    office: Calendar
    oksana: Known  # oksana@client.example, writes Ukrainian
    stranger: Known  # stranger@elsewhere.example

    def token(self, session: Session, user: User, *scopes: str) -> str:
        return create_token(session, user, "test", scopes, now())


@cache
def _password_hash() -> str:
    """Hashing is slow on purpose; once a process is enough."""
    return hash_password(PASSWORD)


def make_cast(session: Session) -> Cast:
    at = now()
    people = {
        name: add_user(
            session,
            email=f"{name}@example.com",
            name=name.title(),
            role=role,
            at=at,
        )
        for name, role in {
            "alice": "agent",
            "bob": "agent",
            "sam": "supervisor",
            "ada": "admin",
        }.items()
    }
    for user in people.values():
        user.password_hash = _password_hash()
    people["bob"].all_queues = False
    support, billing = (
        Queue(name=name, sort_key=sort_key(name), numbers=[], created_at=at)
        for name in ("Support", "Billing")
    )
    office = Calendar(name="Office", timezone="Europe/Kyiv", weekly=OFFICE, holidays=[], special={})
    session.add_all([support, billing, office])
    session.flush()
    for queue in (support, billing):
        session.add(
            Mailbox(
                address=f"{queue.name.lower()}@example.com",
                queue_id=queue.id,
                is_primary=True,
                created_at=at,
            )
        )
    session.add(
        Policy(
            name="Standard",
            calendar_id=office.id,
            targets={"first_response": 4 * 3600, "next_response": 4 * 3600, "resolution": 72000},
        )
    )
    session.flush()
    session.add(QueueMember(user_id=people["bob"].id, queue_id=billing.id))
    session.flush()
    return Cast(
        **people,
        support=support,
        billing=billing,
        office=office,
        oksana=find_or_create(
            session, email="oksana@client.example", name="Оксана Литвиненко", language="uk", at=at
        ),
        stranger=find_or_create(session, email="stranger@elsewhere.example", name="S", at=at),
    )
