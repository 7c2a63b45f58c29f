"""The wait that we tell of is honest: who still waits is not forgotten."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.reports import waits
from helpdesk.reports.waits import Wait
from helpdesk.tickets import actions
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from tests.cast import Cast

TOLD = [Wait(60, True)] * 4


@pytest.mark.parametrize(
    ("found", "median"),
    [
        ([], None),
        (TOLD, None),
        ([*TOLD, Wait(600, True)], 60),
        ([Wait(n, True) for n in (10, 20, 30, 40, 50)], 30),
        # As many wait for hours as were answered at once: half have no answer yet.
        ([Wait(n, True) for n in (10, 20, 30, 40, 50)] + [Wait(9000, False)] * 6, None),
        ([Wait(n, True) for n in (10, 20, 30, 40, 50)] + [Wait(9000, False)] * 3, 40),
        # Who has only just written says nothing yet.
        ([Wait(n, True) for n in (10, 20, 30, 40, 50)] + [Wait(1, False)] * 9, 30),
    ],
)
def test_median_counts_who_still_waits(found: list[Wait], median: int | None) -> None:
    assert waits.median(found) == median


def write(cast: Cast) -> int:
    with ext.write() as session:
        ticket_id = open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Kettle",
            channel=Channel.EMAIL,
            language="uk",
            at=now(),
        )
        add_message(
            session,
            ticket_id,
            Content(text="Leaks"),
            who=cast.oksana,
            channel=Channel.EMAIL,
            at=now(),
            first=True,
        )
    return ticket_id


def answer(cast: Cast, ticket_id: int) -> None:
    with ext.write() as session:
        actions.reply(session, session.get_one(Ticket, ticket_id), "x", user_id=1, at=now())


def test_wait_is_counted_in_business_time_of_the_queue(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    for _n in range(5):
        ticket_id = write(cast)
        clock.shift(600)
        answer(cast, ticket_id)
    with ext.session() as session:
        assert session.scalars(select(Ticket)).all()
        assert waits.first_response(session, cast.support.id, now()) == 600
        assert waits.first_response(session, cast.billing.id, now()) is None
    clock.shift(timedelta(days=8))
    with ext.session() as session:
        assert waits.first_response(session, cast.support.id, now()) is None
