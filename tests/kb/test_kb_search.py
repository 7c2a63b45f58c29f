"""Search of the knowledge base: the reader's words find the article, in every language."""

import time
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from helpdesk import ext, settings
from helpdesk.kb import index, memory, units
from helpdesk.kb.actions import delete_article, undelete_article
from helpdesk.kb.learning import learn, unlearn
from helpdesk.kb.models import (
    Article,
    ArticleText,
    Category,
    Example,
    Indexed,
    IndexedKind,
    Source,
    State,
)
from helpdesk.kb.search import search, suggest

THEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

TEXTS = {
    "return": {
        "en": ("How to return an item and get your money back", "Bring the item within 14 days."),
        "ru": ("Как вернуть товар и получить деньги обратно", "Принесите товар за 14 дней."),
        "uk": ("Як повернути товар і отримати гроші назад", "Принесіть товар упродовж 14 днів."),
    },
    "delivery": {
        "en": ("How long delivery takes", "The courier comes within three days.\n\nTo Lviv: five."),
        "ru": ("Сколько идёт доставка", "Курьер приедет за три дня.\n\nВо Львов: пять."),
        "uk": ("Скільки триває доставка", "Кур’єр приїде за три дні.\n\nДо Львова: п’ять."),
    },
    "password": {
        "en": ("Restore your password", "Press “Forgot password” and follow the link."),
        "ru": ("Восстановить пароль", "Нажмите «Забыли пароль» и перейдите по ссылке."),
        "uk": ("Відновити пароль", "Натисніть «Забули пароль» і перейдіть за посиланням."),
    },
    "warranty": {
        "en": ("What the warranty covers", "Repairs are free for 24 months."),
        "ru": ("Что покрывает гарантия", "Ремонт бесплатный 24 месяца."),
        "uk": ("Що покриває гарантія", "Ремонт безкоштовний 24 місяці."),
    },
}


def add_text(session: Session, article: Article, lang: str, title: str, body: str) -> ArticleText:
    text = ArticleText(
        article_id=article.id,
        lang=lang,
        slug=f"{article.key}-{lang}",
        title=title,
        body_markdown=body,
        body_html="",
        excerpt=body.split("\n")[0],
        keywords=[],
        state=State.PUBLIC,
        updated_at=THEN,
    )
    session.add(text)
    session.flush()
    index.reindex(session, text.id)
    return text


def add_article(session: Session, key: str, texts: dict[str, tuple[str, str]]) -> Article:
    article = Article(key=key, source_lang="uk", tags=[], created_at=THEN)
    session.add(article)
    session.flush()
    for lang, (title, body) in texts.items():
        add_text(session, article, lang, title, body)
    return article


@pytest.fixture
def base(app: Flask) -> Flask:
    with app.app_context(), ext.write() as session:
        for key, texts in TEXTS.items():
            add_article(session, key, texts)
    return app


def keys(app: Flask, query: str, lang: str | None = None, **more: object) -> list[str]:
    with app.app_context(), ext.session() as session:
        return [hit.key for hit in search(session, query, lang=lang, **more).items]  # type: ignore[arg-type]


MEANT = [
    ("money back", "en", "return"),
    ("возврата денег", "ru", "return"),
    ("повернення коштів", "uk", "return"),
    ("доставку во львов", "ru", "delivery"),
    ("скільки їде до львова", "uk", "delivery"),
    ("пороль", "ru", "password"),
    ("pasword", "en", "password"),
    ("гарантійний ремонт", "uk", "warranty"),
    ("djpdhfn ltytu", "ru", "return"),
    ("djpdhfn ltytu", None, "return"),
    ("garantiya", "ru", "warranty"),
    ("yak vidnovyty parol", "uk", "password"),
    ("как вернуть деньги", "uk", "return"),
    ("warranty", "ru", "warranty"),
]


def test_the_readers_words_find_the_article(base: Flask) -> None:
    found = {(query, lang): keys(base, query, lang)[:1] for query, lang, _ in MEANT}
    assert found == {(query, lang): [key] for query, lang, key in MEANT}


def test_a_word_being_typed_finds_already(base: Flask) -> None:
    for typed, key in (("гаран", "warranty"), ("dostav", "delivery"), ("парол", "password")):
        assert keys(base, typed, None, typing=True)[0] == key
    assert keys(base, "восстановить гар", "ru", typing=True)[:2] == ["password", "warranty"]


def test_texts_are_shown_in_the_asked_language(base: Flask) -> None:
    with base.app_context(), ext.session() as session:
        for lang, asked in (("uk", "uk"), ("en", "en"), (None, "ru")):
            hit = search(session, "вернуть деньги за товар", lang=lang).items[0]
            assert (hit.key, hit.lang, hit.slug) == ("return", asked, f"return-{asked}")


