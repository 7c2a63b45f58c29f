"""A customer sees their own requests after a one-time code, and nobody else's; strangers learn
nothing of whom we know."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from helpdesk import ext, privacy
from helpdesk.accounts.models import PortalCode, PortalSession
from helpdesk.clients.match import Known
from helpdesk.clients.models import ContactKind, ContactPoint
from helpdesk.events import Actor, Event
from helpdesk.lib.clock import now
from helpdesk.outbox.models import Outgoing, OutgoingKind
from helpdesk.reactions import react
from helpdesk.tickets import actions
from helpdesk.tickets.models import NUMBER_OFFSET, Channel, Status, Ticket
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast
from tests.web.conftest import Desk, Page, Pages
from tests.web.rooms import enter

OKSANA = "oksana@client.example"


@pytest.fixture
def guest(pages: Pages) -> Pages:
    return enter(pages)


def codes() -> list[Outgoing]:
    react()
    with ext.session() as session:
        query = select(Outgoing).where(Outgoing.kind == OutgoingKind.CODE)
        return list(session.scalars(query.order_by(Outgoing.id)))


def code_in(email: Outgoing) -> str:
    (found,) = re.findall(r"\b\d{6}\b", email.text)
    return str(found)


def ask(guest: Pages, contact: str) -> Page:
    guest.get("/my")
    return guest.post("/my", contact=contact)


def enter_with(guest: Pages, contact: str = OKSANA) -> Page:
    ask(guest, contact)
    return guest.post("/my/code", code=code_in(codes()[-1]))


def resolve(cast: Cast, number: str) -> None:
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        alice = Actor(user_id=cast.alice.id)
        actions.set_status(session, ticket, Status.RESOLVED, actor=alice, at=now())


def subjects(page: Page) -> list[str]:
    return ["".join(link.itertext()) for link in page.all("li//h2/a")]


def test_a_code_by_email_opens_the_list_and_each_request(guest: Pages, desk: Desk) -> None:
    desk.ticket("Чайник тече")
    desk.ticket("Somebody else's", who=desk.cast.stranger)
    page = ask(guest, " Oksana@Client.Example ")
    assert "a code is on its way" in page.text
    (email,) = codes()
    assert (email.to_address, email.envelope_from, email.automatic) == (OKSANA, "", True)
    assert code_in(email) in (email.html or "")
    code = code_in(email)
    page = guest.post("/my/code", code=f" {code[:3]} {code[3:]} ")
    assert page.place == "/my"
    assert subjects(page) == ["Чайник тече"]
    page = guest.get(page.all("li//h2/a")[0].get("href", ""))
    assert "Чайник тече" in page.text
    with ext.session() as session:
        point = session.scalars(select(ContactPoint).where(ContactPoint.key == OKSANA)).one()
        assert point.verified
        assert session.scalar(select(Event.client_id).where(Event.kind == "portal.login"))


def test_the_email_speaks_the_language_of_the_page(guest: Pages, desk: Desk) -> None:
    guest.get("/my?lang=ru")
    guest.post("/my", contact=OKSANA)
    (email,) = codes()
    assert email.language == "ru"


@pytest.mark.parametrize("contact", [OKSANA, "nobody@elsewhere.example", "+380 67 123 45 67"])
def test_everybody_gets_the_same_answer(guest: Pages, desk: Desk, contact: str) -> None:
    """T17: nothing of the answer says whether we know the address; only the mailbox does."""
    page = ask(guest, contact)
    assert (page.status, page.place) == (200, "/my/code")
    body = re.sub(r'name="csrf_token" value="[^"]+"', "", page.html)
    guest.client.delete_cookie("helpdesk_code", path="/my")
    other = re.sub(r'name="csrf_token" value="[^"]+"', "", ask(guest, "third@else.example").html)
    assert body == other
    wrong = guest.post("/my/code", code="000000")
    assert (wrong.status, "does not fit" in wrong.text) == (400, True)
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(PortalCode)) == 2
    assert len(codes()) == (contact == OKSANA)


def test_a_number_leads_to_the_mailbox_of_its_only_holder(guest: Pages, desk: Desk) -> None:
    add_point(desk.cast.oksana, ContactKind.PHONE, "+380671234567")
    desk.ticket("Lamp")
    assert subjects(enter_with(guest, "067 123-45-67")) == ["Lamp"]
    assert [email.to_address for email in codes()] == [OKSANA]
    add_point(desk.cast.stranger, ContactKind.PHONE, "+380671234567")
    ask(guest, "067 123-45-67")
    assert len(codes()) == 1


def add_point(who: Known, kind: ContactKind, key: str) -> None:
    with ext.write() as session:
        session.add(
            ContactPoint(
                person_id=who.person_id, kind=kind, value=key, key=key, tail=None, created_at=now()
            )
        )


def test_a_shared_mailbox_opens_what_came_by_it(guest: Pages, desk: Desk) -> None:
    """Two people read office@: neither sees through it what the other wrote from elsewhere (I3)."""
    add_point(desk.cast.oksana, ContactKind.EMAIL, "office@client.example")
    add_point(desk.cast.stranger, ContactKind.EMAIL, "office@client.example")
    desk.ticket("From my own address")
    with ext.write() as session:
        query = select(ContactPoint).where(
            ContactPoint.key == "office@client.example",
            ContactPoint.person_id == desk.cast.oksana.person_id,
        )
        point = session.scalars(query).one()
    office = Known(desk.cast.oksana.client_id, desk.cast.oksana.person_id, point.id, "uk")
    desk.ticket("From the office", who=office)
    assert subjects(enter_with(guest, "office@client.example")) == ["From the office"]


def test_wrong_codes_run_out(guest: Pages, desk: Desk) -> None:
    ask(guest, OKSANA)
    right = code_in(codes()[0])
    wrong = "000000" if right != "000000" else "000001"
    for _ in range(5):
        assert guest.post("/my/code", code=wrong).status == 400
    page = guest.post("/my/code", code=right)
    assert (page.status, page.place) == (400, "/my/code")


def test_a_code_works_once_in_its_browser_and_for_ten_minutes(
    guest: Pages, desk: Desk, clock: time_machine.Traveller
) -> None:
    ask(guest, OKSANA)
    code = code_in(codes()[0])
    with guest.app.test_client() as client:
        other = enter(Pages(guest.app, client))
        other.get("/my/code")
        assert other.page is not None and other.page.place == "/my"
        ask(other, "nobody@elsewhere.example")
        assert other.post("/my/code", code=code).status == 400
    kept = guest.client.get_cookie("helpdesk_code", path="/my").value
    guest.get("/my/code")
    assert guest.post("/my/code", code=code).place == "/my"
    guest.post("/my/leave")
    guest.client.set_cookie("helpdesk_code", kept, path="/my")
    guest.get("/my/code")
    assert guest.post("/my/code", code=code).status == 400
    ask(guest, OKSANA)
    code = code_in(codes()[1])
    clock.shift(timedelta(minutes=11))
    assert guest.post("/my/code", code=code).status == 400


def test_asking_is_limited_by_address_and_by_source(
    guest: Pages, desk: Desk, clock: time_machine.Traveller
) -> None:
    for n in range(5):
        assert ask(guest, f"n{n}@elsewhere.example").status == 200
    page = ask(guest, "one-more@elsewhere.example")
    assert (page.status, "Too many codes" in page.text) == (429, True)
    assert page.form("/my")["contact"] == "one-more@elsewhere.example"
    clock.shift(timedelta(minutes=61))
    for _ in range(5):
        assert ask(guest, OKSANA).status == 200
        clock.shift(timedelta(minutes=1, seconds=1))
    assert ask(guest, OKSANA).status == 429
    assert ask(guest, "another@elsewhere.example").status == 200
    assert len(codes()) == 5


@pytest.mark.parametrize("contact", ["", "x", "oksana@", "@client.example", "a\x00b", "12"])
def test_what_is_no_address_is_told_and_kept(guest: Pages, desk: Desk, contact: str) -> None:
    page = ask(guest, contact)
    assert (page.status, page.place) == (400, "/my")
    assert page.form("/my")["contact"] == contact.replace("\x00", "")
    assert len(page.all("input[@aria-invalid='true']")) == 1


def test_our_own_address_gets_no_code(guest: Pages, desk: Desk) -> None:
    """A code in our mailbox would be read by whoever holds that ticket."""
    add_point(desk.cast.stranger, ContactKind.EMAIL, "support@example.com")
    assert ask(guest, "support@example.com").status == 200
    assert codes() == []


def test_open_and_solved_stand_apart_and_words_find_both(guest: Pages, desk: Desk) -> None:
    desk.ticket("Чайник тече", "Вода на столі.")
    done = desk.ticket("Лампа", "Не світить.")
    resolve(desk.cast, done)
    page = enter_with(guest)
    assert subjects(page) == ["Чайник тече"]
    assert "Open 1" in page.text and "Solved 1" in page.text
    assert subjects(guest.get("/my?state=done")) == ["Лампа"]
    assert subjects(guest.get("/my?q=велосипед")) == []
    assert subjects(guest.get("/my?q=лампи")) == ["Лампа"]
    assert subjects(guest.get(f"/my?q=№{done}")) == ["Лампа"]
    assert "Nothing was found" in guest.get("/my?q=%00%F0<b>").text


def test_notes_and_tickets_of_notes_alone_are_not_found(guest: Pages, desk: Desk) -> None:
    number = desk.ticket("Чайник")
    with ext.write() as session:
        ticket = session.get_one(Ticket, int(number) - NUMBER_OFFSET)
        actions.note(session, ticket, "zebra", user_id=desk.cast.alice.id, at=now())
        inside = open_ticket(
            session,
            queue_id=desk.cast.support.id,
            who=desk.cast.oksana,
            subject="Watch this client",
            channel=Channel.PHONE,
            language="en",
            at=now(),
        )
        secret = session.get_one(Ticket, inside)
        actions.note(session, secret, "zebra", user_id=desk.cast.alice.id, at=now())
    assert subjects(enter_with(guest)) == ["Чайник"]
    assert subjects(guest.get("/my?q=zebra")) == []
    assert subjects(guest.get(f"/my?q={inside + NUMBER_OFFSET}")) == []


def test_long_lists_come_by_pages(guest: Pages, desk: Desk) -> None:
    for n in range(23):
        desk.ticket(f"Lamp {n}")
    page = enter_with(guest)
    assert subjects(page) == [f"Lamp {n}" for n in range(22, 2, -1)]
    (more,) = page.all("a[@rel='next']")
    assert subjects(guest.get(more.get("href", ""))) == ["Lamp 2", "Lamp 1", "Lamp 0"]
    assert guest.get("/my?before=x").status == 200


def test_logging_out_and_time_end_the_session(
    guest: Pages, desk: Desk, clock: time_machine.Traveller
) -> None:
    desk.ticket("Lamp")
    enter_with(guest)
    old = guest.client.get_cookie("helpdesk_my", path="/my").value
    page = guest.post("/my/leave")
    assert "You are logged out" in page.text
    guest.client.set_cookie("helpdesk_my", old, path="/my")
    assert subjects(guest.get("/my")) == []
    enter_with(guest)
    assert subjects(guest.get("/my")) == ["Lamp"]
    clock.shift(timedelta(hours=13))
    assert subjects(guest.get("/my")) == []
    privacy.retain(now())
    with ext.session() as session:
        for model in (PortalCode, PortalSession):
            assert session.scalar(select(func.count()).select_from(model)) == 0


def test_a_new_log_in_ends_the_session_before(guest: Pages, desk: Desk) -> None:
    enter_with(guest)
    first = guest.client.get_cookie("helpdesk_my", path="/my").value
    guest.send("/my", {"csrf_token": guest.token, "contact": OKSANA})
    guest.post("/my/code", code=code_in(codes()[-1]))
    assert guest.client.get_cookie("helpdesk_my", path="/my").value != first
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(PortalSession)) == 1


def test_an_address_that_was_taken_away_opens_nothing(guest: Pages, desk: Desk) -> None:
    desk.ticket("Lamp")
    enter_with(guest)
    with ext.write() as session:
        point = session.scalars(select(ContactPoint).where(ContactPoint.key == OKSANA)).one()
        point.removed_at, point.key = now(), "-"
    assert subjects(guest.get("/my")) == []


def test_cookies_are_kept_from_scripts_and_other_sites(guest: Pages, desk: Desk) -> None:
    guest.app.config["SESSION_COOKIE_SECURE"] = True
    guest.get("/my")
    answer = guest.raw("POST", "/my", data={"csrf_token": guest.token, "contact": OKSANA})
    (cookie,) = [line for line in answer.headers.getlist("Set-Cookie") if "helpdesk_code" in line]
    for part in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/my"):
        assert part in cookie


def test_a_form_of_an_old_session_is_shown_again_with_what_was_typed(
    guest: Pages, desk: Desk
) -> None:
    guest.get("/my")
    page = guest.send("/my", {"csrf_token": "stale", "contact": OKSANA})
    assert page.status == 400
    assert page.form("/my")["contact"] == OKSANA
    assert codes() == []
    ask(guest, OKSANA)
    page = guest.send("/my/code", {"csrf_token": "stale", "code": "12"})
    assert page.form("/my/code")["code"] == "12"
