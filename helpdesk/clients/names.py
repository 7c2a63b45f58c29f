"""Keys under which spellings of one name meet: other alphabet, other order, other language."""

import re
from collections.abc import Mapping

from helpdesk.lib.text import fold

KEY_LIMIT = 120
_READ = 400  # characters of a name that are looked at
_WORD = re.compile(r"[^\W\d_]+|\d+")

_LETTERS = str.maketrans(
    {
        **dict(zip("абвгдежзийклмнопрстуфхцы", "abvhdežzijklmnoprstufħþi", strict=True)),
        **{"є": "ie", "і": "i", "ї": "i", "ч": "č", "ш": "š", "щ": "š", "ъ": "", "ь": ""},
        **{"э": "e", "ю": "iu", "я": "ia", "ў": "u", "ђ": "d", "ј": "i", "љ": "l", "њ": "n"},
    }
)
# Ways to write Slavic names in Latin letters, and what people choose between; in this order.
_SPELLINGS = tuple(
    (re.compile(pattern), letter)
    for pattern, letter in (
        (r"shch|sch|šč|sh|sz", "š"),
        (r"tch|ch|cz", "č"),
        (r"zh", "ž"),
        (r"kh|ħ|g|h", "h"),
        (r"ph", "f"),
        (r"x", "ks"),
        (r"ck|q|c(?=[aoukltrn]|$)", "k"),
        (r"þ|tz|ts", "c"),
        (r"w", "v"),
        (r"[yj]", "i"),
        (r"i+e", "e"),
        (r"i+o", "o"),
        (r"aia$", "a"),
        (r"(.)\1+", r"\1"),
    )
)
_PATRONYMIC = re.compile(r".{2,}(?:ovič|evič|ivna|ovna|evna|ična|inična)")
# What stands before or after the name of a firm and says nothing of which one it is.
_FORMS = """
    тов тзов тдв пп прат пат ат фоп мпп дп кп го спд ооо оао зао пао ао ип чп нпо
    llc ltd limited inc corp co company gmbh ag kg sa srl spa bv oy ab plc llp sp zoo
    компанія компания фірма фирма товариство общество підприємство предприятие
"""
# One person is both in a country of two languages: Ukrainian and Russian given names.
_PAIRS = """
    олена елена; олексій алексей; олександр александр alexander; олександра александра
    alexandra; микола николай;
    дмитро дмитрий; катерина екатерина; ганна анна; михайло михаил; павло павел; петро петр;
    сергій сергей; андрій андрей; євген евгений; ірина ирина; тетяна татьяна; наталія наталья
    наталя; юлія юлия; олег олег; григорій григорий; василь василий; степан степан; пилип филипп;
    кирило кирилл; данило даниил; микита никита; ілля илья; антоніна антонина; опанас афанасий;
    софія софия софья; дарина дарья дар'я; марія мария марья; уляна ульяна; іван иван ivan;
    ярослав ярослав; віктор виктор victor; володимир владимир; світлана светлана; оксана оксана;
    людмила людмила; надія надежда; віра вера; любов любовь; тимофій тимофей; матвій матвей;
    семен семен; зінаїда зинаида; раїса раиса; анастасія анастасия настасья; вікторія виктория
    victoria; христина кристина christina; артем артем; захар захар; гнат игнат; лідія лидия
"""


def name_key(name: str) -> str:
    """The key of a person's or firm's name; "" where there is no name in it.

    Equal for the spellings of one name in Ukrainian, Russian and Latin letters, with the words in
    any order, with or without a patronymic, initials or a firm's legal form. At most 120
    characters.
    """
    if "@" in name:
        return ""
    found = _WORD.findall(fold(name[:_READ]))
    words = [one for one in found if one not in _NOTHING and not _is_initial(one)] or found
    if not any(word.isalpha() for word in words):
        return ""
    keys = [_word_key(word) for word in words]
    if len(keys) > 2:
        keys = [key for key in keys if not _PATRONYMIC.fullmatch(key)] or keys
    return " ".join(sorted(_SAME.get(key, key) for key in keys if key))[:KEY_LIMIT].rstrip()


def is_full(key: str) -> bool:
    """Whether the key is of a name with at least two words of letters."""
    return sum(word.isalpha() for word in key.split()) > 1


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isalpha()


def _word_key(word: str) -> str:
    key = word.translate(_LETTERS)
    for pattern, letter in _SPELLINGS:
        key = pattern.sub(letter, key)
    return key


def _same() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in _PAIRS.split(";"):
        keys = [_word_key(fold(word)) for word in line.split()]
        found |= dict.fromkeys(keys, keys[0])
    return found


_SAME = _same()
_NOTHING = frozenset(fold(word) for word in _FORMS.split())
