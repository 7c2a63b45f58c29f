"""The start page tells who would phone how long callers wait at present, if that is known."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts import presence
from helpdesk.accounts.presence import Phone
from helpdesk.calls import record
from helpdesk.calls.models import Call, Direction, Provider
from helpdesk.lib.clock import now
from helpdesk.tickets.models import Queue
from tests.cast import Cast
from tests.web.conftest import Pages


def on_duty(cast: Cast) -> None:
    with ext.write() as session:
        row = presence.set_state(session, cast.alice.id, "available", at=now())
        row.phone, row.number = Phone.OWN, "+380501112233"


def busy(cast: Cast, talked: timedelta = timedelta(minutes=4)) -> None:
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
                started_at=over - timedelta(minutes=3) - talked,
                queued_at=over - timedelta(minutes=3) - talked,
                queue_id=cast.support.id,
                answered_at=over - talked,
                ended_at=over,
                wrapped_at=over,
                **parts,
            )


def short(cast: Cast) -> None:
    """As `busy`, but the talks took half a minute."""
    busy(cast, timedelta(seconds=30))


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda cast: None, ""),
        (on_duty, "calls are answered at once now"),
        (busy, "callers wait 3 to 5 minutes now"),
        (short, "callers wait less than 1 minute now"),
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


@pytest.mark.parametrize(
    ("language", "longer", "shorter"),
    [
        ("ru", "ждут от 3 до 5 минут", "ждут меньше 1 минуты"),
        ("uk", "чекають від 3 до 5 хвилин", "чекають менше 1 хвилини"),
    ],
)
def test_the_present_wait_reads_right_in_each_language(
    pages: Pages, cast: Cast, language: str, longer: str, shorter: str
) -> None:
    with ext.write() as session:
        session.get_one(Queue, cast.support.id).numbers = ["+380443334455"]
    busy(cast)
    assert longer in pages.get(f"/{language}/").text
    with ext.write() as session:
        for call in session.scalars(select(Call).order_by(Call.id)):
            call.answered_at = call.ended_at
    assert shorter in pages.get(f"/{language}/").text
