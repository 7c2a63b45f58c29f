"""What lies at the carrier, for tests of records: sounds, pictures and SMS, without a socket."""

import base64
import hashlib
import hmac
import io
import json
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from flask import Flask
from requests.adapters import BaseAdapter
from werkzeug.test import TestResponse

from helpdesk.calls import carriers

BASE = "http://carrier.test"


def _sound() -> bytes:
    """A tenth of a second of nothing, as a browser plays it."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(1_600))
    return made.getvalue()


WAV = _sound()


@dataclass
class Stored(BaseAdapter):
    """Its files and SMS, and every request it got: (method, path, form)."""

    app: Flask
    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)  # by a part of the path
    texts: list[dict[str, Any]] = field(default_factory=list)  # SMS that came in
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    refuse: tuple[int, int] | None = None  # (HTTP status, code) for all SMS
    silent: bool = False  # does what it is asked, and no answer arrives
    count: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        session = requests.Session()
        session.mount("http://", self)
        session.mount("https://", self)
        self.app.config["TWIN_URL"] = BASE
        self.app.extensions[carriers.SESSION] = session

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        parts = urlsplit(request.url)
        form = dict(parse_qsl(request.body or "", keep_blank_values=True))
        self.asked.append((request.method, parts.path, form))
        assert parts.netloc == "carrier.test", f"asked {parts.netloc}"
        if request.method == "DELETE":
            self.files = {name: v for name, v in self.files.items() if name not in parts.path}
            return _answer(request, 204, b"")
        if parts.path.endswith("/Messages.json"):
            return self._messages(request)
        for name, (data, kind) in self.files.items():
            if name in parts.path:
                return _answer(request, 200, data, kind)
        return _answer(request, 404, b"{}")

    def close(self) -> None:
        """Nothing is open."""

    def _messages(self, request: Any) -> requests.Response:
        if request.method == "GET":
            return _json(request, 200, {"messages": self.texts, "next_page_uri": None})
        if self.refuse is not None:
            status, code = self.refuse
            return _json(request, status, {"code": code, "message": "No.", "status": status})
        self.count += 1
        if self.silent:
            raise requests.ReadTimeout("no answer")
        return _json(request, 201, {"sid": f"SM{self.count:032}"})

    @property
    def sent(self) -> list[dict[str, str]]:
        """The SMS that it was asked to send."""
        return [
            form
            for method, path, form in self.asked
            if method == "POST" and path.endswith("/Messages.json")
        ]

    def post(self, path: str, params: Mapping[str, str], *, signed: bool = True) -> TestResponse:
        """Send a webhook as the carrier does."""
        found = carriers.account()
        url = self.app.config["PUBLIC_URL"] + path
        text = url + "".join(name + params[name] for name in sorted(params))
        digest = hmac.new(found.token.encode(), text.encode(), hashlib.sha1).digest()
        headers = {"X-Twilio-Signature": base64.b64encode(digest).decode()} if signed else {}
        return self.app.test_client().post(
            path,
            data=urlencode(params),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )


def _json(request: Any, status: int, body: Mapping[str, Any]) -> requests.Response:
    return _answer(request, status, json.dumps(body).encode(), "application/json")


def _answer(
    request: Any, status: int, data: bytes, kind: str = "application/json"
) -> requests.Response:
    found = requests.Response()
    found.status_code, found.url, found.request = status, request.url, request
    found.raw = io.BytesIO(data)
    found.headers["Content-Type"] = kind
    found.headers["Content-Length"] = str(len(data))
    return found
