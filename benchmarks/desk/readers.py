"""What clients think and look for: ratings, searches, articles read, feedback."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from benchmarks.desk.plan import Plan
from benchmarks.desk.sheet import Sheet
from helpdesk.ext import LANGUAGES
from helpdesk.kb.models import Outcome, Source, State

ARTICLES = 12
SOURCES = (Source.PORTAL, Source.PORTAL, Source.FORM, Source.EMAIL, Source.API)
OUTCOMES = (None, None, Outcome.OPENED, Outcome.OPENED, Outcome.SOLVED, Outcome.ASKED)
GOOD, BAD = (3, 4, 4, 5, 5, 5, 5), (1, 1, 1, 2, 2, 3)


class Readers:
    """Makes the rows, in the order things happened."""

    def __init__(self, sheet: Sheet, plan: Plan, draw: random.Random) -> None:
        self.sheet, self.plan, self.draw = sheet, plan, draw

    def articles(self) -> None:
        """So many in each language."""
        at = self.plan.start
        for id_ in range(1, ARTICLES + 1):
            self.sheet.add(
                "article", id=id_, key=f"article-{id_}", source_lang="en", tags=[], created_at=at
            )
            for lang in LANGUAGES:
                self._text(id_, lang, at)

    def _text(self, article: int, lang: str, at: datetime) -> None:
        title = f"Article {article}"
        self.sheet.add(
            "article_text",
            id=self.sheet.next_id("article_text"),
            article_id=article,
            lang=lang,
            slug=f"article-{article}",
            title=title,
            body_markdown=title,
            body_html=f"<p>{title}</p>",
            excerpt=title,
            keywords=[],
            state=State.PUBLIC,
            updated_at=at,
            published_at=at,
        )

    def rating(self, ticket: Mapping[str, Any], at: datetime, slow: bool) -> None:
        """What the client thought of it, if there was time to say so."""
        if at > self.plan.at:
            return
        self.sheet.add(
            "rating",
            id=self.sheet.next_id("rating"),
            ticket_id=ticket["id"],
            person_id=ticket["person_id"],
            user_id=ticket["assignee_id"],
            score=self.draw.choice(BAD if slow else GOOD),
            comment="It took long" if slow and self.draw.random() < 0.5 else "",
            at=at,
        )
        who = {"person_id": ticket["person_id"], "client_id": ticket["client_id"]}
        data = {"rating_id": self.sheet.ids["rating"]}
        self.sheet.event("ticket.rated", at, ticket_id=ticket["id"], **who, data=data)

    def search(self, at: datetime, lang: str) -> None:
        """Somebody looks for something, and perhaps reads what was found."""
        visit = f"{self.draw.getrandbits(96):024x}"
        source, found = self.draw.choice(SOURCES), self.draw.choice((0, 1, 2, 3, 5, 8, 8))
        outcome = self.draw.choice(OUTCOMES) if found else None
        article = 1 + int(ARTICLES * self.draw.random() ** 2)
        read = outcome in (Outcome.OPENED, Outcome.SOLVED)
        known = read or (outcome == Outcome.ASKED and self.draw.random() < 0.5)
        self.sheet.add(
            "kb_search",
            at=at,
            lang=lang,
            query=self.draw.choice(("question {}", "Question  {}")).format(article),
            source=source,
            found=found,
            visit=visit,
            outcome=outcome,
            article_id=article if known else None,
        )
        if read:
            self._read(at + timedelta(seconds=20), article, lang, source, visit)
        if not found and self.draw.random() < 0.1:
            self._miss(at, lang)

    def _read(self, at: datetime, article: int, lang: str, source: Source, visit: str) -> None:
        if at > self.plan.at:
            return
        self.sheet.add(
            "article_reading", at=at, article_id=article, lang=lang, source=source, visit=visit
        )
        if self.draw.random() < 0.3:
            text = (article - 1) * len(LANGUAGES) + LANGUAGES.index(lang) + 1
            helped = self.draw.random() < 0.75
            self.sheet.add("article_feedback", text_id=text, visit=visit, helped=helped, at=at)

    def _miss(self, at: datetime, lang: str) -> None:
        number = self.sheet.next_id("kb_miss")
        self.sheet.add(
            "kb_miss", lang=lang, key=f"missing {number}", query=f"missing {number}", last_at=at
        )
