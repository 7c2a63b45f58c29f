"""Which row of a table holds its headers, and what its columns are called."""

from collections.abc import Sequence
from dataclasses import dataclass

from helpdesk.clients.importing.limits import MAX_COLUMNS, BadFile
from helpdesk.lib.errors import _lazy
from helpdesk.lib.text import clean_line

HEADER_LIMIT = 80
LOOK = 20  # rows in which the headers are looked for


@dataclass(frozen=True)
class Row:
    """One line of the table. `number` counts as spreadsheets do: the first line is 1.

    `total`: how it looks like a sum of the rows above it (`totals.py`), "" where it does not.
    """

    number: int
    cells: Sequence[str]
    total: str = ""


def header_row(rows: Sequence[Row]) -> Row | None:
    """The row of the headers among the first ones of a file; None where all are empty.

    The first one that is not empty, unless it is plainly a title: far fewer cells than the table
    has, and below it a row of as many different short texts.
    """
    filled = list(filter(is_filled, rows))
    if not filled:
        return None
    width = max(_filled(row) for row in filled)
    wide = [row for row in filled if 3 * _filled(row) >= 2 * width]
    if wide[0] is filled[0]:
        return wide[0]
    return next(filter(_names_columns, wide), filled[0])


def named(cells: Sequence[str]) -> list[str]:
    """One name for each column: empty ones get a number, so do repeated ones. Raises BadFile."""
    cells = list(cells)
    while cells and not cells[-1].strip():
        cells.pop()
    if len(cells) > MAX_COLUMNS:
        message = _lazy("The file has %(count)s columns, at most %(most)s are read.")
        raise BadFile(message, count=len(cells), most=MAX_COLUMNS)
    found: dict[str, None] = {}
    for place, cell in enumerate(cells, 1):
        name = clean_line(cell.replace("\0", ""), HEADER_LIMIT) or f"#{place}"
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name} ({number})"
        found[unique] = None
    return list(found)


def is_filled(row: Row) -> bool:
    """Whether any cell holds more than white space."""
    return any(cell.strip() for cell in row.cells)


def _filled(row: Row) -> int:
    return sum(bool(cell.strip()) for cell in row.cells)


def _names_columns(row: Row) -> bool:
    cells = [cell.strip() for cell in row.cells if cell.strip()]
    return len(cells) > 1 and len(set(cells)) == len(cells) and all(map(_is_name, cells))


def _is_name(cell: str) -> bool:
    digits, letters = sum(map(str.isdigit, cell)), sum(map(str.isalpha, cell))
    return len(cell) <= HEADER_LIMIT and "@" not in cell and digits <= letters
