"""`/healthz`, `/readyz`, `/metrics` tell the truth in plain words, whatever else is broken."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete

from helpdesk import ext
from helpdesk.app import create_app
from helpdesk.lib.clock import now
from helpdesk.live import heartbeat
from helpdesk.settings import Setting
from tests.cast import Cast
from tests.conftest import make_config


def beat(*names: str, stuck: tuple[str, ...] = ()) -> None:
    with ext.write() as session:
        for name in names:
            heartbeat.beat(session, name, now(), list(stuck))


def test_ready_when_worker_and_smtp_give_signs_of_life(
    app: Flask, clock: time_machine.Traveller
) -> None:
    client = app.test_client()
    beat("worker")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {
        "ready": False,
        "database": "ok",
        "worker": "ok",
        "smtp": "has not started",
    }
    beat("smtp")
    assert client.get("/readyz").status_code == 200
    clock.shift(timedelta(seconds=31))
    beat("smtp")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["worker"] == "silent for 31 seconds"
    beat("worker", stuck=("outbox",))
    answer = client.get("/readyz")
    assert answer.json is not None
    assert answer.json["worker"] == "stuck: outbox"


def test_a_sign_of_life_is_one_row(app: Flask) -> None:
    beat("worker")
    beat("worker")
    with ext.write() as session:
        done = session.execute(delete(Setting))
        assert getattr(done, "rowcount", 0) == 1


def test_without_a_database_the_process_is_up_but_not_ready(tmp_path: Path) -> None:
    url = "postgresql://me:canary@127.0.0.1:1/help"
    client = create_app(make_config(tmp_path, url)).test_client()
    assert client.get("/healthz").data == b"ok\n"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["database"] == "does not answer"
    assert b"canary" not in answer.data
    measured = client.get("/metrics")
    assert b"helpdesk_database_up 0.0" in measured.data


def test_metrics_count_requests_and_rows(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    client.get("/nothing/here")
    text = client.get("/metrics").text
    assert "helpdesk_database_up 1.0" in text
    assert 'helpdesk_http_request_seconds_count{status="4xx"} 1.0' in text
    assert "helpdesk_events_todo" in text
    assert "helpdesk_clocks_late 0.0" in text
    assert "example.com" not in text


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 404),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}, 404),
        ("192.0.2.7", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"Authorization": "Bearer wrong"}, 404),
    ],
)
def test_metrics_are_for_this_machine(
    app: Flask, address: str, headers: dict[str, str], status: int
) -> None:
    client = app.test_client()
    answer = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_metrics_are_for_an_administrators_token(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        agent = cast.token(session, cast.alice)
        admin = cast.token(session, cast.ada)
        narrow = cast.token(session, cast.ada, "ticket.read")
    for token, status in ((agent, 404), (narrow, 404), (admin, 200)):
        answer = app.test_client().get(
            "/metrics",
            headers={"Authorization": f"Bearer {token}"},
            environ_base={"REMOTE_ADDR": "192.0.2.7"},
        )
        assert answer.status_code == status


def test_health_is_read_only_and_never_kept(app: Flask) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert app.test_client().post(path).status_code == 405
        assert app.test_client().head(path).data == b""
        assert app.test_client().get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 404),
        ("x.localhost:8000", 404),
        ("127.0.0.1:8000", 404),
        ("192.0.2.7", 404),
        ("[::1]:8000", 404),
        ("help.example.com", 404),
        ("evil.example", 400),
        ("help.example.com.evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("help.example.com@evil.example", 400),
        ("[evil.example]", 400),
        ("a b", 400),
    ],
)
@pytest.mark.parametrize("settings", [{"HELPDESK_PUBLIC_URL": "https://help.example.com"}])
def test_a_foreign_host_name_is_refused(
    app: Flask, settings: dict[str, str], host: str, status: int
) -> None:
    answer = app.test_client().get("/nothing/here", headers={"Host": host})
    assert answer.status_code == status
    assert "evil" not in answer.text


def test_a_page_without_its_database_says_so_and_asks_to_try_again(tmp_path: Path) -> None:
    url = "postgresql://me:canary@127.0.0.1:1/help"
    client = create_app(make_config(tmp_path, url)).test_client()
    for path, headers in (("/desk", {}), ("/desk", {"HX-Request": "true"}), ("/no", {})):
        client.set_cookie("helpdesk_login", "x" * 40)
        answer = client.get(path, headers=headers)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert "does not answer" in answer.text
        assert "canary" not in answer.text
