"""What the form "ask us" holds: reading it, judging it, and showing it again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from flask import current_app, g, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.accounts import limits
from helpdesk.intake.form import Entry
from helpdesk.lib import phone
from helpdesk.lib.errors import HelpdeskError, TooMany, _lazy
from helpdesk.lib.text import clean, clean_line, email_key, valid_email
from helpdesk.products import NAME_LIMIT, Product, find_products, product_named
from helpdesk.tickets.actions import TEXT_LIMIT
from helpdesk.tickets.content import FileRef
from helpdesk.tickets.received import SUBJECT_LIMIT
from helpdesk.web.about import reasons
from helpdesk.web.cached import keep
from helpdesk.web.guard import reading, said

NAME = "ask"  # of the form, in its token
PERSON_LIMIT, CONTACT_LIMIT = 120, 254
HASTY = 3  # seconds in which programs fill the form in, and people one that kept their text
PER_CONTACT, PER_ADDRESS, MOST = 5, 30, 200
"""Forms an hour that name one contact, that come from one address, and that are taken at all."""
HOUR = 3_600
OFFERED = 200  # products in the list beside the field
PRODUCT_SECONDS = 60.0
_LINK = re.compile(r"https?://|www\.|<a\s", re.I)  # what spam is sent for
_ALMOST_EMAIL = re.compile(r"[^@\s]+@[^@\s]+", re.A)


@dataclass(frozen=True)
class Typed:
    """The fields as they were typed. `trap`: of the field that people don't see."""

    text: str = ""
    contact: str = ""
    name: str = ""
    subject: str = ""
    reason: str = ""
    product: str = ""
    trap: str = ""
    file_names: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)


def typed() -> Typed:
    """What this request holds, cleaned and cut to what the fields take."""
    form = request.form
    names = [file.filename or "" for file in request.files.getlist("files")]
    return Typed(
        text=clean(form.get("text", "")).strip(),
        contact=clean_line(form.get("contact", ""), CONTACT_LIMIT),
        name=clean_line(form.get("name", ""), PERSON_LIMIT),
        subject=clean_line(form.get("subject", ""), SUBJECT_LIMIT),
        reason=form.get("reason", "")[:20],
        product=clean_line(form.get("product", ""), NAME_LIMIT),
        trap=form.get("website", "")[:100],
        file_names=tuple(clean_line(name, 80) for name in names if name),
    )


def checked(what: Typed) -> tuple[Entry, dict[str, str]]:
    """The entry, and what is wrong in words by the name of the field."""
    errors: dict[str, str] = {}

    def note(error: HelpdeskError) -> None:
        errors[error.field or "text"] = said(error)

    for check in (_check_text, _check_contact, _check_name):
        try:
            check(what)
        except HelpdeskError as error:
            note(error)
    entry = Entry(what.text, g.language, what.contact, what.name, what.subject)
    try:
        entry = replace(entry, reason_id=_reason(what.reason))
    except HelpdeskError as error:
        note(error)
    try:
        entry = replace(entry, product_id=_product(reading(), what.product))
    except HelpdeskError as error:
        note(error)
    return entry, errors


def with_files(entry: Entry, files: Sequence[FileRef]) -> Entry:
    """The entry with its files, which are on the disk already."""
    return replace(entry, files=tuple(files))


def check_flood(session: Session, address: str, at: datetime) -> None:
    """Raise TooMany before any file is stored: what is refused must not fill the disk."""
    if limits.taken(session, "ask-from", address, seconds=HOUR, at=at) >= MOST:
        message = _lazy("That was a lot in one hour. Wait a little, then send it again.")
        raise TooMany(message, retry_after=HOUR)


