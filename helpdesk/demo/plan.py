"""Plans the demo's tickets: who writes what, how it ends, and the moment of every act.

Each ticket is planned backwards from its end, so that answers fall into business hours and
those that wait now have waited for a known share of their promise.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from helpdesk.demo.stage import Stage, Writer
from helpdesk.demo.story import LANGUAGES, Line, Story, stories
from helpdesk.lib import worktime

HOUR = 3600
DAYS = 58
SHARES = {"uk": 92, "ru": 65, "en": 47}  # tickets in each language
CLOSED_AFTER = timedelta(days=3)
WAITED = (0.04, 0.15, 0.3, 0.5, 0.84, 0.92, 1.4, 0.1, 0.6, 0.88, 2.1, 0.22)  # of the promise


class End(StrEnum):
    """How a ticket stands today."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    DONE = "done"


# Where a story may be cut so that the ticket stands like this: marks of the last line.
CUTS = {End.OPEN: ("<", "!"), End.PENDING: (">?",), End.ON_HOLD: (">~",)}
ACTIVE = {End.ON_HOLD: 7, End.PENDING: 13, End.OPEN: 17, End.NEW: 12}  # so many of each


@dataclass(frozen=True)
class Act:
    """One line, said at a moment."""

    at: datetime
    line: Line


@dataclass(frozen=True)
class Planned:
    """One ticket: its acts in order of time, then perhaps an end."""

    number: int
    writer: Writer
    story: Story
    agent: str
    end: End
    values: dict[str, str]
    acts: tuple[Act, ...]
    next_line: Line | None  # what would come now, if the story was cut
    resolved_at: datetime | None
    closed_at: datetime | None


Promised = Callable[[Story, Writer, bool], int]


def plan(stage: Stage, at: datetime, pick: random.Random, promised: Promised) -> list[Planned]:
    """About 200 tickets. `promised` tells business seconds to the first or a later response."""
    planned, lacking = [], Counter(ACTIVE)
    for number, story in enumerate(_told(pick)):
        writer = pick.choice(_writers(stage, story))
        end = _end(story, lacking) if number % 4 == 0 else End.DONE
        lacking[end] -= 1
        planned.append(_ticket(stage.calendar, at, pick, number, story, writer, end, promised))
    return planned


def ago(calendar: worktime.Calendar, at: datetime, seconds: float) -> datetime:
    """The latest moment from which `seconds` of business time pass until `at`."""
    low, high = int((at - timedelta(days=40)).timestamp()), int(at.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        start = datetime.fromtimestamp(middle, at.tzinfo)
        if worktime.elapsed(calendar, start, at) >= seconds:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(low, at.tzinfo)


def _end(story: Story, lacking: Counter[End]) -> End:
    """Of the ends that this story allows, the one that the largest share is lacking of."""
    marks = {line.mark for line in story.rest[:-1]}
    possible = [end for end in ACTIVE if end not in CUTS or marks & set(CUTS[end])]
    return max(possible, key=lambda end: lacking[end] / ACTIVE[end])


def _told(pick: random.Random) -> list[Story]:
    """Every story of a language in turn until it has its share, all shuffled."""
    told: list[Story] = []
    for language in LANGUAGES:
        known = list(stories(language))
        told += [known[n % len(known)] for n in range(SHARES[language])]
    pick.shuffle(told)
    return told


def _writers(stage: Stage, story: Story) -> list[Writer]:
    return [
        writer
        for writer in stage.writers
        if writer.language == story.language
        and (writer.organisation or not story.organisations_only)
    ]


def _ticket(
    calendar: worktime.Calendar,
    at: datetime,
    pick: random.Random,
    number: int,
    story: Story,
    writer: Writer,
    end: End,
    promised: Promised,
) -> Planned:
    lines, rest = _cut(story, pick, end)
    response = partial(promised, story, writer)
    anchor = _anchor(calendar, at, pick, end, lines, response, number)
    resolved = anchor if end == End.DONE else None
    last = anchor
    if resolved is not None and not lines[-1].ours:
        last = ago(calendar, anchor, pick.uniform(300, HOUR))
    closed = None
    if resolved is not None and resolved + CLOSED_AFTER < at and number % 5:
        closed = resolved + CLOSED_AFTER
    acts = list(_backwards(calendar, pick, lines, last, response))
    values = {
        "model": pick.choice(story.models),
        "order": str(pick.randrange(104_000, 119_999)),
        "sum": f"{pick.randrange(9, 240) * 100:,}".replace(",", "\N{NO-BREAK SPACE}"),
        "city": writer.person.town,
    }
    agent = pick.choices(("olena", "denys", "maryna"), (5, 5, 1))[0]
    next_line = rest[0] if rest else None
    return Planned(
        number, writer, story, agent, end, values, tuple(acts[::-1]), next_line, resolved, closed
    )


def _cut(story: Story, pick: random.Random, end: End) -> tuple[list[Line], list[Line]]:
    """The lines that are said, and those that are not."""
    lines = story.lines(pick.randrange(2))
    if end == End.DONE:
        return lines, []
    places = [n for n, line in enumerate(lines) if n and line.mark in CUTS.get(end, ())]
    place = pick.choice(places) + 1 if places else 1
    return lines[:place], lines[place:]


def _anchor(
    calendar: worktime.Calendar,
    at: datetime,
    pick: random.Random,
    end: End,
    lines: list[Line],
    response: Callable[[bool], int],
    number: int,
) -> datetime:
    """The moment of the last thing that happened to it."""
    if end == End.DONE:
        past = at - timedelta(days=pick.uniform(0.2, DAYS))
        return ago(calendar, past, pick.uniform(1, HOUR))
    if end in (End.NEW, End.OPEN):
        share = WAITED[number // 4 % 7 if end == End.NEW else number // 4 % len(WAITED)]
        return ago(calendar, at, share * response(len(lines) == 1))
    return ago(calendar, at, pick.uniform(HOUR, 16 * HOUR))


def _backwards(
    calendar: worktime.Calendar,
    pick: random.Random,
    lines: list[Line],
    last: datetime,
    response: Callable[[bool], int],
) -> Iterator[Act]:
    """The acts, last one first."""
    moment = last
    yield Act(moment, lines[-1])
    for n in range(len(lines) - 2, -1, -1):
        before, after = lines[n], lines[n + 1]
        target = response(n == 0)
        moment = _previous(calendar, pick, before, after, moment, target)
        yield Act(moment, before)


def _previous(
    calendar: worktime.Calendar,
    pick: random.Random,
    before: Line,
    after: Line,
    moment: datetime,
    target: int,
) -> datetime:
    """When the line before was said, if the one after it was said at `moment`."""
    if after.mark == "<":  # the client took their time; we wrote in business hours
        calm = moment - timedelta(hours=pick.choice((0.4, 1, 2, 3, 7, 15, 22)))
        return ago(calendar, calm, pick.uniform(60, HOUR))
    if before.mark == "!":
        return ago(calendar, moment, pick.uniform(120, 1500))
    if before.ours:
        return ago(calendar, moment, pick.uniform(3, 12) * HOUR)
    share = pick.choices(
        (pick.uniform(0.03, 0.6), pick.uniform(0.78, 0.97), pick.uniform(1.1, 1.9)), (80, 11, 9)
    )[0]
    asked = ago(calendar, moment, share * target)
    evening = asked - timedelta(hours=pick.uniform(2, 14))
    unnoticed = worktime.elapsed(calendar, evening, asked) < 0.2 * target
    return evening.replace(microsecond=0) if unnoticed and pick.random() < 0.4 else asked
