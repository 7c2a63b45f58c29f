"""Contact reasons: the tree of why clients turn to us, its verbs and its reads."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.events import SYSTEM, Actor, record
from helpdesk.ext import LANGUAGES, lock
from helpdesk.lib.errors import Conflict, HelpdeskError, NotFound, _lazy
from helpdesk.lib.text import clean_line, fold
from helpdesk.tickets.models import ContactReason, Queue, TicketKind
from helpdesk.tickets.reason_seeds import SEEDS

NAME_LIMIT = 80
KEY_LIMIT = 80
MAX_DEPTH = 4
MAX_REASONS = 500
CHANGEABLE = frozenset({"names", "parent_id", "queue_id", "kind", "in_form", "active", "position"})
_NOT_KEY = re.compile(r"[^a-z0-9]+")
_KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason as it stands in the tree; `depth` of the topmost is 1, `path` ends with its id."""

    id: int
    parent_id: int | None
    key: str
    names: Mapping[str, str]
    queue_id: int | None
    kind: TicketKind | None
    in_form: bool
    active: bool
    depth: int
    path: tuple[int, ...]

    def name(self, language: str) -> str:
        """What people call it in this language, else in another, else its key."""
        return name_of(self.names, self.key, language)


@dataclass(frozen=True, slots=True)
class Tree:
    """All reasons in the order in which a tree is read: each before what is under it.

    It holds no rows of a session: a process may keep it.
    """

    reasons: Mapping[int, Reason]

    def __iter__(self) -> Iterator[Reason]:
        return iter(self.reasons.values())

    def get(self, reason_id: int | None) -> Reason | None:
        """The reason with this id, also a switched-off one."""
        return None if reason_id is None else self.reasons.get(reason_id)

    def keyed(self, key: str) -> Reason | None:
        """The reason with this key."""
        return next((one for one in self if one.key == key), None)

    def under(self, reason_id: int) -> list[int]:
        """The ids of a reason and of all that is under it."""
        return [one.id for one in self if reason_id in one.path]

    def children(self, parent_id: int | None) -> list[Reason]:
        """What stands right under a reason (None: the topmost), in its order."""
        return [one for one in self if one.parent_id == parent_id]

    def open(self, *, in_form: bool = False) -> list[Reason]:
        """Those that may be chosen: active as all above them; `in_form`: by customers too."""
        shut = {one.id for one in self if not one.active or (in_form and not one.in_form)}
        return [one for one in self if shut.isdisjoint(one.path)]

    def title(self, reason_id: int | None, language: str) -> str:
        """The name with those above it: "Delivery / It is late"; "" for none."""
        one = self.get(reason_id)
        return " / ".join(self.reasons[id_].name(language) for id_ in one.path) if one else ""


def name_of(names: Mapping[str, Any], key: str, language: str) -> str:
    """What a reason is called in this language, else in another, else its key."""
    found = (names.get(lang) for lang in (language, *LANGUAGES))
    return next((str(text) for text in found if text), key)


