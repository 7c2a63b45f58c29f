"""Verbs on teams: create, rename, delete, and who belongs to which."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.actions import change_user
from helpdesk.accounts.models import Team, User
from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import lock
from helpdesk.lib.collate import sort_key
from helpdesk.lib.errors import Conflict, HelpdeskError, _lazy
from helpdesk.lib.text import clean_line, fold

NAME_LIMIT = 80


def create_team(session: Session, *, name: str, at: datetime, actor: Actor = SYSTEM) -> Team:
    """Add a team without people. Raises HelpdeskError without a name, Conflict for a taken one."""
    lock(session, "teams")
    name = _free_name(session, name)
    team = Team(name=name, sort_key=sort_key(name), created_at=at)
    session.add(team)
    session.flush()
    record(session, "team.created", actor=actor, at=at, team_id=team.id)
    return team


def rename_team(session: Session, team: Team, name: str, *, at: datetime, actor: Actor) -> None:
    """Raises HelpdeskError without a name, Conflict for a taken one."""
    lock(session, "teams")
    name = _free_name(session, name, but=team.id)
    if name == team.name:
        return
    team.name, team.sort_key = name, sort_key(name)
    session.flush()
    record(session, "team.changed", actor=actor, at=at, team_id=team.id, fields=["name"])


def set_members(session: Session, team: Team, user_ids: Collection[int], *, actor: Actor) -> None:
    """These people belong to the team and nobody else; nobody belongs to two teams. Leavers stay
    where they were: what they did counts for their team."""
    mine = User.team_id == team.id
    for user in session.scalars(select(User).where(mine, User.active.is_(True)).order_by(User.id)):
        if user.id not in user_ids:
            change_user(session, user, actor=actor, team_id=None)
    named = select(User).where(User.id.in_(user_ids)).order_by(User.id)
    for user in session.scalars(named):
        change_user(session, user, actor=actor, team_id=team.id)


def delete_team(session: Session, team: Team, *, at: datetime, actor: Actor) -> None:
    """Its people belong to no team then. Whoever points to it otherwise lets it go before."""
    for user in session.scalars(select(User).where(User.team_id == team.id).order_by(User.id)):
        change_user(session, user, actor=actor, team_id=None)
    gone = team.id
    session.delete(team)
    session.flush()
    record(session, "team.deleted", actor=actor, at=at, team_id=gone)


def _free_name(session: Session, name: str, *, but: int | None = None) -> str:
    name = clean_line(name, NAME_LIMIT)
    if not name:
        raise HelpdeskError(_lazy("A team needs a name."), field="name")
    for id_, other in session.execute(select(Team.id, Team.name)):
        if id_ != but and fold(other) == fold(name):
            raise Conflict(_lazy("There is a team %(name)s already."), field="name", name=other)
    return name
