"""HTML from outside: made safe to show, turned into readable text; and text turned into HTML.

Parsing is left to nh3 (html5ever), so what is read is what a browser would read. Its cost grows
with the square of nesting, open formatting elements and attributes, so a linear look at the tags
refuses such input first; refused input is still shown, as text.
"""

import re
from html import escape, unescape
from urllib.parse import unquote

import nh3

from helpdesk.lib.htmlscan import hidden, names, pieces, too_costly
from helpdesk.lib.htmltext import Renderer
from helpdesk.lib.text import clean, clean_line

MAX_CHARACTERS = 1_000_000
"""Longer HTML is shown as text."""

_REL = "noopener noreferrer nofollow"
_TAGS = names(
    "a abbr address article b bdi blockquote br caption center cite code col colgroup dd del "
    "details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p "
    "pre q s samp section small span strike strong sub summary sup table tbody td tfoot th thead "
    "time tr tt u ul var wbr"
)
_DROPPED = names(
    "applet audio canvas embed frame frameset iframe math noembed noframes noscript object script "
    "select style svg template textarea title video xmp"
)
_CELL = {"colspan", "rowspan", "align", "valign"}
_CONTACT = {"http", "https", "mailto", "tel"}
_NUMBERS = frozenset({"colspan", "rowspan", "width", "height", "start"})
_ALIGNMENTS = names("left right center justify top middle bottom baseline")
_VOID = frozenset({"br", "hr", "img", "wbr", "col"})
_INLINE_DATA = re.compile(r"data:image/[^\"'\s>]{1000,}", re.I)
_URL_NOISE = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_COMMENT_OR_RAW = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|title)\b.*?(?:</\1\s*>|\Z)", re.I | re.S
)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^<>]*+>", re.I)
_ANY_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*+>")
_LINK = re.compile(r"https?://[^\s<>\"'`\x00-\x20\u2028-\u202e\u2066-\u2069]{3,2000}", re.I)
_PARAGRAPH = re.compile(r"\n[ \t]*\n[\s]*")


def _filter(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        value = _URL_NOISE.sub("", value)
        return value if value.partition(":")[0].lower() in _CONTACT else None
    if name in _NUMBERS:
        return value if value.isascii() and value.isdigit() and len(value) <= 4 else None
    if name in ("align", "valign"):
        return value if value.lower() in _ALIGNMENTS else None
    if name == "dir":
        return value if value.lower() in ("ltr", "rtl", "auto") else None
    return value


_SHOWN = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags=set(_DROPPED),
    attributes={
        "*": {"dir", "lang", "hidden", "style"},
        "a": {"href", "title"},
        "img": {"src", "alt", "width", "height", "title"},
        "td": _CELL,
        "th": _CELL,
        "tr": {"align", "valign"},
        "p": {"align"},
        "div": {"align"},
        "ol": {"start"},
    },
    attribute_filter=_filter,
    link_rel=_REL,
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes=_CONTACT | {"cid"},
    url_relative="deny",
    filter_style_properties={"display", "visibility"},
)
_READ = nh3.Cleaner(
    tags=set(_TAGS | names("footer form header main nav aside fieldset")),
    clean_content_tags=set(_DROPPED),
    attributes={"*": {"id", "class", "hidden", "style"}, "a": {"href"}, "img": {"alt"}}
    | {"ol": {"start"}},
    link_rel=None,
    url_schemes=_CONTACT,
    url_relative="deny",
    filter_style_properties={"display", "visibility"},
)


def sanitize(html: str) -> str:
    """HTML safe to put into a page: allowed tags and attributes only, well formed, no style.

    Links open apart and lead to http, https, mailto or tel. Nothing loads by itself: an image of
    the message becomes `<img data-cid="content id">`, a remote one `<img data-src="address">`,
    any other only its alternative text. What the sender hid (display: none, visibility: hidden) is
    left out. HTML that is too long (`MAX_CHARACTERS`) or too deeply nested to parse cheaply comes
    back as text.
    """
    source = _prepared(html)
    if source is None:
        return text_to_html(_rough_text(html))
    return _finished(_SHOWN.clean(source))


