"""The second factor: codes fit once, only now, and nothing of them stands in the database."""

from datetime import timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import text

from helpdesk import ext
from helpdesk.accounts import second_factor
from helpdesk.accounts.models import LoginSession, User
from helpdesk.accounts.second_factor import WrongCode
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from tests.cast import Cast

SECRET = b"k" * 32


def set_up(user: User) -> tuple[pyotp.TOTP, list[str]]:
    """An app that has been scanned and confirmed; and the codes for a lost phone."""
    with ext.write() as session:
        mine = session.get_one(User, user.id)
        app = pyotp.TOTP(second_factor.key_of(second_factor.begin(session, mine, at=now()), SECRET))
        codes = second_factor.confirm(
            session, mine, app.at(now()), secret=SECRET, at=now(), actor=Actor(user_id=user.id)
        )
    return app, codes


def takes(user: User, code: str) -> bool:
    with ext.write() as session:
        try:
            mine = session.get_one(User, user.id)
            second_factor.check(session, mine, code, secret=SECRET, at=now())
        except WrongCode:
            return False
    return True


def test_a_code_fits_once_and_only_around_its_time(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    app, _codes = set_up(cast.alice)
    assert not takes(cast.alice, app.at(now())), "the code that confirmed it"
    clock.shift(30)
    code = app.at(now())
    assert takes(cast.alice, f" {code[:3]} {code[3:]} ")
    assert not takes(cast.alice, code)
    clock.shift(300)
    assert not takes(cast.alice, app.at(now() - timedelta(seconds=60)))
    assert takes(cast.alice, app.at(now() - timedelta(seconds=30))), "a phone that is slow"
    assert takes(cast.alice, app.at(now()))
    for wrong in ("", "000", "abcdef", "１２３４５６", "\0", "9" * 5_000):
        assert not takes(cast.alice, wrong)


def test_each_code_for_a_lost_phone_lets_in_once(cast: Cast) -> None:
    _app, codes = set_up(cast.alice)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert takes(cast.alice, codes[3].upper())
    assert not takes(cast.alice, codes[3])
    assert takes(cast.alice, codes[4].replace("-", " "))
    assert not takes(cast.bob, codes[5]), "of somebody else"


def test_a_stolen_database_opens_no_account(cast: Cast) -> None:
    app, codes = set_up(cast.alice)
    with ext.session() as session:
        row = str(session.execute(text("SELECT * FROM second_factor")).one())
        factor = session.get_one(second_factor.SecondFactor, cast.alice.id)
        assert second_factor.key_of(factor, b"another secret") != app.secret
    assert app.secret not in row
    assert not any(code in row or code.replace("-", "") in row for code in codes)


def test_what_the_password_page_hands_on_is_signed_and_short_lived(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    def whose(token: str) -> str | None:
        with ext.session() as session:
            found = second_factor.pending_user(session, token, SECRET, now())
            return found.name if found else None

    token = second_factor.pending(cast.alice, SECRET, now())
    assert whose(token) == "Alice"
    user_id, until, signature = token.split(".")
    later = str(int(until) + 3600)
    forged = (
        f"{cast.ada.id}.{until}.{signature}",
        f"{user_id}.{later}.{signature}",
        f"{user_id}.{until}",
        "..",
        "",
        "9" * 40 + f".{until}.{signature}",
        "é.1.a",
    )
    assert {whose(one) for one in forged} == {None}
    with ext.write() as session:
        session.get_one(User, cast.alice.id).password_hash = "another"
    assert whose(token) is None
    with ext.write() as session:
        session.get_one(User, cast.alice.id).password_hash = cast.alice.password_hash
    clock.shift(second_factor.PENDING)
    assert whose(token) is None


@pytest.mark.parametrize(
    ("required", "left"),
    [
        ("nobody", {"alice", "sam", "ada"}),
        ("admins", {"alice", "sam"}),
        ("supervisors", {"alice"}),
        ("everybody", set()),
    ],
)
def test_who_must_have_one_now_and_has_none_is_logged_out(
    cast: Cast, required: str, left: set[str]
) -> None:
    people = {"alice": cast.alice, "sam": cast.sam, "ada": cast.ada}
    with ext.write() as session:
        for name, user in people.items():
            session.add(
                LoginSession(
                    token_hash=name,
                    user_id=user.id,
                    created_at=now(),
                    last_seen_at=now(),
                    expires_at=now() + timedelta(days=1),
                )
            )
    with ext.write() as session:
        second_factor.enforce(session, required)
    with ext.session() as session:
        rows = session.execute(text("SELECT token_hash FROM login_session ORDER BY id"))
        assert set(rows.scalars()) == left
