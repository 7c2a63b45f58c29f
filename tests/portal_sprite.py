"""The signs of customers' pages: which of them the pages use, cut out of the sheet of all signs.

`python -m tests.portal_sprite` writes static/portal.svg anew after a page has taken one more.
"""

import re
from pathlib import Path

from helpdesk.demo.knowledge import CATEGORIES
from helpdesk.kb.categories import ICON
from helpdesk.web.desk.thread import icon_of

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "static" / "portal.svg"
# Signs that code names: states of a request, files of a message, topics.
STATES = ("st-new", "st-open", "ck-met", "alert-circle", "check")
FILES = ("image/png", "application/pdf", "application/zip", "text/plain", "message/rfc822")
TOPICS = (ICON, *(icon for icon, *_names in CATEGORIES.values()))
_SYMBOL = re.compile(r'<symbol id="([^"]+)".*?</symbol>', re.S)
_WORD = re.compile(r"[\"'#]([a-z][a-z0-9-]+)\b")


def used() -> set[str]:
    """The names of all signs that customers' pages can show."""
    known = set(_symbols())
    found = {*STATES, *TOPICS, *map(icon_of, FILES)}
    for path in (ROOT / "templates" / "portal").rglob("*.html"):
        text = path.read_text("utf-8")
        found |= set(_WORD.findall(text)) & known
    return found


def made() -> str:
    """The sheet as it must be."""
    wanted = used()
    signs = "\n".join(text for name, text in _symbols().items() if name in wanted)
    head = "<!-- From sprite.svg by python -m tests.portal_sprite; Tabler Icons (MIT). -->"
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{head}\n{signs}\n</svg>\n'


def _symbols() -> dict[str, str]:
    sheet = (ROOT / "static" / "sprite.svg").read_text("utf-8")
    return {found[1]: found[0] for found in _SYMBOL.finditer(sheet)}


if __name__ == "__main__":
    TARGET.write_text(made(), "utf-8")
