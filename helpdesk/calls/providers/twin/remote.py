"""The twin's control interface as web pages use it: the simulator, a browser as telephone."""

import base64
import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from helpdesk.calls.providers.port import CarrierError
from helpdesk.calls.providers.twin.account import Account

PATIENCE = 5.0  # seconds


class Remote:
    """The twin at this address. All methods raise CarrierError; its `code` is the HTTP status:
    409 for what makes no sense now (in words for whoever tried it), 404 for an unknown call.
    """

    def __init__(self, url: str, account: Account) -> None:
        self.url = urlsplit(url)
        login = base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
        self.headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}

    def state(self, after: int = 0) -> dict[str, Any]:
        """{"now", "mode", "last", "calls": […], "log": […]}: see `twin.state`."""
        return self._ask("GET", f"/twin/state?{urlencode({'after': after})}")

    def call(self, from_: str, to: str, **params: str) -> str:
        """Call one of our numbers; returns the call's sid. `params` come with a browser's call."""
        body = {"from": from_, "to": to, "params": params}
        return str(self._ask("POST", "/twin/calls", body)["sid"])

    def act(self, sid: str, what: str, **data: object) -> None:
        """answer, decline, hangup, digits (digits="1"), speech (text="…", confidence=0.9)."""
        self._ask("POST", f"/twin/calls/{quote(sid, safe='')}/{quote(what, safe='')}", data)

    def clock(self, *, advance: float = 0, mode: str | None = None) -> dict[str, Any]:
        """Let seconds pass, or set the mode "real" or "manual"."""
        return self._ask("POST", "/twin/clock", {"advance": advance, "mode": mode})

    def faults(self, **fault: object) -> list[dict[str, Any]]:
        """Those to come, after adding one (kind="duplicate", match="/twilio/menu", …)."""
        return list(self._ask("POST", "/twin/faults", fault)["faults"])

    def sms(self, from_: str, to: str, body: str) -> str:
        """Write to one of our numbers; returns the message's sid."""
        return str(self._ask("POST", "/twin/sms", {"from": from_, "to": to, "body": body})["sid"])

    def messages(self) -> list[dict[str, Any]]:
        """All SMS, the oldest first."""
        return list(self._ask("GET", "/twin/sms")["messages"])

    def _ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        text = json.dumps(body or {}).encode() if method == "POST" else None
        link = http.client.HTTPConnection(
            self.url.hostname or "", self.url.port or 80, timeout=PATIENCE
        )
        try:
            link.request(method, path, text, self.headers)
            answer = link.getresponse()
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CarrierError("The twin does not answer.", again=True, unknown=True) from error
        finally:
            link.close()
        if answer.status >= 300:
            words = found.get("error") or found.get("message") or f"HTTP {answer.status}"
            raise CarrierError(str(words), again=False, code=answer.status)
        return found
