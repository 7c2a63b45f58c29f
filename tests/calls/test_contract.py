"""Every request that we make of Twilio is one that Twilio's own OpenAPI file allows."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
import requests
from requests.adapters import HTTPAdapter

from helpdesk.calls.models import LegState, Provider
from helpdesk.calls.providers.port import CarrierError
from helpdesk.calls.providers.twilio.carrier import TwilioCarrier
from helpdesk.calls.providers.twilio.signature import Account
from helpdesk.calls.providers.twilio.tokens import Browser
from helpdesk.calls.providers.twin import server
from tests.calls import prism
from tests.calls.exchange import ACCOUNT as TWIN
from tests.calls.exchange import CALLER, OURS, PUBLIC, START, Desk

ACCOUNT = Account("AC" + "a" * 32, "b" * 32)
CALL, CONFERENCE, RECORDING = "CA" + "1" * 32, "CF" + "2" * 32, "RE" + "3" * 32
DESK = "https://desk.example.com"
SINCE = datetime(2026, 11, 23, 9, tzinfo=UTC)
TO, FROM = "+380671234567", "+380441230000"

JOIN = (
    '<Dial><Conference participantLabel="%s" statusCallback="conference"'
    ' statusCallbackEvent="start end join leave hold">c-1</Conference></Dial>'
)
PAGES = {
    "voice": '<Enqueue action="left" waitUrl="wait">q-1</Enqueue>',
    "wait": "<Play>m.wav</Play>",
    "join": JOIN % "customer",
    "agent": JOIN % "agent-7",
    "hold": "<Say>One moment</Say>",
}
RING = {"from_number": FROM, "step": "agent?offer=7", "timeout": 20, "status": "status?offer=7"}

ASKED: dict[str, Callable[[TwilioCarrier], object]] = {
    "ring a number": lambda c: c.place_call(TO, **RING),
    "ring a browser phone": lambda c: c.place_call("client:agent-7", **RING),
    "look for a call after a time-out": lambda c: c.find_call(TO, since=SINCE, status="status"),
    "redirect": lambda c: c.redirect(CALL, "join?offer=7"),
    "hang up": lambda c: c.hang_up(CALL),
    "hold": lambda c: c.hold(CONFERENCE, CALL, True),
    "end the hold": lambda c: c.hold(CONFERENCE, CALL, False),
    "fetch a call": lambda c: c.fetch_call(CALL),
    "calls while we were down": lambda c: c.calls_since(SINCE),
    "recordings while we were down": lambda c: c.recordings_since(SINCE),
    "messages while we were down": lambda c: c.sms_since(SINCE),
    "record a talk": lambda c: c.start_recording(CALL, "recording"),
    "delete a recording": lambda c: c.delete_recording(RECORDING),
    "send an SMS": lambda c: c.send_sms(TO, "Привіт", from_number=FROM, status="sms/status"),
}


def carrier(base: str, account: Account = ACCOUNT) -> TwilioCarrier:
    browser = Browser("SK" + "4" * 32, "c" * 32, "AP" + "5" * 32)
    session = requests.Session()
    session.hooks["response"].append(one_page)
    session.mount("http://", NoNumbers())
    return TwilioCarrier(account, DESK, base=base, browser=browser, session=session)


class NoNumbers(HTTPAdapter):
    """The example of a telephone number breaks the contract's own rules: ask for none."""

    def send(
        self, request: requests.PreparedRequest, *args: object, **more: object
    ) -> requests.Response:
        if "/IncomingPhoneNumbers" in (request.url or ""):
            request.headers["Prefer"] = "example=readEmpty"
        return super().send(request, *args, **more)  # type: ignore[arg-type]


def one_page(response: requests.Response, **_: object) -> None:
    """The next pages in the contract's examples are not within the contract themselves."""
    told = response.content
    response._content = re.sub(rb'"next_page_uri": *"[^"]*"', b'"next_page_uri":null', told)


@pytest.fixture(scope="module")
def contract() -> Iterator[str]:
    with prism.running("mock", str(prism.SPEC)) as address:
        yield address


@pytest.mark.parametrize("name", ASKED)
def test_a_request_keeps_to_the_contract(contract: str, name: str) -> None:
    ASKED[name](carrier(contract))


def test_the_health_check_keeps_to_the_contract(contract: str) -> None:
    """The examples of the contract are no account of ours, so it finds something to put right."""
    found = carrier(contract).health()
    assert found["account"] == "ok"
    assert set(found) == {"account", "numbers", "recordings", "browser_phones"}
    assert not [words for words in found.values() if words[:3].isdecimal()], found


