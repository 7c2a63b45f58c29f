"""The OpenAPI document is complete, and the API does what it says."""

import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.definitions import OPENAPI_31

from helpdesk.api import PERMISSION_OF
from tests.api.conftest import Program
from tests.conftest import Template


@pytest.fixture
def template(templates: dict[str, Template]) -> Template:
    """One kind is enough here: the other tests run on both."""
    return templates["sqlite"]


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    response = app.test_client().get("/api/v1/openapi.json")
    found: dict[str, Any] = response.get_json()
    return found


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validator = jsonschema_rs.Draft202012Validator(OPENAPI_31)
    assert [error.message for error in validator.iter_errors(document)] == []
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    names = set(re.findall(r"'#/components/schemas/([^']+)'", str(document)))
    assert names <= document["components"]["schemas"].keys()
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in names)


def test_every_operation_says_what_it_is(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len(found) == len(PERMISSION_OF)
    assert len({operation["operationId"] for operation in found}) == len(found)
    for operation in found:
        assert operation["summary"].endswith(".") and operation["tags"]
        assert operation["security"] == [{"bearer": []}]
        codes = operation["responses"].keys()
        assert {"400", "401", "403", "404", "500", "503"} < codes
        assert codes & {"200", "201"}
        for code, response in operation["responses"].items():
            assert response["description"]
            kinds = response["content"].keys()
            assert (kinds == {"application/problem+json"}) == (code >= "400")
    with_body = [operation for operation in found if "requestBody" in operation]
    assert len(with_body) >= 8
    for operation in with_body:
        assert {"409", "413", "415", "422"} < operation["responses"].keys()


def test_it_tells_nothing_about_pages(document: dict[str, Any]) -> None:
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    assert document["servers"] == [{"url": "/"}]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_what_it_does_conforms(app: Flask, ada: Program, mode: GenerationMode) -> None:
    """All checks of schemathesis on requests that fit the document, and on ones that don't."""
    described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    for found in described.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=5,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def conforms(case: schemathesis.Case) -> None:
            plain = {"Authorization": f"Bearer {ada.token}", "Accept-Encoding": "identity"}
            case.call_and_validate(headers=plain)

        conforms()
