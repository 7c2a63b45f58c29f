"""Only the carrier may tell us of calls; what it signed is believed, nothing else is."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask, request
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from helpdesk.app import create_app
from helpdesk.calls import carriers
from helpdesk.calls.script import Redirect, Script
from tests.conftest import make_config

TOKEN, SECOND, SHARED = "b" * 32, "s" * 32, "webhooks-shared-key-secret"
DESK = "https://desk.example.com"
FORM = {"CallSid": "CA1", "From": "+380671234567", "Digits": "", "CallerName": "Оксана Коваль"}
SHARED_HEADER = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"


@dataclass
class Door:
    """The product behind a proxy: the world knows it by https, it hears plain HTTP."""

    app: Flask
    headers: dict[str, str] = field(default_factory=dict)

    def lets_in(self, path: str, signature: str | None, **sent: object) -> bool:
        headers = self.headers | ({"X-Twilio-Signature": signature} if signature else {})
        with self.app.test_request_context(
            path, base_url="http://127.0.0.1:5000", headers=headers, **sent
        ):
            return carriers.authentic(request)


def signed(url: str, form: object = FORM, token: str = TOKEN, algorithm: str | None = None) -> str:
    made: str = RequestValidator(token).compute_signature(url, form, algorithm)
    return made


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    config = make_config(
        tmp_path_factory.mktemp("door"),
        HELPDESK_PUBLIC_URL=DESK,
        TWILIO_ACCOUNT_SID="AC" + "a" * 32,
        TWILIO_AUTH_TOKEN=TOKEN,
        TWILIO_AUTH_TOKEN_SECONDARY=SECOND,
        TWILIO_SHARED_KEY=SHARED,
    )
    app = create_app(config)
    with app.app_context():
        yield Door(app)


def test_a_call_behind_a_tls_proxy_is_let_in(door: Door) -> None:
    """The proxy speaks http and another host to us; Twilio signed what the world sees."""
    assert door.lets_in("/twilio/voice", signed(f"{DESK}/twilio/voice"), method="POST", data=FORM)
    inside = signed("http://127.0.0.1:5000/twilio/voice")
    assert not door.lets_in("/twilio/voice", inside, method="POST", data=FORM)


def test_the_port_may_stand_in_the_signed_address(door: Door) -> None:
    signature = signed(f"{DESK}:443/twilio/voice")
    assert door.lets_in("/twilio/voice", signature, method="POST", data=FORM)


def test_cyrillic_in_the_address_is_checked_as_it_was_sent(door: Door) -> None:
    """Decoding and encoding again would be another text: %D1%83, %d1%83 and у are three."""
    for query in ("q=%D1%83", "q=%d1%83", "%D1%82=1", "q=a+b%20c", "q=", "q=1&q=2&empty"):
        path = f"/twilio/menu?{query}"
        signature = signed(DESK + path)
        assert door.lets_in(path, signature, method="POST", data=FORM), query
        assert not door.lets_in(path + "1", signature, method="POST", data=FORM)


def test_a_forged_unsigned_or_changed_call_is_kept_out(door: Door) -> None:
    good = signed(f"{DESK}/twilio/voice")
    more = {**FORM, "Admin": "1"}
    fewer = {name: value for name, value in FORM.items() if name != "Digits"}
    for form in (more, fewer, FORM | {"From": "+380670000000"}, {}):
        assert not door.lets_in("/twilio/voice", good, method="POST", data=form)
    for wrong in (None, "", "x", good[:-1], good.lower(), "підпис", signed(DESK, FORM, "c" * 32)):
        header = None if wrong is None else wrong.encode("utf-8").decode("latin-1")
        assert not door.lets_in("/twilio/voice", header, method="POST", data=FORM)
    assert not door.lets_in("/twilio/status", good, method="POST", data=FORM)


def test_a_parameter_nobody_knows_yet_is_signed_too(door: Door) -> None:
    """Twilio adds parameters without notice."""
    form = FORM | {"StirVerstat": "TN-Validation-Passed-A", "НовеПоле": "так"}
    signature = signed(f"{DESK}/twilio/voice", form)
    assert door.lets_in("/twilio/voice", signature, method="POST", data=form)


def test_blank_and_repeated_values_are_part_of_what_was_signed(door: Door) -> None:
    pairs = MultiDict([("Digits", ""), ("CallSid", "CA1"), ("Event", "a"), ("Event", "b")])
    signature = signed(f"{DESK}/twilio/menu", pairs)
    assert door.lets_in("/twilio/menu", signature, method="POST", data=pairs)
    del pairs["Digits"]
    assert not door.lets_in("/twilio/menu", signature, method="POST", data=pairs)


def test_while_the_token_is_changed_both_are_good(door: Door) -> None:
    for token in (TOKEN, SECOND):
        signature = signed(f"{DESK}/twilio/voice", FORM, token)
        assert door.lets_in("/twilio/voice", signature, method="POST", data=FORM)


def test_a_shared_key_signs_with_sha256_and_only_so(door: Door) -> None:
    url = f"{DESK}/twilio/voice"
    shared = Door(door.app, {"X-Twilio-Webhooks-Signature-Settings": SHARED_HEADER})
    sent = {"method": "POST", "data": FORM}
    assert shared.lets_in("/twilio/voice", signed(url, FORM, SHARED, "HMAC_SHA256"), **sent)
    assert not shared.lets_in("/twilio/voice", signed(url, FORM, TOKEN, "HMAC_SHA256"), **sent)
    assert not shared.lets_in("/twilio/voice", signed(url, FORM, TOKEN), **sent)
    assert not door.lets_in("/twilio/voice", signed(url, FORM, SHARED), **sent)
    odd = Door(door.app, {"X-Twilio-Webhooks-Signature-Settings": "key=1,algorithm=NONE"})
    assert not odd.lets_in("/twilio/voice", signed(url), **sent)


def test_json_is_believed_by_its_hash_and_refused_without(door: Door) -> None:
    """Without bodySHA256 the library itself fails with a TypeError: that is a 403, no error."""
    body = json.dumps({"call": "CA1", "хто": "Оксана"}).encode()
    digest = hashlib.sha256(body).hexdigest()
    path = f"/twilio/status?bodySHA256={digest}"
    sent = {"method": "POST", "content_type": "application/json"}
    signature = signed(DESK + path, {})
    assert door.lets_in(path, signature, data=body, **sent)
    assert not door.lets_in(path, signature, data=body.replace(b"CA1", b"CA2"), **sent)
    assert not door.lets_in(path, signature, data=b"\xff\xfe", **sent)
    bare = "/twilio/status"
    assert not door.lets_in(bare, signed(DESK + bare, {}), data=body, **sent)
    other = "/twilio/status?xbodySHA256=1"
    assert not door.lets_in(other, signed(DESK + other, {}), data=body, **sent)


def test_the_fragment_that_steers_time_outs_is_no_part_of_the_signature(door: Door) -> None:
    address = carriers.carrier().document(Script([Redirect("menu?n=2")])).partition("#")[0]
    path = address.partition(DESK)[2].replace("&amp;", "&")
    assert door.lets_in(path, signed(DESK + path), method="POST", data=FORM)


def test_a_get_is_signed_by_its_address_alone(door: Door) -> None:
    path = "/twilio/voice?CallSid=CA1&From=%2B380671234567"
    assert door.lets_in(path, signed(DESK + path, {}))
    assert not door.lets_in(path + "0", signed(DESK + path, {}))


def test_what_is_too_large_or_garbage_is_kept_out_and_nothing_breaks(door: Door) -> None:
    good = signed(f"{DESK}/twilio/voice")
    for body, kind in (
        ("a=" + "x" * (3 << 20), "application/x-www-form-urlencoded"),
        (b"--x\r\nrubbish", "multipart/form-data; boundary=x"),
        (b"\x00\xff" * 50, "application/x-www-form-urlencoded"),
    ):
        assert not door.lets_in("/twilio/voice", good, method="POST", data=body, content_type=kind)


def test_without_an_account_only_the_twin_of_this_installation_is_believed(door: Door) -> None:
    door.app.config.update(TWILIO_ACCOUNT_SID=None)
    try:
        twin = signed(f"{DESK}/twilio/voice", FORM, carriers.account().token)
        assert door.lets_in("/twilio/voice", twin, method="POST", data=FORM)
        other = signed(f"{DESK}/twilio/voice", FORM, "")
        assert not door.lets_in("/twilio/voice", other, method="POST", data=FORM)
    finally:
        door.app.config.update(TWILIO_ACCOUNT_SID="AC" + "a" * 32)
