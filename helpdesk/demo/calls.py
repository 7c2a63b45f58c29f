"""The demo's calls: sixty days of them, talked, given up, answered by the menu, called back."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.calls import by_hand, record, wrap_up
from helpdesk.calls.models import Call, Direction, Disposition, Offer, OfferOutcome, Provider
from helpdesk.clients.models import ContactKind, ContactPoint
from helpdesk.demo.history import Agenda
from helpdesk.demo.stage import Stage, Writer
from helpdesk.events import Actor
from helpdesk.lib import worktime
from helpdesk.products import Product
from helpdesk.tickets import actions
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.reasons import tree

CALLS, DAYS = 64, 60
RING = timedelta(seconds=20)
MENU, CONTAINED, SHORT, ABANDONED = "menu", "contained", "short", "abandoned"
ENDS = (CONTAINED,) * 11 + (MENU,) * 2 + (SHORT,) * 3 + (ABANDONED,) * 8  # of a hundred
SOLVED, PASSED, REFUSED = Disposition.SOLVED, Disposition.PASSED_ON, Disposition.REFUSED


@dataclass(frozen=True)
class Talk:
    """What a call is about, what came of it, and the agent's notes (en, ru, uk)."""

    queue: str
    reason: str
    result: Disposition
    notes: tuple[str, str, str]


TALKS = (
    Talk("support", "delivery-late", SOLVED, (
        "The parcel is at the depot, arrives tomorrow before noon.",
        "Посылка на складе, привезут завтра до обеда.",
        "Посилка на складі, привезуть завтра до обіду.",
    )),
    Talk("support", "order-status", SOLVED, (
        "Wanted to know whether the order is packed: it is.",
        "Хотели знать, собран ли заказ: собран.",
        "Хотіли знати, чи зібране замовлення: зібране.",
    )),
    Talk("support", "warranty-repair", PASSED, (
        "The drum doesn’t turn. A mechanic has to look at it; asked for a photo of the label.",
        "Барабан не крутится. Нужен мастер; попросил фото шильдика.",
        "Барабан не крутиться. Потрібен майстер; попросив фото шильдика.",
    )),
    Talk("support", "before-purchase-choice", SOLVED, (
        "Compared two models for a narrow kitchen; takes the 45 cm one.",
        "Сравнили две модели для узкой кухни; берут 45 см.",
        "Порівняли дві моделі для вузької кухні; беруть 45 см.",
    )),
    Talk("support", "before-purchase-price", REFUSED, (
        "Found it cheaper elsewhere and won’t buy here.",
        "Нашли дешевле в другом магазине, у нас брать не будут.",
        "Знайшли дешевше в іншому магазині, у нас не братимуть.",
    )),
    Talk("billing", "payment-invoice", SOLVED, (
        "Sent the invoice for August once more.",
        "Отправил счёт за август ещё раз.",
        "Надіслав рахунок за серпень ще раз.",
    )),
    Talk("billing", "payment-failed", PASSED, (
        "Charged twice for one order. Bookkeeping looks at the statement.",
        "Списали дважды за один заказ. Бухгалтерия смотрит выписку.",
        "Списали двічі за одне замовлення. Бухгалтерія дивиться виписку.",
    )),
    Talk("billing", "return-goods", SOLVED, (
        "Explained how to send the toaster back and when the money comes.",
        "Объяснил, как вернуть тостер и когда придут деньги.",
        "Пояснив, як повернути тостер і коли надійдуть гроші.",
    )),
)  # fmt: skip
LANGUAGES = ("en", "ru", "uk")


@dataclass(frozen=True)
class Caller:
    """Who phones, and from where; None: nobody knows the number."""

    writer: Writer | None
    number: str
    point_id: int | None

    @property
    def language(self) -> str:
        return self.writer.language if self.writer else "uk"


@dataclass
class Switchboard:
    """What each call needs: the shop, what callers may ask, what comes later."""

    session: Session
    stage: Stage
    pick: random.Random
    agenda: Agenda
    reasons: Mapping[str, int]
    products: Sequence[int]
    callers: Sequence[Caller]


