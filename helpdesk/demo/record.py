"""The demo's client records: products, what clients bought and own, what they owe, what was noted.

Amounts are in kopecks.
"""

import random
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import files
from helpdesk.clients import fact_actions
from helpdesk.clients.actions import change_client
from helpdesk.clients.billing import put_invoice, put_purchase
from helpdesk.clients.items import put_item
from helpdesk.clients.models import Client, ClientKind
from helpdesk.demo import drawn
from helpdesk.demo.stage import Stage
from helpdesk.events import SYSTEM
from helpdesk.fields import FieldKind, FieldScope, create_field, seed_fields
from helpdesk.products import Product, create_product
from helpdesk.surveys import Rating
from helpdesk.tickets.models import Message, Status, Ticket, TicketKind
from helpdesk.tickets.reasons import seed_reasons, tree

# name | group | price in UAH | months of warranty
PRODUCTS = """
Nordhaus W7 | Пральні машини | 18900 | 24
Nordhaus W6 Slim | Пральні машини | 15400 | 24
Veltra Wash 700 | Пральні машини | 21600 | 24
Veltra Dry 7 | Сушильні машини | 24900 | 24
Khvylia 45 | Посудомийні машини | 16800 | 24
Khvylia 60 Inbox | Посудомийні машини | 22300 | 24
Nordhaus D8 | Посудомийні машини | 19700 | 24
Ostriv 320 | Холодильники | 23400 | 24
Ostriv 360 NoFrost | Холодильники | 31200 | 24
Kalyna 60E | Духові шафи | 14200 | 24
Kalyna 60 Pro | Духові шафи | 19900 | 24
Kalyna Induct 4 | Варильні поверхні | 12600 | 24
Bryz 09 | Кондиціонери | 21500 | 24
Bryz 12 Inverter | Кондиціонери | 28700 | 24
Teplo 80 | Бойлери | 9800 | 24
Zharyna 24 | Котли | 36500 | 24
Obriy 43 | Телевізори | 15900 | 24
Veltra AirFry 5 | Кухонна техніка | 4200 | 12
Zorya Mini | Кухонна техніка | 3900 | 12
Zorya 600 | Кухонна техніка | 1900 | 12
Mlyn 3 | Кухонна техніка | 2600 | 12
Vykhor 2 | Пилососи | 5200 | 12
Vykhor R1 | Пилососи | 11900 | 12
Vykhor R2 Max | Пилососи | 17400 | 12
"""
# The beginning of a tag -> the reason's key.
REASONS = {
    "ремонт": "warranty-repair",
    "repair": "warranty-repair",
    "warranty": "warranty-repair",
    "доставк": "delivery-terms",
    "delivery": "delivery-terms",
    "оплат": "payment-failed",
    "payment": "payment-failed",
    "рахун": "payment-invoice",
    "счет": "payment-invoice",
    "документ": "payment-invoice",
    "document": "payment-invoice",
    "повернен": "return-goods",
    "возврат": "return-goods",
    "return": "return-goods",
    "консультац": "before-purchase-choice",
    "how-to": "product-use",
    "монтаж": "product-use",
    "installation": "product-use",
    "запчаст": "product-parts",
    "spare": "product-parts",
    "акці": "before-purchase-price",
    "бонус": "account",
    "личный": "account-login",
    "персональн": "account-privacy",
    "дані": "account-change",
    "заказ": "order-change",
}
KINDS = {
    "скарга": TicketKind.COMPLAINT,
    "жалоба": TicketKind.COMPLAINT,
    "complaint": TicketKind.COMPLAINT,
    "рекламац": TicketKind.COMPLAINT,
    "благодарност": TicketKind.THANKS,
    "подяка": TicketKind.THANKS,
    "консультац": TicketKind.QUESTION,
    "how-to": TicketKind.QUESTION,
    "запрос": TicketKind.REQUEST,
}
TOWNS = ("Київ", "Львів", "Одеса", "Дніпро", "Харків", "Полтава", "Черкаси")
INDUSTRY = {"en": "Industry", "ru": "Отрасль", "uk": "Галузь"}
INDUSTRIES = {
    "uk": ("готелі", "ресторани", "будівництво", "торгівля"),
    "ru": ("гостиницы", "рестораны", "строительство", "торговля"),
    "en": ("hotels", "restaurants", "construction", "trade"),
}
JOBS = {
    "uk": ("учителька", "лікар", "інженер", "підприємець", "бухгалтерка"),
    "ru": ("учитель", "врач", "инженер", "предприниматель", "бухгалтер"),
    "en": ("teacher", "designer", "engineer", "consultant", "translator"),
}
NOTES = {
    "uk": "Просить дзвонити після 18:00. Цікавиться акціями на пилососи.",
    "ru": "Просит звонить после 18:00. Интересуется акциями на пылесосы.",
    "en": "Prefers emails to calls. Asked about an extended warranty.",
}
PROMISES = {
    "uk": "Повідомити, коли надійде фільтр",
    "ru": "Сообщить, когда придёт фильтр",
    "en": "Let them know when the filter is in stock",
}
SAID = {
    5: {"uk": "Швидко й по суті, дякую", "ru": "Быстро и по делу, спасибо", "en": "Quick and kind"},
    2: {"uk": "Довго чекали", "ru": "Долго ждали ответа", "en": "It took too long"},
}


