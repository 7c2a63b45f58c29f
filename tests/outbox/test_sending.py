"""Answers reach the relay once, in order, through all its moods."""

import threading
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, select

from config import Bind
from helpdesk import ext
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.models import ContactPoint, Person
from helpdesk.events import Actor, Event
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError
from helpdesk.outbox import actions as outbox
from helpdesk.outbox.models import Outgoing, OutgoingState
from helpdesk.outbox.sending import MAX_ATTEMPTS, next_try, send_due
from helpdesk.reactions import react
from helpdesk.tickets.models import Ticket
from tests.cast import Cast
from tests.outbox.conftest import Answer, OpenTicket
from tests.relay import Mood, Relay, free_port

Clock = time_machine.Traveller


def rows() -> list[Outgoing]:
    with ext.session() as session:
        return list(session.scalars(select(Outgoing).order_by(Outgoing.id)))


def events(kind: str) -> list[Event]:
    with ext.session() as session:
        return list(session.scalars(select(Event).where(Event.kind == kind).order_by(Event.id)))


@pytest.fixture
def reply_due(ask: OpenTicket, answer: Answer) -> Outgoing:
    """One answer waits in the outbox."""
    answer(ask())
    react()
    return rows()[0]


def test_an_answer_reaches_the_relay_once(relay: Relay, reply_due: Outgoing) -> None:
    assert send_due() == 1
    assert send_due() == 0
    [taken] = relay.taken
    assert taken.recipients == ["oksana@client.example"]
    assert taken.sender == reply_due.reply_to
    [row] = rows()
    assert (row.state, row.due_at, row.sent_at) == (OutgoingState.SENT, None, now())


def test_reacting_twice_to_one_answer_makes_one_email(reply_due: Outgoing) -> None:
    with ext.write() as session:
        again = outbox.enqueue_reply(session, reply_due.message_id or 0, at=now())
    assert again == reply_due.id
    assert len(rows()) == 1


def test_without_a_relay_emails_stay_for_the_catcher(app: Flask, reply_due: Outgoing) -> None:
    assert app.config["RELAY"] is None
    assert send_due() == 1
    [row] = rows()
    assert (row.state, row.due_at) == (OutgoingState.CAUGHT, None)
    assert send_due() == 0


def test_a_temporary_refusal_is_tried_again_up_the_ladder(
    relay: Relay, reply_due: Outgoing, clock: Clock
) -> None:
    relay.mood = Mood.LATER
    for wait in (30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 14400):
        send_due()
        [row] = rows()
        assert row.state == OutgoingState.QUEUED
        assert row.due_at == now() + timedelta(seconds=wait)
        assert row.last_error == "451 4.7.1 greylisted"
        clock.shift(timedelta(seconds=wait - 1))
        assert send_due() == 0
        clock.shift(timedelta(seconds=1))
    relay.mood = Mood.ACCEPT
    send_due()
    [row] = rows()
    assert (row.state, row.last_error, row.maybe_sent) == (OutgoingState.SENT, None, False)
    assert len(relay.taken) == 1


def test_after_three_days_of_refusals_it_is_given_up_loudly(
    relay: Relay, reply_due: Outgoing, clock: Clock
) -> None:
    relay.mood = Mood.LATER
    begin = now()
    while (row := rows()[0]).due_at is not None:
        clock.move_to(row.due_at)
        send_due()
    assert row.state == OutgoingState.FAILED
    assert timedelta(days=2.5) < now() - begin < timedelta(days=3.5)
    [event] = events("message.failed")
    assert event.data == {"message_id": row.message_id, "outgoing_id": row.id}
    assert event.ticket_id == row.ticket_id


def test_the_ladder_ends() -> None:
    assert next_try(1, now()) is not None
    assert next_try(MAX_ATTEMPTS, now()) is None


def test_a_final_refusal_fails_at_once_with_the_servers_words(
    relay: Relay, reply_due: Outgoing
) -> None:
    relay.mood = Mood.NEVER
    relay.words = "no \x1b[31msuch\u202e <script>user</script> " + "x" * 400
    send_due()
    [row] = rows()
    assert row.state == OutgoingState.FAILED
    assert row.last_error is not None
    assert row.last_error.startswith("550 5.1.1 no")
    assert len(row.last_error) <= 300
    assert "\x1b" not in row.last_error
    assert "\u202e" not in row.last_error
    assert len(events("message.failed")) == 1


def test_resending_keeps_the_message_id(
    relay: Relay, reply_due: Outgoing, cast: Cast, clock: Clock
) -> None:
    relay.mood = Mood.UNWANTED
    send_due()
    relay.mood = Mood.ACCEPT
    with ext.write() as session:
        row = session.get_one(Outgoing, reply_due.id)
        outbox.resend(session, row, actor=Actor(user_id=cast.alice.id), at=now())
    send_due()
    [message] = relay.parsed()
    assert message["Message-ID"] == f"<{reply_due.rfc_message_id}>"
    assert rows()[0].state == OutgoingState.SENT
    [event] = events("message.resent")
    assert event.user_id == cast.alice.id


def test_an_email_on_its_way_is_not_sent_again_by_hand(reply_due: Outgoing) -> None:
    with ext.write() as session:
        session.get_one(Outgoing, reply_due.id).state = OutgoingState.SENDING
    with ext.write() as session, pytest.raises(Conflict):
        row = session.get_one(Outgoing, reply_due.id)
        outbox.resend(session, row, actor=Actor(), at=now())


