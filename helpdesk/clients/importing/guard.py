"""Formulas must not run from a CSV file: cells that begin like one get an apostrophe, and lose it.

OWASP, CSV injection. What looks like a guarded cell is guarded as well, so that reading gives
back exactly what was written.
"""

import re

_FORMULA = re.compile(r"'*[\s\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\u2212]|'*[\t\r\n]")


def guarded(cell: str) -> str:
    """The cell as it may stand in a CSV file."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell, 1) else cell
