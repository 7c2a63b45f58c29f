"""Emails from a pipe or from files: one .eml, a folder of them, an mbox, a Maildir."""

import mailbox
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses
from itertools import islice
from pathlib import Path

from helpdesk import ext
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.own import OwnAddresses
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy

RECIPIENTS = ("delivered-to", "x-original-to", "envelope-to", "to", "cc")
MAX_HEADER = 256 << 10
BATCH = 50  # emails in one commit
END_OF_HEADER = re.compile(rb"\r?\n\r?\n")


def emails_in(path: Path) -> Iterator[bytes]:
    """The raw emails at a path, in the order of their files. Raises OSError."""
    if (path / "cur").is_dir():
        yield from _maildir(path)
    elif path.is_dir():
        for file in sorted(path.rglob("*.eml")):
            yield file.read_bytes()
    elif _is_mbox(path):
        with closing(mailbox.mbox(path, create=False)) as box:
            for key in box.iterkeys():
                yield box.get_bytes(key)
    else:
        yield path.read_bytes()


def envelope_from(raw: bytes) -> str:
    """Where it came from by its own account: Return-Path, else the From line; "" for none."""
    header = _header(raw)
    for name in ("return-path", "from"):
        if name in header:
            return next(iter(_addresses(header, (name,))), "")
    return ""


def our_recipients(raw: bytes, own: OwnAddresses) -> tuple[str, ...]:
    """Which addresses of ours the headers name."""
    found = dict.fromkeys(_addresses(_header(raw), RECIPIENTS))
    return tuple(address for address in found if address in own)[:100]


def take(raw: bytes, *, sender: str | None, recipients: tuple[str, ...]) -> None:
    """Store one email from a mail server's pipe; what is not given is read from the headers.

    Entry point: it commits. An email to nobody we know goes to the oldest queue.
    """
    with ext.write() as session:
        ours = recipients or our_recipients(raw, OwnAddresses.load(session))
        origin = envelope_from(raw) if sender is None else sender
        accept(session, [RawEmail(raw, origin, ours, now())])


def take_all(path: Path) -> int:
    """Store all emails at a path and return how many; a second time changes nothing.

    Entry point: it commits. Their envelope sender is empty, so that nobody gets a receipt
    for an old email. Raises HelpdeskError where there is nothing.
    """
    if not path.exists():
        raise HelpdeskError(_lazy("There is no file %(path)s."), path=str(path))
    taken = 0
    emails = emails_in(path)
    while batch := list(islice(emails, BATCH)):
        with ext.write() as session:
            own = OwnAddresses.load(session)
            accept(session, [RawEmail(r, "", our_recipients(r, own), now()) for r in batch])
        taken += len(batch)
    return taken


def _maildir(path: Path) -> Iterator[bytes]:
    files = [file for name in ("cur", "new") for file in (path / name).glob("*")]
    for file in sorted(files, key=lambda file: file.name):
        if file.is_file():
            yield file.read_bytes()


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(5) == b"From "


def _header(raw: bytes) -> Message:
    end = END_OF_HEADER.search(raw, 0, MAX_HEADER)
    return BytesHeaderParser(policy=compat32).parsebytes(raw[: end.end() if end else MAX_HEADER])


def _addresses(header: Message, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        values = [str(value)[:10_000] for value in header.get_all(name, [])[:20]]
        for _, address in getaddresses(values):
            if "@" in address:
                yield address.strip()
