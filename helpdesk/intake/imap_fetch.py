"""Fetching one mailbox: what is in it becomes Deliveries, and only then anything is marked.

Stored, marked, counted, in this order and each for itself: whoever dies in between does the last
of it again, and the key of the Delivery makes that one effect.
"""

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from flask import Flask
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session, object_session

from helpdesk import ext
from helpdesk.intake import imap_state as state
from helpdesk.intake.actions import RawEmail, accept, set_aside
from helpdesk.intake.boxes import envelope_from, our_recipients
from helpdesk.intake.imap import PIECE, Connection, Facts, Folder, Refused, Trouble
from helpdesk.intake.imap_boxes import login_of
from helpdesk.intake.models import DeliveryState, ImapAfter, ImapBox
from helpdesk.intake.own import OwnAddresses
from helpdesk.lib.clock import now
from helpdesk.lib.text import email_key
from helpdesk.lib.tokens import read_ticket_address

log = structlog.get_logger()

AT_ONCE = 100  # emails asked for together
BATCH, BATCH_BYTES = 50, 4 << 20  # in one commit
PATIENCE = 6  # times a connection breaks on one email until it is set aside
REFUSALS = 3  # times the server says no to it


@dataclass
class Fetcher:
    """One mailbox that this process has claimed under the name `me`."""

    app: Flask
    box_id: int
    version: int
    me: str
    stopped: Callable[[], bool]
    tries: Counter[int] = field(default_factory=Counter)  # on emails that broke a connection
    taken: int = 0  # emails so far

    def connect(self) -> Connection:
        """Raises Trouble, or Lost."""
        secret = str(self.app.config["SECRET_KEY"]).encode()
        return Connection(login_of(self._read(), secret))

    def fetch(self, connection: Connection) -> None:
        """Fetch all that is new. Raises Trouble, Lost, or what the database raises."""
        box = self._read()
        folder = connection.open(readonly=box.after == ImapAfter.LEAVE)
        if state.is_another(box, folder):
            with self._mine() as box:
                state.begin_anew(box, folder)
        for uids in self._new(connection, box, folder):
            for some in _parts(uids, AT_ONCE):
                self._take(connection, box, some, uids)
        self._settle(folder)

    def note(self, trouble: Trouble) -> None:
        """Keep why it can't be fetched. Raises Lost."""
        with self._mine() as box:
            state.failed(_session(box), box, trouble, now())

    def _new(self, connection: Connection, box: ImapBox, folder: Folder) -> Iterator[list[int]]:
        """The UIDs that are not ours; of what lay there at first only those of late."""
        first = box.cursor_uid + 1
        middle = max(first, min(box.old_below, folder.next_uid))
        yield from connection.uids(first, middle, folder.count, box.since)
        yield from connection.uids(middle, folder.next_uid, folder.count, None)

    def _take(
        self, connection: Connection, box: ImapBox, uids: list[int], ahead: list[int]
    ) -> None:
        """These, in as many commits as their sizes ask for; `ahead` are all that are to come."""
        facts = connection.facts(uids)
        wanted = {
            uid: one for uid, one in facts.items() if uid >= box.old_below or one.at >= box.since
        }
        for group in self._groups(wanted):
            if self.stopped():
                raise state.Lost
            bodies = self._bodies(connection, box, group)
            stored = self._store(box, bodies, group)
            refusal = self._mark(connection, box, stored)
            self._count(max(group), len(stored), refusal, ahead)
            self.taken += len(stored)
        if uids[-1] not in wanted:
            self._count(uids[-1], 0, None, ahead)

    def _groups(self, wanted: dict[int, Facts]) -> Iterator[dict[int, Facts]]:
        """In order, small ones together. What broke a connection before goes alone."""
        group: dict[int, Facts] = {}
        size = 0
        for uid in sorted(wanted):
            one = wanted[uid]
            alone = one.size > PIECE or self.tries[uid]
            if group and (alone or len(group) >= BATCH or size + one.size > BATCH_BYTES):
                yield group
                group, size = {}, 0
            group[uid] = one
            size += BATCH_BYTES if alone else one.size
        if group:
            yield group

    def _bodies(
        self, connection: Connection, box: ImapBox, group: dict[int, Facts]
    ) -> dict[int, bytes]:
        """Those of the group that can be had; the others are set aside with their reason."""
        limit = int(self.app.config["MAX_MAIL_BYTES"])
        fit = {uid: one for uid, one in group.items() if one.size <= limit}
        for uid in group.keys() - fit.keys():
            self._too_large(connection, box, uid, group[uid].size)
        bodies = self._together(connection, fit) if len(fit) > 1 else {}
        for uid in sorted(fit.keys() - bodies.keys()):
            raw = self._one(connection, box, uid, fit[uid])
            if raw is not None:
                bodies[uid] = raw
        for uid in [uid for uid, raw in bodies.items() if len(raw) > limit]:
            self._too_large(connection, box, uid, len(bodies.pop(uid)))
        return dict(sorted(bodies.items()))

    def _together(self, connection: Connection, fit: dict[int, Facts]) -> dict[int, bytes]:
        """If the connection breaks, one of these may be to blame: next time each goes alone."""
        self.tries.update(fit.keys())
        try:
            bodies = connection.bodies({uid: one.size for uid, one in fit.items()})
        except Refused:
            bodies = {}
        for uid in fit:
            del self.tries[uid]
        return bodies

    def _one(self, connection: Connection, box: ImapBox, uid: int, facts: Facts) -> bytes | None:
        """One by itself; None if it is gone, or can't be had and was set aside."""
        if self.tries[uid] >= PATIENCE:
            self._unreadable(box, uid, facts.size, "the connection breaks on it")
            return None
        self.tries[uid] += 1
        raw, refusal = None, "nothing"
        for _ in range(REFUSALS):
            try:
                raw = connection.body(uid, self.app.config["MAX_MAIL_BYTES"], self._read)
                break
            except Refused as error:
                refusal = str(error) or refusal
        if raw is None and uid in connection.facts([uid]):
            self._unreadable(box, uid, facts.size, refusal)
        del self.tries[uid]
        return raw

    def _store(self, box: ImapBox, bodies: dict[int, bytes], facts: dict[int, Facts]) -> list[int]:
        """Commit the emails together; where that fails, each by itself. Which are stored."""
        if not bodies:
            return []
        try:
            with self._mine() as held:
                session = _session(held)
                own = OwnAddresses.load(session)
                accept(session, [_email(box, raw, facts[uid], own) for uid, raw in bodies.items()])
            return list(bodies)
        except (DataError, IntegrityError, ValueError, LookupError):
            log.exception("imap.not_stored", box_id=self.box_id)
        if len(bodies) > 1:
            return [n for uid, raw in bodies.items() for n in self._store(box, {uid: raw}, facts)]
        (uid,) = bodies
        self._unreadable(box, uid, facts[uid].size, "it cannot be stored")
        return []

    def _mark(self, connection: Connection, box: ImapBox, uids: list[int]) -> str | None:
        """What the server said if it would not."""
        if not uids or box.after == ImapAfter.LEAVE:
            return None
        try:
            connection.mark(uids, box.after, box.move_to)
        except Refused as error:
            log.warning("imap.not_marked", box_id=self.box_id)
            return str(error)
        return None

    def _count(self, uid: int, taken: int, refusal: str | None, ahead: list[int]) -> None:
        """All up to this UID is done."""
        with self._mine() as box:
            box.cursor_uid = max(uid, box.cursor_uid)
            box.waiting = len(ahead) - bisect_right(ahead, uid)
            if taken:
                box.fetched += taken
                box.last_fetched_at = now()
                state.marked(box, refusal)

    def _settle(self, folder: Folder) -> None:
        """Everything up to what the folder announced is ours."""
        last, box, at = folder.next_uid - 1, self._read(), now()
        if box.cursor_uid == last and not state.is_news(box, at):
            return
        with self._mine() as box:
            box.cursor_uid = max(last, box.cursor_uid)
            state.went_well(_session(box), box, at)

    def _too_large(self, connection: Connection, box: ImapBox, uid: int, size: int) -> None:
        """Not fetched; its header tells whose it is."""
        limit = int(self.app.config["MAX_MAIL_BYTES"]) >> 20
        try:
            header = connection.header(uid)
        except Refused:
            header = b""
        reason = f"larger than {limit} MB (HELPDESK_MAX_MAIL_MB)"
        self._aside(box, header, f"{header!r}{size}", size, reason, DeliveryState.QUARANTINED)

    def _unreadable(self, box: ImapBox, uid: int, size: int, reason: str) -> None:
        reason = f"the server did not hand it over: {reason}"
        self._aside(box, b"", f"{box.uidvalidity} {uid}", size, reason, DeliveryState.FAILED)

    def _aside(
        self, box: ImapBox, raw: bytes, name: str, size: int, reason: str, state_: DeliveryState
    ) -> None:
        key = hashlib.sha256(f"imap\0{box.id}\0{name}".encode()).hexdigest()
        with self._mine() as held:
            session = _session(held)
            email = RawEmail(raw, envelope_from(raw), (box.address,), now())
            set_aside(session, email, key=key, state=state_, reason=reason[:300], size=size)

    def _read(self) -> ImapBox:
        """The mailbox as it is now. Raises Lost."""
        with self.app.app_context(), ext.session() as session:
            box = session.get(ImapBox, self.box_id)
            if box is None or (box.claimed_by, box.version) != (self.me, self.version):
                raise state.Lost
            return box

    @contextmanager
    def _mine(self) -> Iterator[ImapBox]:
        """A transaction that only the one who fetches this mailbox can commit. Raises Lost."""
        with self.app.app_context(), ext.write() as session:
            yield state.mine(session, self.box_id, self.me, self.version)


def _session(box: ImapBox) -> Session:
    session = object_session(box)
    assert session is not None
    return session


def _parts(uids: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(uids), size):
        yield list(uids[start : start + size])


def _email(box: ImapBox, raw: bytes, facts: Facts, own: OwnAddresses) -> RawEmail:
    """Nobody gets a receipt for an email that lay there before the mailbox was set up."""
    try:
        recipients = _recipients(box.address, raw, own)
        origin = envelope_from(raw) if facts.at >= box.created_at else ""
    except Exception:  # the library's parser on a hostile header: the worker reads it with care
        log.exception("imap.envelope_unreadable", box_id=box.id)
        recipients, origin = (box.address,), ""
    return RawEmail(raw, origin, recipients, now(), for_all=True)


def _recipients(address: str, raw: bytes, own: OwnAddresses) -> tuple[str, ...]:
    """As the header names them, if it names this mailbox: the same in each of several mailboxes.
    Else the mailbox itself decides the queue; the signed address of a ticket counts always.
    """
    named = our_recipients(raw, own)
    if address in (email_key(one) for one in named):
        return named
    return (address, *(one for one in named if read_ticket_address(own.secret, one) is not None))
