"""Closed statements: a month is written down once, with a seal, and read from what was written."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.clients.models import Client
from helpdesk.events import Actor, record
from helpdesk.ext import lock
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.lib.tokens import new_token
from helpdesk.reports.contracts.statements import (
    Breach,
    Excluded,
    Line,
    Names,
    Numbers,
    Subject,
    count,
    is_of,
    month_of,
    names_of,
    on_closed,
)
from helpdesk.reports.models import Statement

WORDS = ("reason", "author", "decider")
"""What of an exclusion is said by or of people: it stands apart, so that it can be forgotten."""
FORGOTTEN = "forgotten"
"""Set where reasons were taken out: the words can't be those of their digest any more."""
MOMENTS = ("at", "due_at", "stopped_at", "made_at", "decided_at")


_CLOSED = _lazy("This month is closed: what it counts does not change any more.")


def hold(session: Session, subject: Subject, clock_id: int) -> None:
    """Let nobody else close this month, or change what it excludes, in this transaction.

    Raises Conflict where this promise stands on a closed statement already.
    """
    _lock(session, subject)
    if clock_id in on_closed(session, subject):
        raise Conflict(_CLOSED)


def closed(session: Session, subject: Subject) -> Sequence[Statement]:
    """The statements as they were closed, the newest first: several where clients were merged."""
    query = select(Statement).where(is_of(subject))
    return session.scalars(query.order_by(Statement.id.desc())).all()


def clock_ids_of(statement: Statement) -> Sequence[int] | None:
    """The promises that stand on it; None where that was not written down."""
    found: Sequence[int] | None = statement.data["numbers"].get("clock_ids")
    return found


def close(session: Session, subject: Subject, *, actor: Actor, at: datetime) -> Statement:
    """Write a month down for good, or what no closed statement of it has yet.

    Raises HelpdeskError for a month that is not over, without promises or with exclusions that
    nobody decided on; Conflict where it is closed; NotFound for a client or policy that isn't.
    """
    if actor.user_id is None:
        raise ValueError("a person closes a month")
    _lock(session, subject)
    session.get(Client, subject.client_id, with_for_update=True)  # no merge meanwhile
    if at < month_of(subject.month).end:
        raise HelpdeskError(_lazy("The month is not over yet."))
    names, numbers = names_of(session, subject), count(session, subject, at)
    if not numbers.total.counted:
        if closed(session, subject):
            raise Conflict(_CLOSED)
        raise HelpdeskError(_lazy("Nothing was promised to this client in this month."))
    if numbers.undecided:
        raise HelpdeskError(
            _lazy("Exclusions that wait for a decision: %(count)s. Decide on them first."),
            count=numbers.undecided,
        )
    statement = Statement(
        client_id=subject.client_id,
        policy_id=subject.policy_id,
        month=subject.month,
        data=_sealed(subject, names, numbers, session.get_one(User, actor.user_id).name),
        closed_by=actor.user_id,
        closed_at=at,
    )
    session.add(statement)
    session.flush()
    record(
        session,
        "statement.closed",
        actor=actor,
        at=at,
        statement_id=statement.id,
        policy_id=subject.policy_id,
        month=subject.month,
    )
    return statement


def statement_for(session: Session, statement_id: int) -> Statement:
    """Raises NotFound."""
    found = session.get(Statement, statement_id)
    if found is None:
        raise NotFound()
    return found


def read(statement: Statement) -> tuple[Names, Numbers]:
    """What stands on a closed statement."""
    words: Mapping[str, Any] = statement.data["names"]
    numbers = statement.data["numbers"]
    exclusions = words.get("exclusions", {})
    return (
        Names(
            client=words.get("client", ""),
            policy=words.get("policy", ""),
            calendar=words.get("calendar"),
            timezone=words.get("timezone"),
            weekly=words.get("weekly", {}),
        ),
        Numbers(
            lines=tuple(_line(line) for line in numbers["lines"]),
            total=_line(numbers["total"]),
            breaches=tuple(_breach(one, exclusions) for one in numbers["breaches"]),
            at=datetime.fromisoformat(numbers["at"]),
            clock_ids=tuple(clock_ids_of(statement) or ()),
        ),
    )


