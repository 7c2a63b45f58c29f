"""A customer asks us by the form, and nothing that they typed is lost."""

import io
import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from helpdesk import ext
from helpdesk.clients.models import ContactPoint, Person
from helpdesk.intake import form, receive
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.kb.models import Outcome, Search
from helpdesk.lib.clock import now
from helpdesk.products import create_product
from helpdesk.tickets.models import Attachment, Channel, Message, Ticket, TicketKind
from helpdesk.tickets.reasons import change_reason, reason_named, seed_reasons
from tests.cast import Cast
from tests.web.conftest import Page, Pages
from tests.web.knowledge import Shelf, shelf

__all__ = ["shelf"]

ASKED = {"text": "My kettle leaks at the bottom", "name": "Ivan", "contact": "ivan@new.example"}
ENGLISH = {"Accept-Language": "en", "User-Agent": "Firefox"}


@pytest.fixture
def guest(pages: Pages, clock: time_machine.Traveller) -> Pages:
    """A browser of somebody outside, in English."""
    pages.headers = dict(ENGLISH)
    return pages


def ask(guest: Pages, clock: time_machine.Traveller, **values: Any) -> Page:
    """Open the form, take a while to fill it in, send it."""
    guest.get("/ask")
    clock.shift(timedelta(seconds=20))
    return guest.post("/ask", **{**ASKED, **values})


def tickets() -> list[Ticket]:
    with ext.session() as session:
        return list(session.scalars(select(Ticket).order_by(Ticket.id)))


def deliveries() -> list[Delivery]:
    with ext.session() as session:
        query = select(Delivery).options(undefer(Delivery.raw)).order_by(Delivery.id)
        return list(session.scalars(query))


def test_thank_you_page_is_the_conversation_with_number_and_promise(
    guest: Pages, clock: time_machine.Traveller, cast: Cast
) -> None:
    page = ask(guest, clock)
    (ticket,) = tickets()
    assert page.status == 200 and page.place.startswith("/t/")
    assert f"request has number {ticket.number}" in page.text
    assert "My kettle leaks at the bottom" in page.text and "We answer by" in page.text
    assert (ticket.channel, ticket.queue_id) == (Channel.WEB, cast.support.id)
    assert (ticket.subject, ticket.language) == ("My kettle leaks at the bottom", "en")


def test_form_is_on_the_disk_as_it_was_sent(guest: Pages, clock: time_machine.Traveller) -> None:
    ask(guest, clock, text="Привіт, де моя посилка?")
    (delivery,) = deliveries()
    assert (delivery.channel, delivery.state) == (Channel.WEB, DeliveryState.DONE)
    assert delivery.ticket_id == tickets()[0].id
    kept = json.loads(delivery.raw or b"")
    assert (kept["text"], kept["contact"]) == ("Привіт, де моя посилка?", "ivan@new.example")


def test_form_asks_for_what_is_missing_and_keeps_the_rest(
    guest: Pages, clock: time_machine.Traveller
) -> None:
    page = ask(guest, clock, contact="", name="")
    assert page.status == 400 and tickets() == [] and deliveries() == []
    assert "Write your name." in page.text and "Write an email address or a phone" in page.text
    assert page.form("/ask")["text"].strip() == ASKED["text"]
    page = guest.post("/ask", name="Ivan", contact="ivan@new.example")
    assert page.place.startswith("/t/")


@pytest.mark.parametrize(
    ("contact", "words"),
    [
        ("ivan@new", "The end of the address is missing"),
        ("ivan", "neither an email address nor a phone number"),
        ("12", "neither an email address nor a phone number"),
        ("a@b.example, c@d.example", "neither an email address nor a phone number"),
    ],
)
def test_contact_that_leads_nowhere_is_named(
    guest: Pages, clock: time_machine.Traveller, contact: str, words: str
) -> None:
    page = ask(guest, clock, contact=contact)
    assert page.status == 400 and words in page.text
    assert page.form("/ask")["contact"] == contact


def test_number_in_any_spelling_finds_the_client(
    guest: Pages, clock: time_machine.Traveller
) -> None:
    ask(guest, clock, contact="067 123-45-67")
    page = ask(guest, clock, contact="+380 67 123 45 67", text="Once more, something else")
    first, second = tickets()
    assert first.client_id == second.client_id
    assert "Keep its address" in page.text


