"""Logs: every line one JSON object with ids only; never bodies, secrets or addresses."""

import logging
import sys
import traceback
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

Fields = MutableMapping[str, Any]
ErrorInfo = tuple[type[BaseException], BaseException, TracebackType | None]

# What these libraries say repeats what we log, or names people.
QUIET = ("uvicorn", "alembic", "apscheduler", "mail.log", "asyncio", "sqlalchemy", "imapclient")


def configure(stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (standard error).

    At a terminal only warnings are shown: the person there reads the greeting, not requests.
    """
    stream = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _error_without_values,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING if stream.isatty() else logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _logger_name(_logger: object, _method: str, fields: Fields) -> Fields:
    """Lines of libraries: where they come from. Their arguments may hold values: left out."""
    record = fields.get("_record")
    if isinstance(record, logging.LogRecord):
        fields["logger"] = record.name
        if not record.name.startswith("helpdesk"):
            fields["event"] = str(record.msg)[:200]
    return fields


def _error_without_values(_logger: object, _method: str, fields: Fields) -> Fields:
    """The type of an error and where it arose; its message may quote a person's data."""
    info = _error(fields.pop("exc_info", None))
    fields.pop("exc_text", None)
    if info is not None:
        fields["error"] = info[0].__name__
        fields["at"] = list(_places(info))
    return fields


def _error(given: Any) -> ErrorInfo | None:
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    if isinstance(given, tuple):
        return given if given[0] is not None else None
    found = sys.exc_info() if given else (None, None, None)
    return found if found[0] is not None else None


def _places(info: ErrorInfo, most: int = 12) -> Iterable[str]:
    for frame in traceback.extract_tb(info[2])[-most:]:
        yield f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}"
