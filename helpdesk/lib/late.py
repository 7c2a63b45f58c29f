"""Large libraries that few processes ever need: loaded at first use, not by all at the start.

Reading and writing workbooks and the holidays of all countries were 9 MB of every installation's
memory, Alembic and its dialects 9 MB more. Everything else is imported where it is used, at the top
of the file.
"""

from functools import cache
from importlib import import_module
from typing import Any


@cache
def library(name: str) -> Any:
    """The module of this name. Raises ImportError if it is not installed."""
    return import_module(name)
