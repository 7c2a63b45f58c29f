"""What we ask of Twilio, and what its refusals and silences mean for a caller."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

from helpdesk.calls.models import Direction, LegState, Provider
from helpdesk.calls.providers.port import CarrierError
from helpdesk.calls.providers.twilio.carrier import TwilioCarrier
from helpdesk.calls.providers.twilio.rest import PATIENCE
from helpdesk.calls.providers.twilio.signature import Account
from helpdesk.calls.providers.twilio.tokens import Browser

ACCOUNT = Account("AC" + "a" * 32, "b" * 32)
CALL, RECORDING = "CA" + "1" * 32, "RE" + "3" * 32
DESK, SINCE = "https://desk.example.com", datetime(2026, 11, 23, 9, tzinfo=UTC)
ROW = {
    "sid": CALL, "status": "completed", "direction": "inbound", "duration": "61",
    "from": "+380671234567", "to": "+380441230000",
    "date_created": "Mon, 23 Nov 2026 10:00:00 +0000",
    "start_time": "Mon, 23 Nov 2026 10:00:02 +0000", "end_time": "Mon, 23 Nov 2026 10:01:03 +0000",
}  # fmt: skip


@dataclass
class Line(BaseAdapter):
    """Stands where the network would be: keeps what was asked, answers as it is told to."""

    answers: list[tuple[int, object, dict[str, str]] | Exception] = field(default_factory=list)
    asked: list[requests.PreparedRequest] = field(default_factory=list)
    patience: object = None

    def send(self, request: requests.PreparedRequest, **more: object) -> requests.Response:  # type: ignore[override]
        self.asked.append(request)
        self.patience = more["timeout"]
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, body, headers = answer
        response.raw = BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        response.headers.update(headers)
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        """Nothing is open."""

    def form(self, index: int = -1) -> dict[str, list[str]]:
        return parse_qs(str(self.asked[index].body or ""))


def carrier(*answers: object, **more: object) -> tuple[TwilioCarrier, Line]:
    line = Line([a if isinstance(a, Exception | tuple) else (200, a, {}) for a in answers])
    session = requests.Session()
    session.mount("https://", line)
    session.mount("http://", line)
    return TwilioCarrier(ACCOUNT, DESK, session=session, **more), line  # type: ignore[arg-type]


def refused(status: int, code: int = 0, words: str = "No") -> tuple[int, object, dict[str, str]]:
    return (status, {"status": status, "code": code, "message": words}, {})


def test_an_agents_phone_rings_with_every_address_the_flow_needs() -> None:
    desk, line = carrier((201, {"sid": CALL}, {}))
    placed = desk.place_call(
        "client:agent-7",
        from_number="+380441230000",
        step="agent?offer=7",
        timeout=20,
        status="status?offer=7",
    )
    form = line.form()
    assert placed == CALL
    assert form["Url"] == [f"{DESK}/twilio/agent?offer=7#ct=2000&rt=4000&rc=1&rp=ct,rt,5xx"]
    assert form["StatusCallback"] == [f"{DESK}/twilio/status?offer=7#rc=5&rp=all"]
    assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert form["FallbackUrl"][0].startswith(f"{DESK}/twilio/fallback#")
    assert (form["To"], form["Timeout"]) == (["client:agent-7"], ["20"])
    assert line.patience == PATIENCE, "a request without a time-out could hang for ever"


def never_connected() -> requests.ConnectionError:
    reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "again", "unknown", "code"),
    [
        (refused(429, 20429), True, False, 20429),
        (refused(500), True, True, 500),
        (refused(503), True, False, 503),
        ((502, b"<html>Bad gateway</html>", {}), True, True, 502),
        (refused(400, 21211, "The 'To' number +380671234567 is not valid"), False, False, 21211),
        (refused(401, 20003), False, False, 20003),
        (refused(400, 21215), False, False, 21215),
        (requests.ReadTimeout("slow"), True, True, None),
        (requests.ConnectTimeout("far"), True, False, None),
        (never_connected(), True, False, None),
        (requests.ConnectionError("cut in the middle"), True, True, None),
        ((201, b"not JSON", {}), True, True, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_refusal_is_final_a_hiccup_is_tried_again_and_silence_is_looked_up(
    answer: object, again: bool, unknown: bool, code: int | None
) -> None:
    """Of a silence nobody knows whether the phone rings: ringing twice would be worse."""
    desk, _ = carrier(answer)
    with pytest.raises(CarrierError) as caught:
        desk.place_call("+380671234567", from_number="+380441230000", step="join", timeout=20,
                        status="status")  # fmt: skip
    error = caught.value
    assert (error.again, error.unknown, error.code) == (again, unknown, code)
    assert "380671234567" not in str(error), "an error is kept, a number in it is not"


def test_after_a_silence_the_call_that_rings_is_found() -> None:
    old = ROW | {"sid": "CA0", "direction": "outbound-api",
                 "date_created": "Mon, 23 Nov 2026 08:00:00 +0000"}  # fmt: skip
    theirs = ROW | {"sid": "CA9"}
    ours = ROW | {"direction": "outbound-api"}
    for rows, found in (([theirs, ours, old], CALL), ([theirs, old], None), ([], None)):
        desk, line = carrier({"calls": rows, "next_page_uri": "/next"})
        assert desk.find_call("+380671234567", since=SINCE, status="status") == found
        assert parse_qs(urlsplit(str(line.asked[0].url)).query)["To"] == ["+380671234567"]


@pytest.mark.parametrize("answer", [refused(404, 20404), refused(404), refused(400, 21220)])
def test_hanging_up_what_is_gone_is_no_error(answer: object) -> None:
    carrier(answer)[0].hang_up(CALL)
    assert carrier(refused(404))[0].fetch_call(CALL).state is None
    carrier(refused(404))[0].delete_recording(RECORDING)
    with pytest.raises(CarrierError) as caught:
        carrier(answer)[0].redirect(CALL, "join")
    assert not caught.value.again
    with pytest.raises(CarrierError):
        carrier(refused(500))[0].hang_up(CALL)


def test_a_held_customer_hears_our_document() -> None:
    desk, line = carrier(ROW, ROW)
    desk.hold("CF1", CALL, True)
    assert line.form()["HoldUrl"][0].startswith(f"{DESK}/twilio/hold#")
    desk.hold("CF1", CALL, False)
    assert line.form() == {"Hold": ["false"]}


def test_what_happened_while_we_were_down() -> None:
    page = {"calls": [ROW], "next_page_uri": None}
    (found,) = carrier(page)[0].calls_since(SINCE)
    assert (found.provider_id, found.state, found.seconds) == (CALL, LegState.COMPLETED, 61)
    assert (found.from_number, found.direction) == ("+380671234567", Direction.INBOUND)
    assert found.started_at == datetime(2026, 11, 23, 10, 0, 2, tzinfo=UTC)
    recorded = {"sid": RECORDING, "call_sid": CALL, "duration": "12", "status": "completed",
                "date_created": "Mon, 23 Nov 2026 10:00:00 +0000"}  # fmt: skip
    (kept,) = carrier({"recordings": [recorded], "next_page_uri": None})[0].recordings_since(SINCE)
    assert (kept.provider_id, kept.call_id, kept.seconds, kept.absent) == (
        RECORDING,
        CALL,
        12,
        False,
    )
    text = {"sid": "SM1", "from": "+380671234567", "to": "+380441230000", "body": "Привіт",
            "direction": "inbound", "num_media": "1"}  # fmt: skip
    sent = text | {"sid": "SM2", "direction": "outbound-api"}
    uri = f"/2010-04-01/Accounts/{ACCOUNT.sid}/Messages/SM1/Media/ME1.json"
    desk, _ = carrier(
        {"messages": [text, sent], "next_page_uri": None},
        {"media_list": [{"sid": "ME1", "uri": uri}], "next_page_uri": None},
    )
    (texted,) = desk.sms_since(SINCE)
    assert (texted.provider_id, texted.body, len(texted.media)) == ("SM1", "Привіт", 1)
    assert texted.media[0].endswith("/Media/ME1")


def test_a_list_that_is_refused_is_a_refusal_too() -> None:
    for status, again in ((401, False), (503, True)):
        with pytest.raises(CarrierError) as caught:
            carrier(refused(status))[0].calls_since(SINCE)
        assert caught.value.again is again


def wav(**headers: str) -> tuple[int, object, dict[str, str]]:
    return (200, b"RIFF", {"Content-Type": "audio/x-wav"} | headers)


def test_a_recording_is_fetched_with_our_log_in() -> None:
    desk, line = carrier(wav(), wav())
    assert desk.fetch_recording(RECORDING) == (b"RIFF", "audio/x-wav")
    assert str(line.asked[-1].url).endswith(f"/Recordings/{RECORDING}.wav")
    assert "Authorization" in line.asked[-1].headers
    with pytest.raises(CarrierError):
        desk.fetch_recording("RE1/../../Calls")


def test_an_hour_of_talk_is_fetched_compressed() -> None:
    mp3 = (200, b"ID3", {"Content-Type": "audio/mpeg"})
    desk, line = carrier((200, b"", {"Content-Length": str(115 << 20)}), mp3)
    assert desk.fetch_recording(RECORDING) == (b"ID3", "audio/mpeg")
    assert str(line.asked[-1].url).endswith(".mp3")


def test_a_recording_that_is_not_there_yet_is_asked_for_again() -> None:
    with pytest.raises(CarrierError) as caught:
        carrier(refused(404), refused(404))[0].fetch_recording(RECORDING)
    assert caught.value.again


MEDIA = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT.sid}/Messages/MM1/Media/ME1"


def test_a_picture_lies_at_the_carriers_storage_and_our_log_in_stays_with_the_carrier() -> None:
    storage = (307, b"", {"Location": "https://media.twiliocdn.com/x/y"})
    desk, line = carrier(storage, (200, b"JPG", {"Content-Type": "image/jpeg; x=1"}))
    assert desk.fetch_media(MEDIA) == (b"JPG", "image/jpeg")
    assert "Authorization" in line.asked[0].headers
    assert "Authorization" not in line.asked[1].headers


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/2010-04-01/Accounts/x", "file:///etc/passwd", "http://169.254.169.254/",
     MEDIA.replace("api.twilio.com", "api.twilio.com.evil.example"),
     MEDIA.replace(ACCOUNT.sid, "AC" + "f" * 32), MEDIA + "/../../../x",
     MEDIA.replace("https://", "https://user@evil.example\\@"), "", "//api.twilio.com/x"],
)  # fmt: skip
def test_an_address_that_is_not_the_carriers_is_never_asked(url: str) -> None:
    desk, line = carrier()
    with pytest.raises(CarrierError) as caught:
        desk.fetch_media(url)
    assert not caught.value.again
    assert not line.asked


@pytest.mark.parametrize("place", ["https://evil.example/x", "http://media.twiliocdn.com/x", "//x"])
def test_a_redirect_to_elsewhere_is_not_followed(place: str) -> None:
    desk, line = carrier((302, b"", {"Location": place}))
    with pytest.raises(CarrierError):
        desk.fetch_media(MEDIA)
    assert len(line.asked) == 1


def test_another_base_address_is_used_for_all_of_it() -> None:
    desk, line = carrier({"sid": CALL}, wav(), wav(), base="http://127.0.0.1:4011")
    desk.redirect(CALL, "join")
    desk.fetch_recording(RECORDING)
    assert {urlsplit(str(one.url)).netloc for one in line.asked} == {"127.0.0.1:4011"}


def test_a_twin_that_does_not_run_is_never_looked_for_at_twilio() -> None:
    desk, line = carrier(base=None, provider=Provider.TWIN)
    asks: list[Callable[[], object]] = [
        lambda: desk.redirect(CALL, "join"),
        lambda: desk.fetch_recording(RECORDING),
        lambda: desk.fetch_media(MEDIA),
    ]
    for ask in asks:
        with pytest.raises(CarrierError, match="twin is not running") as caught:
            ask()
        assert caught.value.again
    assert not line.asked


def test_a_browser_registers_with_a_token_of_its_own() -> None:
    browser = Browser("SK" + "4" * 32, "c" * 32, "AP" + "5" * 32)
    found = carrier(browser=browser)[0].browser_token("agent-7")
    claims = jwt.decode(found["token"], "c" * 32, algorithms=["HS256"])
    assert (found["kind"], found["identity"]) == ("twilio", "agent-7")
    assert claims["grants"]["identity"] == "agent-7"
    assert claims["grants"]["voice"]["outgoing"]["application_sid"] == browser.app_sid
    assert claims["grants"]["voice"]["incoming"] == {"allow": True}
    assert claims["exp"] - claims["nbf"] <= found["seconds"] == 3600
    with pytest.raises(CarrierError, match="TWILIO_API_KEY"):
        carrier()[0].browser_token("agent-7")
