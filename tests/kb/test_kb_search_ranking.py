"""The parts of search that need no database: words, near words, concepts, scores."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.kb import confidence, extract
from helpdesk.kb.analysis import analyse, body_lines, question_lines, small_words, words
from helpdesk.kb.asked import Scored
from helpdesk.kb.ranking import Base
from helpdesk.kb.reading import in_cyrillic, question, readings
from helpdesk.kb.synonyms import Thesaurus, thesaurus
from helpdesk.kb.units import learned, text_unit
from helpdesk.kb.vocabulary import Vocabulary, slips
from helpdesk.lib.stems import LANGUAGES, grams, stem

SHOWN = frozenset({"public"})
MIXED = st.text(st.sampled_from("абіїєґё'’-_.[](*)#<>@/+019 zЖQ\u0301ß漢\n\0"), max_size=80)
SOME = ("refund", "money", "parcel", "courier", "late", "card", "lost", "code")
WORDS = st.lists(st.sampled_from(SOME))


def text(base: Base, id_: int, title: str, body: str = "", label: str = "public") -> None:
    found = analyse(base.lang, title, (), body)
    base.put(text_unit(id_, id_, label, found, base.words))


def teach(base: Base, article_id: int, *questions: str) -> None:
    lines = [question_lines(one, base.lang) for one in questions]
    base.learn(learned(article_id, lines, base.words))


def ranks(base: Base, asked: str, top: int = 10) -> list[int]:
    found = base.rank(question(asked, base.lang), SHOWN, top=top)
    return [one.article_id for one in found]


def plain(lang: str = "en") -> Base:
    return Base(lang, Thesaurus(lang, ()))


@given(MIXED | st.text(max_size=80), st.sampled_from(LANGUAGES))
@settings(deadline=None)
def test_any_text_can_be_asked_and_indexed(some: str, lang: str) -> None:
    base = plain(lang)
    text(base, 1, some, some)
    teach(base, 1, some)
    assert len(base.rank(question(some, lang, typing=True), SHOWN, top=3)) <= 1
    for reading in readings(some, lang, {lang: base}):
        assert reading.lang == lang
    assert all(line.strip() for line in body_lines(some))
    excerpt, marks = extract.nearest_line(some, some, some, lang)
    assert len(excerpt) <= extract.LENGTH
    assert all(0 <= begin < end <= len(excerpt) for begin, end in marks)


@given(MIXED)
@settings(deadline=None)
def test_pieces_of_a_word_are_short_and_few(word: str) -> None:
    assert all(len(piece) in (2, 3) for piece in grams(word))
    assert len(grams(word)) <= 2 * len(word) + 1


@given(st.text("abcде", max_size=8), st.text("abcде", max_size=8))
@settings(deadline=None)
def test_slips_are_the_same_both_ways(a: str, b: str) -> None:
    assert slips(a, b) == slips(b, a) <= 3
    assert (slips(a, b) == 0) is (a == b)


@pytest.mark.parametrize(
    ("a", "b", "count"),
    [
        ("пороль", "пароль", 1),
        ("pasword", "password", 1),
        ("recieve", "receive", 1),
        ("ab", "c", 2),
    ],
)
def test_a_slip_is_one_letter(a: str, b: str, count: int) -> None:
    assert slips(a, b) == count


def test_derived_and_misspelt_words_are_near() -> None:
    vocabulary = Vocabulary()
    for known in ("возврат", "доставк", "оплат", "парол"):
        vocabulary.number(known)

    def nearest(word: str) -> str:
        return vocabulary.stem(vocabulary.near(word, 0.5)[0][0])

    assert nearest("возвраща") == "возврат"
    assert nearest("порол") == "парол"
    assert nearest("доставля") == "доставк"
    assert vocabulary.near("12345", 0.5) == vocabulary.near("кот", 0.5) == []


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_what_came_and_went_leaves_no_trace(data: st.DataObject) -> None:
    """Any order of changes ends in what a base built anew from the last state answers."""
    lived, state, lessons = plain(), {}, {}
    for _ in range(data.draw(st.integers(0, 12))):
        id_ = data.draw(st.integers(1, 4))
        if data.draw(st.booleans()):
            lessons[id_] = [" ".join(one) for one in data.draw(st.lists(WORDS, max_size=3))]
            lessons[id_] = [one for one in lessons[id_] if one]
            teach(lived, id_, *lessons[id_])
        elif title := " ".join(data.draw(WORDS)):
            state[id_] = title
            text(lived, id_, title)
        else:
            state.pop(id_, None)
            lived.drop(id_)
    anew = plain()
    for id_, title in sorted(state.items()):
        text(anew, id_, title)
    for id_, questions in sorted(lessons.items()):
        teach(anew, id_, *questions)
    for asked in ("refund my money", "late courier", "lost card code"):
        ask = question(asked, "en")
        expected = anew.rank(ask, SHOWN, top=9)
        found = lived.rank(ask, SHOWN, top=9)
        assert [one.article_id for one in found] == [one.article_id for one in expected]
        for one, other in zip(found, expected, strict=True):
            assert one.score == pytest.approx(other.score)
    assert len(lived) == len(anew) == len(state.keys() | {k for k, v in lessons.items() if v})


def test_a_concept_joins_words_that_share_no_letter() -> None:
    base = Base("en", Thesaurus("en", ["refund, money back", "# a comment", "courier, driver"]))
    text(base, 1, "How to get your money back")
    text(base, 2, "When the driver comes")
    assert ranks(base, "refund")[0] == 1
    assert ranks(base, "courier")[0] == 2
    assert "refund" not in plain().words.known()


def test_a_phrase_needs_its_words_in_one_sentence() -> None:
    words_ = Thesaurus("en", ["gift card, voucher"])
    together = words_.concepts(dict.fromkeys(("gift", "card"), 1.0))
    assert together == {0: 1.0}
    assert words_.concepts({"card": 0.3}) == {}


def test_every_language_has_a_thesaurus() -> None:
    for lang in LANGUAGES:
        assert thesaurus(lang).size > 400
        assert thesaurus(lang).worth(0) == 1.0
        assert thesaurus(lang).worth(thesaurus(lang).size - 1) < 1
    assert thesaurus("fr").size == 0


def test_the_title_counts_more_than_the_body() -> None:
    base = plain()
    text(base, 1, "About cards", "The courier brings a card and a parcel.")
    text(base, 2, "About the courier", "He brings cards.")
    text(base, 3, "About nothing", "Nothing at all.")
    assert ranks(base, "courier") == [2, 1]
    assert ranks(base, "courier", top=1) == [2]


def test_only_shown_and_asked_articles_are_ranked() -> None:
    base = plain()
    text(base, 1, "Refunds", label="draft")
    text(base, 2, "Refund of money")
    text(base, 3, "Refund")
    assert set(ranks(base, "refund")) == {2, 3}
    only = base.rank(question("refund", "en"), SHOWN, top=9, articles=frozenset({2}))
    assert [one.article_id for one in only] == [2]


def test_a_first_example_counts_more_than_one_word_of_a_title() -> None:
    base = plain()
    text(base, 1, "Cats", "Dogs.")
    text(base, 2, "Cash", "Cash goes to the account of money.")
    text(base, 3, "Pay with shells", "Shells are taken.")
    teach(base, 3, "can i give you cockles from the beach")
    assert ranks(base, "cockles beach account") == [3, 2]


def test_learning_finds_by_the_words_of_solved_questions() -> None:
    base = plain()
    for id_, title in enumerate(("Refunds", "Parcels", "Passwords"), 1):
        text(base, id_, title)
    teach(base, 2, "my gizmo has not come", "where is the gizmo")
    teach(base, 3, "cannot enter")
    assert ranks(base, "any news of the gizmo")[0] == 2
    teach(base, 2)
    assert ranks(base, "any news of the gizmo") == []


def test_equal_articles_stand_in_the_order_of_their_ids() -> None:
    base = plain()
    for id_ in (5, 3, 4, 1, 2):
        text(base, id_, "Refund")
    assert ranks(base, "refund") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("latin", "lang", "meant"),
    [
        ("vozvrat deneg", "ru", "возврат денег"),
        ("shchyot", "ru", "щет"),
        ("povernennya koshtiv", "uk", "повернення коштів"),
        ("yizhak 5", "uk", "їжак 5"),
    ],
)
def test_latin_letters_stand_for_cyrillic_ones(latin: str, lang: str, meant: str) -> None:
    assert in_cyrillic(latin, lang) == meant


def test_a_question_is_read_in_its_language() -> None:
    bases = {lang: Base(lang, thesaurus(lang)) for lang in LANGUAGES}
    for asked, lang in (
        ("where is my refund", "en"),
        ("где мои деньги", "ru"),
        ("де мої гроші", "uk"),
        ("djpdhfn ltytu", "ru"),
        ("kogda privezut posylku", "ru"),
        ("koly pryyide posylka", "uk"),
    ):
        assert readings(asked, None, bases)[0].lang == lang, asked
    assert readings("djpdhfn ltytu", "ru", bases)[0].text == "возврат денег"
    assert readings("", None, {}) == []


def test_small_words_are_kept_apart() -> None:
    assert question_lines("where is my refund?", "en") == [["refund"]]
    assert small_words("where is my refund", "en") == ["=where", "=is", "=my"]
    assert question_lines("how", "en") == [["how"]]
    assert question("refund now par", "en", typing=True).typing == "par"
    assert question("refund now par ", "en", typing=True).typing == ""
    assert words("Об’єкт, 5-й!") == ["обєкт", "5", "й"]


def test_a_stem_belongs_to_the_language_of_its_text() -> None:
    assert stem("повернення", "uk") == stem("повернень", "uk")
    assert stem("было", "uk") == stem("было", "ru")
    assert stem("refunds", "ru") == "refund"
    assert stem("漢字", "en") == "漢字"


def scored(score: float, cover: float = 0.6, words: float = 3) -> Scored:
    return Scored(1, 1, score, cover, 0.0, words)


def test_a_lead_makes_sure_and_rivals_make_doubt() -> None:
    alone = confidence.probability([scored(1.5, 0.9), scored(0.2)])
    rivals = confidence.probability([scored(1.5, 0.9), scored(1.45)])
    assert alone > 0.8 > 0.7 > rivals
    assert confidence.probability([]) == 0
    assert confidence.probability([scored(2.0, 0.1), scored(0.1)]) <= 0.5
    assert confidence.probability([scored(2.0, 0.4, words=1)]) <= 0.5
    assert confidence.probability([scored(2.0, 0.9, words=1)]) > 0.5


def test_fewer_wrong_answers_need_more_certainty() -> None:
    asked = [confidence.least_probability(wrong) for wrong in range(1, 51)]
    assert asked == sorted(asked, reverse=True)
    assert asked[0] < 1 and asked[-1] > 0


def test_a_question_among_many_articles_is_quick() -> None:
    base = Base("ru", thesaurus("ru"))
    for id_ in range(1, 2001):
        text(base, id_, f"Возврат денег за заказ {id_}", f"Курьер привезёт посылку в дом {id_}.")
    ask = question("когда вернут деньги за посылку которую привёз курьер", "ru")
    base.rank(ask, SHOWN, top=10)
    began = time.process_time()
    for _ in range(10):
        base.rank(ask, SHOWN, top=10)
    assert (time.process_time() - began) / 10 < 0.06
