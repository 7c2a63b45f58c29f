"""Tables of the knowledge base: categories, articles, their texts and versions, and use."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from helpdesk.ext import Base, EnumText, partial_index
from helpdesk.files import StoredFile


class State(StrEnum):
    DRAFT = "draft"
    INTERNAL = "internal"  # staff alone
    PUBLIC = "public"


class Source(StrEnum):
    """Where somebody searched or read."""

    PORTAL = "portal"
    FORM = "form"  # suggestions beside the "ask us" form
    EMAIL = "email"  # suggestions in a receipt
    DESK = "desk"
    API = "api"
    PHONE = "phone"


class Category(Base):
    """A place in the tree of categories."""

    __tablename__ = "kb_category"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("kb_category.id"), index=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)  # ASCII, stands in addresses
    names: Mapped[dict[str, Any]]  # {"en": "Delivery", "ru": ..., "uk": ...}
    icon: Mapped[str] = mapped_column(String(40), default="file-text")  # of the sprite
    position: Mapped[int] = mapped_column(default=0)


class Article(Base):
    """One answer, in as many languages as it has texts. `source_lang` is written first."""

    __tablename__ = "article"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("kb_category.id"), index=True)
    source_lang: Mapped[str] = mapped_column(String(8))
    tags: Mapped[list[str]]
    from_ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]  # undo puts it back

    category: Mapped[Category | None] = relationship()
    texts: Mapped[list["ArticleText"]] = relationship(
        back_populates="article", order_by="ArticleText.lang"
    )


class ArticleProduct(Base):
    """A product that an article speaks of."""

    __tablename__ = "article_product"

    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), primary_key=True, index=True)


class ArticleText(Base):
    """An article in one language, as it stands now."""

    __tablename__ = "article_text"
    __table_args__ = (
        Index("uq_article_text", "article_id", "lang", unique=True),
        Index("uq_article_text_slug", "lang", "slug", unique=True),
        Index("ix_article_text_state", "state", "lang"),
        partial_index("ix_article_text_embedding", "id", where="embedding IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"))
    lang: Mapped[str] = mapped_column(String(8))
    slug: Mapped[str] = mapped_column(String(120))
    title: Mapped[str]
    body_markdown: Mapped[str]
    body_html: Mapped[str]  # rendered and sanitised when saved
    excerpt: Mapped[str]  # the first sentence, plain
    keywords: Mapped[list[str]]
    voice_text: Mapped[str] = mapped_column(default="")  # read out on the phone, <= 30 s
    state: Mapped[State] = mapped_column(EnumText(State))
    version: Mapped[int] = mapped_column(default=1)
    source_version: Mapped[int | None]  # of the source text it was last checked against
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # who changed it last
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    views: Mapped[int] = mapped_column(default=0)
    helped: Mapped[int] = mapped_column(default=0)
    not_helped: Mapped[int] = mapped_column(default=0)
    embedding: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))  # None: to be made

    article: Mapped[Article] = relationship(back_populates="texts")


class ArticleVersion(Base):
    """A text as it stood once."""

    __tablename__ = "article_version"
    __table_args__ = (Index("uq_article_version", "text_id", "version", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    text_id: Mapped[int] = mapped_column(ForeignKey("article_text.id"))
    version: Mapped[int]
    title: Mapped[str]
    body_markdown: Mapped[str]
    keywords: Mapped[list[str]]
    voice_text: Mapped[str]
    state: Mapped[State] = mapped_column(EnumText(State))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]


class Picture(Base):
    """An image that articles show."""

    __tablename__ = "kb_picture"

    id: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"), index=True)
    filename: Mapped[str]
    content_type: Mapped[str] = mapped_column(String(127))
    size: Mapped[int]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]

    file: Mapped[StoredFile] = relationship()


class ArticlePicture(Base):
    """A picture that a text shows as it stands now: who may see the text may see the picture."""

    __tablename__ = "article_picture"

    text_id: Mapped[int] = mapped_column(ForeignKey("article_text.id"), primary_key=True)
    picture_id: Mapped[int] = mapped_column(
        ForeignKey("kb_picture.id"), primary_key=True, index=True
    )


class OldSlug(Base):
    """A name that a published text once had in its address: readers are led on."""

    __tablename__ = "article_old_slug"
    __table_args__ = (Index("uq_article_old_slug", "lang", "slug", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lang: Mapped[str] = mapped_column(String(8))
    slug: Mapped[str] = mapped_column(String(120))
    text_id: Mapped[int] = mapped_column(ForeignKey("article_text.id"), index=True)


class Example(Base):
    """A question that an article solved: what search learns from."""

    __tablename__ = "kb_example"
    __table_args__ = (
        Index("uq_kb_example", "article_id", "lang", "digest", unique=True),
        partial_index("ix_kb_example_ticket", "ticket_id", where="ticket_id IS NOT NULL"),
        partial_index("ix_kb_example_embedding", "id", where="embedding IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"))
    lang: Mapped[str] = mapped_column(String(8))
    text: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))  # of the folded text: one of each
    source: Mapped[Source] = mapped_column(EnumText(Source))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    embedding: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))  # None: to be made


class Citation(Base):
    """An agent used an article in the answer to a ticket."""

    __tablename__ = "citation"
    __table_args__ = (Index("uq_citation", "ticket_id", "article_id", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), index=True)
    lang: Mapped[str] = mapped_column(String(8))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]


class Outcome(StrEnum):
    """How a search or a suggestion ended."""

    OPENED = "opened"  # an article was read
    SOLVED = "solved"  # and the reader said that it helped, or left the form unsent
    ASKED = "asked"  # a person was asked all the same


class Search(Base):
    """One search of a reader, kept for a while: what was looked for, and whether it was found."""

    __tablename__ = "kb_search"
    __table_args__ = (Index("ix_kb_search_visit", "visit", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    lang: Mapped[str] = mapped_column(String(8))
    query: Mapped[str]
    source: Mapped[Source] = mapped_column(EnumText(Source))
    found: Mapped[int]
    visit: Mapped[str | None] = mapped_column(String(32))  # random, of one browser session
    outcome: Mapped[Outcome | None] = mapped_column(EnumText(Outcome))
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)


class Miss(Base):
    """What readers looked for and did not find: the editor's list."""

    __tablename__ = "kb_miss"
    __table_args__ = (
        Index("uq_kb_miss", "lang", "key", unique=True),
        partial_index("ix_kb_miss_open", "times", "id", where="settled_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lang: Mapped[str] = mapped_column(String(8))
    key: Mapped[str] = mapped_column(String(120))  # sorted stems: spellings count together
    query: Mapped[str]  # as it was typed last
    times: Mapped[int] = mapped_column(default=1)
    last_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]  # an article was written, or the editor let it go
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.id"), index=True)


class Reading(Base):
    """An article was opened by a reader, known or not."""

    __tablename__ = "article_reading"
    __table_args__ = (
        partial_index(
            "ix_article_reading_person", "person_id", "at", where="person_id IS NOT NULL"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), index=True)
    lang: Mapped[str] = mapped_column(String(8))
    source: Mapped[Source] = mapped_column(EnumText(Source))
    visit: Mapped[str | None] = mapped_column(String(32))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)