def plan(session: Session, stage: Stage, at: datetime, pick: random.Random, agenda: Agenda) -> None:
    """Put all calls on the agenda; each adds what follows from it."""
    reasons = {one.key: one.id for one in tree(session)}
    products = list(session.scalars(select(Product.id).order_by(Product.id)))
    callers = _callers(session, stage)
    board = Switchboard(session, stage, pick, agenda, reasons, products, callers)
    for number, begun in enumerate(_moments(stage, at, pick), 1):
        agenda.add(begun, partial(_ring, board, number, begun))


def _ring(board: Switchboard, number: int, begun: datetime) -> None:
    session, pick = board.session, board.pick
    end = pick.choice(ENDS + (None,) * (100 - len(ENDS)))
    is_stranger = end in (MENU, CONTAINED) and pick.random() < 0.6
    caller = _nobody(number) if is_stranger else pick.choice(board.callers)
    call = _begin(session, board.stage, number, caller, begun)
    if end in (MENU, CONTAINED):
        _by_menu(session, call, begun, end == CONTAINED, pick)
        return
    talk = pick.choice(TALKS)
    queued = begun + timedelta(seconds=pick.randint(15, 50))
    queue_id = board.stage.queues[talk.queue].id
    record.note(session, call, queued, queued_at=queued, queue_id=queue_id)
    if end is None:
        _talk(board, call, queued, talk)
    else:
        _give_up(board, call, queued, end == SHORT)


def _moments(stage: Stage, at: datetime, pick: random.Random) -> list[datetime]:
    """Most on mornings of the beginning of the week; none when nobody is there."""
    zone = ZoneInfo(stage.calendar.timezone)
    found: list[datetime] = []
    while len(found) < CALLS:
        moment = at - timedelta(seconds=pick.randint(1_800, DAYS * 86_400))
        local = moment.astimezone(zone)
        busy = (1.5 - 0.15 * local.weekday()) * (1.4 if local.hour < 12 else 0.8)
        is_open = worktime.is_open(stage.calendar, moment)
        if is_open and pick.random() < busy / 2.2:
            found.append(moment.replace(microsecond=0))
    return sorted(found)


def _callers(session: Session, stage: Stage) -> list[Caller]:
    """The clients' people with a telephone."""
    people = {writer.known.person_id: writer for writer in stage.writers}
    query = select(ContactPoint.id, ContactPoint.person_id, ContactPoint.key).where(
        ContactPoint.kind == ContactKind.PHONE, ContactPoint.person_id.in_(people)
    )
    rows = session.execute(query.order_by(ContactPoint.id))
    return [Caller(people[person_id], key, id_) for id_, person_id, key in rows]


def _nobody(number: int) -> Caller:
    return Caller(None, f"+38050777{number:04}", None)


def _begin(session: Session, stage: Stage, number: int, caller: Caller, at: datetime) -> Call:
    known = caller.writer.known if caller.writer else None
    return record.create(
        session,
        provider=Provider.TWIN,
        provider_id=f"CAdemo{number:028}",
        direction=Direction.INBOUND,
        at=at,
        menu_at=at + timedelta(seconds=2),
        from_number=caller.number,
        to_number=stage.queues["support"].numbers[0],
        client_id=known.client_id if known else None,
        person_id=known.person_id if known else None,
        contact_point_id=caller.point_id,
        language=caller.language,
    )


def _by_menu(
    session: Session, call: Call, begun: datetime, contained: bool, pick: random.Random
) -> None:
    """The menu's answer was enough, or the caller went away from it."""
    answered = begun + timedelta(seconds=pick.randint(12, 25))
    ended = answered + timedelta(seconds=pick.randint(10, 45))
    said: dict[str, Any] = {"answer_at": answered, "contained_at": ended} if contained else {}
    record.note(session, call, ended, ended_at=ended, **said)


