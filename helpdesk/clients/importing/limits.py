"""How large files of an import may be, and the error that says so."""

from helpdesk.lib.errors import HelpdeskError

MAX_COLUMNS = 200
MAX_ROWS = 1_048_576  # as many as a sheet has
CELL_LIMIT = 32_767  # characters, as many as a cell of a spreadsheet holds
BROKEN = "\0"  # begins a cell that has no value that could be read; what is wrong follows
LONG = f"{BROKEN}long"  # stands for a text that is too long
FORMULA = f"{BROKEN}formula"  # stands for a formula without its result
UNREADABLE = "\ufffd"  # stands in such a cell for octets that are no character


class BadFile(HelpdeskError):
    """A file that cannot be read as a table; the sentence says what to do."""