def prepare(session: Session, at: datetime) -> None:
    """What stands before the first ticket: fields, reasons, products."""
    seed_fields(session)
    create_field(
        session, key="industry", labels=INDUSTRY, kind=FieldKind.TEXT,
        scope=FieldScope.ORGANISATION, wanted=True,
    )  # fmt: skip
    seed_reasons(session)
    for number, line in enumerate(PRODUCTS.strip().splitlines(), 1):
        name, group, _price, _months = (part.strip() for part in line.split("|"))
        create_product(session, name=name, group=group, sku=f"SV-{number:03}", at=at)


def fill(session: Session, stage: Stage, at: datetime, pick: random.Random) -> None:
    """Give the clients their past, and the tickets their reasons, products and ratings."""
    for client in session.scalars(select(Client).order_by(Client.id)).all():
        _client(session, stage, client, at, pick)
    _classify(session)
    _rate(session, at, pick)


def _client(
    session: Session, stage: Stage, client: Client, at: datetime, pick: random.Random
) -> None:
    language = client.language or "uk"
    _profile(session, client, language, pick)
    if not client.potential:
        for n in range(pick.choice((1, 1, 2, 3))):
            _purchase(session, client, at, n, pick)
    boss, agent = stage.staff["maryna"].id, stage.staff["olena"].id
    if client.id % 6 == 1:
        text = NOTES[language]
        fact_actions.add_note(session, client, text, user_id=agent, at=at - timedelta(days=9))
    if client.id % 8 == 1:
        due = at + timedelta(hours=20) if client.id % 16 == 1 else at - timedelta(hours=5)
        fact_actions.make_promise(
            session, client, PROMISES[language],
            due_at=due, user_id=boss, at=at - timedelta(days=2),
        )  # fmt: skip
    if client.kind == ClientKind.ORGANISATION and client.id % 2:
        data = drawn.pdf(client.id)
        fact_actions.add_document(
            session, client, sha256=files.put(data), size=len(data), filename="contract.pdf",
            content_type="application/pdf", actor=SYSTEM, at=at - timedelta(days=30),
        )  # fmt: skip


def _profile(session: Session, client: Client, language: str, pick: random.Random) -> None:
    person = client.kind == ClientKind.PERSON
    profile = _of_person(language, pick) if person else _of_organisation(client.id, language)
    change_client(session, client, actor=SYSTEM, at=client.created_at, profile=profile)


def _of_person(language: str, pick: random.Random) -> dict[str, Any]:
    profile: dict[str, Any] = {"residence": pick.choice(TOWNS)}
    if pick.random() < 0.7:
        profile["occupation"] = pick.choice(JOBS[language])
    if pick.random() < 0.5:
        born = date(pick.randrange(1955, 2003), pick.randrange(1, 13), pick.randrange(1, 28))
        profile["birthday"] = born.isoformat()
    return profile


