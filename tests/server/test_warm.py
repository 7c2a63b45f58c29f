"""A web process reads the search index at its start, beside its first pages."""

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from helpdesk import ext
from helpdesk.kb import index
from helpdesk.kb.actions import create_article
from helpdesk.kb.checks import Content
from helpdesk.kb.models import State
from helpdesk.kb.search import search
from helpdesk.lib.clock import now
from helpdesk.server import children


def test_what_a_process_reads_at_its_start_its_first_search_need_not(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ext.write() as session:
        content = Content("Restore your password", "Press “Forgot password”.")
        create_article(session, content, lang="en", key="password", state=State.PUBLIC, at=now())
    children._warm(app)

    def read(*_more: object) -> None:
        raise AssertionError("it was read at the start")

    monkeypatch.setattr(index, "_apply", read)
    with ext.session() as session:
        assert search(session, "forgot password", lang="en").items[0].key == "password"


def test_a_process_whose_database_is_away_starts_all_the_same(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(index, "warm", away)
    children._warm(app)
