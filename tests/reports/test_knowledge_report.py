"""The report on the knowledge base: what readers do, from the log that their pages write."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.kb import deflection, log
from helpdesk.kb.actions import create_article
from helpdesk.kb.checks import Content
from helpdesk.kb.log import Asked, Opened
from helpdesk.kb.models import ArticleText, Outcome, Source, State
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError
from helpdesk.reports.knowledge import report as knowledge
from helpdesk.reports.knowledge.rows import things
from helpdesk.reports.sheet import Report, Table
from tests.cast import Cast
from tests.reports.behind import check, check_sums
from tests.reports.rows import ask_of, place
from tests.web.conftest import counted

DAY = timedelta(days=1)


def article(session: Session, key: str, title: str) -> ArticleText:
    content = Content(title, "Words.", (), "")
    return create_article(session, content, lang="en", key=key, state=State.PUBLIC, at=now())


class Readers:
    """What readers do, as the pages note it."""

    def __init__(self, session: Session, at: datetime) -> None:
        self.session, self.at, self.visits = session, at, 0

    def look_for(
        self, query: str, found: int, *, lang: str = "en", source: Source = Source.PORTAL
    ) -> str:
        """One more visitor; their visit."""
        self.visits += 1
        visit = f"visit-{self.visits}"
        log.save(self.session, [Asked(query, lang, source, found, self.at, visit=visit)])
        return visit

    def read(self, text: ArticleText, visit: str | None, source: Source = Source.PORTAL) -> None:
        opened = Opened(text.article_id, text.id, text.lang, source, self.at, visit)
        log.save(self.session, [opened])

    def ends(self, visit: str, outcome: Outcome, ticket_id: int | None = None) -> None:
        log.settle_search(self.session, visit, outcome, ticket_id=ticket_id)

    def says(self, text: ArticleText, visit: str, *, helped: bool) -> None:
        log.rate(self.session, text, visit=visit, helped=helped, at=self.at)


def table(report: Report, key: str) -> Table:
    return next(one for one in report.tables if one.key == key)


def numbers(found: Table, place_: int | None = None) -> dict[str, float | None]:
    line = found.total if place_ is None else found.lines[place_]
    assert line is not None
    cells = zip(found.measures, line.cells, strict=True)
    return {measure.key.removeprefix("kb_"): cell.value for measure, cell in cells}


def test_a_search_is_followed_to_its_end(cast: Cast) -> None:
    with ext.write() as session:
        parcel, refund = (article(session, key, key.title()) for key in ("parcel", "refund"))
        ticket = place(session, cast, at=now() - DAY, assignee_id=cast.alice.id)
        some = Readers(session, now() - DAY)
        some.read(parcel, some.look_for("Where is my parcel", 3))  # read, and gone
        helped = some.look_for("parcel track", 2)
        some.read(parcel, helped)
        some.says(parcel, helped, helped=True)
        some.ends(helped, Outcome.SOLVED)
        wrote = some.look_for("money back", 1, source=Source.FORM)
        some.read(refund, wrote, Source.FORM)
        some.says(refund, wrote, helped=False)
        some.ends(wrote, Outcome.ASKED, ticket)
        some.look_for("Bonus  points", 0)
        some.look_for("bonus Points", 0)
        some.look_for("бонуси", 0, lang="uk")
        some.read(parcel, None)  # found elsewhere
        deflection.offered(session, ticket_id=ticket, lang="en", found=1, at=some.at)
        Readers(session, now() - 40 * DAY).look_for("long ago", 0)
        report = knowledge.report(session, ask_of(cast.sam))
        check_sums(report)
        assert check(session, cast.sam, ask_of(cast.sam), report) > 20
    assert numbers(table(report, "searches")) == {
        "searches": 7,
        "shown": 4,
        "read": 3,
        "no_ticket": 2,
        "solved": 1,
        "solved_share": pytest.approx(1 / 7),
        "asked": 1,
        "no_result": 3,
        "no_result_share": pytest.approx(3 / 7),
    }
    (first, *_rest), cells = zip(*report.tiles, strict=True)
    assert (first.key, cells[0].before) == ("kb_searches", 1)
    sources = {line.key: line.cells[0].value for line in table(report, "sources").lines}
    assert sources == {"portal": 5, "form": 1, "email": 1}
    articles = table(report, "articles")
    assert [line.name for line in articles.lines] == ["Parcel", "Refund"]
    assert numbers(articles, 0) == {
        "readings": 3,
        "led": 1,
        "asked_after": 0,
        "helped": 1,
        "not_helped": 0,
        "helped_share": 1,
    }
    assert numbers(articles, 1)["asked_after"] == 1
    vain = table(report, "questions")
    assert [(line.name, line.cells[0].value) for line in vain.lines] == [
        ("bonus Points", 2),
        ("бонуси", 1),
    ]


def test_lists_say_what_was_looked_for_and_where_it_led(cast: Cast) -> None:
    with ext.write() as session:
        parcel = article(session, "parcel", "Where is my parcel")
        ticket = place(session, cast, at=now() - DAY)
        some = Readers(session, now() - DAY)
        visit = some.look_for("parcel", 3)
        some.read(parcel, visit)
        some.ends(visit, Outcome.ASKED, ticket)
        deflection.offered(session, ticket_id=ticket, lang="en", found=1, at=some.at)
        deflection.solved(session, ticket, parcel, person_id=1, at=some.at)
        some.says(parcel, visit, helped=True)
        ask = ask_of(cast.sam)
        found = {
            name: things(session, behind.kind, behind.ids(session, ask), "uk")
            for name, behind in knowledge.LISTS.items()
            if name in ("kb_searches", "kb_readings", "kb_helped")
        }
    searched = [(one.text, one.more, one.ticket_id) for one in found["kb_searches"]]
    assert searched == [
        ("Where is my parcel", "", ticket),
        ("parcel", "Where is my parcel", ticket),
    ]
    assert {(one.text, one.ticket_id) for one in found["kb_readings"]} == {
        ("Where is my parcel", None),
        ("Where is my parcel", ticket),
    }
    assert [one.text for one in found["kb_helped"]] == ["Where is my parcel"]


def test_filters_and_rights(cast: Cast) -> None:
    with ext.write() as session:
        text = article(session, "parcel", "Parcel")
        mine = place(session, cast, at=now() - DAY, assignee_id=cast.alice.id)
        some = Readers(session, now() - DAY)
        for user_ticket, lang in ((mine, "en"), (None, "uk"), (None, "en")):
            visit = some.look_for("parcel", 1, lang=lang)
            some.read(text, visit)
            some.says(text, visit, helped=True)
            some.ends(visit, Outcome.ASKED, user_ticket)

        def searches(**args: str) -> int:
            return len(knowledge.LISTS["kb_searches"].ids(session, ask_of(cast.sam, **args)))

        assert searches() == 3
        assert searches(language="uk") == 1
        assert searches(queue=str(cast.support.id)) == 1
        assert searches(agent=str(cast.bob.id)) == 0
        assert searches(slot="sun-12") == 3
        assert searches(slot="sun-13") == 0
        report = knowledge.report(session, ask_of(cast.alice))
        assert numbers(table(report, "searches"))["searches"] == 1
        assert numbers(table(report, "articles"))["helped"] == 0
        none = knowledge.report(session, ask_of(cast.bob))
        assert all(table.total is None or not table.total.cells[0].value for table in none.tables)
        for args in ({"source": "fax"}, {"article": "x"}, {"like": "-1"}):
            with pytest.raises(HelpdeskError):
                searches(**args)
        with pytest.raises(HelpdeskError):
            knowledge.report(session, ask_of(cast.sam, by="queue"))


def test_each_division_makes_up_the_whole(cast: Cast) -> None:
    with ext.write() as session:
        texts = [article(session, f"a{n}", f"Article {n}") for n in range(4)]
        for n in range(60):
            some = Readers(session, now() - n * timedelta(hours=19))
            some.visits = n
            lang, source = ("uk", "ru", "en")[n % 3], list(Source)[n % 6]
            visit = some.look_for(f"word {n % 7}", n % 4, lang=lang, source=source)
            if n % 2:
                some.read(texts[n % 4], visit, source)
            if n % 5 == 0:
                some.ends(visit, list(Outcome)[n % 3])
        for cut in knowledge.CUTS:
            ask = ask_of(cast.sam, by=cut, lines="all")
            with counted() as seen:
                report = knowledge.report(session, ask)
            assert len(seen) <= 8, (cut, len(seen))
            check_sums(report)
            if cut == "week":
                check(session, cast.sam, ask, report)
        assert [told for _text, told in report.findings] == [{"share": "26\u00a0%"}]
