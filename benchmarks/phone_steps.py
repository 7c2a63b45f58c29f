"""Single webhooks in this process, one after the other: CPU time and statements of each kind."""

import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode
from xml.etree import ElementTree

from flask.testing import FlaskClient

from benchmarks.bench_pages import counting
from benchmarks.carrier import OURS
from benchmarks.place import application
from benchmarks.report import Report, percentile
from helpdesk import ext
from helpdesk.calls.providers.twin.account import Account
from helpdesk.calls.providers.twin.engine.signing import signature, split

CALLS = 60
WARM = 10
STATEMENTS = 40


class Webhook(NamedTuple):
    name: str
    url: str
    form: dict[str, str]


class Line:
    """One caller; what the last document asks next is kept."""

    def __init__(self, client: FlaskClient, public_url: str, account: Account, number: int) -> None:
        self.client, self.public_url, self.account = client, public_url, account
        self.sid, self.number = f"CAbench{number:027}", f"+38063{number:07}"
        self.next = ""
        self.wait = ""

    def post(self, url: str, **more: str) -> None:
        url, _ = split(url)
        target = url.removeprefix(self.public_url)
        form = {
            "AccountSid": self.account.sid,
            "CallSid": self.sid,
            "From": self.number,
            "To": OURS,
            "CallStatus": "in-progress",
            "Direction": "inbound",
        } | more
        response = self.client.post(
            target,
            data=urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature(self.account.token, url, form)},
        )
        if response.status_code not in (200, 204):
            raise RuntimeError(f"{target} answered {response.status_code}")
        if response.data:
            self._read(response.text)

    def _read(self, text: str) -> None:
        for verb in ElementTree.fromstring(text):
            self.next = verb.get("action") or self.next
            self.wait = verb.get("waitUrl") or self.wait


def measure(report: Report, folder: Path, account: Account) -> None:
    """From the call to the hang-up in the queue, again and again."""
    app = application(folder)
    cpu: dict[str, list[float]] = defaultdict(list)
    statements: dict[str, list[int]] = defaultdict(list)
    client = app.test_client(use_cookies=False)
    with counting(app) as counted:
        for number in range(WARM + CALLS):
            line = Line(client, app.config["PUBLIC_URL"], account, number)
            for one in _way(line, app.config["PUBLIC_URL"]):
                counted["queries"], before = 0, time.process_time()
                line.post(one.url, **one.form)
                if number >= WARM:
                    cpu[one.name].append((time.process_time() - before) * 1000)
                    statements[one.name].append(counted["queries"])
    with app.app_context():
        ext.db.engine.dispose()
    for name, found in cpu.items():
        report.add(f"{name}: CPU, mean", sum(found) / len(found), "ms")
        report.add(f"{name}: CPU, p95", percentile(found, 95), "ms")
        report.add(f"{name}: statements, most", max(statements[name]), "", at_most=STATEMENTS)


def _way(line: Line, root: str) -> Iterator[Webhook]:
    """What is asked in turn; each address is read from the document before."""
    waiting = {"QueueTime": "1", "QueueSid": "QU1"}
    hung_up = {"QueueResult": "hangup", "QueueTime": "9"}
    done = {"CallStatus": "completed", "SequenceNumber": "1"}
    yield Webhook("a call comes in", f"{root}/twilio/voice", {"CallStatus": "ringing"})
    yield Webhook("the language is chosen", line.next, {"Digits": "1"})
    yield Webhook("0: into the queue", line.next, {"Digits": "0"})
    yield Webhook("what is heard in the queue", line.wait, waiting)
    yield Webhook("heard again", line.next, {"Digits": ""})
    yield Webhook("hung up in the queue", f"{root}/twilio/left?n=4", hung_up)
    yield Webhook("the end is reported", f"{root}/twilio/status", done)
