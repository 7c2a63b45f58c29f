"""Ordinary email of the mail programs our clients use."""

import email
import email.policy
from datetime import UTC, datetime

import pytest

from helpdesk.intake.inbound import Address
from helpdesk.intake.mail import suspicious
from helpdesk.intake.mime import split
from tests.intake.mails import file_part, mail, multipart, nested, part, read

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def gmail() -> bytes:
    text = (
        "Hello,\r\nthe printer is broken.\r\n\r\n"
        "On Sat, Nov 21, 2026 at 5:30 PM Support <support@desk.example>\r\n"
        "wrote:\r\n\r\n> How can we help?\r\n"
    )
    html = (
        '<div dir="ltr">Hello,<br>the printer is <b>broken</b>.</div><br><div class="gmail_quote">'
        "<div>On Sat wrote:<br></div><blockquote>How can we help?</blockquote></div>"
    )
    return multipart(
        "alternative",
        part(text),
        part(html, "text/html; charset=UTF-8"),
        In_Reply_To="<q1@desk.example>",
        References="<q0@desk.example>\r\n <q1@desk.example>",
    )


def test_gmail_reply_gives_own_words_html_and_thread() -> None:
    got = read(gmail())
    assert got.visible_text == "Hello,\nthe printer is broken."
    assert got.html is not None and "<b>broken</b>" in got.html
    assert got.sender == Address("Oksana Koval", "oksana@client.example")
    assert got.to == (Address("Support", "support@desk.example"),)
    assert got.date == datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
    assert (got.message_id, got.in_reply_to) == ("one@client.example", "q1@desk.example")
    assert got.references == ("q0@desk.example", "q1@desk.example")
    assert got.language == "en"
    assert got.parse_errors == ()
    assert not (got.no_receipt or got.is_bounce or got.is_auto_reply)


def test_outlook_with_inline_image_and_file() -> None:
    html = (
        "<html><head><style>p{x:y}</style></head><body><p>See the picture</p><img "
        'src="cid:image001.png@01DB"></body></html>'
    )
    related = nested(
        "related",
        nested(
            "alternative",
            part("See the picture\r\n", "text/plain; charset=us-ascii"),
            part(html, 'text/html; charset="us-ascii"'),
            boundary="=_b3",
        ),
        file_part(PNG, 'image/png; name="image001.png"', Content_ID="<image001.png@01DB>"),
        boundary="=_b2",
    )
    report = file_part(
        b"%PDF-1.4",
        "application/pdf",
        Content_Disposition='attachment; filename="report.pdf"; size=8',
    )
    got = read(multipart("mixed", related, report))
    assert got.text.strip() == "See the picture"
    assert [(f.filename, f.content_type, f.inline) for f in got.files] == [
        ("image001.png", "image/png", True),
        ("report.pdf", "application/pdf", False),
    ]
    assert got.files[0].data == PNG
    assert got.files[0].content_id == "image001.png@01DB"


def test_apple_mail_text_between_pictures_is_kept_in_order() -> None:
    got = read(
        multipart(
            "mixed",
            part("Before the photo\r\n"),
            file_part(PNG, "image/jpeg", Content_Disposition="inline; filename=IMG_1.jpeg"),
            part("After the photo\r\n\r\nSent from my iPhone\r\n"),
        )
    )
    assert got.visible_text == "Before the photo\n\nAfter the photo"
    assert got.files[0].inline


def test_thunderbird_flowed_text_is_joined() -> None:
    body = "This is a long \r\nparagraph.\r\n> quoted \r\n> line\r\n\r\nNext  \r\n-- \r\nOle\r\n"
    got = read(mail(body, Content_Type="text/plain; charset=UTF-8; format=flowed"))
    assert got.text.startswith("This is a long paragraph.\n> quoted line\n\nNext")
    assert got.visible_text == "This is a long paragraph.\n\nNext"


def test_flowed_text_with_delsp_joins_without_the_space() -> None:
    kind = "text/plain; charset=UTF-8; format=flowed; delsp=yes"
    assert read(mail("Про \r\nсто\r\n", Content_Type=kind)).text.strip() == "Просто"


