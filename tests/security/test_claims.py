"""The page on security claims nothing without a test that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def test_every_named_test_exists() -> None:
    named = NAMED.findall(PAGE)
    sources = {path: (ROOT / "tests" / path).read_text("utf-8") for path, _name in named}
    assert not [f"{path}::{name}" for path, name in named if f"def {name}(" not in sources[path]]
    assert len(named) > 90


def test_every_incident_and_threat_has_a_row() -> None:
    ids = set(re.findall(r"\b([IT]\d{1,2})\b", "\n".join(re.findall(r"(?m)^\| ([^|]+) \|", PAGE))))
    assert ids == {f"I{n}" for n in range(1, 35)} | {f"T{n}" for n in range(1, 42)}


def test_a_row_without_a_test_says_what_is_missing() -> None:
    rows = [row for row in PAGE.splitlines() if re.match(r"\| [IT]\d", row)]
    assert not [row for row in rows if not NAMED.search(row) and "Not there yet" not in row]
