"""Names of articles and categories in addresses: words in Latin letters, and what leads there."""

import re

from sqlalchemy import delete, select, union_all
from sqlalchemy.orm import Session

from helpdesk.kb.models import Article, ArticleText, Category, OldSlug
from helpdesk.lib.text import clean_line, fold

MAX_SLUG = 80

_NOT_WORDS = re.compile(r"[^a-z0-9]+")
_WORD = re.compile(r"\w+")
_RU = dict(
    zip(
        "абвгдезийклмнопрстуфыэ",
        ("a", "b", "v", "g", "d", "e", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t")
        + ("u", "f", "y", "e"),
        strict=True,
    )
) | {
    **{"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch"},
    **{"ъ": "", "ь": "", "ю": "iu", "я": "ia", "ў": "u"},
}
# Resolution of the Cabinet of Ministers of Ukraine No. 55 of 27 January 2010. ґ is folded to г.
_UK = _RU | {"г": "h", "и": "y", "і": "i", "є": "ie", "ї": "i", "й": "i"}
_UK_FIRST = {"є": "ye", "ї": "yi", "й": "y", "ю": "yu", "я": "ya"}


def slug_of(text: str, lang: str) -> str:
    """The words of a text in a-z and 0-9 with hyphens, at most MAX_SLUG characters; Ukrainian as
    the resolution of 2010 has it, Russian as passports do. Empty where nothing can be spelt.
    """
    folded = fold(clean_line(text, 400))
    latin = _WORD.sub(lambda found: _latin(found.group(), lang), folded)
    slug = _NOT_WORDS.sub("-", latin).strip("-")
    if len(slug) > MAX_SLUG:
        slug = slug[: MAX_SLUG + 1].rpartition("-")[0] or slug[:MAX_SLUG]
    return slug


def free_slug(session: Session, title: str, lang: str, article_id: int) -> str:
    """A slug that no other article has or had in this language."""
    base = slug_of(title, lang) or "article"
    taken = _taken(session, base, lang, article_id)
    if base not in taken and not base.isdigit():
        return base
    candidate, n = f"{base}-{article_id}", 1
    while candidate in taken or candidate in _taken(session, candidate, lang, article_id):
        n += 1
        candidate = f"{base}-{article_id}-{n}"
    return candidate


def follow_title(session: Session, text: ArticleText) -> None:
    """Give the text the slug of its title; one under which it was published leads on to it."""
    fresh = free_slug(session, text.title, text.lang, text.article_id)
    if fresh == text.slug:
        return
    again = (OldSlug.lang == text.lang, OldSlug.slug == fresh)
    session.execute(delete(OldSlug).where(*again))
    if text.published_at is not None:
        session.add(OldSlug(lang=text.lang, slug=text.slug, text_id=text.id))
    text.slug = fresh


def free_key(session: Session, kind: type[Article] | type[Category], text: str, lang: str) -> str:
    """A key for an article or category of this title that is not taken yet."""
    base = slug_of(text, lang)[:70] or "article"
    if base.isdigit():
        base = f"a-{base}"
    known = set(session.scalars(select(kind.key).where(kind.key.startswith(base, autoescape=True))))
    candidate, n = base, 1
    while candidate in known:
        n += 1
        candidate = f"{base}-{n}"
    return candidate


def _taken(session: Session, slug: str, lang: str, article_id: int) -> set[str]:
    """The slug, if another article has it or had it."""
    now = select(ArticleText.slug).where(
        ArticleText.lang == lang, ArticleText.slug == slug, ArticleText.article_id != article_id
    )
    once = (
        select(OldSlug.slug)
        .join(ArticleText, ArticleText.id == OldSlug.text_id)
        .where(OldSlug.lang == lang, OldSlug.slug == slug, ArticleText.article_id != article_id)
    )
    return set(session.scalars(union_all(now, once)))


def _latin(word: str, lang: str) -> str:
    letters = _UK if lang == "uk" else _RU
    if lang == "uk":
        word = word.replace("зг", "zgh")
        first = _UK_FIRST.get(word[:1])
        if first:
            word = first + word[1:]
    # A letter of the other language is spelt as there: nothing is lost of a mixed title.
    return "".join(letters.get(char) or _UK.get(char, char) for char in word)
