"""Custom fields: what else is kept of a client or person, described as data by an administrator."""

from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.ext import Base, EnumText


class FieldKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes_no"


class Field(Base):
    """One field of the client's profile. Values lie in `client.profile` under `key`."""

    __tablename__ = "field"
    __table_args__ = (Index("ix_field_position", "position", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)  # ASCII, as in the API and CSV
    labels: Mapped[dict[str, Any]]  # {"en": "Birthday", "ru": ..., "uk": ...}
    kind: Mapped[FieldKind] = mapped_column(EnumText(FieldKind))
    choices: Mapped[list[str]]  # values of a choice, in their order
    sensitive: Mapped[bool] = mapped_column(default=False)  # needs client.sensitive
    wanted: Mapped[bool] = mapped_column(default=False)  # an empty one is listed as a gap
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
