"""Spellings of one name meet under one key, names of two people don't."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.clients.mailboxes import domain_of_firm, mailbox_key
from helpdesk.clients.names import KEY_LIMIT, is_full, name_key

ONE = (
    "Oksana Lytvynenko|Оксана Литвиненко|Литвиненко Оксана|Oxana Litvinenko|LYTVYNENKO, Oksana"
    "|Оксана Іванівна Литвиненко|Оксана Ивановна Литвиненко|О. Оксана Литвиненко",
    "Yevhen Shevchenko|Євген Шевченко|Евгений Шевченко|Evgeniy Shevchenko|Ievgen Shevchenko",
    "Олена Зеленська|Елена Зеленская|Olena Zelenska|Elena Zelenskaya",
    "Олег Григоренко|Oleh Hryhorenko|Oleg Grigorenko",
    "Михайло Щербак|Михаил Щербак|Mykhailo Shcherbak|Mikhail Scherbak",
    "Юлія Ткаченко|Юлия Ткаченко|Yuliia Tkachenko|Julia Tkachenko",
    "Дмитро Коваль|Дмитрий Коваль|Dmytro Koval|Dmitriy Koval|Dmitry Koval",
    "Наталія Цюпа|Наталья Цюпа|Nataliia Tsiupa|Natalya Tsyupa",
    "Александр Хоменко|Олександр Хоменко|Oleksandr Khomenko|Alexander Khomenko",
    "Сергій Дуб'як|Сергій Дуб’як|Serhii Dubiak|Sergey Dubyak",
    "ТОВ «Світло»|Світло, ТОВ|Svitlo LLC|SVITLO Ltd.|ООО «Світло»",
    "Zoë Müller|Zoe Muller|MÜLLER ZOE",
)
TWO = (
    ("Оксана Литвиненко", "Оксана Литвин"),
    ("Іван Коваль", "Іван Ковальчук"),
    ("Анна Шевченко", "Ганна Шевчук"),
    ("ТОВ «Світло 1»", "ТОВ «Світло 2»"),
)


@pytest.mark.parametrize("spellings", ONE)
def test_a_name_is_one_in_three_alphabets_and_any_order(spellings: str) -> None:
    keys = {name: name_key(name) for name in spellings.split("|")}
    assert len(set(keys.values())) == 1, keys


@pytest.mark.parametrize("pair", TWO)
def test_two_names_stay_two(pair: tuple[str, str]) -> None:
    assert name_key(pair[0]) != name_key(pair[1])


def test_an_address_or_number_is_no_name() -> None:
    for text in ("", "?", "oksana@client.example", "+380 67 123 45 67", "12"):
        assert name_key(text) == ""


def test_a_given_name_alone_says_less_than_a_full_one() -> None:
    assert not is_full(name_key("Оксана"))
    assert not is_full(name_key("О. Литвиненко"))
    assert is_full(name_key("Оксана Литвиненко"))


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=500))
def test_any_text_has_a_short_key_that_its_words_in_another_order_share(text: str) -> None:
    key = name_key(text)
    assert len(key) <= KEY_LIMIT
    assert "\x00" not in key
    if len(text) < 300 and "@" not in text:
        assert name_key(" ".join(reversed(text.split()))) == name_key(" ".join(text.split()))


def test_dots_and_tags_of_large_providers_lead_to_one_mailbox() -> None:
    same = ("oksana.lyt@gmail.com", "oksanalyt+shop@gmail.com", "oksanalyt@googlemail.com")
    assert {mailbox_key(one) for one in same} == {"oksanalyt@gmail.com"}
    assert mailbox_key("a.b@outlook.com") != mailbox_key("ab@outlook.com")
    assert mailbox_key("a.b+c@firm.example") is None
    assert mailbox_key("+@gmail.com") == "+@gmail.com"


def test_only_a_domain_of_ones_own_says_where_somebody_works() -> None:
    assert domain_of_firm("a@firm.example") == "firm.example"
    assert domain_of_firm("a@gmail.com") is None
    assert domain_of_firm("a@ukr.net") is None
