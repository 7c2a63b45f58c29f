"""What clients think of our answers: ratings, their spread, who answers at all, and comments."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from babel.numbers import format_decimal
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.clients.models import Person
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.reports.collecting import no_collecting
from helpdesk.reports.columns import (
    Bundles,
    Column,
    Division,
    Looks,
    bundles,
    cells,
    count,
    cut_for,
    mean,
    share,
    total,
)
from helpdesk.reports.cuts import CUTS as ALL_CUTS
from helpdesk.reports.satisfaction import measures as named
from helpdesk.reports.satisfaction import rows as voice_rows
from helpdesk.reports.satisfaction.measures import MEASURES as MEASURES
from helpdesk.reports.satisfaction.rows import ASKED, RATED, SCORE, Voice
from helpdesk.reports.sheet import Ask, Behind, Cell, Chart, Line, Report, Table, Text
from helpdesk.surveys import SCORES, Rating

__all__ = ["CUTS", "LISTS", "MEASURES", "report"]

CUTS = tuple(ALL_CUTS)
"""By what ratings can be divided, the usual cut first."""
GOOD = 4
_FACTS = attrgetter("facts")
COMMENTS, EXPORTED = 50, 1_000
"""Comments shown on a page and in an export, the newest."""
FEWEST = 5
"""Ratings of a part; of fewer nothing is said in words."""


@no_collecting()
def report(session: Session, ask: Ask) -> Report:
    """Ratings given in the period, divided by the cut `by`, and how many of the tickets opened in
    it were rated. At most nine statements. Raises HelpdeskError for a cut that isn't there.
    """
    cut = cut_for(ask, CUTS)
    now, before = voice_rows.ratings(session, ask, cut=cut, before=True)
    some = [*now, *voice_rows.asked(session, ask, ask.period, cut)]
    earlier = [*before, *voice_rows.asked(session, ask, ask.period.before(), cut)]
    by = Division(session, ask, cut, _FACTS, _FACTS)
    looks = Looks(Chart.HEAT, 1) if cut == "slot" else by.usual(1)
    title = _lazy("Satisfaction")
    table = by.table("satisfaction", title, _COLUMNS, *by.both(some, earlier), looks)
    tables = [table, _spread(now, before)]
    if cut not in ("day", "week"):
        weeks, looks = Division(session, ask, "week", _FACTS, _FACTS), Looks(Chart.LINE, 1)
        split = weeks.both(now, before)
        tables.append(weeks.table("weeks", _lazy("By week"), _COLUMNS[:3], *split, looks))
    whole = cells(_TILES, bundles(some), bundles(earlier), {})
    tiles = tuple((column.measure, cell) for column, cell in zip(_TILES, whole, strict=True))
    return Report(
        name="satisfaction",
        tiles=tiles,
        tables=tuple(tables),
        findings=tuple(_findings(table, ask.language)),
        texts=tuple(_comments(session, ask, now)),
    )


def _is_rating(row: Voice) -> bool:
    return row.score > 0


def _is_good(row: Voice) -> bool:
    return row.score >= GOOD


def _any(_row: Voice) -> bool:
    return True


def _asked(rows: Bundles) -> float:
    return total(ASKED, _any, rows)


def _rated(rows: Bundles) -> float:
    return total(RATED, _any, rows)


def _response(rows: Bundles) -> float | None:
    whole = _asked(rows)
    return _rated(rows) / whole if whole else None


def _scored(score: int) -> Callable[[Voice], bool]:
    return lambda row: row.score == score


_TILES = (
    Column(named.RATINGS, count(_is_rating), "ratings"),
    Column(named.MEAN, mean(SCORE, _is_rating), "ratings"),
    Column(named.SATISFIED, share(_is_good, _is_rating), "ratings_good"),
    Column(named.RESPONSE, _response, "were_rated"),
    Column(named.COMMENTS, count(lambda row: row.commented), "ratings_commented"),
)
_COLUMNS = (
    *_TILES[:3],
    *(
        Column(measure, count(_scored(score)), "ratings", {"score": str(score)})
        for score, measure in zip(SCORES, named.SCORES, strict=True)
    ),
    _TILES[4],
    Column(named.ASKED, _asked, "could_be_rated"),
    Column(named.RATED, _rated, "were_rated"),
    _TILES[3],
)


def _spread(now: Sequence[Voice], before: Sequence[Voice]) -> Table:
    """How many ratings of each score, the best first."""
    lines = []
    for score in reversed(SCORES):
        some, was = [len([*filter(_scored(score), rows)]) for rows in (now, before)]
        link = ("ratings", {"score": str(score)})
        shares = Cell(_of(some, now), _of(was, before))
        lines.append(Line(score, None, (Cell(some, was, link), shares)))
    total = (Cell(len(now), len(before), ("ratings", {})), Cell(_of(len(now), now)))
    return Table(
        key="scores",
        title=_lazy("Spread of the ratings"),
        cut="score",
        measures=(named.RATINGS, named.SCORE_SHARE),
        lines=tuple(lines),
        total=Line(None, None, total),
        chart=Chart.BARS,
    )


def _of(part: int, whole: Sequence[Any]) -> float | None:
    return part / len(whole) if whole else None


def _findings(table: Table, language: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The part that clients are least satisfied with, if it stands out by half a point."""
    whole = table.total.cells[1].value if table.total is not None else None
    known = [
        (mean_of, line)
        for line in table.lines
        if line.name and (line.cells[0].value or 0) >= FEWEST
        if (mean_of := line.cells[1].value) is not None
    ]
    lowest = min(known, key=lambda one: (one[0], str(one[1].name)), default=None)
    if whole is None or lowest is None or lowest[0] > whole - 0.5:
        return []
    text = _lazy("Clients are least satisfied with “%(part)s”: %(mean)s, over all it is %(whole)s.")
    means = {"mean": lowest[0], "whole": whole}
    shown = {key: format_decimal(n, "0.0", locale=language) for key, n in means.items()}
    return [(text, {"part": lowest[1].name, **shown})]


