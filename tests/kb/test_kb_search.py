"""Search of the knowledge base: the reader's words find the article, in every language."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.kb import index
from helpdesk.kb.models import Article, ArticleText, Category, Example, Source, State
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


@pytest.mark.parametrize(
    ("query", "lang", "key"),
    [
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
    ],
)
def test_the_readers_words_find_the_article(
    base: Flask, query: str, lang: str | None, key: str
) -> None:
    assert keys(base, query, lang)[0] == key