def test_same_form_sent_twice_is_one_request(guest: Pages, clock: time_machine.Traveller) -> None:
    guest.get("/ask")
    fields = guest.page.form("/ask") | ASKED  # type: ignore[union-attr]
    clock.shift(timedelta(seconds=20))
    places = {guest.send("/ask", fields).place for _ in range(3)}
    assert len(tickets()) == len(places) == 1


def test_same_form_sent_at_the_same_moment_is_one_request(
    app: Flask, guest: Pages, clock: time_machine.Traveller
) -> None:
    guest.get("/ask")
    fields = guest.page.form("/ask") | ASKED  # type: ignore[union-attr]
    clock.shift(timedelta(seconds=20))
    places: list[str] = []

    def send() -> None:
        answer = app.test_client().post("/ask", data=fields, headers=ENGLISH)
        places.append(answer.headers["Location"])

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(places) == 4 and len(set(places)) == 1 and len(tickets()) == 1


def test_form_that_was_gone_back_to_and_sent_again_is_one_request(
    guest: Pages, clock: time_machine.Traveller
) -> None:
    """Going back loads the form anew, with another token, around the text that was typed."""
    first = ask(guest, clock)
    assert (
        ask(guest, clock).place
        == ask(guest, clock).place
        == first.place.partition("?")[0] + "?sent"
    )
    assert len(tickets()) == 1
    ask(guest, clock, text="And the lamp is dark")
    assert len(tickets()) == 2


def test_form_that_was_gone_back_to_and_changed_is_another_request(
    guest: Pages, clock: time_machine.Traveller
) -> None:
    guest.get("/ask")
    fields = guest.page.form("/ask") | ASKED  # type: ignore[union-attr]
    clock.shift(timedelta(seconds=20))
    guest.send("/ask", fields)
    guest.send("/ask", fields | {"text": "And the lamp is dark"})
    assert len(tickets()) == 2


@pytest.mark.parametrize("token", ["", "junk", "1700000000.aaaaaaaaaaaaaaaaaaaaaaaa." + "b" * 26])
def test_form_without_a_good_token_is_shown_again_with_its_text(
    guest: Pages, clock: time_machine.Traveller, token: str
) -> None:
    page = ask(guest, clock, csrf_token=token)
    assert page.status == 400 and "Nothing was sent yet" in page.text
    assert page.form("/ask")["text"].strip() == ASKED["text"]
    clock.shift(timedelta(seconds=20))
    assert guest.post("/ask").place.startswith("/t/")


def test_form_open_for_a_month_is_shown_again_with_the_names_of_its_files(
    guest: Pages, clock: time_machine.Traveller
) -> None:
    guest.get("/ask")
    fields = guest.page.form("/ask") | ASKED  # type: ignore[union-attr]
    clock.shift(timedelta(days=30))
    photo = (io.BytesIO(b"\x89PNG"), "leak.png", "image/png")
    page = guest.send("/ask", fields | {"files": [photo]}, content_type="multipart/form-data")
    assert page.status == 400 and "Choose the files again: leak.png." in page.text


def test_form_works_without_any_cookie(
    app: Flask, clock: time_machine.Traveller, cast: Cast
) -> None:
    client = app.test_client(use_cookies=False)
    browser = Pages(app, client, headers=dict(ENGLISH))
    browser.get("/ask")
    fields = browser.page.form("/ask") | ASKED  # type: ignore[union-attr]
    clock.shift(timedelta(seconds=20))
    assert browser.send("/ask", fields).place.startswith("/t/")


def test_form_of_another_site_is_refused(guest: Pages, clock: time_machine.Traveller) -> None:
    guest.get("/ask")
    fields = guest.page.form("/ask") | ASKED  # type: ignore[union-attr]
    guest.headers["Sec-Fetch-Site"] = "cross-site"
    assert guest.send("/ask", fields).status == 403 and deliveries() == []


def test_files_come_along(guest: Pages, clock: time_machine.Traveller) -> None:
    guest.get("/ask")
    fields = guest.page.form("/ask") | ASKED  # type: ignore[union-attr]
    clock.shift(timedelta(seconds=20))
    photo = (io.BytesIO(b"\x89PNG"), "leak.png", "image/png")
    page = guest.send("/ask", fields | {"files": [photo]}, content_type="multipart/form-data")
    assert page.place.startswith("/t/")
    with ext.session() as session:
        assert session.scalars(select(Attachment)).one().filename == "leak.png"


