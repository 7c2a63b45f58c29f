"""What the chips of a ticket show, as their forms send it back to tell what changed meanwhile."""

from helpdesk.tickets.models import Ticket


def shown(ticket: Ticket) -> dict[str, str]:
    """The present value of each chip by its name."""
    thing = f"item-{ticket.item_id}" if ticket.item_id else str(ticket.product_id or "")
    return {
        "status": ticket.status.value,
        "priority": ticket.priority.value,
        "assignee": str(ticket.assignee_id or ""),
        "queue": str(ticket.queue_id),
        "kind": ticket.kind.value if ticket.kind else "",
        "reason": str(ticket.reason_id or ""),
        "product": thing,
        "tags": ",".join(ticket.tags),
        "subject": ticket.subject,
    }