def test_an_article_without_the_language_is_shown_in_another(base: Flask) -> None:
    with base.app_context(), ext.write() as session:
        add_article(session, "seller", {"en": ("Become a seller on our marketplace", "Apply.")})
    assert keys(base, "become a seller", "uk")[0] == "seller"


def test_only_what_the_reader_may_see_is_found(base: Flask) -> None:
    with base.app_context(), ext.write() as session:
        article = add_article(session, "margin", {"en": ("Margins of suppliers", "Ten percent.")})
        article.texts[0].state = State.INTERNAL
        index.reindex(session, article.texts[0].id)
    assert "margin" not in keys(base, "margins of suppliers", "en")
    staff = (State.PUBLIC, State.INTERNAL)
    assert keys(base, "margins of suppliers", "en", states=staff)[0] == "margin"


def test_a_category_narrows_with_all_below_it(base: Flask) -> None:
    with base.app_context(), ext.write() as session:
        upper = Category(key="shopping", names={"en": "Shopping"})
        session.add(upper)
        session.flush()
        lower = Category(key="money", names={"en": "Money"}, parent_id=upper.id)
        session.add(lower)
        session.flush()
        article = session.scalars(select(Article).where(Article.key == "return")).one()
        article.category_id = lower.id
        asked = upper.id
    assert keys(base, "delivery, password, money back", "en", category_id=asked) == ["return"]


def test_a_change_is_found_at_once_and_by_its_old_words_no_more(base: Flask) -> None:
    assert keys(base, "xylophone", "en") == []
    with base.app_context(), ext.write() as session:
        text = session.scalars(select(ArticleText).where(ArticleText.slug == "delivery-en")).one()
        text.title, text.body_markdown = "Tuning a xylophone", "Tune it."
        index.reindex(session, text.id)
    assert keys(base, "xylophone", "en") == ["delivery"]
    assert "delivery" not in keys(base, "how long does delivery take", "en")
    with base.app_context(), ext.write() as session:
        index.unindex(session, text.id)
    assert keys(base, "xylophone", "en") == []


def test_what_was_taken_back_is_not_found(base: Flask) -> None:
    class TakenBack(Exception):
        """Rolls the transaction back."""

    with base.app_context(), pytest.raises(TakenBack), ext.write() as session:
        add_article(session, "xylophone", {"en": ("Tuning a xylophone", "Tune it.")})
        search(session, "xylophone", lang="en")
        raise TakenBack
    assert keys(base, "xylophone", "en") == []
    with base.app_context(), ext.write() as session:
        add_article(session, "cello", {"en": ("Tuning a cello", "Tune it.")})
    assert keys(base, "cello", "en") == ["cello"]


def test_a_deleted_article_is_not_found(base: Flask) -> None:
    with base.app_context(), ext.write() as session:
        article = session.scalars(select(Article).where(Article.key == "warranty")).one()
        article.deleted_at = THEN
    assert "warranty" not in keys(base, "warranty", "en")
    with base.app_context(), ext.write() as session:
        for text in session.scalars(select(ArticleText).where(ArticleText.article == article)):
            index.reindex(session, text.id)
    assert keys(base, "гарантия", "ru") == []


def test_a_solved_question_teaches(base: Flask) -> None:
    question = "my gizmo arrived purple"
    assert keys(base, question, "en")[:1] != ["return"]
    with base.app_context(), ext.write() as session:
        article = session.scalars(select(Article).where(Article.key == "return")).one()
        example = learn(session, article.id, "en", question, source=Source.API)
        assert example is not None
        assert learn(session, article.id, "en", question.upper(), source=Source.API) is None
        assert learn(session, article.id, "en", "  ", source=Source.API) is None
        example_id = example.id
    assert keys(base, "the gizmo is purple", "en")[0] == "return"
    with base.app_context(), ext.write() as session:
        unlearn(session, example_id)
        unlearn(session, example_id)
    assert keys(base, "the gizmo is purple", "en")[:1] != ["return"]


def test_examples_that_went_with_their_rows_are_forgotten(base: Flask) -> None:
    with base.app_context(), ext.write() as session:
        article = session.scalars(select(Article).where(Article.key == "return")).one()
        learn(session, article.id, "en", "my gizmo arrived purple", source=Source.API)
        session.execute(delete(Example))
        index.relearn(session, article.id, "en")
        kept = session.scalars(select(Indexed.words).where(Indexed.kind == IndexedKind.LEARNED))
        assert list(kept) == [""]


