"""A light Ukrainian stemmer: inflected forms of a word meet in one stem; derivations stay apart.

The stem is for comparing, not for reading. In order: the longest ending of declension or
conjugation that leaves three letters with a vowel among them is cut; a doubled final consonant
becomes single (замовлення / замовлень); the fleeting vowel of -ок, -ець, -ень goes (рахунок /
рахунку); ц and з before the dative -і go back to к and г (доставка / доставці, допомога /
допомозі); і of the last syllable becomes о (договір / договору), е in a few words (папір).
"""

import re

_FORMS = """
а я о е є у ю и і ї ь й ами ями ьми ові еві єві ого ього ому ьому ими іми ах ях ам ям ою
ею єю ьою ом ем єм ів їв ей ий ій їй ої ьої их іх їх ім їм им ої ую юю ьо ія ії ію ією ій
іям іями іях ійому увати ювати овувати ати яти ити іти їти ути уватиму ую юю уєш юєш ує ює
уємо юємо уєте юєте ують юють аю яю аєш яєш ає яє аємо яємо аєте яєте ають яють ував ював
увала ювала увало ювало ували ювали ав яв ала яла ало яло али яли ив їв ила їла ило їло
или їли ував ить їть ять уть ють имо їмо ите їте иш їш еш єш емо ємо ете єте іть ймо йте
има
"""
_ENDINGS = frozenset(_FORMS.split())
_LONGEST = max(map(len, _ENDINGS))
_ROOTS = re.compile(
    "(?:грам|клам|облем|тем|терем|жим|плом|птом|ьбом|елом|рхів|ктив|отив|асив|^правил"
    "|плат|трат|мнат|фікат|вокат|ндат|ьтат|рмат|идат|омат|парат"
    "|ріал|ігнал|канал|урнал|онал|ртал|іліал|кандал|окзал|редит|візит|іміт|позит|запит)$"
)
_REFLEXIVE = re.compile("(?:(?<=[аеєиіїоуюя])ть|(?<=[аеєиіїоуюяйв]))с[яь]$")
_VOWEL = re.compile("[аеєиіїоуюя]")
_DOUBLE = re.compile("([бвгджзйклмнпрстфхцчшщ])\\1$")
_FLEETING = re.compile(
    "(?<=[бвгджзйклмнпрстфхцчшщь])(?:о(?=к$)|е(?=ц$)|е(?=к$)|(?<=[впбдзст])е(?=н$))"
)
_HARDENED = re.compile("(?<=[бвгджзлмнпрстфхчшщ])ц$")
_DATIVE_C = re.compile("(?<=[еоу])ц$")
_DATIVE_Z = re.compile("(?<=[оуиеір])з$")
_LAST_I = re.compile("[ії](?=[^аеєиіїоуюя]+$)")
_TO_E = re.compile(
    "(?:папір|камін|корін|осін|річ|піч|шіст|матір|ремін|промін|гребін|ступін|латіж|рубіж)$"
)
_ADJECTIVE = re.compile("(?<=....)[оеє]в$")
_CITY = re.compile("(ки[їє]|льв[іо]|харк[іо]|черніг[іо]|микола[їє])в(?:а|у|ом|і)?")
_IRREGULAR = {"кольор": "колор", "тиждн": "тижн", "людин": "люд", "вікон": "вікн"}
_DAY = frozenset({"день", "дня", "дню", "днем", "дні", "днів", "дням", "днями", "днях"})


def stem(word: str) -> str:
    """The stem of a folded lower-case word (`text.fold`)."""
    if city := _CITY.fullmatch(word):
        return city[1][:3].replace("ї", "є") + "в"
    if word in _DAY:
        return "дн"
    if len(word) <= 3:
        return _LAST_I.sub("о", word)
    word = _REFLEXIVE.sub("", word)
    base, ending = _cut(word)
    base = base.rstrip("ь")
    base = _DOUBLE.sub(r"\1", base)
    if ending == "і":
        base = _DATIVE_Z.sub("г", _DATIVE_C.sub("к", base))
    if _syllables(base) > 1:
        base = _FLEETING.sub("", base)
    base = _HARDENED.sub("к", _IRREGULAR.get(base, base))
    base = _ADJECTIVE.sub("", base)
    return _LAST_I.sub("е" if _TO_E.search(base) else "о", base)


def _cut(word: str) -> tuple[str, str]:
    for length in range(min(_LONGEST, len(word) - 2), 0, -1):
        ending = word[-length:]
        if ending in _ENDINGS and _stands(word[:-length], ending):
            return word[:-length], ending
    return word, ""


def _stands(base: str, ending: str) -> bool:
    """Whether the ending may go: enough is left, and it isn't the end of a known root."""
    shortest = 4 if ending in ("ові", "еві", "єві") else 3 if len(ending) > 1 else 2
    if len(base) < shortest or not _VOWEL.search(base):
        return False
    return len(ending) == 1 or not _ROOTS.search(base + ending[:2])


def _syllables(base: str) -> int:
    return len(_VOWEL.findall(base))
