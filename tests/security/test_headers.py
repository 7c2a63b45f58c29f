"""CWE-113, CWE-434, CWE-1021: header injection, types that lie, what every answer carries."""

from collections.abc import Callable
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import select

from helpdesk import ext, files
from helpdesk.lib.clock import now
from helpdesk.lib.text import clean_filename
from helpdesk.lib.tokens import link_token
from helpdesk.outbox.compose import compose
from helpdesk.outbox.models import Outgoing
from helpdesk.reactions import react
from helpdesk.tickets import actions
from helpdesk.tickets.content import FileRef
from helpdesk.tickets.models import NUMBER_OFFSET, Attachment, Ticket
from tests.cast import Cast
from tests.intake.conftest import Mailroom, email
from tests.web.conftest import Desk, Pages

Stored = Callable[[str, str], tuple[str, ...]]

LIARS = [
    "image/svg+xml", "image/svg+xml; x", "text/html", "text/html;charset=utf-7", "text/xml",
    "application/xhtml+xml", "image/png, text/html", "IMAGE/PNG", "image/png;x", "", "x",
    "multipart/x-mixed-replace", "text/javascript", "application/pdf", "text/plain", "image/bmp",
]  # fmt: skip
NAMES = [
    "a\r\nX-Evil: 1.txt",
    'a"; x="b.html',
    "а\u202etxt.exe",
    "../../etc/passwd",
    "\x00.htaccess",
]


@pytest.fixture
def stored(pages: Pages, desk: Desk) -> Stored:
    """Puts a file of this name and type on a ticket; its addresses for all readers."""

    def put(name: str, kind: str) -> tuple[str, ...]:
        data = b"<script>alert(1)</script>"
        number = desk.ticket(files=(FileRef(files.put(data), len(data), name, kind),))
        with ext.session() as session:
            ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
            file_id = session.scalars(select(Attachment.id).order_by(Attachment.id.desc())).first()
        token = link_token(pages.app.config["SECRET_KEY"].encode(), ticket.id, ticket.link_nonce)
        paths = ("/desk/files/", f"/t/{token}/files/", "/api/v1/attachments/")
        return tuple(f"{path}{file_id}" for path in paths)

    return put


def test_a_type_that_lies_is_only_saved(pages: Pages, cast: Cast, stored: Stored) -> None:
    """Four picture types may show; all else is octets to be saved, in a sandbox (I13)."""
    with ext.write() as session:
        bearer = {"Authorization": f"Bearer {cast.token(session, cast.ada)}"}
    pages.log_in("alice")
    for kind in LIARS:
        for path in stored("a.png", kind):
            answer = pages.raw("GET", path, headers=bearer if "/api/" in path else {})
            assert answer.status_code == 200 and answer.get_data()
            assert answer.headers["Content-Type"] == "application/octet-stream"
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            answer.close()


def test_a_file_name_breaks_no_header(pages: Pages, cast: Cast, stored: Stored) -> None:
    with ext.write() as session:
        bearer = {"Authorization": f"Bearer {cast.token(session, cast.ada)}"}
    pages.log_in("alice")
    for name in NAMES:
        for path in stored(clean_filename(name), "text/plain"):
            answer = pages.raw("GET", path, headers=bearer if "/api/" in path else {})
            assert answer.status_code == 200 and answer.get_data()
            assert "X-Evil" not in answer.headers
            value = answer.headers["Content-Disposition"]
            assert value.isascii() and value.isprintable()
            answer.close()


@pytest.mark.parametrize(
    "word", ["hi\r\nBcc: evil@evil.example", "=?utf-8?q?a=0D=0ABcc:_e@e.example?="]
)
def test_a_subject_or_name_from_outside_adds_no_field_to_our_answer(
    mailroom: Mailroom, cast: Cast, word: str
) -> None:
    """From the raw email to the octets for the relay (I25, T8)."""
    encoded = word if word.startswith("=?") else "=?utf-8?b?aGkNCkJjYzogZXZpbEBldmlsLmV4YW1wbGU=?="
    raw = (
        f"From: {encoded} <new@client.example>\r\nTo: support@example.com\r\n"
        f"Subject: {encoded}\r\nMessage-ID: <h@x>\r\n\r\nText\r\n"
    ).encode()
    delivery = mailroom.take(raw)
    with ext.write() as session:
        ticket = session.get_one(Ticket, delivery.ticket_id)
        actions.reply(session, ticket, word, user_id=cast.alice.id, at=now())
    react()
    with ext.session() as session:
        for outgoing in session.scalars(select(Outgoing)):
            written = message_from_bytes(compose(outgoing), policy=default)
            assert written["Bcc"] is None
            assert [addr.addr_spec for addr in written["To"].addresses] == ["new@client.example"]


def test_nobody_in_cc_or_reply_to_is_written_to_or_let_in(mailroom: Mailroom, cast: Cast) -> None:
    """I1, I32, T4: a forged answer with our address in it adds nobody and sends them nothing."""
    first = mailroom.take(email())
    with ext.write() as session:
        ticket = session.get_one(Ticket, first.ticket_id)
        actions.reply(session, ticket, "Our answer", user_id=cast.alice.id, at=now())
    react()
    with ext.session() as session:
        signed = session.scalars(select(Outgoing.reply_to).where(Outgoing.kind == "reply")).one()
    evil = {"Cc": "evil@evil.example", "Reply_To": "evil@evil.example"}
    mailroom.take(email("Me too", message_id="<2@x>", **evil), to=signed)
    with ext.write() as session:
        ticket = session.get_one(Ticket, first.ticket_id)
        actions.reply(session, ticket, "Again", user_id=cast.alice.id, at=now())
    react()
    with ext.session() as session:
        sent = set(session.scalars(select(Outgoing.to_address)))
    assert sent == {"oksana@client.example"}


PLACES = ["/", "/t/x", "/nothing", "/api/v1/tickets"]


@pytest.mark.parametrize("path", PLACES)
def test_every_answer_is_guarded(pages: Pages, path: str) -> None:
    answer = pages.raw("GET", path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Server" not in answer.headers and "X-Powered-By" not in answer.headers


def test_cookies_are_closed_to_scripts_and_other_sites(pages: Pages) -> None:
    pages.app.config["SESSION_COOKIE_SECURE"] = True
    pages.app.config["WTF_CSRF_ENABLED"] = False
    fields = {"email": "alice@example.com", "password": "correct horse battery"}
    answer = pages.raw("POST", "/login", data=fields, base_url="https://localhost")
    cookies = answer.headers.getlist("Set-Cookie")
    (login,) = [cookie for cookie in cookies if cookie.startswith("helpdesk_login=")]
    assert all(word in login for word in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/"))