def tree(session: Session) -> Tree:
    """The tree of reasons, by one statement."""
    query = select(ContactReason).order_by(ContactReason.position, ContactReason.id)
    rows = list(session.scalars(query))
    below: dict[int | None, list[ContactReason]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    found: dict[int, Reason] = {}
    waiting: list[tuple[ContactReason, tuple[int, ...]]]
    waiting = [(row, ()) for row in reversed(below.get(None, []))]
    while waiting:
        row, above = waiting.pop()
        found[row.id] = one = _reason(row, above)
        waiting += [(child, one.path) for child in reversed(below.get(row.id, []))]
    return Tree(found)


def reason_named(session: Session, ref: str | int) -> ContactReason:
    """A reason by id or key. Raises HelpdeskError."""
    text = str(ref)
    is_id = text.isascii() and text.isdigit() and len(text) < 18
    wanted = ContactReason.id == int(text) if is_id else ContactReason.key == text
    found = session.scalar(select(ContactReason).where(wanted))
    if found is None:
        raise HelpdeskError(
            _lazy("There is no contact reason %(ref)s."), field="reason", ref=text[:KEY_LIMIT]
        )
    return found


def reason_for_change(session: Session, reason_id: int) -> ContactReason:
    """A reason that is going to be changed. Raises NotFound."""
    found = session.get(ContactReason, reason_id)
    if found is None:
        raise NotFound()
    return found


def create_reason(
    session: Session,
    *,
    names: Mapping[str, str],
    parent_id: int | None = None,
    key: str = "",
    queue_id: int | None = None,
    kind: TicketKind | None = None,
    in_form: bool = True,
    actor: Actor = SYSTEM,
) -> ContactReason:
    """Add a reason as the last under `parent_id`; without a key it gets one from its English name.

    Raises HelpdeskError for bad names, key, parent or queue, Conflict for taken ones.
    """
    lock(session, "reasons")
    known = tree(session)
    if len(known.reasons) >= MAX_REASONS:
        message = _lazy("There are %(most)s contact reasons already; no more fit.")
        raise HelpdeskError(message, field="names", most=MAX_REASONS)
    cleaned = _names(names)
    _check_place(known, None, parent_id)
    _check_free(known, cleaned, parent_id)
    _check_queue(session, queue_id)
    reason = ContactReason(
        parent_id=parent_id,
        key=_free_key(known, key, cleaned["en"]),
        names=cleaned,
        queue_id=queue_id,
        kind=kind,
        in_form=in_form,
        active=True,
        position=len(known.children(parent_id)),
    )
    session.add(reason)
    session.flush()
    record(session, "reason.created", actor=actor, reason_id=reason.id)
    return reason


def change_reason(
    session: Session, reason: ContactReason, *, actor: Actor = SYSTEM, **changes: Any
) -> None:
    """Change names, parent_id, position, queue_id, kind, in_form or active; the key stays.

    A reason put elsewhere becomes the last there, unless `position` says otherwise. Raises
    HelpdeskError for bad values and for a place under itself or too deep, Conflict for a taken
    name, and TypeError for a field that is not a reason's: that is a bug.
    """
    if changes.keys() - CHANGEABLE:
        raise TypeError(f"a reason has no {sorted(changes.keys() - CHANGEABLE)}")
    lock(session, "reasons")
    session.refresh(reason)
    known = tree(session)
    if "names" in changes:
        changes["names"] = _names({**reason.names, **changes["names"]})
    parent_id = changes.get("parent_id", reason.parent_id)
    if parent_id != reason.parent_id:
        _check_place(known, reason.id, parent_id)
        changes.setdefault("position", len(known.children(parent_id)))
    if "names" in changes or parent_id != reason.parent_id:
        _check_free(known, changes.get("names", reason.names), parent_id, but=reason.id)
    _check_queue(session, changes.get("queue_id"))
    changed = {name: value for name, value in changes.items() if getattr(reason, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(reason, name, value)
    session.flush()
    record(session, "reason.changed", actor=actor, reason_id=reason.id, fields=sorted(changed))


def move_reason(
    session: Session, reason: ContactReason, step: int, *, actor: Actor = SYSTEM
) -> None:
    """Put a reason one place up (-1) or down (1) among its neighbours, if there is one."""
    lock(session, "reasons")
    order = [one.id for one in tree(session).children(reason.parent_id)]
    place = order.index(reason.id)
    if not 0 <= place + step < len(order):
        return
    order[place], order[place + step] = order[place + step], order[place]
    for row in session.scalars(select(ContactReason).where(ContactReason.id.in_(order))):
        row.position = order.index(row.id)
    session.flush()
    record(session, "reason.changed", actor=actor, reason_id=reason.id, fields=["position"])


def kind_of(session: Session, reason_id: int) -> TicketKind | None:
    """The kind that a ticket gets by this reason."""
    return session.scalar(select(ContactReason.kind).where(ContactReason.id == reason_id))


def seed_reasons(session: Session) -> None:
    """The reasons that a new installation begins with; harmless where there are any already."""
    lock(session, "reasons")
    if session.scalar(select(ContactReason.id).limit(1)) is not None:
        return
    for position, (key, kind, names, below) in enumerate(SEEDS):
        parent = _seed(key, kind, names, position, None)
        session.add(parent)
        session.flush()
        for place, (child_key, child_kind, child_names) in enumerate(below):
            full = f"{key}-{child_key}"
            session.add(_seed(full, child_kind or kind, child_names, place, parent.id))
    session.flush()


def _seed(
    key: str, kind: TicketKind | None, names: tuple[str, str, str], position: int, above: int | None
) -> ContactReason:
    return ContactReason(
        parent_id=above,
        key=key,
        names=dict(zip(LANGUAGES, names, strict=True)),
        kind=kind,
        position=position,
    )


def _reason(row: ContactReason, above: tuple[int, ...]) -> Reason:
    return Reason(
        id=row.id,
        parent_id=row.parent_id,
        key=row.key,
        names={lang: str(name) for lang, name in row.names.items()},
        queue_id=row.queue_id,
        kind=row.kind,
        in_form=row.in_form,
        active=row.active,
        depth=len(above) + 1,
        path=(*above, row.id),
    )


def _names(names: Mapping[str, str]) -> dict[str, str]:
    cleaned = {lang: clean_line(names.get(lang) or "", NAME_LIMIT) for lang in LANGUAGES}
    missing = next((lang for lang in LANGUAGES if not cleaned[lang]), None)
    if missing:
        raise HelpdeskError(_lazy("The name is needed in each language."), field=f"name_{missing}")
    return cleaned


def _check_place(known: Tree, reason_id: int | None, parent_id: int | None) -> None:
    """The parent is there, is not the reason nor under it, and the tree stays flat enough."""
    above = known.get(parent_id)
    if parent_id is not None and above is None:
        raise HelpdeskError(_lazy("Choose one from the list."), field="parent")
    if above is not None and reason_id in above.path:
        raise HelpdeskError(_lazy("A reason cannot stand under itself."), field="parent")
    one = known.get(reason_id)
    own = 1
    if one is not None:
        own += max(known.reasons[id_].depth for id_ in known.under(one.id)) - one.depth
    if (above.depth if above else 0) + own > MAX_DEPTH:
        message = _lazy("The tree has at most %(most)s levels.")
        raise HelpdeskError(message, field="parent", most=MAX_DEPTH)


def _check_free(
    known: Tree, names: Mapping[str, str], parent_id: int | None, *, but: int | None = None
) -> None:
    for one in known.children(parent_id):
        taken = (lang for lang in LANGUAGES if fold(one.name(lang)) == fold(names[lang]))
        lang = next(taken, None) if one.id != but else None
        if lang is not None:
            message = _lazy("There is a contact reason %(name)s here already.")
            raise Conflict(message, field=f"name_{lang}", name=one.name(lang))


def _check_queue(session: Session, queue_id: int | None) -> None:
    if queue_id is not None and session.get(Queue, queue_id) is None:
        raise HelpdeskError(_lazy("Choose a queue."), field="queue")


def _free_key(known: Tree, key: str, name: str) -> str:
    """The key as it was wished, or one made of the name that nobody has."""
    taken = {one.key for one in known}
    if key:
        if len(key) > KEY_LIMIT or not _KEY.fullmatch(key):
            message = _lazy(
                "A key has small Latin letters, digits and -, and begins with a letter."
            )
            raise HelpdeskError(message, field="key")
        if key in taken:
            message = _lazy("There is a contact reason with the key %(key)s already.")
            raise Conflict(message, field="key", key=key)
        return key
    base = _NOT_KEY.sub("-", fold(name))[: KEY_LIMIT - 5].strip("-").lstrip("-0123456789")
    base = base or "reason"
    return next(
        free
        for n in range(1, MAX_REASONS + 2)
        if (free := f"{base}-{n}" if n > 1 else base) not in taken
    )