def test_html_only_gives_text_and_no_remote_image() -> None:
    html = (
        "<p>Добрий день</p><ul><li>один</li></ul><img src='https://t.example/x.gif'>"
        "<script>x()</script>"
    )
    got = read(mail(html, Content_Type="text/html; charset=utf-8"))
    assert "Добрий день" in got.text and "один" in got.text
    assert got.html is not None and "script" not in got.html and ' src="http' not in got.html


def test_html_reply_quotes_are_folded() -> None:
    html = (
        "<div>Так, дякую</div><blockquote type=cite><div>Ваше питання вирішено?</div></blockquote>"
    )
    assert read(mail(html, Content_Type="text/html; charset=utf-8")).visible_text == "Так, дякую"


GMAIL_HTML = (
    '<div dir="ltr">Так, дякую</div><br><div class="gmail_quote gmail_quote_container">'
    '<div dir="ltr" class="gmail_attr">сб, 21 лист. 2026 р. о 17:30 Support &lt;'
    '<a href="mailto:s@desk.example">s@desk.example</a>&gt; пише:<br></div>'
    '<blockquote class="gmail_quote">Ваше питання вирішено?</blockquote></div>'
)
OUTLOOK_HTML = (
    '<div>Так, дякую</div><hr><div id="divRplyFwdMsg" dir="ltr"><b>Від:</b> Support<br>'
    "<b>Надіслано:</b> 21 листопада 2026 р.<br><b>Кому:</b> Оксана<br><b>Тема:</b> RE: Принтер"
    "</div><div><p>Ваше питання вирішено?</p></div>"
)


@pytest.mark.parametrize("html", [GMAIL_HTML, OUTLOOK_HTML])
def test_history_in_html_of_gmail_and_outlook_is_cut(html: str) -> None:
    assert read(mail(html, Content_Type="text/html; charset=utf-8")).visible_text == "Так, дякую"


def test_blank_plain_part_gives_way_to_html() -> None:
    got = read(multipart("alternative", part(" \r\n"), part("<p>Real text</p>", "text/html")))
    assert got.visible_text == "Real text"


def test_calendar_invitation_is_a_file() -> None:
    got = read(
        multipart(
            "alternative",
            part("Meeting"),
            part("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/calendar; method=REQUEST"),
        )
    )
    assert got.text.strip() == "Meeting"
    assert [(f.filename, f.content_type) for f in got.files] == [
        ("invitation.ics", "text/calendar")
    ]


def test_pgp_signature_and_encrypted_mail_are_files() -> None:
    signed = read(multipart("signed", part("Signed words"), part("x", "application/pgp-signature")))
    assert signed.text.strip() == "Signed words"
    assert signed.files[0].filename == "signature.asc"
    sealed = read(
        multipart(
            "encrypted",
            part("Version: 1", "application/pgp-encrypted"),
            part("-----BEGIN PGP MESSAGE-----", 'application/octet-stream; name="encrypted.asc"'),
        )
    )
    assert [f.filename for f in sealed.files] == ["version.asc", "encrypted.asc"]
    assert sealed.text == "" and "encrypted" in sealed.parse_errors


def test_attached_email_is_an_eml_file_named_by_its_subject() -> None:
    inner = mail("inner words", Subject="Старе/питання")
    got = read(multipart("mixed", part("see below"), part(inner, "message/rfc822")))
    assert got.text.strip() == "see below"
    assert got.files[0].filename == "Старе_питання.eml"
    assert got.files[0].data.rstrip() == inner.rstrip()


def test_files_without_names_get_one_by_type() -> None:
    got = read(
        multipart(
            "mixed",
            part("hi"),
            file_part(b"%PDF", "application/pdf"),
            file_part(b"x", "application/ms-tnef"),
            file_part(b"x", "nonsense"),
        )
    )
    assert [f.filename for f in got.files] == [
        "attachment-1.pdf",
        "winmail.dat",
        "attachment-3.bin",
    ]
    assert got.files[2].content_type == "application/octet-stream"


