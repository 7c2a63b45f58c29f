"""Queues and the mailboxes that lead into them."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.lib import phone
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.tickets import queues
from helpdesk.tickets.models import Mailbox, Queue
from helpdesk.web.admin.forms import check_seen, fingerprint, page_status, wrong
from helpdesk.web.cached import forget
from helpdesk.web.guard import actor, needs, reading

blueprint = Blueprint("admin_queues", __name__)


@dataclass(frozen=True)
class Shown:
    """What the form of a queue holds; `numbers` one a line."""

    name: str = ""
    address: str = ""
    numbers: str = ""
    receipts: bool = True
    receipt_articles: bool = False
    in_form: bool = False
    active: bool = True

    def changes(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "numbers": [line for line in self.numbers.splitlines() if line.strip()],
            "receipts": self.receipts,
            "receipt_articles": self.receipt_articles,
            "in_form": self.in_form,
            "active": self.active,
        }


@blueprint.get("/admin/queues")
@needs("queue.change")
def listing() -> str:
    rows = reading().scalars(select(Queue).order_by(Queue.sort_key)).all()
    boxes: dict[int, list[Mailbox]] = {queue.id: [] for queue in rows}
    order = (Mailbox.is_primary.desc(), Mailbox.id)
    for mailbox in reading().scalars(select(Mailbox).order_by(*order)):
        boxes[mailbox.queue_id].append(mailbox)
    numbers = {queue.id: ", ".join(map(phone.display, queue.numbers)) for queue in rows}
    return render_template("admin/queues.html", queues=rows, boxes=boxes, numbers=numbers)


@blueprint.get("/admin/queues/new")
@needs("queue.change")
def new() -> str:
    return _page(None, Shown())


@blueprint.post("/admin/queues/new")
@needs("queue.change")
def create() -> BaseResponse | tuple[str, int]:
    shown = _read()
    wanted = shown.changes()
    try:
        with ext.write() as session:
            queue = queues.create_queue(
                session,
                name=shown.name,
                address=shown.address.strip(),
                numbers=wanted["numbers"],
                receipts=shown.receipts,
                receipt_articles=shown.receipt_articles,
                in_form=shown.in_form,
                country=_country(),
                at=now(),
                actor=actor(),
            )
            queue_id = queue.id
    except HelpdeskError as error:
        return _page(None, shown, wrong(error)), page_status(error)
    forget()
    flash(_("The queue is open. Let your mail server deliver its address here."))
    return redirect(f"/admin/queues/{queue_id}")


@blueprint.get("/admin/queues/<int:queue_id>")
@needs("queue.change")
def edit(queue_id: int) -> str:
    queue = _queue(reading(), queue_id)
    return _page(queue, _shown(queue))


@blueprint.post("/admin/queues/<int:queue_id>")
@needs("queue.change")
def save(queue_id: int) -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        with ext.write() as session:
            queue = _queue(session, queue_id)
            check_seen(_seen(queue))
            queues.change_queue(
                session, queue, country=_country(), at=now(), actor=actor(), **shown.changes()
            )
    except HelpdeskError as error:
        return _page(_queue(reading(), queue_id), shown, wrong(error)), page_status(error)
    forget()
    flash(_("Saved."))
    return redirect(f"/admin/queues/{queue_id}")


@blueprint.post("/admin/queues/<int:queue_id>/mailboxes")
@needs("queue.change")
def add_mailbox(queue_id: int) -> BaseResponse | tuple[str, int]:
    address = request.form.get("address", "")[:320].strip()
    primary = request.form.get("primary") == "1"
    try:
        with ext.write() as session:
            queue = _queue(session, queue_id)
            queues.add_mailbox(session, queue, address, at=now(), actor=actor(), primary=primary)
    except HelpdeskError as error:
        queue = _queue(reading(), queue_id)
        return _page(queue, _shown(queue), wrong(error), address), page_status(error)
    flash(_("%(address)s leads into this queue now.", address=address))
    return redirect(f"/admin/queues/{queue_id}")


@blueprint.post("/admin/queues/<int:queue_id>/mailboxes/<int:mailbox_id>/primary")
@needs("queue.change")
def make_primary(queue_id: int, mailbox_id: int) -> BaseResponse:
    with ext.write() as session:
        mailbox = _mailbox(session, queue_id, mailbox_id)
        queues.make_primary(session, mailbox, at=now(), actor=actor())
        address = mailbox.address
    flash(_("The queue answers from %(address)s now.", address=address))
    return redirect(f"/admin/queues/{queue_id}")


@blueprint.post("/admin/queues/<int:queue_id>/mailboxes/<int:mailbox_id>/remove")
@needs("queue.change")
def remove_mailbox(queue_id: int, mailbox_id: int) -> str | tuple[str, int]:
    """Take an address away; the page that follows can put it back."""
    try:
        with ext.write() as session:
            mailbox = _mailbox(session, queue_id, mailbox_id)
            queues.remove_mailbox(session, mailbox, at=now(), actor=actor())
    except HelpdeskError as error:
        queue = _queue(reading(), queue_id)
        return _page(queue, _shown(queue), wrong(error)), page_status(error)
    queue = _queue(reading(), queue_id)
    return _page(queue, _shown(queue), removed=mailbox)


def _queue(session: Session, queue_id: int) -> Queue:
    queue = session.get(Queue, queue_id)
    if queue is None:
        raise NotFound()
    return queue


def _mailbox(session: Session, queue_id: int, mailbox_id: int) -> Mailbox:
    mailbox = session.get(Mailbox, mailbox_id)
    if mailbox is None or mailbox.queue_id != queue_id:
        raise NotFound()
    return mailbox


def _country() -> str:
    return str(current_app.config["COUNTRY"])


def _read() -> Shown:
    form = request.form
    return Shown(
        name=form.get("name", "")[:200],
        address=form.get("address", "")[:320],
        numbers=form.get("numbers", "")[:4000],
        receipts=form.get("receipts") == "1",
        receipt_articles=form.get("receipt_articles") == "1",
        in_form=form.get("in_form") == "1",
        active=form.get("active") == "1",
    )


def _shown(queue: Queue) -> Shown:
    return Shown(
        name=queue.name,
        numbers="\n".join(queue.numbers),
        receipts=queue.receipts,
        receipt_articles=queue.receipt_articles,
        in_form=queue.in_form,
        active=queue.active,
    )


def _seen(queue: Queue) -> str:
    return fingerprint(_shown(queue).changes())


def _page(
    queue: Queue | None,
    shown: Shown,
    errors: dict[str, str] | None = None,
    address: str = "",
    removed: Mailbox | None = None,
) -> str:
    return render_template(
        "admin/queue.html",
        queue=queue,
        shown=shown,
        seen=_seen(queue) if queue is not None else "",
        mailboxes=queues.mailboxes_of(reading(), queue.id) if queue is not None else [],
        address=address or shown.address,
        removed=removed,
        errors=errors or {},
    )
