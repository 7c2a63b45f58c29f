"""A carrier's hand in tests: signs webhooks and posts them to the app."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask
from werkzeug.test import TestResponse

from helpdesk.calls.carriers import account
from helpdesk.calls.providers.twin.engine.signing import signature

CALLER = "+380671234567"
OURS = "+380443334455"


@dataclass
class Carrier:
    """`post("/twilio/voice", CallSid="CA1")` as Twilio would."""

    app: Flask

    def post(self, path: str, **params: str) -> TestResponse:
        return self.send(path, params)

    def send(
        self, path: str, params: Mapping[str, str], *, token: str | None = None
    ) -> TestResponse:
        """`token`: of somebody else's account."""
        public = self.app.config["PUBLIC_URL"]
        with self.app.app_context():
            signed = signature(token or account().token, public + path, params)
            return self.app.test_client().post(
                path,
                base_url=public,
                data=dict(params),
                headers={"X-Twilio-Signature": signed},
            )

    def calls(self, sid: str = "CA1", **params: str) -> TestResponse:
        """A call comes in."""
        return self.post(
            "/twilio/voice",
            **{"CallSid": sid, "From": CALLER, "To": OURS, "CallStatus": "ringing"} | params,
        )

    def reports(self, status: str, sid: str = "CA1", **params: str) -> TestResponse:
        """The state of a leg."""
        about = {"CallSid": sid, "From": CALLER, "To": OURS, "CallStatus": status}
        return self.post("/twilio/status", **about | params)
