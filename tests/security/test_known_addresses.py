"""T17: neither the words nor the time of an answer tell whether we know an address."""

import time
from statistics import median

from flask import Flask

from helpdesk import ext
from helpdesk.clients.match import find_or_create
from helpdesk.lib.clock import now
from tests.cast import Cast

PAIRS = 40
FAR = 0.005  # seconds


def test_asking_for_a_code_takes_as_long_for_strangers(app: Flask, cast: Cast) -> None:
    """The email is made by the worker, so that the request does the same for both."""
    app.config["WTF_CSRF_ENABLED"] = False
    with ext.write() as session:
        for n in range(PAIRS):
            find_or_create(session, email=f"known{n}@client.example", at=now())
    took: dict[str, list[float]] = {"known": [], "other": []}
    lengths = set()
    for n in range(PAIRS):
        order = ("known", "other") if n % 2 else ("other", "known")
        for kind in order:
            client = app.test_client()
            source = {"REMOTE_ADDR": f"192.0.2.{n + 1}"}
            fields = {"contact": f"{kind}{n}@client.example"}
            began = time.perf_counter()
            answer = client.post("/my", data=fields, environ_base=source)
            took[kind].append(time.perf_counter() - began)
            lengths.add((answer.status_code, answer.location, len(answer.data)))
    assert lengths == {(303, "/my/code", len(answer.data))}
    assert abs(median(took["known"]) - median(took["other"])) < FAR
