"""Programs that talk to the API: one client a token."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from helpdesk import api, ext
from helpdesk.accounts.models import User
from tests.cast import Cast

V1 = "/api/v1"


@dataclass
class Program:
    """A program with a token; paths are those behind /api/v1."""

    client: FlaskClient
    token: str

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})}
        return self.client.open(V1 + path, method=method, headers=headers, **kwargs)

    def get(self, path: str, expected: int = 200, /, **query: Any) -> Any:
        response = self.call("GET", path, query_string=query)
        return checked(response, expected)

    def post(self, path: str, body: Any = None, status: int = 201, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return checked(self.call("POST", path, json=body, headers=sent), status)

    def patch(self, path: str, body: Any, status: int = 200, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return checked(self.call("PATCH", path, json=body, headers=sent), status)


def checked(response: TestResponse, status: int) -> Any:
    """The JSON of a response whose status and type are as they must be."""
    assert response.status_code == status, response.get_data(as_text=True)
    kind = "application/json" if status < 400 else "application/problem+json"
    assert response.mimetype == kind
    body = response.get_json(force=True)
    if status >= 400:
        assert body.keys() == {"type", "title", "status", "detail", "errors"}
        assert body["status"] == status and body["detail"]
    return body


@pytest.fixture
def app(app: Flask) -> Iterator[Flask]:
    if "api" not in app.blueprints:
        api.register(app)
    yield app


@pytest.fixture
def program(app: Flask, cast: Cast) -> Callable[..., Program]:
    """A program that acts for a user, within scopes if any are given."""

    def make(user: User, *scopes: str) -> Program:
        with ext.write() as session:
            return Program(app.test_client(), cast.token(session, user, *scopes))

    return make


@pytest.fixture
def alice(program: Callable[..., Program], cast: Cast) -> Program:
    return program(cast.alice)


@pytest.fixture
def bob(program: Callable[..., Program], cast: Cast) -> Program:
    return program(cast.bob)


@pytest.fixture
def sam(program: Callable[..., Program], cast: Cast) -> Program:
    return program(cast.sam)


@pytest.fixture
def ada(program: Callable[..., Program], cast: Cast) -> Program:
    return program(cast.ada)
