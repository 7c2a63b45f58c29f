"""Customers on the portal: a one-time code for their mailbox, and the session it opens."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from helpdesk.accounts import limits
from helpdesk.accounts.models import PortalCode, PortalSession
from helpdesk.events import Actor, record
from helpdesk.lib.errors import HelpdeskError, TooMany, _lazy
from helpdesk.lib.tokens import new_token, sign, token_hash, verify

DIGITS = 6
LIFETIME = timedelta(minutes=10)
TRIES = 5
"""Of one code: with the limits below some 50 guesses a day against one address, of a million."""
SESSION = timedelta(hours=12)

MINUTE, QUARTER, HOUR, DAY = 60, 900, 3_600, 86_400
PER_CONTACT, PER_CONTACT_A_DAY = 5, 10
"""Codes for one address or number in an hour and in a day: each is an email to somebody."""
PER_SOURCE, PER_SOURCE_AN_HOUR = 5, 60
"""Codes asked from one network address in a minute and in an hour."""
TRIES_PER_SOURCE = 30
"""Codes tried from one network address in a quarter of an hour."""

_PURPOSE = "portal-code"
_STRONG = 51
_NEVER = "a" * _STRONG  # looks like a signature, so that no code costs as much as a wrong one


class WrongCode(HelpdeskError):
    """The code is wrong, used, too old or was tried too often; which of these is not told."""

    def __init__(self) -> None:
        message = _lazy("This code does not fit. The newest code counts, for 10 minutes.")
        super().__init__(message, field="code")


def ask_code(
    session: Session,
    contact: str,
    *,
    contact_point_id: int | None,
    source: str,
    language: str,
    at: datetime,
) -> str:
    """Ask for a code to be sent; returns what the browser keeps until it shows the code.

    `contact`: the address or number in its one spelling; `contact_point_id`: the mailbox it leads
    to, None where we know none. Both cost the same here: the code is made and sent by who reacts
    to the Event (T17). `source`: the network address of who asks. Raises TooMany.
    """
    _count_asked(session, contact, source, at)
    token = new_token()
    row = PortalCode(
        ticket=token_hash(token),
        code_hash="",
        contact_point_id=contact_point_id,
        created_at=at,
        expires_at=at + LIFETIME,
    )
    session.add(row)
    session.flush()
    record(session, "portal.code_asked", at=at, code_id=row.id, lang=language)
    return token


def make_code(session: Session, code_id: int, *, secret: bytes, at: datetime) -> str | None:
    """The code of a row, made now; None where it leads nowhere, is too old or was made before."""
    row = session.get(PortalCode, code_id, with_for_update=True)
    if row is None or row.contact_point_id is None or row.code_hash or row.expires_at <= at:
        return None
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    row.code_hash = sign(secret, _PURPOSE, f"{row.ticket}.{code}", _STRONG)
    session.flush()
    return code


def count_try(session: Session, token: str, *, source: str, at: datetime) -> None:
    """Count a try before the code is looked at, in a transaction of its own: what keeps a parallel
    burst within the limit. Raises TooMany.

    A code that may not be tried any more is not told apart here: `check_code` refuses it.
    """
    if not limits.allow(
        session, "portal-try", source, most=TRIES_PER_SOURCE, seconds=QUARTER, at=at
    ):
        message = _lazy("Too many attempts. Try again in 15 minutes.")
        raise TooMany(message, retry_after=QUARTER)
    mine = (PortalCode.ticket == token_hash(token), PortalCode.tries <= TRIES)
    session.execute(update(PortalCode).where(*mine).values(tries=PortalCode.tries + 1))


def check_code(session: Session, token: str, code: str, *, secret: bytes, at: datetime) -> int:
    """The contact point whose mailbox the right code proves; the code is used then.

    Call `count_try` before. Raises WrongCode.
    """
    query = select(PortalCode).where(PortalCode.ticket == token_hash(token)).with_for_update()
    row = session.scalar(query)
    if row is None:
        raise WrongCode()
    right = verify(secret, _PURPOSE, f"{row.ticket}.{code}", row.code_hash or _NEVER)
    open_ = row.used_at is None and row.expires_at > at and row.tries <= TRIES
    if not (right and open_) or row.contact_point_id is None:
        raise WrongCode()
    row.used_at = at
    session.flush()
    return row.contact_point_id


def open_session(
    session: Session,
    *,
    contact_point_id: int,
    person_id: int,
    client_id: int,
    old_token: str | None,
    at: datetime,
) -> str:
    """Open a session, end the one the browser had, and return the cookie's new token."""
    if old_token:
        close_session(session, old_token)
    token = new_token()
    session.add(
        PortalSession(
            token_hash=token_hash(token),
            person_id=person_id,
            contact_point_id=contact_point_id,
            created_at=at,
            expires_at=at + SESSION,
        )
    )
    session.flush()
    actor = Actor(person_id=person_id)
    record(session, "portal.login", actor=actor, at=at, client_id=client_id)
    return token


def find_session(session: Session, token: str, at: datetime) -> PortalSession | None:
    """The session behind a cookie, if it is alive."""
    query = select(PortalSession).where(
        PortalSession.token_hash == token_hash(token), PortalSession.expires_at > at
    )
    return session.scalar(query)


def close_session(session: Session, token: str) -> None:
    session.execute(delete(PortalSession).where(PortalSession.token_hash == token_hash(token)))


def _count_asked(session: Session, contact: str, source: str, at: datetime) -> None:
    windows = (
        ("portal-code-from", source, PER_SOURCE, MINUTE),
        ("portal-code-source", source, PER_SOURCE_AN_HOUR, HOUR),
        ("portal-code", contact, PER_CONTACT, HOUR),
        ("portal-code-day", contact, PER_CONTACT_A_DAY, DAY),
    )
    for name, subject, most, seconds in windows:
        if not limits.allow(session, name, subject, most=most, seconds=seconds, at=at):
            message = _lazy("Too many codes were asked for. Wait a little, then try again.")
            raise TooMany(message, retry_after=seconds)
