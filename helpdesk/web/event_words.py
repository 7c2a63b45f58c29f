"""What the Event log says of each kind of event, in words of an administrator."""

from collections.abc import Mapping

from flask_babel import gettext as _

GROUPS = ("access", "settings", "taken", "tickets", "clients", "calls", "knowledge", "reports")
"""By what a reader of the log narrows it; every kind belongs to one (`group_of`)."""

_GROUP_OF: Mapping[str, str] = {
    **dict.fromkeys(("user", "token", "factor", "portal"), "access"),
    **dict.fromkeys(("queue", "mailbox", "calendar", "policy", "setting", "field"), "settings"),
    **dict.fromkeys(("reason", "product", "team", "phone_menu", "imap"), "settings"),
    **dict.fromkeys(("export", "attachment", "import"), "taken"),
    **dict.fromkeys(("ticket", "message", "receipt", "clock", "delivery"), "tickets"),
    **dict.fromkeys(
        ["client", "person", "contact_point", "promise", "duplicate", "item", "document"], "clients"
    ),
    **dict.fromkeys(("call", "recording", "presence", "task"), "calls"),
    **dict.fromkeys(("category", "article", "example"), "knowledge"),
    **dict.fromkeys(("report", "alarm", "alarm_rule", "exclusion", "statement"), "reports"),
}
_APART: Mapping[str, str] = {
    "document.read": "taken",
    "recording.played": "taken",
    "report.exported": "taken",
    "report.file_read": "taken",
    "queue.unattended": "calls",
}


def group_of(kind: str) -> str:
    """The group that a kind of event belongs to. Raises KeyError for a kind without one."""
    return _APART.get(kind) or _GROUP_OF[kind.partition(".")[0]]


def group_words() -> dict[str, str]:
    return {
        "access": _("Log-ins and rights"),
        "settings": _("Settings"),
        "taken": _("Read, downloaded, exported"),
        "tickets": _("Tickets and messages"),
        "clients": _("Clients"),
        "calls": _("Calls and plans"),
        "knowledge": _("Knowledge base"),
        "reports": _("Reports and alarms"),
    }


def event_words() -> dict[str, str]:
    """Kind → phrase, for every kind there is."""
    return _of_access() | _of_settings() | _of_tickets() | _of_clients() | _of_calls() | _of_rest()


def _of_access() -> dict[str, str]:
    return {
        "user.created": _("A colleague was invited"),
        "user.changed": _("A colleague’s account was changed"),
        "user.login": _("Logged in"),
        "user.login_failed": _("A log-in failed"),
        "user.logout": _("Logged out"),
        "user.password": _("A password was set"),
        "token.created": _("An API token was made"),
        "token.revoked": _("An API token was revoked"),
        "factor.set_up": _("A second factor was set up"),
        "factor.removed": _("A second factor was turned off"),
        "factor.recovered": _("Logged in by a code for a lost phone"),
        "portal.login": _("A client opened their requests by a code"),
        "portal.code_asked": _("A client asked for a code"),
        "export.made": _("Clients’ data was exported"),
        "attachment.read": _("A file of a ticket was opened"),
        "document.read": _("A client’s document was opened"),
        "recording.played": _("A recording was played"),
        "import.started": _("An import began"),
        "import.finished": _("An import ended"),
        "report.exported": _("A report was downloaded"),
        "report.file_read": _("A file of a sent report was opened"),
    }


def _of_settings() -> dict[str, str]:
    return {
        "setting.changed": _("A setting was changed"),
        "queue.created": _("A queue was made"),
        "queue.changed": _("A queue was changed"),
        "queue.unattended": _("Callers waited and nobody was on duty"),
        "mailbox.created": _("A mailbox was added"),
        "mailbox.changed": _("A mailbox was changed"),
        "mailbox.deleted": _("A mailbox was removed"),
        "imap.created": _("A mailbox is fetched by IMAP"),
        "imap.changed": _("The fetching of a mailbox was changed"),
        "imap.failing": _("A mailbox could not be fetched for ten minutes"),
        "imap.recovered": _("A mailbox is fetched again"),
        "calendar.created": _("A calendar was made"),
        "calendar.changed": _("A calendar was changed"),
        "policy.created": _("An SLA policy was made"),
        "policy.changed": _("An SLA policy was changed"),
        "policy.deleted": _("An SLA policy was removed"),
        "field.created": _("A profile field was made"),
        "field.changed": _("A profile field was changed"),
        "reason.created": _("A contact reason was made"),
        "reason.changed": _("A contact reason was changed"),
        "product.created": _("A product was added"),
        "product.changed": _("A product was changed"),
        "team.created": _("A team was made"),
        "team.changed": _("A team was changed"),
        "team.deleted": _("A team was removed"),
        "phone_menu.changed": _("A phone menu was changed"),
    }


