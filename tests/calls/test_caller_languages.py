"""The very words that callers hear in Ukrainian and Russian, from the greeting to the message."""

from datetime import timedelta

import pytest
import time_machine

from helpdesk import ext, settings
from helpdesk.calls import menus
from helpdesk.lib.clock import now
from tests.calls.line import KYIV, Line, dial
from tests.cast import Cast

FRIDAY_EVENING = timedelta(days=4, hours=7)


@pytest.fixture
def shop(cast: Cast) -> Cast:
    """A shop whose menu has nothing of its own to say."""
    with ext.write() as session:
        settings.put(session, "brand_name", "Kavarna")
        choices = [
            {"digit": "1", "action": "speech"},
            {"digit": "2", "action": "status"},
            {"digit": "3", "action": "voicemail"},
        ]
        menus.save(session, None, choices=choices, recording=True, at=now())
    return cast


def caller(language: str, number: str | None = KYIV) -> Line:
    """A stranger who has just chosen this language."""
    return dial(number).press({"uk": "1", "ru": "2"}[language])


@pytest.mark.parametrize(
    ("language", "hello"),
    [("uk", "Вітаємо. Це Kavarna."), ("ru", "Здравствуйте. Это Kavarna.")],
)
def test_the_greeting(shop: Cast, language: str, hello: str) -> None:
    with ext.write() as session:
        settings.put(session, "primary_language", language)
    offers = {
        "uk": "Для української натисніть 1. Для русского языка нажмите 2.",
        "ru": "Для русского языка нажмите 1. Для української натисніть 2.",
    }
    line = dial()
    assert line.last == f"{hello} {offers[language]} For English, press 3."


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "uk",
            "Поставити запитання своїми словами: натисніть 1. Стан вашого звернення: натисніть 2. "
            "Залишити повідомлення: натисніть 3. Щоб поговорити з оператором, натисніть 0. "
            "Щоб прослухати ще раз, натисніть зірочку. "
            "Для русского языка нажмите 9. For English, press 9.",
        ),
        (
            "ru",
            "Задать вопрос своими словами: нажмите 1. Состояние вашего обращения: нажмите 2. "
            "Оставить сообщение: нажмите 3. Чтобы поговорить с оператором, нажмите 0. "
            "Чтобы прослушать ещё раз, нажмите звёздочку. "
            "Для української натисніть 9. For English, press 9.",
        ),
    ],
)
def test_the_menu(shop: Cast, language: str, words: str) -> None:
    line = caller(language)
    assert line.last == words and line.voices[0] == language


@pytest.mark.parametrize(
    ("language", "consent", "queue", "wanted", "goodbye"),
    [
        (
            "uk",
            "Ми записуємо розмову, щоб потім можна було уточнити, що було сказано. "
            "Якщо ви проти, натисніть 9.",
            "Ваш дзвінок наступний. Зараз на лінії немає операторів. "
            "Ми відповідаємо на дзвінки до 18:00. "
            "Щоб ми передзвонили вам, коли настане ваша черга, натисніть 1. "
            "Щоб залишити повідомлення, натисніть 2.",
            "Ми передзвонимо на номер +380 67 123 45 67. Якщо все правильно, натисніть 1. "
            "Якщо потрібен інший номер, натисніть 2.",
            "Ми передзвонимо вам сьогодні до {time}. Дякуємо за дзвінок. До побачення.",
        ),
        (
            "ru",
            "Разговор записывается, чтобы потом можно было уточнить, что было сказано. "
            "Если вы против, нажмите 9.",
            "Ваш звонок следующий. Сейчас на линии нет операторов. "
            "Мы отвечаем на звонки до 18:00. "
            "Чтобы мы перезвонили вам, когда подойдёт ваша очередь, нажмите 1. "
            "Чтобы оставить сообщение, нажмите 2.",
            "Мы перезвоним на номер +380 67 123 45 67. Если всё верно, нажмите 1. "
            "Если нужен другой номер, нажмите 2.",
            "Мы перезвоним вам сегодня до {time}. Спасибо за звонок. До свидания.",
        ),
    ],
)
def test_the_queue_and_a_callback(
    shop: Cast, language: str, consent: str, queue: str, wanted: str, goodbye: str
) -> None:
    line = caller(language).press("0")
    assert line.last == consent
    line.silent().wait()
    assert line.last == queue
    line.press("1")
    assert line.last == wanted
    line.press("1")
    assert line.last == goodbye.format(time="14:00") and line.end == "over"


@pytest.mark.parametrize(
    ("language", "closed", "speak", "kept"),
    [
        (
            "uk",
            "Зараз ми не працюємо. Відповідатимемо на дзвінки в понеділок, 30 листопада, з 9:00. "
            "Щоб ми вам передзвонили, натисніть 1. Щоб залишити повідомлення, натисніть 2.",
            "Говоріть після сигналу. Наприкінці натисніть решітку.",
            "Дякуємо, ваше повідомлення записано. Дякуємо за дзвінок. До побачення.",
        ),
        (
            "ru",
            "Сейчас мы не работаем. Откроемся в понедельник, 30 ноября, в 9:00. "
            "Чтобы мы вам перезвонили, нажмите 1. Чтобы оставить сообщение, нажмите 2.",
            "Говорите после сигнала. В конце нажмите решётку.",
            "Спасибо, ваше сообщение записано. Спасибо за звонок. До свидания.",
        ),
    ],
)
def test_the_voicemail_out_of_hours(
    shop: Cast,
    clock: time_machine.Traveller,
    language: str,
    closed: str,
    speak: str,
    kept: str,
) -> None:
    clock.shift(FRIDAY_EVENING)
    line = caller(language).press("0")
    assert line.last == closed
    line.press("2")
    assert line.last == speak and line.end == "message"
    assert line.recorded(12).last == kept
