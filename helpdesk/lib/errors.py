"""Errors with a sentence for a person; the entry point translates and shows them.

A message is an English msgid with %(name)s places, so that gettext can find it: mark it
with `_lazy` at the place where it is written.
"""

from typing import Any


def _lazy(message: str) -> str:
    """Mark a message for the translators without translating it yet."""
    return message


class HelpdeskError(Exception):
    """Base of all errors that a user may read.

    `message` is a msgid, `params` fill its places, `field` names the input that is wrong.
    """

    status = 400

    def __init__(self, message: str, *, field: str | None = None, **params: Any) -> None:
        self.message = message
        self.field = field
        self.params = params
        super().__init__(message % params if params else message)


class NotFound(HelpdeskError):
    """The thing isn't there, or isn't for this user: both look the same."""

    status = 404

    def __init__(self, message: str = _lazy("Not found."), **params: Any) -> None:
        super().__init__(message, **params)


class Conflict(HelpdeskError):
    """Someone else changed the thing in between, or it was already done differently."""

    status = 409


class TooMany(HelpdeskError):
    """A limit was reached; try again after `retry_after` seconds."""

    status = 429

    def __init__(self, message: str, *, retry_after: int, **params: Any) -> None:
        super().__init__(message, **params)
        self.retry_after = retry_after
