"""The language of a text among English, Russian and Ukrainian, by letters and function words."""

import re

SAMPLE = 5000
_WORD = re.compile(r"[a-zа-яёєіїґ'’ʼ]+")
_LETTERS = {"uk": re.compile("[іїєґ]"), "ru": re.compile("[ыэъё]")}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORDS = {
    "en": _words(
        "the and is are was to of in it you i my we not have has with for on this that please can "
        "hello hi thanks thank your be do does did how what when from an at me"
    ),
    "ru": _words(
        "и в не на что как это мы вы у меня есть нет но из для так уже или если когда где почему "
        "здравствуйте спасибо пожалуйста добрый день очень был была было можно нужно работает "
        "только чтобы ещё еще мне вас вам нам мой моя ваш он она они"
    ),
    "uk": _words(
        "і й в не на що як це ми ви у мене є немає але із для так вже або якщо коли де чому та "
        "вітаю дякую будь ласка добрий день дуже був була було можна треба потрібно працює "
        "тільки щоб ще мені вас вам нам мій моя ваш він вона вони доброго дня"
    ),
}


def detect(text: str) -> str | None:
    """en, ru or uk; None where the text says too little or is in another language."""
    words = _WORD.findall(text[:SAMPLE].lower())
    latin = sum(1 for word in words if word[0] < "\x7f")
    if latin * 2 > len(words):
        hits = sum(1 for word in words if word in _WORDS["en"])
        return "en" if hits and hits * 12 >= latin else None
    joined = " ".join(words)
    score = {
        code: 2 * len(_LETTERS[code].findall(joined)) + sum(word in _WORDS[code] for word in words)
        for code in ("ru", "uk")
    }
    if score["ru"] == score["uk"]:
        return None
    return max(score, key=lambda code: score[code])
