"""kill -9 of the whole product while emails come in: nothing acknowledged is lost or doubled."""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.senders import Senders
from tests.product import Product, until
from tests.spawn import Spawner

KILLS = int(os.environ.get("HELPDESK_TEST_KILLS", "50"))
CONTROL_KILLS = 25
SETTINGS = {
    "HELPDESK_MAIL_DOMAIN": "example.com",
    "HELPDESK_WEB_WORKERS": "1",
    "HELPDESK_ADMIN_EMAIL": "ada@example.com",
    "HELPDESK_ADMIN_PASSWORD": "correct horse battery",
}

pytestmark = pytest.mark.chaos


def torment(product: Product, kills: int, *, until_lost: bool = False) -> list[str]:
    """Kill and restart under load; returns the Message-IDs that were acknowledged."""
    chance = random.Random(4)
    product.start()
    until(product.takes_email)
    senders = Senders(product.smtp)
    senders.start()
    for _ in range(kills):
        time.sleep(chance.uniform(0.1, 0.7))
        product.kill()
        product.start()
        until(product.takes_email)
        if until_lost and lost(product, list(senders.acknowledged[:-8])):
            break
    senders.stop()
    return list(senders.acknowledged)


def lost(product: Product, acknowledged: list[str]) -> set[str]:
    stored = {str(row[0]) for row in product.rows("SELECT message_id FROM delivery")}
    return set(acknowledged) - stored


def drained(product: Product) -> None:
    """Wait until the worker has processed everything."""
    for _ in range(600):
        if product.rows("SELECT count(*) FROM delivery WHERE todo IS NOT NULL") == [(0,)]:
            return
        time.sleep(0.1)
    raise AssertionError("the worker did not finish")


def test_no_acknowledged_email_is_lost_or_doubled(tmp_path: Path, spawner: Spawner) -> None:
    product = Product(tmp_path, spawner=spawner, **SETTINGS)
    try:
        acknowledged = torment(product, KILLS)
        drained(product)
        stored = Counter(
            str(row[0])
            for row in product.rows("SELECT message_id FROM message WHERE kind='inbound'")
        )
        tickets = product.rows("SELECT subject FROM ticket")
        states = product.rows("SELECT DISTINCT state FROM delivery")
        receipts = product.rows("SELECT ticket_id FROM outgoing WHERE kind='receipt'")
        assert product.rows("PRAGMA integrity_check") == [("ok",)]
    finally:
        product.stop()
    assert len(acknowledged) > KILLS
    assert not set(acknowledged) - stored.keys()
    assert stored.total() == len(stored)
    assert len(tickets) == len(set(tickets)) == len(stored)
    assert states == [("done",)]
    assert len(receipts) == len(set(receipts))


def test_the_test_has_teeth(tmp_path: Path, spawner: Spawner) -> None:
    """An adapter that acknowledges before it commits does lose email in the same torment."""
    first = Product(tmp_path, **SETTINGS)
    first.start()
    until(first.takes_email)
    first.stop()
    control = Product(tmp_path, module="tests.chaos.early_door", spawner=spawner, **SETTINGS)
    try:
        acknowledged = torment(control, CONTROL_KILLS, until_lost=True)
        time.sleep(1)
        assert lost(control, acknowledged)
    finally:
        control.kill()
