"""Teams: who works together, and which queues are theirs."""

from collections import defaultdict
from dataclasses import dataclass

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import teams
from helpdesk.accounts.models import Team, User
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.reports.models import AlarmRule
from helpdesk.tickets import queues
from helpdesk.tickets.models import Queue
from helpdesk.web.admin.forms import check_seen, fingerprint, page_status, wrong
from helpdesk.web.guard import actor, needs, reading

blueprint = Blueprint("admin_teams", __name__)

_DIGITS = 18  # an id never has as many


@dataclass(frozen=True)
class Shown:
    """What the form of a team holds."""

    name: str = ""
    members: frozenset[int] = frozenset()
    queues: frozenset[int] = frozenset()


@blueprint.get("/admin/teams")
@needs("team.change")
def listing() -> str:
    return _list()


@blueprint.get("/admin/teams/new")
@needs("team.change")
def new() -> str:
    return _page(None, Shown())


@blueprint.post("/admin/teams/new")
@needs("team.change")
def create() -> BaseResponse | tuple[str, int]:
    """Also undoes a deletion: its page sends what the team had."""
    shown = _read()
    try:
        with ext.write() as session:
            team = teams.create_team(session, name=shown.name, at=now(), actor=actor())
            _place(session, team, shown)
            name = team.name
    except HelpdeskError as error:
        return _page(None, shown, wrong(error)), page_status(error)
    flash(_("Added: %(name)s.", name=name))
    return redirect("/admin/teams")


@blueprint.get("/admin/teams/<int:team_id>")
@needs("team.change")
def edit(team_id: int) -> str:
    team = _team(reading(), team_id)
    return _page(team, _shown(reading(), team))


@blueprint.post("/admin/teams/<int:team_id>")
@needs("team.change")
def save(team_id: int) -> BaseResponse | tuple[str, int]:
    shown = _read()
    try:
        with ext.write() as session:
            team = _team(session, team_id)
            check_seen(_seen(_shown(session, team)))
            teams.rename_team(session, team, shown.name, at=now(), actor=actor())
            _place(session, team, shown)
    except HelpdeskError as error:
        return _page(_team(reading(), team_id), shown, wrong(error)), page_status(error)
    flash(_("Saved."))
    return redirect("/admin/teams")


@blueprint.post("/admin/teams/<int:team_id>/remove")
@needs("team.change")
def remove(team_id: int) -> str | tuple[str, int]:
    """Delete it; the page that follows can make it again as it was."""
    try:
        with ext.write() as session:
            team = _team(session, team_id)
            gone = _shown(session, team)
            _unwatched(session, team_id)
            _place(session, team, Shown(team.name))
            teams.delete_team(session, team, at=now(), actor=actor())
    except HelpdeskError as error:
        team = _team(reading(), team_id)
        return _page(
            team, _shown(reading(), team), {"": next(iter(wrong(error).values()))}
        ), page_status(error)
    return _list(gone)


def _unwatched(session: Session, team_id: int) -> None:
    if session.scalar(select(AlarmRule.id).where(AlarmRule.team_id == team_id).limit(1)):
        raise Conflict(_lazy("An alarm rule watches this team. Change the rule first."))


def _place(session: Session, team: Team, shown: Shown) -> None:
    """Give the team its people and queues. Raises HelpdeskError for those that aren't there."""
    _check(session, shown)
    teams.set_members(session, team, shown.members, actor=actor())
    country = str(current_app.config["COUNTRY"])
    for queue in session.scalars(select(Queue).order_by(Queue.id)):
        wanted = team.id if queue.id in shown.queues else None
        if wanted is not None or queue.team_id == team.id:
            queues.change_queue(
                session, queue, country=country, at=now(), actor=actor(), team_id=wanted
            )


def _check(session: Session, shown: Shown) -> None:
    people = set(session.scalars(select(User.id).where(User.active.is_(True))))
    known = set(session.scalars(select(Queue.id)))
    for field, fits in (("member", shown.members <= people), ("queue", shown.queues <= known)):
        if not fits:
            raise HelpdeskError(_lazy("Choose one from the list."), field=field)


def _team(session: Session, team_id: int) -> Team:
    team = session.get(Team, team_id)
    if team is None:
        raise NotFound()
    return team


def _shown(session: Session, team: Team) -> Shown:
    members = select(User.id).where(User.team_id == team.id, User.active.is_(True))
    mine = select(Queue.id).where(Queue.team_id == team.id)
    return Shown(team.name, frozenset(session.scalars(members)), frozenset(session.scalars(mine)))


def _read() -> Shown:
    return Shown(request.form.get("name", "")[:200], _ids("member"), _ids("queue"))


def _ids(field: str) -> frozenset[int]:
    texts = request.form.getlist(field)
    return frozenset(
        int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < _DIGITS
    )


def _seen(shown: Shown) -> str:
    return fingerprint(shown.name, sorted(shown.members), sorted(shown.queues))


def _list(removed: Shown | None = None) -> str:
    people: defaultdict[int | None, list[str]] = defaultdict(list)
    members = select(User.team_id, User.name).where(User.active.is_(True)).order_by(User.sort_key)
    for team_id, name in reading().execute(members.where(User.team_id.is_not(None))):
        people[team_id].append(name)
    owned: defaultdict[int | None, list[str]] = defaultdict(list)
    for team_id, name in reading().execute(
        select(Queue.team_id, Queue.name).where(Queue.team_id.is_not(None)).order_by(Queue.sort_key)
    ):
        owned[team_id].append(name)
    return render_template(
        "admin/teams.html",
        teams=reading().scalars(select(Team).order_by(Team.sort_key, Team.id)).all(),
        people=people,
        owned=owned,
        removed=removed,
    )


def _page(team: Team | None, shown: Shown, errors: dict[str, str] | None = None) -> str:
    session = reading()
    known = (
        User.active.is_(True)
        if not shown.members
        else or_(User.active.is_(True), User.id.in_(shown.members))
    )
    return render_template(
        "admin/team.html",
        team=team,
        shown=shown,
        seen=_seen(_shown(session, team)) if team is not None else "",
        people=session.scalars(select(User).where(known).order_by(User.sort_key, User.id)).all(),
        queues=session.scalars(select(Queue).order_by(Queue.sort_key, Queue.id)).all(),
        named={row.id: row.name for row in session.execute(select(Team.id, Team.name))},
        errors=errors or {},
    )
