"""Verbs on categories of articles, and the tree that they make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import LANGUAGES, lock
from helpdesk.kb.models import Article, Category
from helpdesk.kb.slugs import free_key
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.lib.text import clean_line, fold

MAX_DEPTH = 4
MAX_NAME = 80
ICON = "file-text"


@dataclass(frozen=True, slots=True)
class Node:
    """A category in the tree; `count`: articles in it and below, of those that were counted."""

    category: Category
    depth: int
    count: int = 0
    children: list["Node"] = field(default_factory=list)


def create_category(
    session: Session,
    names: Mapping[str, str],
    *,
    at: datetime,
    actor: Actor = SYSTEM,
    key: str | None = None,
    parent_id: int | None = None,
    icon: str = ICON,
) -> Category:
    """Add a category as the last one of its parent. Raises HelpdeskError for bad values."""
    lock(session, "kb-categories")
    kept = checked_names(names)
    lang, name = next(iter(kept.items()))
    _check_place(session, None, parent_id)
    last = select(func.max(Category.position)).where(Category.parent_id == parent_id)
    category = Category(
        key=key or free_key(session, Category, name, lang),
        names=kept,
        parent_id=parent_id,
        icon=clean_line(icon, 40) or ICON,
        position=(session.scalar(last) or 0) + 1,
    )
    session.add(category)
    session.flush()
    record(session, "category.created", actor=actor, at=at, category_id=category.id)
    return category


def change_category(
    session: Session, category: Category, *, at: datetime, actor: Actor = SYSTEM, **changes: Any
) -> None:
    """Change names, icon or parent_id. Raises HelpdeskError for bad values or a circle."""
    lock(session, "kb-categories")
    if "names" in changes:
        changes["names"] = checked_names(changes["names"])
    if "icon" in changes:
        changes["icon"] = clean_line(changes["icon"], 40) or ICON
    if "parent_id" in changes and changes["parent_id"] != category.parent_id:
        _check_place(session, category, changes["parent_id"])
    fields = [name for name, value in changes.items() if getattr(category, name) != value]
    if not fields:
        return
    for name in fields:
        setattr(category, name, changes[name])
    session.flush()
    record(
        session,
        "category.changed",
        actor=actor,
        at=at,
        category_id=category.id,
        fields=sorted(fields),
    )


def move_category(
    session: Session, category: Category, step: int, *, at: datetime, actor: Actor = SYSTEM
) -> None:
    """Change places with the sister before (-1) or after (+1); at the end nothing happens."""
    lock(session, "kb-categories")
    query = select(Category).where(Category.parent_id == category.parent_id)
    sisters = list(session.scalars(query.order_by(Category.position, Category.id)))
    place = sisters.index(category)
    if not 0 <= place + step < len(sisters):
        return
    sisters[place], sisters[place + step] = sisters[place + step], sisters[place]
    for number, sister in enumerate(sisters, 1):
        sister.position = number
    session.flush()
    record(
        session,
        "category.changed",
        actor=actor,
        at=at,
        category_id=category.id,
        fields=["position"],
    )


def delete_category(
    session: Session, category: Category, *, at: datetime, actor: Actor = SYSTEM
) -> None:
    """Delete an empty category. Raises HelpdeskError where articles or categories are in it."""
    below = session.scalar(select(Category.id).where(Category.parent_id == category.id).limit(1))
    inside = session.scalar(select(Article.id).where(Article.category_id == category.id).limit(1))
    if below is not None or inside is not None:
        raise HelpdeskError(_lazy("Move what is in this category to another one first."))
    session.delete(category)
    session.flush()
    record(session, "category.deleted", actor=actor, at=at, category_id=category.id)


def find_category(session: Session, name: str) -> Category | None:
    """The category with this key or a name that reads the same, in whatever language."""
    wanted = fold(clean_line(name, MAX_NAME))
    known = session.scalars(select(Category).order_by(Category.id)).all()  # all of them are few
    found = next((category for category in known if category.key == name), None)
    if found is not None:
        return found
    for category in known:
        if wanted in (fold(str(said)) for said in category.names.values()):
            return category
    return None


def category_named(
    session: Session, name: str, lang: str, *, at: datetime, actor: Actor = SYSTEM
) -> Category:
    """The category with this key or name; made, with the name in `lang`, if missing."""
    lock(session, "kb-categories")
    found = find_category(session, name)
    return found or create_category(session, {lang: name}, at=at, actor=actor)


def name_of(category: Category, lang: str, primary: str = "en") -> str:
    """The category's name in this language, else in the primary one, else in any."""
    names = category.names
    return str(names.get(lang) or names.get(primary) or next(iter(names.values()), category.key))


def tree(session: Session, counts: Mapping[int, int] | None = None) -> list[Node]:
    """The tree, sisters in their order; `counts`: articles by category id, summed up upwards."""
    rows = session.scalars(select(Category).order_by(Category.position, Category.id)).all()
    children: dict[int | None, list[Category]] = {}
    for row in rows:
        children.setdefault(row.parent_id, []).append(row)
    return _nodes(children, None, 0, counts or {})


def flat(nodes: list[Node]) -> list[Node]:
    """The nodes of a tree, each before those below it."""
    return [one for node in nodes for one in (node, *flat(node.children))]


def checked_names(names: Mapping[str, str]) -> dict[str, str]:
    """Names by language, empty ones left out. Raises HelpdeskError if none is left."""
    kept = {lang: clean_line(names.get(lang, ""), MAX_NAME) for lang in LANGUAGES}
    kept = {lang: name for lang, name in kept.items() if name}
    if not kept:
        raise HelpdeskError(_lazy("A category needs a name in one language."), field="names")
    return kept


def _nodes(
    children: Mapping[int | None, list[Category]],
    parent: int | None,
    depth: int,
    counts: Mapping[int, int],
) -> list[Node]:
    found = []
    for category in children.get(parent, ()):
        below = _nodes(children, category.id, depth + 1, counts)
        count = counts.get(category.id, 0) + sum(node.count for node in below)
        found.append(Node(category, depth, count, below))
    return found


def _check_place(session: Session, category: Category | None, parent_id: int | None) -> None:
    """Raises HelpdeskError for a parent that is missing, too deep, or below the category."""
    parents = dict(session.execute(select(Category.id, Category.parent_id)).all())
    if parent_id is not None and parent_id not in parents:
        raise HelpdeskError(_lazy("Choose a category from the list."), field="parent")
    path = _path(parents, parent_id)
    if category is not None and category.id in path:
        message = _lazy("A category cannot lie in itself or below itself.")
        raise HelpdeskError(message, field="parent")
    below = 1 + (_height(parents, category.id) if category is not None else 0)
    if len(path) + below > MAX_DEPTH:
        message = _lazy("Categories can lie %(limit)s deep at most.")
        raise HelpdeskError(message, field="parent", limit=MAX_DEPTH)


def _path(parents: Mapping[int, int | None], start: int | None) -> list[int]:
    path: list[int] = []
    while start is not None:
        path.append(start)
        start = parents[start]
    return path


def _height(parents: Mapping[int, int | None], top: int) -> int:
    below = [id_ for id_, parent in parents.items() if parent == top]
    return max((1 + _height(parents, id_) for id_ in below), default=0)
