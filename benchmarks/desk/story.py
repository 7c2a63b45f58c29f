"""What happens to the tickets of the desk, drawn from a seed: who takes them, how long it lasts."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from benchmarks.desk import plan as desk
from benchmarks.desk.arrivals import arrivals, open_at, staffed
from benchmarks.desk.clients import Caller, clients
from benchmarks.desk.phone import Phone
from benchmarks.desk.plan import Plan
from benchmarks.desk.readers import Readers
from benchmarks.desk.sheet import Row, Sheet
from benchmarks.desk.stage import Stage
from benchmarks.desk.ticket import Life, Over
from helpdesk.lib import worktime
from helpdesk.tickets.models import DONE, Channel, Priority, Status, TicketKind

T = TypeVar("T")
CHUNK = 2_000  # tickets
QUEUES = ((0, 42), (1, 20), (2, 14), (3, 24))  # index and weight
CHANNELS = ((Channel.EMAIL, 50), (Channel.WEB, 15), (Channel.SMS, 3))
CALLS = 0.36  # of what comes while somebody is there
PRIORITIES = ((Priority.LOW, 8), (Priority.NORMAL, 74), (Priority.HIGH, 13), (Priority.URGENT, 5))
KINDS = (TicketKind.QUESTION, TicketKind.REQUEST, TicketKind.COMPLAINT, None)
FIRST, NEXT = 4_500.0, 6_000.0  # mean business seconds until an answer
STUCK = 5.0  # times longer in the bottleneck
ROUNDS = (0, 0, 1, 1, 2, 3)
MERGED, REOPENED, MOVED, PASSED, HELD, RATED = 0.008, 0.06, 0.1, 0.08, 0.05, 0.3
CLOSES = timedelta(days=4)


class Story:
    """Tells one ticket after the other, in the order they come."""

    def __init__(self, plan: Plan, stage: Stage) -> None:
        self.plan, self.stage = plan, stage
        self.draw, self.sheet = random.Random(plan.seed), Sheet()
        self.phone = Phone(self.sheet, stage, self.draw)
        self.readers = Readers(self.sheet, plan, self.draw)
        self.callers: list[Caller] = []
        self.closed: list[int] = []

    def tell(self) -> Iterator[Mapping[str, Sequence[Row]]]:
        """Chunks of rows; what a chunk points to is in it or in those before."""
        self.callers = clients(self.sheet, self.plan, self.draw)
        self.readers.articles()
        for number, at in enumerate(arrivals(self.plan, self.draw), 1):
            self._contact(at)
            if number % CHUNK == 0:
                yield self.sheet.take()
        yield self.sheet.take()

    def _contact(self, at: datetime) -> None:
        caller = self.callers[int(len(self.callers) * self.draw.random() ** 1.4)]
        if self.draw.random() < 0.7:
            self.readers.search(at, caller.language)
        if self.draw.random() < 0.04:
            self.phone.menu_only(at, caller.who[0], caller.language)
        calendar = self._calendar(at)
        by_phone = open_at(calendar, at) and self.draw.random() < CALLS
        life = Life(self.sheet, self.stage, self.plan)
        with suppress(Over):
            self._open(life, at, caller, by_phone)
            self._live(life, at, by_phone)
        if life.status in DONE:
            self._settled(life)
        life.end()

    def _open(self, life: Life, at: datetime, caller: Caller, by_phone: bool) -> None:
        queue = list(self.stage.queues.values())[self._weighted(QUEUES)]
        reason, product, kind = self._classes(at)
        life.opened(
            at,
            who=caller.who,
            queue_id=queue,
            channel=Channel.PHONE if by_phone else self._weighted(CHANNELS),
            priority=self._weighted(PRIORITIES),
            client_tags=caller.tags,
            language=caller.language if self.draw.random() < 0.97 else None,
            reason_id=reason,
            product_id=product,
            kind=kind,
        )

    def _classes(self, at: datetime) -> tuple[int | None, int | None, TicketKind | None]:
        """Reason, product and kind; since the day of the defect the product fails often."""
        broken = at.astimezone(desk.ZONE).date() >= self.plan.defect_day
        if broken and self.draw.random() < desk.DEFECT_SHARE:
            return self.stage.fault, self.stage.products[desk.DEFECT], TicketKind.COMPLAINT
        reason = self.draw.choice(list(self.stage.reasons.values()))
        if self.draw.random() < 0.02:
            reason = self.stage.fault
        has_reason, has_product = self.draw.random() < 0.8, self.draw.random() < 0.45
        product = self.draw.choice(self.stage.products) if has_product else None
        return reason if has_reason else None, product, self.draw.choice(KINDS)

    def _live(self, life: Life, at: datetime, by_phone: bool) -> None:
        agent = self._agent(life)
        if by_phone:
            end = self.phone.waits(life, at, agent)
            if end == "talked" and self.draw.random() < 0.6:
                self._resolve(life, agent)
                return
        else:
            life.wrote(at, first=True)
        self._move(life)
        self._take(life, agent)
        self._rounds(life, int(life.row["assignee_id"] or agent))

    def _move(self, life: Life) -> None:
        if self.draw.random() < MOVED:
            queue = list(self.stage.queues.values())[self._weighted(QUEUES)]
            life.move(queue, self._later(life, 1_500), self.stage.supervisor)

    def _take(self, life: Life, agent: int) -> None:
        if life.row["assignee_id"] is None:
            pause = FIRST * self._pace(life, agent)
            life.assign(agent, self._later(life, pause), agent)
        if self.draw.random() < PASSED:
            other = self._agent(life)
            life.assign(other, self._later(life, 1_000), agent)

    def _rounds(self, life: Life, agent: int) -> None:
        """Answers and what clients write back, until the ticket is resolved."""
        for round_ in range(self.draw.choice(ROUNDS)):
            life.answered(self._later(life, self._work(life, agent)), agent, Status.PENDING)
            if self.draw.random() < 0.15:
                life.noted(self._later(life, 300), agent)
            if round_ and self.draw.random() < HELD:
                life.set_status(Status.ON_HOLD, self._later(life, 600), agent)
            life.wrote(self._last(life) + self._hours(1, 50))
        self._resolve(life, agent)

    def _resolve(self, life: Life, agent: int) -> None:
        at = self._later(life, self._work(life, agent))
        if life.row["channel"] == Channel.PHONE and life.row["first_response_at"]:
            life.set_status(Status.RESOLVED, at, agent)
        else:
            life.answered(at, agent, Status.RESOLVED)
        if self.draw.random() < REOPENED:
            life.wrote(self._last(life) + self._hours(2, 60))
            again = self._later(life, self._work(life, agent))
            life.answered(again, agent, Status.RESOLVED)
        life.set_status(Status.CLOSED, self._last(life) + CLOSES, None, reason="rest")

    def _settled(self, life: Life) -> None:
        if self.closed and self.draw.random() < MERGED:
            life.merge(self.draw.choice(self.closed))
            return
        self.closed.append(life.id)
        done = life.row["done_at"]
        if life.row["first_response_at"] and self.draw.random() < RATED:
            is_slow = life.row["assignee_id"] == self.stage.agents[desk.SLOW]
            self.readers.rating(life.row, done + self._hours(1, 30), is_slow)

    def _agent(self, life: Life) -> int:
        """Somebody of the queue's team; now and then who is in none."""
        names = {id_: name for name, id_ in self.stage.queues.items()}
        is_front = names[life.row["queue_id"]] in desk.TEAMS["Front office"]
        agents = self.stage.agents
        return self.draw.choice(agents[: desk.FRONT] if is_front else agents[desk.FRONT :])

    def _pace(self, life: Life, agent: int) -> float:
        stuck = life.row["queue_id"] == self.stage.queues[desk.BOTTLENECK]
        slow = agent == self.stage.agents[desk.SLOW]
        return (STUCK if stuck else 1.0) * (desk.SLOWNESS if slow else 1.0)

    def _work(self, life: Life, agent: int) -> float:
        return NEXT * self._pace(life, agent)

    def _later(self, life: Life, mean: float) -> datetime:
        """When somebody at work has spent about so many seconds on other things."""
        last = self._last(life)
        return staffed(self._calendar(last), last, self.draw.expovariate(1 / mean) + 30)

    def _last(self, life: Life) -> datetime:
        return life.promised.last.replace(microsecond=0)

    def _calendar(self, at: datetime) -> worktime.Calendar | None:
        known = self.stage.before if at < self.plan.change_at else self.stage.after
        return next(iter(known.by_id.values())).calendar

    def _hours(self, least: float, most: float) -> timedelta:
        return timedelta(seconds=int(self.draw.uniform(least, most) * 3_600))

    def _weighted(self, choices: Sequence[tuple[T, int]]) -> T:
        return self.draw.choices([one for one, _ in choices], [weight for _, weight in choices])[0]