@pytest.mark.parametrize(
    "disposition",
    [
        "attachment; filename*=utf-8''%D0%97%D0%B2%D1%96%D1%82.pdf",
        "attachment; filename*0*=utf-8''%D0%97%D0%B2; filename*1*=%D1%96%D1%82; filename*2=.pdf",
        'attachment; filename="=?utf-8?B?0JfQstGW0YIucGRm?="',
        'attachment; filename="=?windows-1251?Q?=C7=E2=B3=F2.pdf?="',
        'attachment; filename="Звіт.pdf"',
        "attachment; filename=Звіт.pdf",
        "attachment; filename=\"zvit.pdf\"; filename*=UTF-8'uk'%D0%97%D0%B2%D1%96%D1%82.pdf",
    ],
)
def test_file_names_in_every_encoding(disposition: str) -> None:
    got = read(
        multipart("mixed", file_part(b"x", "application/pdf", Content_Disposition=disposition))
    )
    assert got.files[0].filename == "Звіт.pdf"


def test_forwarded_mail_keeps_its_content() -> None:
    body = (
        "FYI\r\n\r\n---------- Forwarded message ---------\r\n"
        "From: Bob <b@x.example>\r\nDate: Sat\r\n"
        "Subject: x\r\nTo: me\r\n\r\nThe invoice is wrong.\r\n"
    )
    assert "The invoice is wrong." in read(mail(body)).visible_text
    outlook = (
        "FYI\r\n\r\nFrom: Bob\r\nSent: Saturday\r\n"
        "To: me\r\nSubject: x\r\n\r\nThe invoice is wrong.\r\n"
    )
    assert "The invoice is wrong." in read(mail(outlook, Subject="FW: x")).visible_text
    assert "The invoice is wrong." not in read(mail(outlook, Subject="RE: x")).visible_text
    html = (
        '<div>FYI</div><div class="gmail_quote">---------- Forwarded message ---------<br>'
        "From: Bob<br><p>The invoice is wrong.</p></div>"
    )
    got = read(mail(html, Content_Type="text/html"))
    assert "The invoice is wrong." in got.visible_text


def test_empty_body_is_fine() -> None:
    got = read(mail(""))
    assert (got.text, got.visible_text, got.html) == ("", "", None)
    assert got.parse_errors == ()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello, my order has not arrived", "en"),
        ("Привет, где мой заказ? Это уже вторая неделя", "ru"),
        ("Де моє замовлення? Минув вже другий тиждень", "uk"),
        ("Добрий день, підкажіть ціну", "uk"),
        ("Wo ist meine Bestellung? Ich warte schon lange darauf.", None),
        ("12345", None),
        ("", None),
    ],
)
def test_language_is_detected(text: str, language: str | None) -> None:
    assert read(mail(text, without=["Subject"])).language == language


ORDINARY = {
    "gmail": gmail(),
    "plain": mail(),
    "mixed": multipart("mixed", part("a\r\n"), file_part(PNG, "image/png"), part("b")),
    "nested": multipart(
        "mixed",
        nested("alternative", part("x"), part("<p>x", "text/html"), boundary="=_b2"),
        file_part(PNG, "image/png"),
    ),
    "bare line feeds": multipart("mixed", part("a\r\nb"), part("c")).replace(b"\r\n", b"\n"),
    "preamble and epilogue": mail(
        "preamble\r\n--=_b1\r\n\r\none\r\n--=_b1\r\nX: y\r\n\r\ntwo\r\n--=_b1--\r\nepilogue\r\n",
        Content_Type='multipart/mixed; boundary="=_b1"',
    ),
    "no final boundary": multipart("mixed", part("a"), part("b"), end=False),
    "boundary with spaces after it": multipart("mixed", part("a"), part("b")).replace(
        b"--=_b1\r\n", b"--=_b1  \t\r\n"
    ),
}


@pytest.mark.parametrize("raw", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_mail_is_cut_as_the_standard_library_does(raw: bytes) -> None:
    layout = split(raw)
    ours = [
        (part.content_type, layout.body(part).replace(b"\r\n", b"\n"))
        for part in layout.root.walk()
        if not part.children
    ]
    parsed = email.message_from_bytes(raw, policy=email.policy.compat32)
    theirs = [
        (part.get_content_type(), str(part.get_payload()).encode().replace(b"\r\n", b"\n"))
        for part in parsed.walk()
        if not part.is_multipart()
    ]
    assert ours == theirs
    assert not suspicious(raw)
