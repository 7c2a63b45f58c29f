"""Bounces are known by their structure, and people's mail about bounces isn't one."""

import pytest

from helpdesk.intake.inbound import Bounce
from tests.intake.mails import mail, multipart, part, read

RETURNED = mail("our words", Message_ID="<sent@desk.example>", From="support@desk.example")
HEADERS = RETURNED.partition(b"\r\n\r\n")[0] + b"\r\n"
REPORT = 'multipart/report; report-type=delivery-status; boundary="=_b1"'


def status(action: str = "failed", code: str = "5.1.1", who: str = "gone@client.example") -> str:
    return (
        "Reporting-MTA: dns; mx.example\r\nArrival-Date: Sat, 21 Nov 2026 17:30:00 +0200\r\n\r\n"
        f"Final-Recipient: rfc822; {who}\r\nAction: {action}\r\nStatus: {code}\r\n"
        f"Diagnostic-Code: smtp; 550 {code} no such user\r\n"
    )


def report(
    fields: str,
    *,
    said: str = "Your mail could not be delivered.",
    returned: bytes = RETURNED,
    kind: str = "message/rfc822",
    status_kind: str = "message/delivery-status",
    **more: str,
) -> bytes:
    top = {"From": "MAILER-DAEMON@mx.example", "Content_Type": REPORT, "Subject": "Undelivered"}
    parts = [part(said), part(fields, status_kind)]
    parts += [part(returned, kind)] if returned else []
    return multipart("report", *parts, **(top | more))


def old(said: str, **more: str) -> bytes:
    top = {"From": "Mail Delivery System <mailer-daemon@mx.example>", "Subject": "Returned mail"}
    return mail(said, **(top | more))


QMAIL = """Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<gone@client.example>:
198.51.100.7 does not like recipient.
Remote host said: 550 5.1.1 no mailbox here

--- Below this line is a copy of the message.

"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  gone@client.example
    SMTP error from remote mail server after RCPT TO:<gone@client.example>:
    550 5.1.1 Unknown user

------ This is a copy of the message, including all the headers. ------

"""
FULL = Bounce("gone@client.example", "5.1.1", "failed", "sent@desk.example")
NO_ID = Bounce("gone@client.example", "5.1.1", "failed", None)
NO_STATUS = Bounce("gone@client.example", None, "failed", "sent@desk.example")
LATER = Bounce("gone@client.example", "4.4.1", "delayed", "sent@desk.example")
COPY = HEADERS.decode()

BOUNCES: dict[str, tuple[bytes, str | None, Bounce]] = {
    "postfix": (report(status()), "", FULL),
    "postfix marks it auto-replied": (report(status(), Auto_Submitted="auto-replied"), "", FULL),
    "envelope lost": (report(status()), None, FULL),
    "headers only": (report(status(), returned=HEADERS, kind="text/rfc822-headers"), "", FULL),
    "international": (
        report(status(), status_kind="message/global-delivery-status", kind="message/global"),
        "",
        FULL,
    ),
    "no copy, but a reference": (
        report(status(), returned=b"", References="<x@y> <sent@desk.example>"),
        "",
        FULL,
    ),
    "no copy at all": (report(status(), returned=b""), "", NO_ID),
    "a delay notice": (report(status("delayed", "4.4.1")), "", LATER),
    "delivered": (
        report(status("delivered", "2.0.0")),
        "",
        Bounce("gone@client.example", "2.0.0", "delivered", "sent@desk.example"),
    ),
    "an action with a comment": (report(status("failed (bad)")), "", FULL),
    "an unknown action": (report(status("exploded")), "", FULL),
    "the worst of two recipients": (
        report(
            status("delivered", "2.0.0", "ok@client.example")
            + (
                "\r\nFinal-Recipient: rfc822;gone@client.example\r\n"
                "Action: failed\r\nStatus: 5.1.1\r\n"
            )
        ),
        "",
        FULL,
    ),
    "status only in the diagnosis": (
        report(status(code="junk").replace("550 junk", "550 5.1.1")),
        "",
        FULL,
    ),
    "status part in a plain multipart": (
        multipart(
            "mixed",
            part("failed"),
            part(status(), "message/delivery-status"),
            part(RETURNED, "message/rfc822"),
        ),
        "",
        FULL,
    ),
    "Exchange": (
        report(
            status(),
            said="Delivery has failed to these recipients or groups:\r\ngone@client.example",
            From="Microsoft Outlook <MicrosoftExchange329e71ec88ae@corp.example>",
            Subject="Undeliverable: Printer",
            X_MS_Exchange_Message_Is_Ndr="",
        ),
        "",
        FULL,
    ),
    "Exchange in Russian": (
        report(
            status(),
            said="Ошибка при доставке этим получателям или группам:",
            From="postmaster@corp.example",
            Subject="Не удается доставить: Принтер",
        ),
        "",
        FULL,
    ),
    "Exchange without a report": (
        mail(
            (
                "Delivery has failed to these recipients or groups:\r\n\r\n"
                "gone@client.example\r\n\r\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not "
                "found ##\r\n\r\nOriginal message headers:\r\n\r\n"
            )
            + COPY,
            From="postmaster@corp.example",
            Subject="Undeliverable: Printer",
            X_MS_Exchange_Message_Is_Ndr="",
        ),
        "",
        FULL,
    ),
    "report type without its part": (
        multipart(
            "report",
            part("The address gone@client.example: 550 5.1.1, delivery failed"),
            part(RETURNED, "message/rfc822"),
            Content_Type=REPORT,
            From="postmaster@x.example",
        ),
        "",
        FULL,
    ),
    "qmail": (old(QMAIL + COPY, Subject="failure notice"), "", FULL),
    "Exim": (old(EXIM + COPY, X_Failed_Recipients="gone@client.example"), "", FULL),
    "Exim without its field": (old(EXIM + COPY), "", FULL),
    "Exim delays": (
        old(
            (
                "This message was created automatically. A message that you sent has not "
                "yet been delivered to gone@client.example after 24 hours: 4.4.1\r\n"
                "No action is required on your part. Delivery attempts will continue.\r\n"
            )
            + COPY,
            Subject="Warning: message delayed 24 hours",
            Auto_Submitted="auto-replied",
        ),
        "",
        LATER,
    ),
    "plain words": (
        old("The following message to <gone@client.example> was undeliverable.\r\n" + COPY),
        "",
        NO_STATUS,
    ),
    "plain words, null path only": (
        old("User unknown: gone@client.example (5.1.1)\r\n", From="mail@mx.example"),
        "",
        NO_ID,
    ),
    "Russian": (
        old(
            (
                "Ваше сообщение не может быть доставлено одному получателю:\r\n\r\n"
                "gone@client.example\r\n550 5.1.1 пользователь не найден\r\n\r\n"
            )
            + COPY,
            Subject="Недоставленное сообщение",
        ),
        "",
        FULL,
    ),
    "Russian delay": (
        old(
            (
                "Доставка письма для gone@client.example задержана (4.4.1). Попытки доставки "
                "будут продолжены.\r\n"
            )
            + COPY,
            Subject="Письмо пока не доставлено",
        ),
        "",
        LATER,
    ),
    "Ukrainian": (
        old(
            "Не вдалося доставити ваш лист одержувачу gone@client.example: 5.1.1\r\n\r\n" + COPY,
            Subject="Лист не доставлено",
            From="postmaster@ukr.example",
        ),
        "",
        FULL,
    ),
    "Ukrainian in koi8-u": (
        mail(
            "Помилка доставки на адресу gone@client.example: 5.1.1".encode("koi8-u"),
            From="MAILER-DAEMON",
            Content_Type="text/plain; charset=koi8-u",
            Subject="x",
        ),
        "",
        NO_ID,
    ),
}

