"""Pages of administrators: who sees them, what they change, what they say when it can't be."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk import settings as product
from helpdesk.accounts.models import ApiToken, QueueMember, Role, User
from helpdesk.events import Event
from helpdesk.tickets import queues
from helpdesk.tickets.models import Mailbox, Queue
from tests.cast import PASSWORD, Cast
from tests.web.conftest import Pages
from tests.web.rooms import enter

LISTS = (
    *("/admin", "/admin/staff", "/admin/staff/new", "/admin/queues", "/admin/queues/new"),
    *("/admin/calendars", "/admin/calendars/new", "/admin/policies", "/admin/policies/new"),
    *("/admin/deliveries", "/admin/deliveries?state=all", "/admin/tokens", "/admin/settings"),
    *("/outbox", "/outbox?state=failed", "/supervisor", "/supervisor/promises?view=risk"),
)


@pytest.fixture
def ada(pages: Pages) -> Pages:
    """A browser in which the administrator is logged in."""
    return enter(pages, "ada")


def kinds() -> list[str]:
    with ext.session() as session:
        return list(session.scalars(select(Event.kind).order_by(Event.id)))


def row(model: Callable[..., object], **values: object) -> object:
    with ext.session() as session:
        return session.scalars(select(model).filter_by(**values)).one()


@pytest.mark.parametrize("path", LISTS)
def test_administrator_sees_every_page(ada: Pages, path: str) -> None:
    assert ada.get(path).status == 200


@pytest.mark.parametrize("path", LISTS)
def test_agent_sees_none_but_own_tokens(pages: Pages, path: str) -> None:
    assert enter(pages, "alice").get(path).status == (200 if path == "/admin/tokens" else 404)


def test_supervisor_sees_promises_and_deliveries_only(pages: Pages) -> None:
    enter(pages, "sam")
    seen = {path for path in LISTS if pages.get(path).status == 200}
    mine = {"/admin/deliveries", "/admin/deliveries?state=all", "/admin/tokens"}
    assert seen == mine | {"/supervisor", "/supervisor/promises?view=risk"}


def test_guest_is_asked_to_log_in(pages: Pages) -> None:
    enter(pages)
    assert {pages.get(path).status for path in LISTS} == {401}


@pytest.mark.parametrize("kind", ["staff", "queues", "calendars", "policies", "deliveries"])
def test_what_is_not_there_is_404(ada: Pages, kind: str) -> None:
    assert ada.get(f"/admin/{kind}/999").status == 404


# Staff


def test_invited_colleague_sets_a_password_by_the_link_shown_once(ada: Pages, pages: Pages) -> None:
    ada.get("/admin/staff/new")
    page = ada.post("/admin/staff/new", email="Vira@Example.com", name="Віра Коваль", role="agent")
    assert page.status == 200
    link = page.one("input[@id='f-link']").get("value", "")
    assert link.startswith("http://127.0.0.1:8000/")
    assert link not in ada.get("/admin/staff").html
    path = link.removeprefix("http://127.0.0.1:8000")
    assert ada.get(path).status == 200
    fields = {"csrf_token": ada.token, "password": PASSWORD, "repeated": PASSWORD}
    assert ada.send(path, fields).status == 200
    assert ada.get(path).status == 404
    user = row(User, email="vira@example.com")
    assert isinstance(user, User) and user.role == Role.AGENT and user.password_hash


def test_invitation_names_what_is_wrong_and_keeps_what_was_typed(ada: Pages) -> None:
    ada.get("/admin/staff/new")
    page = ada.post("/admin/staff/new", email="alice@example.com", name="Twin", role="agent")
    assert page.status == 400 and "Somebody with this address" in page.text
    assert page.form("/admin/staff/new")["name"] == "Twin"
    page = ada.post("/admin/staff/new", email="nonsense", role="agent")
    assert page.status == 400 and "not an email address" in page.text


def test_agent_of_one_queue_needs_one(ada: Pages, cast: Cast) -> None:
    fields = ada.get(f"/admin/staff/{cast.alice.id}").form(f"/admin/staff/{cast.alice.id}")
    fields.pop("all_queues")
    page = ada.send(f"/admin/staff/{cast.alice.id}", fields)
    assert page.status == 400 and "at least one queue" in page.text
    page = ada.send(f"/admin/staff/{cast.alice.id}", fields | {"queue": str(cast.billing.id)})
    assert page.status == 200 and "Saved." in page.text
    with ext.session() as session:
        mine = select(QueueMember.queue_id).where(QueueMember.user_id == cast.alice.id)
        assert session.scalars(mine).all() == [cast.billing.id]
        assert session.get_one(User, cast.alice.id).all_queues is False


def test_last_administrator_stays_one(ada: Pages, cast: Cast) -> None:
    path = f"/admin/staff/{cast.ada.id}"
    ada.get(path)
    page = ada.post(path, role="agent")
    assert page.status == 400 and "last administrator" in page.text
    page = ada.send(path + "/active", {"csrf_token": ada.token})
    assert page.status == 400 and "last administrator" in page.text


def test_closed_account_can_be_opened_again(ada: Pages, cast: Cast) -> None:
    path = f"/admin/staff/{cast.bob.id}"
    ada.get(path)
    page = ada.post(path + "/active")
    assert "The account is closed." in page.text
    assert not session_user(cast.bob.id).active
    page = ada.post(path + "/active")
    assert "open again" in page.text and session_user(cast.bob.id).active


def session_user(user_id: int) -> User:
    with ext.session() as session:
        return session.get_one(User, user_id)


def test_second_save_of_an_old_form_is_a_conflict_with_the_text_kept(
    ada: Pages, cast: Cast
) -> None:
    path = f"/admin/staff/{cast.bob.id}"
    old = ada.get(path).form(path) | {"queue": str(cast.billing.id)}
    assert ada.send(path, old | {"name": "Robert"}).status == 200
    page = ada.send(path, old | {"name": "Bobby"})
    assert page.status == 409 and "in the meantime" in page.text
    assert page.form(path)["name"] == "Bobby"
    assert ada.post(path, queue=str(cast.billing.id)).status == 200
    assert session_user(cast.bob.id).name == "Bobby"


def test_staff_list_goes_on_page_by_page(ada: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpdesk.web.admin.staff.PAGE", 3)
    page = ada.get("/admin/staff")
    (more,) = [a for a in page.all("a") if a.get("rel") == "next"]
    assert "Sam" not in page.text
    assert "Sam" in ada.get("/admin/staff" + more.get("href", "")).text


# Queues and mailboxes


def test_new_queue_takes_mail_and_shows_on_the_start_page(ada: Pages) -> None:
    ada.get("/admin/queues/new")
    page = ada.post(
        "/admin/queues/new",
        name="Гарантія",
        address="Warranty@example.com",
        numbers="044 123 45 67\n\n",
    )
    assert page.status == 200 and "warranty@example.com" in page.text
    with ext.session() as session:
        queue = session.scalars(select(Queue).where(Queue.name == "Гарантія")).one()
        assert queue.numbers == ["+380441234567"] and queue.receipts
    assert "warranty@example.com" in ada.get("/").text
    assert kinds()[-2:] == ["queue.created", "mailbox.created"]


def test_a_queue_offers_articles_and_takes_forms_as_it_is_ticked(ada: Pages, cast: Cast) -> None:
    path = f"/admin/queues/{cast.support.id}"
    fields = ada.get(path).form(path)
    assert not {"receipt_articles", "in_form"} & fields.keys()
    ticked = fields | {"receipt_articles": "1", "in_form": "1"}
    assert ada.send(path, ticked).status == 200
    fields = ada.get(path).form(path)
    assert {"receipt_articles", "in_form"} <= fields.keys()
    with ext.session() as session:
        event = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert event.data["fields"] == ["in_form", "receipt_articles"]
    assert ada.send(path, ticked).status == 409  # the form is older than the change


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "support", "address": "x@example.com"}, "There is a queue Support already."),
        ({"name": "X", "address": "support@example.com"}, "leads into the queue Support already"),
        ({"name": "X", "address": "nonsense"}, "not an email address"),
        ({"name": "X", "address": "x@example.com", "numbers": "abc"}, "not a phone number"),
    ],
)
def test_queue_that_can_not_be_says_why(ada: Pages, values: dict[str, str], words: str) -> None:
    ada.get("/admin/queues/new")
    page = ada.post("/admin/queues/new", **values)
    assert page.status in (400, 409) and words in page.text
    assert page.form("/admin/queues/new")["address"] == values["address"]


def test_removed_mailbox_can_be_put_back(ada: Pages, cast: Cast) -> None:
    path = f"/admin/queues/{cast.support.id}"
    ada.get(path)
    ada.post(path + "/mailboxes", address="help@example.com")
    with ext.session() as session:
        first = session.scalars(select(Mailbox).where(Mailbox.address == "support@example.com"))
        mailbox_id = first.one().id
    page = ada.post(f"{path}/mailboxes/{mailbox_id}/remove")
    assert "was removed" in page.text
    undo = [f for f in page.all("form") if f.get("action") == path + "/mailboxes"][0]
    values = {i.get("name", ""): i.get("value", "") for i in undo.iter("input")}
    assert ada.send(path + "/mailboxes", values).status == 200
    with ext.session() as session:
        boxes = queues.mailboxes_of(session, cast.support.id)
    assert [b.address for b in boxes] == ["support@example.com", "help@example.com"]


def test_last_mailbox_and_last_queue_stay(ada: Pages, cast: Cast) -> None:
    path = f"/admin/queues/{cast.support.id}"
    with ext.session() as session:
        mailbox = queues.mailboxes_of(session, cast.support.id)[0]
    ada.get(path)
    page = ada.send(f"{path}/mailboxes/{mailbox.id}/remove", {"csrf_token": ada.token})
    assert page.status == 409 and "needs an address" in page.text
    other = f"/admin/queues/{cast.billing.id}"
    fields = ada.get(other).form(other)
    fields.pop("active")
    assert ada.send(other, fields).status == 200
    fields = ada.get(path).form(path)
    fields.pop("active")
    page = ada.send(path, fields)
    assert page.status == 400 and "At least one queue" in page.text


def test_mailbox_of_another_queue_is_not_there(ada: Pages, cast: Cast) -> None:
    with ext.session() as session:
        theirs = queues.mailboxes_of(session, cast.billing.id)[0]
    ada.get(f"/admin/queues/{cast.support.id}")
    fields = {"csrf_token": ada.token}
    for act in ("remove", "primary"):
        path = f"/admin/queues/{cast.support.id}/mailboxes/{theirs.id}/{act}"
        assert ada.send(path, fields).status == 404


# Settings and tokens


def test_new_settings_hold_at_once(ada: Pages) -> None:
    ada.get("/admin/settings")
    page = ada.post("/admin/settings", primary_language="ru", retention_raw_days="30")
    assert "Saved." in page.text
    with ext.session() as session:
        assert product.get(session, "retention_raw_days") == 30
    assert kinds().count("setting.changed") == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("retention_raw_days", "0"),
        ("retention_raw_days", "many"),
        ("retention_draft_days", "99999999999999"),
        ("primary_language", "de"),
    ],
)
def test_wrong_setting_changes_nothing(ada: Pages, field: str, value: str) -> None:
    ada.get("/admin/settings")
    page = ada.post("/admin/settings", **{"retention_session_days": "5", field: value})
    assert page.status == 400
    with ext.session() as session:
        assert product.get(session, "retention_session_days") == 30


def test_token_is_shown_once_and_can_be_revoked(ada: Pages) -> None:
    ada.get("/admin/tokens")
    page = ada.send(
        "/admin/tokens",
        {"csrf_token": ada.token, "name": "Shop", "scope": ["ticket.read", "ticket.answer"]},
    )
    token = page.one("input[@id='f-made']").get("value", "")
    assert len(token) > 40
    page = ada.get("/admin/tokens")
    assert token not in page.html and "Shop" in page.text
    action = re.search(r'action="(/admin/tokens/\d+/revoke)"', page.html)
    assert action is not None
    assert "can do nothing any more" in ada.post(action[1]).text
    found = row(ApiToken, name="Shop")
    assert isinstance(found, ApiToken) and found.revoked_at is not None
    assert found.scopes == ["ticket.answer", "ticket.read"]


def test_scopes_beyond_ones_role_and_others_tokens_are_refused(pages: Pages, cast: Cast) -> None:
    enter(pages, "alice").get("/admin/tokens")
    fields = {"csrf_token": pages.token, "name": "X", "scope": "user.change"}
    assert pages.send("/admin/tokens", fields).status == 400
    with ext.write() as session:
        cast.token(session, session.get_one(User, cast.ada.id))
    theirs = row(ApiToken, user_id=cast.ada.id)
    assert isinstance(theirs, ApiToken)
    path = f"/admin/tokens/{theirs.id}/revoke"
    assert pages.send(path, {"csrf_token": pages.token}).status == 404