def test_file_that_may_run_is_refused_and_the_text_kept(
    guest: Pages, clock: time_machine.Traveller
) -> None:
    guest.get("/ask")
    fields = guest.page.form("/ask") | ASKED  # type: ignore[union-attr]
    clock.shift(timedelta(seconds=20))
    evil = (io.BytesIO(b"MZ"), "invoice.pdf.EXE", "application/pdf")
    page = guest.send("/ask", fields | {"files": [evil]}, content_type="multipart/form-data")
    assert page.status == 400 and "Files of this type are not taken: invoice.pdf.EXE" in page.text
    assert page.form("/ask")["text"].strip() == ASKED["text"] and tickets() == []


def test_reason_gives_queue_and_kind(
    guest: Pages, clock: time_machine.Traveller, cast: Cast
) -> None:
    with ext.write() as session:
        seed_reasons(session)
        delivery = reason_named(session, "delivery")
        change_reason(session, delivery, queue_id=cast.billing.id)
        below = reason_named(session, "delivery-late")
    ask(guest, clock, reason=str(below.id))
    (ticket,) = tickets()
    assert (ticket.reason_id, ticket.queue_id) == (below.id, cast.billing.id)
    assert ticket.kind == TicketKind.COMPLAINT


@pytest.mark.parametrize("reason", ["999999", "x", "-1", "1 OR 1"])
def test_reason_that_is_not_offered_is_named(
    guest: Pages, clock: time_machine.Traveller, reason: str
) -> None:
    page = ask(guest, clock, reason=reason)
    assert page.status == 400 and tickets() == []


