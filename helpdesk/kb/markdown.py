"""Markdown of articles to HTML that is safe to show; its plain text, excerpt, links and contents.

CommonMark (https://spec.commonmark.org/0.31.2/) with tables and strikethrough, without HTML. What
comes out is cleaned by nh3 once more. Nothing is loaded from anywhere: pictures are our own.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean, clean_line, fold, shorten

MAX_BODY = 200_000
"""Characters of one article."""
MAX_BRACKETS = 10_000
"""Opening square brackets of one article: looking for their ends costs time."""
MAX_EXCERPT = 200

_NESTING = 20
_TAGS = (
    "a blockquote br code em h2 h3 h4 h5 h6 hr img li ol p pre s strong table tbody td th thead "
    "tr ul"
)
_SCHEMES = {"http", "https", "mailto", "tel"}
_ARTICLE = re.compile(r"article:([A-Za-z0-9][A-Za-z0-9._:-]{0,79})(#[\w-]{1,80})?")
_PICTURE = re.compile(r"(?:picture:|/kb/pictures/)([1-9][0-9]{0,17})")
_REL = "noopener nofollow"
_OPENING = re.compile(r'<a href="article:([^"#]*)(#[^"]*)?"([^>]*)>(.*?)</a>', re.S)
_HEADING = re.compile(r'<h([2-6]) id="([^"]*)">(.*?)</h\1>', re.S)
_TAG = re.compile(r"<[^>]*>")
_NOT_IN_ID = re.compile(r"[^\w]+")
_SENTENCE = re.compile(r".{20,}?[.!?…](?=\s|$)", re.S)
_BLOCKS = frozenset({"paragraph_close", "heading_close", "tr_close", "list_item_close"})


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a body is made into; `links` are the keys of articles, `pictures` the ids it shows."""

    html: str
    text: str
    excerpt: str
    links: frozenset[str]
    pictures: frozenset[int]


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the table of contents: level 2 to 6, the id in the page, the words."""

    level: int
    id: str
    text: str


def render(source: str) -> Rendered:
    """The body as it is kept. Links to articles stay `article:KEY` until `with_links`.

    Raises HelpdeskError for a body over MAX_BODY characters or MAX_BRACKETS brackets.
    """
    source = clean(source)
    check_size(source)
    tokens = _PARSER.parse(source)
    links: set[str] = set()
    pictures: set[int] = set()
    _settle_headings(tokens)
    for token in tokens:
        _settle_cell(token)
        for child in token.children or ():
            _settle_inline(child, links, pictures)
    html = _CLEANER.clean(_PARSER.renderer.render(tokens, _PARSER.options, {}))
    excerpt = _first_sentence(_opening_words(tokens))
    return Rendered(html, _plain(tokens), excerpt, frozenset(links), frozenset(pictures))


def check_size(source: str) -> None:
    """Raises HelpdeskError for a body that is too long or has too many brackets."""
    if len(source) > MAX_BODY:
        raise HelpdeskError(
            _lazy("The text has %(length)s characters; at most %(limit)s fit an article."),
            field="body",
            length=len(source),
            limit=MAX_BODY,
        )
    if source.count("[") > MAX_BRACKETS:
        raise HelpdeskError(
            _lazy("The text has too many square brackets: at most %(limit)s."),
            field="body",
            limit=MAX_BRACKETS,
        )


def with_links(html: str, address_of: Callable[[str], str | None]) -> str:
    """Rendered HTML with links to articles leading to `address_of(key)`; where that is None,
    the words stay and the link goes.
    """

    def place(match: re.Match[str]) -> str:
        address = address_of(unescape(match[1]))
        if address is None:
            return match[4]
        return f'<a href="{escape(address)}{match[2] or ""}">{match[4]}</a>'

    return _OPENING.sub(place, html)


def linked_keys(html: str) -> list[str]:
    """The keys of the articles that rendered HTML links to, each once, in order."""
    return list(dict.fromkeys(unescape(match[1]) for match in _OPENING.finditer(html)))


def contents(html: str) -> list[Heading]:
    """The headings of rendered HTML."""
    return [
        Heading(int(level), id_, unescape(_TAG.sub("", words)))
        for level, id_, words in _HEADING.findall(html)
    ]


def quoted(text: str) -> str:
    """Plain text as Markdown that shows just that: signs with a meaning are escaped."""
    return re.sub(r"([\\`*_\[\]<>#|~!])", r"\\\1", clean(text))


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Whether a link or picture may lead there; else its source is shown as it was written."""
        if _ARTICLE.fullmatch(url) or _PICTURE.fullmatch(url):
            return True
        return ":" in url and url.partition(":")[0].lower() in _SCHEMES


