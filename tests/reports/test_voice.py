"""The report on satisfaction: ratings by when they were given, and how many clients rate at all."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import insert
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.reports.satisfaction import report as voice
from helpdesk.reports.sheet import Report
from helpdesk.surveys import Rating, rate
from helpdesk.tickets.models import Status, Ticket
from tests.cast import Cast
from tests.reports.behind import check, check_sums
from tests.reports.rows import ask_of, place, scatter
from tests.web.conftest import counted

DAY = timedelta(days=1)


def done(session: Session, cast: Cast, at: datetime, **values: Any) -> int:
    """A ticket that we answered and resolved at once."""
    over = {"first_response_at": at, "resolved_at": at, "done_at": at, "status": Status.RESOLVED}
    return place(session, cast, at=at, **(over | values))


def rated(
    session: Session, cast: Cast, ticket_id: int, score: int, at: datetime, comment: str = ""
) -> int:
    row = insert(Rating).values(
        ticket_id=ticket_id, person_id=cast.oksana.person_id, score=score, comment=comment, at=at
    )
    return int(session.execute(row.returning(Rating.id)).scalar_one())


def numbers(report: Report, key: str = "satisfaction") -> dict[str, float | None]:
    table = next(one for one in report.tables if one.key == key)
    assert table.total is not None
    cells = zip(table.measures, table.total.cells, strict=True)
    return {measure.key: cell.value for measure, cell in cells}


def test_scores_are_of_ratings_and_the_rate_is_of_tickets(cast: Cast) -> None:
    at = now() - 2 * DAY
    old = at - 60 * DAY
    with ext.write() as session:
        rated(session, cast, done(session, cast, old), 1, at, "Too late for me")  # given now
        rated(session, cast, done(session, cast, at), 5, at)
        rated(session, cast, done(session, cast, at), 4, at, "Thanks")
        done(session, cast, at)
        place(session, cast, at=at, first_response_at=at)  # is not done
        done(session, cast, at, first_response_at=None)  # nobody answered
        main = done(session, cast, at)
        merged = done(session, cast, at, merged_into_id=main)
        rated(session, cast, merged, 1, at, "Counts nowhere")
    ask = ask_of(cast.sam)
    with ext.session() as session:
        report = voice.report(session, ask)
        check(session, cast.sam, ask, report)
    found = numbers(report)
    assert (found["voice_ratings"], found["voice_comments"]) == (3, 2)
    assert found["voice_mean"] == pytest.approx(10 / 3)
    assert found["voice_satisfied"] == pytest.approx(2 / 3)
    assert [found[f"voice_score_{score}"] for score in range(1, 6)] == [1, 0, 0, 1, 1]
    assert (found["voice_asked"], found["voice_rated"]) == (4, 2)
    assert found["voice_response"] == 0.5
    spread = next(table for table in report.tables if table.key == "scores")
    assert [(line.key, line.cells[0].value) for line in spread.lines] == [
        (5, 1),
        (4, 1),
        (3, 0),
        (2, 0),
        (1, 1),
    ]
    assert [(text.text, text.value) for text in report.texts] == [
        ("Thanks", 4),
        ("Too late for me", 1),
    ]
    assert report.texts[0].by == "Оксана Литвиненко"


def test_a_later_rating_takes_the_place_of_the_first(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        ticket = session.get_one(Ticket, done(session, cast, now()))
        rate(session, ticket, 1, at=now(), comment="Still broken")
        clock.shift(DAY)
        rate(session, ticket, 5, at=now(), comment="Works now")
    yesterday = (now() - DAY).date().isoformat()
    with ext.session() as session:
        before = voice.report(session, ask_of(cast.sam, from_=yesterday, to=yesterday))
        after = voice.report(session, ask_of(cast.sam))
    assert numbers(before)["voice_ratings"] == 0
    assert numbers(after)["voice_mean"] == 5
    assert [text.text for text in after.texts] == ["Works now"]


def test_the_part_that_clients_like_least_is_named(cast: Cast) -> None:
    with ext.write() as session:
        for queue, score in ((cast.support, 5), (cast.billing, 2)):
            for _n in range(5):
                ticket = done(session, cast, now() - DAY, queue_id=queue.id)
                rated(session, cast, ticket, score, now() - DAY)
    with ext.session() as session:
        ((_text, told),) = voice.report(session, ask_of(cast.sam)).findings
        assert told == {"part": "Billing", "mean": "2.0", "whole": "3.5"}
        assert voice.report(session, ask_of(cast.sam, queue=str(cast.support.id))).findings == ()


def test_every_rating_is_in_one_part_and_behind_its_number(cast: Cast) -> None:
    with ext.write() as session:
        tickets = scatter(session, cast, now(), count=40)
        for place_, ticket_id in enumerate(tickets):
            ticket = session.get_one(Ticket, ticket_id)
            ticket.first_response_at = ticket.created_at
            ticket.done_at = ticket.created_at if place_ % 3 else None
            if place_ % 2:
                given = min(ticket.created_at + DAY, now())
                rated(session, cast, ticket_id, place_ % 5 + 1, given, "x" * (place_ % 3))
    for cut in voice.CUTS:
        ask = ask_of(cast.sam, by=cut, lines="all")
        with ext.session() as session, counted() as seen:
            report = voice.report(session, ask)
            assert len(seen) <= 9, (cut, len(seen))
            check_sums(report)
            if cut in ("team", "organisation", "reason", "week"):
                check(session, cast.sam, ask, report)
    with ext.session() as session:
        slot = voice.report(session, ask_of(cast.sam, by="slot")).tables[0].lines[0]
        ask = ask_of(cast.sam, slot=slot.key)
        assert numbers(voice.report(session, ask))["voice_ratings"] == slot.cells[0].value


def test_an_agent_reads_what_their_own_clients_say(cast: Cast) -> None:
    with ext.write() as session:
        for user, word in ((cast.alice, "Quick"), (cast.bob, "Slow")):
            ticket = done(session, cast, now() - DAY, assignee_id=user.id)
            rated(session, cast, ticket, 3, now() - DAY, word)
        report = voice.report(session, ask_of(cast.alice))
        assert [text.text for text in report.texts] == ["Quick"]
        assert numbers(report)["voice_asked"] == 1
        assert len(voice.LISTS["ratings"].ids(session, ask_of(cast.alice, score="3"))) == 1
        with pytest.raises(HelpdeskError):
            voice.LISTS["ratings"].ids(session, ask_of(cast.alice, score="6"))
