"""Tables of clients: Client, Person, ContactPoint."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.ext import Base, EnumText, SortKey


class ClientKind(StrEnum):
    PERSON = "person"
    ORGANISATION = "organisation"


class ContactKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    MESSENGER = "messenger"


class Client(Base):
    """One record per client, a person or an organisation, actual or potential."""

    __tablename__ = "client"
    __table_args__ = (Index("ix_client_sort", "sort_key", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ClientKind] = mapped_column(EnumText(ClientKind))
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(SortKey)
    language: Mapped[str | None] = mapped_column(String(8))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    tags: Mapped[list[str]]
    potential: Mapped[bool] = mapped_column(default=True)
    about: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    people: Mapped[list["Person"]] = relationship(back_populates="client", order_by="Person.id")


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
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    client: Mapped[Client] = relationship(back_populates="people")
    contact_points: Mapped[list["ContactPoint"]] = relationship(
        back_populates="person", order_by="ContactPoint.id"
    )


class ContactPoint(Base):
    """An address, number or messenger id that leads to a person."""

    __tablename__ = "contact_point"
    __table_args__ = (
        Index("uq_contact_point", "kind", "key", "person_id", unique=True),
        Index("ix_contact_point_tail", "tail"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[ContactKind] = mapped_column(EnumText(ContactKind))
    value: Mapped[str]  # as people write it
    key: Mapped[str]  # as it is compared: lower-case address, E.164 number
    tail: Mapped[str | None] = mapped_column(String(9))  # last digits of a number
    verified: Mapped[bool] = mapped_column(default=False)
    preferred: Mapped[bool] = mapped_column(default=False)
    bad: Mapped[bool] = mapped_column(default=False)
    soft_bounces: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    person: Mapped[Person] = relationship(back_populates="contact_points")
