"""The Event log: what happened, to what, by whom. History, audit, realtime and reports read it.

An Event points to people and never copies personal values: `data` holds ids, enums and numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk.ext import Base, add_row, add_rows, partial_index
from helpdesk.lib.clock import now


@dataclass(frozen=True)
class Actor:
    """Who did it: a member of staff, a client's person, or the system itself."""

    user_id: int | None = None
    person_id: int | None = None
    token_id: int | None = None

    @property
    def kind(self) -> str:
        if self.user_id is not None:
            return "user"
        return "person" if self.person_id is not None else "system"


SYSTEM = Actor()

# Every kind of event with the keys its data may have. `record` refuses others, so that the
# readers of the log can rely on it.
KINDS: Mapping[str, frozenset[str]] = {
    kind: frozenset(keys.split())
    for kind, keys in {
        "ticket.opened": "queue_id channel delivery_id receipt",
        "ticket.status": "old new reason",
        "ticket.priority": "old new reason",
        "ticket.assigned": "old new reason",
        "ticket.queue": "old new",
        "ticket.tags": "old new",
        "ticket.subject": "",
        "ticket.kind": "old new",
        "ticket.reason": "old new",
        "ticket.product": "old new item_id",
        "ticket.requester": "old new",
        "ticket.rated": "rating_id score",
        "ticket.cited": "article_id",
        "ticket.erased": "",
        "message.received": "message_id delivery_id stranger",
        "message.sent": "message_id",
        "message.noted": "message_id",
        "message.bounced": "message_id delivery_id",
        "message.failed": "message_id outgoing_id",
        "message.resent": "message_id outgoing_id",
        "receipt.sent": "outgoing_id delivery_id articles",
        "receipt.refused": "delivery_id reason",
        "clock.started": "clock_id metric",
        "clock.paused": "clock_id metric",
        "clock.resumed": "clock_id metric",
        "clock.met": "clock_id metric",
        "clock.warned": "clock_id metric",
        "clock.breached": "clock_id metric",
        "clock.recounted": "clock_id metric",
        "clock.stepped": "clock_id metric step_id action",
        "client.created": "",
        "client.changed": "fields",
        "client.erased": "",
        "client.merged": "merge_id other_id",
        "client.unmerged": "merge_id other_id",
        "client.noted": "note_id",
        "client.unnoted": "note_id",
        "client.facts": "kind count",
        "person.created": "person_id",
        "person.changed": "person_id fields",
        "person.removed": "person_id",
        "contact_point.added": "contact_point_id",
        "contact_point.changed": "contact_point_id fields",
        "contact_point.removed": "contact_point_id",
        "document.added": "document_id",
        "document.removed": "document_id",
        "document.read": "document_id",
        "promise.made": "promise_id",
        "promise.settled": "promise_id kept",
        "duplicate.dismissed": "pair_id",
        "duplicate.offered": "pair_id",
        "item.created": "item_id",
        "item.changed": "item_id fields",
        "product.created": "product_id",
        "product.changed": "product_id fields",
        "reason.created": "reason_id",
        "reason.changed": "reason_id fields",
        "field.created": "field_id",
        "field.changed": "field_id fields",
        "import.started": "run_id kind",
        "import.finished": "run_id kind created changed bad",
        "export.made": "kind count",
        "category.created": "category_id",
        "category.changed": "category_id fields",
        "category.deleted": "category_id",
        "article.created": "article_id lang",
        "article.changed": "article_id lang version fields",
        "article.state": "article_id lang old new",
        "article.deleted": "article_id",
        "article.restored": "article_id",
        "article.rated": "article_id lang helped",
        "example.added": "article_id lang source",
        "portal.login": "",
        "portal.code_asked": "code_id lang",
        "contact_point.verified": "contact_point_id",
        "contact_point.bad": "contact_point_id",
        "delivery.failed": "delivery_id reason",
        "delivery.replayed": "delivery_id",
        "user.created": "user_id",
        "user.changed": "user_id fields",
        "user.login": "user_id",
        "user.login_failed": "user_id",
        "user.logout": "user_id",
        "user.password": "user_id",
        "factor.set_up": "user_id",
        "factor.removed": "user_id",
        "factor.recovered": "user_id",
        "token.created": "token_id",
        "token.revoked": "token_id",
        "queue.created": "queue_id",
        "queue.changed": "queue_id fields",
        "mailbox.created": "mailbox_id queue_id",
        "mailbox.changed": "mailbox_id queue_id",
        "mailbox.deleted": "mailbox_id queue_id",
        "imap.created": "box_id",
        "imap.changed": "box_id fields",
        "imap.failing": "box_id trouble",
        "imap.recovered": "box_id",
        "calendar.created": "calendar_id",
        "calendar.changed": "calendar_id",
        "policy.created": "policy_id",
        "policy.changed": "policy_id",
        "policy.deleted": "policy_id",
        "setting.changed": "name",
        "attachment.read": "attachment_id",
        "call.started": "call_id direction",
        "call.queued": "call_id queue_id",
        "call.offered": "call_id offer_id user_id queue_id",
        "call.offer_closed": "call_id offer_id user_id outcome queue_id",
        "call.answered": "call_id user_id queue_id",
        "call.held": "call_id user_id held",
        "call.ended": "call_id user_id queue_id end_reason",
        "call.wrapped": "call_id user_id queue_id disposition",
        "call.noted": "call_id user_id",
        "call.logged": "call_id user_id",
        "call.missed": "call_id queue_id reason",
        "call.callback": "call_id task_id queue_id",
        "call.consent": "call_id given version",
        "call.shown": "call_id article_id",
        "recording.stored": "call_id recording_id",
        "recording.absent": "call_id recording_id reason",
        "recording.failed": "call_id recording_id reason",
        "recording.played": "call_id recording_id",
        "recording.deleted": "call_id recording_id",
        "presence.changed": "user_id old new",
        "task.planned": "task_id kind",
        "task.changed": "task_id fields",
        "task.tried": "task_id call_id result",
        "task.done": "task_id result",
        "task.failed": "task_id result",
        "task.due": "task_id",
        "queue.unattended": "queue_id waiting",
        "phone_menu.changed": "menu_id queue_id fields",
        "contact_point.sms": "contact_point_id stopped",
        "team.created": "team_id",
        "team.changed": "team_id fields",
        "team.deleted": "team_id",
        "report.exported": "report form",
        "report.scheduled": "schedule_id report every",
        "report.stopped": "schedule_id",
        "report.sent": "schedule_id report_file_id",
        "report.file_read": "report_file_id",
        "alarm_rule.created": "rule_id",
        "alarm_rule.changed": "rule_id fields",
        "alarm.began": "alarm_id rule_id",
        "alarm.ended": "alarm_id rule_id",
        "alarm.acknowledged": "alarm_id rule_id",
        "exclusion.asked": "exclusion_id clock_id",
        "exclusion.decided": "exclusion_id clock_id approved",
        "exclusion.withdrawn": "exclusion_id clock_id",
        "statement.closed": "statement_id policy_id month",
    }.items()
}


