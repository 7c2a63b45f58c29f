"""Cleaned HTML as readable plain text: blocks, lists, rows, links, quotations."""

import re

from helpdesk.lib.htmlscan import hidden, names, pieces

_BLOCKS = names(
    "address article blockquote caption center dd details div dl dt figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody tfoot thead tr "
    "ul aside fieldset"
)
_SPACED = names("p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre hr figure")
_VOID = frozenset({"br", "hr", "img", "wbr", "col"})
_QUOTE_CLASSES = frozenset({"gmail_quote", "yahoo_quoted", "protonmail_quote", "tutanota_quote"})
_REPLY_HEADERS = frozenset({"divRplyFwdMsg", "x_divRplyFwdMsg"})
_MAX_QUOTES = 8
_MAX_INDENT = 6
_MAX_URL = 500
_SPACE = re.compile(r"[ \t\n\r\f\v\xa0]+")
_FILLERS = re.compile("[\xad\u034f\u200b\u200c\u2007\u2060\ufeff]+")
_LINK = re.compile(r"(?:https?://|mailto:|tel:)", re.I)


class _Element:
    """What has to be undone when the element ends."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.quotes = 0
        self.wraps_quote = False
        self.number: int | None = None
        self.href = ""
        self.label_start = 0


class Renderer:
    """Turns the tokens into lines; `text()` gives the result. One use each."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._space = False
        self._gap = False
        self._pre = 0
        self._bare_bullet = False
        self._quotes = 0
        self._last_quotes = 0
        self._skip = 0
        self._stack: list[_Element] = [_Element("")]
        self._lists: list[_Element] = []

    def feed(self, cleaned: str) -> None:
        """Read HTML that nh3 wrote."""
        for piece in pieces(cleaned):
            if isinstance(piece, str):
                if not self._skip:
                    self._text(piece)
            elif piece[0]:
                self._end(piece[1])
            else:
                self._start(piece[1], piece[2])

    def text(self) -> str:
        """The lines so far."""
        self._break()
        return "\n".join(self._lines).strip("\n")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._skip or hidden(attributes):
            self._skip += name not in _VOID
            return
        if name in _VOID:
            self._void(name, attributes)
            return
        self._boundary(name)
        element = _Element(name)
        self._stack.append(element)
        self._quote(element, attributes)
        if name in ("ul", "ol"):
            element.number = _number(attributes) if name == "ol" else None
            self._lists.append(element)
        elif name == "li":
            self._bullet()
        elif name in ("td", "th") and self._line:
            self._put(" | ")
        elif name == "pre":
            self._pre += 1
        elif name == "a":
            element.href = attributes.get("href", "")
            element.label_start = len(self._line)

    def _end(self, name: str) -> None:
        if self._skip:
            self._skip -= 1
            return
        element = self._stack.pop()
        if name == "a":
            self._close_link(element)
        self._boundary(name)
        self._quotes -= element.quotes
        if name in ("ul", "ol"):
            self._lists.pop()
        elif name == "li":
            self._bare_bullet = False
        elif name == "pre":
            self._pre -= 1

    def _void(self, name: str, attributes: dict[str, str]) -> None:
        if name == "br":
            self._break(force=True)
        elif name == "img" and attributes.get("alt", "").strip():
            self._text(f"[{attributes['alt'].strip()}]")
        else:
            self._boundary(name)

    def _boundary(self, name: str) -> None:
        if name in _BLOCKS:
            self._break()
            self._gap = self._gap or name in _SPACED and not self._lists

    def _quote(self, element: _Element, attributes: dict[str, str]) -> None:
        """One level for a quotation and its wrapper together; Outlook's header marks only where the
        quotation begins: it ends with the parent.
        """
        parent = self._stack[-2]
        if attributes.get("id") in _REPLY_HEADERS:
            self._break()
            parent.quotes += 1
            self._quotes += 1
            return
        wrapper = element.name == "div" and not _QUOTE_CLASSES.isdisjoint(
            attributes.get("class", "").split()
        )
        if (wrapper or element.name == "blockquote") and not parent.wraps_quote:
            self._break()
            element.quotes = 1
            self._quotes += 1
        element.wraps_quote = wrapper

    def _bullet(self) -> None:
        indent = "  " * min(len(self._lists) - 1, _MAX_INDENT)
        owner = self._lists[-1] if self._lists else None
        self._line.clear()
        self._flush_gap()
        self._bare_bullet = True
        if owner and owner.number is not None:
            self._line.append(f"{indent}{owner.number}. ")
            owner.number += 1
        else:
            self._line.append(f"{indent}- ")

    def _close_link(self, element: _Element) -> None:
        href = _SPACE.sub("", element.href)
        label = "".join(self._line[element.label_start :]).strip()
        if not label or not _LINK.match(href) or len(href) > _MAX_URL:
            return
        if _plain_url(href) != _plain_url(label):
            self._put(f" ({href.partition(':')[2] if _is_contact(href) else href})")

    def _text(self, text: str) -> None:
        text = _FILLERS.sub("", text)
        if self._pre:
            first, *rest = text.split("\n")
            self._put(first)
            for line in rest:
                self._break(force=True)
                self._put(line)
            return
        folded = _SPACE.sub(" ", text)
        words = folded.strip(" ")
        if words:
            self._put((" " if self._space or folded[0] == " " else "") + words)
        self._space = folded.endswith(" ") if words else self._space or bool(folded)

    def _put(self, text: str) -> None:
        if not self._pre and (not self._line or self._line[-1].endswith(" ")):
            text = text.lstrip(" ")
        if text:
            self._flush_gap()
            self._line.append(text)
            self._bare_bullet = False
        self._space = False

    def _flush_gap(self) -> None:
        if self._gap and self._lines and self._lines[-1].strip("> "):
            self._lines.append(_prefix(min(self._quotes, self._last_quotes)).rstrip())
        self._gap = False

    def _break(self, force: bool = False) -> None:
        self._space = False
        if self._bare_bullet and not force:
            return
        self._bare_bullet = False
        line = "".join(self._line).rstrip()
        if line or force:
            self._flush_gap()
            self._lines.append((_prefix(self._quotes) + line).rstrip())
            self._last_quotes = self._quotes
        self._line.clear()


def _number(attributes: dict[str, str]) -> int:
    start = attributes.get("start", "1")
    return int(start) if start.isascii() and start.isdigit() and len(start) < 5 else 1


def _prefix(quotes: int) -> str:
    return "> " * min(quotes, _MAX_QUOTES)


def _is_contact(href: str) -> bool:
    return href[:4].lower() == "tel:" or href[:7].lower() == "mailto:"


def _plain_url(s: str) -> str:
    s = _SPACE.sub("", s).lower()
    s = re.sub(r"^(?:https?://|mailto:|tel:)(?:www\.)?", "", s)
    return s.removeprefix("www.").rstrip("/")
