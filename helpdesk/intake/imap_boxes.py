"""Verbs on mailboxes that are fetched by IMAP: add, change, and how their passwords are kept."""

import re
from dataclasses import dataclass, fields
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.events import Actor, record
from helpdesk.ext import lock
from helpdesk.intake.imap import Login, Trouble
from helpdesk.intake.models import ImapAfter, ImapBox, ImapTls, ImapTrouble
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.sealed import Unreadable, seal, unseal
from helpdesk.lib.text import clean_line, email_key
from helpdesk.tickets.models import Mailbox

PURPOSE = "imap-password"
PLACE = ("host", "port", "username", "folder")
"""What says which emails are meant. With another of them it is another mailbox, begun anew."""
ASKS_ANEW = ("host", "port", "tls", "username")
"""What decides who hears the password. With another of them it has to be typed again, or
somebody could have it told to a server of theirs."""
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Wanted:
    """What an administrator says of a mailbox; an empty password keeps the one there is."""

    address: str
    host: str
    port: int
    tls: ImapTls
    username: str
    password: str
    folder: str
    after: ImapAfter
    move_to: str
    active: bool = True


def add_box(
    session: Session, wanted: Wanted, *, since: datetime, secret: bytes, at: datetime, actor: Actor
) -> ImapBox:
    """Fetch this mailbox from now on: what came into it since `since`. Raises HelpdeskError."""
    lock(session, "imap")
    wanted = checked(session, wanted)
    if not wanted.password:
        raise HelpdeskError(_lazy("Type the password."), field="password")
    _free(session, wanted)
    box = ImapBox(**_values(wanted), since=_second(since), created_at=_second(at), told=False)
    box.password = seal(secret, PURPOSE, wanted.password)
    session.add(box)
    session.flush()
    record(session, "imap.created", actor=actor, at=at, box_id=box.id)
    return box


def change_box(
    session: Session, box: ImapBox, wanted: Wanted, *, secret: bytes, at: datetime, actor: Actor
) -> None:
    """Raises HelpdeskError. Another server, user or folder begins anew: mail from then on."""
    lock(session, "imap")
    wanted = checked(session, wanted)
    check_password(box, wanted)
    _free(session, wanted, but=box.id)
    values = _values(wanted)
    changed = [name for name, value in values.items() if getattr(box, name) != value]
    if any(name in PLACE for name in changed):
        box.uidvalidity, box.cursor_uid, box.old_below, box.waiting = None, 0, 0, None
        box.since = _second(at)
    for name in changed:
        setattr(box, name, values[name])
    if wanted.password:
        box.password = seal(secret, PURPOSE, wanted.password)
        changed.append("password")
    if not changed:
        return
    box.trouble = box.trouble_words = box.failing_since = None
    box.told = False
    box.version += 1
    session.flush()
    record(session, "imap.changed", actor=actor, at=at, box_id=box.id, fields=sorted(changed))


def marker(folder: str | Path) -> Path:
    """The file in the data folder that calls the fetcher of mailboxes: there is one to fetch."""
    return Path(folder) / "imap"


def checked(session: Session, wanted: Wanted) -> Wanted:
    """The same with clean values. Raises HelpdeskError for what can't be."""
    host = clean_line(wanted.host, 253).rstrip(".").lower()
    if not _HOST.fullmatch(_ascii(host)):
        raise HelpdeskError(
            _lazy("Write the name of the server, for example imap.example.com."), field="host"
        )
    if not 0 < wanted.port < 65536:
        raise HelpdeskError(_lazy("A port is a number from 1 to 65535."), field="port")
    if wanted.tls == ImapTls.PLAIN and not is_here(host):
        raise HelpdeskError(
            _lazy("Without encryption only a server on this machine is asked."), field="tls"
        )
    username, folder = clean_line(wanted.username, 320), clean_line(wanted.folder, 200)
    move_to = clean_line(wanted.move_to, 200) if wanted.after == ImapAfter.MOVE else ""
    if not username:
        raise HelpdeskError(_lazy("Type the user name."), field="username")
    if _CONTROL.search(wanted.password) or len(wanted.password) > 1000:
        raise HelpdeskError(
            _lazy("The password is too long or has a character that can't be used."),
            field="password",
        )
    if wanted.after == ImapAfter.MOVE and (not move_to or move_to == (folder or "INBOX")):
        raise HelpdeskError(_lazy("Name another folder to move emails to."), field="move_to")
    address = email_key(wanted.address)
    if session.scalar(select(Mailbox.id).where(Mailbox.address == address)) is None:
        raise HelpdeskError(_lazy("Choose one from the list."), field="address")
    values = {"address": address, "host": _ascii(host), "username": username}
    values |= {"folder": folder or "INBOX", "move_to": move_to}
    rest = {one.name: getattr(wanted, one.name) for one in fields(wanted)}
    return Wanted(**(rest | values))


def check_password(box: ImapBox, wanted: Wanted) -> None:
    """Raises HelpdeskError where the kept password would be told to another server."""
    if not wanted.password and any(getattr(box, n) != getattr(wanted, n) for n in ASKS_ANEW):
        raise HelpdeskError(
            _lazy("The server or the user changed: type the password again."), field="password"
        )


def is_here(host: str) -> bool:
    """Whether the name means this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def login_of(box: ImapBox, secret: bytes) -> Login:
    """How the mailbox opens. Raises Trouble where SECRET_KEY is not that of its password."""
    try:
        password = unseal(secret, PURPOSE, box.password)
    except Unreadable:
        raise Trouble(ImapTrouble.KEY) from None
    return Login(box.host, box.port, box.tls, box.username, password, box.folder)


def _second(moment: datetime) -> datetime:
    """Its whole second: servers tell no more of when an email came."""
    return moment.replace(microsecond=0)


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _values(wanted: Wanted) -> dict[str, object]:
    names = (one.name for one in fields(wanted) if one.name != "password")
    return {name: getattr(wanted, name) for name in names} | {"move_to": wanted.move_to or None}


def _free(session: Session, wanted: Wanted, *, but: int | None = None) -> None:
    query = select(ImapBox.id).where(
        ImapBox.host == wanted.host,
        ImapBox.username == wanted.username,
        ImapBox.folder == wanted.folder,
        ImapBox.id != (but or 0),
    )
    if session.scalar(query.limit(1)) is not None:
        raise Conflict(_lazy("This mailbox is fetched already."), field="username")
