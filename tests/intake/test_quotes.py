"""Own words are kept; quoted history and signatures go."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.intake.quotes import Kind, classify, is_forward, visible

OWN = "Так, працює.\nДякую"
QUOTED = "\n> Чи працює тепер?\n> \n>> Принтер зламався\n"

ATTRIBUTIONS = [
    "On Sat, Nov 21, 2026 at 5:30 PM Support <support@desk.example> wrote:",
    "On Sat, Nov 21, 2026 at 5:30 PM Support <\nsupport@desk.example> wrote:",
    "On Nov 21, 2026, at 17:30, Support <support@desk.example> wrote:",
    "On 21/11/2026 17:30, Support wrote:",
    "On 2026-11-21 17:30, Support team of the\nDesk company wrote:",
    "Support <support@desk.example> wrote:",
    "сб, 21 нояб. 2026 г. в 17:30, Support <support@desk.example>:",
    "сб, 21 нояб. 2026 г. в 17:30, Служба поддержки\n<support@desk.example>:",
    "сб, 21 лист. 2026 р. о 17:30 Support <support@desk.example> пише:",
    "21 нояб. 2026 г., в 17:30, Support <support@desk.example> написал(а):",
    "21 лист. 2026 р. о 17:30 Support <support@desk.example> написав(ла):",
    "21.11.2026 17:30, Support пишет:",
    "21.11.26 17:30, Support пише:",
    "В Сб, 21/11/2026 в 17:30 +0200, Support пишет:",
    "Суббота, 21 ноября 2026, 17:30 +03:00 от Support <support@desk.example>:",
    "Субота, 21 листопада 2026, 17:30 +02:00 від Support <support@desk.example>:",
    '21.11.2026, 17:30, "Support" <support@desk.example>:',
    "21 ноября 2026 г. 17:30:00 Support написала:",
    '21 листопада 2026, 17:30:34, від "Support" <it@d.ua>:',
    "17:30, 21 ноября 2026 г., Support <support@desk.example>:",
    (
        "----------------\nКому: Оксана (o@x.example);\nТема: Re: Принтер;\n"
        '21.11.2026, 17:30, "Support" <support@desk.example>:'
    ),
]
HEADERS = [
    (
        "From: Support <support@desk.example>\n"
        "Sent: Saturday, November 21, 2026 5:30 PM\n"
        "To: Oksana\nSubject: RE: Printer"
    ),
    (
        "________________________________\nFrom: Support\n"
        "Sent: Saturday\nTo: Oksana\nSubject: RE: Printer"
    ),
    "*From:* Support\n*Sent:* Saturday\n*To:* Oksana\n*Subject:* RE: Printer",
    "-----Original Message-----\nFrom: Support\nSent: Saturday\nTo: Oksana\nSubject: Printer",
    (
        "От: Support <support@desk.example>\n"
        "Отправлено: 21 ноября 2026 г. 17:30\n"
        "Кому: Оксана\nТема: Re: Принтер"
    ),
    (
        "Від: Support <support@desk.example>\n"
        "Надіслано: 21 листопада 2026 р. 17:30\n"
        "Кому: Оксана\nКопія: Іван\nТема: Принтер"
    ),
    (
        "From: Support\nDate: Saturday, 21 November 2026 at 17:30\n"
        "To: a@x.example,\n b@x.example,\n c@x.example\n"
        "Subject: Printer"
    ),
    (
        "-------- Исходное сообщение --------\n"
        "От: Support\nДата: 21.11.2026 17:30\n"
        "Кому: Оксана\nТема: Принтер"
    ),
    "--- Оригінальне повідомлення ---\nВід кого: Support\nДата: 21 листопада 2026, 17:30:00",
    "-------- Original Message --------\nSubject: Printer\nFrom: Support",
    "---- Reply message ----",
    "-------- Оригінал повідомлення --------\nВід: Support\nДата: 21.11.2026\nТема: Принтер",
    (
        "-----Support <support@desk.example> wrote: -----\n"
        "To: oksana@x.example\nFrom: Support\nDate: 11/21/2026 05:30PM\nSubject: Re: Printer"
    ),
]
SIGNATURES = [
    "-- \nОксана Коваль\n+380 67 123 45 67",
    "--\nOksana",
    "Sent from my iPhone",
    "Sent from my Samsung Galaxy smartphone.",
    "Get Outlook for iOS<https://aka.ms/x>",
    "Отправлено с iPhone",
    "Отправлено из мобильной Почты Mail.ru",
    "Надіслано з iPhone",
    "Надіслано з мого телефону",
    "Надіслано зі смартфону Samsung Galaxy.",
    "Отримати Outlook для Android<https://aka.ms/x>",
    "Получить Outlook для iOS<https://aka.ms/x>",
    "Get BlueMail for Android",
    "Sent with Proton Mail secure email.",
]


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_attribution_and_quote_go(line: str) -> None:
    assert visible(f"{OWN}\n\n{line}\n{QUOTED}") == OWN


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_history_without_marks_goes_after_an_attribution(line: str) -> None:
    assert visible(f"{OWN}\n\n{line}\n\nЧи працює тепер?\nПідтримка\n") == OWN


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_answer_below_the_quote_stays(line: str) -> None:
    assert visible(f"{line}\n{QUOTED}\n{OWN}\n") == OWN


@pytest.mark.parametrize("block", HEADERS)
def test_copied_headers_begin_history(block: str) -> None:
    assert visible(f"{OWN}\n\n{block}\n\nЧи працює тепер?\n") == OWN


@pytest.mark.parametrize("block", HEADERS)
def test_answer_below_copied_headers_is_not_lost(block: str) -> None:
    assert "Моя відповідь" in visible(f"{block}\n\nМоя відповідь\n")


@pytest.mark.parametrize("signature", SIGNATURES)
def test_signatures_go(signature: str) -> None:
    assert visible(f"{OWN}\n\n{signature}\n") == OWN
    assert visible(f"{OWN}\n\n{signature}\n\n{ATTRIBUTIONS[0]}\n{QUOTED}") == OWN


@pytest.mark.parametrize(
    "line",
    ["Support писал(а) 2026-11-21 17:30:", "Вы писали 21 ноября 2026 г., 17:30:44:"],
)
def test_an_attribution_that_ends_with_its_date_goes_with_the_quote_below(line: str) -> None:
    assert visible(f"{line}\n{QUOTED}\n{OWN}\n") == OWN
    assert visible(f"{line}\n{OWN}\n") == f"{line}\n{OWN}"


def test_answers_between_quotes_stay_in_order() -> None:
    text = f"Hi,\n\n{ATTRIBUTIONS[3]}\n> first?\n\nyes\n\n> second?\n\nno\n\n-- \nOksana\n"
    assert visible(text) == "Hi,\n\nyes\n\nno"


def test_a_mail_that_is_all_quote_is_shown_whole() -> None:
    text = "> only\n> quoted"
    assert visible(text) == text
    assert visible("-- \nOksana") == "--\nOksana"


def test_own_words_that_look_alike_stay() -> None:
    for text in (
        "He wrote:\nplease check",
        "Колега написав:\nперевірте рахунок 2026 року",
        "Заказ 21.11.2026:\n1. Принтер\n2. Бумага",
        "From: the beginning it was broken.\nIt still is.",
        "Адреса: вул. Зелена\nКому: Оксана",
        "Sent from China on Monday, still not here.",
        "We tried:\n--\nnothing\n" + "line\n" * 30 + "end",
        "a\n-----\nb",
        "Отправлено вчера, не пришло",
        "Sent from my old address\nbut I moved, write to the new one",
    ):
        assert visible(text) == text.strip()


def test_forwarded_content_stays() -> None:
    marks = (
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "-------- Forwarded Message --------",
        "---------- Пересланное сообщение ---------",
        "-------- Пересылаемое сообщение --------",
        "-------- Перенаправленное сообщение --------",
        "Начало переадресованного сообщения:",
        "---------- Переслане повідомлення ---------",
        "-------- Переслане повідомлення --------",
        "Початок переадресованого листа:",
    )
    for mark in marks:
        text = (
            f"Гляньте\n\n{mark}\nFrom: Bob\nDate: 21.11.2026\n"
            f"Subject: x\nTo: me\n\nРахунок хибний\n"
            f"> стара цитата"
        )
        assert visible(text) == text
    text = f"ok\n\n{ATTRIBUTIONS[0]}\n\n> {marks[0]}\n> From: Bob\n> the invoice\n"
    assert visible(text) == "ok"


def test_subjects_of_forwarded_mail() -> None:
    for subject in ("Fwd: x", "FW: x", "fw : x", "[desk] Fwd: x", "Пересл: x", "ПЕРЕСЛ: x"):
        assert is_forward(subject)
    for subject in ("Re: Fwd: x", "x", "", "Forward thinking", "Перша: x"):
        assert not is_forward(subject)
    assert "history" in visible(f"FYI\n\n{HEADERS[0]}\n\nhistory", forwarded=True)


HOSTILE = [
    "On 1.1.2026 ann wrote:\n",
    "On 1.1.2026 ann wrote:\n\n",
    "From: a\n",
    "From: a\nTo: b\n",
    "> \n",
    "-- \n",
    "Sent from my iPhone\n",
    "a:\n",
    "_____\n",
    "-----Original Message-----\n",
    "a@b.example wrote:\nx\n",
    "\n",
    "<a@b> ",
    "- ",
    "-_=*",
    "On 1 ",
    ">",
    "Forwarded message ",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_twice_the_text_takes_about_twice_the_time(unit: str) -> None:
    def cost(text: str) -> float:
        times = []
        for _ in range(3):
            start = time.process_time()
            visible(text)
            times.append(time.process_time() - start)
        return min(times)

    size = 150_000 // len(unit)
    once, twice = cost(unit * size), cost(unit * 2 * size)
    assert twice < 3.5 * once + 0.02
    assert twice < 1.5


LINES = st.sampled_from(
    [
        *ATTRIBUTIONS,
        *HEADERS,
        *SIGNATURES,
        "> q",
        ">> q",
        "own",
        "",
        "-- ",
        "a:",
        "Begin forwarded message:",
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.lists(LINES | st.text(max_size=20), max_size=25))
def test_never_empty_and_never_invented(lines: list[str]) -> None:
    text = "\n".join(lines)
    shown = visible(text)
    assert bool(shown) == bool(text.strip())
    have = {line.strip() for line in text.split("\n")}
    assert all(line.strip() in have for line in shown.split("\n"))
    assert len(classify(text.split("\n"))) == len(text.split("\n"))


def test_kinds_are_told_for_each_line() -> None:
    lines = ["hi", "", ATTRIBUTIONS[3], "> q", "-- ", "me"]
    assert classify(lines) == [
        Kind.OWN,
        Kind.BLANK,
        Kind.ATTRIBUTION,
        Kind.QUOTE,
        Kind.SIGNATURE,
        Kind.SIGNATURE,
    ]
