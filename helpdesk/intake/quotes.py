"""What a person wrote themselves: text without quoted history and without the signature.

Line by line, each line looked at a bounded number of times with a bounded part of it, so the
time grows linearly with the text. Answers between quotes stay; forwarded content stays; if
nothing of one's own is left, the whole text is the answer.
"""

import re
from collections.abc import Iterable, Sequence
from enum import Enum, auto

LOOK = 400
"""Characters of a line that are looked at."""
WRAP = 4
"""An attribution may be wrapped over this many lines."""
HEADER_SPAN = 12
"""A copied mail header stands within this many lines."""
SIGNATURE_MAX = 20
"""A longer block after "-- " is text."""


class Kind(Enum):
    """What a line is."""

    OWN = auto()
    BLANK = auto()
    QUOTE = auto()
    ATTRIBUTION = auto()
    CUT = auto()  # history without marks begins here
    FORWARD = auto()  # forwarded content begins here
    SIGNATURE = auto()
    MOBILE = auto()


_WROTE = re.compile(
    r"(?:\bwrote|\bwrites|\bпишет|\bпишут|\bнаписала?|\bнаписал\(а\)|\bписала?|\bписал\(а\)"
    r"|\bпише|\bпишуть|\bнаписав|\bнаписав\(ла\)|\bнаписав/ла|\bнаписала\(в\)|\bписав)"
    r"(?:\(-?а\)|\(-?ла\))?\s?:$",
    re.I,
)
_ADDRESSED = re.compile(r"(?:<\s?[^<>\s]{1,254}@[^<>\s]{1,254}>|\[mailto:[^\s\]]{3,254}\]>?)\s?:$")
_WROTE_ON = re.compile(
    r"(?:\bwrote|\bпис(?:али?|ала|ав)|\bнапис(?:али?|ала|ав))(?:\([а-яі]{1,3}\)|/ла)?"
    r"\s(?:on\s|at\s|в\s|о\s|у\s)?(?=[^:]{0,30}\d).{1,60}:$",
    re.I,
)
_DATED = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}|\b(?:19|20)\d\d\b|\d{1,2}[:.]\d\d")
_BEGINS = re.compile(
    r"(?:on\b|в\b|у\b|\d{1,4}[\s./-]|\d{1,2}:\d\d[,\s]"
    r"|(?:mon|tue|wed|thu|fri|sat|sun|пн|вт|ср|чт|пт|сб|вс|нд)[a-z]{0,6}[,.\s]"
    r"|(?:понедельник|вторник|среда|четверг|пятница|суббота|воскресенье)\b"
    r"|(?:понеділок|вівторок|середа|четвер|п.ятниця|субота|неділя)\b)",
    re.I,
)
_FROM = re.compile(r"\*?(?:from|от кого|от|від кого|від|von|відправник|отправитель)\s?:\*?\s", re.I)
_LABEL = re.compile(
    r"\*?(?:(?P<date>sent|date|отправлено|дата|надіслано|відправлено)"
    r"|(?P<to>to|кому)|(?P<cc>cc|копия|копія)"
    r"|(?P<subject>subject|тема))\s?:\*?(?:\s|$)",
    re.I,
)
_ORIGINAL = re.compile(
    r"[-_=*\s]{0,40}(?:original message|original appointment|исходное сообщение"
    r"|оригінал (?:листа|повідомлення)|оригинал (?:письма|сообщения)"
    r"|оригинальное сообщение|первоначальное сообщение|конец исходного сообщения"
    r"|оригінальне повідомлення|вихідне повідомлення|початкове повідомлення"
    r"|reply message|ответное сообщение)[-_=*:\s]{0,40}$",
    re.I,
)
_NOTES = re.compile(
    r"-{3,}\s?[^\s-].{0,300}(?:wrote|writes|пис[а-яі]{1,4}|написано)(?:\(\S{1,4}\))?\s?:\s?-{3,}$",
    re.I,
)
_FORWARDED = re.compile(
    r"[-_=*\s]{0,40}(?:(?:begin )?forwarded message"
    r"|(?:начало )?(?:пересланное|пересылаемое|переадресованное|перенаправленное)"
    r" (?:сообщение|письмо)"
    r"|начало (?:переадресованного|пересланного) (?:сообщения|письма)"
    r"|(?:початок )?(?:переслане|перенаправлене|переадресоване) повідомлення"
    r"|(?:переслане|пересланий) (?:повідомлення|лист)"
    r"|початок (?:переадресованого|пересланого) (?:повідомлення|листа))[-_=*:\s]{0,40}$",
    re.I,
)
_MOBILE = re.compile(
    r"(?:sent (?:from|via) (?:my\b|mail\b|outlook\b|yahoo\b|samsung\b|proton\b|gmail\b|the \w+ app)"
    r"|sent with (?:proton|spark|airmail|tutanota|tuta)\b"
    r"|get (?:outlook|bluemail) for\b|download outlook for\b"
    r"|отправлено (?:со?|из|через) (?:моего|смартфона|iphone|ipad|айфона|мобильн|приложения|"
    r"outlook|почты|samsung|устройства|телефона|android|mail\.ru|яндекс|gmail)"
    r"|(?:скачать|получить|загрузить) outlook для\b|загрузите outlook для\b"
    r"|надіслано (?:з|із|зі|через) (?:мого|iphone|ipad|айфона|мобільн|смартфон|застосунку|"
    r"outlook|пошти|samsung|пристрою|телефону|android|gmail)"
    r"|відправлено (?:з|із|через) (?:мого|iphone|ipad|мобільн|outlook|samsung|телефону|android|"
    r"застосунку|пошти|gmail)"
    r"|(?:завантажити|отримати) outlook для\b)",
    re.I,
)
_RULE = re.compile(r"[-_=*]{3,}\s*$")
_FORWARD_SUBJECT = re.compile(
    r"\s{0,5}(?:\[[^\]]{0,40}\]\s{0,5})?(?:fwd?|пересл|пер|переслано|пересылка)\s?:", re.I
)
_MANY_BLANKS = re.compile(r"\n{3,}")


