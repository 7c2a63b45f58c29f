"""Reading tags in linear time: is this HTML too costly to parse, and the tokens of cleaned HTML.

`too_costly` imitates the tokenizer of the HTML standard (WHATWG, 13.2.5) closely enough that a tag
can't be hidden from it, and counts what makes tree construction quadratic. Where it can't follow
(foreign content, select, plaintext) it says yes: emails have no use for those.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape


def names(words: str) -> frozenset[str]:
    """The words as a set of element or attribute names."""
    return frozenset(words.split())


_SMALL = 20_000
_MAX_DEPTH = 400
_MAX_TAG = 4_096
_MAX_FORMATTING_WORK = 1_000_000
_MAX_ENTITIES = 150_000

_UNREADABLE = re.compile(
    r"<(?:svg|math|select|template|frameset|plaintext|xmp|noembed|noframes|iframe)\b", re.I
)
_MARKUP = re.compile(
    r"""<(?:!--(?:-?>|.*?(?:--!?>|\Z))
        |[!?][^>]*+(?:>|\Z)
        |/[^a-zA-Z][^>]*+(?:>|\Z)
        |(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)
         (?P<attributes>(?>[\s/]++
            |[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>"'][^\s>]*+)?)?
         )*+)
         (?:>|\Z))""",
    re.X | re.S,
)
_QUOTED = re.compile("\"[^\"]*+(?:\"|$)|'[^']*+(?:'|$)")
_RAW = frozenset({"script", "style", "title", "textarea", "noscript"})
_VOID = names(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source "
    "track wbr image"
)
_SELF_CLOSING = names("li dd dt tr thead tbody tfoot colgroup option optgroup")
_CLOSES_P = names(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr li dd dt listing main menu nav ol p pre search "
    "section summary table ul"
)
_FORMATTING = names("a b big code em font i nobr s small strike strong tt u")
_FRAMES = names("table td th caption applet marquee object button")

_CELLS = ("td", "th", "caption")

_CLEAN_TAG = re.compile(r'<(/?)([a-z0-9]+)((?: [^\s=>"]+="[^"]*")*)>')
_CLEAN_ATTRIBUTE = re.compile(r' ([^\s=>"]+)="([^"]*)"')


@dataclass
class _Frame:
    """The open elements since the last table, cell or other border of scope."""

    name: str
    stack: list[str] = field(default_factory=list)
    open: Counter[str] = field(default_factory=Counter)
    formatting: Counter[str] = field(default_factory=Counter)


class _Scan:
    def __init__(self) -> None:
        self.frames = [_Frame("")]
        self.depth = 0
        self.formatting = 0
        self.work = 0

    def start(self, name: str) -> None:
        self.work += self.formatting
        if name in _CLOSES_P and self.frames[-1].open["p"]:
            self.end("p")
        if name in _VOID or name in _SELF_CLOSING:
            return
        if name in _CELLS and not any(frame.name == "table" for frame in self.frames):
            return
        self.depth += 1
        if name in _FRAMES:
            if name in _CELLS:
                self._leave(_CELLS, border="table")
            self.frames.append(_Frame(name))
            return
        frame = self.frames[-1]
        frame.stack.append(name)
        frame.open[name] += 1
        if name in _FORMATTING:
            frame.formatting[name] += 1
            self.formatting += 1

    def end(self, name: str) -> None:
        if name in _FRAMES:
            self._leave((name,), border="" if name == "table" else "table")
            return
        frame = self.frames[-1]
        if name in _FORMATTING and frame.formatting[name]:
            frame.formatting[name] -= 1
            self.formatting -= 1
        if frame.open[name]:
            last = ""
            while last != name:
                last = frame.stack.pop()
                frame.open[last] -= 1
                self.depth -= 1

    def _leave(self, names: tuple[str, ...], border: str) -> None:
        """Close the nearest frame of these names with all in it, unless a border is nearer."""
        for index in range(len(self.frames) - 1, 0, -1):
            if self.frames[index].name in names:
                self._drop(index)
                return
            if self.frames[index].name == border:
                return

    def _drop(self, index: int) -> None:
        """Leave these frames; formatting left open in a table goes on after it, but not that in a
        cell (the standard's list of active formatting elements has a marker there).
        """
        for frame in reversed(self.frames[index:]):
            self.depth -= len(frame.stack) + 1
            del self.frames[-1]
            if frame.name in ("table", "button"):
                self.frames[-1].formatting += frame.formatting
            else:
                self.formatting -= frame.formatting.total()


def too_costly(source: str) -> bool:
    """Whether parsing could take more than linear time: nesting over 400, thousands of attributes
    in a tag, formatting elements left open over thousands of others. Time is linear in the input.
    """
    if len(source) <= _SMALL:
        return False
    if _UNREADABLE.search(source) or source.count("&") > _MAX_ENTITIES:
        return True
    scan = _Scan()
    for name, is_end in _tags(source):
        if not name:
            return True
        if is_end:
            scan.end(name)
        else:
            scan.start(name)
        if scan.depth > _MAX_DEPTH or scan.work > _MAX_FORMATTING_WORK:
            return True
    return False


def _tags(source: str) -> Iterator[tuple[str, bool]]:
    """(name, is end tag) of each tag outside comments and raw text; ("", False) for one with too
    many attributes.
    """
    position = 0
    while match := _MARKUP.search(source, position):
        position = match.end()
        if match["name"] is None:
            continue
        attributes = match["attributes"]
        if len(attributes) > _MAX_TAG and len(_QUOTED.sub("", attributes)) > _MAX_TAG:
            yield "", False
        name = match["name"].lower()
        yield name, bool(match["end"])
        if name in _RAW and not match["end"]:
            closing = re.compile(rf"</{name}(?=[\s/>])", re.I).search(source, position)
            position = closing.start() if closing else len(source)


def pieces(cleaned: str) -> Iterator[str | tuple[bool, str, dict[str, str]]]:
    """The tokens of HTML that nh3 wrote: text (decoded), or (is end tag, name, attributes).

    Exact for such HTML only: there `<` begins a tag and attribute values are quoted and escaped.
    """
    position = 0
    for match in _CLEAN_TAG.finditer(cleaned):
        if match.start() > position:
            yield unescape(cleaned[position : match.start()])
        position = match.end()
        attributes = {name: unescape(value) for name, value in _CLEAN_ATTRIBUTE.findall(match[3])}
        yield bool(match[1]), match[2], attributes
    if position < len(cleaned):
        yield unescape(cleaned[position:])


_UNSEEN = ("display:none", "visibility:hidden")


def hidden(attributes: dict[str, str]) -> bool:
    """Whether the sender's own mark-up shows the element to nobody (previews, tracking text)."""
    style = attributes.get("style", "").replace(" ", "").lower()
    return "hidden" in attributes or any(mark in style for mark in _UNSEEN)
