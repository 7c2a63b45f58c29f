"""Rows below a table that add it up: "Total", which is no client."""

import re
from collections.abc import Sequence

from helpdesk.clients.importing.limits import BROKEN
from helpdesk.lib.text import fold

LAST = 5  # rows of a file among which such a row is looked for
SUM, LIKE_SUM = "sum", "like"
_WORDS: tuple[str, ...] = ("total", "totals", "grand total", "subtotal", "sum")
_WORDS += ("итого", "всего", "сумма", "общий итог", "итог")
_WORDS += ("разом", "усього", "всього", "сума", "загалом", "підсумок")
_LABELS = frozenset(map(fold, _WORDS))
_NUMBER = re.compile(r"[-+−]?[\d\s.,'’]*\d\D{0,4}|[-–—]")


def total_of(cells: Sequence[str]) -> str:
    """SUM for a label and numbers alone, LIKE_SUM for words that begin so, "" for other rows."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled or not all(map(_is_number, filled[1:])):
        return ""
    words = fold(filled[0]).strip(" .:=").split()
    if " ".join(words) in _LABELS:
        return SUM
    return LIKE_SUM if words and words[0].strip(":") in _LABELS else ""


def _is_number(cell: str) -> bool:
    return cell.startswith(BROKEN) or _NUMBER.fullmatch(cell) is not None