def is_forward(subject: str) -> bool:
    """Whether the subject says that the email was forwarded (not an answer to a forwarded one)."""
    return _FORWARD_SUBJECT.match(subject) is not None


def visible(text: str, *, forwarded: bool = False) -> str:
    """The text without quoted history and signature; never empty unless `text` is.

    `forwarded`: the subject said so, then what looks like history is the content.
    """
    whole = text.strip()
    if forwarded or not whole:
        return whole
    lines = text.split("\n")
    kinds = classify(lines)
    for dropped in (_HISTORY | _SIGN, _HISTORY):
        left = _joined(line for line, kind in zip(lines, kinds, strict=True) if kind not in dropped)
        if left:
            return left
    return whole


_HISTORY = {Kind.QUOTE, Kind.ATTRIBUTION, Kind.CUT}
_SIGN = {Kind.SIGNATURE, Kind.MOBILE}


def classify(lines: Sequence[str]) -> list[Kind]:
    """The kind of every line."""
    heads = [line[:LOOK].strip() for line in lines]
    kinds = [_first_look(head) for head in heads]
    end = _forward_start(heads, kinds)
    _mark_attributions(heads, kinds, end)
    _mark_cut(heads, kinds, end)
    _mark_signature(heads, kinds)
    _mark_mobile(kinds)
    return kinds


def _first_look(head: str) -> Kind:
    """What a line is by itself."""
    if not head:
        return Kind.BLANK
    if head[0] == ">":
        return Kind.QUOTE
    if head[0] in "-_=* bBfFнНпП" and _FORWARDED.match(head):
        return Kind.FORWARD
    if len(head) < 120 and _MOBILE.match(head):
        return Kind.MOBILE
    return Kind.OWN


def _forward_start(heads: list[str], kinds: list[Kind]) -> int:
    """Where forwarded content begins: from there on everything is kept.

    HTML of Gmail has it within a quotation block, as the block's first line.
    """
    before = ""
    for index, kind in enumerate(kinds):
        opens = kind is Kind.QUOTE and not before.startswith(">") and not before.endswith(":")
        if kind is Kind.FORWARD or (opens and _FORWARDED.match(heads[index][1:].lstrip())):
            kinds[index:] = [Kind.FORWARD] * (len(kinds) - index)
            return index
        before = heads[index] or before
    return len(kinds)


def _mark_attributions(heads: list[str], kinds: list[Kind], end: int) -> None:
    """Mark "On … wrote:" lines; where no quote follows one, the rest is history."""
    settled = False
    for index in range(end):
        settled = settled or (index > WRAP and kinds[index - WRAP - 1] is Kind.OWN)
        if kinds[index] is not Kind.OWN or not heads[index].endswith(":"):
            continue
        start = _attribution(heads, kinds, index)
        if start is None:
            continue
        start = _above(heads, kinds, start)
        kinds[start : index + 1] = [Kind.ATTRIBUTION] * (index + 1 - start)
        own = settled or Kind.OWN in kinds[max(start - WRAP - 1, 0) : start]
        if own and _next_kind(kinds, index + 1) is Kind.OWN:
            kinds[index + 1 : end] = [Kind.CUT] * (end - index - 1)
            return


