"""Passwords: hashed well, weak ones refused with a reason, unknown users cost as much."""

import time

import pytest

from helpdesk.lib.errors import HelpdeskError
from helpdesk.lib.passwords import check_strength, hash_password, needs_rehash, verify_password

GOOD = "correct horse battery"


def test_a_password_opens_its_own_hash_only() -> None:
    hashed = hash_password(GOOD)
    assert hashed.startswith("$argon2id$") and "m=19456,t=2,p=1" in hashed
    assert hashed != hash_password(GOOD)
    assert verify_password(hashed, GOOD)
    assert not verify_password(hashed, GOOD + " ")
    assert not needs_rehash(hashed)


@pytest.mark.parametrize("hash", [None, "", " ", "x", "$argon2id$", "$2b$12$abc"])
@pytest.mark.parametrize("password", ["", GOOD, "nobody has this password", "\0", "\ud800"])
def test_without_a_real_hash_nothing_opens(hash: str | None, password: str) -> None:
    assert not verify_password(hash, password)


def test_impossible_passwords_never_match() -> None:
    hashed = hash_password(GOOD)
    for password in ("\0" + GOOD, GOOD + "\0", "\ud800", "x" * 10_000_000):
        assert not verify_password(hashed, password)


def test_unknown_users_take_as_long_as_known_ones() -> None:
    hashed = hash_password(GOOD)
    verify_password(None, "warm up")

    def fastest(hash: str | None) -> float:
        """Seconds of this thread's processor: others on the machine don't count."""
        times = []
        for _ in range(5):
            started = time.thread_time()
            verify_password(hash, "wrong password")
            times.append(time.thread_time() - started)
        return min(times)

    assert 0.5 < fastest(None) / fastest(hashed) < 2


def test_old_parameters_ask_for_a_new_hash() -> None:
    old = "$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHRzb21l$" + "A" * 43
    assert needs_rehash(old) and needs_rehash("$2b$12$abc") and needs_rehash("")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "at least 10"),
        ("short", "at least 10"),
        ("qwertyuiop", "too easy"),
        ("Password123", "too easy"),
        ("aaaaaaaaaaaaaa", "too easy"),
        ("йцукенгшщз", "too easy"),
        ("Anna@Example.com", "email"),
        ("anna.shevchenko", "email"),
        ("good password\0", "can't be used"),
        ("good password\ud800", "can't be used"),
        ("x1y2z3" * 100, "at most 256"),
    ],
)
def test_weak_passwords_are_refused_with_the_reason(password: str, reason: str) -> None:
    email = "anna@example.com" if "@" in password else "anna.shevchenko@example.com"
    with pytest.raises(HelpdeskError, match=reason) as caught:
        check_strength(password, email)
    assert caught.value.field == "password"


@pytest.mark.parametrize("password", [GOOD, "дев'ять чорних котів", "Tr0ub4dor&3x"])
def test_good_passwords_pass(password: str) -> None:
    check_strength(password, "anna@example.com")
    check_strength(password)
