"""/supervisor/ratings: what clients think of our answers, the latest first."""

from flask import Blueprint, render_template, request
from sqlalchemy import select

from helpdesk import surveys
from helpdesk.accounts.models import User
from helpdesk.reports.scope import scope_of, tickets_in
from helpdesk.web.guard import me, needs, reading, viewer

blueprint = Blueprint("supervisor_ratings", __name__)


@blueprint.get("/supervisor/ratings")
@needs("supervisor.use")
def listing() -> str:
    """Of the tickets whose numbers the reader may see: all, or with `low` those to look at."""
    low = "low" in request.args
    text = request.args.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
    among = tickets_in(scope_of(me(), viewer().queue_ids))
    rows, more = surveys.page(reading(), among, low=low, before=before)
    ids = {rating.user_id for rating, _ticket in rows if rating.user_id}
    people = reading().execute(select(User.id, User.name).where(User.id.in_(ids)))
    mean, count = surveys.satisfaction(reading(), among)
    return render_template(
        "supervisor/ratings.html",
        rows=rows,
        more=more,
        low=low,
        names=dict(people.all()),
        mean=mean,
        count=count,
    )