def _attribution(heads: list[str], kinds: list[Kind], index: int) -> int | None:
    """Where the attribution that ends at `index` begins, or None if it is none."""
    last = heads[index]
    wrote = _WROTE.search(last[-60:]) is not None
    if not wrote and _WROTE_ON.search(last) and _next_kind(kinds, index + 1) is Kind.QUOTE:
        return index
    if not wrote and not last.endswith((">:", "> :", "]:")):
        return None
    text = ""
    for start in range(index, max(index - WRAP, -1), -1):
        text = f"{heads[start]} {text}".rstrip()
        if kinds[start] is not Kind.OWN or len(text) > LOOK:
            break
        if _BEGINS.match(text) and _DATED.search(text) and (wrote or _ADDRESSED.search(text)):
            return start
    return index if wrote and "@" in last else None


def _above(heads: list[str], kinds: list[Kind], start: int) -> int:
    """Where the recipient and subject begin that some mail programs set over an attribution."""
    top = start
    for index in range(start - 1, max(start - WRAP, -1), -1):
        labelled = _LABEL.match(heads[index]) is not None
        if kinds[index] is not Kind.OWN or not (labelled or _RULE.match(heads[index])):
            break
        top = index
        if not labelled:
            break
    return top if any(_LABEL.match(head) for head in heads[top:start]) else start


def _next_kind(kinds: list[Kind], start: int) -> Kind | None:
    """The kind of the next line that isn't blank, looking a few lines ahead."""
    return next((kind for kind in kinds[start : start + WRAP] if kind is not Kind.BLANK), None)


def _mark_cut(heads: list[str], kinds: list[Kind], end: int) -> None:
    """Mark everything after a copied header or an "Original message" line as history.

    Only if something of one's own stands before it: answers below would be lost otherwise.
    """
    seen = False
    for index in range(end):
        if kinds[index] is Kind.CUT:
            return
        if kinds[index] is not Kind.OWN:
            continue
        head = heads[index]
        named = _ORIGINAL.match(head) or _NOTES.match(head)
        if named or (_FROM.match(head) and _is_header(heads, index)):
            kinds[index] = Kind.CUT
            if seen:
                kinds[index:end] = [Kind.CUT] * (end - index)
                _drop_rule(heads, kinds, index)
                return
        if index and kinds[index - 1] is Kind.CUT and _LABEL.match(head):
            kinds[index] = Kind.CUT
            continue
        seen = seen or not _RULE.match(head)


def _is_header(heads: list[str], start: int) -> bool:
    """Whether a copied mail header begins here: a sender, then a date and more, or all the rest."""
    labels = set()
    for head in heads[start + 1 : start + HEADER_SPAN]:
        found = _LABEL.match(head)
        if found:
            labels.add(found.lastgroup)
    return len(labels) >= 2 and bool(labels & {"date", "subject"})


def _drop_rule(heads: list[str], kinds: list[Kind], index: int) -> None:
    """Drop the line of dashes or underscores that stands over a copied header."""
    for above in range(index - 1, max(index - 4, -1), -1):
        if kinds[above] is Kind.OWN:
            if _RULE.match(heads[above]):
                kinds[above] = Kind.CUT
            return


def _mark_signature(heads: list[str], kinds: list[Kind]) -> None:
    """Mark the block after "-- ", up to history or the end, unless it is too long for one."""
    start: int | None = None
    for index, kind in enumerate(kinds):
        if kind in _HISTORY or kind is Kind.FORWARD:
            _sign(kinds, start, index)
            start = None
        elif heads[index] == "--" and kind is Kind.OWN:
            start = index if start is None or index - start > SIGNATURE_MAX else start
    _sign(kinds, start, len(kinds))


def _sign(kinds: list[Kind], start: int | None, end: int) -> None:
    if start is not None and end - start <= SIGNATURE_MAX:
        kinds[start:end] = [Kind.SIGNATURE] * (end - start)


def _mark_mobile(kinds: list[Kind]) -> None:
    """Keep "Sent from my …" as text where own text goes on after it."""
    last = True
    for index in range(len(kinds) - 1, -1, -1):
        if kinds[index] is Kind.MOBILE and not last:
            kinds[index] = Kind.OWN
        if kinds[index] is Kind.OWN:
            last = False
        elif kinds[index] in _HISTORY:
            last = True


def _joined(lines: Iterable[str]) -> str:
    text = "\n".join(line.rstrip() for line in lines)
    return _MANY_BLANKS.sub("\n\n", text).strip()
