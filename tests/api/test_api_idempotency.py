"""A repeated POST has one effect."""

import threading
from collections.abc import Callable
from datetime import timedelta

import time_machine
from flask import Flask
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.accounts.models import IdempotentAnswer
from helpdesk.api import idempotency
from helpdesk.lib.clock import now
from helpdesk.tickets.models import Ticket
from tests.api.conftest import V1, Program
from tests.api.test_api_tickets import ASKED
from tests.cast import Cast


def tickets() -> int:
    with ext.session() as session:
        return session.scalar(select(func.count(Ticket.id))) or 0


def test_a_repeat_gets_the_first_answer(alice: Program) -> None:
    first = alice.call("POST", "/tickets", json=ASKED, headers={"Idempotency-Key": "k1"})
    ticket = first.get_json()
    alice.patch(f"/tickets/{ticket['id']}", {"priority": "low"})
    again = alice.call("POST", "/tickets", json=ASKED, headers={"Idempotency-Key": "k1"})
    assert again.status_code == 201 and again.data == first.data and tickets() == 1
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


def test_without_a_key_or_with_another_each_has_its_effect(alice: Program, sam: Program) -> None:
    alice.post("/tickets", ASKED)
    alice.post("/tickets", ASKED)
    for key in ("a", "b", "A"):
        alice.post("/tickets", ASKED, Idempotency_Key=key)
    sam.post("/tickets", ASKED, Idempotency_Key="a")
    assert tickets() == 6


def test_a_key_is_for_one_request(alice: Program) -> None:
    ticket = alice.post("/tickets", ASKED, Idempotency_Key="k")
    other = ASKED | {"priority": "high"}
    problem = alice.post("/tickets", other, 409, Idempotency_Key="k")
    assert problem["errors"][0]["field"] == "Idempotency-Key"
    path = f"/tickets/{ticket['id']}/messages"
    alice.post(path, {"kind": "note", "text": "x"}, 409, Idempotency_Key="k")
    assert tickets() == 1


def test_a_refused_request_does_not_use_up_its_key(alice: Program) -> None:
    alice.post("/tickets", ASKED | {"queue": "Nowhere"}, 409, Idempotency_Key="k")
    alice.post("/tickets", ASKED | {"text": ""}, 422, Idempotency_Key="k")
    alice.post("/tickets", ASKED, Idempotency_Key="k")
    assert tickets() == 1


A_MALFORMED_KEY_IS_REFUSED: list[str] = ["", " ", "a b", "x" * 256, "ключ"]


def test_a_malformed_key_is_refused(alice: Program) -> None:
    for key in A_MALFORMED_KEY_IS_REFUSED:
        header = {"Idempotency-Key": key.encode().decode("latin-1")}
        response = alice.call("POST", "/tickets", json=ASKED, headers=header)
        assert response.status_code == 400 and tickets() == 0


def test_a_key_is_forgotten_after_a_day(alice: Program, clock: time_machine.Traveller) -> None:
    alice.post("/tickets", ASKED, Idempotency_Key="k")
    clock.shift(timedelta(hours=23, minutes=59))
    alice.post("/tickets", ASKED, Idempotency_Key="k")
    assert tickets() == 1
    clock.shift(timedelta(minutes=1))
    alice.post("/tickets", ASKED, Idempotency_Key="k")
    assert tickets() == 2
    clock.shift(timedelta(hours=25))
    with ext.write() as session:
        assert idempotency.sweep(session, now()) == 1
    with ext.session() as session:
        assert session.scalar(select(IdempotentAnswer.id)) is None


def test_parallel_repeats_have_one_effect(
    app: Flask, cast: Cast, program: Callable[..., Program]
) -> None:
    token = program(cast.alice).token
    program(cast.alice).get("/tickets")
    start, answers = threading.Barrier(8), []

    def send() -> None:
        client = app.test_client()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "same"}
        start.wait()
        response = client.post(f"{V1}/tickets", json=ASKED, headers=headers)
        answers.append((response.status_code, response.data))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1 and answers[0][0] == 201
    assert tickets() == 1
