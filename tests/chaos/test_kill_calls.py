"""kill -9 of the product at each step of a call: no call is lost, none has two tickets.

The carrier is the offline twin in this process, so that it outlives the product as Twilio would.
"""

import random
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.actions import add_user
from helpdesk.accounts.presence import Phone, Presence
from helpdesk.app import create_app
from helpdesk.calls.providers.twilio import checker
from helpdesk.calls.providers.twin import server, state
from helpdesk.calls.providers.twin.account import account
from helpdesk.calls.providers.twin.engine.acts import Wrong
from helpdesk.calls.providers.twin.engine.requests import Reply, Request
from helpdesk.calls.providers.twin.engine.things import Leg
from helpdesk.calls.providers.twin.engine.twin import Twin
from helpdesk.calls.providers.twin.transport import Http
from helpdesk.lib.clock import now
from tests.conftest import Template, make_config
from tests.product import Product, until
from tests.spawn import Spawner

OURS = "+380443334455"
STEPS = (
    "/twilio/voice",
    "/twilio/language",
    "/twilio/wait",
    "/twilio/status?offer",  # the agent's telephone has just been rung
    "/twilio/agent",
    "/twilio/accept",
    "/twilio/left",
    "/twilio/join",
    "/twilio/conference",
    "/twilio/status?end",
)
"""Where the product dies: while it answers the first request for this address."""
SECONDS = 60.0  # that one course may take on a busy machine; it ends with the kill

pytestmark = pytest.mark.chaos


class Deadly(Http):
    """Hands requests to the product, and kills it while it answers the fatal one."""

    def __init__(self, product: Product) -> None:
        super().__init__("127.0.0.1", product.http)
        self.product, self.chance = product, random.Random(5)
        self.fatal: str | None = None
        self.killed = threading.Event()

    def __call__(self, request: Request) -> Reply:
        if self.fatal is None or not _is(request, self.fatal):
            return super().__call__(request)
        self.fatal = None
        timer = threading.Timer(self.chance.uniform(0.0, 0.04), self.kill)
        timer.start()
        reply = super().__call__(request)
        timer.join()
        return reply

    def kill(self) -> None:
        self.product.kill()
        self.killed.set()


def _is(request: Request, fatal: str) -> bool:
    if fatal.endswith("?end"):
        return fatal[:-4] in request.target and "completed" in str(request.body)
    return fatal in request.target


