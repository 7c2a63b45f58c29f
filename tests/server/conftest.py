"""The running product for the tests of this folder."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import Template
from tests.product import Product
from tests.spawn import Spawner


@pytest.fixture
def product(templates: dict[str, Template], tmp_path: Path, spawner: Spawner) -> Product:
    """The product on a migrated, empty SQLite; not started yet."""
    shutil.copy(templates["sqlite"].source, tmp_path / "helpdesk.db")
    return Product(tmp_path, spawner=spawner)


@pytest.fixture
def product_on_both(database_url: str, tmp_path: Path, spawner: Spawner) -> Product:
    """The product on a migrated, empty database of both kinds; not started yet."""
    return Product(tmp_path, database_url, spawner=spawner)


@pytest.fixture
def fresh(tmp_path: Path, spawner: Spawner) -> Product:
    """The product on an empty folder."""
    return Product(tmp_path, spawner=spawner)
