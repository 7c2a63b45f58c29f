"""The telephone on every page: its fragment, accept, decline, hold, hang up, notes, who it is."""

from flask import Blueprint, jsonify, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.calls import actions, queries, wrap_up
from helpdesk.calls.models import Call
from helpdesk.clients.models import Person
from helpdesk.kb.models import State
from helpdesk.kb.search import suggest
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.tickets.requester import change_requester
from helpdesk.web.cached import recount
from helpdesk.web.desk.call_done import done
from helpdesk.web.desk.changes import is_script
from helpdesk.web.desk.kb_learn import last_words
from helpdesk.web.desk.softphone import answer_own_leg
from helpdesk.web.guard import actor, me, needs, reading, viewer

blueprint = Blueprint("desk_call", __name__)

SUGGESTED = 3
SHOWN = (State.PUBLIC, State.INTERNAL)


@blueprint.get("/desk/call")
@needs("desk.use")
def fragment() -> str:
    """The telephone as it is now, for a page that heard of a change."""
    return render_template("desk/_telephone.html")


@blueprint.post("/desk/call/offers/<int:offer_id>/accept")
@needs("desk.use")
def accept(offer_id: int) -> BaseResponse:
    """Take the call; the answer leads to its ticket."""
    with ext.write() as session:
        offer = queries.own_offer(session, me().id, offer_id)
        actions.accept(session, offer, now())
        call = session.get_one(Call, offer.call_id)
        ticket_id = call.ticket_id
    answer_own_leg(reading(), me().id)
    return done(f"/desk/t/{ticket_id + NUMBER_OFFSET}" if ticket_id else None)


@blueprint.post("/desk/call/offers/<int:offer_id>/decline")
@needs("desk.use")
def decline(offer_id: int) -> BaseResponse:
    """Leave the call to a colleague; the caller keeps the place."""
    with ext.write() as session:
        offer = queries.own_offer(session, me().id, offer_id)
        actions.decline(session, offer, now())
    return done()


@blueprint.post("/desk/call/<int:call_id>/hold")
@needs("desk.use")
def hold(call_id: int) -> BaseResponse:
    """Put the customer on hold, or (`held` 0) take them off."""
    held = request.form.get("held") == "1"
    with ext.write() as session:
        call = queries.own_call(session, me().id, call_id)
        actions.hold(session, call, held, now(), user_id=me().id)
    return done()


@blueprint.post("/desk/call/<int:call_id>/hang-up")
@needs("desk.use")
def hang_up(call_id: int) -> BaseResponse:
    with ext.write() as session:
        call = queries.own_call(session, me().id, call_id)
        actions.hang_up(session, call, now(), user_id=me().id)
    return done()


@blueprint.post("/desk/call/<int:call_id>/notes")
@needs("desk.use")
def notes(call_id: int) -> BaseResponse:
    """Keep the notes as they are typed."""
    with ext.write() as session:
        call = queries.own_call(session, me().id, call_id)
        wrap_up.note(session, call, request.form.get("notes", ""), user_id=me().id, at=now())
    return jsonify(saved=True) if is_script() else done()


@blueprint.post("/desk/call/<int:call_id>/person")
@needs("ticket.change")
def choose(call_id: int) -> BaseResponse:
    """It is that person who calls: one of those who have the number."""
    wanted = request.form.get("person", "")
    person_id = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 18 else 0
    with ext.write() as session:
        call = _call_of_mine(session, call_id)
        person, point_id = _candidate(session, call, person_id)
        call.person_id, call.client_id = person.id, person.client_id
        call.contact_point_id = point_id
        if call.ticket is not None:
            change_requester(session, call.ticket, person, actor=actor(), at=now())
    recount()
    return done()


@blueprint.get("/desk/call/<int:call_id>/articles")
@needs("kb.read")
def articles(call_id: int) -> str:
    """Articles that may answer what the call seems to be about."""
    call = _call_of_mine(reading(), call_id)
    said = " ".join(queries.said_in_menu(reading(), call))
    about = last_words(reading(), call.ticket) if call.ticket else ""
    words = f"{said}\n{about}".strip()
    hits = suggest(reading(), words, call.language, SUGGESTED, states=SHOWN) if words else []
    return render_template("desk/_call_articles.html", hits=hits)


def _call_of_mine(session: Session, call_id: int) -> Call:
    """A call that rings at the reader or that they may see. Raises NotFound."""
    _offer, shown = queries.phone_of(session, me().id)
    if shown is not None and shown.id == call_id:
        return shown
    return queries.call_for(session, viewer(), call_id, "ticket.read")


def _candidate(session: Session, call: Call, person_id: int) -> tuple[Person, int]:
    """Who has the number of the call, and their row of it. Raises HelpdeskError."""
    found = {one.person_id: one for one in queries.candidates(session, call)}
    person = session.get(Person, person_id) if person_id in found else None
    if person is None:
        raise HelpdeskError(_lazy("Choose one from the list."), field="person")
    return person, found[person_id].contact_point_id