def test_resending_goes_to_the_corrected_address(
    relay: Relay, reply_due: Outgoing, cast: Cast
) -> None:
    relay.mood = Mood.NEVER
    send_due()
    relay.mood = Mood.ACCEPT
    with ext.write() as session:
        person = session.get_one(Person, cast.oksana.person_id)
        add_contact_point(
            session, person, kind="email", value="new@client.example", country="UA", at=now()
        )
    with ext.write() as session:
        row = session.get_one(Outgoing, reply_due.id)
        outbox.resend(session, row, actor=Actor(user_id=cast.alice.id), at=now())
    send_due()
    assert relay.taken[0].recipients == ["new@client.example"]


def test_a_bad_address_does_not_stop_the_others(
    relay: Relay, ask: OpenTicket, answer: Answer, cast: Cast
) -> None:
    relay.moods = {"stranger@elsewhere.example": Mood.NEVER}
    answer(ask())
    answer(ask(who=cast.stranger))
    answer(ask())
    react()
    assert send_due() == 3
    assert [row.state for row in rows()] == ["sent", "failed", "sent"]
    assert relay.connections == 1


@pytest.mark.parametrize(("mood", "bad"), [(Mood.NEVER, True), (Mood.UNWANTED, False)])
def test_an_address_that_the_relay_does_not_know_is_bad(
    relay: Relay, reply_due: Outgoing, cast: Cast, mood: Mood, bad: bool
) -> None:
    relay.mood = mood
    send_due()
    with ext.session() as session:
        assert session.get_one(ContactPoint, cast.oksana.contact_point_id).bad is bad
    assert len(events("contact_point.bad")) == bad
    assert len(events("message.failed")) == 1


def test_an_email_that_cannot_be_written_does_not_stop_the_others(
    relay: Relay, ask: OpenTicket, answer: Answer
) -> None:
    answer(ask())
    answer(ask())
    react()
    with ext.write() as session:
        first = session.scalars(select(Outgoing).order_by(Outgoing.id)).first()
        assert first is not None
        first.from_address = "not an address"
    send_due()
    assert [row.state for row in rows()] == ["failed", "sent"]
    assert rows()[0].last_error == "This email cannot be written."


def test_a_hang_up_within_the_email_is_tried_again(
    relay: Relay, reply_due: Outgoing, clock: Clock
) -> None:
    relay.mood = Mood.DROP_IN_DATA
    send_due()
    [row] = rows()
    assert row.state == OutgoingState.QUEUED
    assert relay.taken == []
    relay.mood = Mood.ACCEPT
    clock.shift(timedelta(seconds=30))
    send_due()
    assert rows()[0].state == OutgoingState.SENT
    assert len(relay.taken) == 1


def test_a_hang_up_after_the_email_is_marked_as_maybe_sent(
    relay: Relay, reply_due: Outgoing, clock: Clock
) -> None:
    relay.mood = Mood.DROP_AFTER_DATA
    send_due()
    assert rows()[0].maybe_sent
    relay.mood = Mood.ACCEPT
    clock.shift(timedelta(seconds=30))
    send_due()
    first, second = relay.parsed()
    assert first["Message-ID"] == second["Message-ID"]
    assert rows()[0].state == OutgoingState.SENT


def test_a_relay_that_is_away_leaves_the_emails_waiting(
    app: Flask, ask: OpenTicket, answer: Answer, clock: Clock
) -> None:
    app.config["RELAY"] = Bind("127.0.0.1", free_port())
    answer(ask())
    answer(ask())
    react()
    assert send_due() == 0  # let the caller rest
    first, second = rows()  # the second is not even tried: it would not go either
    assert (first.state, first.last_error) == ("queued", "Connection refused")
    assert (second.state, second.attempts) == ("queued", 0)


def test_a_relay_that_is_closing_gets_no_more(
    relay: Relay, ask: OpenTicket, answer: Answer
) -> None:
    relay.mood = Mood.BUSY
    answer(ask())
    answer(ask())
    react()
    assert send_due() == 0
    assert [row.state for row in rows()] == ["queued", "queued"]
    assert [row.attempts for row in rows()] == [1, 0]


def test_each_email_costs_one_transaction_and_the_batch_one_more(
    relay: Relay, ask: OpenTicket, answer: Answer
) -> None:
    for _ in range(4):
        answer(ask())
    react()
    commits: list[None] = []

    def note(_connection: object) -> None:
        commits.append(None)

    writing = ext.db.engine
    event.listen(writing, "commit", note)
    try:
        assert send_due() == 4
    finally:
        event.remove(writing, "commit", note)
    assert len(relay.taken) == 4
    assert len(commits) == 5


def test_two_senders_never_send_one_email_twice(
    app: Flask, relay: Relay, ask: OpenTicket, answer: Answer
) -> None:
    ticket_id = ask()
    for number in range(12):
        answer(ticket_id, f"Відповідь {number}")
    react()
    relay.mood, relay.slowness = Mood.SLOW, 0.01
    failures: list[BaseException] = []

    def sender() -> None:
        try:
            with app.app_context():
                while send_due(3):
                    pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=sender) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    ids = [message["Message-ID"] for message in relay.parsed()]
    assert len(ids) == len(set(ids)) == 12
    assert {row.state for row in rows()} == {"sent"}


def test_an_answer_without_any_address_fails_visibly(
    ask: OpenTicket, answer: Answer, cast: Cast
) -> None:
    ticket_id = ask()
    message_id = answer(ticket_id)
    with ext.write() as session:
        point = session.get_one(Ticket, ticket_id).contact_point
        assert point is not None
        point.bad = True
    react()
    [row] = rows()
    assert (row.state, row.message_id, row.last_error) == ("failed", message_id, outbox.NO_ADDRESS)
    with ext.write() as session, pytest.raises(HelpdeskError):
        outbox.resend(session, session.get_one(Outgoing, row.id), actor=Actor(), at=now())
