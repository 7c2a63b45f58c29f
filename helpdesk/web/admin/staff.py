"""Staff: who works here, invitations by a link that is shown once, roles, queues, leavers."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts import actions, presence, second_factor
from helpdesk.accounts.models import QueueMember, ReportScope, Role, Team, User
from helpdesk.ext import LANGUAGES
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.outbox.addressing import public_url
from helpdesk.tickets.models import Queue
from helpdesk.web.admin.forms import check_seen, cursor, fingerprint, page_status, wrong
from helpdesk.web.desk.zones import find_zone
from helpdesk.web.guard import actor, needs, reading

blueprint = Blueprint("admin_staff", __name__)

PAGE = 100
NAME_LIMIT = 80


@dataclass(frozen=True)
class Member:
    """What the form about a member of staff holds."""

    email: str = ""
    name: str = ""
    role: str = Role.AGENT.value
    language: str = "en"
    timezone: str = ""
    all_queues: bool = True
    queue_ids: frozenset[int] = frozenset()
    spoken: tuple[str, ...] = ()  # languages in which they take calls
    skills: tuple[str, ...] = ()
    team: str = ""  # its id; "": none
    reports: str = ReportScope.ALL.value  # whose numbers a supervisor sees

    def changes(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "role": Role(self.role),
            "language": self.language,
            "timezone": self.timezone,
            "all_queues": self.all_queues,
            "team_id": int(self.team) if self.team else None,
            "reports": ReportScope(self.reports),
        }


@blueprint.get("/admin/staff")
@needs("user.change")
def listing() -> str:
    after = cursor("after")
    query = select(User).order_by(User.sort_key, User.id).limit(PAGE + 1)
    if after is not None:
        last = reading().get(User, after)
        if last is None:
            raise NotFound()
        query = query.where(tuple_(User.sort_key, User.id) > (last.sort_key, last.id))
    people = list(reading().scalars(query))
    more = people[PAGE - 1].id if len(people) > PAGE else None
    return render_template("admin/staff.html", people=people[:PAGE], more=more)


@blueprint.get("/admin/staff/new")
@needs("user.change")
def new() -> str:
    return _page(None, Member(timezone=current_app.config["TIMEZONE"]))


@blueprint.post("/admin/staff/new")
@needs("user.change")
def create() -> str | tuple[str, int]:
    """Add somebody and show the link with which they set their password."""
    member = _read()
    at = now()
    try:
        _check(member)
        with ext.write() as session:
            user = actions.add_user(
                session,
                email=member.email.strip(),
                name=member.name,
                role=member.role,
                at=at,
                language=member.language,
                timezone=member.timezone,
                actor=actor(),
            )
            _place(session, user, member)
            _skill(session, user, member)
            token = actions.one_time_link(session, user, at)
    except HelpdeskError as error:
        return _page(None, member, wrong(error)), page_status(error)
    return _link_page(user, token)


@blueprint.get("/admin/staff/<int:user_id>")
@needs("user.change")
def edit(user_id: int) -> str:
    user = _user(reading(), user_id)
    return _page(user, _member(reading(), user))


@blueprint.post("/admin/staff/<int:user_id>")
@needs("user.change")
def save(user_id: int) -> BaseResponse | tuple[str, int]:
    member = _read()
    try:
        _check(member)
        with ext.write() as session:
            user = _user(session, user_id)
            check_seen(_seen(_member(session, user)))
            _place(session, user, member)
            _skill(session, user, member)
    except HelpdeskError as error:
        shown = _user(reading(), user_id)
        return _page(shown, member, wrong(error)), page_status(error)
    flash(_("Saved."))
    return redirect(f"/admin/staff/{user_id}")


@blueprint.post("/admin/staff/<int:user_id>/active")
@needs("user.change")
def switch(user_id: int) -> BaseResponse | tuple[str, int]:
    """Let somebody in or out; the same page undoes it."""
    active = request.form.get("active") == "1"
    try:
        with ext.write() as session:
            user = _user(session, user_id)
            actions.change_user(session, user, actor=actor(), active=active)
    except HelpdeskError as error:
        user = _user(reading(), user_id)
        told = {"": next(iter(wrong(error).values()))}
        return _page(user, _member(reading(), user), told), page_status(error)
    flash(_("The account is open again.") if active else _("The account is closed."))
    return redirect(f"/admin/staff/{user_id}")


@blueprint.post("/admin/staff/<int:user_id>/link")
@needs("user.change")
def link(user_id: int) -> str:
    """A new link to set a password; older ones end."""
    with ext.write() as session:
        user = _user(session, user_id)
        if not user.active:
            raise HelpdeskError(_lazy("Open the account first."))
        token = actions.one_time_link(session, user, now())
    return _link_page(user, token)


def _user(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound()
    return user


def _member(session: Session, user: User) -> Member:
    rows = session.scalars(select(QueueMember.queue_id).where(QueueMember.user_id == user.id))
    calls = presence.get(session, user.id)
    return Member(
        email=user.email,
        name=user.name,
        role=user.role.value,
        language=user.language,
        timezone=user.timezone,
        all_queues=user.all_queues,
        queue_ids=frozenset(rows),
        spoken=tuple(calls.languages) if calls else (),
        skills=tuple(calls.skills) if calls else (),
        team=str(user.team_id or ""),
        reports=user.reports.value,
    )


def _read() -> Member:
    form = request.form
    ids = (value for value in form.getlist("queue") if value.isascii() and value.isdigit())
    return Member(
        email=form.get("email", "")[:254],
        name=form.get("name", "")[:NAME_LIMIT],
        role=form.get("role", ""),
        language=form.get("language", ""),
        timezone=find_zone(form.get("timezone", "")),
        all_queues=form.get("all_queues") == "1",
        queue_ids=frozenset(int(value[:18]) for value in ids),
        spoken=tuple(form.getlist("spoken")[:20]),
        skills=tuple(form.get("skills", "")[:2000].split(",")),
        team=form.get("team", ""),
        reports=form.get("reports", ReportScope.ALL.value),
    )


def _check(member: Member) -> None:
    """Raises HelpdeskError for what no list of the page offers."""
    known = set(reading().scalars(select(Queue.id)))
    lists = {
        "role": member.role in set(Role),
        "language": member.language in LANGUAGES,
        "timezone": member.timezone in available_timezones(),
        "queue": member.queue_ids <= known,
        "team": member.team in {"", *map(str, reading().scalars(select(Team.id)))},
        "reports": member.reports in set(ReportScope),
    }
    for field, is_known in lists.items():
        if not is_known:
            raise HelpdeskError(_lazy("Choose one from the list."), field=field)
    if not member.name.strip():
        raise HelpdeskError(_lazy("Write the name that colleagues know."), field="name")
    if not member.all_queues and not member.queue_ids:
        raise HelpdeskError(_lazy("Choose at least one queue, or all of them."), field="queue")


def _place(session: Session, user: User, member: Member) -> None:
    """Put the user into their team and queues, where that differs from what is."""
    actions.change_user(session, user, actor=actor(), **member.changes())
    wanted = frozenset() if member.all_queues else member.queue_ids
    if wanted != _member(session, user).queue_ids:
        actions.set_queues(session, user, wanted, actor=actor())


def _skill(session: Session, user: User, member: Member) -> None:
    """Say in which languages and about what they take calls, where that differs from what is."""
    now_ = _member(session, user)
    wanted = tuple(sorted({" ".join(word.split()) for word in member.skills} - {""}))
    if (tuple(sorted(set(member.spoken))), wanted) == (now_.spoken, now_.skills):
        return
    known = {"languages": member.spoken, "skills": wanted}
    presence.set_skills(session, user.id, **known, at=now(), actor=actor())


def _seen(member: Member) -> str:
    calls = [*member.spoken, "", *member.skills]
    return fingerprint(member.changes(), [*sorted(member.queue_ids), *calls])


def _page(user: User | None, member: Member, errors: dict[str, str] | None = None) -> str:
    seen = _seen(_member(reading(), user)) if user is not None else ""
    teams = reading().execute(select(Team.id, Team.name).order_by(Team.sort_key, Team.id))
    return render_template(
        "admin/member.html",
        user=user,
        member=member,
        factor=second_factor.confirmed(reading(), user.id) if user is not None else None,
        seen=seen,
        queues=reading().scalars(select(Queue).order_by(Queue.sort_key)).all(),
        roles=list(Role),
        teams=[("", _("No team")), *((str(id_), name) for id_, name in teams)],
        scopes=[
            (ReportScope.ALL.value, _("Everybody")),
            (ReportScope.TEAM.value, _("Their team")),
            (ReportScope.NONE.value, _("Nobody but themselves")),
        ],
        errors=errors or {},
    )


def _link_page(user: User, token: str) -> str:
    path = url_for("desk_login.password_form", token=token)
    return render_template("admin/invited.html", user=user, link=public_url() + path)
