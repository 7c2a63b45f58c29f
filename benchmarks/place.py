"""Where measurements live: the kept databases, scratch copies, settings of the measured product."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from config import Config
from helpdesk.app import create_app

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "var" / "bench"
SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
MAIL_DOMAIN = "bench.example"
SUPPORT = f"support@{MAIL_DOMAIN}"


def folder_of(size: str) -> Path:
    """The data folder of the kept database of this size."""
    return BENCH / size


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Environment variables of a product on this data folder, on free ports."""
    return {
        "HELPDESK_DATA_DIR": str(folder),
        "HELPDESK_MAIL_DOMAIN": MAIL_DOMAIN,
        "HELPDESK_HTTP_BIND": f"127.0.0.1:{free_port()}",
        "HELPDESK_SMTP_BIND": f"127.0.0.1:{free_port()}",
        "HELPDESK_DEMO": "0",
        "SECRET_KEY": "benchmark-secret-key-of-32-chars",
        **more,
    }


def application(folder: Path) -> Flask:
    """The product on this data folder, in this process."""
    return create_app(Config.from_env(environment(folder)))


@contextmanager
def scratch(size: str) -> Iterator[Path]:
    """A copy of the kept database of this size to write into; deleted afterwards."""
    with copied(folder_of(size)) as folder:
        yield folder


@contextmanager
def copied(source: Path) -> Iterator[Path]:
    """A copy of the database in this data folder to write into; deleted afterwards."""
    folder = BENCH / f"scratch-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        shutil.copyfile(source / "helpdesk.db", folder / "helpdesk.db")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])
