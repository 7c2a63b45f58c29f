"""What an article must be like: titles, bodies, keywords, texts for the phone, tags, keys."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.ext import LANGUAGES
from helpdesk.kb.models import ArticleText, Category, State
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean, clean_line
from helpdesk.products import Product

MAX_TITLE = 200
MAX_KEYWORDS = 40
MAX_KEYWORD = 60
MAX_TAGS = 20
VOICE_SECONDS = 30
VOICE_RATE = 14
"""Characters that a voice reads in a second."""
MAX_VOICE = VOICE_SECONDS * VOICE_RATE
KEY = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$"

_KEY = re.compile(KEY)


@dataclass(frozen=True, slots=True)
class Content:
    """What a version of a text holds."""

    title: str
    body: str
    keywords: tuple[str, ...] = ()
    voice: str = ""


def content_of(text: ArticleText) -> Content:
    """What the text holds now."""
    return Content(text.title, text.body_markdown, tuple(text.keywords), text.voice_text)


def checked(content: Content) -> Content:
    """The content cleaned. Raises HelpdeskError that names the field."""
    title = clean_line(content.title, MAX_TITLE + 1)
    if not title:
        raise HelpdeskError(_lazy("An article needs a title."), field="title")
    if len(title) > MAX_TITLE:
        message = _lazy("The title is too long: at most %(limit)s characters.")
        raise HelpdeskError(message, field="title", limit=MAX_TITLE)
    body = clean(content.body).strip("\n")
    return Content(title, body, clean_keywords(content.keywords), checked_voice(content.voice))


def clean_keywords(keywords: Iterable[str]) -> tuple[str, ...]:
    """Keywords in their order, one line each, without repeats. Raises HelpdeskError."""
    found = (clean_line(word, MAX_KEYWORD) for word in keywords)
    kept = tuple(dict.fromkeys(word for word in found if word))
    if len(kept) > MAX_KEYWORDS:
        message = _lazy("At most %(limit)s keywords fit an article.")
        raise HelpdeskError(message, field="keywords", limit=MAX_KEYWORDS)
    return kept


def checked_voice(text: str) -> str:
    """A text that a voice reads in VOICE_SECONDS. Raises HelpdeskError."""
    text = clean_line(text, MAX_VOICE * 100)
    if len(text) > MAX_VOICE:
        message = _lazy(
            "Read out this takes about %(seconds)s seconds. At most %(limit)s fit: "
            "%(characters)s characters, now %(length)s."
        )
        raise HelpdeskError(
            message,
            field="voice",
            seconds=voice_seconds(text),
            limit=VOICE_SECONDS,
            characters=MAX_VOICE,
            length=len(text),
        )
    return text


def voice_seconds(text: str) -> int:
    """How long a voice reads it, in whole seconds."""
    return -(-len(text) // VOICE_RATE)


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Tags in their order, lower case, without repeats. Raises HelpdeskError."""
    found = (clean_line(tag, 40).replace(",", " ").strip().lower() for tag in tags)
    kept = list(dict.fromkeys(tag for tag in found if tag))
    if len(kept) > MAX_TAGS:
        message = _lazy("At most %(limit)s tags fit an article.")
        raise HelpdeskError(message, field="tags", limit=MAX_TAGS)
    return kept


def checked_lang(lang: str) -> str:
    """Raises HelpdeskError for a language that articles are not written in."""
    if lang not in LANGUAGES:
        raise HelpdeskError(_lazy("The language must be en, ru or uk."), field="lang")
    return lang


def checked_key(key: str) -> str:
    """Raises HelpdeskError for what cannot be the key of an article."""
    if not _KEY.match(key):
        message = _lazy("A key is made of Latin letters, digits and . _ : - and has at most 80.")
        raise HelpdeskError(message, field="key")
    return key


def check_category(session: Session, category_id: int | None) -> None:
    """Raises HelpdeskError for a category that is not there."""
    if category_id is not None and session.get(Category, category_id) is None:
        raise HelpdeskError(_lazy("Choose a category from the list."), field="category")


def checked_products(session: Session, product_ids: Iterable[int]) -> set[int]:
    """Raises HelpdeskError for a product that is not there."""
    wanted = set(product_ids)
    if not wanted:
        return wanted
    known = set(session.scalars(select(Product.id).where(Product.id.in_(wanted))))
    if wanted - known:
        raise HelpdeskError(_lazy("Choose products from the list."), field="products")
    return wanted


def permission_for(*states: State | None) -> str:
    """What it takes to change a text from and to these states: what customers read is changed
    only by those who may publish.
    """
    return "kb.publish" if State.PUBLIC in states else "kb.write"