class Event(Base):
    """One thing that happened. `key` makes a firing unique; `todo` is NULL once reacted to."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_ticket", "ticket_id", "id"),
        Index("ix_event_client", "client_id", "at", "id"),
        partial_index("ix_event_user", "user_id", "id", where="user_id IS NOT NULL"),
        partial_index("ix_event_apart", "at", "id", where="ticket_id IS NULL"),
        partial_index("ix_event_todo", "id", where="todo IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    data: Mapped[dict[str, Any]]
    key: Mapped[str | None] = mapped_column(String(60), unique=True)
    todo: Mapped[int | None]


def record(
    session: Session,
    kind: str,
    /,
    *,
    actor: Actor = SYSTEM,
    at: datetime | None = None,
    ticket_id: int | None = None,
    client_id: int | None = None,
    key: str | None = None,
    **data: Any,
) -> int:
    """Write one Event in the caller's transaction and return its id.

    Raises ValueError for an unknown kind or an unknown key of `data`: that is a bug.
    """
    about: dict[str, Any] = {"ticket_id": ticket_id, "client_id": client_id, "key": key}
    return add_row(session, Event, **event_row(kind, actor=actor, at=at, **about, **data))


def record_all(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write many Events, as `event_row` made them, in their order by one statement."""
    add_rows(session, Event, rows)


def event_row(
    kind: str,
    /,
    *,
    actor: Actor = SYSTEM,
    at: datetime | None = None,
    ticket_id: int | None = None,
    client_id: int | None = None,
    key: str | None = None,
    **data: Any,
) -> dict[str, Any]:
    """One Event to be written by `record_all`. Raises ValueError as `record` does."""
    unknown = data.keys() - KINDS[kind] if kind in KINDS else {kind}
    if unknown:
        raise ValueError(f"event {kind} does not know {sorted(unknown)}")
    return {
        "at": at or now(),
        "kind": kind,
        "user_id": actor.user_id,
        "person_id": actor.person_id,
        "ticket_id": ticket_id,
        "client_id": client_id,
        "data": data,
        "key": key,
        "todo": 1,
    }
