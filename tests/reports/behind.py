"""Every number of a report is as long as the list that its link leads to."""

from sqlalchemy.orm import Session

from helpdesk.accounts.models import User
from helpdesk.reports.names import LISTS
from helpdesk.reports.sheet import Ask, Report, Unit
from tests.reports.rows import ask_of

SHOWN = ("by", "lines")
"""Arguments of a report that a list doesn't have."""


def check(session: Session, user: User, ask: Ask, report: Report) -> int:
    """Follow the links of all counts, each once, as the page makes them; how many there were."""
    known: dict[tuple[object, ...], float] = {}
    for table in report.tables:
        lines = [*table.lines, *([table.total] if table.total is not None else [])]
        for line in lines:
            for measure, cell in zip(table.measures, line.cells, strict=True):
                if measure.unit != Unit.COUNT or cell.link is None:
                    continue
                name, args = cell.link
                where = (name, *sorted(args.items()))
                assert known.setdefault(where, cell.value or 0) == cell.value, where
    for name, *pairs in known:
        args = dict(pairs)  # type: ignore[call-overload]
        own = {key: value for key, value in ask.args.items() if key not in SHOWN}
        asked = ask_of(user, ask.at, **{**ask.period.query(), **ask.filters.query(), **own, **args})
        found = LISTS[str(name)].ids(session, asked)
        assert len(found) == known[(name, *pairs)], (name, args)
    return len(known)


def check_sums(report: Report) -> None:
    """The counts of the lines of a table make up its total."""
    for table in report.tables:
        assert not table.more
        if table.total is None:
            continue
        for place, measure in enumerate(table.measures):
            if measure.unit == Unit.COUNT:
                found = sum(line.cells[place].value or 0 for line in table.lines)
                assert found == table.total.cells[place].value, (table.key, measure.key)
