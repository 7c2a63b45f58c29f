"""The very words that callers hear in Ukrainian and Russian, from the greeting to the message."""

from datetime import timedelta

import pytest
import time_machine

from helpdesk import ext, settings
from helpdesk.calls import menus
from helpdesk.lib.clock import now
from tests.calls.line import Line, dial
from tests.cast import Cast

FRIDAY_EVENING = timedelta(days=4, hours=7)
WORDS = {
    "uk": {
        "hello": "Вітаємо. Це Kavarna. Для української натисніть 1. "
        "Для русского языка нажмите 2. For English, press 3.",
        "menu": "Поставити запитання своїми словами: натисніть 1. "
        "Стан вашого звернення: натисніть 2. Залишити повідомлення: натисніть 3. "
        "Щоб поговорити з оператором, натисніть 0. Щоб прослухати ще раз, натисніть зірочку. "
        "Для русского языка нажмите 9. For English, press 9.",
        "consent": "Ми записуємо розмову, щоб потім можна було уточнити, що було сказано. "
        "Якщо ви проти, натисніть 9.",
        "queue": "Ваш дзвінок наступний. Зараз на лінії немає операторів. "
        "Ми відповідаємо на дзвінки до 18:00. "
        "Щоб ми передзвонили вам, коли настане ваша черга, натисніть 1. "
        "Щоб залишити повідомлення, натисніть 2.",
        "callback": "Ми передзвонимо на номер +380 67 123 45 67. "
        "Якщо все правильно, натисніть 1. Якщо потрібен інший номер, натисніть 2.",
        "promise": "Ми передзвонимо вам сьогодні до 16:00. Дякуємо за дзвінок. До побачення.",
        "closed": "Зараз ми не працюємо. "
        "Відповідатимемо на дзвінки в понеділок, 30 листопада, з 9:00. "
        "Щоб ми вам передзвонили, натисніть 1. Щоб залишити повідомлення, натисніть 2.",
        "voicemail": "Говоріть після сигналу. Наприкінці натисніть решітку.",
        "kept": "Ваше повідомлення записано. Дякуємо за дзвінок. До побачення.",
    },
    "ru": {
        "hello": "Здравствуйте. Это Kavarna. Для русского языка нажмите 1. "
        "Для української натисніть 2. For English, press 3.",
        "menu": "Задать вопрос своими словами: нажмите 1. "
        "Состояние вашего обращения: нажмите 2. Оставить сообщение: нажмите 3. "
        "Чтобы поговорить с оператором, нажмите 0. Чтобы прослушать ещё раз, нажмите звёздочку. "
        "Для української натисніть 9. For English, press 9.",
        "consent": "Разговор записывается, чтобы потом можно было уточнить, что было сказано. "
        "Если вы против, нажмите 9.",
        "queue": "Ваш звонок следующий. Сейчас на линии нет операторов. "
        "Мы отвечаем на звонки до 18:00. "
        "Чтобы мы перезвонили вам, когда подойдёт ваша очередь, нажмите 1. "
        "Чтобы оставить сообщение, нажмите 2.",
        "callback": "Мы перезвоним на номер +380 67 123 45 67. "
        "Если всё верно, нажмите 1. Если нужен другой номер, нажмите 2.",
        "promise": "Мы перезвоним вам сегодня до 16:00. Спасибо за звонок. До свидания.",
        "closed": "Сейчас мы не работаем. Откроемся в понедельник, 30 ноября, в 9:00. "
        "Чтобы мы вам перезвонили, нажмите 1. Чтобы оставить сообщение, нажмите 2.",
        "voicemail": "Говорите после сигнала. В конце нажмите решётку.",
        "kept": "Ваше сообщение записано. Спасибо за звонок. До свидания.",
    },
}
"""Written out, unlike elsewhere: a change of what is said is to be seen."""


@pytest.fixture
def shop(cast: Cast) -> Cast:
    """A shop whose menu has no words of its own."""
    with ext.write() as session:
        settings.put(session, "brand_name", "Kavarna")
        actions = enumerate(("speech", "status", "voicemail"), 1)
        choices = [{"digit": str(digit), "action": action} for digit, action in actions]
        menus.save(session, None, choices=choices, recording=True, at=now())
    return cast


def greeted(language: str) -> Line:
    """A stranger who calls where this language is the primary one."""
    with ext.write() as session:
        settings.put(session, "primary_language", language)
    return dial()


@pytest.mark.parametrize("language", WORDS)
def test_the_words_from_the_greeting_to_a_callback(shop: Cast, language: str) -> None:
    words = WORDS[language]
    line = greeted(language)
    assert line.last == words["hello"]
    line.press("1")
    assert line.last == words["menu"] and line.voices[0] == language
    line.press("0")
    assert line.last == words["consent"]
    line.silent().wait()
    assert line.last == words["queue"]
    line.press("1")
    assert line.last == words["callback"]
    line.press("1")
    assert line.last == words["promise"] and line.end == "over"


@pytest.mark.parametrize("language", WORDS)
def test_the_words_of_the_voicemail(
    shop: Cast, clock: time_machine.Traveller, language: str
) -> None:
    clock.shift(FRIDAY_EVENING)
    words = WORDS[language]
    line = greeted(language).press("1").press("0")
    assert line.last == words["closed"]
    line.press("2")
    assert line.last == words["voicemail"] and line.end == "message"
    assert line.recorded(12).last == words["kept"]
