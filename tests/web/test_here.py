"""Two agents on one ticket: each knows of the other, and the client gets one answer."""

from datetime import timedelta

import pytest
import time_machine

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.privacy.retain import retain
from helpdesk.tickets import drafts, viewers
from helpdesk.tickets.actions import reply
from helpdesk.tickets.models import MessageKind, Ticket
from helpdesk.tickets.queries import ticket_id_of
from tests.cast import Cast
from tests.web.conftest import Desk, Pages

BUSY = "Sam is writing an answer."


def looks(number: str, user_id: int, text: str | None = None) -> None:
    """A colleague has the ticket open, and may have typed a reply."""
    with ext.write() as session:
        ticket_id = ticket_id_of(number)
        viewers.seen(session, ticket_id, user_id, now())
        if text is not None:
            drafts.save_draft(session, ticket_id, user_id, MessageKind.OUTBOUND, text, at=now())


def here(pages: Pages, number: str) -> str:
    answer = pages.script(f"/desk/t/{number}/here")
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def test_colleagues_see_each_other_for_as_long_as_they_are_there(
    alice: Pages, desk: Desk, cast: Cast, clock: time_machine.Traveller
) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    assert here(alice, number) == ""  # nobody tells people of themselves
    looks(number, cast.sam.id)
    assert "Sam has this ticket open too." in here(alice, number)
    looks(number, cast.sam.id, "Dear Oksana")
    looks(number, cast.ada.id)
    both = here(alice, number)
    assert both.index(BUSY) < both.index("Ada has this ticket open too.")
    clock.shift(viewers.WRITING + timedelta(seconds=1))
    looks(number, cast.sam.id)  # went for a tea, the page is still open
    assert BUSY not in (seen := here(alice, number))
    assert "Sam has this ticket open too." in seen
    with ext.write() as session:
        viewers.left(session, ticket_id_of(number), cast.sam.id)
    assert here(alice, number) == ""


def test_who_leaves_is_gone_at_once_and_signs_do_not_pile_up(
    alice: Pages, desk: Desk, cast: Cast, clock: time_machine.Traveller
) -> None:
    number = desk.ticket()
    ticket_id = ticket_id_of(number)
    alice.get(f"/desk/t/{number}")
    here(alice, number)
    with ext.session() as session:
        assert [o.name for o in viewers.others(session, ticket_id, cast.sam.id, now())] == ["Alice"]
    assert alice.script(f"/desk/t/{number}/left").status_code == 204
    with ext.session() as session:
        assert viewers.others(session, ticket_id, cast.sam.id, now()) == []
    looks(number, cast.sam.id)
    clock.shift(timedelta(days=2))
    retain(now())
    with ext.session() as session:
        assert session.query(viewers.Viewer).count() == 0


def test_a_ticket_of_other_queues_says_nothing_of_who_reads_it(
    pages: Pages, desk: Desk, cast: Cast
) -> None:
    number = desk.ticket()
    looks(number, cast.sam.id)
    pages.log_in("bob")
    pages.get("/desk/me")
    for what in ("here", "left"):
        assert pages.script(f"/desk/t/{number}/{what}").status_code == 404


@pytest.mark.parametrize("script", [True, False])
def test_a_second_answer_is_held_back_until_the_first_is_read(
    alice: Pages, desk: Desk, cast: Cast, script: bool
) -> None:
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    assert alice.page is not None
    fields = alice.page.form(f"/desk/t/{number}/messages") | {"outbound": "Mine, a bit later."}
    with ext.write() as session:
        ticket = session.get(Ticket, ticket_id_of(number))
        assert ticket is not None
        reply(session, ticket, "Sam's, first.", user_id=cast.sam.id, at=now())
    if script:
        answer = alice.script(f"/desk/t/{number}/messages", **fields)
        assert answer.status_code == 409
        assert "Sam has answered meanwhile" in answer.json["error"]
    else:
        page = alice.send(f"/desk/t/{number}/messages", fields)
        assert "Sam has answered meanwhile" in page.text
        assert "Mine, a bit later." in page.text  # kept as a draft
    page = alice.get(f"/desk/t/{number}")
    assert "Sam's, first." in page.text
    page = alice.post(f"/desk/t/{number}/messages", outbound="Mine, still needed.")
    assert "Mine, still needed." in page.text
    assert "meanwhile" not in page.text
    # An own second answer, or a note, is nobody's business.
    page = alice.send(f"/desk/t/{number}/messages", fields | {"kind": "note", "note": "By the way"})
    assert "By the way" in page.text


def test_who_is_logged_out_meanwhile_can_log_in_again_undisturbed(alice: Pages, desk: Desk) -> None:
    """The open page tells of itself without a session: it gets no token, which would take the
    place of that of the log-in page."""
    number = desk.ticket()
    alice.get(f"/desk/t/{number}")
    alice.client.delete_cookie("helpdesk_login")
    alice.client.delete_cookie("session")
    for what in ("here", "left"):
        quiet = {"Accept": "application/json", "X-Quiet": "1"}
        answer = alice.raw("POST", f"/desk/t/{number}/{what}", headers=quiet)
        assert answer.status_code in (400, 401)
        assert "Set-Cookie" not in answer.headers
