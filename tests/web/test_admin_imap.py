"""Mailboxes of other providers, as an administrator sets them up, tries and looks after them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.intake import imap_state
from helpdesk.intake.imap import Trouble
from helpdesk.intake.models import ImapBox, ImapTrouble
from helpdesk.lib.clock import now
from tests.cast import Cast
from tests.dovecot import PASSWORD, USER, Dovecot
from tests.web.conftest import Pages
from tests.web.rooms import enter


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    dovecot = Dovecot()
    yield dovecot
    dovecot.close()


@pytest.fixture
def ada(pages: Pages) -> Pages:
    return enter(pages, "ada")


def form(dovecot: Dovecot, **changes: str) -> dict[str, str]:
    """What an administrator types; `active` stands in the form of a new mailbox as well."""
    return {
        "address": "support@example.com",
        "host": "localhost",
        "port": str(dovecot.port),
        "tls": "plain",
        "username": USER,
        "password": PASSWORD,
        "folder": "INBOX",
        "after": "leave",
        "active": "1",
        **changes,
    }


def boxes() -> list[ImapBox]:
    with ext.session() as session:
        return list(session.scalars(select(ImapBox).order_by(ImapBox.id)))


def added(ada: Pages, dovecot: Dovecot) -> ImapBox:
    ada.get("/admin/imap/new")
    ada.post("/admin/imap/new", **form(dovecot))
    (box,) = boxes()
    return box


def test_set_up_with_a_check_and_the_password_is_never_shown(
    ada: Pages, cast: Cast, dovecot: Dovecot
) -> None:
    assert "No mailbox is fetched" in ada.get("/admin/imap").text
    ada.get("/admin/imap/new")
    page = ada.post("/admin/imap/new", **form(dovecot, check="1"))
    assert "The mailbox opens" in page.text and not boxes()
    assert PASSWORD not in page.html
    assert page.one("input[@name='password']").get("required") is None
    ada.post("/admin/imap/new", **form(dovecot, password=""))  # it comes back sealed
    (box,) = boxes()
    assert PASSWORD not in box.password
    for path in ("/admin/imap", f"/admin/imap/{box.id}"):
        page = ada.get(path)
        assert PASSWORD not in page.html and box.password not in page.html
        assert box.address in page.text
    ada.get("/admin/imap/new")
    assert "fetched already" in ada.post("/admin/imap/new", **form(dovecot)).text


WRONG: list[tuple[dict[str, str], str]] = [
    ({"password": "wrong"}, "app password"),
    ({"folder": "Nothing"}, "There is no folder Nothing."),
    ({"host": "nothing.invalid", "tls": "tls"}, "There is no server nothing.invalid."),
    ({"tls": "starttls"}, "is not valid, so no password was sent"),
    ({"host": "imap.example.com"}, "Without encryption only a server on this machine"),
    ({"host": "a b"}, "Write the name of the server"),
    ({"port": "70000"}, "A port is a number"),
    ({"tls": "none"}, "Choose one from the list."),
    ({"after": "move"}, "Name another folder"),
    ({"password": ""}, "Type the password."),
    ({"address": "else@example.com"}, "Choose one from the list."),
    ({"username": " "}, "Type the user name."),
    ({"password": "a\nb"}, "a character that can"),
]


def test_a_check_says_clearly_what_is_wrong(ada: Pages, cast: Cast, dovecot: Dovecot) -> None:
    for changes, words in WRONG:
        ada.get("/admin/imap/new")
        page = ada.post("/admin/imap/new", **form(dovecot, check="1", **changes))
        assert words in page.text, changes
    assert not boxes()


def test_a_kept_password_is_told_to_no_other_server(
    ada: Pages, cast: Cast, dovecot: Dovecot
) -> None:
    box = added(ada, dovecot)
    path = f"/admin/imap/{box.id}"
    silent = form(dovecot, password="", seen=ada.get(path).form(path)["seen"])
    assert "The mailbox opens" in ada.post(path, **silent, check="1").text
    other = silent | {"host": "127.0.0.1"}
    for more in ({}, {"check": "1"}):
        assert "type the password again" in ada.post(path, **(other | more)).text
    ada.post(path, **(silent | {"active": ""}))
    assert not boxes()[0].active and "Switched off" in ada.get("/admin/imap").text
    ada.get(path)
    assert "in the meantime" in ada.post(path, **silent).text  # somebody else's old form


def test_the_list_says_what_fails_and_that_nothing_fetches(
    ada: Pages, cast: Cast, dovecot: Dovecot
) -> None:
    added(ada, dovecot)
    with ext.write() as session:
        box = session.scalars(select(ImapBox)).one()
        trouble = Trouble(ImapTrouble.LOGIN, "<b>Invalid credentials</b>")
        imap_state.failed(session, box, trouble, now())
    page = ada.get("/admin/imap")
    assert "app password" in page.text and "is not running" in page.text
    page = ada.get(f"/admin/imap/{boxes()[0].id}")
    assert "<b>Invalid credentials</b>" in page.text  # as text
    assert "Invalid credentials" not in [b.text for b in page.all("b")]
    assert "1 failing" in ada.get("/admin").text
    ready = ada.client.get("/readyz").json
    assert ready is not None and ready["imap"] == "has not started"
    measured = ada.client.get("/metrics").text
    assert 'helpdesk_imap_mailboxes{state="failing"} 1.0' in measured
