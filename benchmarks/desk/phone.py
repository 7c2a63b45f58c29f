"""Calls of the desk: waits, offers, talks, callbacks and voicemails, as rows."""

import random
from datetime import datetime, timedelta
from typing import Any

from benchmarks.desk import plan as desk
from benchmarks.desk.sheet import Sheet
from benchmarks.desk.stage import Stage
from benchmarks.desk.ticket import Life
from helpdesk.calls.models import CallState, Direction, Disposition, EndReason, OfferOutcome
from helpdesk.planner.models import TaskKind, TaskResult, TaskState
from helpdesk.tickets.models import Metric

DISPOSITIONS = (Disposition.SOLVED,) * 12 + (
    *(Disposition.PROMISED, Disposition.PROMISED, Disposition.PASSED_ON, Disposition.WRONG_NUMBER),
)
ENDS = (
    *(("talked",) * 76 + ("abandoned",) * 9 + ("short",) * 4 + ("ringing",) * 3),
    *(("callback",) * 4 + ("voicemail",) * 3 + ("no_message",)),
)
IN_MENU = (EndReason.CONTAINED, EndReason.CONTAINED, EndReason.ABANDONED_MENU)
SOON = timedelta(seconds=5)


class Phone:
    """Makes the rows of one call after the other."""

    def __init__(self, sheet: Sheet, stage: Stage, draw: random.Random) -> None:
        self.sheet, self.stage, self.draw = sheet, stage, draw
        self.wrapped = 0  # calls

    def menu_only(self, at: datetime, client: int | None, language: str) -> None:
        """A call that the menu answered, or that ended there."""
        over = at + self._seconds(10, 90)
        end = self.draw.choice(IN_MENU)
        self._call(
            started_at=at, ended_at=over, over_at=over, end_reason=end, client_id=client,
            language=language, state=CallState.ENDED,
        )  # fmt: skip

    def waits(self, life: Life, at: datetime, agent: int) -> str:
        """The client of a ticket phones at `at` and waits; how that ended, a word of ENDS."""
        end = self.draw.choice(ENDS)
        queued = at + self._seconds(5, 40)
        long_wait = 90 if self.draw.random() < 0.35 else 18
        wait = self._seconds(1, 5) if end == "short" else self._seconds(6, 6 + long_wait)
        life.reach(queued)
        clock = life.promised.begin(Metric.SPEED_OF_ANSWER, queued, life.status)
        moment = queued + wait
        life.reach(moment)
        row = {
            "started_at": at,
            "queued_at": queued,
            "place_at": queued,
            "queue_id": life.row["queue_id"],
            "ticket_id": life.id,
            **{name: life.row[name] for name in ("client_id", "person_id", "language")},
        }
        if clock is not None and end == "talked":
            life.promised.stop(clock, moment)
        elif clock is not None and end in ("short", "callback"):
            life.promised.drop(clock, moment)
        elif clock is not None:
            life.promised.lose(clock, moment)
        if end == "talked":
            self._talk(life, row, moment, agent)
        else:
            self._lost(life, row, moment, end, agent)
        return end

    def _talk(self, life: Life, row: dict[str, Any], answered: datetime, agent: int) -> None:
        slow = desk.SLOWNESS if agent == self.stage.agents[desk.SLOW] else 1.0
        held = self.draw.choice((0, 0, 0, 20, 45))
        ended = answered + self._seconds(60, 420, slow) + timedelta(seconds=held)
        wrapped = ended + self._seconds(5, 90, slow)
        life.talked(answered, agent)
        known = wrapped <= life.plan.at
        row |= {"user_id": agent, "answered_at": answered, "hold_seconds": held}
        if ended > life.plan.at:
            row |= {"state": CallState.TALKING}
        else:
            row |= {"state": CallState.ENDED if known else CallState.WRAP_UP, "ended_at": ended}
            row |= {"end_reason": EndReason.TALKED}
        if known:
            row |= self._wrap_up(life) | {"wrapped_at": wrapped, "over_at": wrapped}
        call = self._call(**row, **self._consent(answered))
        self._offers(call, row["queued_at"], answered, agent)

    def _wrap_up(self, life: Life) -> dict[str, Any]:
        self.wrapped += 1
        reason = life.row["reason_id"]
        if self.wrapped % desk.PRICE_EVERY == 0:
            disposition, reason = Disposition.REFUSED, self.stage.price
            life.row["reason_id"] = reason
        elif self.wrapped % desk.STOCK_EVERY == 0:
            disposition, reason = Disposition.REFUSED, self.stage.reasons["before-purchase-stock"]
        else:
            disposition = self.draw.choice(DISPOSITIONS)
        return {
            "disposition": disposition,
            "reason_id": reason,
            "product_id": life.row["product_id"],
        }

    def _lost(
        self, life: Life, row: dict[str, Any], moment: datetime, end: str, agent: int
    ) -> None:
        row |= {"state": CallState.ENDED, "ended_at": moment, "over_at": moment}
        task = None
        if end in ("short", "abandoned"):
            row["end_reason"] = EndReason.ABANDONED_QUEUE
        elif end == "ringing":
            row["end_reason"] = EndReason.ABANDONED_RING
        else:
            row["end_reason"] = EndReason(end)
        if end != "short":
            life.owed(moment, moment)
        if end in ("callback", "abandoned", "voicemail"):
            task = self._callback(life, moment, agent)
        call = self._call(**row, task_id=task)
        if end == "ringing":
            self._offer(call, agent, row["queued_at"], moment, OfferOutcome.WITHDRAWN)

    def _callback(self, life: Life, at: datetime, agent: int) -> int:
        """A promise to phone back, mostly kept in time; now and then a moment that was agreed."""
        agreed = at + timedelta(hours=3) if self.draw.random() < 0.3 else None
        clock = life.promised.begin(Metric.CALLBACK, at, life.status, agreed)
        due = (clock.due_at if clock is not None else None) or agreed or at + timedelta(hours=2)
        late = self.draw.random() < 0.2
        tried = due + self._seconds(60, 5_000) if late else at + (due - at) * self.draw.random()
        tried = max(tried, at + SOON).replace(microsecond=0)
        made, task = tried <= life.plan.at, self.sheet.next_id("task")
        if made:
            life.reach(tried)
            if clock is not None and clock.stopped_at is None:
                life.promised.stop(clock, tried)
        result = TaskResult.TALKED if self.draw.random() < 0.8 else TaskResult.NO_ANSWER
        self.sheet.add(
            "task",
            id=task,
            kind=TaskKind.CALLBACK,
            state=self._state(made, result),
            **{name: life.row[name] for name in ("client_id", "person_id", "queue_id", "language")},
            ticket_id=life.id,
            due_at=due,
            clock_id=clock.id if clock is not None else None,
            next_at=None if made else max(due, life.plan.at + timedelta(hours=1)),
            attempts=int(made),
            result=result if made else None,
            created_at=at,
            first_tried_at=tried if made else None,
            done_at=tried if made else None,
        )
        if made:
            self._dialled(life, tried, agent, task, result)
        return task

    def _state(self, made: bool, result: TaskResult) -> TaskState:
        if not made:
            return TaskState.PLANNED
        return TaskState.DONE if result == TaskResult.TALKED else TaskState.FAILED

    def _dialled(self, life: Life, at: datetime, agent: int, task: int, result: TaskResult) -> None:
        talked = result == TaskResult.TALKED
        ended = at + self._seconds(30, 200)
        wrapped = ended + SOON
        row = {
            "direction": Direction.OUTBOUND,
            "state": CallState.ENDED,
            "started_at": at,
            "ended_at": ended,
            "over_at": wrapped,
            "user_id": agent,
            "task_id": task,
            "ticket_id": life.id,
            **{name: life.row[name] for name in ("client_id", "person_id", "queue_id", "language")},
            "end_reason": EndReason.TALKED if talked else EndReason.NO_ANSWER,
        }
        if talked and at + SOON <= life.plan.at:
            life.talked(at + SOON, agent)
            row |= {"answered_at": at + SOON, "wrapped_at": wrapped}
            row |= {"disposition": Disposition.SOLVED}
        self._call(**row)

    def _call(self, **values: Any) -> int:
        id_ = self.sheet.next_id("call")
        row = dict.fromkeys(
            (
                *("person_id", "ticket_id", "queue_id", "user_id", "task_id", "place_at"),
                *("queued_at", "answered_at", "ended_at", "wrapped_at", "over_at", "end_reason"),
                *("consent_asked_at", "consent_given", "consent_version", "disposition"),
                *("reason_id", "product_id"),
            )
        )
        row |= {"id": id_, "provider": "twin", "provider_id": f"CA{id_:032x}"}
        row |= {"token": f"{id_:032x}", "direction": Direction.INBOUND, "step": {}, "facts": {}}
        row |= {"hold_seconds": 0} | values
        row["language"] = row["language"] or "uk"
        row["last_event_at"] = row["over_at"] or row["answered_at"] or row["started_at"]
        self.sheet.add("call", **row)
        self._events(id_, row)
        return id_

    def _events(self, id_: int, row: dict[str, Any]) -> None:
        """What the log says of it."""
        data: dict[str, Any] = {"call_id": id_, "queue_id": row["queue_id"]}
        about = {"ticket_id": row["ticket_id"], "client_id": row["client_id"]}
        start = {"call_id": id_, "direction": row["direction"].value}
        self.sheet.event("call.started", row["started_at"], **about, data=start)
        if row["queued_at"]:
            self.sheet.event("call.queued", row["queued_at"], **about, data=data)
        if row["answered_at"]:
            told = data | {"user_id": row["user_id"]}
            self.sheet.event("call.answered", row["answered_at"], **about, data=told)
        if row["ended_at"]:
            told = data | {"end_reason": row["end_reason"].value}
            self.sheet.event("call.ended", row["ended_at"], **about, data=told)

    def _consent(self, at: datetime) -> dict[str, Any]:
        if self.draw.random() < 0.4:
            return {}
        given = self.draw.random() < 0.9
        return {"consent_asked_at": at, "consent_given": given, "consent_version": 1}

    def _offers(self, call: int, queued: datetime, answered: datetime, agent: int) -> None:
        """Some are asked in vain before; then the agent accepts."""
        others = [one for one in self.stage.agents if one != agent]
        at = queued
        while self.draw.random() < 0.12 and at + SOON < answered:
            outcome = self.draw.choice((OfferOutcome.UNANSWERED, OfferOutcome.DECLINED))
            self._offer(call, self.draw.choice(others), at, at + timedelta(seconds=4), outcome)
            at += SOON
        self._offer(call, agent, at, answered, OfferOutcome.ACCEPTED)

    def _offer(
        self, call: int, agent: int, at: datetime, closed: datetime, outcome: OfferOutcome
    ) -> None:
        self.sheet.add(
            "offer",
            call_id=call,
            user_id=agent,
            offered_at=at,
            expires_at=at + timedelta(seconds=20),
            closed_at=closed,
            outcome=outcome,
        )

    def _seconds(self, least: int, most: int, times: float = 1.0) -> timedelta:
        return timedelta(seconds=int(self.draw.randint(least, most) * times))
