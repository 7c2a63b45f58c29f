"""Contract statements: what counts in a month, what is excluded, what a closed month keeps."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.models import User
from helpdesk.clients.models import Client, ClientKind, Person
from helpdesk.events import Actor, Event
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound
from helpdesk.reports.contracts import closing, exclusions
from helpdesk.reports.contracts import lists as statement_lists
from helpdesk.reports.contracts.statements import (
    Line,
    Numbers,
    Subject,
    count,
    month_of,
    names_of,
)
from helpdesk.reports.contracts.why import Why
from helpdesk.reports.models import Statement
from helpdesk.tickets import actions, escalation, policies
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel, Clock, Metric, Policy, Priority, Queue, Ticket
from helpdesk.tickets.received import add_message, open_ticket
from tests.cast import Cast

HOUR = 3600


@dataclass
class Firm:
    """A client that is an organisation, with what befalls its tickets."""

    cast: Cast
    client_id: int
    policy_id: int

    def subject(self, month: str = "2026-11") -> Subject:
        return Subject(self.client_id, self.policy_id, month)

    def writes(self) -> int:
        with ext.write() as session:
            ticket_id = open_ticket(
                session,
                queue_id=self.cast.support.id,
                who=self.cast.oksana,
                subject="Kettle",
                channel=Channel.EMAIL,
                language="uk",
                at=now(),
            )
            add_message(
                session,
                ticket_id,
                Content(text="Leaks"),
                who=self.cast.oksana,
                channel=Channel.EMAIL,
                at=now(),
                first=True,
            )
        return ticket_id

    def is_answered(self, ticket_id: int) -> None:
        with ext.write() as session:
            ticket = session.get_one(Ticket, ticket_id)
            actions.reply(session, ticket, "x", user_id=self.cast.alice.id, at=now())

    def numbers(self, month: str = "2026-11") -> Numbers:
        with ext.session() as session:
            return count(session, self.subject(month), now())

    def first(self, month: str = "2026-11") -> Line:
        (line,) = [one for one in self.numbers(month).lines if one.metric == "first_response"]
        return line


@pytest.fixture
def firm(cast: Cast) -> Firm:
    """Oksana's firm; its only policy promises a first response within 4 office hours."""
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        client.kind, client.name = ClientKind.ORGANISATION, "Ромашка"
        policy = session.scalars(select(Policy)).one()
        actor = Actor(user_id=cast.ada.id)
        targets = {"first_response": 4 * HOUR}
        policies.change(session, policy, actor=actor, at=now(), targets=targets)
        return Firm(cast, client.id, policy.id)


def as_(user: User) -> Actor:
    return Actor(user_id=user.id)


def first_clock(ticket_id: int) -> int:
    query = select(Clock.id).where(
        Clock.ticket_id == ticket_id, Clock.metric == Metric.FIRST_RESPONSE
    )
    with ext.session() as session:
        return session.scalars(query).one()


def exclude(firm: Firm, ticket_id: int, *, approved: bool | None = True) -> int:
    with ext.write() as session:
        clock_id, author = first_clock(ticket_id), as_(firm.cast.sam)
        exclusion = exclusions.ask(session, clock_id, "Their server", actor=author, at=now())
        if approved is not None:
            exclusions.decide(
                session, exclusion, approved=approved, actor=as_(firm.cast.ada), at=now()
            )
        return exclusion.id


def breach(firm: Firm, clock: time_machine.Traveller, hours: float = 5) -> int:
    """A ticket that is answered too late."""
    ticket_id = firm.writes()
    clock.shift(hours * HOUR)
    firm.is_answered(ticket_id)
    return ticket_id


def close(firm: Firm, month: str = "2026-11") -> int:
    with ext.write() as session:
        return closing.close(session, firm.subject(month), actor=as_(firm.cast.ada), at=now()).id


