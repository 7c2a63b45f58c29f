"""Undo of what was removed from a client's record: offered once by the address, done by a form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from helpdesk.clients.contact_points import point_of, restore_point
from helpdesk.clients.duplicates import look_again
from helpdesk.clients.fact_actions import (
    document_of,
    note_of,
    promise_of,
    restore_document,
    restore_note,
    settle_promise,
)
from helpdesk.clients.merge import undo_merge
from helpdesk.clients.models import Client, Merge
from helpdesk.clients.people import person_of, restore_person
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy


@dataclass(frozen=True)
class Undo:
    """What can be put back, as the form sends it, and what was done in words."""

    what: str
    text: str


def undo_offered(session: Session, client_id: int, what: str) -> Undo | None:
    """The undo that the address asks for, e.g. "note-12", if there is anything to put back."""
    kind, id_ = _split(what)
    if kind is None:
        return None
    try:
        text = _LOOKS[kind](session, client_id, id_)
    except NotFound:
        return None
    return Undo(what, text) if text else None


def undo(session: Session, client_id: int, what: str, actor: Actor) -> None:
    """Put it back. Raises HelpdeskError where there is nothing, or it does not fit any more."""
    kind, id_ = _split(what)
    if kind is None:
        raise HelpdeskError(_lazy("There is nothing to put back."))
    _ACTS[kind](session, client_id, id_, actor)


def _split(what: str) -> tuple[str | None, int]:
    kind, _sign, id_ = what.partition("-")
    known = kind in _ACTS and id_.isascii() and id_.isdigit() and len(id_) < 18
    return (kind, int(id_)) if known else (None, 0)


def _note_gone(session: Session, client_id: int, id_: int) -> str:
    gone = note_of(session, client_id, id_).deleted_at is not None
    return str(_("The note was deleted.")) if gone else ""


def _document_gone(session: Session, client_id: int, id_: int) -> str:
    gone = document_of(session, client_id, id_, deleted=True).deleted_at is not None
    return str(_("The document was deleted.")) if gone else ""


def _person_gone(session: Session, client_id: int, id_: int) -> str:
    person = person_of(session, client_id, id_, removed=True)
    return str(_("%(name)s was removed.", name=person.name)) if person.removed_at else ""


def _point_gone(session: Session, client_id: int, id_: int) -> str:
    point = point_of(session, client_id, id_, removed=True)
    return str(_("%(value)s was removed.", value=point.value)) if point.removed_at else ""


def _merged(session: Session, client_id: int, id_: int) -> str:
    done = _merge_of(session, client_id, id_)
    if done.undone_at is not None:
        return ""
    name = session.get_one(Client, done.gone_id).name
    return str(_("№ %(number)s, %(name)s, was merged into this record.", number=done.gone_id,
                 name=name))  # fmt: skip


def _merge_of(session: Session, client_id: int, id_: int) -> Merge:
    done = session.get(Merge, id_)
    if done is None or done.kept_id != client_id:
        raise NotFound()
    return done


def _promise_settled(session: Session, client_id: int, id_: int) -> str:
    kept = promise_of(session, client_id, id_).kept
    if kept is None:
        return ""
    return str(_("The promise was kept.") if kept else _("The promise was broken."))


_LOOKS: Mapping[str, Callable[[Session, int, int], str]] = {
    "merge": _merged,
    "note": _note_gone,
    "document": _document_gone,
    "person": _person_gone,
    "point": _point_gone,
    "promise": _promise_settled,
}


def _note(session: Session, client_id: int, id_: int, actor: Actor) -> None:
    restore_note(session, note_of(session, client_id, id_), actor=actor, at=now())


def _document(session: Session, client_id: int, id_: int, actor: Actor) -> None:
    document = document_of(session, client_id, id_, deleted=True)
    restore_document(session, document, actor=actor, at=now())


def _person(session: Session, client_id: int, id_: int, actor: Actor) -> None:
    person = person_of(session, client_id, id_, removed=True)
    restore_person(session, person, actor=actor, at=now())


def _point(session: Session, client_id: int, id_: int, actor: Actor) -> None:
    restore_point(session, point_of(session, client_id, id_, removed=True), actor=actor, at=now())


def _promise(session: Session, client_id: int, id_: int, actor: Actor) -> None:
    settle_promise(session, promise_of(session, client_id, id_), None, actor=actor, at=now())


def _merge(session: Session, client_id: int, id_: int, actor: Actor) -> None:
    done = undo_merge(session, _merge_of(session, client_id, id_).id, actor=actor, at=now())
    for one in (done.kept_id, done.gone_id):
        look_again(session, one)


_ACTS: Mapping[str, Callable[[Session, int, int, Actor], None]] = {
    "merge": _merge,
    "note": _note,
    "document": _document,
    "person": _person,
    "point": _point,
    "promise": _promise,
}
