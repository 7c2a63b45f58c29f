"""Online backup into one file, and restore from it.

The file is a zstd-compressed tar: the database, the stored files, the secret key, and at the
end a manifest with the size and SHA-256 of each and the number of rows of each table.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import IO, TypeVar

import zstandard
from flask import current_app

from helpdesk.ext import db, dump
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database"
SECRET = "secret_key"
STORED = re.compile(r"files/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}")
WORK = ".helpdesk-backup-"
CHUNK = 1 << 20

T = TypeVar("T")


DAMAGED = _lazy("This is no whole backup: %(what)s.")


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `members` maps names to [size, SHA-256]."""

    database: str
    tables: Mapping[str, int]
    members: dict[str, tuple[int, str]] = field(default_factory=dict)
    format: int = FORMAT
    version: str = field(default_factory=lambda: version("helpdesk"))
    made_at: str = ""


def backup(target: Path) -> Manifest:
    """Write a backup while the product goes on. Raises HelpdeskError or OSError.

    The file appears whole or not at all, readable by its owner only.
    """
    target = target.resolve()
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    with _workshop(target.parent) as folder:
        tables = _understood(lambda: dump.dump(db.engine, folder / DATABASE))
        manifest = Manifest(dump.kind(db.engine), tables, made_at=now().isoformat())
        archive = folder / "archive"
        with _create(archive) as file:
            _pack(file, folder / DATABASE, manifest)
            file.flush()
            os.fsync(file.fileno())
        archive.replace(target)
    return manifest


def restore(source: Path, *, force: bool = False) -> Manifest:
    """Put a backup in the place of what is there; the product must not be running.

    Everything is verified first. Raises HelpdeskError, also where there is data and no `force`.
    """
    if not force and not dump.is_empty(db.engine):
        raise HelpdeskError(_lazy("There is data here already. Give --force to replace all of it."))
    data = Path(current_app.config["DATA_DIR"])
    with _workshop(data) as folder:
        manifest = _unpack(source, folder)
        _place_files(folder, data, manifest)
        _understood(lambda: dump.load(db.engine, folder / DATABASE, manifest.tables))
        if SECRET in manifest.members:
            (folder / SECRET).replace(data / SECRET)
    return manifest


def _understood(step: Callable[[], T]) -> T:
    try:
        return step()
    except dump.DumpError as error:
        raise HelpdeskError(str(error)) from error


@contextmanager
def _workshop(parent: Path) -> Iterator[Path]:
    """A folder for half-made things; those of processes that were killed are cleared away."""
    for left in parent.glob(f"{WORK}*"):
        if not Path(f"/proc/{left.name.removeprefix(WORK)}").exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / f"{WORK}{os.getpid()}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        error.filename = str(parent)  # nobody asked for the folder within
        raise
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _create(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _pack(file: IO[bytes], database: Path, manifest: Manifest) -> None:
    """The database first: files that come after its moment do no harm, missing ones would."""
    data = Path(current_app.config["DATA_DIR"])
    compressor = zstandard.ZstdCompressor(level=3)
    with (
        compressor.stream_writer(file, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        _add(tar, DATABASE, database, manifest)
        if (data / SECRET).exists():
            _add(tar, SECRET, data / SECRET, manifest)
        for path in sorted((data / "files").rglob("*")):
            name = path.relative_to(data).as_posix()
            if STORED.fullmatch(name):
                _add(tar, name, path, manifest)
        text = json.dumps(asdict(manifest)).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(text), 0o600
        tar.addfile(info, BytesIO(text))


def _add(tar: tarfile.TarFile, name: str, path: Path, manifest: Manifest) -> None:
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return  # erased in this moment
    with source:
        info = tarfile.TarInfo(name)
        info.size, info.mode = os.fstat(source.fileno()).st_size, 0o600
        reader = _Hashing(source)
        tar.addfile(info, reader)
    manifest.members[name] = (info.size, reader.digest.hexdigest())


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.source.read(size)
        self.digest.update(data)
        return data


def _unpack(source: Path, folder: Path) -> Manifest:
    """Unpack into a folder and compare with the manifest. Raises HelpdeskError."""
    try:
        with source.open("rb") as file:
            found = _extract(file, folder)
        if MANIFEST not in found:
            raise EOFError
        manifest = Manifest(**json.loads((folder / MANIFEST).read_bytes()))
    except (zstandard.ZstdError, tarfile.TarError, EOFError, ValueError, TypeError) as error:
        raise HelpdeskError(DAMAGED, what=_lazy("it cannot be read or ends too early")) from error
    wanted = {name: (size, sha256) for name, (size, sha256) in manifest.members.items()}
    if wrong := [name for name in wanted if found.get(name) != wanted[name]]:
        raise HelpdeskError(DAMAGED, what=f"{wrong[0]} +{len(wrong) - 1}")
    if manifest.format != FORMAT or DATABASE not in wanted:
        raise HelpdeskError(DAMAGED, what=_lazy("it is of another version"))
    if manifest.database != dump.kind(db.engine):
        raise HelpdeskError(
            _lazy("The backup is of %(kind)s: set HELPDESK_DATABASE_URL to such a database."),
            kind=manifest.database,
        )
    return manifest


def _extract(file: IO[bytes], folder: Path) -> dict[str, tuple[int, str]]:
    found = {}
    with (
        zstandard.ZstdDecompressor().stream_reader(file) as packed,
        tarfile.open(fileobj=packed, mode="r|") as tar,
    ):
        for info in tar:
            known = info.name in (MANIFEST, DATABASE, SECRET) or STORED.fullmatch(info.name)
            content = tar.extractfile(info) if known and info.isreg() else None
            if content is None:
                raise ValueError("an unexpected member")
            path = folder / info.name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _create(path) as target:
                reader = _Hashing(content)
                shutil.copyfileobj(reader, target, CHUNK)
            found[info.name] = (info.size, reader.digest.hexdigest())
    return found


def _place_files(folder: Path, data: Path, manifest: Manifest) -> None:
    """Stored files are named by their content: one that is there already is the same."""
    for name in manifest.members:
        if STORED.fullmatch(name):
            target = data / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / name).replace(target)