class Town:
    """The carrier, the callers and the agents around one product."""

    def __init__(self, product: Product, app: Flask, twin: Twin, line: Deadly) -> None:
        self.product, self.app, self.twin, self.line = product, app, twin, line
        self.legs: list[Leg] = []

    def on_duty(self, number: int) -> str:
        """A fresh agent with a telephone of their own; all others go home."""
        telephone, name = f"+3805011122{number:02}", f"a{number}"
        with self.app.app_context(), ext.write() as session:
            at = now()
            for other in session.scalars(select(Presence).order_by(Presence.user_id)):
                presence.set_state(session, other.user_id, "off", at=at)
            user = add_user(session, email=f"{name}@example.com", name=name, role="agent", at=at)
            presence.set_phone(session, user.id, Phone.OWN, telephone, country="UA", at=at)
            presence.set_state(session, user.id, "available", at=at)
        return telephone

    def course(self, number: int, telephone: str) -> None:
        """The happy path of one caller, as far as it gets before the product is dead.

        The agent takes whatever rings: it may be an earlier caller first, of whom the product
        hears only now that they have hung up.
        """
        leg = self.twin.call(f"+3806711111{number:02}", OURS)
        self.legs.append(leg)
        done: set[tuple[str, str]] = set()
        end = time.monotonic() + SECONDS
        while not self.line.killed.is_set() and time.monotonic() < end:
            self.once(done, leg, "digits", self.state(leg)["asks"], "0")
            self.once(done, leg, "hangup", self.state(leg)["conference"])
            if (theirs := self.of(telephone)) is not None:
                self.once(done, theirs, "answer", theirs.status == "ringing")
                self.once(done, theirs, "digits", self.state(theirs)["asks"], "1")
            time.sleep(0.01)

    def once(
        self, done: set[tuple[str, str]], leg: Leg, what: str, if_: object, keys: str = ""
    ) -> None:
        """Let somebody do something as soon as they can, unless they are gone by then."""
        if if_ and (leg.sid, what) not in done:
            done.add((leg.sid, what))
            with suppress(Wrong):
                self.twin.act(leg.sid, what, keys=keys)

    def state(self, leg: Leg) -> dict[str, object]:
        with self.twin.driver.lock:
            return state.call(self.twin.exchange, leg)

    def of(self, telephone: str) -> Leg | None:
        with self.twin.driver.lock:
            legs = list(self.twin.exchange.legs.values())
        return next((leg for leg in legs if leg.to == telephone and leg.live), None)

    def hang_up(self) -> None:
        """Everybody who is still on the line."""
        with self.twin.driver.lock:
            live = [leg for leg in self.twin.exchange.legs.values() if leg.live]
        for leg in live:
            self.twin.act(leg.sid, "hangup")

    def settled(self) -> bool:
        rows = self.product.rows(
            "SELECT (SELECT count(*) FROM call WHERE over_at IS NOT NULL),"
            " (SELECT count(*) FROM call), (SELECT count(*) FROM offer WHERE closed_at IS NULL),"
            " (SELECT count(*) FROM call_command WHERE due_at IS NOT NULL)"
        )
        return rows == [(len(self.legs), len(self.legs), 0, 0)]


@pytest.fixture
def town(templates: dict[str, Template], tmp_path: Path, spawner: Spawner) -> Iterator[Town]:
    shutil.copy(templates["sqlite"].source, tmp_path / "helpdesk.db")
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    product = Product(
        tmp_path,
        spawner=spawner,
        HELPDESK_WEB_WORKERS="1",
        HELPDESK_FIRST_CALENDAR="always",
        HELPDESK_TWIN_URL=url,
    )
    line, stop = Deadly(product), threading.Event()
    twin = Twin(account("k" * 32), product.url, line, checker.check)
    carrier = threading.Thread(target=server.serve, args=(twin, listening, stop), daemon=True)
    carrier.start()
    product.start()
    until(product.ready)
    app = create_app(make_config(tmp_path, HELPDESK_TWIN_URL=url))
    try:
        yield Town(product, app, twin, line)
    finally:
        product.stop()
        stop.set()
        carrier.join(5)
        with app.app_context():
            ext.db.engine.dispose()


def test_no_call_is_lost_and_none_has_two_tickets(town: Town) -> None:
    product, line = town.product, town.line
    for number, step in enumerate(STEPS):
        telephone = town.on_duty(number)
        line.fatal = step
        town.course(number, telephone)
        assert line.killed.wait(SECONDS), f"nothing asked for {step}"
        line.killed.clear()
        product.start()
        until(product.ready)
        town.hang_up()
    product.stop()  # the reconciler comes each minute, and at the start
    product.start()
    until(town.settled, 100)
    callers = product.rows("SELECT from_number, state FROM call ORDER BY id")
    tickets = product.rows("SELECT ticket_id FROM call WHERE queued_at IS NOT NULL ORDER BY id")
    assert {str(number) for number, _ in callers} == {leg.from_ for leg in town.legs}
    assert len(callers) == len(STEPS)
    assert {state for _, state in callers} <= {"ended", "wrap_up"}
    assert len({row for row in tickets if row[0] is not None}) == len(tickets)
    assert product.rows("SELECT count(*) FROM ticket") == [(len(tickets),)]
    assert product.rows("SELECT count(*) FROM call_event WHERE todo IS NOT NULL") == [(0,)]
    assert product.rows("PRAGMA integrity_check") == [("ok",)]
