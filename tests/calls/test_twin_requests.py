"""How the twin asks: signed, in time, again, by the fallback; what it refuses; faults on demand."""

import pytest
from twilio.request_validator import RequestValidator

from helpdesk.calls.providers.twin.engine.requests import Reply
from tests.calls.exchange import (
    ACCOUNT,
    CALLER,
    OURS,
    PUBLIC,
    Desk,
    errors,
    said,
    xml,
)

SORRY = ["We are sorry, an application error has occurred. Goodbye."]
FALLBACK = "<Say>Leave a message</Say>"


def problems(desk: Desk) -> list[str]:
    return [entry.problem for entry in desk.twin.exchange.log if entry.problem]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_requests_are_signed_as_twilio_signs_them(method: str) -> None:
    query = "?q=%D1%83&amp;empty=&amp;n=1"
    page = f'<Redirect method="{method}">menu{query}#rc=2&amp;rp=all</Redirect>'
    desk = Desk({"voice": page, "menu": "<Say>Hello</Say>"})
    desk.call()
    desk.advance(5)
    assert desk.paths == ["voice", "menu", "status"]
    validator = RequestValidator(ACCOUNT.token)
    for asked in desk.asked:
        assert "#" not in asked.url
        given = asked.headers["X-Twilio-Signature"]
        assert validator.validate(asked.url, asked.params, given)
        assert not validator.validate(asked.url, {**asked.params, "From": "+1"}, given)
    menu = desk.asked[1]
    assert menu.query["q"] == ["у"] and menu.query["empty"] == [""]
    where = menu.params if method == "POST" else {n: v[0] for n, v in menu.query.items()}
    assert where["From"] == CALLER and bool(menu.params) == (method == "POST")


def test_a_document_has_fifteen_seconds_then_the_fallback_is_asked() -> None:
    late = Desk({"voice": Reply(200, b"", "text/xml", seconds=14.9)})
    late.pages["voice"] = lambda _: Reply(200, xml("<Say>Hello</Say>").body, "text/xml", 14.9)
    leg = late.call()
    assert said(leg) == ["Hello"]
    desk = Desk({"voice": xml("<Say>Hello</Say>"), "fallback": FALLBACK})
    desk.twin.exchange.faults.add("slow", "/twilio/voice", seconds=16)
    leg = desk.call()
    desk.advance(14)
    assert desk.paths == ["voice"] and leg.status == "ringing"
    desk.advance(1)
    assert said(leg) == ["Leave a message"]
    asked = desk.of("fallback")[0]
    assert asked["ErrorCode"] == "11200" and asked["ErrorUrl"] == f"{PUBLIC}/twilio/voice"
    assert asked["CallSid"] == leg.sid and asked["From"] == CALLER


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(500), "11200"),
        (Reply(404, b"no", "text/plain"), "11200"),
        (Reply(0, error=11205), "11205"),
        (Reply(200, b"<Response/>", "application/json"), "12300"),
        (Reply(200, b"<Response><Say>", "text/xml"), "12100"),
        (Reply(200, b"", "text/xml"), "12100"),
        (Reply(200, b"<Answer/>", "text/xml"), "12102"),
        (Reply(200, b"<Response>" + b" " * 65536 + b"</Response>", "text/xml"), "11750"),
        (xml('<Gather languge="uk-UA"/>'), "12200"),
        (xml("<Enqueue><Say>x</Say></Enqueue>"), "12200"),
        (xml("<Say></Say>"), "12200"),
    ],
)
def test_what_twilio_refuses_goes_to_the_fallback_or_ends_the_call(reply: Reply, code: str) -> None:
    desk = Desk({"voice": reply, "fallback": FALLBACK})
    leg = desk.call()
    assert desk.of("fallback")[0]["ErrorCode"] == code
    assert said(leg) == ["Leave a message"] and errors(leg) == []
    desk = Desk({"voice": reply, "fallback": Reply(503)})
    leg = desk.call()
    desk.advance(10)
    assert errors(leg) == SORRY and leg.status == "completed"
    assert any(problem.startswith(code) for problem in problems(desk))


def test_the_fallback_also_serves_what_is_asked_later_in_the_call() -> None:
    page = '<Gather numDigits="1" action="choice"/>'
    desk = Desk({"voice": page, "choice": Reply(500), "fallback": FALLBACK})
    leg = desk.call()
    desk.act(leg, "digits", keys="1")
    asked = desk.of("fallback")[0]
    assert asked["Digits"] == "1" and asked["ErrorUrl"].endswith("/choice")
    assert said(leg) == ["Leave a message"]


