"""The clocks of one ticket as they go through its life: begun, paused, swept, recounted, ended.

Deadlines and what is left are counted by the product's own arithmetic (`tickets.clocks`); which
clock begins and ends when is told here once more, so that rows can be made without a database.
"""

from collections.abc import Sequence
from datetime import datetime

from benchmarks.desk.plan import Plan
from benchmarks.desk.sheet import Sheet
from benchmarks.desk.stage import Stage
from helpdesk.tickets import clocks
from helpdesk.tickets.clock_rows import new_clock, row_of
from helpdesk.tickets.clocks import BREACH, OF_CALLS, WARN, Pause
from helpdesk.tickets.models import DONE, Clock, ClockState, Metric, Priority, Status
from helpdesk.tickets.promises import Promise
from helpdesk.tickets.shown import summary

RESPONSES = (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)


class Promised:
    """`until` must be called with each moment of the ticket's life, in order."""

    def __init__(self, sheet: Sheet, stage: Stage, plan: Plan, ticket_id: int) -> None:
        self.sheet, self.stage, self.ticket_id = sheet, stage, ticket_id
        self.change_at = plan.change_at
        self.clocks: list[Clock] = []
        self.last = plan.start
        self.queue_id, self.priority = 0, Priority.NORMAL
        self.tags: tuple[str, ...] = ()

    def about(self, queue_id: int, priority: Priority, tags: Sequence[str]) -> None:
        """What of the ticket chooses its policy."""
        self.queue_id, self.priority, self.tags = queue_id, priority, tuple(tags)

    def promise(self, at: datetime) -> Promise | None:
        known = self.stage.before if at < self.change_at else self.stage.after
        return known.pick(self.queue_id, self.priority, self.tags)

    def begin(
        self, metric: Metric, at: datetime, status: Status, agreed_at: datetime | None = None
    ) -> Clock | None:
        """A clock that the policy has a target for, or whose deadline was agreed."""
        promise = self.promise(at)
        if promise is None or (agreed_at is None and metric not in promise.targets):
            return None
        clock = new_clock(promise, self.ticket_id, metric, at, status, agreed_at)
        clock.id = self.sheet.next_id("clock")
        self.clocks.append(clock)
        return clock

    def until(self, at: datetime) -> None:
        """Let warnings, breaches and the change of the calendar happen that lie before `at`."""
        if self.last < self.change_at <= at:
            self._sweep(self.change_at)
            for clock in self._live():
                self._recount(clock, self.change_at)
        self._sweep(at)
        self.last = max(self.last, at)

    def wrote(self, at: datetime, status: Status) -> None:
        """The client wrote: the next response is owed, unless one is already."""
        if status not in DONE and not any(one.metric in RESPONSES for one in self._live()):
            self.begin(Metric.NEXT_RESPONSE, at, status)

    def answered(self, at: datetime, owed_by: datetime | None = None) -> None:
        for clock in self._live():
            if clock.metric in RESPONSES and (owed_by is None or clock.started_at <= owed_by):
                self.stop(clock, at)

    def status(self, old: Status, new: Status, at: datetime) -> None:
        """As the new status wants: pause, go on, end, take up again."""
        own = [one for one in self._live() if one.metric not in OF_CALLS]
        if new in DONE:
            for clock in own:
                self.stop(clock, at)
                clocks.set_pause(clock, Pause.RESOLVED, at)
            return
        if old in DONE:
            own += self._take_up(at)
        promise = self.promise(at)
        for clock in own:
            reason = clocks.pause_reason(clock.metric, new, promise)
            if promise is not None and clocks.set_pause(clock, reason, at):
                clocks.place(clock, promise, (), at)
                self.say(clock, "clock.paused" if reason else "clock.resumed", at)

    def stop(self, clock: Clock, at: datetime) -> None:
        promise = self.promise(at)
        if clocks.stop(clock, promise.calendar if promise else None, at):
            self.say(clock, "clock.breached", at, BREACH)
        elif clock.state == ClockState.MET:
            self.say(clock, "clock.met", at)

    def lose(self, clock: Clock, at: datetime) -> None:
        """Nobody answered the caller: a breach, also before the deadline."""
        known = clock.breached_at is not None
        promise = self.promise(at)
        clocks.stop(clock, promise.calendar if promise else None, at)
        if not known:
            clock.breached_at = clock.breached_at or clock.stopped_at
            clock.state = ClockState.BREACHED
            self.say(clock, "clock.breached", at, BREACH)

    def drop(self, clock: Clock, at: datetime) -> None:
        """The caller took a callback: the clock goes, unless it is late already."""
        if clock.breached_at is not None:
            self.stop(clock, at)
        else:
            self.clocks.remove(clock)

    def shown(self) -> dict[str, object]:
        """What the ticket shows of them."""
        return summary(self.clocks)

    def write(self) -> None:
        for clock in self.clocks:
            self.sheet.add("clock", id=clock.id, **row_of(clock))

    def say(self, clock: Clock, kind: str, at: datetime, key: str | None = None) -> None:
        data = {"clock_id": clock.id, "metric": clock.metric.value}
        name = f"clock:{clock.id}:{key}" if key else None
        self.sheet.event(kind, at, ticket_id=self.ticket_id, data=data, key=name)

    def _live(self) -> list[Clock]:
        return [one for one in self.clocks if one.stopped_at is None]

    def _sweep(self, at: datetime) -> None:
        for clock in self._live():
            while clock.next_at is not None and clock.next_at <= at:
                moment = clock.next_at
                if clock.next_step == WARN and clock.warned_at is None:
                    clock.warned_at = moment
                    self.say(clock, "clock.warned", moment, WARN)
                elif clock.next_step == BREACH:
                    clock.breached_at = moment
                    self.say(clock, "clock.breached", moment, BREACH)
                promise = self.promise(moment)
                assert promise is not None
                clocks.place(clock, promise, (), at)

    def _take_up(self, at: datetime) -> list[Clock]:
        ended = [one for one in self.clocks if clocks.open_pause(one) == Pause.RESOLVED]
        for clock in ended:
            clocks.resume(clock, at)
            self._recount(clock, at)
            self.say(clock, "clock.resumed", at)
        return ended

    def _recount(self, clock: Clock, at: datetime) -> None:
        promise = self.promise(at)
        if promise is None:
            return
        due = clock.due_at
        clock.counted = promise.generation
        clocks.place(clock, promise, (), at)
        if clock.due_at != due:
            self.say(clock, "clock.recounted", at)
