"""Automatic mail gets no receipt; automatic answers are known as such (RFC 3834)."""

import pytest

from helpdesk.intake.guard import is_automatic, judge
from helpdesk.intake.inbound import Inbound
from helpdesk.intake.mail import parse
from helpdesk.intake.mime import split
from tests.intake.mails import mail, multipart, part, read

NULL = ""
PERSON = "oksana@client.example"

# name, fields, envelope sender, reason, is it an automatic answer
TABLE: list[tuple[str, dict[str, str], str | None, str | None, bool]] = [
    ("a person", {}, PERSON, None, False),
    ("a person, envelope lost", {}, None, None, False),
    ("auto-submitted no", {"Auto_Submitted": "no"}, PERSON, None, False),
    ("vacation", {"Auto_Submitted": "auto-replied (vacation)"}, NULL, "auto_submitted", True),
    (
        "vacation with parameters",
        {"Auto_Submitted": "auto-replied; x=y"},
        PERSON,
        "auto_submitted",
        True,
    ),
    ("a machine reports", {"Auto_Submitted": "auto-generated"}, PERSON, "auto_submitted", False),
    ("sieve notify", {"Auto_Submitted": "auto-notified"}, PERSON, "auto_submitted", False),
    (
        "Exchange out of office",
        {
            "Auto_Submitted": "auto-generated",
            "X_Auto_Response_Suppress": "All",
            "X_MS_Exchange_Inbox_Rules_Loop": "oksana@client.example",
            "Subject": "Automatic reply: Printer is broken",
        },
        NULL,
        "auto_submitted",
        True,
    ),
    (
        "Exchange out of office in Russian",
        {"X_Auto_Response_Suppress": "All", "Subject": "Автоматический ответ: Принтер"},
        PERSON,
        "auto_response_suppress",
        True,
    ),
    (
        "Gmail vacation",
        {"Precedence": "bulk", "X_Autoreply": "yes", "Auto_Submitted": "auto-replied"},
        NULL,
        "auto_submitted",
        True,
    ),
    (
        "qmail autoresponder",
        {"Precedence": "junk", "In_Reply_To": "<r@desk.example>", "Subject": "Re: Printer"},
        NULL,
        "null_return_path",
        True,
    ),
    (
        "Notes out of office",
        {"Subject": "Oksana Koval is out of the office."},
        PERSON,
        "subject",
        False,
    ),
    ("bare X-Autoreply", {"X_Autoreply": "yes"}, PERSON, "auto_reply_header", True),
    ("X-Autorespond", {"X_Autorespond": "Re: x"}, PERSON, "auto_reply_header", True),
    ("precedence auto_reply", {"Precedence": "auto_reply"}, PERSON, "precedence", True),
    ("null return path", {}, NULL, "null_return_path", False),
    ("null return path in a header", {"Return_Path": "<>"}, None, "null_return_path", False),
    ("the envelope beats the header", {"Return_Path": "<>"}, PERSON, None, False),
    (
        "null path and vacation subject",
        {"Subject": "Автоответ: отпуск"},
        NULL,
        "null_return_path",
        True,
    ),
    ("bulk", {"Precedence": "Bulk"}, PERSON, "precedence", False),
    ("junk", {"Precedence": "junk"}, PERSON, "precedence", False),
    ("mailing list", {"List_Id": "<x.example>", "Precedence": "list"}, PERSON, "precedence", False),
    ("newsletter", {"List_Unsubscribe": "<https://x.example/u>"}, PERSON, "list", False),
    ("list owner", {"Sender": "owner-talk@x.example"}, PERSON, "list", False),
    ("list bounces address", {}, "talk-bounces@x.example", "list", False),
    (
        "suppress",
        {"X_Auto_Response_Suppress": "DR, OOF, AutoReply"},
        PERSON,
        "auto_response_suppress",
        False,
    ),
    ("suppress none", {"X_Auto_Response_Suppress": "None"}, PERSON, None, False),
    ("noreply", {"From": "Shop <no-reply@shop.example>"}, PERSON, "daemon_sender", False),
    ("noreply with more", {"From": "shop.noreply+7@shop.example"}, PERSON, "daemon_sender", False),
    ("do not reply", {"From": "do_not.reply@shop.example"}, PERSON, "daemon_sender", False),
    ("postmaster", {"From": "Postmaster@x.example"}, PERSON, "daemon_sender", False),
    (
        "mailer-daemon without domain",
        {"From": "MAILER-DAEMON (Mail System)"},
        PERSON,
        "daemon_sender",
        False,
    ),
    ("our own address", {"From": "Support@DESK.example"}, PERSON, "own_address", False),
    ("our own envelope", {}, "support@desk.example", "own_address", False),
    ("our loop mark", {"X_Loop": "support@desk.example"}, PERSON, "loop", False),
    ("somebody's loop mark", {"X_Loop": "other@x.example"}, PERSON, None, False),
    ("subject only", {"Subject": "Out of office"}, PERSON, "subject", False),
    ("subject only, Russian", {"Subject": "Автоответ: меня нет"}, PERSON, "subject", False),
    (
        "subject only, Ukrainian",
        {"Subject": "Автоматична відповідь: відпустка"},
        PERSON,
        "subject",
        False,
    ),
    ("words inside a subject", {"Subject": "Printer: out of office supplies"}, PERSON, None, False),
    ("a person named Bouncer", {"From": "bouncer@club.example"}, PERSON, None, False),
]


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_automatic_mail(row: tuple[str, dict[str, str], str | None, str | None, bool]) -> None:
    _, fields, envelope, reason, is_answer = row
    got: Inbound = read(mail(**fields), envelope)
    assert (got.no_receipt_reason, got.is_auto_reply) == (reason, is_answer)
    assert got.no_receipt == (reason is not None)
    assert not got.is_bounce


def test_read_receipt_is_an_automatic_answer_and_no_bounce() -> None:
    raw = multipart(
        "report",
        part("Your message was displayed"),
        part(
            "Final-Recipient: rfc822;a@b.example\r\nDisposition: manual; displayed\r\n",
            "message/disposition-notification",
        ),
        Content_Type='multipart/report; report-type="disposition-notification"; boundary="=_b1"',
    )
    got = read(raw)
    assert got.is_auto_reply and got.no_receipt and not got.is_bounce


def test_spam_report_gets_no_receipt() -> None:
    raw = multipart(
        "report",
        part("abuse"),
        part("Feedback-Type: abuse\r\n", "message/feedback-report"),
        Content_Type='multipart/report; report-type=feedback-report; boundary="=_b1"',
    )
    got = read(raw)
    assert got.no_receipt and not got.is_auto_reply and not got.is_bounce


def test_own_addresses_as_a_question() -> None:
    raw = mail(From="help+abc@desk.example")
    got = parse(
        raw, envelope_from="x@y.example", own_addresses=lambda a: a.endswith("@desk.example")
    )
    assert got.no_receipt_reason == "own_address"


def test_headers_alone_are_enough() -> None:
    headers = split(mail(Precedence="list")).root.headers
    assert is_automatic(headers, None) == "precedence"
    assert judge(headers, None).is_response is False
