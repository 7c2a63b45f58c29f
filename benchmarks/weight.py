"""What a browser loads with a page, counted as it comes over HTTP: heads and compressed bodies.

Style sheets, scripts with what they import, signs, the icon, pictures, and the fonts that the
page's letters need by their `unicode-range`, as browsers choose them.
"""

import gzip
import http.client
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin

_LINKS = re.compile(
    r'<link\b[^>]*\brel="(?:stylesheet|icon|preload|modulepreload)"[^>]*\bhref="([^"]+)"'
    r'|<link\b[^>]*\bhref="([^"]+)"[^>]*\brel="(?:stylesheet|icon|preload|modulepreload)"'
    r'|<(?:script|img)\b[^>]*\bsrc="([^"]+)"|<use\b[^>]*\bhref="([^"#]+)'
)
_IMPORTS = re.compile(rb"""\bimport\s*(?:[\w{},*\s]+\bfrom\s*)?["']([^"']+)["']""")
_FACES = re.compile(rb"@font-face\s*{([^}]*)}")
_URL = re.compile(rb'url\(["\']?([^)"\']+)')
_RANGE = re.compile(rb"U\+([0-9A-F]+)(?:-([0-9A-F]+))?")
_UNSEEN = re.compile(r"<(script|style|template)\b.*?</\1>|<head>.*?</head>|<[^>]+>", re.S)


class NotFound(Exception):
    """A page or a part of it was not answered with 200."""


@dataclass(frozen=True)
class Weight:
    """Octets: of the page alone, and by address of all that comes with it the first time."""

    page: int
    parts: Mapping[str, int]

    @property
    def first(self) -> int:
        return self.page + sum(self.parts.values())


def of_page(connection: http.client.HTTPConnection, path: str, header: Mapping[str, str]) -> Weight:
    """Load a page and its parts. Raises NotFound."""
    size, body = _get(connection, path, header)
    html = body.decode()
    letters = frozenset(unescape(_UNSEEN.sub(" ", html)))
    waiting = [unescape(next(filter(None, match.groups()))) for match in _LINKS.finditer(html)]
    parts: dict[str, int] = {}
    while waiting:
        address = urljoin(path, waiting.pop())
        if address in parts:
            continue
        parts[address], content = _get(connection, address, header)
        waiting += [urljoin(address, found) for found in _named(content, letters)]
    return Weight(size, parts)


def _named(content: bytes, letters: frozenset[str]) -> Iterator[str]:
    """What a style sheet or script loads in its turn."""
    for face in _FACES.findall(content):
        if _needed(face, letters):
            yield _URL.findall(face)[0].decode()
    if not content.startswith(b"wOF2"):
        yield from (found.decode() for found in _IMPORTS.findall(content))


def _needed(face: bytes, letters: frozenset[str]) -> bool:
    ranges = [(int(low, 16), int(high or low, 16)) for low, high in _RANGE.findall(face)]
    return not ranges or any(low <= ord(one) <= high for one in letters for low, high in ranges)


def _get(
    connection: http.client.HTTPConnection, path: str, header: Mapping[str, str]
) -> tuple[int, bytes]:
    """Octets on the wire, head and body, and the body itself."""
    connection.request("GET", path, headers=dict(header))
    response = connection.getresponse()
    raw = response.read()
    if response.status != 200:
        raise NotFound(f"{path} answered {response.status}")
    head = sum(len(name) + len(value) + 4 for name, value in response.getheaders()) + 17
    packed = response.getheader("Content-Encoding") == "gzip"
    return head + len(raw), gzip.decompress(raw) if packed else raw
