"""/supervisor/promises: promises in danger and broken, and mail that waits for somebody."""

from flask import Blueprint, redirect, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.accounts.models import User
from helpdesk.lib.clock import now
from helpdesk.reports.scope import scope_of
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.tickets.views import CAP, View, counts, list_page
from helpdesk.web.admin.index import CAP as FEW
from helpdesk.web.admin.index import failed_deliveries
from helpdesk.web.formats import promise
from helpdesk.web.guard import me, needs, reading, viewer

blueprint = Blueprint("supervisor_promises", __name__)

VIEWS = (View("breached"), View("risk"))
LISTS = {"breached": "now_breached", "risk": "now_due"}
"""Of the wallboard, which are narrowed to what the reader may see."""


@blueprint.get("/supervisor/promises")
@needs("supervisor.use")
def listing() -> BaseResponse | str:
    """Breached or at risk, the earliest promise first; who sees the numbers of one team or their
    own only is led to these."""
    wanted = View("risk" if request.args.get("view") == "risk" else "breached")
    if not scope_of(me(), viewer().queue_ids).everything:
        return redirect(f"/supervisor/list/{LISTS[wanted.name]}")
    page = list_page(reading(), viewer(), wanted, cursor=request.args.get("after"))
    at = now()
    rows = [
        (row, promise(row.next_due_at, at, row.sla) if row.next_due_at else None)
        for row in page.rows
    ]
    ids = {row.assignee_id for row in page.rows if row.assignee_id}
    people = reading().execute(select(User.id, User.name).where(User.id.in_(ids)))
    return render_template(
        "supervisor/promises.html",
        view=wanted.name,
        rows=rows,
        more=page.cursor,
        counts=counts(reading(), viewer(), VIEWS),
        cap=CAP,
        few=FEW,
        names=dict(people.all()),
        failed=failed_deliveries(),
        offset=NUMBER_OFFSET,
    )
