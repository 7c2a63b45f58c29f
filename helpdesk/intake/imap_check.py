"""Trying a mailbox before it is fetched: what an administrator should know of it."""

from dataclasses import dataclass

from helpdesk.intake.imap import Connection, Login, Refused, Trouble
from helpdesk.intake.models import ImapTrouble

READ_SECONDS = 10.0  # somebody waits
NAMES = 20


@dataclass(frozen=True)
class Found:
    """A mailbox that opens: how many emails lie in it, whether it tells of new ones at once."""

    count: int
    at_once: bool


def look(login: Login) -> Found:
    """Log in and open the folder; nothing is changed. Raises Trouble, for a folder that is not
    there with the names of those that are."""
    with Connection(login, read_seconds=READ_SECONDS) as connection:
        try:
            folder = connection.open(readonly=True)
        except Trouble as trouble:
            if trouble.kind != ImapTrouble.FOLDER:
                raise
            raise Trouble(ImapTrouble.FOLDER, _names(connection)) from trouble
        return Found(folder.count, connection.can_idle)


def _names(connection: Connection) -> str:
    try:
        return ", ".join(connection.folders()[:NAMES])
    except Refused:
        return ""
