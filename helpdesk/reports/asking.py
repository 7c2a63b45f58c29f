"""What an address asks of a report: its period, its filters, its options, and by whose rights."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from zoneinfo import ZoneInfo

from helpdesk.accounts.models import User
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_line
from helpdesk.reports import filters, period
from helpdesk.reports.filters import Filters
from helpdesk.reports.scope import scope_of
from helpdesk.reports.sheet import Ask

LONGEST = 200  # characters of an option's value
PERIOD = ("from", "to", "period")
FILTERS = tuple(field.name for field in fields(Filters))


def _plain(text: str) -> str:
    """One visible line, too long where it was too long."""
    return clean_line(text, LONGEST + 1)


def asked(
    args: Mapping[str, str],
    *,
    user: User,
    queue_ids: frozenset[int] | None,
    zone: ZoneInfo,
    at: datetime,
    language: str,
) -> Ask:
    """What these arguments of an address ask, by the rights of `user` (`queue_ids`: the queues open
    to them, None: all). What is neither period nor filter is an option of the report.

    Raises HelpdeskError for a value that can't be meant, with the argument as its `field`, and
    NotFound for a queue that isn't open to them.
    """
    plain = {_plain(name): _plain(value) for name, value in args.items()}
    for name, value in plain.items():
        if len(value) > LONGEST or len(name) > LONGEST:
            raise HelpdeskError(_lazy("“%(name)s” is too long."), field=name[:40], name=name[:40])
    options = {name: value for name, value in plain.items() if name not in (*PERIOD, *FILTERS)}
    narrowed = filters.read(plain)
    scope = scope_of(user, queue_ids)
    if narrowed.queue and scope.queue_ids is not None and narrowed.queue not in scope.queue_ids:
        raise NotFound()
    return Ask(
        period=period.read(plain, zone=zone, at=at),
        filters=narrowed,
        scope=scope,
        at=at,
        language=language,
        args={name: value for name, value in options.items() if value},
    )