def closer_of(statement: Statement) -> str:
    """Who closed it, as they were called that day; "" once that is forgotten."""
    words: Mapping[str, Any] = statement.data["names"]
    return str(words.get("closer", statement.closer.name)) if words else ""


def seal_of(statement: Statement) -> str:
    """The seal that was put on the statement: SHA-256 in hex."""
    return str(statement.data["seal"])


def is_intact(statement: Statement) -> bool:
    """Whether the numbers, and the names if none were forgotten, are those of the closing."""
    data = statement.data
    names = data["names"]
    if names and not names.get(FORGOTTEN) and _digest(names) != data["names_digest"]:
        return False
    subject = data["subject"]
    return bool(data["seal"] == _seal(subject, data["numbers"], data["names_digest"]))


def forget_names(session: Session, client_ids: Sequence[int]) -> None:
    """Take every word out of the closed statements of these clients; numbers and seals stay."""
    for statement in session.scalars(select(Statement).where(Statement.client_id.in_(client_ids))):
        statement.data = {**statement.data, "names": {}}
    session.flush()


def forget_reasons(
    session: Session, client_ids: Sequence[int], exclusion_ids: Sequence[int]
) -> None:
    """Take the reasons of these exclusions out of the closed statements of these clients: they
    may speak of a person who is erased. All the rest stays as it was closed."""
    gone = {str(id_) for id_ in exclusion_ids}
    for statement in session.scalars(select(Statement).where(Statement.client_id.in_(client_ids))):
        names = statement.data["names"]
        said = names.get("exclusions", {})
        if gone & said.keys():
            kept = {id_: {**one, "reason": ""} if id_ in gone else one for id_, one in said.items()}
            names = {**names, "exclusions": kept, "salt": "", FORGOTTEN: True}
            statement.data = {**statement.data, "names": names}
    session.flush()


def _lock(session: Session, subject: Subject) -> None:
    lock(session, f"statement:{subject.client_id}:{subject.policy_id}:{subject.month}")


def _sealed(subject: Subject, names: Names, numbers: Numbers, closer: str) -> dict[str, Any]:
    plain = _plain(asdict(numbers))
    said = {}
    for breach in plain["breaches"]:
        if breach["excluded"] is not None:
            words = {key: breach["excluded"].pop(key) for key in WORDS}
            said[str(breach["excluded"]["id"])] = words
    # The salt keeps anybody from finding forgotten names by trying likely ones.
    words = {**_plain(asdict(names)), "exclusions": said, "closer": closer, "salt": new_token(16)}
    about, digest = asdict(subject), _digest(words)
    return {
        "subject": about,
        "numbers": plain,
        "names": words,
        "names_digest": digest,
        "seal": _seal(about, plain, digest),
    }


def _seal(subject: Any, numbers: Any, names_digest: str) -> str:
    return _digest([subject, numbers, names_digest])


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    """As JSON gives it back: lists, strings of enums, moments in ISO 8601."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value


def _line(data: Mapping[str, Any]) -> Line:
    return Line(**{**data, "targets": tuple(data["targets"])})


def _breach(data: Mapping[str, Any], words: Mapping[str, Any]) -> Breach:
    excluded = data["excluded"]
    if excluded is not None:
        said = words.get(str(excluded["id"]), {"reason": "", "author": "", "decider": ""})
        excluded = Excluded(**_moments(excluded), **said)
    return Breach(**{**_moments(data), "excluded": excluded})


def _moments(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: datetime.fromisoformat(value) if key in MOMENTS and value else value
        for key, value in data.items()
    }
