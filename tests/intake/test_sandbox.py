"""Unusual email is read in a child that may die without harm."""

import os
import pickle
import threading
import time
from pathlib import Path

import pytest

from helpdesk.intake import sandbox
from helpdesk.intake.inbound import Inbound
from helpdesk.intake.sandbox import parse_in_child, understand
from tests.intake.mails import file_part, mail, multipart, part, read


def in_child(raw: bytes, seconds: float = 10, memory_mb: int = 512) -> Inbound:
    return parse_in_child(
        raw,
        envelope_from="oksana@client.example",
        own_addresses=lambda address: address == "support@desk.example",
        authserv_id="mx.desk.example",
        seconds=seconds,
        memory_mb=memory_mb,
    )


def test_the_child_reads_as_the_parent_does() -> None:
    raw = multipart(
        "mixed",
        part("Привіт, не працює"),
        file_part(b"\x00\xff" * 1000, "image/png", Content_ID="<a@b>"),
        From="support@desk.example",
        Authentication_Results="mx.desk.example; dmarc=pass",
    )
    got = in_child(raw)
    assert got == read(raw)
    assert got.no_receipt_reason == "own_address"
    assert got.auth == "pass"


def test_a_child_without_memory_leaves_the_readable_rest() -> None:
    raw = multipart("mixed", part("the first words"), file_part(os.urandom(9_000_000), "a/b"))
    got = in_child(raw, memory_mb=32)
    assert got.parse_errors in (("parser_died",), ("parser_error:MemoryError",))
    assert got.files == ()
    assert (got.subject, got.text, got.no_receipt) == ("Printer is broken", "the first words", True)
    assert got.sender is not None and got.sender.email == "oksana@client.example"


SLEEPER = "import sys, time; sys.stdin.buffer.read(); time.sleep(60)"
LIAR = "import sys, os, pickle; sys.stdin.buffer.read(); sys.stdout.buffer.write({!r})"


def test_a_child_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_COMMAND", (*sandbox._COMMAND[:1], "-c", SLEEPER))
    monkeypatch.setattr(sandbox, "START_SECONDS", 0)
    start = time.monotonic()
    assert in_child(mail(), seconds=0.5).parse_errors == ("parser_died",)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("answer", [b"", b"junk", pickle.dumps(os.getcwd), pickle.dumps(["x"])])
def test_an_answer_that_is_no_inbound_is_refused(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(sandbox, "_COMMAND", (*sandbox._COMMAND[:1], "-c", LIAR.format(answer)))
    assert in_child(mail()).parse_errors == ("parser_died",)


def test_a_missing_interpreter_is_no_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sandbox, "_COMMAND", (str(tmp_path / "none"),))
    assert in_child(mail()).text.strip() == "Hello, it does not work."


def test_cpu_time_is_bounded() -> None:
    """The limits are set before the email is read; a busy child ends after its seconds."""
    busy = (
        "import sys; from helpdesk.intake import sandbox; sandbox._limit(1, 512)\nwhile True: pass"
    )
    start = time.monotonic()
    assert sandbox._run((sandbox._COMMAND[0], "-c", busy), b"", 10) == b""
    assert time.monotonic() - start < 8


def test_ordinary_mail_starts_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_COMMAND", ("/nonexistent",))
    assert understand(mail(), envelope_from="a@b.example").parse_errors == ()
    many = multipart("mixed", *[part("x")] * 200)
    assert understand(many, envelope_from="a@b.example").parse_errors == ("parser_died",)


def test_unusual_mail_is_read_from_several_threads() -> None:
    raw = multipart("mixed", part("words"), *[file_part(b"x", "image/png")] * 150)
    found: list[Inbound] = []
    threads = [
        threading.Thread(target=lambda: found.append(understand(raw, envelope_from="a@b.example")))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(one.text.strip(), len(one.files)) for one in found] == [("words", 150)] * 3