class Feedback(Base):
    """Did this help? One answer of each reader to each text; a later one replaces it."""

    __tablename__ = "article_feedback"
    __table_args__ = (
        Index("uq_article_feedback", "text_id", "visit", unique=True),
        Index("ix_article_feedback_at", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    text_id: Mapped[int] = mapped_column(ForeignKey("article_text.id"))
    visit: Mapped[str] = mapped_column(String(32))
    helped: Mapped[bool]
    comment: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class IndexedKind(StrEnum):
    TEXT = "text"
    LEARNED = "learned"  # what the examples of an article say in one language
    EMBEDDING = "embedding"  # what an article is about in one language, examples included


class Indexed(Base):
    """What search knows of a text, or of an article's examples; processes keep it in memory and
    read what has a higher `seq` than they have seen. What is gone keeps its row, without words.
    """

    __tablename__ = "kb_index"
    __table_args__ = (
        Index("uq_kb_index", "kind", "ref_id", "lang", unique=True),
        Index("ix_kb_index_analysis", "analysis"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[IndexedKind] = mapped_column(EnumText(IndexedKind))
    ref_id: Mapped[int]  # of the article_text, else of the article; no key: the row outlives it
    lang: Mapped[str] = mapped_column(String(8))
    article_id: Mapped[int]
    seq: Mapped[int] = mapped_column(unique=True)  # in the order of commits
    state: Mapped[str] = mapped_column(String(10))  # of the text; else ""
    size: Mapped[int]  # how many examples; 0 of a text
    analysis: Mapped[str] = mapped_column(String(40))  # what made it; another: to be made anew
    words: Mapped[str]  # JSON: stems and concepts with what they weigh; a vector; "" when gone
