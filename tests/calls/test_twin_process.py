"""The twin as a part of the running product: webhooks over real HTTP, its clock, its end."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from flask import Flask

from helpdesk.calls.providers.twin.account import account
from helpdesk.calls.providers.twin.remote import Remote
from helpdesk.server import start
from tests.conftest import Template
from tests.product import Product, children, until

OURS, CALLER = "+380443334455", "+380671234567"
LISTENING = re.compile(r'"(http://127\.0\.0\.1:\d+)", "event": "twin\.listening"')


@pytest.fixture
def product(templates: dict[str, Template], tmp_path: Path) -> Iterator[Product]:
    shutil.copy(templates["sqlite"].source, tmp_path / "helpdesk.db")
    product = Product(tmp_path, HELPDESK_FIRST_CALENDAR="always")
    with product.running():
        until(lambda: product.ready() and LISTENING.search(product.log.read_text()))
        yield product


def remote(product: Product) -> Remote:
    return Remote(LISTENING.findall(product.log.read_text())[-1], account("k" * 32))


def find(twin: Remote, sid: str) -> dict[str, Any]:
    return next(call for call in twin.state()["calls"] if call["sid"] == sid)


def words(call: dict[str, Any]) -> list[str]:
    return [heard["text"] for heard in call["heard"] if heard["kind"] in ("say", "error")]


def test_a_call_over_real_http_time_that_is_skipped_and_the_end(product: Product) -> None:
    twin = remote(product)
    sid = twin.call(CALLER, OURS)
    until(lambda: find(twin, sid)["asks"])
    first = words(find(twin, sid))
    twin.act(sid, "digits", digits="1")
    until(lambda: len(twin.state()["log"]) == 2 and find(twin, sid)["asks"])
    lines = twin.state()["log"]
    assert [line["status"] for line in lines] == [200, 200] and first
    assert lines[0]["url"] == f"{product.url}/twilio/voice" and lines[0]["params"]["From"] == CALLER
    assert not [line["problem"] for line in lines if line["problem"]]

    twin.clock(advance=60)  # nothing is pressed: that takes no minute of ours
    until(lambda: len(twin.state()["log"]) > 2, 10)
    assert twin.clock(mode="manual")["mode"] == "manual"
    still = twin.state()["now"]
    heard = len(words(find(twin, sid)))
    assert twin.state()["now"] == still
    twin.clock(advance=60)
    until(lambda: len(words(find(twin, sid))) > heard, 10)
    twin.clock(mode="real")
    twin.act(sid, "hangup")
    until(lambda: find(twin, sid)["status"] == "completed")
    rows = product.rows("SELECT provider, from_number, to_number FROM call")
    assert rows == [("twin", CALLER, OURS)]
    place(product)  # while nothing else goes on
    until(lambda: "ringing" in [call["status"] for call in twin.state()["calls"]], 10)

    forked = children(product.process.pid)  # type: ignore[union-attr]
    os.kill(next(pid for pid in forked if _is_twin(pid)), signal.SIGKILL)
    until(lambda: len(LISTENING.findall(product.log.read_text())) == 2)
    assert remote(product).state()["calls"] == []
    assert product.stop() < 3


def place(product: Product) -> None:
    """We ring somebody by REST."""
    login, url = account("k" * 32), LISTENING.findall(product.log.read_text())[-1]
    form = {"To": "+380501112233", "From": OURS, "Url": f"{product.url}/twilio/join"}
    made = requests.post(
        f"{url}/2010-04-01/Accounts/{login.sid}/Calls.json",
        data=form,
        auth=(login.sid, login.token),
        timeout=5,
    )
    assert made.status_code == 201


def _is_twin(pid: int) -> bool:
    """Of all children it alone has neither the database open nor an event loop."""
    opened = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed while we look
            opened.add(str(path.readlink()))
    return not any("helpdesk.db" in path or "eventpoll" in path for path in opened)


def test_with_an_account_or_a_twin_elsewhere_none_is_started(app: Flask) -> None:
    planned = start.plan(app, ("twin",))
    assert [process.name for process in planned] == ["twin"]
    cast(Any, planned[0].target).args[1].close()
    assert app.config["TWIN_URL"].startswith("http://127.0.0.1:")
    assert start.plan(app, ("twin",)) == []
    app.config.update(TWIN_URL=None, TWILIO_ACCOUNT_SID="AC" + "0" * 32)
    assert start.plan(app, ("twin",)) == [] and app.config["TWIN_URL"] is None
