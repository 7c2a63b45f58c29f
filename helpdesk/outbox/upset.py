"""Words of people who are angry: they want a person, not an article.

Folded as `text.fold` does; a star stands for any ending. One of them is enough, in any language:
which one a text is in is seldom sure, and a receipt without articles costs nobody anything.
"""

import re
from collections.abc import Iterable

from helpdesk.lib.text import fold

_EN = """
complain* angry anger furious outrag* disgust* unacceptabl* terribl* horribl* awful* worst scam*
fraud* cheat* liar* lied ridiculous* disappoint* disgrace* rude rudely rudeness incompeten* lawyer*
lawsuit* court sue suing useless garbage crap* shit* fuck* damn* ashamed shame shameful nightmare*
appalling disrespect* ripoff unhappy dissatisf* disservice insult* mockery threat* police
"""
_RU = """
жалоб* жаловаться жалуюсь пожалуюсь пожаловаться претензи* возмущ* безобраз* отврат* ужас* кошмар*
обман* мошенн* хам хамство хамства хамят хамит нахамил* груб* разочаров* недовол* позор* врете
врут вранье лжете лгут лож ложь суд суда суде суду судом судиться прокуратур* роспотребнадзор*
адвокат* юрист* полици* издева* свинств* сволоч* дерьм* говн* хрен* бесит достали надоел* задолбал*
заколебал* бред идиот* худш* отстой жулик* ворье кидалы наглост* нагло наглые ненавиж*
"""
_UK = """
скарг* скаржусь поскаржусь поскаржитись поскаржитися претенз* обурен* обурл* обурює неподобств*
жах жахлив* кошмар* обман* обдур* ошук* шахра* хам хамство хамства хамлять груб* розчаров*
незадовол* невдовол* ганьб* брешете брешуть брехн* суд суду суді судом судитися прокуратур*
держпродспожив* адвокат* юрист* поліці* знуща* свинств* лайн* хрін бісить дістали набрид* ідіот*
маразм найгірш* огидн* жулік* нахаб* ненавид*
"""


def is_upset(text: str) -> bool:
    """Whether there is a word in it by which an angry person is told."""
    return _ANY.search(fold(text)) is not None


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    found = {re.escape(fold(word.rstrip("*"))) + r"\w*" * word.endswith("*") for word in words}
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(found))})(?!\w)")


_ANY = _pattern(" ".join((_EN, _RU, _UK)).split())
