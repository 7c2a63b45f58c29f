"""The wire to the offline twin: who may use it, and its refusals in words for a person."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import current_app

from helpdesk.calls.carriers import provider
from helpdesk.calls.models import Provider
from helpdesk.calls.providers.port import CarrierError
from helpdesk.calls.providers.twin.account import account
from helpdesk.calls.providers.twin.remote import Remote
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.web.guard import may

T = TypeVar("T")
State = dict[str, Any]

AWAY = _lazy(
    "The simulated telephone company does not answer. It runs beside the pages: start the "
    "product with “helpdesk run”, or wait a moment if it is just starting."
)
LINES = 25  # of the log that a page shows


def offered() -> bool:
    """Whether this reader has a simulator: administrators, on demo data all staff; nobody where
    calls are real."""
    if provider() != Provider.TWIN:
        return False
    return may("setting.change") or (bool(current_app.config["DEMO"]) and may("desk.use"))


def where_offered(view: Callable[[], T]) -> Callable[[], T]:
    """The page is not there for those who have no simulator; write it under `needs`."""

    @wraps(view)
    def guarded() -> T:
        if not offered():
            raise NotFound()
        return view()

    return guarded


def ask(what: Callable[[Remote], T]) -> T:
    """Ask the twin. Raises Conflict for what makes no sense now or while the twin is away."""
    config = current_app.config
    if not config["TWIN_URL"]:
        raise Conflict(AWAY)
    try:
        return what(Remote(config["TWIN_URL"], account(config["SECRET_KEY"])))
    except CarrierError as error:
        raise _refused(error) from error


def state(last: int | None = None) -> State:
    """The twin's state with the last lines of its log; `last`: a line that is known already."""
    known = last if last is not None else int(ask(lambda twin: twin.state(1 << 40))["last"])
    return ask(lambda twin: twin.state(max(0, known - LINES)))


def _refused(error: CarrierError) -> HelpdeskError:
    if error.unknown:
        return Conflict(AWAY)
    if error.code == 404:
        return Conflict(_lazy("This call is over. Call again."))
    if error.code == 409:
        return Conflict(_lazy("This telephone can’t do that now: look at its state."))
    return HelpdeskError(
        _lazy("The simulated telephone company refused: %(words)s"), words=str(error)
    )
