"""/supervisor/exclusions: breaches that shall not count in a contract statement."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound
from helpdesk.reports.contracts import exclusions
from helpdesk.reports.contracts import lists as statement_lists
from helpdesk.reports.contracts.statements import subject_of
from helpdesk.reports.models import Exclusion
from helpdesk.tickets.models import Clock, Policy, Ticket
from helpdesk.web.admin.forms import page_status, wrong
from helpdesk.web.guard import actor, may, me, needs, reading, said
from helpdesk.web.supervisor.statements import address, check_all

blueprint = Blueprint("supervisor_exclusions", __name__)

HOME = "/supervisor/exclusions"

Do = Callable[[Session, Exclusion], None]


@blueprint.get(HOME)
@needs("exclusion.ask")
def listing() -> str:
    """Those that wait for a decision, the oldest first."""
    check_all()
    rows = [
        (one, None if one.subject is None else address(one.subject))
        for one in statement_lists.undecided(reading())
    ]
    return render_template("supervisor/exclusions.html", rows=rows, me_id=me().id)


@blueprint.get(f"{HOME}/clock/<int:clock_id>")
@needs("exclusion.ask")
def new(clock_id: int) -> str:
    check_all()
    return _form(clock_id)


@blueprint.post(f"{HOME}/clock/<int:clock_id>")
@needs("exclusion.ask")
def ask(clock_id: int) -> BaseResponse | tuple[str, int]:
    check_all()
    reason = request.form.get("reason", "")
    try:
        with ext.write() as session:
            exclusion = exclusions.ask(session, clock_id, reason, actor=actor(), at=now())
            back = _back(session, exclusion.clock)
    except HelpdeskError as error:
        return _form(clock_id, reason, wrong(error)), page_status(error)
    flash(_("Asked. It counts as a breach until somebody else approves the exclusion."))
    return redirect(back)


@blueprint.post(f"{HOME}/<int:exclusion_id>/decide")
@needs("exclusion.decide")
def decide(exclusion_id: int) -> BaseResponse:
    """Approve or refuse; the same page offers the contrary until the month is closed."""
    check_all()
    approved = request.form.get("approved") == "1"

    def do(session: Session, exclusion: Exclusion) -> None:
        exclusions.decide(session, exclusion, approved=approved, actor=actor(), at=now())

    return _act(exclusion_id, do, _("Approved.") if approved else _("Refused: it counts."))


@blueprint.post(f"{HOME}/<int:exclusion_id>/withdraw")
@needs("exclusion.ask")
def withdraw(exclusion_id: int) -> BaseResponse:
    """By who asked for it, or who may decide."""
    check_all()

    def do(session: Session, exclusion: Exclusion) -> None:
        if exclusion.author_id != me().id and not may("exclusion.decide"):
            raise NotFound()
        exclusions.withdraw(session, exclusion, actor=actor(), at=now())

    return _act(exclusion_id, do, _("Withdrawn: the breach counts again."))


def _act(exclusion_id: int, do: Do, text: str) -> BaseResponse:
    with ext.session() as session:
        back = _back(session, exclusions.exclusion_for(session, exclusion_id).clock)
    try:
        with ext.write() as session:
            do(session, exclusions.exclusion_for(session, exclusion_id))
    except HelpdeskError as error:
        if error.status == 404:
            raise
        flash(said(error), "error")
        return redirect(back)
    flash(text)
    return redirect(back)


def _back(session: Session, clock: Clock) -> str:
    """The statement in which the clock counts."""
    subject = subject_of(session, clock)
    return address(subject) if subject is not None else HOME


def _form(clock_id: int, reason: str = "", errors: dict[str, str] | None = None) -> str:
    clock = exclusions.broken(reading(), clock_id, now())
    found = exclusions.of_clock(reading(), clock_id)
    return render_template(
        "supervisor/exclusion.html",
        clock=clock,
        back=_back(reading(), clock),
        policy=reading().get_one(Policy, clock.policy_id),
        ticket=reading().get_one(Ticket, clock.ticket_id),
        before=found,
        reason=reason or (found.reason if found is not None else ""),
        limit=exclusions.REASON_LIMIT,
        errors=errors or {},
    )
