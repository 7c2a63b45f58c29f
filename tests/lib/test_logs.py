"""Each log line is one JSON object, and no secret gets into one."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from helpdesk.lib import logs

CANARY = "canary-secret"


@pytest.fixture
def lines() -> Iterator[Any]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def fail() -> None:
    raise ValueError(f"no such password: {CANARY}")


def test_ours_and_those_of_libraries_are_json(lines: Any) -> None:
    structlog.get_logger().info("mail.taken", delivery_id=7)
    logging.getLogger("helpdesk.web").warning("page %s", "slow")
    logging.getLogger("somebody").warning("multi\nline\x1b[31m \u2028 text")
    first, second, third = lines()
    assert (first["event"], first["delivery_id"], first["level"]) == ("mail.taken", 7, "info")
    assert second["event"] == "page slow"
    assert third["logger"] == "somebody"


def test_an_error_tells_its_kind_and_place_but_not_its_words(lines: Any) -> None:
    for log in (structlog.get_logger().exception, logging.getLogger("helpdesk").exception):
        try:
            fail()
        except ValueError:
            log("job.failed")
    logging.getLogger("somebody").error("cannot log in as %s with %s", "a@b.example", CANARY)
    for line in lines()[:2]:
        assert line["error"] == "ValueError"
        assert line["at"][-1].startswith("lib/test_logs.py")
        assert line["at"][-1].endswith(" fail")
    assert CANARY not in json.dumps(lines())
    assert "a@b.example" not in json.dumps(lines())


def test_libraries_that_chatter_are_quiet(lines: Any) -> None:
    logging.getLogger("uvicorn.access").info("GET /t/token")
    logging.getLogger("mail.log").info("EHLO")
    assert lines() == []
