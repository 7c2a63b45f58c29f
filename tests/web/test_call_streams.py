"""What open browsers are told of calls: their own at once, numbers for everybody seldom."""

import json
import time
from typing import Any

import time_machine
from flask import Flask

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import viewer_of
from helpdesk.accounts.presence import Availability
from helpdesk.events import record
from helpdesk.lib.clock import now
from helpdesk.live.changes import Reader
from helpdesk.live.people import Watcher, there
from helpdesk.server.streams import Hub, Stream
from tests.cast import Cast


def stream_of(hub: Hub, user: User, *, calls_here: bool = False) -> Stream:
    with ext.session() as session:
        viewer = viewer_of(session, session.get_one(User, user.id))
    stream = Stream(Watcher(1, user.id, viewer.queue_ids), calls_here=calls_here)
    hub.streams.add(stream)
    return stream


def told(stream: Stream) -> dict[str, Any]:
    """What the next message says, {} for a sign of life alone."""
    text = stream.message(1).decode()
    data = [line for line in text.splitlines() if line.startswith("data: ")]
    return json.loads(data[0].removeprefix("data: ")) if data else {}


def test_an_offer_reaches_its_agent_and_no_list(app: Flask, cast: Cast) -> None:
    hub, reader = Hub(app), Reader()
    with ext.session() as session:
        reader.start(session)
    alice, bob, sam = (stream_of(hub, user) for user in (cast.alice, cast.bob, cast.sam))
    about = {"call_id": 1, "offer_id": 1, "queue_id": cast.support.id}
    with ext.write() as session:
        record(session, "call.offered", user_id=cast.alice.id, **about)
        record(session, "presence.changed", user_id=cast.bob.id, old="off", new="available")
    with ext.session() as session:
        hub._spread(reader.read(session, 0.0), set())
    assert alice.wake.is_set()
    assert told(alice)["phone"] is True
    assert told(bob)["phone"] is True, "whatever queues they work in"
    mine = told(sam)
    assert "phone" not in mine and not mine.get("lists")


def test_who_looks_at_the_calls_hears_of_each_at_once(app: Flask, cast: Cast) -> None:
    """A call has no ticket yet; a page of something else hears of it later, and a note is none."""
    hub, reader = Hub(app), Reader()
    with ext.session() as session:
        reader.start(session)
    hub.calls_told = time.monotonic()
    log, desk = stream_of(hub, cast.sam, calls_here=True), stream_of(hub, cast.sam)
    with ext.write() as session:
        record(session, "call.started", call_id=1, direction="inbound")
    with ext.session() as session:
        hub._spread(reader.read(session, 0.0), set())
    assert log.wake.is_set() and told(log)["calls"] is True
    assert not desk.wake.is_set()
    with ext.write() as session:
        record(session, "message.noted", message_id=1)
    with ext.session() as session:
        hub._spread(reader.read(session, 0.0), set())
    assert not log.wake.is_set()


def test_numbers_of_calls_are_told_to_everybody_once_in_a_while(app: Flask, cast: Cast) -> None:
    hub, reader = Hub(app), Reader()
    with ext.session() as session:
        reader.start(session)
    sam = stream_of(hub, cast.sam)
    hub.calls_told = -1000.0
    heard = 0
    for n in range(50):
        with ext.write() as session:
            record(session, "call.queued", call_id=n, queue_id=cast.support.id)
        with ext.session() as session:
            hub._spread(reader.read(session, 0.0), set())
        heard += bool(told(sam).get("calls"))
    assert heard == 1 and hub.calls_changed, "the rest waits for the next time"


def test_an_open_browser_is_a_sign_of_life_but_not_during_a_call(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    before = now()
    with ext.write() as session:
        for user, state in ((cast.alice, "available"), (cast.bob, "available"), (cast.sam, "off")):
            presence.set_state(session, user.id, state, at=now())
        presence.own(session, cast.bob.id, now()).state = Availability.IN_CALL
    clock.shift(30)
    with ext.write() as session:
        there(session, [cast.alice.id, cast.bob.id, cast.sam.id], now())
    with ext.session() as session:
        seen = {
            user.name: getattr(presence.get(session, user.id), "seen_at", None)
            for user in (cast.alice, cast.bob, cast.sam)
        }
    assert seen == {"Alice": now(), "Bob": before, "Sam": before}
