"""Requests and answers of the twin's HTTP interface, free of any server."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Incoming:
    """A request. `query` and `form` may name one thing several times."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    form: list[tuple[str, str]] = field(default_factory=list)
    user: str | None = None
    password: str | None = None
    body: bytes = b""

    def get(self, name: str) -> str | None:
        """A field of the form."""
        return next((value for key, value in self.form if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.form if key == name]

    def asked(self, name: str) -> str | None:
        """A parameter of the query."""
        return next((value for key, value in self.query if key == name), None)


@dataclass(frozen=True)
class Answer:
    """`status` 0: no answer at all, the connection just closes."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Problem(Exception):
    """A refusal with Twilio's number of the error."""

    def __init__(self, status: int, code: int, words: str) -> None:
        super().__init__(words)
        self.status, self.code = status, code

    def answer(self) -> Answer:
        return as_json(
            {
                "code": self.code,
                "message": str(self),
                "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
                "status": self.status,
            },
            self.status,
        )


def missing(path: str) -> Problem:
    return Problem(404, 20404, f"The requested resource {path} was not found")


def as_json(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False).encode())


def first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)
