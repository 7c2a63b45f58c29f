"""No page of the client record, the knowledge base or the portal reads a table that grows with use.

Articles are few beside tickets: an editor's list may walk them, a reader's page may not.
"""

import pytest
from flask import Flask

from helpdesk import ext, jobs
from helpdesk.accounts import sessions
from helpdesk.accounts.actions import create_token
from helpdesk.kb import log
from helpdesk.kb.log import Asked, Opened
from helpdesk.kb.models import Article, Source
from helpdesk.lib.clock import now
from helpdesk.reports.client.timeline import ONLY
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.guard import COOKIE
from tests.cast import PASSWORD, Cast
from tests.test_query_plans import caught, letter, take, whole_tables
from tests.web.knowledge import Shelf, shelf

__all__ = ["shelf"]

READER = {"User-Agent": "Mozilla/5.0"}
EDITORS = ("", "?view=viewed", "?view=deleted", "?q=parcel", "?category=delivery", "?lang=uk")


@pytest.fixture
def staff(cast: Cast) -> dict[str, str]:
    """Headers of an administrator's browser and programs."""
    at = now()
    with ext.write() as session:
        user = session.merge(cast.ada)
        token = sessions.log_in(session, user, PASSWORD, old_token=None, agent="", at=at)
        bearer = create_token(session, user, "plans", (), at)
    return {"Cookie": f"{COOKIE}={token}", "Authorization": f"Bearer {bearer}"}


def got(app: Flask, headers: dict[str, str], *paths: str) -> list[str]:
    """Statements of these pages that read a whole table."""
    client = app.test_client(use_cookies=False)
    with caught() as statements:
        for path in paths:
            answer = client.get(path, headers=headers, follow_redirects=True)
            assert answer.status_code == 200 and answer.get_data(), path
    assert statements
    return whole_tables(statements)


def test_pages_of_a_client(app: Flask, cast: Cast, staff: dict[str, str]) -> None:
    take(letter(1), letter(2, answers="1@client.example"))
    page = f"/desk/clients/{cast.oksana.client_id}"
    parts = [f"{page}?show={part}&before=1793576380988380-0-1" for part in ONLY]
    assert got(app, staff, page, *parts, f"{page}/edit", f"{page}/merge") == []
    assert (
        got(app, staff, "/desk/clients", "/desk/clients?q=oksana", "/desk/duplicates", "/desk/gaps")
        == []
    )


def test_clients_and_timelines_over_the_api(app: Flask, cast: Cast, staff: dict[str, str]) -> None:
    take(letter(1))
    one = f"/api/v1/clients/{cast.oksana.client_id}"
    asked = ("?email=oksana@client.example", "?phone=0671234567", "?q=oksana")
    assert got(app, staff, *(f"/api/v1/clients{query}" for query in asked)) == []
    assert got(app, staff, one, f"{one}/timeline", f"{one}/timeline?cursor=hnrpm4gxy4-0-1") == []


def test_editors_and_agents_with_articles(app: Flask, shelf: Shelf, staff: dict[str, str]) -> None:
    take(letter(1))
    lists = [f"/desk/kb{query}" for query in EDITORS]
    assert got(app, staff, *lists, "/desk/kb/searches", "/desk/kb/feedback") == []
    one = f"/desk/kb/{shelf.parcel}"
    assert got(app, staff, one, f"{one}/edit", f"{one}/versions") == []
    assert got(app, staff, f"/desk/t/{1 + NUMBER_OFFSET}/articles") == []


def test_pages_of_readers(app: Flask, shelf: Shelf) -> None:
    paths = (
        "/en/",
        "/en/topics/delivery",
        "/en/help/parcel",
        "/en/search?q=parcel",
        "/ask?lang=en",
    )
    assert got(app, READER, *paths, "/sitemap.xml", "/sitemap-1.xml") == []
    assert got(app, READER | {"HX-Request": "true"}, "/en/search?q=parc") == []


def test_search_over_the_api(app: Flask, shelf: Shelf, staff: dict[str, str]) -> None:
    assert got(app, staff, "/api/v1/kb/search?q=parcel&lang=en", "/api/v1/kb/articles/parcel") == []


def test_what_is_written_of_a_visit(app: Flask, shelf: Shelf) -> None:
    at, visit = now(), "v" * 24
    with app.app_context(), ext.write() as session, caught() as statements:
        text_id = session.get_one(Article, shelf.parcel).texts[0].id
        opened = Opened(shelf.parcel, text_id, "en", Source.PORTAL, at, visit)
        log.save(session, [Asked("lost umbrella", "en", Source.PORTAL, 0, at, True, visit), opened])
    assert whole_tables(statements) == []


@pytest.mark.parametrize("name", ["duplicates", "import"])
def test_an_idle_job_of_clients(cast: Cast, name: str) -> None:
    (job,) = (job for job in jobs.QUICK if job.name == name)
    while job.step():
        pass
    with caught() as statements:
        job.step()
    assert whole_tables(statements) == []