def test_the_referee_has_teeth(contract: str) -> None:
    """Without a number to show, with a wrong word or in a foreign name nothing is rung."""
    url = f"{contract}/2010-04-01/Accounts/{ACCOUNT.sid}/Calls.json"
    good = {"To": TO, "From": FROM, "Url": DESK, "Method": "POST"}
    refused = [{"From": ""}, {"To": ""}, {"Method": "FETCH"}, {"Url": "no address"}]
    auth = (ACCOUNT.sid, ACCOUNT.token)
    assert requests.post(url, good, auth=auth, timeout=30).status_code == 201
    for change in refused:
        form = {name: value for name, value in (good | change).items() if value}
        assert requests.post(url, form, auth=auth, timeout=30).status_code == 422
    assert requests.post(url, good, timeout=30).status_code == 401
    with pytest.raises(CarrierError) as caught:
        carrier(contract, replace(ACCOUNT, sid="XX")).fetch_call(CALL)
    assert not caught.value.again


@dataclass(frozen=True)
class Behind:
    """The twin with the contract as a referee before it."""

    desk: Desk
    proxy: str

    @property
    def carrier(self) -> TwilioCarrier:
        account = Account(TWIN.sid, TWIN.token)
        app = Browser("SK" + "4" * 32, "c" * 32, TWIN.sid.replace("AC", "AP"))
        return TwilioCarrier(account, PUBLIC, Provider.TWIN, base=self.proxy, browser=app)


@pytest.fixture(scope="module")
def behind() -> Iterator[Behind]:
    """Both speak through real sockets: Prism is a program of its own."""
    desk, stop = Desk(dict(PAGES)), threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    serving = threading.Thread(target=server.serve_http, args=(desk.twin, listening, stop))
    serving.start()
    try:
        with prism.running("proxy", str(prism.SPEC), url) as proxy:
            yield Behind(desk, proxy)
    finally:
        stop.set()
        serving.join(5)


def test_a_whole_call_keeps_to_the_contract_on_both_sides(behind: Behind) -> None:
    """Requests of ours and answers of the twin: the proxy refuses whichever breaks it."""
    desk, ours = behind.desk, behind.carrier
    customer = desk.call()
    agent = ours.place_call("client:agent-7", **RING | {"from_number": OURS})
    desk.twin.driver.settle()
    assert ours.fetch_call(agent).state == LegState.RINGING
    assert ours.find_call("client:agent-7", since=START, status="status?offer=7") == agent
    desk.act(desk.twin.exchange.legs[agent], "answer")
    ours.redirect(customer.sid, "join?offer=7")
    desk.twin.driver.settle()
    conference = next(iter(desk.twin.exchange.conferences))
    recording = ours.start_recording(customer.sid, "recording")
    for held in (True, False):
        ours.hold(conference, customer.sid, held)
        desk.twin.driver.settle()
    desk.advance(20)
    for leg in (agent, agent, customer.sid):
        ours.hang_up(leg)
        desk.twin.driver.settle()
    desk.advance(5)
    assert ours.fetch_call(customer.sid).state == LegState.COMPLETED
    assert {one.provider_id for one in ours.calls_since(START)} == {customer.sid, agent}
    assert [one.provider_id for one in ours.recordings_since(START)] == [recording]
    ours.delete_recording(recording)
    ours.delete_recording(recording)
    ours.send_sms(CALLER, "Дзвінок був корисним?", from_number=OURS, status="sms/status")
    desk.twin.write(CALLER, OURS, "Так")
    desk.twin.driver.settle()
    assert [one.body for one in ours.sms_since(START)] == ["Так"]
    assert ours.fetch_call("CA" + "0" * 32).state is None


def test_a_request_against_the_contract_does_not_even_reach_the_twin(behind: Behind) -> None:
    before = len(behind.desk.twin.exchange.legs)
    with pytest.raises(CarrierError) as caught:
        behind.carrier.place_call(TO, **RING | {"from_number": ""})
    assert not caught.value.again
    assert len(behind.desk.twin.exchange.legs) == before


def test_the_twin_passes_the_health_check_through_the_contract(behind: Behind) -> None:
    found = behind.carrier.health()
    assert (found["account"], found["numbers"]) == ("ok", "ok"), found
