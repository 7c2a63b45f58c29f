"""Which addresses are ours: mailboxes, signed reply addresses, postmaster."""

from collections.abc import Iterator, Set
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.lib.text import email_key
from helpdesk.lib.tokens import read_ticket_address
from helpdesk.tickets.models import Mailbox, Queue


@dataclass(frozen=True)
class OwnAddresses(Set[str]):
    """The addresses that email is accepted for. Contains signed reply addresses as well."""

    mailboxes: frozenset[str]
    domain: str
    secret: bytes

    @classmethod
    def load(cls, session: Session) -> "OwnAddresses":
        rows = select(Mailbox.address).join(Queue, Queue.id == Mailbox.queue_id)
        active = session.scalars(rows.where(Queue.active.is_(True)))
        config = current_app.config
        return cls(frozenset(active), config["MAIL_DOMAIN"], config["SECRET_KEY"].encode())

    @property
    def domains(self) -> frozenset[str]:
        found = {address.rpartition("@")[2] for address in self.mailboxes}
        return frozenset(found | {self.domain})

    def __contains__(self, address: object) -> bool:
        if not isinstance(address, str):
            return False
        key = email_key(address)
        return (
            key in self.mailboxes
            or self._is_postmaster(key)
            or read_ticket_address(self.secret, address) is not None
        )

    def _is_postmaster(self, key: str) -> bool:
        """RFC 5321 §4.5.1: postmaster is accepted, with or without a domain of ours."""
        local, _, domain = key.partition("@")
        return local == "postmaster" and (not domain or domain in self.domains)

    def __iter__(self) -> Iterator[str]:
        return iter(self.mailboxes)

    def __len__(self) -> int:
        return len(self.mailboxes)
