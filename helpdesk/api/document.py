"""The OpenAPI document: finishes what APIFlask derives from views and models."""

from typing import Any

from helpdesk.api.problems import MIMETYPE
from helpdesk.api.shapes.base import KEY, MAX_ID, Problem

DESCRIPTION = (
    "Every contact is a ticket tied to one client. Send `Authorization: Bearer TOKEN`; a token "
    "may do what its user may, within its scopes. Lists take `limit` and `cursor`. Errors are "
    "application/problem+json. Moments are UTC (RFC 3339)."
)
SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "Made by `helpdesk token create --user EMAIL --name NAME`.",
    }
}
WORDS = {
    "400": "The request could not be read, or a parameter does not fit.",
    "401": "There is no valid token.",
    "403": "The token may not do that.",
    "404": "There is nothing here, or it is not for this token.",
    "409": "It contradicts what is there, or a rule that the schema can't say.",
    "412": "The thing has changed since the version that If-Match names.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "The body does not fit its schema.",
    "500": "A fault on our side.",
    "503": "The database is busy or away; try again.",
}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A repeat of the same request with this key within 24 hours has no second "
    "effect and gets the first answer.",
    "schema": {"type": "string", "pattern": KEY},
}
_PREFIX = "#/components/schemas/"


def finish(document: dict[str, Any]) -> dict[str, Any]:
    """The document with one schema a name, described problems, and ids in their range."""
    document["info"]["description"] = DESCRIPTION
    components = document.setdefault("components", {})
    schemas = components.get("schemas", {})
    named = {_short(name): _renamed(schema) for name, schema in schemas.items()}
    named |= _schemas_of(Problem)
    components["schemas"] = dict(sorted(named.items()))
    document["paths"] = _renamed(document["paths"])
    for path in document["paths"].values():
        for method, operation in path.items():
            _finish(method, operation)
    return document


def _schemas_of(model: type[Problem]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=_PREFIX + "{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}


def _finish(method: str, operation: dict[str, Any]) -> None:
    for code, response in operation["responses"].items():
        if MIMETYPE in response.get("content", {}):
            response["description"] = WORDS[code]
    for parameter in operation["parameters"]:
        if parameter["in"] == "path" and parameter["schema"].get("type") != "string":
            parameter["schema"] |= {"format": "int64", "minimum": 1, "maximum": MAX_ID}
        description = parameter["schema"].pop("description", None)
        if description:
            parameter["description"] = description
    if method == "post":
        operation["parameters"].append(IDEMPOTENCY)
        operation["responses"].setdefault("409", _problem("409"))
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    if operation["operationId"] in ("read_attachment", "read_recording"):
        binary = {"schema": {"type": "string", "format": "binary"}}
        operation["responses"]["200"] = {
            "description": "The file.",
            "content": {"application/octet-stream": binary},
        }


def _problem(code: str) -> dict[str, Any]:
    schema = {"$ref": f"{_PREFIX}Problem"}
    return {"description": WORDS[code], "content": {MIMETYPE: {"schema": schema}}}


def _short(name: str) -> str:
    """APIFlask names the parts of a model `Model.Part`; the part has that shape everywhere."""
    return name.rpartition(".")[2]


def _renamed(node: Any) -> Any:
    if isinstance(node, list):
        return [_renamed(item) for item in node]
    if isinstance(node, dict):
        return {key: _renamed(value) for key, value in node.items()}
    if isinstance(node, str) and node.startswith(_PREFIX):
        return _PREFIX + _short(node.removeprefix(_PREFIX))
    return node
