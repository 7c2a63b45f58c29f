"""/supervisor/definitions: every measure with its formula, its unit and its edge cases."""

from flask import Blueprint, render_template

from helpdesk.reports.names import ROOMS
from helpdesk.web.guard import needs
from helpdesk.web.supervisor.wording import defined

blueprint = Blueprint("supervisor_definitions", __name__)


@blueprint.get("/supervisor/definitions")
@needs("report.own")
def page() -> str:
    """All measures, under the report that they stand in."""
    groups = [(title, [defined(one) for one in room.MEASURES]) for title, room in ROOMS]
    return render_template("supervisor/definitions.html", groups=groups)
