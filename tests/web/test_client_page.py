"""A client's page in the desk: what stands there, who sees what, every small form and its undo."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import ext
from helpdesk.clients import billing, items
from helpdesk.clients.actions import change_client, create_client
from helpdesk.clients.facts import Document, Promise
from helpdesk.clients.models import Client, ContactPoint
from helpdesk.events import SYSTEM, Event
from helpdesk.fields import seed_fields
from helpdesk.lib.clock import now
from helpdesk.products import Product
from helpdesk.tickets.models import Channel, Message, Ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Pages, counted

BY: dict[str, Any] = {"actor": SYSTEM}


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/desk/clients/{cast.oksana.client_id}"


@pytest.fixture
def full(cast: Cast, desk: Desk) -> Iterator[None]:
    """Oksana with a profile, a firm, money, an item and a ticket."""
    desk.ticket("Kettle leaks", "It leaks since Monday.")
    with ext.write() as session:
        seed_fields(session)
        client = session.get_one(Client, cast.oksana.client_id)
        firm = create_client(session, kind="organisation", name="Svitlo LLC", at=now())
        product = Product(name="Kettle K-1", sort_key="kettle", created_at=now())
        session.add(product)
        session.flush()
        profile = {"birthday": "1980-12-31", "income": 50_000}
        known = {"organisation_id": firm.id, "tags": ["vip"], "owner_id": cast.sam.id}
        change_client(session, client, at=now(), profile=profile, **known, **BY)
        today = now().date()
        item = {
            "product_id": product.id,
            "serial": "SN-00 12",
            "warranty_until": today + timedelta(days=30),
        }
        items.put_item(session, client, item, at=now(), **BY)
        money = {"external_id": "40931", "amount": 124_000, "currency": "UAH"}
        sale = money | {"title": "Water filter", "bought_on": today}
        billing.put_purchase(session, client, sale, at=now(), **BY)
        bill = money | {"issued_on": today - timedelta(days=40), "due_on": today - timedelta(4)}
        billing.put_invoice(session, client, bill, at=now(), **BY)
    yield


@pytest.mark.usefixtures("full")
def test_who_it_is_and_what_is_open_stands_on_one_page(alice: Pages, path: str) -> None:
    page = alice.get(path)
    for words in (
        "Оксана Литвиненко", "Svitlo LLC", "account owner: Sam", "vip",
        "open ticket", "contact in 30 days", "UAH 1,240", "bought in 12 months",
        "4 days late", "Birthday", "31 Dec 1980", "Kettle K-1", "SN-00 12", "warranty until",
        "Water filter", "40931", "Kettle leaks",
        "place of residence",
    ):  # fmt: skip
        assert words in page.text, words


@pytest.mark.usefixtures("full")
def test_the_page_is_light_and_asks_little(alice: Pages, path: str, desk: Desk) -> None:
    for n in range(60):
        desk.ticket(f"Kettle {n} is still leaking", "It leaks. " * 40)
    alice.get(path)
    with counted() as sent:
        page = alice.get(path)
    assert len(sent) <= 12, "\n".join(sent)
    assert len(page.html.encode()) <= 32_000
    sent_over = alice.raw("GET", path, headers={"Accept-Encoding": "gzip"})
    assert len(sent_over.data) <= 10_000  # the budget of a later page, with its files, is 30 kB
    assert [link.get("rel") for link in page.all("a") if link.text == "Older"] == ["next"]


@pytest.mark.usefixtures("full")
def test_an_organisation_is_not_asked_for_its_birthday(alice: Pages) -> None:
    with ext.session() as session:
        firm = session.scalars(select(Client).where(Client.name == "Svitlo LLC")).one()
    page = alice.get(f"/desk/clients/{firm.id}")
    assert "filled in" in page.text and "birthday" not in page.text
    form = alice.get(f"/desk/clients/{firm.id}/edit").form(f"/desk/clients/{firm.id}")
    assert [name for name in form if name.startswith("profile.")] == [
        "profile.preferences", "profile.loyalty",
    ]  # fmt: skip


def test_every_number_leads_to_what_it_counts(alice: Pages, path: str) -> None:
    page = alice.get(path)
    ids = {element.get("id") for element in page.tree.iter()}
    links = [a.get("href", "") for a in page.all("a[@class='stat']")]
    assert len(links) == 6
    for link in links:
        assert link.partition("#")[2] in ids


@pytest.mark.usefixtures("full")
def test_agents_see_that_a_sensitive_value_is_there_and_not_which(pages: Pages, path: str) -> None:
    pages.log_in("alice")
    page = pages.get(path)
    assert "Income a month" in page.text and "filled in, hidden" in page.text
    assert "50,000" not in page.html and "50000" not in pages.get(f"{path}/edit").html
    fields = pages.get(f"{path}/edit").form(path)
    pages.send(path, fields | {"profile.income": "1", "profile.occupation": "architect"})
    with ext.session() as session:
        profile = session.scalars(select(Client.profile).where(Client.id == 1)).one()
        assert (profile["income"], profile["occupation"]) == (50_000, "architect")
    pages.log_in("sam")
    assert "50,000" in pages.get(path).text


@pytest.mark.usefixtures("full")
def test_the_record_is_edited_and_wrong_values_are_marked(alice: Pages, path: str) -> None:
    alice.get(f"{path}/edit")
    page = alice.post(
        path, relation="partner", timezone="kyiv", owner="", organisation="",
        **{"profile.loyalty": "90", "profile.birthday": "01.02.1981"},
    )  # fmt: skip
    assert page.status == 200 and "partner" in page.text and "Europe/Kyiv" in page.text
    assert "1 Feb 1981" in page.text and "Svitlo LLC" not in page.text
    for wrong, said in (
        ({"profile.loyalty": "high"}, "Write a number"),
        ({"timezone": "Mars"}, "no time zone Mars"),
        ({"organisation": "Nobody & Co"}, "no organisation Nobody"),
        ({"owner": "99"}, "Choose one"),
        ({"relation": "enemy"}, "must be client"),
        ({"about": "x" * 5001}, "too long"),
    ):
        alice.get(f"{path}/edit")
        page = alice.post(path, **wrong)
        assert page.status == 400 and said in page.text, wrong
        (name, value) = next(iter(wrong.items()))
        if name not in ("owner", "relation"):
            assert page.form(path)[name] == value


def test_an_organisation_is_named_by_its_name_or_number(alice: Pages, path: str) -> None:
    with ext.write() as session:
        ids = [
            create_client(session, kind="organisation", name="Twin", at=now()).id for _ in range(2)
        ]
    alice.get(f"{path}/edit")
    assert "several organisations" in alice.post(path, organisation="Twin").text
    alice.get(f"{path}/edit")
    assert "Twin" in alice.post(path, organisation=f"№ {ids[1]}").text
    alice.get(f"{path}/edit")
    assert alice.post(path, name="Oksana L.").status == 200
    assert "Oksana L." in alice.get(f"/desk/clients/{ids[1]}").text, "members of the firm"


def test_a_person_is_added_changed_marked_and_removed_with_undo(alice: Pages, path: str) -> None:
    alice.get(f"{path}/people/new")
    page = alice.post(f"{path}/people/new", name="Andrii", role="husband", value="067 123 45 67")
    here = page.place
    assert "+380 67 123 45 67" in page.html and page.one("h1").text == "Andrii"
    point = next(f for f in page.all("form") if "/points/" in f.get("action", ""))
    action = point.get("action", "")
    for act, word in (("verify", "verified: take back"), ("prefer", "preferred: take back")):
        page = alice.send(action, {"csrf_token": alice.token, "act": act, "value": ""})
        assert word in page.text
    page = alice.post(action, act="value", value="call me")
    assert page.status == 400 and 'value="call me"' in page.html
    page = alice.send(action, {"csrf_token": alice.token, "act": "remove"})
    assert "+380 67 123 45 67 was removed" in page.text
    page = alice.post(f"{path}/undo")
    assert "Put back" in page.text and "+380 67 123 45 67" in page.text
    page = alice.get(here)
    page = alice.post(f"{here}/remove")
    assert "Andrii was removed" in page.text and "husband" not in page.text
    assert "husband" in alice.post(f"{path}/undo").text
    page = alice.post(f"{path}/people/new") if page is None else alice.get(here)
    assert alice.post(here, name=" ").status == 400


def test_the_only_person_with_tickets_stays(alice: Pages, desk: Desk, path: str) -> None:
    desk.ticket()
    page = alice.get(f"{path}/people/{desk.cast.oksana.person_id}")
    page = alice.post(f"{path}/people/{desk.cast.oksana.person_id}/remove")
    assert page.status == 400 and "has tickets" in page.text


def test_a_note_is_written_deleted_and_put_back(alice: Pages, path: str) -> None:
    alice.get(path)
    page = alice.post(f"{path}/notes", note="Prefers mornings")
    assert "Prefers mornings" in page.text
    delete = next(f.get("action", "") for f in page.all("form") if "/delete" in f.get("action", ""))
    page = alice.post(delete)
    assert "The note was deleted." in page.text and "Prefers mornings" not in page.text
    page = alice.post(f"{path}/undo")
    assert "Prefers mornings" in page.text
    assert "The note was deleted." not in alice.get(page.place).text
    page = alice.send(f"{path}/notes", {"csrf_token": alice.token, "note": " "})
    assert page.status == 400 and "no text yet" in page.text


def test_a_document_is_kept_and_served_so_that_it_does_no_harm(
    alice: Pages, app: Flask, path: str
) -> None:
    alice.get(path)
    page = alice.send(
        f"{path}/documents",
        {
            "csrf_token": alice.token,
            "files": [
                (io.BytesIO(b"<script>alert(1)</script>"), "act.html", "text/html"),
                (io.BytesIO(b"\x89PNG"), "photo.png", "image/png"),
            ],
        },
    )
    assert "act.html" in page.text and "photo.png" in page.text
    with ext.session() as session:
        act, photo = session.scalars(select(Document).order_by(Document.id)).all()
    answer = alice.raw("GET", f"{path}/documents/{act.id}")
    assert answer.data == b"<script>alert(1)</script>"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''act.html"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    answer = alice.raw("GET", f"{path}/documents/{photo.id}")
    assert answer.mimetype == "image/png"
    with ext.session() as session:
        query = select(Event.data).where(Event.kind == "document.read").order_by(Event.id)
        reads = session.scalars(query).all()
        assert [data["document_id"] for data in reads] == [act.id, photo.id]
    assert alice.raw("GET", f"/desk/clients/2/documents/{act.id}").status_code == 404
    alice.get(path)
    page = alice.post(f"{path}/documents/{act.id}/delete")
    assert "The document was deleted." in page.text
    assert alice.raw("GET", f"{path}/documents/{act.id}").status_code == 404
    assert "act.html" in alice.post(f"{path}/undo").text
    for files, said in (([], "Choose a file"), ([(io.BytesIO(b""), "a.txt")], "empty")):
        page = alice.send(f"{path}/documents", {"csrf_token": alice.token, "files": files})
        assert page.status == 400 and said in page.text
    app.config["MAX_MAIL_BYTES"] = 10
    big = {"csrf_token": alice.token, "files": [(io.BytesIO(b"x" * 11), "b.txt")]}
    assert "too large" in alice.send(f"{path}/documents", big).text


def test_a_promise_is_due_on_the_clock_of_reader_or_client(
    alice: Pages, path: str, cast: Cast
) -> None:
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        change_client(session, client, at=now(), timezone="America/New_York", **BY)
    for whose, hour in (("", 14), ("client", 21)):
        alice.get(path)
        page = alice.post(f"{path}/promises", promise="Call", due="2026-11-23T16:00", whose=whose)
        assert page.status == 200 and "runs now" in page.text or "run now" in page.text
        with ext.session() as session:
            due = session.scalars(select(Promise.due_at).order_by(Promise.id.desc())).first()
            assert due is not None and due.hour == hour
    action = next(
        f.get("action", "") for f in page.all("form") if "/promises/" in f.get("action", "")
    )
    page = alice.send(action, {"csrf_token": alice.token, "kept": "yes"})
    assert "1 of 1" in page.text and "The promise was kept." in page.text
    assert "0 of 0" in alice.post(f"{path}/undo").text
    for due, said in (("soon", "Choose a day"), ("2026-01-01T10:00", "over already")):
        fields = {"csrf_token": alice.token, "promise": "Typed", "due": due}
        page = alice.send(f"{path}/promises", fields)
        assert page.status == 400 and said in page.text and 'value="Typed"' in page.html


@pytest.mark.usefixtures("full")
def test_an_item_is_added_and_corrected(alice: Pages, path: str) -> None:
    alice.get(f"{path}/items/new")
    page = alice.post(f"{path}/items/new", serial="AB 77", warranty_until="2020-01-01")
    assert "AB 77" in page.text and "warranty over" in page.text
    alice.get(f"{path}/items/2")
    page = alice.post(f"{path}/items/2", batch="B9", bought_on="2021-01-01")
    assert page.status == 400 and "before the item was bought" in page.text
    assert page.form(f"{path}/items/2")["batch"] == "B9"
    alice.get(f"{path}/items/2")
    assert alice.post(f"{path}/items/2", bought_on="x").status == 400
    assert alice.get("/desk/clients/2/items/2").status == 404


def test_a_request_by_phone_is_written_down(alice: Pages, desk: Desk, path: str) -> None:
    alice.get(f"{path}/ticket")
    page = alice.post(
        f"{path}/ticket", channel="phone", subject="No water", text="It has no water",
        note="Sounded angry", priority="high",
    )  # fmt: skip
    assert page.place.startswith("/desk/t/") and "Sounded angry" in page.text
    with ext.session() as session:
        ticket = session.scalars(select(Ticket)).one()
        assert (ticket.channel, ticket.priority) == (Channel.PHONE, "high")
        assert ticket.contact_point_id == desk.cast.oksana.contact_point_id
        first = session.scalars(select(Message).order_by(Message.id)).first()
        assert first is not None and first.person_id == desk.cast.oksana.person_id
    assert "was opened by hand" in alice.get(path).text
    for wrong, said in (
        ({"subject": " "}, "subject is needed"),
        ({"text": " "}, "what the client said"),
        ({"channel": "fax"}, "Choose one"),
        ({"queue": "99"}, "Choose one"),
        ({"person": "x"}, "Choose one"),
    ):
        alice.get(f"{path}/ticket")
        page = alice.post(f"{path}/ticket", **({"subject": "Kept", "text": "Too"} | wrong))
        assert page.status == 400 and said in page.text
        assert page.form(f"{path}/ticket")["note"] == ""


def test_who_has_only_a_number_gets_no_address_to_answer(alice: Pages, path: str) -> None:
    with ext.write() as session:
        session.scalars(select(ContactPoint).limit(1)).one().bad = True
    alice.get(f"{path}/ticket")
    alice.post(f"{path}/ticket", subject="x", text="y")
    with ext.session() as session:
        assert session.scalars(select(Ticket)).one().contact_point_id is None


@pytest.mark.usefixtures("full")
def test_a_part_of_the_timeline_is_shown_alone_and_older_ones_follow(
    alice: Pages, path: str, desk: Desk
) -> None:
    page = alice.get(f"{path}?show=money")
    lines = [line for line in page.all("ol/li") if line.get("class") != "day"]
    assert len(lines) == 2
    assert "Nothing here" in alice.get(f"{path}?show=articles").text
    assert alice.get(f"{path}?show=nonsense&before=nonsense").status == 200
    for n in range(40):
        desk.ticket(f"Letter {n}")
    page = alice.get(f"{path}?show=emails")
    older = next(a.get("href", "") for a in page.all("a") if a.get("rel") == "next")
    assert "Letter 39" in page.text and "Letter 3 " not in page.text
    page = alice.get(older)
    assert "Letter 3" in page.text and "Kettle leaks" in page.text


def test_what_is_erased_takes_nothing_new(alice: Pages, path: str) -> None:
    alice.get(path)
    token = alice.token
    with ext.write() as session:
        session.get_one(Client, 1).erased_at = now()
    page = alice.get(path)
    assert "New ticket" not in page.text and "Add a note" not in page.text
    assert alice.send(f"{path}/notes", {"csrf_token": token, "note": "x"}).status == 409
