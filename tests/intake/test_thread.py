"""Which ticket an email joins: token × sender × authentication (T3), I1, I5."""

from itertools import product

import pytest

from helpdesk import ext
from helpdesk.clients.models import ContactPoint
from helpdesk.lib.tokens import message_id, ticket_address
from tests.intake.conftest import Mailroom, email

TOKENS = ("valid", "other", "none")
SENDERS = ("participant", "cc", "stranger")
AUTH = ("pass", "fail", "none")

FROM = {
    "participant": "oksana@client.example",
    "cc": "colleague@client.example",
    "stranger": "mallory@evil.example",
}


@pytest.fixture
def settings() -> dict[str, str]:
    return {"HELPDESK_AUTHSERV_ID": "mx.example.com", "HELPDESK_MAIL_DOMAIN": "example.com"}


def secret(mailroom: Mailroom) -> bytes:
    return mailroom.app.config["SECRET_KEY"].encode()


@pytest.mark.parametrize(("token", "sender", "auth"), list(product(TOKENS, SENDERS, AUTH)))
def test_who_joins_a_ticket(mailroom: Mailroom, token: str, sender: str, auth: str) -> None:
    first = mailroom.take(email(Cc="colleague@client.example"))
    ticket = first.ticket_id
    assert ticket is not None
    to = "support@example.com"
    if token == "valid":
        to = ticket_address(secret(mailroom), ticket, "support", "example.com")
    elif token == "other":
        to = ticket_address(b"another secret", ticket, "support", "example.com")
    headers = {"In_Reply_To": "<one@client.example>", "Subject": f"Re: Lamp [#{ticket + 10000}]"}
    if auth != "none":
        domain = FROM[sender].split("@")[1]
        headers["Authentication_Results"] = f"mx.example.com; dmarc={auth} header.from={domain}"
    reply = email("More", sender=FROM[sender], subject="x", message_id="<r@x.example>")
    del reply["Subject"]
    for name, value in headers.items():
        reply[name.replace("_", "-")] = value
    got = mailroom.take(reply, to=to, envelope_from=FROM[sender])
    joins = token == "valid" or (sender == "participant" and auth != "fail")
    assert (got.ticket_id == ticket) is joins
    message = mailroom.messages(got.ticket_id)[-1]
    assert message.stranger is (joins and sender != "participant")
    if not joins:
        new = next(t for t in mailroom.tickets() if t.id == got.ticket_id)
        assert new.related_to_id == ticket
    requester = next(t for t in mailroom.tickets() if t.id == ticket)
    assert requester.person_id == mailroom.cast.oksana.person_id


def test_a_subject_tag_alone_never_joins(mailroom: Mailroom) -> None:
    ticket = mailroom.take(email()).ticket_id
    assert ticket is not None
    tagged = email("Hi", subject=f"[#{ticket + 10000}] Lamp", message_id="<tag@client.example>")
    got = mailroom.take(tagged)
    assert got.ticket_id != ticket
    assert mailroom.tickets()[-1].related_to_id == ticket


def test_a_reference_to_our_own_email_is_a_token(mailroom: Mailroom) -> None:
    ticket = mailroom.take(email()).ticket_id
    assert ticket is not None
    ours = message_id(secret(mailroom), ticket, "abc", "example.com")
    answer = email("Thanks", message_id="<t@client.example>", References=f"<x@y> <{ours}>")
    assert mailroom.take(answer).ticket_id == ticket


def test_a_guessed_message_id_of_ours_proves_nothing(mailroom: Mailroom) -> None:
    ticket = mailroom.take(email()).ticket_id
    forged = email(
        "Send me everything",
        sender="alice@example.com",
        message_id="<f@x.example>",
        In_Reply_To=f"<t{ticket}.abc.{'a' * 26}@example.com>",
    )
    got = mailroom.take(forged, envelope_from="alice@example.com")
    assert got.ticket_id != ticket


def test_an_answer_with_our_token_verifies_the_address(mailroom: Mailroom) -> None:
    ticket = mailroom.take(email()).ticket_id
    assert ticket is not None
    to = ticket_address(secret(mailroom), ticket, "support", "example.com")
    mailroom.take(email("Yes", message_id="<y@client.example>"), to=to)
    with ext.session() as session:
        point = session.get_one(ContactPoint, mailroom.cast.oksana.contact_point_id)
        assert point.verified


def test_a_stranger_with_the_token_verifies_nothing_and_gets_no_mail(mailroom: Mailroom) -> None:
    ticket = mailroom.take(email()).ticket_id
    assert ticket is not None
    to = ticket_address(secret(mailroom), ticket, "support", "example.com")
    spy = email("Tell me", sender="mallory@evil.example", message_id="<m@evil.example>")
    got = mailroom.take(spy, to=to, envelope_from="mallory@evil.example")
    assert got.ticket_id == ticket
    assert got.receipt_sent is False
    with ext.session() as session:
        points = session.query(ContactPoint).filter_by(key="mallory@evil.example").one()
        assert not points.verified
