"""What the lines of a client's timeline say, in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import format_datetime, get_locale, pgettext
from flask_babel import gettext as _

from helpdesk.lib.errors import _lazy
from helpdesk.lib.money import money
from helpdesk.tickets.models import NUMBER_OFFSET, Status

_TITLES: Mapping[str, str] = {
    "client.created": _lazy("The client was added"),
    "client.merged": _lazy("Another record was merged into this one"),
    "client.unmerged": _lazy("A merge was undone"),
    "contact_point.added": _lazy("An address or number was added"),
    "contact_point.bad": _lazy("An address was marked as bad: mail came back"),
    "contact_point.changed": _lazy("An address or number was changed"),
    "contact_point.removed": _lazy("An address or number was removed"),
    "contact_point.verified": _lazy("An address was verified"),
    "item.created": _lazy("A product of the client was added"),
    "item.changed": _lazy("A product of the client was changed"),
    "message.bounced": _lazy("The mail came back undelivered"),
    "person.created": _lazy("A contact person was added"),
    "person.removed": _lazy("A contact person was removed"),
}
_FIELDS: Mapping[str, str] = {
    "about": _lazy("about"),
    "external_id": _lazy("number in another system"),
    "language": _lazy("language"),
    "name": _lazy("name"),
    "organisation_id": _lazy("organisation"),
    "owner_id": _lazy("account owner"),
    "potential": _lazy("potential or actual"),
    "relation": _lazy("relation"),
    "role": _lazy("role"),
    "tags": _lazy("tags"),
    "timezone": _lazy("time zone"),
    "vocative": _lazy("form of address"),
}


def amount_text(amount: int, currency: str, *, whole: bool = False) -> str:
    """Minor units of a currency as the reader writes them; `whole`: without kopecks."""
    locale = get_locale()
    return money(amount, currency, locale.language if locale else "en", whole=whole)


def event_title(kind: str, ticket_id: int | None, data: Mapping[str, Any], text: str) -> str:
    """What an event says; `text` is that of its promise, if it has one."""
    if kind.startswith("ticket."):
        return _ticket_title(kind, str((ticket_id or 0) + NUMBER_OFFSET), data)
    if kind.startswith("promise."):
        return _promise_title(kind, data, text)
    if kind in ("client.changed", "person.changed"):
        return _changed(kind, data.get("fields", ()))
    return str(_(_TITLES.get(kind) or _lazy("A message that was erased")))


def purchase_title(title: str, amount: int, currency: str) -> str:
    return str(
        _("Purchase %(amount)s: %(title)s", amount=amount_text(amount, currency), title=title)
    )


def invoice_title(number: str, amount: int, currency: str) -> str:
    sum_ = amount_text(amount, currency)
    return str(_("Invoice %(number)s: %(amount)s", number=number, amount=sum_))


def document_title(filename: str) -> str:
    return str(_("Document: %(name)s", name=filename))


def article_title(title: str, *, heard: bool = False, helped: str | None = None) -> str:
    """`helped`: "1", "0" or None where the caller of the telephone did not say."""
    if not heard:
        return str(_("Read the article: %(title)s", title=title))
    if helped == "1":
        return str(_("Heard on the telephone, it helped: %(title)s", title=title))
    return str(_("Heard on the telephone: %(title)s", title=title))


def sms_title(data: Mapping[str, Any]) -> str:
    """A wish about SMS."""
    return str(_("Wants no more SMS") if data.get("stopped") else _("Wants SMS again"))


def task_title(kind: str, data: Mapping[str, Any], task: Any) -> str:
    """A planned contact; of `task`, where there is one, the promised and the first tried moment
    are looked at.
    """
    if kind == "task.planned":
        return _planned_title(data.get("kind"), task.due_at)
    if data.get("result") == "talked":
        return _made_title(task)
    titles: dict[str, str] = {
        "no_answer": _("The callback reached nobody"),
        "busy": _("The callback reached nobody"),
        "wrong_number": _("The callback went to a wrong number"),
        "called_again": _("The client called before the callback"),
        "not_needed": _("The planned contact was not needed any more"),
    }
    return str(titles.get(data.get("result") or "") or _("The planned contact is over"))


def _made_title(task: Any) -> str:
    if task is None or task.tried_at is None or task.due_at is None:
        return str(_("The callback was made"))
    if task.tried_at <= task.due_at:
        return str(_("The callback was made in time"))
    return str(_("The callback was made, late"))


def _planned_title(kind: str | None, due_at: datetime | None) -> str:
    when = format_datetime(due_at, "d MMM, HH:mm") if due_at else ""
    titles: dict[str, str] = {
        "callback": _("Callback planned for %(moment)s", moment=when),
        "meeting": _("Meeting planned for %(moment)s", moment=when),
        "visit": _("Visit planned for %(moment)s", moment=when),
    }
    return str(titles.get(kind or "") or _("Task planned for %(moment)s", moment=when))


def _ticket_title(kind: str, number: str, data: Mapping[str, Any]) -> str:
    if kind == "ticket.status":
        status = _status_word(Status(data["new"]))
        return str(_("Ticket %(number)s: %(status)s", number=number, status=status))
    if kind == "ticket.rated":
        score = data.get("score", "?")
        return str(_("Ticket %(number)s rated %(score)s of 5", number=number, score=score))
    if kind == "ticket.requester":
        return str(_("Ticket %(number)s: the requester was changed", number=number))
    return str(_("Ticket %(number)s was opened by hand", number=number))


def _promise_title(kind: str, data: Mapping[str, Any], text: str) -> str:
    if kind == "promise.made":
        return str(_("Promise: %(text)s", text=text))
    if data.get("kept") is None:
        return str(_("The promise runs again: %(text)s", text=text))
    if data["kept"]:
        return str(_("Promise kept: %(text)s", text=text))
    return str(_("Promise broken: %(text)s", text=text))


def _changed(kind: str, fields: Sequence[str]) -> str:
    words = dict.fromkeys(_field_word(field) for field in fields)
    what = ", ".join(words)
    if kind == "person.changed":
        return str(_("A contact person was changed: %(what)s", what=what))
    return str(_("The record was changed: %(what)s", what=what))


def _field_word(field: str) -> str:
    return str(_(_FIELDS.get(field) or _lazy("profile")))


def _status_word(status: Status) -> str:
    """Only the word that is wanted: a page says many, and each is looked up anew."""
    words: Mapping[Status, Callable[[], str]] = {
        Status.NEW: lambda: pgettext("ticket", "new"),
        Status.OPEN: lambda: pgettext("ticket", "open"),
        Status.PENDING: lambda: _("waiting for the client"),
        Status.ON_HOLD: lambda: _("on hold"),
        Status.RESOLVED: lambda: _("resolved"),
        Status.CLOSED: lambda: pgettext("ticket", "closed"),
    }
    return words[status]()
