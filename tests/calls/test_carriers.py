"""Which carrier an installation has: Twilio by its account, the offline twin without one."""

from pathlib import Path

import jwt
import pytest
import requests
from flask import request

from helpdesk.app import create_app
from helpdesk.calls import carriers
from helpdesk.calls.models import Provider
from helpdesk.calls.providers.twilio.carrier import TwilioCarrier
from helpdesk.calls.script import Say, Script
from tests.conftest import make_config

TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "a" * 32, "TWILIO_AUTH_TOKEN": "b" * 32,
    "TWILIO_API_KEY": "SK" + "c" * 32, "TWILIO_API_SECRET": "d" * 32,
    "TWILIO_APP_SID": "AP" + "e" * 32, "HELPDESK_TWILIO_API": "https://api.dublin.ie1.twilio.com",
    "HELPDESK_TWILIO_VOICES": "uk=Google.uk-UA-Wavenet-A",
}  # fmt: skip


def test_an_account_makes_it_twilio(tmp_path: Path) -> None:
    app = create_app(make_config(tmp_path, HELPDESK_TWIN_URL="http://127.0.0.1:4011", **TWILIO))
    with app.app_context():
        found = carriers.carrier()
        assert isinstance(found, TwilioCarrier)
        assert (found.provider, found.base) == (Provider.TWILIO, TWILIO["HELPDESK_TWILIO_API"])
        assert "Google.uk-UA-Wavenet-A" in found.document(Script([Say("Вітаємо", "uk")]))
        assert found.browser_token("agent-7")["kind"] == "twilio"
        assert carriers.carrier() is found, "connections are kept"


def test_without_an_account_it_is_the_twin_of_this_installation(tmp_path: Path) -> None:
    app = create_app(make_config(tmp_path))
    with app.app_context():
        down = carriers.carrier()
        assert isinstance(down, TwilioCarrier)
        assert (down.provider, down.base) == (Provider.TWIN, None)
        assert down.health()["account"] == "The offline twin is not running."
        app.config["TWIN_URL"] = "http://127.0.0.1:4011"
        app.extensions["carrier_session"] = requests.Session()
        found = carriers.carrier()
        assert isinstance(found, TwilioCarrier)
        assert found.base == "http://127.0.0.1:4011"
        assert found.session is app.extensions["carrier_session"]
        token, account = found.browser_token("agent-7"), carriers.account()
        assert jwt.decode(token["token"], account.token, algorithms=["HS256"])["iss"] == account.sid


@pytest.mark.parametrize("query", ["", "?n=1&offer=7", "?q=%D1%83%FF&%ZZ"])
def test_a_webhook_is_heard_in_the_products_words(tmp_path: Path, query: str) -> None:
    app = create_app(make_config(tmp_path))
    form = {"CallSid": "CA1", "From": "+380671234567", "Digits": "*"}
    with app.test_request_context(f"/twilio/menu{query}", method="POST", data=form):
        found = carriers.heard(request)
    assert (found.provider, found.kind, found.step) == (Provider.TWIN, "step", "menu")
    assert (found.from_number, found.digits) == ("+380671234567", "*")
