"""The sender dies between the relay's yes and its own record (T32)."""

import os
import subprocess
import sys
from datetime import timedelta

import time_machine
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.outbox.sending import LEASE, send_due
from helpdesk.reactions import react
from tests.outbox.conftest import Answer, OpenTicket
from tests.relay import Relay

SENDER = """
import time_machine
from helpdesk.app import create_app
from helpdesk.outbox.sending import send_due
with time_machine.travel("2026-11-23T10:00:00+00:00", tick=False), create_app().app_context():
    send_due()
"""


def test_a_crash_after_the_relays_yes_sends_again_and_says_so(
    app: Flask,
    relay: Relay,
    ask: OpenTicket,
    answer: Answer,
    clock: time_machine.Traveller,
    database_url: str,
) -> None:
    answer(ask())
    answer(ask())
    react()
    environ = os.environ | {
        "HELPDESK_DATA_DIR": str(app.config["DATA_DIR"]),
        "HELPDESK_DATABASE_URL": database_url,
        "HELPDESK_SMTP_RELAY": relay.address,
        "HELPDESK_CRASH_AT": "after_smtp_ok",
        "SECRET_KEY": "k" * 32,
    }
    died = subprocess.run([sys.executable, "-c", SENDER], env=environ, check=False, timeout=60)
    assert died.returncode == 86
    assert len(relay.taken) == 1

    assert send_due() == 1  # the other one; the first is still claimed
    clock.shift(LEASE + timedelta(seconds=1))
    assert send_due() == 1
    with ext.session() as session:
        first, second = session.scalars(select(Outgoing).order_by(Outgoing.id))
    assert (first.state, first.maybe_sent) == (OutgoingState.SENT, True)
    assert (second.state, second.maybe_sent) == (OutgoingState.SENT, False)
    ids = [message["Message-ID"] for message in relay.parsed()]
    assert ids == [f"<{row.rfc_message_id}>" for row in (first, second, first)]
