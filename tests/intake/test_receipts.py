"""Whether a sender got a receipt: said once it is decided."""

from helpdesk import ext
from helpdesk.clients.actions import mark_verified
from helpdesk.intake.queries import receipts_of
from helpdesk.lib.clock import now
from helpdesk.reactions import react
from tests.intake.conftest import Mailroom, email


def decided(mailroom: Mailroom) -> list[bool | None]:
    with ext.session() as session:
        receipts = receipts_of(session, mailroom.deliveries())
    return [receipts[key] for key in sorted(receipts)]


def test_a_receipt_is_undecided_until_the_reactions_ran(mailroom: Mailroom) -> None:
    mailroom.take(email())
    assert decided(mailroom) == [None]
    react()
    assert decided(mailroom) == [True]


def test_a_second_email_within_the_hour_gets_none(mailroom: Mailroom) -> None:
    mailroom.take(email())
    mailroom.take(email("Other", message_id="<two@client.example>"))
    react()
    assert decided(mailroom) == [True, False]


def test_automatic_mail_is_decided_at_once(mailroom: Mailroom) -> None:
    mailroom.take(email(Precedence="bulk"))
    assert decided(mailroom) == [False]


def test_a_client_whose_address_is_proven_gets_one_for_each_ticket(mailroom: Mailroom) -> None:
    with ext.write() as session:
        mark_verified(session, mailroom.cast.oksana.contact_point_id or 0, at=now())
    for number in range(4):
        mailroom.take(email("Other", message_id=f"<{number}@client.example>"))
    react()
    assert decided(mailroom) == [True] * 4
