"""Tables of clients: Client, Person, ContactPoint, and the log of merges."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.ext import Base, EnumText, SortKey, partial_index


class ClientKind(StrEnum):
    PERSON = "person"
    ORGANISATION = "organisation"


class ContactKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    MESSENGER = "messenger"


class Relation(StrEnum):
    CLIENT = "client"
    PARTNER = "partner"
    SUPPLIER = "supplier"


class Client(Base):
    """One record per client, a person or an organisation, actual or potential."""

    __tablename__ = "client"
    __table_args__ = (
        Index("ix_client_sort", "sort_key", "id"),
        Index("ix_client_name", "name_key"),
        partial_index(
            "ix_client_organisation", "organisation_id", where="organisation_id IS NOT NULL"
        ),
        partial_index("ix_client_owner", "owner_id", where="owner_id IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ClientKind] = mapped_column(EnumText(ClientKind))
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(SortKey)
    language: Mapped[str | None] = mapped_column(String(8))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    tags: Mapped[list[str]]
    potential: Mapped[bool] = mapped_column(default=True)
    about: Mapped[str] = mapped_column(default="")
    relation: Mapped[Relation] = mapped_column(
        EnumText(Relation), default=Relation.CLIENT, server_default="client"
    )
    timezone: Mapped[str | None] = mapped_column(String(60))
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    external_id: Mapped[str | None] = mapped_column(String(80), unique=True)  # another system's
    name_key: Mapped[str | None] = mapped_column(String(120))  # for finding likely duplicates
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    people: Mapped[list["Person"]] = relationship(
        back_populates="client",
        order_by="Person.id",
        primaryjoin="and_(Client.id == Person.client_id, Person.removed_at.is_(None))",
    )


class Person(Base):
    """A contact person of a client; a private client has one."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(SortKey)
    role: Mapped[str] = mapped_column(default="")  # position, e.g. accountant
    language: Mapped[str | None] = mapped_column(String(8))
    vocative: Mapped[str | None]  # how a Ukrainian greeting addresses them
    timezone: Mapped[str | None] = mapped_column(String(60))
    external_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]  # nobody of the client's any more; undo puts them back

    client: Mapped[Client] = relationship(back_populates="people")
    contact_points: Mapped[list["ContactPoint"]] = relationship(
        back_populates="person",
        order_by="ContactPoint.id",
        primaryjoin="and_(Person.id == ContactPoint.person_id, ContactPoint.removed_at.is_(None))",
    )


class ContactPoint(Base):
    """An address, number or messenger id that leads to a person.

    A removed one stays for the messages that came by it; its key is such that nothing finds it.
    """

    __tablename__ = "contact_point"
    __table_args__ = (
        Index("uq_contact_point", "kind", "key", "person_id", unique=True),
        Index("ix_contact_point_tail", "tail"),
        partial_index("ix_contact_point_alike", "alike", where="alike IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[ContactKind] = mapped_column(EnumText(ContactKind))
    value: Mapped[str]  # as people write it
    key: Mapped[str]  # as it is compared: lower-case address, E.164 number
    tail: Mapped[str | None] = mapped_column(String(9))  # last digits of a number
    alike: Mapped[str | None]  # the one spelling of a mailbox; the scan for doubles fills it
    verified: Mapped[bool] = mapped_column(default=False)
    preferred: Mapped[bool] = mapped_column(default=False)
    bad: Mapped[bool] = mapped_column(default=False)
    soft_bounces: Mapped[int] = mapped_column(default=0)
    sms_stopped_at: Mapped[datetime | None]  # wrote STOP: no SMS until they write START
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(back_populates="contact_points")


class Merge(Base):
    """Two clients made one: `gone` points to `kept` until the merge is undone."""

    __tablename__ = "client_merge"

    id: Mapped[int] = mapped_column(primary_key=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    gone_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class MergeChange(Base):
    """What a merge changed in a column, so that undoing puts back exactly that."""

    __tablename__ = "client_merge_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    merge_id: Mapped[int] = mapped_column(ForeignKey("client_merge.id"), index=True)
    table: Mapped[str] = mapped_column(String(60))
    column: Mapped[str] = mapped_column(String(60))
    ids: Mapped[list[int]] = mapped_column(JSON)  # of the rows that had this value
    old: Mapped[dict[str, Any]]  # {"value": ...}
    new: Mapped[dict[str, Any]]  # {"value": ...}: what somebody changed since stays as it is


class DuplicatePair(Base):
    """Two clients that may be one. `first_id` is the smaller id."""

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        Index("uq_duplicate_pair", "first_id", "second_id", unique=True),
        partial_index("ix_duplicate_pair_open", "id", where="settled_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    first_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    second_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    reason: Mapped[str] = mapped_column(String(20))  # phone, email, name
    found_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]  # merged, or "these are two"
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