def _talk(board: Switchboard, call: Call, queued: datetime, talk: Talk) -> None:
    """Offered, perhaps to two, answered, held now and then, written up."""
    pick = board.pick
    first, second = pick.sample(("olena", "denys"), 2)
    offered = queued + timedelta(seconds=pick.choice((1, 1, 2, 2, 3, 3, 4, 5, 7, 25, 70)))
    if pick.random() < 0.1:
        _offer(board, call, first, offered, offered + RING, OfferOutcome.UNANSWERED)
        first, offered = second, offered + RING
    answered = offered + timedelta(seconds=pick.randint(3, 14))
    _offer(board, call, first, offered, answered, OfferOutcome.ACCEPTED)
    call.user_id = user_id = board.stage.staff[first].id
    ended = answered + timedelta(seconds=pick.randint(70, 320) + (90 if first == "olena" else 0))
    said: dict[str, Any] = {"offered_at": offered, "answered_at": answered, "ended_at": ended}
    if pick.random() < 0.3:
        since = answered + timedelta(seconds=40)
        said["holds"] = {"1": since, "2": since + timedelta(seconds=pick.randint(10, 25))}
    record.note(board.session, call, ended, **said)
    done = ended + timedelta(seconds=pick.randint(12, 60))
    wrap_up.save(
        board.session,
        call,
        user_id=user_id,
        at=done,
        notes=talk.notes[LANGUAGES.index(call.language)],
        reason_id=board.reasons.get(talk.reason),
        product_id=pick.choice(board.products) if pick.random() < 0.6 else None,
        disposition=talk.result if _opened_by(board, call) else Disposition.PROMISED,
    )
    later = done + timedelta(hours=pick.randint(2, 60))
    board.agenda.add(later, partial(_close, board, call, user_id, later))


def _offer(
    board: Switchboard,
    call: Call,
    login: str,
    since: datetime,
    until: datetime,
    outcome: OfferOutcome,
) -> None:
    user_id = board.stage.staff[login].id
    times = {"offered_at": since, "expires_at": since + RING, "closed_at": until}
    board.session.add(Offer(call_id=call.id, user_id=user_id, outcome=outcome, **times))
    board.session.flush()


def _close(board: Switchboard, call: Call, user_id: int, at: datetime) -> None:
    """What was passed on or refused is over, unless the call was one contact of another story."""
    ticket = _opened_by(board, call)
    if ticket is not None and ticket.done_at is None:
        actor = Actor(user_id=user_id)
        actions.set_status(board.session, ticket, Status.RESOLVED, actor=actor, at=at)


def _opened_by(board: Switchboard, call: Call) -> Ticket | None:
    """The call's ticket, unless it has a story of its own."""
    ticket = board.session.get(Ticket, call.ticket_id) if call.ticket_id is not None else None
    return ticket if ticket is not None and ticket.created_at >= call.started_at else None


def _give_up(board: Switchboard, call: Call, queued: datetime, short: bool) -> None:
    """The caller hung up; whoever waited is phoned back, unless it was just now."""
    pick = board.pick
    ended = queued + timedelta(seconds=pick.randint(1, 4) if short else pick.randint(35, 170))
    record.note(board.session, call, ended, ended_at=ended)
    if short:
        return
    soon = ended + timedelta(minutes=pick.randint(20, 150))
    back = worktime.next_open(board.stage.calendar, soon)
    minutes = pick.randint(2, 6)
    done = back + timedelta(minutes=minutes)
    board.agenda.add(done, partial(_call_back, board, call, back, minutes))


def _call_back(board: Switchboard, call: Call, begun: datetime, minutes: int) -> None:
    user_id = board.stage.staff[board.pick.choice(("olena", "denys"))].id
    done = begun + timedelta(minutes=minutes)
    by_hand.log(
        board.session,
        user_id=user_id,
        at=done,
        client_id=call.client_id or 0,
        direction=Direction.OUTBOUND,
        minutes=minutes,
        started_at=begun,
        person_id=call.person_id,
        contact_point_id=call.contact_point_id,
        ticket_id=call.ticket_id,
        queue_id=call.queue_id,
        number=call.from_number,
        task_id=call.task_id,
        disposition=SOLVED,
    )
    board.agenda.add(done, partial(_close, board, call, user_id, done))
