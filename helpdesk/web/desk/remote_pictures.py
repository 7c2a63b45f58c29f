"""Pictures that an email wants from elsewhere: fetched by us, on request, into the page itself."""

import base64
import re
from concurrent.futures import ThreadPoolExecutor, wait
from html import unescape

from helpdesk.lib import fetch

MOST = 30  # of one email
AT_ONCE = 6
EACH, ALL = 5_000_000, 12_000_000  # octets
SECONDS = 6.0
_REMOTE = re.compile(r'<img([^<>]*?) data-src="([^"]*)"')


def addresses(html: str) -> list[str]:
    """What sanitised HTML would load, each once, in order."""
    found = dict.fromkeys(unescape(match[2]) for match in _REMOTE.finditer(html))
    return list(found)[:MOST]


def with_remote(html: str) -> str:
    """The same with its remote pictures inside; what can't be fetched shows its words."""
    loaded = _load(addresses(html))
    left = ALL

    def place(match: re.Match[str]) -> str:
        nonlocal left
        found = loaded.get(unescape(match[2]))
        if found is None or len(found[1]) > left:
            return match[0]
        left -= len(found[1])
        data = base64.b64encode(found[1]).decode("ascii")
        return f'<img{match[1]} src="data:{found[0]};base64,{data}"'

    return _REMOTE.sub(place, html)


def _load(urls: list[str]) -> dict[str, tuple[str, bytes]]:
    if not urls:
        return {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="picture") as pool:
        asked = {pool.submit(fetch.picture, url, limit=EACH, seconds=SECONDS): url for url in urls}
        done, late = wait(asked, timeout=2 * SECONDS)
        for one in late:
            one.cancel()
    return {asked[one]: one.result() for one in done if one.exception() is None}
