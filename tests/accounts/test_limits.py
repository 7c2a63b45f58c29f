"""Limits counted for many at once are the limits counted one by one."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.accounts import limits
from helpdesk.accounts.limits import Tally
from helpdesk.accounts.models import LimitHit
from helpdesk.lib.clock import now

pytestmark = pytest.mark.usefixtures("app")

WINDOWS = {"short": 3_600, "long": 86_400}
SUBJECTS = ("a", "b", "c")


def counted() -> int:
    with ext.session() as session:
        return session.scalar(select(func.count()).select_from(LimitHit)) or 0


def test_acts_of_one_tally_count_for_each_other_and_for_later_ones() -> None:
    at = now()
    with ext.write() as session:
        tally = Tally(session, WINDOWS, SUBJECTS, at=at)
        assert [tally.allow("short", "a", most=2) for _ in range(3)] == [True, True, False]
        assert tally.allow("short", "b", most=2)
        assert tally.taken("long", "a") == 0
        tally.save()
        tally.save()
    assert counted() == 3
    with ext.write() as session:
        assert not limits.allow(session, "short", "a", most=2, seconds=3_600, at=at)
        later = Tally(session, WINDOWS, SUBJECTS, at=at + timedelta(hours=2))
        assert later.taken("short", "a") == 0
        assert Tally(session, WINDOWS, SUBJECTS, at=at).taken("short", "a") == 2


def test_what_is_not_saved_never_happened() -> None:
    with ext.write() as session:
        assert Tally(session, WINDOWS, SUBJECTS, at=now()).allow("short", "a", most=1)
    assert counted() == 0


def test_nobody_to_count_is_fine() -> None:
    with ext.write() as session:
        Tally(session, WINDOWS, (), at=now()).save()
    assert counted() == 0


acts = st.lists(
    st.tuples(st.sampled_from(list(WINDOWS)), st.sampled_from(SUBJECTS), st.integers(1, 3)),
    max_size=12,
)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=acts, together=acts)
def test_a_tally_says_what_single_calls_say(
    app: Flask, before: list[tuple[str, str, int]], together: list[tuple[str, str, int]]
) -> None:
    at = now()
    with ext.write() as session:

        def one_by_one(some: list[tuple[str, str, int]]) -> list[bool]:
            return [
                limits.allow(session, name, subject, most=most, seconds=WINDOWS[name], at=at)
                for name, subject, most in some
            ]

        one_by_one(before)
        with session.begin_nested() as savepoint:
            expected = one_by_one(together)
            savepoint.rollback()
        tally = Tally(session, WINDOWS, SUBJECTS, at=at)
        assert [tally.allow(name, subject, most=n) for name, subject, n in together] == expected
        session.rollback()
