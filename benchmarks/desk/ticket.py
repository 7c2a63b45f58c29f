"""The life of one ticket, told in order; it leaves the rows that the product's verbs leave."""

from datetime import datetime
from typing import Any

from benchmarks.desk.plan import Plan
from benchmarks.desk.promised import Promised
from benchmarks.desk.sheet import Sheet
from benchmarks.desk.stage import Stage
from helpdesk.tickets.models import DONE, Channel, Metric, Priority, Status
from helpdesk.tickets.spells import Came

WORDS = "Generated for measuring"


class Over(Exception):
    """The next thing lies after the moment at which the desk is looked at."""


class Life:
    """Each method is something that happens at `at`; a moment that is not yet raises Over."""

    def __init__(self, sheet: Sheet, stage: Stage, plan: Plan) -> None:
        self.sheet, self.stage, self.plan = sheet, stage, plan
        self.id = sheet.next_id("ticket")
        self.promised = Promised(sheet, stage, plan, self.id)
        self.row: dict[str, Any] = {}
        self.spell: dict[str, Any] = {}
        self.tags: list[str] = []

    @property
    def status(self) -> Status:
        return Status(self.row["status"])

    def opened(
        self,
        at: datetime,
        *,
        who: tuple[int, int, int],
        queue_id: int,
        channel: Channel,
        priority: Priority,
        client_tags: tuple[str, ...],
        **classes: Any,
    ) -> None:
        """`who`: client, person and contact point; `classes`: language, kind, reason, product."""
        self.row = {
            "id": self.id,
            "subject": WORDS,
            "status": Status.NEW,
            "priority": priority,
            "channel": channel,
            "queue_id": queue_id,
            **dict(zip(("client_id", "person_id", "contact_point_id"), who, strict=True)),
            "assignee_id": None,
            **dict.fromkeys(("kind", "reason_id", "product_id", "language")),
            **dict.fromkeys(("created_at", "updated_at", "last_message_at", "waiting_since"), at),
            **dict.fromkeys(("first_response_at", "resolved_at", "done_at", "merged_into_id")),
            "link_nonce": f"{self.id:016x}",
            **classes,
        }
        self.promised.about(queue_id, priority, client_tags)
        self.promised.last = at
        data = {"queue_id": queue_id, "channel": channel.value, "receipt": False}
        self._say("ticket.opened", at, person_id=who[1], data=data)
        self._begin_spell(at, Came.OPENED, None)
        for metric in (Metric.FIRST_RESPONSE, Metric.RESOLUTION):
            self.promised.begin(metric, at, Status.NEW)

    def wrote(self, at: datetime, *, first: bool = False) -> None:
        """The client's message; a pending or done ticket is open again by it."""
        self._reach(at)
        person = self.row["person_id"]
        self._message(at, "inbound", "message.received", person_id=person)
        if first:
            return
        self.row["waiting_since"] = self.row["waiting_since"] or at
        if self.status == Status.PENDING or self.status in DONE:
            self.set_status(Status.OPEN, at, None, reason="client_wrote")
        self.promised.wrote(at, self.status)

    def answered(self, at: datetime, user_id: int, then: Status | None = None) -> None:
        """An answer by email; a new ticket becomes open by it."""
        self._reach(at)
        self._message(at, "outbound", "message.sent", user_id=user_id)
        self.row["first_response_at"] = self.row["first_response_at"] or at
        self.row["waiting_since"] = None
        self.promised.answered(at)
        target = then or (Status.OPEN if self.status == Status.NEW else None)
        if target is not None:
            self.set_status(target, at, user_id)

    def noted(self, at: datetime, user_id: int) -> None:
        self._reach(at)
        self._message(at, "note", "message.noted", user_id=user_id)

    def talked(self, at: datetime, user_id: int) -> None:
        """A call was answered: an answer to the client, by somebody who takes the ticket."""
        self._reach(at)
        self.row["first_response_at"] = self.row["first_response_at"] or at
        self.row["waiting_since"] = None
        self.promised.answered(at, owed_by=at)
        if self.status == Status.NEW:
            self.set_status(Status.OPEN, at, user_id)
        if self.row["assignee_id"] is None:
            self.assign(user_id, at, None, reason="call")

    def owed(self, at: datetime, since: datetime) -> None:
        """The client phoned and nobody answered."""
        self._reach(at)
        if self.status == Status.PENDING or self.status in DONE:
            self.set_status(Status.OPEN, at, None, reason="client_called")
        self.row["waiting_since"] = self.row["waiting_since"] or since
        self.promised.wrote(since, self.status)

    def set_status(
        self, status: Status, at: datetime, user_id: int | None, reason: str | None = None
    ) -> None:
        self._reach(at)
        old = self.status
        if old == status:
            return
        self.row["status"] = status
        if status in DONE:
            self.row["done_at"] = self.row["done_at"] or at
            self.row["resolved_at"] = self.row["resolved_at"] or at
            self.row["waiting_since"] = None
        else:
            self.row["done_at"] = self.row["resolved_at"] = None
        was, now_done = old in DONE, status in DONE
        came = Came.REOPENED if was and not now_done else Came.STATUS
        self._next_spell(at, Came.DONE if now_done and not was else came, user_id)
        self.promised.status(old, status, at)
        self._changed("ticket.status", at, user_id, old.value, status.value, reason)

    def assign(
        self, new: int | None, at: datetime, user_id: int | None, reason: str | None = None
    ) -> None:
        self._reach(at)
        old = self.row["assignee_id"]
        if old == new:
            return
        self.row["assignee_id"] = new
        came = Came.TAKEN if old is None else Came.PASSED
        self._next_spell(at, Came.DROPPED if new is None else came, user_id)
        self._changed("ticket.assigned", at, user_id, old, new, reason)

    def move(self, queue_id: int, at: datetime, user_id: int | None) -> None:
        """To another queue; all work in all queues and one policy holds in all."""
        self._reach(at)
        old = self.row["queue_id"]
        if old == queue_id:
            return
        self.row["queue_id"] = queue_id
        self._next_spell(at, Came.QUEUE, user_id)
        self._changed("ticket.queue", at, user_id, old, queue_id, None)

    def merge(self, into: int) -> None:
        """Closed as a part of an older ticket."""
        self.row["merged_into_id"] = into

    def end(self) -> None:
        """Write what is left to write at the moment the desk is looked at."""
        self.promised.until(self.plan.at)
        self.sheet.add("ticket", **self.row, tags=self.tags, **self.promised.shown())
        self.promised.write()

    def reach(self, at: datetime) -> None:
        """For things that happen beside the ticket. Raises Over."""
        self._reach(at)

    def _reach(self, at: datetime) -> None:
        if at > self.plan.at:
            raise Over
        self.promised.until(at)
        self.row["updated_at"] = at

    def _message(self, at: datetime, kind: str, event: str, **author: int) -> None:
        id_ = self.sheet.next_id("message")
        by_person = "person_id" in author
        self.sheet.add(
            "message",
            id=id_,
            ticket_id=self.id,
            kind=kind,
            channel=self.row["channel"],
            user_id=author.get("user_id"),
            person_id=author.get("person_id"),
            contact_point_id=self.row["contact_point_id"] if by_person else None,
            subject=WORDS,
            text=WORDS,
            parse_errors=[],
            created_at=at,
        )
        self.row["last_message_at"] = at
        self._say(event, at, data={"message_id": id_}, **author)

    def _begin_spell(self, at: datetime, came: Came, user_id: int | None) -> None:
        self.spell = {
            "ticket_id": self.id,
            **{name: self.row[name] for name in ("queue_id", "assignee_id", "status")},
            "came": came,
            "actor_id": user_id,
            "from_at": at,
            "to_at": None,
            "seconds": None,
        }
        self.sheet.add("ticket_spell", **self.spell)
        self.spell = self.sheet.rows["ticket_spell"][-1]

    def _next_spell(self, at: datetime, came: Came, user_id: int | None) -> None:
        self.spell["to_at"] = at
        self.spell["seconds"] = int((at - self.spell["from_at"]).total_seconds())
        self._begin_spell(at, came, user_id)

    def _changed(
        self, kind: str, at: datetime, user_id: int | None, old: Any, new: Any, reason: str | None
    ) -> None:
        data = {"old": old, "new": new} | ({"reason": reason} if reason else {})
        self._say(kind, at, user_id=user_id, data=data)

    def _say(self, kind: str, at: datetime, **values: Any) -> None:
        client = self.row["client_id"]
        self.sheet.event(kind, at, ticket_id=self.id, client_id=client, **values)
