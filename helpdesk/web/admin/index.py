"""/admin: what can be set up, each with what needs attention."""

from flask import Blueprint, current_app, render_template
from sqlalchemy import func, select

from helpdesk.accounts.models import User
from helpdesk.ext import Base
from helpdesk.intake.models import Delivery, DeliveryState, ImapBox
from helpdesk.outbox.queries import waiting
from helpdesk.tickets.models import Calendar, Policy, Queue
from helpdesk.web.guard import needs, reading

blueprint = Blueprint("admin_index", __name__)

CAP = 99


@blueprint.get("/admin")
@needs("admin.use")
def index() -> str:
    return render_template(
        "admin/index.html",
        staff=_count(User),
        queues=_count(Queue),
        calendars=_count(Calendar),
        policies=_count(Policy),
        failed=failed_deliveries(),
        waiting=waiting(reading()),
        unfetched=_unfetched(),
        cap=CAP,
        relay=current_app.config["RELAY"],
    )


def failed_deliveries() -> int:
    """How many Deliveries failed, at most CAP + 1."""
    query = select(Delivery.id).where(Delivery.state == DeliveryState.FAILED).limit(CAP + 1)
    return reading().scalar(select(func.count()).select_from(query.subquery())) or 0


def _unfetched() -> int:
    """How many mailboxes of other providers can't be fetched."""
    failing = ImapBox.active.is_(True) & ImapBox.failing_since.is_not(None)
    return reading().scalar(select(func.count()).where(failing)) or 0


def _count(model: type[Base]) -> int:
    return reading().scalar(select(func.count()).select_from(model)) or 0