def test_promises_of_a_month_are_met_broken_or_still_running(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    met = firm.writes()
    clock.shift(HOUR)
    firm.is_answered(met)
    late = firm.writes()
    clock.shift(5 * HOUR - 1800)  # half an hour too late; it is 17:30 in Kyiv
    firm.is_answered(late)
    firm.writes()
    line = firm.first()
    assert (line.counted, line.met, line.breached, line.running) == (3, 1, 1, 1)
    assert line.targets == (4 * HOUR,)
    assert (line.before, line.after) == (0.5, 0.5)
    (one,) = firm.numbers().breaches
    assert (one.ticket_id, one.late_seconds, one.metric) == (late, 1800, "first_response")


def test_a_promise_that_nobody_looked_at_yet_is_broken_all_the_same(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    firm.writes()
    clock.shift(4 * HOUR + 600)
    (one,) = firm.numbers().breaches
    assert (one.stopped_at, one.late_seconds) == (None, 600)
    with ext.write() as session:
        escalation.sweep(session, now())
    assert firm.numbers().breaches[0].late_seconds == 600


def test_a_promise_counts_in_the_month_in_which_it_began_in_the_companys_zone(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    clock.move_to(datetime(2026, 11, 30, 21, 59, tzinfo=UTC))  # 23:59 in Kyiv
    firm.writes()
    clock.move_to(datetime(2026, 11, 30, 22, 0, tzinfo=UTC))
    firm.writes()
    assert (firm.first("2026-11").counted, firm.first("2026-12").counted) == (1, 1)


def test_people_of_the_organisation_count_and_others_do_not(firm: Firm) -> None:
    firm.writes()
    with ext.write() as session:
        stranger = session.get_one(Person, firm.cast.stranger.person_id)
        theirs = session.get_one(Client, stranger.client_id)
    other = Firm(firm.cast, theirs.id, firm.policy_id)
    with ext.write() as session:
        open_ticket(
            session,
            queue_id=firm.cast.support.id,
            who=firm.cast.stranger,
            subject="Lamp",
            channel=Channel.EMAIL,
            language="en",
            at=now(),
        )
    assert firm.first().counted == 1
    with ext.session() as session, pytest.raises(NotFound):
        names_of(session, other.subject())  # a private person has no contract
    with ext.write() as session:
        session.get_one(Client, theirs.id).organisation_id = firm.client_id
    assert firm.first().counted == 2


def test_merged_tickets_count_nowhere(firm: Firm) -> None:
    first, second = firm.writes(), firm.writes()
    with ext.write() as session:
        session.get_one(Ticket, second).merged_into_id = first
    assert firm.first().counted == 1


@pytest.mark.parametrize("why", [Why.UNOWNED, Why.LATE, Why.PASSED, Why.MOVED])
def test_a_breach_says_what_was_so_when_it_was_due(
    firm: Firm, clock: time_machine.Traveller, why: Why
) -> None:
    ticket_id, cast = firm.writes(), firm.cast
    clock.shift(60)
    with ext.write() as session:
        ticket, at, actor = session.get_one(Ticket, ticket_id), now(), as_(cast.sam)
        if why != Why.UNOWNED:
            actions.assign(session, ticket, cast.alice, actor=actor, at=at)
        if why == Why.PASSED:
            actions.assign(session, ticket, cast.sam, actor=actor, at=at + timedelta(seconds=9))
        if why == Why.MOVED:
            billing = session.get_one(Queue, cast.billing.id)
            actions.move(session, ticket, billing, actor=actor, at=at + timedelta(seconds=9))
    clock.shift(6 * HOUR)
    assert [one.why for one in firm.numbers().breaches] == [why]


def test_an_exclusion_counts_when_somebody_else_approved_it(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    met = firm.writes()
    firm.is_answered(met)
    late = breach(firm, clock)
    exclusion_id = exclude(firm, late, approved=None)
    assert (firm.first().after, firm.numbers().undecided) == (0.5, 1)
    with ext.write() as session:
        exclusion = exclusions.exclusion_for(session, exclusion_id)
        with pytest.raises(HelpdeskError, match="Somebody else must decide"):
            exclusions.decide(session, exclusion, approved=True, actor=as_(firm.cast.sam), at=now())
        exclusions.decide(session, exclusion, approved=True, actor=as_(firm.cast.ada), at=now())
    line = firm.first()
    assert (line.breached, line.excluded, line.before, line.after) == (1, 1, 0.5, 1.0)
    ((_breach, one),) = firm.numbers().exclusions
    assert (one.author, one.decider, one.reason) == ("Sam", "Ada", "Their server")


def test_a_refused_exclusion_can_be_asked_for_again_and_then_withdrawn(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    late = breach(firm, clock)
    exclusion_id = exclude(firm, late, approved=False)
    assert firm.first().after == 0.0
    with ext.write() as session:
        actor = as_(firm.cast.ada)
        again = exclusions.ask(session, first_clock(late), "Logs", actor=actor, at=now())
        assert (again.id, again.approved, again.decided_by) == (exclusion_id, None, None)
        with pytest.raises(Conflict):
            exclusions.ask(session, first_clock(late), "Twice", actor=actor, at=now())
        exclusions.withdraw(session, again, actor=actor, at=now())
    (wish,) = firm.numbers().wishes
    assert firm.numbers().exclusions == [] and firm.first().excluded == 0
    assert (wish[1].withdrawn, wish[1].reason) == (True, "Logs"), "kept, to be asked anew"
    with ext.session() as session:
        kinds = session.scalars(
            select(Event.kind).where(Event.kind.startswith("exclusion.")).order_by(Event.id)
        ).all()
    assert kinds == [
        "exclusion.asked",
        "exclusion.decided",
        "exclusion.asked",
        "exclusion.withdrawn",
    ]


def test_only_a_broken_promise_is_excluded_and_only_with_a_reason(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    late = breach(firm, clock)
    fine = firm.writes()
    sam = as_(firm.cast.sam)
    with ext.write() as session:
        with pytest.raises(HelpdeskError, match="Only a broken promise"):
            exclusions.ask(session, first_clock(fine), "Why", actor=sam, at=now())
        for reason in ("  \n", "x" * 1001):
            with pytest.raises(HelpdeskError) as error:
                exclusions.ask(session, first_clock(late), reason, actor=sam, at=now())
            assert error.value.field == "reason"
        with pytest.raises(NotFound):
            exclusions.ask(session, 10**9, "Why", actor=sam, at=now())


def test_a_month_is_closed_when_it_is_over_and_all_is_decided(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    late = breach(firm, clock)
    with pytest.raises(HelpdeskError, match="not over yet"):
        close(firm)
    clock.move_to(datetime(2026, 12, 1, 8, tzinfo=UTC))
    exclusion_id = exclude(firm, late, approved=None)
    with pytest.raises(HelpdeskError, match="wait for a decision: 1"):
        close(firm)
    with ext.write() as session:
        exclusion = exclusions.exclusion_for(session, exclusion_id)
        exclusions.decide(session, exclusion, approved=True, actor=as_(firm.cast.ada), at=now())
    close(firm)
    with pytest.raises(Conflict):
        close(firm)
    with pytest.raises(HelpdeskError, match="Nothing was promised"):
        close(firm, "2026-10")


def test_a_closed_month_does_not_change_whatever_changes_later(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    late = breach(firm, clock)
    exclusion_id = exclude(firm, late)
    clock.move_to(datetime(2026, 12, 1, 8, tzinfo=UTC))
    before = firm.numbers()
    statement_id = close(firm)
    with ext.write() as session:
        session.get_one(Client, firm.client_id).name = "Волошка"
        session.get_one(User, firm.cast.sam.id).name = "Samuel"
        session.get_one(Clock, first_clock(late)).breached_at = None
        session.get_one(Policy, firm.policy_id).name = "Other"
        exclusion = exclusions.exclusion_for(session, exclusion_id)
        with pytest.raises(Conflict, match="closed"):
            exclusions.decide(
                session, exclusion, approved=False, actor=as_(firm.cast.ada), at=now()
            )
        with pytest.raises(Conflict, match="closed"):
            exclusions.withdraw(session, exclusion, actor=as_(firm.cast.sam), at=now())
        exclusion.reason = "Something else"
        session.get_one(User, firm.cast.ada.id).name = "Adelaide"
    assert firm.numbers() != before
    with ext.session() as session:
        statement = closing.statement_for(session, statement_id)
        names, numbers = closing.read(statement)
        assert closing.is_intact(statement) and closing.closer_of(statement) == "Ada"
        (row,) = statement_lists.overview(session, month_of("2026-11"), now())
    assert (names.client, names.policy, names.timezone) == ("Ромашка", "Standard", "Europe/Kyiv")
    assert numbers == before
    assert (row.client, row.breached, row.excluded, row.statement_id) == (
        "Ромашка",
        1,
        1,
        statement_id,
    )


def test_a_promise_of_a_closed_month_counts_under_no_other_policy_later(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    ticket_id = firm.writes()
    clock.move_to(datetime(2026, 12, 1, 8, tzinfo=UTC))
    close(firm)
    with ext.write() as session:
        actor = as_(firm.cast.ada)
        policy = policies.create(
            session,
            name="Urgent",
            queue_id=None,
            priority=Priority.URGENT,
            calendar_id=None,
            targets={"first_response": HOUR},
            actor=actor,
            at=now(),
        )
        ticket = session.get_one(Ticket, ticket_id)
        actions.set_priority(session, ticket, Priority.URGENT, actor=actor, at=now())
        session.flush()
        found = session.get_one(Clock, first_clock(ticket_id), populate_existing=True)
        assert found.policy_id == policy.id
        other = Subject(firm.client_id, policy.id, "2026-11")
        assert count(session, other, now()).total.counted == 0
        rows = statement_lists.overview(session, month_of("2026-11"), now())
        assert [(row.counted, row.statement_id is None) for row in rows] == [(1, False)]
        with pytest.raises(Conflict, match="closed"):
            exclusions.ask(session, found.id, "Why", actor=as_(firm.cast.sam), at=now())


def test_a_reason_is_forgotten_without_the_rest_of_a_closed_month(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    tickets = firm.writes(), firm.writes()
    clock.shift(5 * HOUR)
    first, second = (exclude(firm, ticket_id) for ticket_id in tickets)
    clock.move_to(datetime(2026, 12, 1, 8, tzinfo=UTC))
    before = firm.numbers()
    statement_id = close(firm)
    with ext.write() as session:
        closing.forget_reasons(session, [firm.client_id], [first])
    with ext.session() as session:
        statement = closing.statement_for(session, statement_id)
        names, numbers = closing.read(statement)
        assert closing.is_intact(statement) and closing.closer_of(statement) == "Ada"
    said = {one.id: one.reason for _breach, one in numbers.exclusions}
    assert (names.client, said) == ("Ромашка", {first: "", second: "Their server"})
    assert numbers.lines == before.lines


def test_the_seal_shows_whether_a_closed_statement_was_changed(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    breach(firm, clock)
    clock.move_to(datetime(2026, 12, 1, 8, tzinfo=UTC))
    statement_id = close(firm)
    with ext.write() as session:
        statement = session.get_one(Statement, statement_id)
        seal = closing.seal_of(statement)
        closing.forget_names(session, [firm.client_id])
        assert closing.is_intact(statement)
        names, numbers = closing.read(statement)
        assert (names.client, numbers.total.breached, closing.seal_of(statement)) == ("", 1, seal)
        total = {**statement.data["numbers"]["total"], "met": 7}
        changed = {**statement.data["numbers"], "total": total}
        statement.data = {**statement.data, "numbers": changed}
        assert not closing.is_intact(statement)


def test_the_overview_has_each_organisation_and_policy_of_the_month(
    firm: Firm, clock: time_machine.Traveller
) -> None:
    late = breach(firm, clock)
    firm.writes()
    exclude(firm, late, approved=None)
    with ext.session() as session:
        (row,) = statement_lists.overview(session, month_of("2026-11"), now())
        assert statement_lists.overview(session, month_of("2026-10"), now()) == []
        (wish,) = statement_lists.undecided(session)
    line = firm.numbers().total
    assert (row.counted, row.met, row.breached) == (line.counted, line.met, line.breached)
    assert (row.undecided, row.excluded, row.after) == (1, 0, 0.0)
    assert (wish.client, wish.author, wish.subject) == ("Ромашка", "Sam", firm.subject())


def test_what_is_no_month_is_told(firm: Firm) -> None:
    for text in ("", "2026", "2026-13", "26-11", "2026-11-01", "x" * 9999, "0001-01"):
        with pytest.raises(HelpdeskError, match="is no month"):
            month_of(text)


def test_without_any_outcome_there_is_no_share() -> None:
    line = Line("first_response", (), 0, 0, 0, 0, 0)
    assert (line.before, line.after) == (None, None)
