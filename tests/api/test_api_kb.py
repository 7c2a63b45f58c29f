"""The knowledge base through the API: articles in and out, search, solved questions."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.kb.actions import delete_article
from helpdesk.kb.models import Article, ArticleVersion, Category, Example, Miss, Search
from helpdesk.lib.clock import now
from tests.api.conftest import Program
from tests.cast import Cast

REFUND = {
    "key": "refund",
    "lang": "en",
    "title": "When the money comes back",
    "body_markdown": "The money comes back **within three days**. See [how](article:return).",
    "category": "Returns",
    "keywords": ["chargeback"],
    "state": "public",
}
REFUND_UK = REFUND | {
    "lang": "uk",
    "title": "Коли повернуться гроші",
    "body_markdown": "Гроші повертаються **за три дні** після перевірки.",
    "category": "returns",
}


def test_an_article_is_written_and_read_back(ada: Program) -> None:
    written = ada.post("/kb/articles", REFUND)
    assert written["slug"] == "when-the-money-comes-back" and written["version"] == 1
    assert written["url"].endswith("/en/help/when-the-money-comes-back")
    assert written["excerpt"] == "The money comes back within three days."
    assert written["category"] == "returns" and written["state"] == "public"
    assert ada.get("/kb/articles/refund") == written
    assert ada.get(f"/kb/articles/{written['id']}") == written
    assert ada.get("/kb/articles")["items"] == [written]


def test_posting_the_same_key_changes_the_article_and_the_same_text_makes_no_version(
    ada: Program,
) -> None:
    first = ada.post("/kb/articles", REFUND)
    assert ada.post("/kb/articles", REFUND) == first
    second = ada.post("/kb/articles", REFUND | {"title": "Refunds", "state": "internal"})
    assert (second["id"], second["version"], second["slug"]) == (first["id"], 2, "refunds")
    assert second["state"] == "internal" and second["keywords"] == ["chargeback"]
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(ArticleVersion)) == 2


def test_the_same_key_in_another_language_is_a_translation(ada: Program) -> None:
    first = ada.post("/kb/articles", REFUND)
    second = ada.post("/kb/articles", REFUND_UK)
    assert second["id"] == first["id"] and second["slug"] == "koly-povernutsia-hroshi"
    assert ada.get("/kb/articles/refund", lang="uk") == second
    ada.post("/kb/articles", REFUND | {"body_markdown": "Five days now."})
    assert ada.get("/kb/articles/refund", lang="uk")["source_changed"]
    ada.post("/kb/articles", REFUND_UK)
    assert not ada.get("/kb/articles/refund", lang="uk")["source_changed"]


def test_a_category_is_made_once_whatever_language_names_it(ada: Program) -> None:
    ada.post("/kb/articles", REFUND)
    ada.post("/kb/articles", REFUND | {"key": "b", "category": " RETURNS "})
    (category,) = ada.get("/kb/categories")["items"]
    assert category["names"] == {"en": "Returns"} and category["articles"] == 2
    assert ada.get("/kb/articles", category="returns")["items"][1]["key"] == "b"
    assert ada.get("/kb/articles", category="nothing")["items"] == []
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Category)) == 1


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"key": "a b"}, 422, "key"),
    ({"key": "../x"}, 422, "key"),
    ({"lang": "de"}, 422, "lang"),
    ({"title": " "}, 422, "title"),
    ({"title": "x" * 201}, 422, "title"),
    ({"body_markdown": "a\x00b"}, 422, "body_markdown"),
    ({"body_markdown": "x" * 200_001}, 422, "body_markdown"),
    ({"body_markdown": "[" * 10_001}, 409, "body"),
    ({"body_markdown": " "}, 409, "body"),
    ({"voice_text": "x" * 421}, 422, "voice_text"),
    ({"state": "secret"}, 422, "state"),
    ({"html": "<b>"}, 422, "html"),
]


def test_a_wrong_article_is_refused_and_says_where(ada: Program) -> None:
    for change, status, field in WRONG:
        problem = ada.post("/kb/articles", REFUND | change, status)
        assert [error["field"] for error in problem["errors"]] == [field], change
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Article)) == 0


def test_an_agent_writes_drafts_and_does_not_publish(alice: Program, ada: Program) -> None:
    draft = REFUND | {"state": "draft"}
    assert alice.post("/kb/articles", draft)["state"] == "draft"
    alice.post("/kb/articles", REFUND, 403)
    ada.post("/kb/articles", REFUND)
    alice.post("/kb/articles", draft, 403)
    alice.patch("/kb/articles/refund", {"title": "Mine"}, 403)
    assert alice.get("/kb/articles/refund")["title"] == REFUND["title"]


def test_scopes_narrow_a_token(program: Callable[..., Program], cast: Cast) -> None:
    reader = program(cast.ada, "kb.read")
    reader.post("/kb/articles", REFUND, 403)
    assert reader.get("/kb/articles")["items"] == []


def test_a_patch_changes_only_what_it_names_and_minds_the_version(ada: Program) -> None:
    ada.post("/kb/articles", REFUND)
    changed = ada.patch("/kb/articles/refund", {"keywords": ["refund"]}, If_Match='"1"')
    assert changed["keywords"] == ["refund"] and changed["title"] == REFUND["title"]
    ada.patch("/kb/articles/refund", {"title": "Late"}, 412, If_Match='"1"')
    assert ada.patch("/kb/articles/refund", {"category": None})["category"] is None
    ada.patch("/kb/articles/refund?lang=uk", {"title": "x"}, 404)
    ada.get("/kb/articles/nothing", 404)


def test_a_deleted_article_is_gone_until_its_key_is_posted_again(ada: Program) -> None:
    first = ada.post("/kb/articles", REFUND)
    with ext.write() as session:
        delete_article(session, session.get_one(Article, first["id"]), at=now())
    ada.get("/kb/articles/refund", 404)
    assert ada.get("/kb/search", q="money back")["items"] == []
    assert ada.post("/kb/articles", REFUND)["id"] == first["id"]
    assert ada.get("/kb/search", q="money back")["items"][0]["key"] == "refund"


def test_search_finds_public_articles_in_the_asked_language(ada: Program) -> None:
    ada.post("/kb/articles", REFUND)
    ada.post("/kb/articles", REFUND_UK)
    ada.post("/kb/articles", REFUND | {"key": "secret", "state": "internal"})
    found = ada.get("/kb/search", q="коли повернуть гроші", lang="uk", limit=5)
    (hit,) = found["items"]
    assert hit.keys() == {"id", "key", "slug", "title", "lang", "excerpt", "score", "url"}
    assert (hit["key"], hit["lang"]) == ("refund", "uk")
    assert found["answer"] is None or found["answer"].keys() == {"id", "key", "confidence"}
    ada.get("/kb/search", 400, q="x", lang="de")
    ada.get("/kb/search", 400)


def test_what_was_searched_is_kept_after_the_answer(ada: Program, clock: Any) -> None:
    for query in ("Rent a fridge", "fridge, renting", "franchise"):
        ada.call("GET", "/kb/search", query_string={"q": query, "lang": "en"}).close()
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Search)) == 1
    clock.shift(3)
    ada.call("GET", "/kb/search", query_string={"q": "rental", "lang": "en"}).close()
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Search)) == 4
        misses = {miss.query: miss.times for miss in session.scalars(select(Miss))}
    assert misses == {"fridge, renting": 2, "franchise": 1, "rental": 1}


def test_an_example_teaches_search_once(ada: Program) -> None:
    ada.post("/kb/articles", REFUND)
    example = {"key": "refund", "lang": "en", "text": "my card shows nothing yet"}
    assert ada.post("/kb/examples", example)["added"]
    assert not ada.post("/kb/examples", example | {"text": "My card shows nothing yet "})["added"]
    found = ada.get("/kb/search", q="card shows nothing", lang="en")
    assert found["items"][0]["key"] == "refund"
    problem = ada.post("/kb/examples", example | {"key": "nothing"}, 409)
    assert problem["errors"][0]["field"] == "key"
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Example)) == 1


def test_a_repeated_post_gets_the_first_answer(ada: Program) -> None:
    first = ada.post("/kb/articles", REFUND, Idempotency_Key="k1")
    ada.post("/kb/articles", REFUND | {"title": "Later"})
    assert ada.post("/kb/articles", REFUND, Idempotency_Key="k1") == first
