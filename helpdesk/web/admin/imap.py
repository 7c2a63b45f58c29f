"""Mailboxes of other providers that are fetched by IMAP: set up, tried, looked after."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.intake import imap_boxes
from helpdesk.intake.imap import Login, Trouble
from helpdesk.intake.imap_boxes import Wanted
from helpdesk.intake.imap_check import look
from helpdesk.intake.models import ImapAfter, ImapBox, ImapTls
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.lib.sealed import Unreadable, seal, unseal
from helpdesk.live import heartbeat
from helpdesk.tickets.models import Mailbox
from helpdesk.web.admin.forms import check_seen, fingerprint, page_status, wrong
from helpdesk.web.admin.imap_words import after_words, tls_words, trouble_text
from helpdesk.web.guard import actor, me, needs, reading, stop_reading

blueprint = Blueprint("admin_imap", __name__)


@dataclass(frozen=True)
class Shown:
    """What the form holds, as it was typed."""

    address: str = ""
    host: str = ""
    port: str = "993"
    tls: str = ImapTls.TLS.value
    username: str = ""
    folder: str = "INBOX"
    after: str = ImapAfter.LEAVE.value
    move_to: str = ""
    from_day: str = ""
    active: bool = True


@dataclass(frozen=True)
class Answer:
    """What a check found."""

    good: bool
    text: str
    words: str = ""


@blueprint.get("/admin/imap")
@needs("queue.change")
def listing() -> str:
    boxes = reading().scalars(select(ImapBox).order_by(ImapBox.address, ImapBox.id)).all()
    active = any(box.active for box in boxes)
    return render_template(
        "admin/imap_boxes.html",
        boxes=boxes,
        troubles={box.id: trouble_text(box.trouble, box) for box in boxes if box.trouble},
        idle=active and bool(heartbeat.problems(reading(), ("imap",), now())),
    )


@blueprint.get("/admin/imap/new")
@needs("queue.change")
def new() -> str:
    return _page(None, Shown())


@blueprint.post("/admin/imap/new")
@needs("queue.change")
def create() -> BaseResponse | str | tuple[str, int]:
    shown = _read()
    try:
        wanted = _wanted(shown)
        if "check" in request.form:
            return _checked(None, shown, wanted)
        with ext.write() as session:
            since = _since(shown.from_day)
            box = imap_boxes.add_box(
                session, wanted, since=since, secret=_secret(), at=now(), actor=actor()
            )
            box_id = box.id
    except HelpdeskError as error:
        return _page(None, shown, wrong(error)), page_status(error)
    imap_boxes.marker(current_app.config["DATA_DIR"]).touch()
    flash(_("The mailbox is fetched from now on."))
    return redirect(f"/admin/imap/{box_id}")


@blueprint.get("/admin/imap/<int:box_id>")
@needs("queue.change")
def edit(box_id: int) -> str:
    box = _box(reading(), box_id)
    return _page(box, _shown(box))


@blueprint.post("/admin/imap/<int:box_id>")
@needs("queue.change")
def save(box_id: int) -> BaseResponse | str | tuple[str, int]:
    shown = _read()
    try:
        wanted = _wanted(shown)
        if "check" in request.form:
            return _checked(_box(reading(), box_id), shown, wanted)
        with ext.write() as session:
            box = _box(session, box_id)
            check_seen(_seen(box))
            imap_boxes.change_box(session, box, wanted, secret=_secret(), at=now(), actor=actor())
    except HelpdeskError as error:
        return _page(_box(reading(), box_id), shown, wrong(error)), page_status(error)
    flash(_("Saved."))
    return redirect(f"/admin/imap/{box_id}")


def _checked(box: ImapBox | None, shown: Shown, wanted: Wanted) -> str:
    """The same form again with what the server said. Raises HelpdeskError."""
    wanted = imap_boxes.checked(reading(), wanted)
    if box is not None:
        imap_boxes.check_password(box, wanted)
    elif not wanted.password:
        raise HelpdeskError(_lazy("Type the password."), field="password")
    answer = _ask(box, wanted)
    kept = seal(_secret(), _purpose(shown), wanted.password) if wanted.password else ""
    return _page(box, shown, answer=answer, kept=kept)


def _ask(box: ImapBox | None, wanted: Wanted) -> Answer:
    """Some seconds, in which nothing of the database is held."""
    try:
        if wanted.password or box is None:
            password = wanted.password
        else:
            password = imap_boxes.login_of(box, _secret()).password
        stop_reading()
        login = Login(
            wanted.host, wanted.port, wanted.tls, wanted.username, password, wanted.folder
        )
        found = look(login)
    except Trouble as trouble:
        return Answer(False, trouble_text(trouble.kind, wanted), trouble.words)
    text = ngettext(
        "The mailbox opens; %(num)s email lies in it.",
        "The mailbox opens; %(num)s emails lie in it.",
        found.count,
    )
    rhythm = _("New ones come at once.") if found.at_once else _("It is asked every 30 seconds.")
    return Answer(True, f"{text} {rhythm}")


def _box(session: Session, box_id: int) -> ImapBox:
    box = session.get(ImapBox, box_id)
    if box is None:
        raise NotFound()
    return box


def _secret() -> bytes:
    return str(current_app.config["SECRET_KEY"]).encode()


def _purpose(shown: Shown) -> str:
    """Between a check and Save the password comes back sealed, good for this server alone."""
    parts = (me().id, shown.host, shown.port, shown.tls, shown.username)
    return f"imap-form {fingerprint(*parts)}"


def _read() -> Shown:
    form = request.form
    return Shown(
        address=form.get("address", "")[:320],
        host=form.get("host", "").strip()[:300],
        port=form.get("port", "").strip()[:10],
        tls=form.get("tls", "")[:20],
        username=form.get("username", "")[:400],
        folder=form.get("folder", "")[:300],
        after=form.get("after", "")[:20],
        move_to=form.get("move_to", "")[:300],
        from_day=form.get("from_day", "")[:10],
        active=form.get("active") == "1",
    )


def _wanted(shown: Shown) -> Wanted:
    """Raises HelpdeskError."""
    if not (shown.port.isascii() and shown.port.isdigit()):
        raise HelpdeskError(_lazy("A port is a number from 1 to 65535."), field="port")
    if shown.tls not in set(ImapTls):
        raise HelpdeskError(_lazy("Choose one from the list."), field="tls")
    if shown.after not in set(ImapAfter):
        raise HelpdeskError(_lazy("Choose one from the list."), field="after")
    return Wanted(
        address=shown.address,
        host=shown.host,
        port=int(shown.port),
        tls=ImapTls(shown.tls),
        username=shown.username,
        password=request.form.get("password", "")[:2000] or _kept(shown),
        folder=shown.folder,
        after=ImapAfter(shown.after),
        move_to=shown.move_to,
        active=shown.active,
    )


def _kept(shown: Shown) -> str:
    try:
        return unseal(_secret(), _purpose(shown), request.form.get("kept", "")[:4000])
    except Unreadable:
        return ""


def _since(day: str) -> datetime:
    """The beginning of the day in our zone, else this moment. Raises HelpdeskError."""
    if not day.strip():
        return now()
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        raise HelpdeskError(_lazy("This is not a day."), field="from_day") from None
    zone = ZoneInfo(str(current_app.config["TIMEZONE"]))
    return min(datetime.combine(chosen, time(), zone), now())


def _shown(box: ImapBox) -> Shown:
    return Shown(
        address=box.address,
        host=box.host,
        port=str(box.port),
        tls=box.tls.value,
        username=box.username,
        folder=box.folder,
        after=box.after.value,
        move_to=box.move_to or "",
        active=box.active,
    )


def _seen(box: ImapBox) -> str:
    return fingerprint(box.version)


def _page(
    box: ImapBox | None,
    shown: Shown,
    errors: dict[str, str] | None = None,
    *,
    answer: Answer | None = None,
    kept: str = "",
) -> str:
    addresses = list(reading().scalars(select(Mailbox.address).order_by(Mailbox.address)))
    if shown.address and shown.address not in addresses:  # it leads into no queue any more
        addresses.append(shown.address)
    return render_template(
        "admin/imap_box.html",
        box=box,
        shown=shown,
        seen=_seen(box) if box is not None else "",
        addresses=[(address, address) for address in addresses],
        tls=tls_words(),
        after=after_words(),
        trouble=trouble_text(box.trouble, box) if box is not None and box.trouble else None,
        answer=answer,
        kept=kept,
        errors=errors or {},
    )
