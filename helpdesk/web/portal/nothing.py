"""An address that leads nowhere: what its words may have meant, and the same in other languages."""

import re
from urllib.parse import unquote

from flask import Response, current_app, g, render_template

from helpdesk.ext import LANGUAGES
from helpdesk.kb.search import Hit, search
from helpdesk.web.guard import reading
from helpdesk.web.portal.language import stands_at

MOST = 5
LONGEST = 120  # characters of an address that are looked for
_APART = re.compile(r"[^\w]+")


def page(address: str) -> Response:
    """404 with the articles that the words of the address may have meant."""
    words = words_of(address)
    hits = search(reading(), words, lang=g.language, limit=MOST).items if words else []
    return answer(words, hits)


def answer(words: str, hits: list[Hit]) -> Response:
    stands_at({}, beside={code: f"/{code}/" for code in LANGUAGES})
    text = render_template("portal/nothing.html", query=words, hits=hits)
    return current_app.make_response((text, 404))


def words_of(address: str) -> str:
    """What a person may have meant by a path: its words, without endings of files."""
    last = re.sub(r"\.(html?|php|aspx?)$", "", unquote(address)[-LONGEST:], flags=re.I)
    return " ".join(word for word in _APART.split(last) if len(word) > 1)
