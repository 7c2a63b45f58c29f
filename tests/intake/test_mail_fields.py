"""Fields and texts in every charset, and what our server says about the sender."""

import base64

import pytest

from helpdesk.intake.inbound import Address
from tests.intake.mails import mail, read

RU = "Здравствуйте!\r\nУ меня не работает принтер, что делать?\r\n"
UK = "Доброго дня!\r\nУ мене не працює принтер, що робити?\r\n"


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "koi8-u", "cp866", "iso-8859-5"])
def test_russian_in_old_charsets(charset: str) -> None:
    word = "=?" + charset + "?B?" + base64.b64encode("Сломался".encode(charset)).decode() + "?="
    got = read(
        mail(
            base64.encodebytes(RU.encode(charset)),
            Content_Type=f"text/plain; charset={charset}",
            Content_Transfer_Encoding="base64",
            Subject=word,
        )
    )
    assert "не работает принтер" in got.text
    assert got.subject == "Сломался"
    assert got.language == "ru"
    assert got.parse_errors == ()


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-u", "utf-8", "utf-16", "mac_cyrillic"])
def test_ukrainian_in_its_charsets(charset: str) -> None:
    body = base64.encodebytes(UK.encode(charset))
    kind = f'text/plain; charset="{charset}"'
    got = read(mail(body, Content_Type=kind, Content_Transfer_Encoding="base64"))
    assert "не працює принтер" in got.text
    assert got.language == "uk"


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "utf-8"])
@pytest.mark.parametrize("said", ["", "us-ascii", "iso-8859-1", "x-foo", "utf-8"])
def test_cyrillic_is_read_whatever_the_charset_is_called(charset: str, said: str) -> None:
    kind = f"text/plain; charset={said}" if said else "text/plain"
    got = read(mail(RU.encode(charset), Content_Type=kind))
    assert "не работает принтер" in got.text
    assert ("unknown_charset:x-foo" in got.parse_errors) == (said == "x-foo")


@pytest.mark.parametrize(
    ("really", "said"),
    [("utf-8", "windows-1251"), ("koi8-r", "cp1251"), ("windows-1251", "koi8-u")],
)
def test_one_cyrillic_charset_under_the_name_of_another(really: str, said: str) -> None:
    got = read(mail(RU.encode(really), Content_Type=f"text/plain; charset={said}"))
    assert "не работает принтер" in got.text
    assert [error.partition(":")[0] for error in got.parse_errors] == ["wrong_charset"]
    loud = mail("СРОЧНО! мАЧ, ті".encode(said), Content_Type=f"text/plain; charset={said}")
    assert (read(loud).text, read(loud).parse_errors) == ("СРОЧНО! мАЧ, ті", ())


@pytest.mark.parametrize("kind", ["text", 'text/plain; charset=utf-8; name="message.txt"'])
def test_the_whole_email_is_read_in_place(kind: str) -> None:
    got = read(mail("\ufeff" + RU, Content_Type=kind))
    assert (got.text.startswith("Здравствуйте"), got.files) == (True, ())


def test_one_broken_byte_does_not_spoil_the_text() -> None:
    for charset in ("utf-8", "us-ascii"):
        body = (UK * 3).encode() + b"\xff" + UK.encode()[:-3]
        got = read(mail(body, Content_Type=f"text/plain; charset={charset}"))
        assert got.text.count("не працює принтер") == 4


def test_western_letters_in_latin1_stay() -> None:
    got = read(
        mail("Schöne Grüße, Žofie".encode("cp1252"), Content_Type="text/plain; charset=iso-8859-1")
    )
    assert got.text == "Schöne Grüße, Žofie"
    assert got.parse_errors == ()


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        (b"=?utf-8?B?0J/RgNC40LLQtdGC?=", "Привет"),
        (b"=?UTF-8?Q?=D0=9F=D1=80=D0=B8=D0=B2=D0=B5=D1=82_=D0=BC=D0=B8=D1=80?=", "Привет мир"),
        # one letter cut between two words
        (b"=?utf-8?B?0J/RgNC40LLQ?=\r\n =?utf-8?B?tdGC?=", "Привет"),
        (b"=?utf-8?B?0J/RgNC40LLQtdGC?=Re", "ПриветRe"),
        (b"Re: =?utf-8?B?0J/RgNC40LLQtdGC?= now", "Re: Привет now"),
        (b"=?utf-8?B?0J/RgNC40LLQtdGC", "Привет"),
        (b"=?utf-8?B?0J/RgNC40LLQtdGC0?=", "Привет"),
        (b"=?utf-8?Q?two words?=", "two words"),
        (b"=?x-none?B?0J/RgNC40LLQtdGC?=", "Привет"),
        ("Привет, как дела".encode("cp1251"), "Привет, как дела"),
        ("Привет, как дела".encode("koi8-r"), "Привет, как дела"),
        ("Привет, как дела".encode(), "Привет, как дела"),
        (b"what =? is this", "what =? is this"),
        (b"=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        (b"=?utf-8*uk?B?0J/RgNC40LLQtdGC?=", "Привет"),
        (b"=?iso-8859-1?Q?a?= =?utf-8?Q?b?=", "ab"),
        (b"", ""),
    ],
)
def test_subjects(value: bytes, subject: str) -> None:
    assert read(mail(Subject=value)).subject == subject


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ann@x.example", ("", "ann@x.example")),
        ("<Ann@X.EXAMPLE>", ("", "Ann@x.example")),
        ('"Koval, Ann" <ann@x.example>', ("Koval, Ann", "ann@x.example")),
        ("ann@x.example (Ann Koval)", ("Ann Koval", "ann@x.example")),
        ("=?utf-8?B?0J7Qu9C10L3QsA==?= <ann@x.example>", ("Олена", "ann@x.example")),
        ('"=?utf-8?B?0J7Qu9C10L3QsA==?=" <ann@x.example>', ("Олена", "ann@x.example")),
        ("=?utf-8?Q?Ann_=3Cann=40x.example=3E?=", ("Ann", "ann@x.example")),
        (
            "=?utf-8?B?PGJvc3NAeC5leGFtcGxlPg==?= <ann@x.example>",
            ("<boss@x.example>", "ann@x.example"),
        ),
        ("Ann <@a.example,@b.example:ann@x.example>", ("Ann", "ann@x.example")),
        ("Ann <ann@x.example", ("Ann", "ann@x.example")),
        ("+38@x.example", ("", "+38@x.example")),
        ('"a \\"b\\" c" <ann@x.example>', ('a "b" c', "ann@x.example")),
        ("Олена <олена@пошта.укр>", ("Олена", "олена@пошта.укр")),
        ("ann@x.example <ann@x.example>", ("", "ann@x.example")),
    ],
)
def test_senders(value: str, expected: tuple[str, str]) -> None:
    assert read(mail(From=value)).sender == Address(*expected)