def to_text(html: str) -> str:
    """Readable plain text: a line per block, "- " lists, rows with " | ", links as "text (url)",
    quotations (blockquote, the reply blocks of Gmail, Yahoo, Outlook) behind "> ".
    """
    source = _prepared(html)
    if source is None:
        return _rough_text(html)
    renderer = Renderer()
    renderer.feed(_READ.clean(source))
    return clean(renderer.text())


def text_to_html(text: str) -> str:
    """Plain text as HTML: escaped, a paragraph per blank line, line breaks kept, http(s) addresses
    made links. The empty text gives the empty string.
    """
    blocks = _PARAGRAPH.split(clean(text).strip("\n"))
    return "\n".join(f"<p>{_linked(block)}</p>" for block in blocks if block.strip())


def _prepared(html: str) -> str | None:
    """What nh3 may read, or None when that could take long."""
    source = _INLINE_DATA.sub("data:,", clean(html))
    return None if len(source) > MAX_CHARACTERS or too_costly(source) else source


def _finished(cleaned: str) -> str:
    """Second pass over nh3's own output: hidden parts out, images disarmed."""
    if not any(mark in cleaned for mark in ("<img", ' style="', ' hidden="')):
        return cleaned
    parts: list[str] = []
    skip = 0
    for piece in pieces(cleaned):
        if isinstance(piece, str):
            if not skip:
                parts.append(escape(piece, quote=False))
            continue
        is_end, name, attributes = piece
        if skip or (not is_end and hidden(attributes)):
            skip += 0 if name in _VOID else -1 if is_end else 1
        elif is_end:
            parts.append(f"</{name}>")
        else:
            parts.append(_image(attributes) if name == "img" else _tag(name, attributes))
    return "".join(parts)


def _image(attributes: dict[str, str]) -> str:
    source = attributes.pop("src", "")
    scheme, _, rest = source.partition(":")
    size = {attributes.get("width"), attributes.get("height")}
    if scheme.lower() == "cid":
        attributes["data-cid"] = clean_line(unquote(rest), limit=300).strip("<>")
    elif scheme.lower() in ("http", "https") and not size <= {"0", "1"}:
        attributes["data-src"] = _URL_NOISE.sub("", source)
    elif not attributes.get("alt"):
        return ""
    return _tag("img", attributes)


def _tag(name: str, attributes: dict[str, str]) -> str:
    kept = [f' {n}="{escape(v)}"' for n, v in attributes.items() if n not in ("style", "hidden")]
    return f"<{name}{''.join(kept)}>"


def _rough_text(html: str) -> str:
    """Text of HTML that isn't parsed: tags cut out one by one, in linear time."""
    text = _COMMENT_OR_RAW.sub(" ", clean(html))
    text = _ANY_TAG.sub("", _BREAK.sub("\n", text))
    return clean(re.sub(r"\s*\n\s*", "\n", re.sub(r"[ \t\xa0]+", " ", unescape(text)))).strip()


def _linked(text: str) -> str:
    parts: list[str] = []
    position = 0
    for match in _LINK.finditer(text):
        url = _trimmed(match.group())
        parts.append(_escaped(text[position : match.start()]))
        parts.append(f'<a href="{escape(url)}" target="_blank" rel="{_REL}">{escape(url)}</a>')
        position = match.start() + len(url)
    parts.append(_escaped(text[position:]))
    return "".join(parts)


def _trimmed(url: str) -> str:
    """Without the punctuation of the sentence around it; a bracket stays if opened inside."""
    while url and (
        url[-1] in ".,;:!?*…»”’" or (url[-1] in ")]}" and url.count(url[-1]) > _openers(url))
    ):
        url = url[:-1]
    return url


def _openers(url: str) -> int:
    return url.count({")": "(", "]": "[", "}": "{"}[url[-1]])


def _escaped(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")
