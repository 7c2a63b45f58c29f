"""Verbs on articles, categories, pictures and what readers do."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.events import Event
from helpdesk.kb import log
from helpdesk.kb.actions import (
    add_translation,
    change_article,
    change_text,
    create_article,
    delete_article,
    restore_version,
    set_state,
    undelete_article,
)
from helpdesk.kb.categories import (
    category_named,
    change_category,
    create_category,
    delete_category,
    flat,
    tree,
)
from helpdesk.kb.checks import MAX_VOICE, Content
from helpdesk.kb.citing import without_people
from helpdesk.kb.diff import compare
from helpdesk.kb.log import Asked, Opened
from helpdesk.kb.models import (
    Article,
    ArticleText,
    ArticleVersion,
    Feedback,
    Miss,
    Outcome,
    Reading,
    Search,
    Source,
    State,
)
from helpdesk.kb.pictures import MAX_SIZE, checked_kind, kind_of
from helpdesk.kb.queries import find_text, shown_html
from helpdesk.kb.search import search
from helpdesk.kb.slugs import MAX_SLUG, slug_of
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound
from tests.cast import Cast

REFUND = Content("When the money comes back", "In three days.", ("refund",), "Three days.")


def write(session: Any, content: Content = REFUND, **more: Any) -> ArticleText:
    fields: dict[str, Any] = {"lang": "en", "at": now()} | more
    return create_article(session, content, **fields)


def kinds(session: Any) -> list[str]:
    return list(session.scalars(select(Event.kind).order_by(Event.id)))


def test_every_saved_change_is_a_version_and_no_change_is_none(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        text = write(session)
        assert not change_text(session, text, REFUND, at=now())
        assert change_text(session, text, Content("Money", "In four days."), at=now())
        assert restore_version(session, text, 1, at=now())
        assert (text.version, text.title, text.keywords) == (3, REFUND.title, ["refund"])
        with pytest.raises(NotFound):
            restore_version(session, text, 9, at=now())
        rows = session.scalars(select(ArticleVersion.title).order_by(ArticleVersion.version))
        assert list(rows) == [REFUND.title, "Money", REFUND.title]
        assert kinds(session).count("article.changed") == 2


def test_a_change_of_an_older_version_is_refused(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        text = write(session)
        change_text(session, text, Content("A", "B"), version=1, at=now())
        with pytest.raises(Conflict):
            change_text(session, text, Content("C", "D"), version=1, at=now())


def test_states_decide_who_finds_it(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        text = write(session)
    found = {}
    for state in (State.DRAFT, State.INTERNAL, State.PUBLIC, State.DRAFT):
        with ext.write() as session:
            set_state(session, session.get_one(ArticleText, text.id), state, at=now())
        with ext.session() as session:
            staff = search(session, "money back", lang="en", states=tuple(State)).items
            found[state] = (len(search(session, "money back", lang="en").items), len(staff))
    assert found == {State.DRAFT: (0, 1), State.INTERNAL: (0, 1), State.PUBLIC: (1, 1)}


def test_an_empty_answer_is_not_published(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        text = write(session, Content("T", ""))
        with pytest.raises(HelpdeskError):
            set_state(session, text, State.PUBLIC, at=now())


def test_a_new_title_gives_a_new_address_and_the_old_one_leads_on(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        text = write(session, state=State.PUBLIC, key="refund")
        change_text(session, text, Content("Refunds", "In three days."), at=now())
    with ext.session() as session:
        found = find_text(session, "en", "refunds")
        assert found is not None and not found.moved
        for old in ("when-the-money-comes-back", "refund"):
            found = find_text(session, "en", old)
            assert found is not None and found.moved and found.text.slug == "refunds"
        assert find_text(session, "uk", "refunds") is None
    with ext.write() as session:
        other = write(session, state=State.PUBLIC)
        assert other.slug == f"when-the-money-comes-back-{other.article_id}"
        text = session.get_one(ArticleText, text.id)
        change_text(session, text, REFUND, at=now())
        assert text.slug == "when-the-money-comes-back"
        assert find_text(session, "en", "refunds") is not None


def test_two_articles_of_one_title_have_addresses_of_their_own(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        texts = [write(session) for _ in range(3)]
        assert len({text.slug for text in texts}) == len({text.article.key for text in texts}) == 3
        assert write(session, Content("2026", "x")).slug.startswith("2026-")
        assert write(session, Content("日本", "x")).slug.startswith("article")


def test_a_translation_knows_when_its_source_has_changed(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        text = write(session, state=State.PUBLIC)
        article = session.get_one(Article, text.article_id)
        other = add_translation(session, article, Content("Т", "За три дні."), lang="uk", at=now())
        assert other.source_version == 1
        change_text(session, text, Content("A", "Four"), at=now(), minor=True)
        session.refresh(other)
        assert other.source_version == 2
        change_text(session, text, Content("A", "Five"), at=now())
        session.refresh(other)
        assert other.source_version == 2 and text.version == 3
        change_text(session, other, Content("Т", "За три дні."), at=now(), source_version=3)
        assert (other.source_version, other.version) == (3, 1)
        with pytest.raises(Conflict):
            add_translation(session, article, Content("Т", "x"), lang="uk", at=now())


def test_links_between_articles_follow_the_readers_language(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        target = write(session, state=State.PUBLIC, key="target")
        article = session.get_one(Article, target.article_id)
        body = Content("Ціль", "Так.")
        add_translation(session, article, body, lang="uk", state=State.PUBLIC, at=now())
        source = Content("From", "[x](article:target) [y](article:draft) [z](article:none)")
        text = write(session, source, state=State.PUBLIC)
        write(session, key="draft")
        there = session.get_one(Article, text.article_id)
        uk = add_translation(session, there, source, lang="uk", state=State.PUBLIC, at=now())
        assert '"/en/help/when-the-money-comes-back">x</a> y z' in shown_html(session, text)
        assert '"/uk/help/tsil">x</a> y z' in shown_html(session, uk)
        delete_article(session, article, at=now())
        assert "<a" not in shown_html(session, uk)


def test_a_deleted_article_comes_back_as_it_was(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        text = write(session, state=State.PUBLIC)
        article = session.get_one(Article, text.article_id)
        delete_article(session, article, at=now())
        delete_article(session, article, at=now())
        assert find_text(session, "en", text.slug) is None
        undelete_article(session, article, at=now())
        assert find_text(session, "en", text.slug) is not None
        assert kinds(session).count("article.deleted") == kinds(session).count("article.restored")


WRONG: list[tuple[Content, dict[str, Any], str]] = [
    (Content(" ", "x"), {}, "title"),
    (Content("x" * 201, "x"), {}, "title"),
    (Content("x", "x", voice="v" * (MAX_VOICE + 1)), {}, "voice"),
    (Content("x", "x", tuple(str(n) for n in range(41))), {}, "keywords"),
    (Content("x", "x" * 200_001), {}, "body"),
    (REFUND, {"lang": "de"}, "lang"),
    (REFUND, {"key": "a b"}, "key"),
    (REFUND, {"category_id": 99}, "category"),
    (REFUND, {"product_ids": [99]}, "products"),
    (REFUND, {"tags": [str(n) for n in range(21)]}, "tags"),
]


def test_bad_values_name_their_field_and_write_nothing(app: Flask, cast: Cast) -> None:
    for content, more, field in WRONG:
        with pytest.raises(HelpdeskError) as error, ext.write() as session:
            write(session, content, **more)
        assert error.value.field == field
    with ext.session() as session:
        assert session.scalar(select(func.count()).select_from(Article)) == 0


def test_an_article_moves_between_categories_and_keeps_what_is_not_named(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        category = create_category(session, {"en": "A"}, at=now())
        text = write(session, tags=["One ", "one", "two"])
        article = session.get_one(Article, text.article_id)
        change_article(session, article, category_id=category.id, at=now())
        change_article(session, article, category_id=category.id, at=now())
        assert article.tags == ["one", "two"] and article.category_id == category.id
        assert kinds(session).count("article.changed") == 1
        with pytest.raises(HelpdeskError):
            delete_category(session, category, at=now())


def test_categories_make_a_tree_without_circles_and_not_too_deep(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        chain = [create_category(session, {"en": "0", "uk": "Нуль"}, at=now())]
        for n in range(1, 4):
            parent = chain[-1].id
            chain.append(create_category(session, {"en": str(n)}, parent_id=parent, at=now()))
        for parent in (chain[0].id, chain[3].id, 999):
            with pytest.raises(HelpdeskError):
                change_category(session, chain[0], parent_id=parent, at=now())
        with pytest.raises(HelpdeskError):
            create_category(session, {"en": "4"}, parent_id=chain[3].id, at=now())
        with pytest.raises(HelpdeskError):
            create_category(session, {"en": " ", "de": "x"}, at=now())
        nodes = flat(tree(session, {chain[3].id: 2, chain[1].id: 1}))
        assert [(node.depth, node.count) for node in nodes] == [(0, 3), (1, 3), (2, 2), (3, 2)]
        assert category_named(session, "НУЛЬ", "ru", at=now()).id == chain[0].id
        assert category_named(session, "New", "ru", at=now()).names == {"ru": "New"}


def test_what_is_asked_in_vain_counts_together_however_it_is_spelt(app: Flask, cast: Cast) -> None:
    def ask(query: str, **more: Any) -> None:
        asked = Asked(query, "uk", Source.PORTAL, 0, now(), **more)
        with ext.write() as session:
            log.save(session, [asked])

    for query in ("Повернути гроші", "гроші повернути", "ГРОШІ, повернути"):
        ask(query)
    ask("???")
    with ext.session() as session:
        (miss,) = session.scalars(select(Miss)).all()
        assert (miss.times, miss.query) == (3, "ГРОШІ, повернути")
    with ext.write() as session:
        text = write(session)
        miss = session.scalars(select(Miss)).one()
        log.settle_miss(session, miss, at=now(), article_id=text.article_id)
    ask("повернути гроші")
    with ext.session() as session:
        assert session.scalars(select(Miss)).one().settled_at is None
    with ext.write() as session:
        log.settle_miss(session, session.scalars(select(Miss)).one(), at=now())
    ask("повернути гроші")
    with ext.session() as session:
        assert session.scalars(select(Miss)).one().settled_at is not None


def test_notes_are_written_in_batches_and_a_flood_is_not_kept(
    app: Flask, cast: Cast, clock: time_machine.Traveller
) -> None:
    with ext.write() as session:
        text = write(session, state=State.PUBLIC)
    assert log.write(ext.write) == 0
    for query in ("mon", "mone", "money", " "):
        log.note(Asked(query, "en", Source.PORTAL, 1, now(), visit="v"))
    log.note(Opened(text.article_id, text.id, "en", Source.PORTAL, now(), visit="v"))
    assert log.write(ext.write) == 2
    for n in range(200):
        log.note(Asked(f"{n} x", "en", Source.PORTAL, 1, now(), visit="robot"))
    assert log.write(ext.write) == 0  # the last write was just now
    clock.shift(timedelta(seconds=3))
    assert log.write(ext.write) == log.MOST_A_MINUTE
    with ext.session() as session:
        first = session.scalars(select(Search).order_by(Search.id).limit(1)).one()
        assert (first.query, first.outcome, first.article_id) == (
            "money",
            Outcome.OPENED,
            text.article_id,
        )
        assert session.scalar(select(func.count()).select_from(Reading)) == 1
        assert session.get_one(ArticleText, text.id).views == 1


def test_one_reader_has_one_opinion(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        text = write(session, state=State.PUBLIC)
        for helped, comment in ((True, ""), (False, "It is wrong"), (False, "")):
            log.rate(session, text, visit="v", helped=helped, comment=comment, at=now())
        log.rate(session, text, visit="w", helped=True, at=now())
        session.refresh(text)
        assert (text.helped, text.not_helped) == (1, 1)
        comments = session.scalars(select(Feedback.comment).order_by(Feedback.id))
        assert list(comments) == ["It is wrong", ""]


PEOPLE = [
    ("Вітаю, це Оксана. Де моя посилка?", "Вітаю, це . Де моя посилка?"),
    ("Передайте Оксані Литвиненко, +380 67 123 45 67", "Передайте ,"),
    ("Пишіть на o.lyt@client.example або https://x.example/?t=1 тут", "Пишіть на або тут"),
    ("Замовлення № 12345678 на 2 місяці", "Замовлення на 2 місяці"),
    ("card 4111 1111-1111 1111 blocked", "card blocked"),
]


def test_what_points_to_a_person_is_not_learned() -> None:
    for text, left in PEOPLE:
        assert without_people(text, ["Оксана Литвиненко", "Oks"]) == left


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=3))
@settings(deadline=None, max_examples=100)
def test_taking_people_out_never_fails_and_leaves_no_address(text: str, names: list[str]) -> None:
    assert "a@b.example" not in without_people(f"{text} a@b.example {text}", names)


@given(st.text(max_size=120), st.text(max_size=120))
@settings(deadline=None, max_examples=200)
def test_a_difference_holds_both_texts(old: str, new: str) -> None:
    parts = compare(old, new)
    assert "".join(part.text for part in parts if part.kind != "out") == new
    if old != new:
        assert "".join(part.text for part in parts if part.kind != "in") == old


def test_a_difference_is_by_words_inside_lines() -> None:
    parts = compare(
        "One.\nThe money comes in three days.\n", "One.\nThe money comes in four days.\n"
    )
    assert [(p.kind, p.text) for p in parts if p.kind != "same"] == [
        ("out", "three"),
        ("in", "four"),
    ]


def test_long_texts_are_compared_in_time() -> None:
    old = " ".join(str(n) for n in range(40_000))
    new = " ".join(str(n * 7) for n in range(40_000))
    assert [part.kind for part in compare(old, new)] == ["out", "in"]
    assert compare("a\n" * 90_000, "b\n" * 90_000)


@given(st.text(max_size=300), st.sampled_from(["en", "ru", "uk"]))
@settings(deadline=None, max_examples=200)
def test_slugs_are_plain_whatever_the_title(title: str, lang: str) -> None:
    slug = slug_of(title, lang)
    assert len(slug) <= MAX_SLUG and slug.strip("-") == slug
    assert all(char.isascii() and (char.isalnum() or char == "-") for char in slug)


def test_pictures_are_told_by_their_content() -> None:
    assert kind_of(b"\x89PNG\r\n\x1a\n...") == "image/png"
    assert kind_of(b"\xff\xd8\xff\xe0") == "image/jpeg"
    assert kind_of(b"GIF89a") == "image/gif" and kind_of(b"RIFF1234WEBP") == "image/webp"
    for data in (b"", b"<svg>", b"%PDF-1.4", b"RIFF1234WAVE", b"GIF89", b"\x89PNG"):
        with pytest.raises(HelpdeskError):
            checked_kind(data)
    with pytest.raises(HelpdeskError):
        checked_kind(b"\xff\xd8\xff" + b"\0" * MAX_SIZE)
