"""The bell: what the reader should know, and reading it."""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, redirect, render_template
from sqlalchemy import or_, select
from sqlalchemy.orm import contains_eager, joinedload
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.notices import Notice, mark_read
from helpdesk.reports.alarms.calm import LONGEST_PAUSE, WITHIN
from helpdesk.reports.models import Alarm, AlarmRule
from helpdesk.tickets.models import Ticket
from helpdesk.web.cached import recount
from helpdesk.web.guard import me, needs, reading, viewer
from helpdesk.web.words import notice_text

blueprint = Blueprint("desk_notices", __name__)

SHOWN = 100


@blueprint.get("/desk/notices")
@needs("desk.use")
def notices() -> str:
    query = (
        select(Notice)
        .outerjoin(Notice.ticket)
        .where(Notice.user_id == me().id)
        .options(contains_eager(Notice.ticket), joinedload(Notice.event))
        .order_by(Notice.id.desc())
        .limit(SHOWN)
    )
    open_ = viewer().queue_ids
    if open_ is not None:  # a ticket may have moved to where its reader does not work
        query = query.where(or_(Notice.ticket_id.is_(None), Ticket.queue_id.in_(open_)))
    rows = [(notice, notice_text(notice.kind)) for notice in reading().scalars(query)]
    unread = any(notice.read_at is None for notice, _text in rows)
    return render_template(
        "desk/notices.html",
        section="notices",
        notices=rows,
        unread=unread,
        rules=_rules([notice for notice, _text in rows]),
    )


def _rules(notices: Sequence[Notice]) -> dict[int, tuple[str, int]]:
    """What the rule of an alarm is called and how often it was exceeded within a day, by the
    notice that tells of all these times."""
    told = {one: one.event.data["rule_id"] for one in notices if one.kind == "alarm.began"}
    if not told:
        return {}
    since = min(one.created_at for one in told) - WITHIN
    query = select(AlarmRule.id, AlarmRule.name, Alarm.began_at).join(Alarm.rule)
    query = query.where(AlarmRule.id.in_(told.values()), Alarm.began_at > since)
    began = [(row.id, row.name, row.began_at) for row in reading().execute(query)]
    return {
        one.id: _counted([(name, at) for id_, name, at in began if id_ == rule_id], one.created_at)
        for one, rule_id in told.items()
    }


def _counted(began: Sequence[tuple[str, datetime]], at: datetime) -> tuple[str, int]:
    """Nothing begins after the longest pause without another notice in place of this one."""
    last = at + LONGEST_PAUSE
    return began[0][0] if began else "", sum(last - WITHIN < one <= last for _name, one in began)


@blueprint.get("/desk/notices/bell")
@needs("desk.use")
def bell() -> str:
    return render_template("parts/_bell.html", section="")


@blueprint.post("/desk/notices")
@needs("desk.use")
def read_all() -> BaseResponse:
    """Mark all as read."""
    with ext.write() as session:
        mark_read(session, me().id, at=now())
    recount()
    return redirect("/desk/notices")