def test_tries_again_as_often_and_for_what_the_address_says() -> None:
    answers = [Reply(500), Reply(0, error=11205), xml("<Say>Hello</Say>")]
    for wishes, tries in (("", 1), ("#rc=1&amp;rp=5xx", 2), ("#rc=2&amp;rp=5xx,ct", 3)):
        left = list(answers)
        page = f"<Redirect>menu{wishes}</Redirect>"
        desk = Desk({"voice": page, "menu": lambda _, left=left: left.pop(0)})  # type: ignore[misc]
        leg = desk.call()
        asked = [a for a in desk.asked if a.path == "menu"]
        assert len(asked) == tries and (said(leg) == ["Hello"]) == (tries == 3)
        assert len({a.headers["I-Twilio-Idempotency-Token"] for a in asked}) == 1


def test_a_status_callback_that_fails_is_told_again_but_nobody_waits_for_it() -> None:
    desk = Desk({"voice": "<Hangup/>", "status": Reply(500)})
    desk.twin.exchange.number(OURS).urls["status_callback"] = f"{PUBLIC}/twilio/status#rc=3&rp=all"
    leg = desk.call()
    assert leg.status == "completed" and desk.paths == ["voice"] + ["status"] * 4
    assert len({str(p) for p in desk.of("status")}) == 1


def test_only_addresses_of_the_product_are_asked() -> None:
    for host in ("https://elsewhere.example", PUBLIC + ".evil.example", PUBLIC + "@evil.example"):
        desk = Desk({"voice": xml("")})
        desk.pages["voice"] = Reply(
            200, f"<Response><Redirect>{host}/x</Redirect></Response>".encode(), "text/xml"
        )
        leg = desk.call()
        desk.advance(10)
        assert desk.paths == ["voice", "fallback", "status"] and not leg.live
        assert any("HELPDESK_PUBLIC_URL" in problem for problem in problems(desk))


RING = '<Dial><Number statusCallback="leg" statusCallbackEvent="initiated ringing answered completed">+380501112233</Number></Dial>'  # noqa: E501


def states(desk: Desk) -> list[str]:
    return [params["CallStatus"] for params in desk.of("leg")]


def rung(*faults: tuple[str, str]) -> Desk:
    desk = Desk({"voice": RING, "leg": Reply(204)})
    for kind, match in faults:
        desk.twin.exchange.faults.add(kind, match, seconds=5)
    leg = desk.call()
    child = next(each for each in desk.twin.exchange.legs.values() if each is not leg)
    desk.act(child, "answer")
    desk.act(child, "hangup")
    return desk


def test_callbacks_are_lost_repeated_late_or_out_of_order_when_told_so() -> None:
    whole = ["initiated", "ringing", "in-progress", "completed"]
    assert states(rung()) == whole
    assert states(rung(("drop", "leg"))) == whole[1:]
    assert states(rung(("duplicate", "leg"))) == [whole[0], *whole]
    assert states(rung(("reorder", "leg"))) == ["ringing", "initiated", *whole[2:]]
    late = rung(("delay", "status"))
    assert states(late) == whole[1:]
    late.advance(5)
    assert states(late) == [*whole[1:], whole[0]]
    last = rung(*[("drop", "leg")] * 3, ("reorder", "leg"))
    assert states(last) == ["completed"] or not last.advance(2)
    assert states(last) == ["completed"]


def test_a_lost_answer_makes_the_document_be_asked_twice() -> None:
    page = "<Redirect>menu#rc=1&amp;rp=rt</Redirect>"
    desk = Desk({"voice": page, "menu": "<Say>Hello</Say>"})
    desk.twin.exchange.faults.add("lost", "/twilio/menu")
    leg = desk.call()
    assert desk.paths == ["voice", "menu", "menu"] and said(leg) == ["Hello"]
    assert desk.of("menu")[0] == desk.of("menu")[1]


def test_a_repeated_document_request_is_answered_but_changes_nothing() -> None:
    desk = Desk({"voice": "<Say>Hello</Say>"})
    desk.twin.exchange.faults.add("duplicate", "/twilio/voice")
    leg = desk.call()
    assert desk.paths == ["voice", "voice"] and said(leg) == ["Hello"]


def test_a_document_that_nobody_gives_or_that_fails_by_order() -> None:
    for kind in ("drop", "fail"):
        desk = Desk({"voice": "<Say>Hello</Say>", "fallback": FALLBACK})
        desk.twin.exchange.faults.add(kind, "/twilio/voice")
        leg = desk.call()
        assert "voice" not in desk.paths and said(leg) == ["Leave a message"]


def test_an_answer_that_comes_when_the_caller_has_gone_is_void() -> None:
    desk = Desk({"voice": "<Say>Hello</Say>"})
    desk.twin.exchange.faults.add("slow", "/twilio/voice", seconds=10)
    leg = desk.call()
    desk.advance(3)
    desk.act(leg, "hangup")
    desk.advance(20)
    assert leg.status == "no-answer" and said(leg) == [] and len(desk.of("status")) == 1
