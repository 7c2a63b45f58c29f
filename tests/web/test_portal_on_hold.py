"""The start page tells who would phone how long callers wait at present, if that is known."""

from datetime import timedelta

import pytest

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.presence import Phone
from helpdesk.calls import record
from helpdesk.calls.models import Direction, Provider
from helpdesk.lib.clock import now
from helpdesk.tickets.models import Queue
from tests.cast import Cast
from tests.web.conftest import Pages


def on_duty(cast: Cast) -> None:
    with ext.write() as session:
        row = presence.set_state(session, cast.alice.id, "available", at=now())
        row.phone, row.number = Phone.OWN, "+380501112233"


def busy(cast: Cast) -> None:
    """Alice talks; the last five callers waited three minutes and talked for four."""
    on_duty(cast)
    with ext.write() as session:
        presence.get(session, cast.alice.id).state = "in_call"
        for n in range(5):
            over = now() - timedelta(minutes=n)
            parts = dict.fromkeys(("offer_id", "accepted_id", "agent_in_id", "customer_in_id"), 1)
            record.create(
                session,
                provider=Provider.TWIN,
                provider_id=f"CA{n}",
                direction=Direction.INBOUND,
                at=now(),
                started_at=over - timedelta(minutes=7),
                queued_at=over - timedelta(minutes=7),
                queue_id=cast.support.id,
                answered_at=over - timedelta(minutes=4),
                ended_at=over,
                wrapped_at=over,
                **parts,
            )


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda cast: None, ""),
        (on_duty, "calls are answered at once now"),
        (busy, "callers wait 3 to 5 minutes now"),
    ],
)
def test_the_present_wait_on_the_telephone(
    pages: Pages, cast: Cast, prepare: object, words: str
) -> None:
    with ext.write() as session:
        session.get_one(Queue, cast.support.id).numbers = ["+380443334455"]
    assert callable(prepare)
    prepare(cast)
    text = pages.get("/en/").text
    assert "044 333 44 55" in text or "44 333 44 55" in text
    assert words in text
    assert bool(words) == ("callers wait" in text or "at once now" in text)
