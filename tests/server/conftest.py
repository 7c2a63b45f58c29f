"""The running product for the tests of this folder."""

from pathlib import Path

import pytest

from tests.server.product import Product


@pytest.fixture
def product(database_url: str, tmp_path: Path) -> Product:
    """The product on a migrated, empty database of both kinds; not started yet."""
    return Product(tmp_path, database_url)


@pytest.fixture
def fresh(tmp_path: Path) -> Product:
    """The product on an empty folder."""
    return Product(tmp_path)
