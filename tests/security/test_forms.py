"""CWE-204, CWE-352, CWE-770: the public form (I2, I3, T17): no bombs, guesses, forged tokens."""

from datetime import timedelta

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.clients.models import ContactPoint
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib.clock import now
from helpdesk.outbox.models import Outgoing
from helpdesk.reactions import react
from helpdesk.tickets.models import Ticket
from helpdesk.web.portal import form_token
from tests.cast import Cast
from tests.web.conftest import Pages

VICTIM = "victim@victim.example"


def send(pages: Pages, clock: time_machine.Traveller, **values: str) -> str:
    """Where the form leads; each comes from another network address."""
    token = form_token.make("ask", now())
    clock.shift(timedelta(seconds=5))
    fields = {"csrf_token": token, "text": "canary", "name": "canary", "contact": VICTIM, **values}
    answer = pages.raw("POST", "/ask", data=fields)
    assert answer.status_code == 303
    return answer.headers["Location"]


def count(what: type[Ticket] | type[Outgoing] | type[Delivery]) -> int:
    with ext.session() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0


@pytest.mark.parametrize("spelling", ["plain", "dots", "tags"])
def test_forms_with_a_victims_address_are_no_bomb(
    pages: Pages, clock: time_machine.Traveller, spelling: str
) -> None:
    for n in range(40):
        address = {"dots": "vic.tim@victim.example", "tags": f"victim+{n}@victim.example"}
        contact = address.get(spelling, VICTIM) if n % 2 else VICTIM
        send(pages, clock, text=f"canary {n}", contact=contact)
    while react(limit=200):
        pass
    with ext.session() as session:
        sent = list(session.scalars(select(Outgoing)))
    assert len(sent) == 1
    assert "canary" not in f"{sent[0].subject}{sent[0].text}{sent[0].html}"


def test_forms_of_a_whole_day_bring_three_receipts(
    pages: Pages, clock: time_machine.Traveller
) -> None:
    for n in range(12):
        send(pages, clock, text=f"hour {n}")
        clock.shift(timedelta(hours=1, minutes=59))
        while react(limit=200):
            pass
    assert count(Outgoing) <= 3


def test_what_is_over_the_limit_is_kept_for_a_person(
    pages: Pages, clock: time_machine.Traveller
) -> None:
    places = [send(pages, clock, text=f"n {n}") for n in range(7)]
    assert sum("/t/" in place for place in places) == 5
    assert all("/ask/kept" in place for place in places[5:])
    with ext.session() as session:
        states = list(session.scalars(select(Delivery.state)))
    assert states.count(DeliveryState.QUARANTINED) == 2 and len(states) == 7


def test_hundreds_of_forms_from_one_place_are_slowed_down(
    pages: Pages, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpdesk.web.portal.asked.MOST", 8)
    for n in range(8):
        send(pages, clock, contact=f"p{n}@x.example")
    fields = {"csrf_token": form_token.make("ask", now()), "text": "One more", "name": "N"}
    answer = pages.raw("POST", "/ask", data={**fields, "contact": "a@b.example"})
    assert answer.status_code == 429 and "One more" in answer.text
    assert count(Delivery) == 8


def test_form_changes_nothing_of_the_record_it_names(
    pages: Pages, clock: time_machine.Traveller, cast: Cast
) -> None:
    """Neither name, nor language, nor whether the address is verified or bad."""
    send(pages, clock, contact="Oksana@Client.Example", name="Mallory")
    with ext.session() as session:
        (ticket,) = session.scalars(select(Ticket))
        point = session.get_one(ContactPoint, cast.oksana.contact_point_id)
        assert ticket.person_id == cast.oksana.person_id
        assert (ticket.person.name, ticket.person.language) == ("Оксана Литвиненко", "uk")
        assert not point.verified and point.value == "oksana@client.example"


def test_promise_does_not_tell_whose_address_it_is(
    pages: Pages, clock: time_machine.Traveller, cast: Cast
) -> None:
    """A client with promises of their own gets the common one until the mailbox is shown."""
    from_form = []
    with ext.write() as session:
        session.get_one(Ticket.client.property.mapper.class_, cast.oksana.client_id).tags = ["vip"]
    for contact in ("oksana@client.example", "nobody@client.example"):
        send(pages, clock, contact=contact)
        with ext.session() as session:
            newest = session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()
            from_form.append(newest.next_due_at and newest.next_due_at - newest.created_at)
    assert from_form[0] == from_form[1] and from_form[0] is not None


@given(st.text(max_size=120) | st.from_regex(r"\A\d{9,11}\.[A-Za-z0-9_-]{24}\.[a-z2-7]{26}\Z"))
@settings(deadline=None, max_examples=200)
def test_no_token_is_guessed(text: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(form_token, "secret", lambda: b"k" * 32)
        assert form_token.age("ask", text, now()) is None


def test_token_of_another_form_or_time_is_none(pages: Pages, clock: time_machine.Traveller) -> None:
    token = form_token.make("ask", now())
    assert form_token.age("ask", token, now()) == 0
    assert form_token.age("other", token, now()) is None
    assert form_token.age("ask", token, now() - timedelta(seconds=5)) is None
    assert form_token.age("ask", token, now() + timedelta(days=8)) is None
