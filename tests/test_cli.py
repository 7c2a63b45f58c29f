"""The commands do what they say, and what is wrong is one plain sentence with exit code 2."""

import io
import mailbox
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import backup, cli, ext
from helpdesk.accounts import second_factor, sessions
from helpdesk.accounts.actions import find_token, link_user
from helpdesk.accounts.models import User
from helpdesk.fields import Field
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib.clock import now
from helpdesk.server.first_start import first_administrator, first_queue
from helpdesk.tickets.models import Calendar, ContactReason, Mailbox, Metric, Policy, Queue
from tests.cast import Cast

EMAIL = b"""From: Oksana <oksana@client.example>
To: Support <support@example.com>, other@elsewhere.example
Subject: Hello
Message-ID: <%d@client.example>

It does not work.
"""


class Shell:
    """Runs commands in this process against the test's database."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.said = ""
        self.complaint = ""

    def __call__(self, *arguments: str) -> int:
        code = cli.main(arguments)
        self.said, self.complaint = self.capsys.readouterr()
        return code

    def refused(self, *arguments: str) -> str:
        assert self(*arguments) == 2
        assert self.complaint.count("\n") == 1
        assert self.said == ""
        return self.complaint


@pytest.fixture
def shell(app: Flask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(cli, "create_app", lambda: app)
    monkeypatch.setattr(cli.logs, "configure", lambda: None)
    return Shell(capsys)


def deliveries() -> list[Delivery]:
    with ext.session() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def test_user_add_prints_a_link_that_works_once(shell: Shell, cast: Cast) -> None:
    assert shell("user", "add", "--email", "New@x.example", "--name", "New", "--role", "agent") == 0
    token = shell.said.strip().rpartition("/welcome/")[2]
    with ext.write() as session:
        assert link_user(session, token, now()).email == "new@x.example"


def test_user_add_takes_a_password_from_the_environment(
    shell: Shell, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_USER_PASSWORD", "correct horse battery")
    assert shell("user", "add", "--email", "n@x.example", "--name", "N", "--role", "agent") == 0
    assert shell.said == ""
    with ext.session() as session:
        assert sessions.check_password(session, "n@x.example", "correct horse battery")


def test_bad_people_are_refused(shell: Shell, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    role = ("--name", "N", "--role", "agent")
    assert "not an email address" in shell.refused("user", "add", "--email", "x", *role)
    assert "here already" in shell.refused("user", "add", "--email", "alice@example.com", *role)
    bad = ("--email", "n@x.example", "--name", "N", "--role", "king")
    assert "agent, supervisor, admin" in shell.refused("user", "add", *bad)
    monkeypatch.setenv("HELPDESK_USER_PASSWORD", "short")
    shell.refused("user", "add", "--email", "n@x.example", *role)


def test_token_create_prints_the_bare_token_last(shell: Shell, cast: Cast) -> None:
    scopes = ("--scope", "ticket.read", "--scope", "client.read")
    assert shell("token", "create", "--user", "alice@example.com", "--name", "t", *scopes) == 0
    token = shell.said.splitlines()[-1]
    with ext.session() as session:
        found = find_token(session, token)
        assert found is not None
        assert found[0].scopes == ["client.read", "ticket.read"]
        assert found[1].email == "alice@example.com"
    unknown = ("token", "create", "--name", "t", "--user")
    assert "no user" in shell.refused(*unknown, "nobody@example.com")
    assert "no scope" in shell.refused(*unknown, "alice@example.com", "--scope", "all")


def test_a_lost_second_factor_can_be_turned_off_on_the_machine(shell: Shell, cast: Cast) -> None:
    with ext.write() as session:
        factor = second_factor.begin(session, session.get_one(User, cast.ada.id), at=now())
        factor.confirmed_at = now()
    assert shell("user", "reset-factor", "--email", "ada@example.com") == 0
    with ext.session() as session:
        assert second_factor.confirmed(session, cast.ada.id) is None
    assert shell("user", "reset-factor", "--email", "nobody@example.com") == 2


def test_intake_pipe_takes_an_email(
    shell: Shell, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pipe(raw: bytes, *arguments: str) -> int:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        return shell("intake", "pipe", *arguments)

    assert pipe(EMAIL % 1) == 0
    assert pipe(EMAIL % 1) == 0  # the mail server asks again: still one
    assert pipe(EMAIL % 2, "--from", "", "billing@example.com") == 0
    assert pipe(b"Return-Path: <>\n" + EMAIL % 3) == 0
    assert pipe(b"\x00\xff") == 0
    first, second, third, rubbish = deliveries()
    assert (first.envelope_from, first.recipients) == (
        "oksana@client.example",
        ["support@example.com"],
    )
    assert (second.envelope_from, second.recipients) == ("", ["billing@example.com"])
    assert third.envelope_from == ""
    assert rubbish.recipients == []


def test_intake_pipe_asks_the_mail_server_to_try_again(
    shell: Shell, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Flask:
        raise cli.StartError("The database does not answer.")

    monkeypatch.setattr(cli, "ready_app", away)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(EMAIL % 1)))
    assert shell("intake", "pipe") == 75


@pytest.mark.parametrize("kind", ["eml", "folder", "mbox", "maildir"])
def test_intake_import_takes_what_other_programs_wrote(
    shell: Shell, cast: Cast, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "mail"
    if kind == "eml":
        path.write_bytes(EMAIL % 1)
    elif kind == "folder":
        (path / "2026").mkdir(parents=True)
        (path / "2026" / "a.eml").write_bytes(EMAIL % 1)
        (path / "notes.txt").write_bytes(b"no email")
    elif kind == "mbox":
        mbox = mailbox.mbox(path)
        mbox.add(EMAIL % 1)
        mbox.close()
    else:
        maildir = mailbox.Maildir(path)
        maildir.add(EMAIL % 1)
        maildir.close()
    for _ in range(2):
        assert shell("intake", "import", str(path)) == 0
        assert shell.said == "1 emails taken.\n"
    (delivery,) = deliveries()
    assert delivery.recipients == ["support@example.com"]
    assert delivery.envelope_from == ""  # nobody gets a receipt for an old email


def test_intake_import_of_nothing_is_refused(shell: Shell, cast: Cast, tmp_path: Path) -> None:
    assert str(tmp_path / "no") in shell.refused("intake", "import", str(tmp_path / "no"))


def test_intake_replay(shell: Shell, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(EMAIL % number)))
        shell("intake", "pipe")
    with ext.write() as session:
        for delivery in session.scalars(select(Delivery)):
            delivery.state, delivery.todo = DeliveryState.FAILED, None
    first = str(deliveries()[0].id)
    assert shell("intake", "replay", first) == 0
    assert [d.state.value for d in deliveries()] == ["new", "failed"]
    assert shell("intake", "replay", "--all-failed") == 0
    assert shell.said == "1 to be processed again.\n"
    assert "can be replayed" in shell.refused("intake", "replay", first)
    assert "no delivery 99999" in shell.refused("intake", "replay", "99999")
    assert "no delivery" in shell.refused("intake", "replay", "9" * 30)


def test_ctrl_c_ends_a_command_without_a_complaint(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "upgrade", stopped)
    assert (shell("upgrade"), shell.complaint) == (130, "")


def test_check_and_upgrade_of_a_current_database(shell: Shell) -> None:
    assert shell("upgrade") == 0
    assert shell("check") == 0
    assert shell.said.endswith("in order.\n")


def test_backup_and_restore(shell: Shell, cast: Cast, tmp_path: Path) -> None:
    target = str(tmp_path / "backup")
    assert shell("backup", target) == 0
    assert shell.refused("backup", str(tmp_path)).startswith(f"{tmp_path}: ")
    away = tmp_path / "away"
    assert shell.refused("backup", str(away / "backup")).startswith(f"{away}: ")
    assert "--force" in shell.refused("restore", target)
    assert shell("restore", "--force", target) == 0
    assert "no whole backup" in shell.refused("restore", "--force", str(Path(__file__)))
    assert shell.refused("restore", "--force", str(tmp_path / "missing"))
    assert backup


@pytest.mark.parametrize("settings", [{}, {"HELPDESK_FIRST_CALENDAR": "always"}])
def test_the_first_start_makes_a_queue_with_promises(app: Flask, settings: dict[str, str]) -> None:
    for _ in range(2):
        first_queue(app)
    with ext.session() as session:
        (queue,) = session.scalars(select(Queue))
        (mailbox_,) = session.scalars(select(Mailbox))
        (calendar,) = session.scalars(select(Calendar))
        (policy,) = session.scalars(select(Policy))
    assert (queue.name, mailbox_.address) == ("Support", "support@helpdesk.localhost")
    assert policy.calendar_id == calendar.id
    assert set(policy.targets) == {metric.value for metric in Metric}
    always = "HELPDESK_FIRST_CALENDAR" in settings
    assert len(calendar.weekly) == (7 if always else 5)


def test_a_start_brings_the_usual_fields_and_reasons_once(app: Flask) -> None:
    for _ in range(2):
        first_queue(app)
    with ext.session() as session:
        keys = session.scalars(select(Field.key)).all()
        reasons = session.scalars(select(ContactReason.key)).all()
    assert {"birthday", "residence"} <= set(keys)
    assert {"delivery", "payment-refund"} <= set(reasons)
    assert len(set(keys)) == len(keys)
    assert len(set(reasons)) == len(reasons)


def test_the_first_administrator_gets_a_link_until_somebody_used_one(app: Flask) -> None:
    first, second = first_administrator(app), first_administrator(app)
    assert first and second and first != second
    with ext.write() as session:
        user = link_user(session, second, now())
        assert user.role.value == "admin"
        user.password_hash = "x"
    assert first_administrator(app) is None


@pytest.mark.parametrize(
    "settings",
    [
        {
            "HELPDESK_ADMIN_EMAIL": "boss@example.com",
            "HELPDESK_ADMIN_PASSWORD": "correct horse battery",
        }
    ],
)
def test_the_first_administrator_comes_from_the_environment(
    app: Flask, settings: dict[str, str]
) -> None:
    assert first_administrator(app) is None
    assert first_administrator(app) is None
    with ext.session() as session:
        assert sessions.check_password(session, "boss@example.com", "correct horse battery")
        assert len(session.scalars(select(User)).all()) == 1
