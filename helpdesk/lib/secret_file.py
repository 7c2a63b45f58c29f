"""The secret key: given by the environment, or made once and kept in the data folder."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


def secret_key(given: str | None, data_dir: Path) -> str:
    """The key that signs links, addresses and forms. Changing it makes old links stop working.

    Raises OSError where the folder cannot be written.
    """
    if given:
        return given
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = data_dir / f".secret_key.{uuid4().hex}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)  # of several processes starting at once the first one wins
        temporary.unlink()
    return path.read_text("ascii")
