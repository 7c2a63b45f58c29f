"""What stands out in the work: a growing backlog, a bottleneck, long calls, too much or little."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from helpdesk.lib.errors import _lazy
from helpdesk.reports.work.agents import TOO_FEW, TOO_MANY, Agent
from helpdesk.reports.work.flow import Flow
from helpdesk.reports.work.stays import Stay, Stays
from helpdesk.tickets.models import Status

Finding = tuple[str, Mapping[str, Any]]

ENOUGH = 20
"""Tickets or stays, below which nothing is said."""
CALLS = 10
"""Calls of an agent, below which nothing is said of them."""
MOVED = 0.1
"""By which share a backlog must have changed to be told."""
SLOWER = 1.5
"""How many times the median of all queues a bottleneck must have, or an agent's calls the mean."""
NAMED = 5
_OURS: Mapping[str, str] = {
    Status.NEW: _lazy(
        "Bottleneck: %(name)s, until somebody begins. "
        "The median is %(percent)s %% above all queues’."
    ),
    Status.OPEN: _lazy(
        "Bottleneck: %(name)s, while in work. The median is %(percent)s %% above all queues’."
    ),
    Status.ON_HOLD: _lazy(
        "Bottleneck: %(name)s, awaiting a third party. "
        "The median is %(percent)s %% above all queues’."
    ),
}


def findings(
    now: Flow, before: Flow, stayed: Stays, queues: Mapping[Any, str], people: Sequence[Agent]
) -> Iterator[Finding]:
    """Sentences, the most important first."""
    yield from _backlog(now.whole("backlog"), before.whole("backlog"))
    yield from _bottleneck(stayed, queues)
    yield from _longest_calls(people)
    many = _lazy("More tickets in work than the norm: %(names)s.")
    few = _lazy("Fewer tickets in work than the norm: %(names)s.")
    for word, sentence in ((TOO_MANY, many), (TOO_FEW, few)):
        found = [one for one in people if one.word == word]
        if found:
            yield sentence, {"names": _listed(found)}


def _backlog(now: int | None, before: int | None) -> Iterator[Finding]:
    if now is None or not before or max(now, before) < ENOUGH:
        return
    numbers = {"before": before, "now": now}
    if now - before >= MOVED * before:
        yield _lazy("The backlog grew from %(before)s to %(now)s."), numbers
    elif before - now >= MOVED * before:
        yield _lazy("The backlog shrank from %(before)s to %(now)s."), numbers


def _bottleneck(stayed: Stays, queues: Mapping[Any, str]) -> Iterator[Finding]:
    """Where the most time is lost against the pace of all queues in the same state."""
    worst: tuple[float, str, str, float] | None = None
    for state in _OURS:
        here = {queue: stay for (queue, one), stay in stayed.items() if one == state}
        every = sorted(chain.from_iterable(stay.seconds for stay in here.values()))
        if len(here) < 2 or not every:
            continue
        pace, median = sum(every) / len(every), Stay(every).rank(0.5) or 1
        for queue, stay in here.items():
            lost = stay.total - pace * len(stay.seconds)
            times = (stay.rank(0.5) or 0) / median
            enough = len(stay.seconds) >= ENOUGH and times >= SLOWER and queue in queues
            if enough and (worst is None or lost > worst[0]):
                worst = lost, state, queues[queue], times
    if worst is not None:
        _lost, state, name, times = worst
        yield _OURS[state], {"name": name, "percent": round(100 * (times - 1))}


def _longest_calls(people: Sequence[Agent]) -> Iterator[Finding]:
    """Who takes much longer for a call than all together."""
    calls = [row.work for one in people for row in one.calls]
    means = {
        one.name: sum(row.work for row in one.calls) / len(one.calls)
        for one in people
        if len(one.calls) >= CALLS
    }
    if len(means) < 2 or not any(calls):
        return
    name, mean = max(means.items(), key=lambda pair: (pair[1], pair[0]))
    times = mean / (sum(calls) / len(calls))
    if times >= SLOWER:
        sentence = _lazy("Longest calls: %(name)s. The mean is %(percent)s %% above all agents’.")
        yield sentence, {"name": name, "percent": round(100 * (times - 1))}


def _listed(people: Sequence[Agent]) -> str:
    names = [one.name for one in people]
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