def test_examples_of_a_deleted_article_say_nothing_until_it_is_put_back(base: Flask) -> None:
    question = "my gizmo arrived purple"
    with base.app_context(), ext.write() as session:
        article = session.scalars(select(Article).where(Article.key == "return")).one()
        for lang in ("en", "uk"):
            learn(session, article.id, lang, question, source=Source.API)
    assert learned(base) == 2
    with base.app_context(), ext.write() as session:
        article = session.scalars(select(Article).where(Article.key == "return")).one()
        delete_article(session, article, at=THEN)
        learn(session, article.id, "en", f"{question} again", source=Source.API)
    assert learned(base) == 0
    assert "return" not in keys(base, question, "en")
    with base.app_context(), ext.write() as session:
        article = session.scalars(select(Article).where(Article.key == "return")).one()
        undelete_article(session, article, at=THEN)
    assert (learned(base), keys(base, question, "en")[0]) == (2, "return")


def learned(base: Flask) -> int:
    """In how many languages the examples of articles say something."""
    said = select(Indexed.id).where(Indexed.kind == IndexedKind.LEARNED, Indexed.words != "")
    with base.app_context(), ext.session() as session:
        return len(session.scalars(said).all())


def test_a_process_that_has_read_the_index_searches_without_reading_it(
    base: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_more: object) -> None:
        raise AssertionError("it was read already")

    memory.warm()
    monkeypatch.setattr(memory, "_apply", read)
    assert keys(base, "money back", "en")[0] == "return"


def test_an_empty_base_is_read_without_ado(app: Flask) -> None:
    memory.warm()
    assert keys(app, "money back", "en") == []


def test_a_question_solved_before_is_known_again(base: Flask) -> None:
    question = "My gizmo arrived purple!"
    with base.app_context(), ext.write() as session:
        article = session.scalars(select(Article).where(Article.key == "return")).one()
        learn(session, article.id, "en", question, source=Source.API)
    assert keys(base, "purple gizmo arrived", "en")[0] == "return"


def test_it_answers_alone_only_when_it_is_sure(base: Flask) -> None:
    with base.app_context(), ext.write() as session:
        sure = search(session, "restore your password", lang="en").answer
        assert sure is not None and sure.key == "password" and 0.8 < sure.confidence <= 1
        for question in (
            "what will the weather be in london",
            "do you hire cooks",
            "",
            "?!",
            "how",
        ):
            assert search(session, question, lang="en").answer is None
        assert search(session, "restore your passw", lang="en", typing=True).answer is None
        settings.put(session, "kb_wrong_answers", 0)
        assert search(session, "restore your password", lang="en").answer is None


def test_what_is_not_there_counts_as_missed(base: Flask) -> None:
    with base.app_context(), ext.session() as session:
        assert search(session, "recipe for borsch", lang="en").missed
        assert not search(session, "restore your password", lang="en").missed


def test_an_email_gets_suggestions(base: Flask) -> None:
    text = (
        "Missing parcel\n\nGood afternoon, my name is Ann and I have been your customer for years."
        " Last week I ordered a kettle. The courier has not come and I do not know when delivery"
        " takes place. The weather is fine. Kind regards, Ann Smith, 12 Lake Street"
    )
    with base.app_context(), ext.session() as session:
        assert suggest(session, text, "en")[0].key == "delivery"
        assert [hit.key for hit in suggest(session, text * 50, None, limit=1)] == ["delivery"]


def test_the_excerpt_is_the_line_that_answers(base: Flask) -> None:
    with base.app_context(), ext.session() as session:
        hit = search(session, "сколько идёт доставка во Львов", lang="ru").items[0]
    assert hit.excerpt == "Во Львов: пять."
    assert [hit.excerpt[begin:end] for begin, end in hit.marks] == ["Львов"]


def test_another_version_of_the_analysis_is_made_anew(
    base: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(base, "money back", "en")
    monkeypatch.setattr(units, "VERSION", units.VERSION + 1)
    with base.app_context():
        memory.forget_memory()
        assert keys(base, "money back", "en") == before
        with ext.write() as session:
            assert index.is_stale(session) and index.refresh(session, 5) == 5
            assert index.refresh(session) == len(TEXTS) * 3 - 5
            assert index.refresh(session) == 0 and not index.is_stale(session)
    assert keys(base, "money back", "en") == before


def test_hostile_questions_are_answered_quickly(base: Flask) -> None:
    pieces = ("a", "я ", "[", "[](", "<a ", "=", "'", "0", "\u0301", "漢", "\0", "не ", "a.b@")
    with base.app_context(), ext.session() as session:
        search(session, "warm", lang=None)
        for piece in pieces:
            began = time.process_time()
            search(session, piece * (1_000_000 // len(piece)), lang=None)
            suggest(session, piece * (1_000_000 // len(piece)), "uk")
            assert time.process_time() - began < 1, repr(piece)
