"""Clients: finding them, one client's page, and the undo of what was removed there."""

from datetime import date

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.clients.fact_actions import open_client
from helpdesk.clients.models import Client
from helpdesk.clients.search import find_clients
from helpdesk.lib.errors import HelpdeskError
from helpdesk.lib.text import clean_line
from helpdesk.reports.client.timeline_words import amount_text
from helpdesk.web.desk import client_page
from helpdesk.web.desk.client_undo import undo
from helpdesk.web.desk.listing import QUERY_LIMIT
from helpdesk.web.guard import actor, needs, reading, said

blueprint = Blueprint("desk_client", __name__)

PAGE = 50


@blueprint.app_template_filter("money")
def money(amount: int, currency: str, whole: bool = False) -> str:
    """Minor units of a currency as the reader writes them; `whole`: without kopecks."""
    return amount_text(amount, currency, whole=whole)


@blueprint.app_template_filter("figures")
def figures(day: date) -> str:
    """A day in figures."""
    return client_page.short_day(day)


@blueprint.get("/desk/clients")
@needs("client.read")
def clients() -> str:
    """Clients by name, or those that fit `?q=`; `?after=` is the last name of the page before."""
    query = clean_line(request.args.get("q", ""), QUERY_LIMIT)
    if query:
        found = find_clients(reading(), query, country=current_app.config["COUNTRY"], limit=PAGE)
        following = None
    else:
        found, following = _by_name(reading(), request.args.get("after", ""))
    return render_template(
        "desk/clients.html", section="clients", q=query, clients=found, following=following
    )


@blueprint.get("/desk/clients/<int:client_id>")
@needs("client.read")
def client(client_id: int) -> str:
    """`?show=` a part of the timeline, `?before=` a place in it, `?undo=` what was removed."""
    return client_page.page(client_id)


@blueprint.post("/desk/clients/<int:client_id>/undo")
@needs("client.change")
def put_back(client_id: int) -> BaseResponse:
    try:
        with ext.write() as session:
            open_client(session, client_id)
            undo(session, client_id, request.form.get("what", ""), actor())
    except HelpdeskError as error:
        if error.status == 404:
            raise
        flash(said(error), "error")
    else:
        flash(_("Put back."))
    return redirect(f"/desk/clients/{client_id}")


def _by_name(session: Session, after: str) -> tuple[list[Client], str | None]:
    query = select(Client).where(Client.erased_at.is_(None), Client.merged_into_id.is_(None))
    key, _sign, id_ = after.rpartition("~")
    if key and id_.isdecimal() and len(id_) < 18:
        place = (Client.sort_key > key) | ((Client.sort_key == key) & (Client.id > int(id_)))
        query = query.where(place)
    rows = session.scalars(query.order_by(Client.sort_key, Client.id).limit(PAGE + 1)).all()
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return list(rows[:PAGE]), f"{last.sort_key}~{last.id}" if last else None
