"""/supervisor: the wallboard, a screen of how things stand now, and who is on what."""

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Blueprint, current_app, g, render_template, request
from sqlalchemy import select

from helpdesk.accounts.models import Team
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound
from helpdesk.reports.alarms import sweep as alarms
from helpdesk.reports.scope import Scope, scope_of
from helpdesk.reports.wallboard.levels import SETTING, limits
from helpdesk.reports.wallboard.snapshot import Snapshot, snapshot
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.cached import SETTINGS_SECONDS, keep, setting
from helpdesk.web.formats import zone
from helpdesk.web.guard import me, needs, reading, viewer
from helpdesk.web.supervisor import wall_view
from helpdesk.web.supervisor.wall_words import age, states

blueprint = Blueprint("supervisor_wallboard", __name__)

FRESH_SECONDS = 0.25
"""Less than a browser waits after it heard of a change: what it gets then is newer."""
ROWS = 5
"""Queues or teams on the board, one less where others stay out: so it fits a screen of 16:9."""
ROOM = 6
LEAST = 2
"""Of what ends next: the room that queues leave, or so much."""


@blueprint.get("/supervisor")
@needs("supervisor.use")
def wallboard() -> str:
    """`?team=` shows one team, `?by=team` a line for each, `?all` every line, `?screen` no rail."""
    return render_template("supervisor/wallboard.html", **_context())


@blueprint.get("/supervisor/board")
@needs("supervisor.use")
def board() -> str:
    """What changes, alone: fetched whenever something happened."""
    return render_template("supervisor/_board.html", **_context())


@blueprint.get("/supervisor/people")
@needs("supervisor.use")
def people() -> str:
    """Who is on shift and on what; `?state=` narrows, "free": can take a call."""
    wanted = request.args.get("state", "")
    if wanted not in ("", "free", *states()):
        raise NotFound()
    scope, team_id = _scope()
    seen = _seen(scope)
    mine = [
        one for one in seen.on_shift if wanted in ("", one.state) or (wanted == "free" and one.free)
    ]
    return render_template(
        "supervisor/people.html",
        people=mine,
        board=seen,
        wanted=wanted,
        states=states(),
        team=team_id,
        age=age,
        offset=NUMBER_OFFSET,
    )


def _context() -> dict[str, Any]:
    scope, team_id = _scope()
    seen, known = _seen(scope), limits(setting(SETTING))
    by_team = request.args.get("by") == "team" and bool(seen.team_names)
    own = {"team": str(team_id)} if team_id else {}
    lines = wall_view.lines(seen, known, by_team=by_team, own=own)
    most = len(lines) if "all" in request.args or len(lines) <= ROWS else ROWS - 1
    shown, rest = lines[:most], lines[most:]
    room = max(LEAST, ROOM - len(shown))
    tiles, hidden = wall_view.tiles(seen, known, own), wall_view.summed(rest)
    said = {tile.number.level for tile in tiles} | {level for level, *_more in hidden}
    return {
        "board": seen,
        "tiles": tiles,
        "lines": shown,
        "hidden": hidden,
        "more": sum(line.level not in wall_view.TROUBLE for line in rest),
        "heads": wall_view.columns(),
        "promises": wall_view.promises(seen)[:room],
        "groups": wall_view.by_state(seen),
        "people": wall_view.busiest(seen)[: 2 * (room - LEAST)],
        "legend": [one for one in wall_view.legend(shown) if one[0] not in said],
        "by_team": by_team,
        "teams": _teams(),
        "team": team_id,
        "own": own,
        "screen": "screen" in request.args,
        "src": f"/supervisor/board?{urlencode(request.args.to_dict())}",
        "address": wall_view.address,
        "alarms": _alarms(scope),
        "today": format_date(seen.at.astimezone(zone()).date(), "EEE d MMM", locale=g.language),
        "whole": f"/supervisor?{urlencode({**request.args.to_dict(), 'all': 1})}",
        "short_name": wall_view.short_name,
        "offset": NUMBER_OFFSET,
    }


def _scope() -> tuple[Scope, int | None]:
    """What the reader may see, narrowed to the team of the address. Raises NotFound."""
    scope = scope_of(me(), viewer().queue_ids)
    text = request.args.get("team", "")
    if not text:
        return scope, None
    known = [id_ for id_, _name in _teams()]
    if not (text.isascii() and text.isdigit() and len(text) < 18) or int(text) not in known:
        raise NotFound()
    return Scope(team_id=int(text)), int(text)


def _teams() -> list[tuple[int, str]]:
    """Teams the reader can choose from; a supervisor of one team has no choice."""
    if not scope_of(me(), viewer().queue_ids).everything:
        return []
    return keep("wall_teams", SETTINGS_SECONDS, _read_teams)


def _read_teams() -> list[tuple[int, str]]:
    query = select(Team.id, Team.name).order_by(Team.sort_key, Team.id)
    return [(row.id, row.name) for row in reading().execute(query)]


def _seen(scope: Scope) -> Snapshot:
    """One snapshot for all who see the same."""
    where = ZoneInfo(current_app.config["TIMEZONE"])

    def make() -> Snapshot:
        return snapshot(reading(), scope, at=now(), zone=where)

    return keep(("wall", scope), FRESH_SECONDS, make)


def _alarms(scope: Scope) -> int:
    return keep(("alarms", scope), FRESH_SECONDS, lambda: alarms.open_count(reading(), scope))