def _settle_headings(tokens: Sequence[Token]) -> None:
    """The highest heading becomes h2, since h1 is the title; each gets an id of its own."""
    opened = [n for n, token in enumerate(tokens) if token.type == "heading_open"]
    shift = 2 - min((int(tokens[n].tag[1]) for n in opened), default=2)
    used: Counter[str] = Counter()
    for n in opened:
        start, inline, end = tokens[n : n + 3]
        start.tag = end.tag = f"h{min(int(start.tag[1]) + shift, 6)}"
        # The prefix keeps ids of articles apart from those of pages and names of the DOM.
        words = _NOT_IN_ID.sub("-", fold(_inline_text(inline))[:60]).strip("-") or "part"
        used[words] += 1
        start.attrSet("id", f"a-{words}" if used[words] == 1 else f"a-{words}--{used[words]}")


def _settle_cell(token: Token) -> None:
    """Alignment by a class of ours instead of a style, which the pages refuse."""
    if token.type == "table_open":
        token.attrSet("class", "tab")
    if token.type in ("td_open", "th_open") and "right" in str(token.attrs.pop("style", "")):
        token.attrSet("class", "num")


def _settle_inline(token: Token, links: set[str], pictures: set[int]) -> None:
    if token.type == "link_open":
        _settle_link(token, links)
    elif token.type == "image":
        _settle_image(token, pictures)


def _settle_link(token: Token, links: set[str]) -> None:
    address = str(token.attrs.get("href", ""))
    article = _ARTICLE.fullmatch(address)
    if article:
        links.add(article[1])
    elif address.lower().startswith("http"):
        token.attrSet("rel", _REL)


def _settle_image(token: Token, pictures: set[int]) -> None:
    """Our own pictures load when they come into sight; of others the words stay."""
    picture = _PICTURE.fullmatch(str(token.attrs.get("src", "")))
    if picture is None:
        token.type, token.tag, token.content = "text", "", _inline_text(token)
        return
    pictures.add(int(picture[1]))
    token.attrSet("src", f"/kb/pictures/{picture[1]}")
    token.attrSet("loading", "lazy")


def _opening_words(tokens: Sequence[Token]) -> str:
    """The first paragraph or item; the first heading where there is nothing else."""
    found = [
        (before.type == "heading_open", _inline_text(token))
        for before, token in zip(tokens, tokens[1:], strict=False)
        if token.type == "inline"
    ]
    spoken = (words for is_heading, words in sorted(found, key=lambda f: f[0]) if words.strip())
    return next(spoken, "")


def _first_sentence(text: str) -> str:
    sentence = _SENTENCE.match(text[:4000])
    return shorten(sentence.group() if sentence else text[:4000], MAX_EXCERPT)


def _plain(tokens: Sequence[Token]) -> str:
    """A line a block, without markup."""
    parts: list[str] = []
    for token in tokens:
        if token.type == "inline":
            parts.append(_inline_text(token))
        elif token.type in ("fence", "code_block"):
            parts.append(f"{token.content}\n")
        elif token.type in ("td_close", "th_close"):
            parts.append(" ")
        elif token.type in _BLOCKS:
            parts.append("\n")
    return re.sub(r"\s*\n\s*", "\n", "".join(parts)).strip()


def _inline_text(token: Token) -> str:
    return "".join(_words(token.children or ()))


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            yield " "
        elif token.type == "image":
            yield _inline_text(token)
        else:
            yield (
                clean_line(token.content, limit=MAX_BODY) if token.tag == "code" else token.content
            )


_OPTIONS = {"html": False, "linkify": False, "typographer": False, "maxNesting": _NESTING}
_PARSER = _Parser("commonmark", _OPTIONS).enable(["table", "strikethrough"])
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS.split()),
    attributes={
        "a": {"href", "title", "rel"},
        "img": {"src", "alt", "title", "loading"},
        "ol": {"start"},
        **{f"h{n}": {"id"} for n in range(2, 7)},
    },
    allowed_classes={"table": {"tab"}, "td": {"num"}, "th": {"num"}},
    link_rel=None,
    url_schemes=_SCHEMES | {"article"},
    url_relative="pass_through",
)
