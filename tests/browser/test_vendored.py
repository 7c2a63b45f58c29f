"""The checker of accessibility is the file that was taken from its makers."""

import hashlib
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "vendor"
VERSION = "4.14.1"


def test_vendored_test_tools_are_what_was_taken() -> None:
    listed = {
        path: digest
        for digest, path in (line.split() for line in (VENDOR / "HASHES").read_text().splitlines())
    }
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "HASHES"
    }
    assert found == listed
    assert f"axe v{VERSION}" in (VENDOR / "axe-core" / "axe.min.js").read_text()[:100]
    assert all((path / "LICENSE").is_file() for path in VENDOR.iterdir() if path.is_dir())