def doubt(
    session: Session, entry: Entry, *, trap: str, age: int, address: str, at: datetime
) -> str | None:
    """Why a person should look at it first, as a short code; counts the form under the limits.

    Many people share an address behind a gateway: what is over a limit is kept, not refused.
    """
    limits.allow(session, "ask-from", address, most=MOST, seconds=HOUR, at=at)
    if trap:
        return "honeypot"
    if age < HASTY and _LINK.search(f"{entry.subject} {entry.text} {entry.name}"):
        return "too_fast"
    named = contact_key(entry.contact)
    if not limits.allow(session, "ask-contact", named, most=PER_CONTACT, seconds=HOUR, at=at):
        return "contact_limit"
    if limits.taken(session, "ask-from", address, seconds=HOUR, at=at) > PER_ADDRESS:
        return "address_limit"
    return None


def contact_key(contact: str) -> str:
    """By what two spellings of an address or number are the same."""
    return email_key(contact) if "@" in contact else number_of(contact) or contact


def number_of(contact: str) -> str | None:
    """The number in E.164; None where it is none."""
    return phone.normalize(contact, str(current_app.config["COUNTRY"]))


def reason_groups() -> list[tuple[str, list[tuple[int, str]]]]:
    """What customers may choose: (name of the topmost, its reasons)."""
    groups: dict[int, tuple[str, list[tuple[int, str]]]] = {}
    for one in reasons().open(in_form=True):
        top = reasons().reasons[one.path[0]]
        _name, lines = groups.setdefault(top.id, (top.name(g.language), []))
        lines.append((one.id, one.name(g.language)))
    return list(groups.values())


def offered_products() -> tuple[list[str], bool]:
    """The names of the first products, and whether there are more to be looked for."""

    def read() -> tuple[list[str], bool]:
        names = [one.name for one in find_products(reading(), limit=OFFERED + 1)]
        return names[:OFFERED], len(names) > OFFERED

    return keep("offered-products", PRODUCT_SECONDS, read)


def are_products() -> bool:
    """Whether there is any product to ask about."""
    count = select(func.count()).select_from(
        select(Product.id).where(Product.active.is_(True)).limit(1).subquery()
    )
    return keep("any-product", PRODUCT_SECONDS, lambda: bool(reading().scalar(count)))


def _check_text(what: Typed) -> None:
    if not what.text:
        raise HelpdeskError(_lazy("Write what happened."), field="text")
    if len(what.text) > TEXT_LIMIT:
        raise HelpdeskError(
            _lazy("The text is too long: at most %(limit)s characters."),
            field="text",
            limit=TEXT_LIMIT,
        )


def _check_contact(what: Typed) -> None:
    if not what.contact:
        message = _lazy("Write an email address or a phone number, so that we can answer.")
        raise HelpdeskError(message, field="contact")
    if _ALMOST_EMAIL.fullmatch(what.contact) and "." not in what.contact.rpartition("@")[2]:
        message = _lazy("The end of the address is missing, for example .com")
        raise HelpdeskError(message, field="contact")
    if valid_email(what.contact) or number_of(what.contact) is not None:
        return
    message = _lazy("This is neither an email address nor a phone number. Look at it again.")
    raise HelpdeskError(message, field="contact")


def _check_name(what: Typed) -> None:
    if not what.name:
        raise HelpdeskError(_lazy("Write your name."), field="name")


def _reason(text: str) -> int | None:
    if not text:
        return None
    ids = {one.id for one in reasons().open(in_form=True)}
    if not (text.isascii() and text.isdigit()) or int(text) not in ids:
        raise HelpdeskError(_lazy("Choose one from the list."), field="reason")
    return int(text)


def _product(session: Session, text: str) -> int | None:
    """By its name or number, or by words that only one product has."""
    if not text:
        return None
    try:
        found = [product_named(session, text)]
    except HelpdeskError:
        found = find_products(session, text, limit=2)
    if len(found) == 1 and found[0].active:
        return found[0].id
    message = _lazy("We do not know this product. Choose one from the list, or leave it empty.")
    raise HelpdeskError(message, field="product")
