"""The numbers of the wallboard and of contract statements once more."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from benchmarks.desk.recount import DONE, Days, Desk, ratio
from benchmarks.desk.recount_calls import QUICK, SHORT, seen

SOON = timedelta(hours=1)
Board = dict[tuple[str, int], dict[str, Any]]
"""By ("queue" | "team" | "all", id): the numbers."""


def board(desk: Desk) -> Board:
    """How things stand at the moment of the desk."""
    found: Board = defaultdict(lambda: defaultdict(int))
    live = defaultdict(list)
    for clock in desk.raw.clock:
        if clock.stopped_at is None and clock.policy_id is not None:
            live[clock.ticket_id].append(clock)
    for row in desk.tickets.values():
        for part in _parts(desk, row.queue_id, row.assignee_id):
            if row.status not in DONE:
                _ticket(found[part], desk, row, live[row.id])
    for row in desk.raw.task:
        for part in _parts(desk, row.queue_id, row.owner_id):
            _callback(found[part], desk, row)
    today = desk.at.astimezone(desk.zone).date()
    for row in seen(desk, Days(today, today, desk.zone)):
        for part in _parts(desk, row.queue_id, row.assignee_id):
            _call(found[part], row)
    return found


def _parts(desk: Desk, queue: int | None, user: int | None) -> Iterator[tuple[str, int]]:
    yield "all", 0
    yield "queue", queue or 0
    yield "team", desk.team(user, queue)


def _ticket(numbers: dict[str, Any], desk: Desk, row: Any, live: Sequence[Any]) -> None:
    broken = any(clock.breached_at is not None for clock in live)
    due = [clock.due_at for clock in live if clock.due_at is not None]
    numbers["open"] += 1
    numbers["unassigned"] += row.assignee_id is None
    numbers["breached"] += broken
    numbers["due"] += not broken and bool(due) and min(due) <= desk.at + SOON
    if row.waiting_since is not None:
        numbers["unanswered"] += 1
        oldest = numbers.get("oldest")
        numbers["oldest"] = min(oldest, row.waiting_since) if oldest else row.waiting_since


def _callback(numbers: dict[str, Any], desk: Desk, row: Any) -> None:
    if row.kind == "callback" and row.done_at is None and row.due_at <= desk.at + SOON:
        numbers["callbacks"] += 1
        numbers["late_callbacks"] += row.due_at < desk.at


def _call(numbers: dict[str, Any], row: Any) -> None:
    if row.became == "callback" or not row.queued:
        return
    is_short = row.became == "abandoned" and row.wait <= SHORT
    is_fresh = row.became == "waiting" and row.wait <= QUICK
    numbers["quick"] += row.became == "answered" and row.wait <= QUICK
    numbers["counted"] += not (is_short or is_fresh)


def statement(desk: Desk, client: int, policy: int, month: Days) -> dict[str, float | None]:
    """What an organisation was promised in a month under a policy, all metrics together."""
    rows = [
        row
        for row in desk.raw.clock
        if row.policy_id == policy
        and month.has(row.started_at)
        and row.ticket_id in desk.tickets
        and desk.organisation(desk.tickets[row.ticket_id].client_id) == client
    ]
    broken = [row for row in rows if row.breached_at is not None or _is_late(row, desk)]
    met = sum(row.stopped_at is not None and row not in broken for row in rows)
    return {
        "counted": len(rows),
        "met": met,
        "breached": len(broken),
        "running": len(rows) - met - len(broken),
        "before": ratio(met, met + len(broken)),
    }


def _is_late(row: Any, desk: Desk) -> bool:
    return row.stopped_at is None and row.due_at is not None and row.due_at <= desk.at
