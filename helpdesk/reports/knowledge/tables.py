"""Tables of the knowledge base's report: articles, and what was looked for in vain."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.lib.errors import _lazy
from helpdesk.lib.text import shorten
from helpdesk.reports.knowledge import measures as named
from helpdesk.reports.knowledge import rows as knowledge_rows
from helpdesk.reports.knowledge.lists import LED, missed, same_words
from helpdesk.reports.knowledge.rows import Answered, Opened, Searched
from helpdesk.reports.sheet import Ask, Cell, Chart, Line, Table

ARTICLES, QUESTIONS = 50, 30
"""Lines of the tables of articles and of unanswered questions; exports ask for all."""
LONGEST = 80  # characters of a question in a table


def articles(session: Session, ask: Ask, searched: Sequence[Searched]) -> Table:
    """The most read articles, with what readers said of them."""
    opened = knowledge_rows.readings(session, ask)
    answered = knowledge_rows.answers(session, ask)
    ids = {row.article_id for rows in (opened, answered) for row in rows}
    ids |= {row.article_id for row in searched if row.article_id is not None}
    reads = _numbers(opened)
    order = sorted(ids, key=lambda one: (-reads.get(one, 0), one))
    most = len(order) if ask.args.get("lines") == "all" else ARTICLES
    called = knowledge_rows.titles(session, order[:most], ask.language) if order else {}
    numbers = _Numbers(opened, answered, searched)
    lines = [
        Line(one, called.get(one, ""), numbers.cells(one, {"article": str(one)}))
        for one in order[:most]
    ]
    return Table(
        key="articles",
        title=_lazy("Articles"),
        cut="article",
        measures=(
            named.READINGS,
            named.LED,
            named.ASKED_AFTER,
            named.HELPED,
            named.NOT_HELPED,
            named.HELPED_SHARE,
        ),
        lines=tuple(lines),
        total=Line(None, None, numbers.cells(None, {})),
        chart=Chart.BARS,
        more=max(0, len(order) - most),
    )


class _Numbers:
    """The numbers of each article; of None: of all together."""

    def __init__(
        self,
        opened: Sequence[Opened],
        answered: Sequence[Answered],
        searched: Sequence[Searched],
    ) -> None:
        self._counts = (
            _numbers(opened),
            _numbers([row for row in searched if LED["kb_led"][1](row)]),
            _numbers([row for row in searched if LED["kb_asked_after"][1](row)]),
            _numbers([row for row in answered if row.helped]),
            _numbers([row for row in answered if not row.helped]),
        )

    def cells(self, article: int | None, narrowed: Mapping[str, str]) -> tuple[Cell, ...]:
        found = [counts.get(article, 0) for counts in self._counts]
        names = ("kb_readings", "kb_led", "kb_asked_after", "kb_helped", "kb_not_helped")
        answers = found[3] + found[4]
        helped = Cell(found[3] / answers if answers else None)
        linked = zip(found, names, strict=True)
        return (*(Cell(value, link=(name, narrowed)) for value, name in linked), helped)


def _numbers(rows: Sequence[Any]) -> dict[int | None, int]:
    """How many of each article; of None: of all."""
    found: dict[int | None, int] = {None: 0}
    for row in rows:
        found[row.article_id] = found.get(row.article_id, 0) + 1
        found[None] += 1
    return found


def questions(ask: Ask, searched: Sequence[Searched]) -> Table:
    """What was looked for in vain, the most frequent first; spellings that differ only in case and
    marks are one."""
    found: dict[tuple[str, str], list[Searched]] = {}
    for row in searched:
        if missed(row) and row.query:
            found.setdefault(same_words(row), []).append(row)
    order = sorted(found.values(), key=lambda rows: (-len(rows), -rows[-1].id))
    most = len(order) if ask.args.get("lines") == "all" else QUESTIONS
    lines = [
        Line(
            rows[-1].id,
            shorten(rows[-1].query, LONGEST),
            (Cell(len(rows), link=("kb_no_result", {"like": str(rows[-1].id)})),),
        )
        for rows in order[:most]
    ]
    return Table(
        key="questions",
        title=_lazy("Looked for in vain"),
        cut="question",
        measures=(named.NO_RESULT,),
        lines=tuple(lines),
        more=max(0, len(order) - most),
    )