def test_product_is_found_by_name_number_or_a_telling_word(
    guest: Pages, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        kettle = create_product(session, name="Kettle K-200", sku="K200", at=now())
        create_product(session, name="Kettle K-300", sku="K300", at=now())
    for n, words in enumerate(("Kettle K-200", "k200", "kettle 200")):
        ask(guest, clock, product=words, text=f"It leaks, time {n}")
    assert [ticket.product_id for ticket in tickets()] == [kettle.id] * 3
    page = ask(guest, clock, product="kettle")
    assert page.status == 400 and "We do not know this product." in page.text
    assert page.form("/ask")["product"] == "kettle"


def test_bot_in_the_trap_is_put_aside_and_a_person_can_take_it_up(
    guest: Pages, clock: time_machine.Traveller
) -> None:
    page = ask(guest, clock, website="https://spam.example")
    assert page.status == 200 and "Your request is kept." in page.text
    (delivery,) = deliveries()
    assert (delivery.state, delivery.reason) == (DeliveryState.QUARANTINED, "honeypot")
    assert tickets() == []
    with ext.write() as session:
        values = {"state": DeliveryState.NEW, "todo": 1}
        session.execute(update(Delivery).values(**values))
    assert receive.process_new() == 1
    assert len(tickets()) == 1 and deliveries()[0].state == DeliveryState.DONE


def test_form_with_a_link_filled_in_within_a_moment_is_put_aside(guest: Pages) -> None:
    guest.get("/ask")
    text = "Cheap lamps: https://spam.example"
    assert "Your request is kept." in guest.post("/ask", **ASKED | {"text": text}).text
    assert deliveries()[0].reason == "too_fast"


def test_form_shown_again_with_its_text_may_be_sent_at_once(guest: Pages) -> None:
    guest.get("/ask")
    page = guest.post("/ask", **ASKED, csrf_token="of another day")
    assert page.status == 400 and "Nothing was sent yet" in page.text
    assert "/t/" in guest.post("/ask").place
    assert len(tickets()) == 1


def test_many_people_behind_one_address_are_not_refused(
    guest: Pages, clock: time_machine.Traveller
) -> None:
    for n in range(31):
        page = ask(guest, clock, contact=f"p{n}@new.example")
        assert page.status == 200
    assert "Your request is kept." in page.text
    assert len(tickets()) == 30 and deliveries()[-1].reason == "address_limit"


def test_form_that_fails_inside_is_kept_and_done_by_the_worker(
    guest: Pages, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> int:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(form, "open_ticket", broken)
        page = ask(guest, clock)
    assert "Your request is kept." in page.text and "number follows" in page.text
    scripts = [str(one.get("src")) for one in page.all("script")]
    assert any("js/kept" in one for one in scripts), "which lets the draft on this device go"
    assert tickets() == [] and deliveries()[0].state == DeliveryState.NEW
    receive.process_new()
    (ticket,) = tickets()
    assert deliveries()[0].ticket_id == ticket.id


def test_known_and_unknown_addresses_get_the_same_answer(
    guest: Pages, clock: time_machine.Traveller, cast: Cast
) -> None:
    """T17: nothing tells whether we know somebody; Oksana is known and speaks Ukrainian."""
    pages = [
        ask(guest, clock, contact=contact).html
        for contact in ("oksana@client.example", "nobody@client.example")
    ]
    known, unknown = (tickets()[0], tickets()[1])
    assert known.client_id == cast.oksana.client_id
    for page, ticket in zip(pages, (known, unknown), strict=True):
        assert 'lang="en"' in page and "Оксана" not in page and "client.example" not in page
        assert ticket.number in page
    shapes = [len(page) for page in pages]
    assert abs(shapes[0] - shapes[1]) < 20  # ids and tokens differ in length


def test_message_of_a_form_is_marked_as_not_confirmed(
    guest: Pages, clock: time_machine.Traveller, cast: Cast
) -> None:
    ask(guest, clock, contact="oksana@client.example")
    with ext.session() as session:
        assert session.scalars(select(Message)).one().parse_errors == [form.UNCONFIRMED]
        point = session.get_one(ContactPoint, cast.oksana.contact_point_id)
        assert not point.verified
        assert session.get_one(Person, cast.oksana.person_id).name == "Оксана Литвиненко"
    guest.log_in("alice")
    page = guest.get(f"/desk/t/{tickets()[0].number}")
    assert "address not confirmed" in page.text


def test_suggestions_open_in_place_and_count(
    guest: Pages, clock: time_machine.Traveller, shelf: Shelf
) -> None:
    guest.get("/ask?q=where+is+my+parcel")
    fields = guest.page.form("/ask")  # type: ignore[union-attr]
    assert "Where is my parcel" in guest.page.text  # type: ignore[union-attr]
    (form_tag,) = [one for one in guest.page.all("form") if "data-ask" in one.attrib]  # type: ignore[union-attr]
    visit = form_tag.get("data-visit", "")
    part = guest.raw("GET", f"/ask/suggest?q=where+is+my+parcel&lang=en&visit={visit}")
    assert "<details" in part.text and "Secret bonus" not in part.text
    clock.shift(timedelta(seconds=5))
    sent = {"csrf_token": fields["csrf_token"], "lang": "en", "article": str(shelf.parcel)}
    page = guest.send("/ask/solved", sent)
    assert "Nothing was sent." in page.text and tickets() == []
    with ext.session() as session:
        row = session.scalars(select(Search)).one()
    assert (row.outcome, row.article_id) == (Outcome.SOLVED, shelf.parcel)


def test_who_asks_all_the_same_is_counted(
    guest: Pages, clock: time_machine.Traveller, shelf: Shelf
) -> None:
    guest.get("/ask")
    (form_tag,) = [one for one in guest.page.all("form") if "data-ask" in one.attrib]  # type: ignore[union-attr]
    visit = form_tag.get("data-visit", "")
    words = "where+is+my+parcel+call+0671234567+a@b.example"
    guest.raw("GET", f"/ask/suggest?q={words}&lang=en&visit={visit}")
    clock.shift(timedelta(seconds=20))
    guest.post("/ask", **ASKED)
    with ext.session() as session:
        row = session.scalars(select(Search)).one()
    assert (row.outcome, row.ticket_id) == (Outcome.ASKED, tickets()[0].id)
    assert "067" not in row.query and "b.example" not in row.query


def test_question_that_nothing_answers_gets_no_suggestions(guest: Pages, shelf: Shelf) -> None:
    part = guest.raw("GET", "/ask/suggest?q=quantum+chromodynamics+lattice&lang=en&visit=x")
    assert "<details" not in part.text


def test_entry_reads_back_as_it_was_written() -> None:
    entry = form.Entry("Текст\n\"'", "uk", contact="a@b.example", ticket_id=3, proven=True)
    assert form.read(form._raw(entry)) == entry
    assert form._key(entry, "n") == form._key(replace(entry, visit="v"), "n")
