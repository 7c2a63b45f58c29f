"""What a rule of alarms says, in words: its sentence, its numbers, where these are listed."""

from typing import Any
from urllib.parse import urlencode

from flask_babel import gettext as _

from helpdesk.reports.alarms import sweep as alarms
from helpdesk.reports.alarms.taken import TAKEN
from helpdesk.reports.models import AlarmRule, Side
from helpdesk.web.admin.forms import length_text
from helpdesk.web.supervisor.wall_words import in_unit


def says(rule: AlarmRule) -> str:
    """The rule as a sentence: "Calls waiting of Support over 5 for 0:05"."""
    gauge = alarms.gauge_of(rule)
    thing = rule.queue or rule.team or rule.agent
    about = f"{_(gauge.label)} ({thing.name})" if thing is not None else str(_(gauge.label))
    limit = in_unit(gauge.unit, rule.threshold)
    values: dict[str, Any] = {"measure": about, "limit": limit}
    if rule.for_seconds:
        values["length"] = length_text(rule.for_seconds)
        if rule.side == Side.OVER:
            return str(_("%(measure)s over %(limit)s for %(length)s", **values))
        return str(_("%(measure)s under %(limit)s for %(length)s", **values))
    if rule.side == Side.OVER:
        return str(_("%(measure)s over %(limit)s", **values))
    return str(_("%(measure)s under %(limit)s", **values))


def value(rule: AlarmRule, number: float | None) -> str:
    """A number of its measure, in its unit."""
    return in_unit(alarms.gauge_of(rule).unit, number)


def behind(rule: AlarmRule) -> str:
    """Where the things behind the rule's number are listed."""
    gauge = alarms.gauge_of(rule)
    ids = {"queue": rule.queue_id, "team": rule.team_id, "agent": rule.agent_id}
    own = urlencode({kind: id_ for kind, id_ in ids.items() if id_ is not None})
    tail = f"?{own}" if own else ""
    if gauge is TAKEN:
        return f"/admin/log?group=taken&user={rule.agent_id or ''}"
    if gauge.list is not None:
        return f"/supervisor/list/{gauge.list}{tail}"
    report = "calls" if gauge.key == "service" else gauge.report
    if report is not None:
        return f"/supervisor/reports/{report}?period=today{'&' + own if own else ''}"
    return f"/supervisor/people{tail if rule.team_id else ''}"
