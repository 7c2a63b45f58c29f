"""The list of tickets: views, search, and the fragment that refreshes it."""

from flask import Blueprint, render_template

from helpdesk.web.desk.listing import list_context
from helpdesk.web.guard import needs

blueprint = Blueprint("desk_queue", __name__)


@blueprint.get("/desk")
@needs("desk.use")
def queue() -> str:
    """A view (`?view=`) or the answers to a search (`?q=`), with nothing opened yet."""
    return render_template("desk/queue.html", **list_context())


@blueprint.get("/desk/rows")
@needs("desk.use")
def rows() -> str:
    """The list alone, for the page that shows it already."""
    return render_template("desk/_list.html", heading="h1", **list_context())