def test_lists_of_addresses_and_groups() -> None:
    got = read(
        mail(
            To='"A, B" <a@x.example>, b@x.example,, junk, <c@x.example>; a@X.example',
            Cc="undisclosed-recipients:;",
            Reply_To="Other <other@x.example>",
            Sender="secretary@x.example",
        )
    )
    assert [a.email for a in got.to] == ["a@x.example", "b@x.example", "c@x.example"]
    assert got.cc == ()
    assert got.reply_to == Address("Other", "other@x.example")
    assert got.sender == Address("Oksana Koval", "oksana@client.example")
    assert got.sender_header == Address("", "secretary@x.example")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a@b>", "a@b"),
        (" < a@\r\n b > ", "a@b"),
        ("a@b", "a@b"),
        ("junk <a@b> junk", "a@b"),
        ("<>", None),
        ("", None),
    ],
)
def test_message_ids(value: str, expected: str | None) -> None:
    assert read(mail(Message_ID=value)).message_id == expected


@pytest.mark.parametrize(
    "value", ["yesterday", "", "99 Foo 2026", "Mon, 1 Jan 0001 00:00:00 +9999"]
)
def test_a_date_that_is_none_is_left_out(value: str) -> None:
    assert read(mail(Date=value)).date is None


RESULTS = [
    ("mx.desk.example; dmarc=pass header.from=client.example", "pass"),
    ("mx.desk.example; dmarc=fail (p=none) header.from=client.example; spf=pass", "fail"),
    ("mx.desk.example 1; spf=pass smtp.mailfrom=bounce@client.example", "pass"),
    ("mx.desk.example; dkim=pass header.d=client.example header.s=x", "pass"),
    ("mx.desk.example; dkim=pass header.d=other.example", "none"),
    ("mx.desk.example; dkim=pass header.d=evil.client.example", "none"),
    ("mx.desk.example; dkim=pass header.d=example", "none"),
    ("mx.desk.example; none", "none"),
    ("mx.desk.example; dmarc=pass header.from=other.example", "none"),
    ("mx.desk.example; dmarc=pass", "pass"),
    ("evil.example; dmarc=pass", "none"),
    ("mx.desk.example.evil.example; dmarc=pass", "none"),
    ('mx.desk.example; spf=none smtp.mailfrom="a; dmarc=pass; b"@evil.example', "none"),
    ("mx.desk.example; spf=none (helo (x) ; dmarc=pass ) smtp.mailfrom=a@evil.example", "none"),
    ("mx.desk.example; spf=none ((; dmarc=pass ) smtp.mailfrom=a@evil.example", "none"),
    ('mx.desk.example; spf=pass smtp.mailfrom="x header.d=client.example"@evil.example', "none"),
    ("mx.desk.example; dmarc=pass; dmarc=fail", "fail"),
    ("(c) mx.desk.example; DMARC=PASS", "pass"),
]


@pytest.mark.parametrize(("value", "verdict"), RESULTS)
def test_authentication_results(value: str, verdict: str) -> None:
    assert read(mail(Authentication_Results=value)).auth == verdict


def test_several_authors_are_never_proven() -> None:
    passed = "mx.desk.example; dmarc=pass"
    two = mail(From="a@client.example, b@client.example", Authentication_Results=passed)
    assert read(two).auth == "none"


def test_only_the_topmost_authentication_results_counts() -> None:
    forged = b"Authentication-Results: mx.desk.example; dmarc=pass\r\n"
    real = b"Authentication-Results: mx.desk.example; dmarc=fail\r\n"
    assert read(real + forged + mail()).auth == "fail"
    other = b"Authentication-Results: other.example; dmarc=fail\r\n"
    assert read(other + forged + mail()).auth == "none"