def _of_organisation(client_id: int, language: str) -> dict[str, Any]:
    """Of some the industry is not known: a gap to fill."""
    return {"industry": INDUSTRIES[language][client_id % 4]} if client_id % 5 else {}


def _purchase(session: Session, client: Client, at: datetime, n: int, pick: random.Random) -> None:
    line = pick.choice(PRODUCTS.strip().splitlines())
    name, _group, price, months = (part.strip() for part in line.split("|"))
    product = session.scalars(select(Product).where(Product.name == name)).one()
    moment = at - timedelta(days=pick.randrange(5, 500), minutes=pick.randrange(600))
    bought = moment.date()
    by: dict[str, Any] = {"actor": SYSTEM, "at": moment}
    count = pick.choice((2, 3)) if client.kind == ClientKind.ORGANISATION else 1
    amount = int(price) * 100 * count
    number = f"SV-{client.id:03}{n}{pick.randrange(10, 99)}"
    put_purchase(
        session, client,
        {
            "external_id": number, "bought_on": bought, "title": name, "product_id": product.id,
            "quantity": count, "amount": amount, "currency": "UAH",
            "paid_by": pick.choice(("card", "cash", "instalments")),
        },
        **by,
    )  # fmt: skip
    put_item(
        session, client,
        {
            "product_id": product.id, "serial": f"{pick.randrange(10**9, 10**10)}",
            "bought_on": bought, "warranty_until": bought + timedelta(days=int(months) * 365 // 12),
        },
        **by,
    )  # fmt: skip
    if client.kind == ClientKind.ORGANISATION:
        _invoice(session, client, number, bought, amount, pick, by)


def _invoice(
    session: Session,
    client: Client,
    number: str,
    issued: date,
    amount: int,
    pick: random.Random,
    by: dict[str, Any],
) -> None:
    paid = pick.random() < 0.7
    due = issued + timedelta(days=14)
    values = {
        "external_id": f"INV-{number}", "issued_on": issued, "due_on": due,
        "amount": amount, "currency": "UAH", "paid": amount if paid else 0,
    }  # fmt: skip
    if paid:
        values["paid_on"] = due - timedelta(days=pick.randrange(1, 10))
    put_invoice(session, client, values, **by)


def _classify(session: Session) -> None:
    """Reasons and kinds by the tags, products by the words of the subject."""
    known = tree(session)
    ids = {reason.key: reason.id for reason in known}
    products = {product.name: product.id for product in session.scalars(select(Product))}
    for ticket in session.scalars(select(Ticket)):
        for tag in ticket.tags:
            key = next((key for start, key in REASONS.items() if tag.startswith(start)), "")
            ticket.reason_id = ticket.reason_id or ids.get(key)
            kind = next((kind for start, kind in KINDS.items() if tag.startswith(start)), None)
            ticket.kind = ticket.kind or kind
        named = (id_ for name, id_ in products.items() if name in ticket.subject)
        ticket.product_id = next(named, None)
    session.flush()


def _rate(session: Session, at: datetime, pick: random.Random) -> None:
    """Every third client says what they think of the answer."""
    done = select(Ticket).where(Ticket.status.in_([Status.RESOLVED, Status.CLOSED]))
    for ticket in session.scalars(done.order_by(Ticket.id)).all():
        if ticket.resolved_at is None or pick.random() > 0.35:
            continue
        score = pick.choice((5, 5, 5, 4, 4, 3, 2))
        said = SAID.get(score, {}).get(ticket.language or "", "") if pick.random() < 0.4 else ""
        author = select(Message.user_id).where(
            Message.ticket_id == ticket.id, Message.user_id.is_not(None)
        )
        session.add(
            Rating(
                ticket_id=ticket.id,
                person_id=ticket.person_id,
                user_id=session.scalar(author.order_by(Message.id.desc()).limit(1)),
                score=score,
                comment=said,
                at=min(at, ticket.resolved_at + timedelta(hours=2)),
            )
        )
    session.flush()
