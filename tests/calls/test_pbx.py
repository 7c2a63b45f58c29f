"""A telephone exchange of others tells of its calls: log, card, missed calls."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.calls import exchange
from helpdesk.calls.models import (
    Call,
    CallCommand,
    CallEvent,
    CallState,
    EndReason,
    LegState,
    Offer,
    OfferOutcome,
    Provider,
)
from helpdesk.calls.providers import pbx
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.models import Person
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.planner.models import Task, TaskKind
from helpdesk.tickets.models import Channel, Ticket
from tests.cast import Cast

OKSANA = "+380671234567"
Post = Callable[..., TestResponse]


@pytest.fixture
def post(app: Flask, cast: Cast) -> Post:
    """Sends an event to the address that the administrator made."""
    with ext.write() as session:
        token = exchange.renew(session)

    def send(event: str, call_id: str = "17.1", **values: Any) -> TestResponse:
        told = {"event": event, "call_id": call_id, "from": "067 123 45 67"} | values
        return app.test_client().post(f"/hooks/pbx/{token}", json=told)

    return send


def the_call() -> Call:
    with ext.session() as session:
        return session.scalars(select(Call).order_by(Call.id)).one()


def count(model: type[ext.Base]) -> int:
    with ext.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def knows_oksana(cast: Cast) -> None:
    with ext.write() as session:
        person = session.get_one(Person, cast.oksana.person_id)
        add_contact_point(session, person, kind="phone", value=OKSANA, country="UA", at=now())


def test_a_call_pops_the_clients_card_and_is_on_the_record(
    post: Post, cast: Cast, clock: time_machine.Traveller
) -> None:
    knows_oksana(cast)
    assert post("started", agent="Alice@Example.com").status_code == 200
    call = the_call()
    assert (call.provider, call.provider_id, call.state) == (
        Provider.PBX,
        "17.1",
        CallState.OFFERED,
    )
    assert (call.from_number, call.client_id) == (OKSANA, cast.oksana.client_id)
    with ext.session() as session:
        offer = session.scalars(select(Offer)).one()
    assert (offer.user_id, offer.closed_at) == (cast.alice.id, None)
    clock.shift(8)
    post("answered", agent="alice@example.com")
    call = the_call()
    assert (call.state, call.user_id, call.answered_at) == (CallState.TALKING, cast.alice.id, now())
    with ext.session() as session:
        offer = session.scalars(select(Offer)).one()
        busy = session.get_one(presence.Presence, cast.alice.id)
    assert offer.outcome == OfferOutcome.ACCEPTED
    assert busy.state == presence.Availability.IN_CALL, (
        "our distribution gives her nothing meanwhile"
    )
    clock.shift(60)
    post("ended")
    call = the_call()
    assert (call.state, call.end_reason) == (CallState.WRAP_UP, EndReason.TALKED)
    assert call.ended_at == now()
    assert count(CallCommand) == 0, "a foreign exchange takes no orders"


def test_a_call_that_nobody_answered_becomes_a_ticket_with_a_callback(
    post: Post, cast: Cast, clock: time_machine.Traveller
) -> None:
    knows_oksana(cast)
    post("started", agent="alice@example.com")
    clock.shift(25)
    post("ended")
    call = the_call()
    assert (call.state, call.waiting) == (CallState.ENDED, None)
    assert call.end_reason in (EndReason.ABANDONED_RING, EndReason.ABANDONED_QUEUE)
    with ext.session() as session:
        ticket = session.scalars(select(Ticket)).one()
        task = session.scalars(select(Task)).one()
        offer = session.scalars(select(Offer)).one()
        alice = session.get(presence.Presence, cast.alice.id)
    assert (ticket.channel, ticket.client_id) == (Channel.PHONE, cast.oksana.client_id)
    assert (task.kind, task.number, task.ticket_id) == (TaskKind.CALLBACK, OKSANA, ticket.id)
    assert offer.outcome == OfferOutcome.WITHDRAWN
    assert alice is None or not alice.paused, "letting a foreign call ring pauses nobody"


def test_a_call_that_rings_at_several_agents_pops_at_the_latest(post: Post, cast: Cast) -> None:
    post("started", agent="alice@example.com")
    post("started", agent="bob@example.com")
    post("answered", agent="bob@example.com")
    with ext.session() as session:
        rows = session.execute(select(Offer.user_id, Offer.outcome).order_by(Offer.id)).all()
    assert [tuple(row) for row in rows] == [
        (cast.alice.id, OfferOutcome.WITHDRAWN),
        (cast.bob.id, OfferOutcome.ACCEPTED),
    ]
    assert the_call().user_id == cast.bob.id


def test_a_second_call_leaves_the_first_in_front_of_the_agent(post: Post, cast: Cast) -> None:
    post("started", "1", agent="alice@example.com")
    assert post("started", "2", agent="alice@example.com").status_code == 200
    assert (count(Call), count(Offer)) == (2, 1)


def test_an_agents_own_telephone_is_known_by_its_number(post: Post, cast: Cast) -> None:
    with ext.write() as session:
        presence.set_phone(session, cast.alice.id, "own", "+380501112233", country="UA", at=now())
    post("started", agent="050 111 22 33")
    with ext.session() as session:
        assert session.scalars(select(Offer.user_id)).one() == cast.alice.id


@pytest.mark.parametrize("agent", ["", "nobody@example.com", "101", "+380509999999", "Аліса"])
def test_an_agent_that_is_none_of_ours_is_no_error(post: Post, cast: Cast, agent: str) -> None:
    for event in ("started", "answered", "ended"):
        assert post(event, agent=agent).status_code == 200
    call = the_call()
    assert (call.state, call.end_reason) == (CallState.ENDED, EndReason.TALKED)
    assert (call.user_id, count(Offer), count(Task)) == (None, 0, 0)


def test_repeats_change_nothing_and_get_the_same_answer(post: Post, cast: Cast) -> None:
    for event in ("started", "answered", "ended"):
        first = post(event, agent="alice@example.com")
        before = the_call().facts
        for _ in range(3):
            assert post(event, agent="alice@example.com").data == first.data
        assert the_call().facts == before
    assert count(Offer) == 1


def test_in_whatever_order_the_events_come_the_talk_is_on_the_record(
    post: Post, cast: Cast, clock: time_machine.Traveller
) -> None:
    at = {
        event: (now() - timedelta(seconds=100 - n * 30)).isoformat()
        for n, event in enumerate(("started", "answered", "ended"))
    }
    orders = list(permutations(at))
    for number, order in enumerate(orders):
        for event in order:
            post(event, f"order-{number}", agent="alice@example.com", at=at[event])
    with ext.session() as session:
        rows = session.scalars(select(Call)).all()
    assert len(rows) == len(orders)
    seen = {(c.end_reason, c.started_at, c.answered_at, c.ended_at) for c in rows}
    assert len(seen) == 1
    assert seen.pop()[0] == EndReason.TALKED


def test_a_call_out_that_was_not_answered_is_no_missed_call(post: Post, cast: Cast) -> None:
    told = {"direction": "outbound", "from": "101", "to": OKSANA, "agent": "alice@example.com"}
    post("started", **told)
    post("ended", **told)
    call = the_call()
    assert (call.end_reason, call.from_number, call.to_number) == (
        EndReason.NO_ANSWER,
        None,
        OKSANA,
    )
    assert (count(Ticket), count(Task)) == (0, 0)


def test_a_missed_call_of_a_withheld_number_is_kept(post: Post, cast: Cast) -> None:
    for event in ("started", "ended"):
        assert post(event, **{"from": "anonymous"}).status_code == 200
    call = the_call()
    assert (call.from_number, call.state) == (None, CallState.ENDED)
    assert not [leg for leg in legs(call.id) if leg == LegState.RINGING]


def legs(call_id: int) -> list[LegState]:
    with ext.session() as session:
        return [leg.state for leg in session.get_one(Call, call_id).legs]


def test_only_the_secret_address_opens_it(app: Flask, cast: Cast) -> None:
    client, told = app.test_client(), {"event": "started", "call_id": "1"}
    assert client.post("/hooks/pbx/", json=told).status_code == 404
    assert client.post("/hooks/pbx/anything", json=told).status_code == 404, "off until it is made"
    with ext.write() as session:
        old = exchange.renew(session)
        new = exchange.renew(session)
    for wrong in (old, new[:-1], new + "x", new.swapcase(), "", "..", "%00"):
        assert client.post(f"/hooks/pbx/{wrong}", json=told).status_code in (404, 405)
    assert client.get(f"/hooks/pbx/{new}").status_code == 405
    assert client.post(f"/hooks/pbx/{new}", json=told).status_code == 200
    with ext.write() as session:
        exchange.turn_off(session)
    assert client.post(f"/hooks/pbx/{new}", json=told).status_code == 404
    assert (count(Call), count(CallEvent)) == (1, 1)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"event": ""}, "event"), ({"event": "exploded"}, "event"), ({"event": None}, "event"),
        ({"event": ["started"]}, "event"), ({"event": {"a": 1}}, "event"),
        ({"event": True}, "event"), ({"call_id": ""}, "call_id"),
        ({"call_id": "a b"}, "call_id"), ({"call_id": "x" * 61}, "call_id"),
        ({"call_id": "й"}, "call_id"), ({"call_id": 1.5}, "call_id"), ({"from": []}, "from"),
        ({"direction": "sideways"}, "direction"), ({"agent": {}}, "agent"), ({"at": "noon"}, "at"),
        ({"at": "2020-01-01T00:00:00Z"}, "at"), ({"at": "2099-01-01T00:00:00Z"}, "at"),
        ({"at": "99999999999"}, "at"), ({"at": "-1"}, "at"),
    ],
)  # fmt: skip
def test_a_wrong_event_is_told_what_is_wrong(values: dict[str, Any], field: str) -> None:
    told = {"event": "started", "call_id": "1"} | values
    with pytest.raises(HelpdeskError) as caught:
        pbx.read(told, now(), "UA")
    assert caught.value.field == field


def test_a_wrong_body_is_answered_in_json_and_changes_nothing(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        token = exchange.renew(session)
    client, url = app.test_client(), f"/hooks/pbx/{token}"
    bodies = [b"{", b"[1]", b"null", b"\xff", b"[" * 100_000, json.dumps("x").encode(), b"",
              b'{"event": "' + b"x" * 70_000 + b'"}']  # fmt: skip
    for body in bodies:
        answer = client.post(url, data=body, content_type="application/json")
        assert answer.status_code == 400, body[:20]
        assert answer.json is not None
        assert answer.json["error"]
    answer = client.post(url, json={"event": "started", "call_id": ""})
    assert answer.json is not None
    assert (answer.json["ok"], answer.json["field"]) == (False, "call_id")
    assert client.post(url, data={"event": "started", "call_id": "form"}).status_code == 200
    assert the_call().provider_id == "form"


@settings(deadline=None, max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from(["event", "call_id", "from", "to", "agent", "direction", "at", "x"]),
        st.text(max_size=20) | st.integers() | st.none() | st.booleans() | st.lists(st.text()),
    )
)
def test_rubbish_is_refused_in_words_never_otherwise(values: dict[str, Any]) -> None:
    try:
        told = pbx.read({"event": "started", "call_id": "1"} | values, now(), "UA")
    except HelpdeskError as error:
        assert error.field
        return
    assert told.event in pbx.EVENTS
    assert len(told.call_id) <= 60
