"""Browsers, programs, mailrooms and whole products for those who mean harm."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.cast import Cast
from tests.conftest import Template
from tests.intake.conftest import door, mailroom
from tests.product import Product
from tests.spawn import Spawner
from tests.web.conftest import Pages, desk
from tests.web.rooms import enter

__all__ = ["desk", "door", "mailroom"]


@pytest.fixture
def pages(app: Flask, cast: Cast) -> Iterator[Pages]:
    """A browser that is not logged in, with the pages of every reader."""
    with app.test_client() as client:
        yield enter(Pages(app, client))


@pytest.fixture
def product(templates: dict[str, Template], tmp_path: Path, spawner: Spawner) -> Product:
    """The product on a migrated, empty SQLite; not started yet."""
    shutil.copy(templates["sqlite"].source, tmp_path / "helpdesk.db")
    return Product(tmp_path, spawner=spawner, HELPDESK_MAIL_DOMAIN="example.com")
