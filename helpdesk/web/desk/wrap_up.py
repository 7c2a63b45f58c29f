"""One call: what is known of it, and after it what came of it, chosen by digits."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.presence import Availability
from helpdesk.calls import queries, wrap_up
from helpdesk.calls.models import Call, CallState, Disposition, NextStep
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.products import Product
from helpdesk.web.about import language, reason_groups, reasons
from helpdesk.web.cached import keep, recount
from helpdesk.web.desk import call_view
from helpdesk.web.desk.call_words import call_words
from helpdesk.web.desk.directory import user_names
from helpdesk.web.desk.listing import list_context
from helpdesk.web.formats import zone
from helpdesk.web.guard import actor, me, needs, reading, said, viewer

blueprint = Blueprint("desk_wrap_up", __name__)

CHIPS = 8  # reasons with a digit
MOST_PRODUCTS = 200
LOOK_BACK = timedelta(days=60)
AFTER = (CallState.WRAP_UP, CallState.ENDED)  # the caller may still hear the goodbye
USED_SECONDS = 60.0
E = TypeVar("E", Disposition, NextStep)


@blueprint.get("/desk/call/<int:call_id>")
@needs("ticket.read")
def page(call_id: int) -> str:
    """The call; with its wrap-up where it was the reader's own."""
    return _page(queries.call_for(reading(), viewer(), call_id, "ticket.read"), {})


@blueprint.post("/desk/call/<int:call_id>")
@needs("ticket.answer")
def save(call_id: int) -> BaseResponse | tuple[str, int]:
    """Keep what came of the call, then take calls again or pause (`then`)."""
    try:
        with ext.write() as session:
            call = queries.own_call(session, me().id, call_id)
            wrap_up.save(session, call, user_id=me().id, at=now(), **_read())
            _go_on(session, request.form.get("then", ""))
            ticket, back = call_view.ticket_number(call), call_view.back_number(call)
    except HelpdeskError as error:
        if error.status == 404:
            raise
        call = queries.call_for(reading(), viewer(), call_id, "ticket.answer")
        return _page(call, {error.field or "": said(error)}), error.status
    recount()
    flash(_("The call is written down."))
    number = back or ticket
    return redirect(f"/desk/t/{number}" if number else "/desk/calls")


def _go_on(session: Any, then: str) -> None:
    states = {"take": Availability.AVAILABLE, "pause": Availability.BREAK}
    row = presence.get(session, me().id)
    if then in states and row is not None and row.state != Availability.OFF:
        presence.set_state(session, me().id, states[then].value, at=now(), actor=actor())


def _read() -> dict[str, Any]:
    form = request.form
    step = _one(NextStep, "next_step") or NextStep.NONE
    return {
        "reason_id": _id("other") or _id("reason"),
        "product_id": _id("product"),
        "disposition": _one(Disposition, "disposition"),
        "next_step": step,
        "due_at": _due() if step != NextStep.NONE else None,
        "notes": form.get("notes", ""),
    }


def _id(field: str) -> int | None:
    value = request.form.get(field, "")
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 18):
        raise HelpdeskError(_lazy("Choose one from the list."), field=field)
    return int(value)


def _one(kind: type[E], field: str) -> E | None:
    value = request.form.get(field, "")
    if not value:
        return None
    if value not in set(kind):
        raise HelpdeskError(_lazy("Choose one from the list."), field=field)
    return kind(value)


def _due() -> datetime:
    """The moment of the next step, by the reader's clock. Raises HelpdeskError."""
    try:
        local = datetime.fromisoformat(request.form.get("due", ""))
    except ValueError:
        raise HelpdeskError(
            _lazy("Say when, for example tomorrow at 10:00."), field="due"
        ) from None
    return local.replace(tzinfo=zone()) if local.tzinfo is None else local


def _page(call: Call, errors: dict[str, str]) -> str:
    own = call.user_id == me().id
    context = call_view.client_context(call) | call_view.menu_context(call)
    number = call_view.ticket_number(call)
    values = request.form.to_dict() if errors else _values(call)
    return render_template(
        "desk/call.html",
        **list_context(call.ticket_id) | {"section": "calls"},
        o=context,
        call=call,
        number=number,
        state=call_words().state[call.state],
        ended=call_words().ended.get(call.end_reason or ""),
        direction=call_words().direction[call.direction],
        agent=user_names().get(call.user_id or 0),
        seconds=call_view.talk_seconds(call),
        writable=own and call.state in AFTER,
        wrapped=call.wrapped_at is not None,
        errors=errors,
        values=values,
        chips=_chips(values.get("reason", "")),
        groups=reason_groups(call.reason_id),
        products=_products(call),
        dispositions=call_words().disposition.items(),
        steps=call_words().step.items(),
        back=call_view.back_number(call),
    )


def _values(call: Call) -> dict[str, str]:
    """What the form begins with: what is known of the call, else of its ticket."""
    ticket = call.ticket
    reason = call.reason_id or (ticket.reason_id if ticket else None)
    product = call.product_id or (ticket.product_id if ticket else None)
    soon = (now() + timedelta(hours=1)).astimezone(zone())
    soon -= timedelta(minutes=soon.minute % 15, seconds=soon.second)
    return {
        "reason": str(reason or ""),
        "product": str(product or ""),
        "disposition": call.disposition.value if call.disposition else "",
        "next_step": call.next_step.value if call.next_step else "",
        "due": f"{soon:%Y-%m-%dT%H:%M}",
        "notes": call.notes,
    }


def _chips(chosen: str) -> list[tuple[int, str, str]]:
    """(id, name, whole title) of the reasons with a digit: the most used of calls come first."""
    tree, lang = reasons(), language()
    offered = {one.id: one for one in tree.open()}
    leaves = [id_ for id_ in offered if not any(o.parent_id == id_ for o in offered.values())]
    used = keep("used_reasons", USED_SECONDS, _used)
    first = [id_ for id_ in (int(chosen) if chosen.isdigit() else 0, *used) if id_ in offered]
    ids = list(dict.fromkeys(_in_order(first, leaves)))[:CHIPS]
    return [(id_, offered[id_].name(lang), tree.title(id_, lang)) for id_ in ids]


def _in_order(first: Iterable[int], rest: Iterable[int]) -> Iterable[int]:
    yield from first
    yield from rest


def _used() -> list[int]:
    return list(queries.most_used_reasons(reading(), now() - LOOK_BACK))


def _products(call: Call) -> list[tuple[int, str]]:
    query = select(Product.id, Product.name).where(Product.active.is_(True))
    rows = reading().execute(query.order_by(Product.sort_key, Product.id).limit(MOST_PRODUCTS))
    return [(row.id, row.name) for row in rows]
