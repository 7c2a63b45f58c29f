"""Contract statements of clients that are merged: what is closed stays, the rest can be closed."""

from datetime import UTC, datetime
from itertools import product

import pytest
import time_machine
from sqlalchemy import select

from helpdesk import ext
from helpdesk.clients.merge import merge, undo_merge
from helpdesk.clients.models import Client, ClientKind, Person
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound
from helpdesk.reports.contracts import closing, exclusions
from helpdesk.reports.contracts import lists as statement_lists
from helpdesk.reports.contracts.statements import Numbers, Subject, count, month_of
from helpdesk.reports.models import Statement
from helpdesk.tickets.models import Channel, Clock, Metric, Policy
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast

MONTH = "2026-11"


class Two:
    """The firm of Oksana, which stays, and that of the stranger, which is merged into it."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.by = cast, Actor(user_id=cast.ada.id)
        with ext.write() as session:
            self.policy_id = session.scalars(select(Policy.id)).one()
            people = [
                session.get_one(Person, who.person_id) for who in (cast.oksana, cast.stranger)
            ]
            self.kept, self.gone = (one.client_id for one in people)
            for id_, name in ((self.kept, "Ромашка"), (self.gone, "Волошка")):
                client = session.get_one(Client, id_)
                client.kind, client.name = ClientKind.ORGANISATION, name
        self.clocks = {self.kept: self.is_late("oksana"), self.gone: self.is_late("stranger")}

    def is_late(self, who: str) -> set[int]:
        """The promises of a ticket that nobody answers."""
        with ext.write() as session:
            ticket_id = open_ticket(
                session,
                queue_id=self.cast.support.id,
                who=getattr(self.cast, who),
                subject="Kettle",
                channel=Channel.EMAIL,
                language="uk",
                at=now(),
            )
            session.flush()
            return set(session.scalars(select(Clock.id).where(Clock.ticket_id == ticket_id)))

    def subject(self, client_id: int) -> Subject:
        return Subject(client_id, self.policy_id, MONTH)

    def close(self, client_id: int) -> int:
        with ext.write() as session:
            return closing.close(session, self.subject(client_id), actor=self.by, at=now()).id

    def merge(self) -> int:
        with ext.write() as session:
            return merge(session, self.kept, self.gone, actor=self.by, at=now()).id

    def undo(self, merge_id: int) -> None:
        with ext.write() as session:
            undo_merge(session, merge_id, actor=self.by, at=now())

    def closed(self) -> dict[int, dict[str, object]]:
        """All closed statements as they are kept."""
        with ext.session() as session:
            return {one.id: one.data for one in session.scalars(select(Statement))}

    def books(self, client_id: int) -> tuple[list[set[int]], set[int]]:
        """The promises on each closed statement of a client, and those on its draft; pages, list
        and overview agree."""
        subject = self.subject(client_id)
        with ext.session() as session:
            closed = closing.closed(session, subject)
            draft = count(session, subject, now())
            assert all(closing.is_intact(one) for one in closed)
            listed = {
                (row.statement_id, row.counted, row.breached, row.undecided)
                for row in statement_lists.overview(session, month_of(MONTH), now())
                if row.subject == subject
            }
            assert len(draft.clock_ids) == draft.total.counted
        rows: list[tuple[int | None, Numbers]] = [(one.id, closing.read(one)[1]) for one in closed]
        if draft.clock_ids:
            rows.append((None, draft))
        expected = {
            (id_, one.total.counted, one.total.breached, one.undecided) for id_, one in rows
        }
        assert listed == expected
        return [set(closing.clock_ids_of(one) or ()) for one in reversed(closed)], set(
            draft.clock_ids
        )


@pytest.fixture
def two(cast: Cast, clock: time_machine.Traveller) -> Two:
    made = Two(cast)
    clock.move_to(datetime(2026, 12, 1, 8, tzinfo=UTC))
    return made


@pytest.mark.parametrize(("ours", "theirs", "rest"), [*product((True, False), repeat=3)])
def test_each_promise_of_a_merged_month_is_closed_once_and_undo_brings_all_back(
    two: Two, ours: bool, theirs: bool, rest: bool
) -> None:
    done = [id_ for id_, is_closed in ((two.kept, ours), (two.gone, theirs)) if is_closed]
    for id_ in done:
        two.close(id_)
    kept, before = two.closed(), {id_: two.books(id_) for id_ in two.clocks}
    merge_id = two.merge()
    everything = two.clocks[two.kept] | two.clocks[two.gone]
    assert two.closed() == kept
    stated, draft = two.books(two.kept)
    assert stated == [two.clocks[id_] for id_ in done]
    assert draft == everything.difference(*stated)
    if rest and draft:
        two.close(two.kept)
        assert two.books(two.kept) == ([*stated, draft], set())
    if rest or not draft:
        with pytest.raises(Conflict, match="closed"):
            two.close(two.kept)
    after = two.closed()
    assert kept.items() <= after.items()
    two.undo(merge_id)
    assert two.closed() == after
    assert two.books(two.gone) == before[two.gone]
    if not rest:
        assert two.books(two.kept) == before[two.kept]
    again = two.merge()
    assert two.closed() == after
    two.undo(again)


def test_what_a_merge_brings_can_be_excluded_and_what_is_closed_cannot(two: Two) -> None:
    two.close(two.kept)
    two.merge()
    mine, theirs = (
        next(id_ for id_ in sorted(two.clocks[client]) if _is_first(id_))
        for client in (two.kept, two.gone)
    )
    sam = Actor(user_id=two.cast.sam.id)
    with ext.write() as session:
        with pytest.raises(Conflict, match="closed"):
            exclusions.ask(session, mine, "Their server", actor=sam, at=now())
        wish = exclusions.ask(session, theirs, "Their server", actor=sam, at=now())
    with pytest.raises(HelpdeskError, match="wait for a decision: 1"):
        two.close(two.kept)
    two.books(two.kept)
    with ext.write() as session:
        wish = exclusions.exclusion_for(session, wish.id)
        exclusions.decide(session, wish, approved=True, actor=two.by, at=now())
    two.close(two.kept)
    with pytest.raises(HelpdeskError, match="Nothing was promised"):
        two.close(two.gone)
    with pytest.raises(NotFound):
        two.close(10**9)


def _is_first(clock_id: int) -> bool:
    with ext.session() as session:
        return session.get_one(Clock, clock_id).metric == Metric.FIRST_RESPONSE
