"""Tables of imports: a run with its progress, its problems, and mappings that were used before."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.ext import Base, EnumText, partial_index
from helpdesk.files import StoredFile


class RunState(StrEnum):
    MAPPING = "mapping"  # waits for a person to say what the columns are
    CHECKING = "checking"  # dry run
    CHECKED = "checked"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by a person; can go on
    FAILED = "failed"  # the file cannot be read on


class ImportKind(StrEnum):
    CLIENTS = "clients"
    PURCHASES = "purchases"
    INVOICES = "invoices"
    ITEMS = "items"


class ImportRun(Base):
    """One file on its way into the base. `row` is the last row that is committed."""

    __tablename__ = "import_run"
    __table_args__ = (partial_index("ix_import_run_todo", "id", where="todo IS NOT NULL"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ImportKind] = mapped_column(EnumText(ImportKind))
    state: Mapped[RunState] = mapped_column(EnumText(RunState))
    todo: Mapped[int | None]  # 1 while the worker has something to do
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"), index=True)
    filename: Mapped[str]
    reading: Mapped[dict[str, Any]]  # {"format": "csv", "encoding": ..., "delimiter": ..., "sheet"}
    headers: Mapped[list[str]]
    mapping: Mapped[dict[str, Any]]  # {header: field}
    row: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int | None]  # how many there are, once known
    created: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    same: Mapped[int] = mapped_column(default=0)
    bad: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None]  # why it failed: {"message": a msgid, "parts": {...}}
    worker: Mapped[str | None] = mapped_column(String(32))  # the process that has it open
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    file: Mapped[StoredFile] = relationship()


class ImportProblem(Base):
    """What is wrong with one cell: said in the reader's language from a message and its parts."""

    __tablename__ = "import_problem"
    __table_args__ = (Index("ix_import_problem_run", "run_id", "row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"))
    row: Mapped[int]
    column: Mapped[str] = mapped_column(default="")
    message: Mapped[str]  # a msgid
    parts: Mapped[dict[str, Any]]  # its parameters
    warning: Mapped[bool] = mapped_column(default=False)  # the row is imported all the same


class ImportMapping(Base):
    """What a file with these headers was mapped to the last time."""

    __tablename__ = "import_mapping"
    __table_args__ = (Index("uq_import_mapping", "kind", "signature", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ImportKind] = mapped_column(EnumText(ImportKind))
    signature: Mapped[str] = mapped_column(String(64))  # SHA-256 of the headers
    mapping: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