def _of_tickets() -> dict[str, str]:
    return {
        "ticket.opened": _("A ticket was opened"),
        "ticket.status": _("The status was changed"),
        "ticket.priority": _("The priority was changed"),
        "ticket.assigned": _("The assignee was changed"),
        "ticket.queue": _("Moved to another queue"),
        "ticket.tags": _("The tags were changed"),
        "ticket.subject": _("The subject was changed"),
        "ticket.kind": _("The kind was changed"),
        "ticket.reason": _("The contact reason was changed"),
        "ticket.product": _("The product was changed"),
        "ticket.requester": _("The requester was changed"),
        "ticket.rated": _("The client rated the answer"),
        "ticket.cited": _("An article was used in an answer"),
        "ticket.erased": _("The ticket’s texts were erased"),
        "message.received": _("The client wrote"),
        "message.sent": _("An answer was sent"),
        "message.noted": _("A note was written"),
        "message.bounced": _("An email came back"),
        "message.failed": _("An answer could not be delivered"),
        "message.resent": _("An answer was sent again"),
        "receipt.sent": _("A receipt was sent"),
        "receipt.refused": _("No receipt was sent"),
        "clock.started": _("A clock began"),
        "clock.paused": _("A clock was paused"),
        "clock.resumed": _("A clock went on"),
        "clock.met": _("A promise was met"),
        "clock.warned": _("A promise came near its end"),
        "clock.breached": _("A promise was broken"),
        "clock.recounted": _("A clock was counted again"),
        "clock.stepped": _("A promise was escalated"),
        "delivery.failed": _("What came in could not be processed"),
        "delivery.replayed": _("What came in was processed again"),
    }


def _of_clients() -> dict[str, str]:
    return {
        "client.created": _("A client was added"),
        "client.changed": _("A client was changed"),
        "client.erased": _("A client’s personal data was erased"),
        "client.merged": _("Two clients were merged"),
        "client.unmerged": _("A merge was undone"),
        "client.noted": _("A note on a client was written"),
        "client.unnoted": _("A note on a client was removed"),
        "client.facts": _("Facts of a client came in"),
        "person.created": _("A contact person was added"),
        "person.changed": _("A contact person was changed"),
        "person.removed": _("A contact person was removed"),
        "contact_point.added": _("An address or number was added"),
        "contact_point.changed": _("An address or number was changed"),
        "contact_point.removed": _("An address or number was removed"),
        "contact_point.verified": _("An address was verified"),
        "contact_point.bad": _("An address takes no mail any more"),
        "contact_point.sms": _("SMS were stopped or allowed"),
        "document.added": _("A document was added"),
        "document.removed": _("A document was removed"),
        "promise.made": _("A promise was made"),
        "promise.settled": _("A promise was settled"),
        "duplicate.dismissed": _("Two clients were said to be different"),
        "duplicate.offered": _("Two clients were said to be alike again"),
        "item.created": _("An item was added"),
        "item.changed": _("An item was changed"),
    }


def _of_calls() -> dict[str, str]:
    return {
        "call.started": _("A call began"),
        "call.queued": _("A caller joined the queue"),
        "call.offered": _("A call was offered"),
        "call.offer_closed": _("An offer of a call ended"),
        "call.answered": _("A call was answered"),
        "call.held": _("A call was put on hold or taken back"),
        "call.ended": _("A call ended"),
        "call.wrapped": _("A call was written up"),
        "call.noted": _("Notes of a call were changed"),
        "call.logged": _("A call was logged by hand"),
        "call.missed": _("A call was missed"),
        "call.callback": _("A callback was promised to a caller"),
        "call.consent": _("A caller was asked about recording"),
        "call.shown": _("A caller heard an article"),
        "recording.stored": _("A recording was stored"),
        "recording.absent": _("There was no recording"),
        "recording.failed": _("A recording could not be fetched"),
        "recording.deleted": _("A recording was deleted"),
        "presence.changed": _("Availability was changed"),
        "task.planned": _("Something was planned"),
        "task.changed": _("A plan was changed"),
        "task.tried": _("A callback was tried"),
        "task.done": _("A plan was done"),
        "task.failed": _("A plan failed"),
        "task.due": _("A plan fell due"),
    }


def _of_rest() -> dict[str, str]:
    return {
        "category.created": _("A category was made"),
        "category.changed": _("A category was changed"),
        "category.deleted": _("A category was removed"),
        "article.created": _("An article was written"),
        "article.changed": _("An article was changed"),
        "article.state": _("An article was published or taken back"),
        "article.deleted": _("An article was deleted"),
        "article.restored": _("An article was put back"),
        "article.rated": _("A reader rated an article"),
        "example.added": _("A solved question was added"),
        "report.scheduled": _("A report was ordered by email"),
        "report.stopped": _("An ordered report was stopped"),
        "report.sent": _("An ordered report was sent"),
        "alarm_rule.created": _("An alarm rule was made"),
        "alarm_rule.changed": _("An alarm rule was changed"),
        "alarm.began": _("An alarm began"),
        "alarm.ended": _("An alarm ended"),
        "alarm.acknowledged": _("An alarm was acknowledged"),
        "exclusion.asked": _("An exclusion was asked for"),
        "exclusion.decided": _("An exclusion was decided"),
        "exclusion.withdrawn": _("An exclusion was withdrawn"),
        "statement.closed": _("A contract statement was closed"),
    }
