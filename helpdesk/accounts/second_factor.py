"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and codes for a lost phone.

The secret that the app holds stands nowhere: it is made from SECRET_KEY and a random value of the
row, so that a stolen copy of the database opens no account. Changing SECRET_KEY ends all factors.
"""

import base64
import hmac
import secrets
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import JSON, ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk.accounts import limits, sessions
from helpdesk.accounts.models import Role, User
from helpdesk.events import Actor, record
from helpdesk.ext import Base
from helpdesk.lib.errors import Conflict, HelpdeskError, TooMany, _lazy
from helpdesk.lib.tokens import new_token, sign, token_hash, verify

STEP = 30  # seconds a code holds (RFC 6238 §5.2)
RECOVERY_CODES = 10
TRIES, WINDOW_SECONDS = 5, 15 * 60
PENDING = timedelta(minutes=10)
"""How long after the password the code may come."""
REQUIRED: dict[str, frozenset[Role]] = {
    "nobody": frozenset(),
    "admins": frozenset({Role.ADMIN}),
    "supervisors": frozenset({Role.ADMIN, Role.SUPERVISOR}),
    "everybody": frozenset(Role),
}
"""The values of the setting `second_factor`: who can't log in without one."""


class SecondFactor(Base):
    """The authenticator app of a user; not confirmed: they haven't shown a code of it yet."""

    __tablename__ = "second_factor"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64))
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)  # no code is taken twice
    recovery: Mapped[list[str]] = mapped_column(JSON)  # hashes of codes that are left
    created_at: Mapped[datetime]


class WrongCode(HelpdeskError):
    """The code is wrong, used already or too old."""

    status = 401

    def __init__(self) -> None:
        super().__init__(
            _lazy("The code is wrong or was used already. Wait for the next one in the app."),
            field="code",
        )


def confirmed(session: Session, user_id: int) -> SecondFactor | None:
    """The factor that this user must show at log-in, if they have one."""
    found = session.get(SecondFactor, user_id)
    return found if found is not None and found.confirmed_at is not None else None


def begin(session: Session, user: User, *, at: datetime) -> SecondFactor:
    """A factor that waits for its first code. Raises Conflict where there is one already."""
    found = session.get(SecondFactor, user.id)
    if found is not None and found.confirmed_at is not None:
        raise Conflict(_lazy("A second factor is set up already."))
    if found is None:
        found = SecondFactor(user_id=user.id, nonce=new_token(24), recovery=[], created_at=at)
        session.add(found)
        session.flush()
    return found


def key_of(factor: SecondFactor, secret: bytes) -> str:
    """What the app is to be told: 32 letters and digits of base32 (RFC 4648)."""
    value = f"totp\0{factor.user_id}\0{factor.nonce}".encode()
    return base64.b32encode(hmac.digest(secret, value, "sha256")[:20]).decode("ascii")


def uri_of(factor: SecondFactor, secret: bytes, *, name: str, issuer: str) -> str:
    """The same as an address that a phone reads from a QR code."""
    return pyotp.TOTP(key_of(factor, secret)).provisioning_uri(name=name, issuer_name=issuer)


def confirm(
    session: Session, user: User, code: str, *, secret: bytes, at: datetime, actor: Actor
) -> list[str]:
    """The first code of the app; from now on log-ins ask for one. Returns the codes for a lost
    phone, which are shown this once. Raises WrongCode or Conflict."""
    factor = session.get(SecondFactor, user.id, with_for_update=True, populate_existing=True)
    if factor is None or factor.confirmed_at is not None:
        raise Conflict(_lazy("This set-up is over. Begin anew in your settings."))
    _take_step(factor, code, secret, at)
    limits.forget(session, "code", str(user.id))
    codes = [_recovery_code() for _number in range(RECOVERY_CODES)]
    factor.recovery = [token_hash(_plain(one)) for one in codes]
    factor.confirmed_at = at
    session.flush()
    record(session, "factor.set_up", actor=actor, at=at, user_id=user.id)
    return codes


def check(session: Session, user: User, code: str, *, secret: bytes, at: datetime) -> None:
    """Take a code of the app, or one for a lost phone. Raises WrongCode."""
    factor = session.get(SecondFactor, user.id, with_for_update=True, populate_existing=True)
    if factor is None or factor.confirmed_at is None:
        raise WrongCode()
    hashed = token_hash(_plain(code))
    if hashed in factor.recovery:
        factor.recovery = [one for one in factor.recovery if one != hashed]
        record(session, "factor.recovered", actor=Actor(user_id=user.id), at=at, user_id=user.id)
    else:
        _take_step(factor, code, secret, at)
    limits.forget(session, "code", str(user.id))
    session.flush()


def count_try(session: Session, user_id: int, at: datetime) -> None:
    """Count a code before it is looked at, in a transaction of its own, so that a parallel burst
    stays within the limit. Raises TooMany."""
    if not limits.allow(session, "code", str(user_id), most=TRIES, seconds=WINDOW_SECONDS, at=at):
        raise TooMany(
            _lazy("Too many attempts. Try again in 15 minutes."), retry_after=WINDOW_SECONDS
        )


def remove(session: Session, user: User, *, at: datetime, actor: Actor) -> None:
    """The user logs in without a second factor again; their other sessions end."""
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user.id))
    record(session, "factor.removed", actor=actor, at=at, user_id=user.id)


def enforce(session: Session, required: str) -> int:
    """End the sessions of those who must have a factor now and have none; how many people."""
    has = select(SecondFactor.user_id).where(SecondFactor.confirmed_at.is_not(None))
    query = select(User.id).where(User.role.in_(REQUIRED[required]), User.id.not_in(has))
    found = list(session.scalars(query.order_by(User.id)))
    for user_id in found:
        sessions.log_out_everywhere(session, user_id)
    return len(found)


def pending(user: User, secret: bytes, at: datetime) -> str:
    """A token that says: this user's password was right just now."""
    value = f"{user.id}.{int((at + PENDING).timestamp())}"
    return f"{value}.{sign(secret, 'second-factor', f'{value}.{user.password_hash}')}"


def pending_user(session: Session, token: str, secret: bytes, at: datetime) -> User | None:
    """Whose password was right; None for a token that is forged or over, or when the password was
    changed since."""
    parts = token.split(".") if token.isascii() and len(token) < 100 else []
    if len(parts) != 3 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    user = session.get(User, int(parts[0])) if len(parts[0]) < 18 else None
    if user is None or not user.active or int(parts[1][:12]) <= at.timestamp():
        return None
    value = f"{parts[0]}.{parts[1]}.{user.password_hash}"
    return user if verify(secret, "second-factor", value, parts[2]) else None


def _take_step(factor: SecondFactor, code: str, secret: bytes, at: datetime) -> None:
    """A code of now, or of the step before or after for a clock that goes wrong (RFC 6238 §6)."""
    digits = _plain(code)
    totp = pyotp.TOTP(key_of(factor, secret), interval=STEP)
    now = int(at.timestamp()) // STEP
    fits = [
        step
        for step in (now - 1, now, now + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode())
    ]
    if not fits or fits[-1] <= factor.last_step:
        raise WrongCode()
    factor.last_step = fits[-1]


def _recovery_code() -> str:
    """50 random bits in two groups that can be written down, e.g. "k3f9a-2mq7d"."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789x"
    text = "".join(secrets.choice(letters) for _place in range(10))
    return f"{text[:5]}-{text[5:]}"


def _plain(code: str) -> str:
    return "".join(char for char in code.strip().lower()[:40] if char.isalnum())