QUOTE = (
    "Hello, I wrote to you and got this, what now?\r\n\r\n"
    "> Your message could not be delivered to gone@client.example\r\n"
    "> 550 5.1.1 user unknown\r\n"
)
OTHERS: dict[str, tuple[bytes, str | None]] = {
    "a person quotes a bounce": (
        mail(QUOTE, Subject="Fwd: Undelivered Mail"),
        "oksana@client.example",
    ),
    "a person quotes a bounce, envelope lost": (mail(QUOTE), None),
    "a person attaches a bounce": (
        multipart("mixed", part("look"), part(report(status()), "message/rfc822")),
        "oksana@client.example",
    ),
    "a person attaches the status alone": (
        multipart("mixed", part("look"), part(status(), "message/delivery-status")),
        "oksana@client.example",
    ),
    "vacation from a null path": (
        mail(
            "I am away; mail to bob@client.example will be delayed.", Auto_Submitted="auto-replied"
        ),
        "",
    ),
    "vacation by subject from a null path": (
        mail(
            "Delivery problems: write to bob@client.example, not delivered today",
            Subject="Out of office",
        ),
        "",
    ),
    "unmarked vacation whose answers are delayed": (
        mail("My answers will be delayed. In a hurry: bob@client.example", Subject="Re: Printer"),
        "",
    ),
    "a postmaster who is a person": (
        mail("Good day, please call me about the contract.", From="postmaster@client.example"),
        "postmaster@client.example",
    ),
    "a postmaster who asks about a bounce": (
        mail("Our mail to bob@desk.example could not be delivered", From="postmaster@x.example"),
        "postmaster@x.example",
    ),
    "a machine with a null path": (mail("Backup done at 5.1.1", From="root@client.example"), ""),
}


@pytest.mark.parametrize("name", BOUNCES)
def test_bounces(name: str) -> None:
    raw, envelope, expected = BOUNCES[name]
    got = read(raw, envelope)
    assert got.bounce == expected
    assert got.is_bounce and got.no_receipt and not got.is_auto_reply
    assert got.no_receipt_reason == "bounce"


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_bounce(name: str) -> None:
    raw, envelope = OTHERS[name]
    got = read(raw, envelope)
    assert got.bounce is None and not got.is_bounce


def test_the_returned_email_is_kept_as_a_file() -> None:
    got = read(report(status()), "")
    assert [f.filename for f in got.files] == ["delivery-status.txt", "Printer is broken.eml"]
    assert got.text.strip() == "Your mail could not be delivered."


def test_a_status_part_of_a_thousand_recipients_is_read_in_time() -> None:
    fields = status() + "\r\nFinal-Recipient: rfc822; x@y.example\r\nAction: delayed\r\n" * 1000
    assert read(report(fields), "").bounce == FULL
