"""Passwords: hashing (argon2id) and what is too weak to accept."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import fold

MIN_LENGTH = 10
MAX_LENGTH = 256

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's smallest argon2id setting that still costs an attacker: 19 MiB, two passes, one lane."""

_LIST = """
1111111111 0000000000 1234567890 0123456789 0987654321 9876543210 12345678910 123456789a
1234567891 12345678901 123456789q 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc q1w2e3r4t5 q1w2e3r4t5y6
qwertyuiop qwertyuiop1 qwerty1234 qwerty12345 qwerty123456 1234qwerty asdfghjkl1 asdfghjkl;
zxcvbnm123 qazwsxedcr qazwsxedc1 1qazxsw23edc aaaaaaaaaa abcdefghij abcdefghijk abcd123456
abc1234567 a123456789 aa12345678 password12 password123 password1234 password12345 passw0rd123
p@ssw0rd123 p@ssword123 mypassword mypassword1 passwordpassword iloveyou12 iloveyou123
administrator admin12345 admin123456 adminadmin adminadmin1 administrator1 welcome123 welcome1234
changeme123 changeme1234 letmein123 letmein1234 superadmin helpdesk123 helpdesk1234 support123
support1234 helpdeskhelpdesk football123 princess123 sunshine123 monkey1234 dragon1234 master1234
test123456 testtest12 testtest123 user123456 guest12345 google1234 computer123 internet12
internet123 samsung123 basketball liverpool1 manchester qwe123qwe123 zaq12wsxcde3 123qweasdzxc
123123123123 1231231231 123321123321 1122334455 112233445566 11223344556 147258369a 1472583690
5555555555 6666666666 7777777777 8888888888 9999999999 йцукенгшщз йцукен12345 пароль12345
пароль1234 пароль123456 парольпароль любовь1234 привет1234 україна123 украина123 київ123456
слава12345
"""
_COMMON = frozenset(_LIST.split())


def hash_password(password: str) -> str:
    """The argon2id hash with its parameters and salt. HelpdeskError for an impossible password."""
    _check_possible(password)
    return _hasher.hash(password)


def verify_password(hash: str | None, password: str) -> bool:
    """Whether the password is the one hashed. No hash (an unknown user) takes as long and is False,
    so that time doesn't tell who exists. Never raises.
    """
    possible = len(password) <= MAX_LENGTH and "\0" not in password
    try:
        candidate = password.encode() if possible else b"\xff"
    except UnicodeEncodeError:
        candidate, possible = b"\xff", False
    try:
        return _hasher.verify(hash or _dummy(), candidate) and bool(hash) and possible
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(hash: str) -> bool:
    """Whether the hash was made with other parameters than today's: hash again at log-in."""
    try:
        return _hasher.check_needs_rehash(hash)
    except InvalidHashError:
        return True


def check_strength(password: str, email: str = "") -> None:
    """HelpdeskError with a plain reason when the password is too short or too easy to guess.

    Length and a list of common passwords only, no rules on kinds of characters (NIST SP 800-63B).
    `email` is that of the user: neither it nor its local part may be the password.
    """
    _check_possible(password)
    if len(password) < MIN_LENGTH:
        raise HelpdeskError(
            _lazy("Use at least %(count)s characters for the password."),
            field="password",
            count=MIN_LENGTH,
        )
    folded = fold(password).strip()
    own = {fold(email), fold(email.partition("@")[0])} - {""}
    if folded in own:
        raise HelpdeskError(_lazy("The password can't be the email address."), field="password")
    if folded in _COMMON or len(set(folded)) < 4:
        raise HelpdeskError(_lazy("This password is too easy to guess."), field="password")


def _check_possible(password: str) -> None:
    if "\0" in password or any("\ud800" <= c <= "\udfff" for c in password):
        raise HelpdeskError(
            _lazy("The password contains a character that can't be used."), field="password"
        )
    if len(password) > MAX_LENGTH:
        raise HelpdeskError(
            _lazy("Use at most %(count)s characters for the password."),
            field="password",
            count=MAX_LENGTH,
        )


@cache
def _dummy() -> str:
    return _hasher.hash("nobody has this password")
