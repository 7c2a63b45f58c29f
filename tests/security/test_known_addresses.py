"""T17: neither the words nor the time of an answer tell whether we know an address."""

import time
from datetime import timedelta
from statistics import median

import pytest
import time_machine
from flask import Flask

from helpdesk import ext
from helpdesk.clients.actions import add_contact_point, add_person, create_client
from helpdesk.clients.match import find_or_create
from helpdesk.clients.models import Client, ContactPoint
from helpdesk.lib.clock import now
from tests.cast import Cast
from tests.web.conftest import Pages, counted

PAIRS = 40
FAR = 1.4  # times: an email written on the spot would be more
NUMBER, SHARED, BOUNCES = "+380671234567", "office@client.example", "gone@client.example"


@pytest.fixture
def known(cast: Cast) -> None:
    """An address of one, one of two, one that returned our mail, and a number."""
    with ext.write() as session:
        for name in ("Svitlo LLC", "Romashka LLC"):
            client = create_client(session, kind="organisation", name=name, at=now())
            client.tags = ["vip"]
            person = add_person(session, client, name="Office", at=now())
            add_contact_point(session, person, kind="email", value=SHARED, country="UA", at=now())
        find_or_create(session, number=NUMBER, name="Ivan", at=now())
        gone = find_or_create(session, email=BOUNCES, name="Ann", at=now())
        session.get_one(ContactPoint, gone.contact_point_id).bad = True


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("path", ["/ask", "/embed/ask", "/my"])
def test_the_work_is_the_same_for_strangers(
    pages: Pages, clock: time_machine.Traveller, path: str
) -> None:
    """The same statements in the same order; only what is unmade again differs."""
    emails = ("nobody@new.example", "oksana@client.example", SHARED, BOUNCES)
    work = {one: statements(pages, clock, path, one) for one in ("warm@new.example", *emails)}
    assert [work[one] for one in emails] == [work["nobody@new.example"]] * 4
    numbers = ("+380509998877", NUMBER)
    assert statements(pages, clock, path, numbers[0]) == statements(pages, clock, path, numbers[1])


def statements(pages: Pages, clock: time_machine.Traveller, path: str, contact: str) -> list[str]:
    """What is asked of the database from the form to the page that follows it.

    Which columns of a row are changed says nothing.
    """
    pages.get(path)
    clock.shift(timedelta(minutes=2))
    typed = {"text": "My kettle leaks", "name": "Ann"} if path != "/my" else {}
    with counted() as sent:
        page = pages.post(path, contact=contact, **typed)
    assert page.status == 200, page.text
    return [
        one.partition(" SET ")[0]
        for one in sent
        if not one.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))
    ]


@pytest.mark.usefixtures("known")
def test_a_form_of_somebody_known_makes_no_second_client(
    pages: Pages, clock: time_machine.Traveller
) -> None:
    with ext.session() as session:
        before = session.query(Client).count()
    statements(pages, clock, "/ask", "oksana@client.example")
    statements(pages, clock, "/ask", NUMBER)
    with ext.session() as session:
        assert session.query(Client).count() == before


def test_asking_for_a_code_takes_as_long_for_strangers(app: Flask, cast: Cast) -> None:
    """The email is made by the worker, so that the request does the same for both."""
    app.config["WTF_CSRF_ENABLED"] = False
    with ext.write() as session:
        for n in range(PAIRS):
            find_or_create(session, email=f"known{n}@client.example", at=now())
    took: dict[str, list[float]] = {"known": [], "other": []}
    lengths = set()
    for n in range(PAIRS):
        order = ("known", "other") if n % 2 else ("other", "known")
        for kind in order:
            client = app.test_client()
            source = {"REMOTE_ADDR": f"192.0.2.{n + 1}"}
            fields = {"contact": f"{kind}{n}@client.example"}
            began = time.thread_time()  # what others do on the machine doesn't count
            answer = client.post("/my", data=fields, environ_base=source)
            took[kind].append(time.thread_time() - began)
            lengths.add((answer.status_code, answer.location, len(answer.data)))
    assert lengths == {(303, "/my/code", len(answer.data))}
    assert 1 / FAR < median(took["known"]) / median(took["other"]) < FAR