def _comments(session: Session, ask: Ask, given: Sequence[Voice]) -> list[Text]:
    """The newest first. One statement."""
    ids = [row.id for row in reversed(given) if row.commented]
    most = EXPORTED if ask.args.get("lines") == "all" else COMMENTS
    query = select(Rating.comment, Person.name, Rating.at, Rating.score, Rating.ticket_id)
    query = query.join(Person, Person.id == Rating.person_id).where(Rating.id.in_(ids[:most]))
    rows = session.execute(query.order_by(Rating.at.desc(), Rating.id.desc()))
    return [Text(*row) for row in rows]


def _behind(fits: Callable[[Voice], bool]) -> Callable[[Session, Ask], Sequence[int]]:
    def ids(session: Session, ask: Ask) -> list[int]:
        found, _ = voice_rows.ratings(session, ask)
        return [row.id for row in reversed(found) if fits(row)]

    return ids


def _of_score(session: Session, ask: Ask) -> list[int]:
    """Own argument: score, 1 to 5. Raises HelpdeskError for another."""
    text = ask.args.get("score", "")
    if text and text not in {str(score) for score in SCORES}:
        raise HelpdeskError(_lazy("Choose a number from 1 to 5."), field="score")
    fits = _scored(int(text)) if text else _is_rating
    return list(_behind(fits)(session, ask))


LISTS: Mapping[str, Behind] = {
    "ratings": Behind("rating", _lazy("Ratings"), _of_score),
    "ratings_good": Behind("rating", _lazy("Ratings of 4 and 5"), _behind(_is_good)),
    "ratings_commented": Behind(
        "rating", _lazy("Ratings with a comment"), _behind(lambda row: row.commented)
    ),
    "could_be_rated": Behind(
        "ticket",
        _lazy("Tickets that could be rated"),
        lambda session, ask: voice_rows.asked_ids(session, ask, rated=False),
    ),
    "were_rated": Behind(
        "ticket",
        _lazy("Tickets that were rated"),
        lambda session, ask: voice_rows.asked_ids(session, ask, rated=True),
    ),
}
"""Newest first."""
