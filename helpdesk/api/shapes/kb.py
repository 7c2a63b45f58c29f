"""The knowledge base: search, articles in their languages, categories, solved questions."""

from typing import Annotated, Literal

from pydantic import MISSING, Field

from helpdesk.api.shapes.base import (
    NO_NUL,
    VISIBLE,
    In,
    LanguageWord,
    Listed,
    Moment,
    Name,
    Out,
    Paged,
    Query,
    Tags,
)
from helpdesk.kb.checks import KEY, MAX_KEYWORD, MAX_KEYWORDS, MAX_VOICE
from helpdesk.kb.markdown import MAX_BODY

StateWord = Literal["draft", "internal", "public"]
MAX_QUESTION = 4000

Key = Annotated[str, Field(pattern=KEY, description="Your own name for the article.")]
Body = Annotated[
    str,
    Field(
        max_length=MAX_BODY,
        pattern=NO_NUL,
        description=f"Markdown (CommonMark with tables), at most {MAX_BODY} characters. Links to "
        "other articles are article:KEY.",
        # Generators of test data give up on a pattern that may be this long.
        json_schema_extra=lambda schema: schema.pop("maxLength", None),
    ),
]
Keywords = Annotated[
    list[Annotated[str, Field(max_length=MAX_KEYWORD, pattern=NO_NUL)]],
    Field(max_length=MAX_KEYWORDS),
]
Voice = Annotated[
    str,
    Field(
        max_length=MAX_VOICE,
        pattern=NO_NUL,
        description="Read out on the phone, 30 seconds at most.",
    ),
]
CategoryName = Annotated[
    str, Field(min_length=1, max_length=80, pattern=VISIBLE, description="A key or a name.")
]


class SearchQuery(Query):
    q: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION, pattern=NO_NUL)] = Field(
        description="What somebody looks for: words or a whole question."
    )
    lang: LanguageWord | MISSING = Field(
        default=MISSING, description="Left out: the language of the question."
    )
    limit: int = Field(default=10, ge=1, le=50)


class HitOut(Out):
    id: int
    key: str
    slug: str
    title: str
    lang: str
    excerpt: str
    score: float
    url: str


class AnswerOut(Out):
    id: int
    key: str
    confidence: float


class SearchOut(Out):
    items: list[HitOut]
    answer: AnswerOut | None = Field(
        description="The article that answers by itself; null where that is not sure enough."
    )


class CategoryOut(Out):
    id: int
    key: str
    names: dict[str, str]
    parent_id: int | None
    icon: str
    articles: int = Field(description="Public ones in it and below.")


class CategoryList(Listed):
    items: list[CategoryOut]


class ArticleOut(Out):
    """An article in one language; `id` and `key` are those of the article."""

    id: int
    key: str
    lang: str
    slug: str
    title: str
    body_markdown: str
    excerpt: str
    category: str | None = Field(description="The category's key.")
    keywords: list[str]
    tags: list[str]
    voice_text: str
    state: StateWord
    version: int
    source_changed: bool = Field(
        description="The text it was translated from has changed since it was checked."
    )
    url: str
    updated_at: Moment
    published_at: Moment | None
    views: int
    helped: int
    not_helped: int


class ArticleList(Listed):
    items: list[ArticleOut]


class ArticleQuery(Paged):
    lang: LanguageWord | MISSING = MISSING
    state: StateWord | MISSING = MISSING
    category: CategoryName | MISSING = MISSING


class LangQuery(Query):
    lang: LanguageWord | MISSING = Field(
        default=MISSING, description="Left out: the language it was written in first."
    )


class ArticleIn(In):
    key: Key
    lang: LanguageWord
    title: Name
    body_markdown: Body
    category: CategoryName | None | MISSING = Field(
        default=MISSING, description="Its name or key; one that is missing is made."
    )
    keywords: Keywords | MISSING = MISSING
    tags: Tags | MISSING = MISSING
    voice_text: Voice | MISSING = MISSING
    state: StateWord | MISSING = Field(default=MISSING, description="A new one: draft.")


class ArticleChange(In):
    """Only the fields that are there are changed."""

    title: Name | MISSING = MISSING
    body_markdown: Body | MISSING = MISSING
    category: CategoryName | None | MISSING = MISSING
    keywords: Keywords | MISSING = MISSING
    tags: Tags | MISSING = MISSING
    voice_text: Voice | MISSING = MISSING
    state: StateWord | MISSING = MISSING


class ExampleIn(In):
    key: Key
    lang: LanguageWord
    text: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION, pattern=VISIBLE)]


class ExampleOut(Out):
    key: str
    lang: str
    text: str
    added: bool = Field(description="False where the article knew this question already.")
