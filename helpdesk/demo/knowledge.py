"""The demo's knowledge base: categories, the articles of `articles/LANG/KEY.md`, and their use."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.events import SYSTEM, Actor
from helpdesk.ext import LANGUAGES
from helpdesk.kb import actions, log
from helpdesk.kb.categories import create_category
from helpdesk.kb.checks import Content, content_of
from helpdesk.kb.log import Asked, Note, Opened
from helpdesk.kb.models import Article, ArticleText, Category, Outcome, Source, State
from helpdesk.kb.queries import texts_of

FOLDER = Path(__file__).parent / "articles"
SOURCE = "uk"
BEFORE = timedelta(days=80)  # how long ago the first article was written

CATEGORIES: Mapping[str, tuple[str, str, str, str]] = {
    "delivery": ("truck-delivery", "Delivery", "Доставка", "Доставка"),
    "payment": ("credit-card", "Payment", "Оплата", "Оплата"),
    "orders": ("shopping-cart", "Orders", "Заказы", "Замовлення"),
    "returns": ("arrow-back-up", "Returns and exchange", "Возврат и обмен", "Повернення й обмін"),
    "warranty": ("tool", "Warranty and repair", "Гарантия и ремонт", "Гарантія та ремонт"),
    "products": ("plug", "Using appliances", "Как пользоваться техникой", "Як користуватися"),
    "account": ("user-star", "Account and bonuses", "Кабинет и бонусы", "Кабінет і бонуси"),
}
"""Key: icon, names in English, Russian, Ukrainian; in the order in which they are shown."""

STALE = "bonus-points"  # its Ukrainian text has changed since it was translated
DRAFT = "energy-label"
INTERNAL = "price-match"
MISSED = (
    ("uk", "оренда техніки на час ремонту", 6),
    ("ru", "встраиваемая вытяжка замена лампочки", 4),
    ("en", "do you ship to Poland", 3),
    ("uk", "вакансії у Львові", 2),
)
SEARCHES, SEARCHED = 90, 56  # so many searches that found something, in the last days
ENDS = (2, 3, 6, 1)  # of ten and two: not read, read, solved, a person asked all the same
COMMENTS = (
    ("delivery-cost", "uk", "Не написано, скільки коштує доставка в село"),
    ("error-codes", "ru", "Моего кода E19 в таблице нет"),
    ("refund-when", "en", "It has been four working days already"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """A file of the demo: an article in one language."""

    key: str
    lang: str
    category: str
    content: Content


def load(session: Session, at: datetime, staff: Mapping[str, User]) -> None:
    """Write the knowledge base as if it had grown for BEFORE until `at`."""
    began = at - BEFORE
    pick = random.Random(len(CATEGORIES))
    writer, boss = Actor(user_id=staff["olena"].id), Actor(user_id=staff["maryna"].id)
    rooms = _categories(session, began)
    articles: dict[str, Article] = {}
    for n, page in enumerate(pages()):
        moment = began + timedelta(hours=n // 3, minutes=n)
        actor = writer if n % 3 else boss
        articles[page.key] = _write(session, page, articles.get(page.key), rooms, moment, actor)
    _change_source(session, articles.get(STALE), at - timedelta(days=2), boss)
    _read(session, pick)
    _search(session, pick, at)
    _ask(session, articles, at)


def pages() -> Iterator[Page]:
    """All files, articles in the order of their keys, the source language first."""
    order = (SOURCE, *(lang for lang in LANGUAGES if lang != SOURCE))
    keys = sorted({path.stem for path in FOLDER.glob("*/*.md")})
    for key in keys:
        for lang in order:
            path = FOLDER / lang / f"{key}.md"
            if path.exists():
                yield read(path)


def read(path: Path) -> Page:
    """A file: `name: value` lines, a line of `---`, the Markdown body."""
    head, _, body = path.read_text("utf-8").partition("\n---\n")
    facts = dict(line.split(": ", 1) for line in head.splitlines())
    keywords = tuple(word.strip() for word in facts.get("keywords", "").split(","))
    content = Content(facts["title"], body.strip(), keywords, facts.get("voice", ""))
    return Page(path.stem, path.parent.name, facts["category"], content)


def _categories(session: Session, at: datetime) -> dict[str, int]:
    known = dict(session.execute(select(Category.key, Category.id)).all())
    for key, (icon, *names) in CATEGORIES.items():
        if key not in known:
            said = dict(zip(LANGUAGES, names, strict=True))
            known[key] = create_category(session, said, key=key, icon=icon, at=at).id
    return known


def _write(
    session: Session,
    page: Page,
    article: Article | None,
    rooms: Mapping[str, int],
    at: datetime,
    actor: Actor,
) -> Article:
    state = {DRAFT: State.DRAFT, INTERNAL: State.INTERNAL}.get(page.key, State.PUBLIC)
    if article is not None:
        actions.add_translation(
            session, article, page.content, lang=page.lang, state=state, at=at, actor=actor
        )
        return article
    text = actions.create_article(
        session,
        page.content,
        lang=page.lang,
        key=page.key,
        category_id=rooms[page.category],
        state=state,
        at=at,
        actor=actor,
    )
    return session.get_one(Article, text.article_id)


def _change_source(session: Session, article: Article | None, at: datetime, actor: Actor) -> None:
    if article is None:
        return
    text = texts_of(session, article.id)[article.source_lang]
    old = content_of(text)
    body = f"{old.body}\n\nУ день народження бонуси нараховуємо вдвічі."
    changed = Content(old.title, body, old.keywords, old.voice)
    actions.change_text(session, text, changed, at=at, actor=actor)


def _read(session: Session, pick: random.Random) -> None:
    """Views and answers to "Did this help?", a few articles far ahead of the others."""
    for text in session.scalars(select(ArticleText).where(ArticleText.state == State.PUBLIC)):
        views = int(pick.paretovariate(1.1) * 12)
        rated = views // 9
        helped = round(rated * pick.uniform(0.45, 0.97))
        values = {"views": views, "helped": helped, "not_helped": rated - helped}
        session.execute(update(ArticleText).where(ArticleText.id == text.id).values(values))


def _search(session: Session, pick: random.Random, at: datetime) -> None:
    """What readers looked for and found: most read it, and most of these needed nobody then."""
    query = select(ArticleText).where(ArticleText.state == State.PUBLIC).order_by(ArticleText.id)
    texts = [text for text in session.scalars(query) if text.keywords]
    views = [text.views for text in texts]
    moments = sorted(at - timedelta(days=pick.uniform(0.1, SEARCHED)) for _ in range(SEARCHES))
    for n, moment in enumerate(moments):
        text = pick.choices(texts, views)[0]
        visit, source = f"demo-found-{n}", pick.choices((Source.PORTAL, Source.FORM), (4, 1))[0]
        words, found = pick.choice(text.keywords), pick.randint(1, 6)
        notes: list[Note] = [Asked(words, text.lang, source, found, moment, visit=visit)]
        outcome = pick.choices((None, *Outcome), ENDS)[0]
        if outcome is not None:
            read = moment + timedelta(seconds=pick.uniform(8, 50))
            notes.append(Opened(text.article_id, text.id, text.lang, source, read, visit=visit))
        log.save(session, notes)
        if outcome is not None and outcome != Outcome.OPENED:
            log.settle_search(session, visit, outcome, article_id=text.article_id)


def _ask(session: Session, articles: Mapping[str, Article], at: datetime) -> None:
    """What readers looked for in vain and what they wrote below articles."""
    for n, (lang, query, times) in enumerate(MISSED):
        for k in range(times):
            moment = at - timedelta(days=n + 2 * k, hours=3)
            asked = Asked(query, lang, Source.PORTAL, 0, moment, missed=True, visit=f"demo-{n}-{k}")
            log.save(session, [asked])
    for n, (key, lang, comment) in enumerate(COMMENTS):
        article = articles.get(key)
        text = texts_of(session, article.id).get(lang) if article else None
        if text is not None:
            moment = at - timedelta(days=n, hours=5)
            log.rate(
                session,
                text,
                visit=f"demo-{n}",
                helped=False,
                comment=comment,
                at=moment,
                actor=SYSTEM,
            )
