"""The demo's telephone: what callers of the shop hear and may choose."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from helpdesk.calls import menus
from helpdesk.events import Actor
from helpdesk.tickets.models import Queue

GREETINGS = {
    "uk": "Вітаємо, це магазин Світло.",
    "ru": "Здравствуйте, это магазин Светло.",
    "en": "Hello, this is Svitlo.",
}
PARCEL = {"uk": "Де моя посилка", "ru": "Где моя посылка", "en": "Where your parcel is"}
MONEY = {
    "uk": "Оплата й повернення грошей",
    "ru": "Оплата и возврат денег",
    "en": "Payments and refunds",
}
CONSENT = {
    "uk": "Розмову записуємо, щоб перевірити, про що домовилися.",
    "ru": "Разговор записываем, чтобы проверить, о чём договорились.",
    "en": "We record the talk, so that we can check what was agreed.",
}


def load(session: Session, queues: Mapping[str, Queue], at: datetime, boss_id: int) -> None:
    """Write the menu that all numbers of the shop have: four keys, a person, another language."""
    menus.save(
        session,
        None,
        at=at,
        actor=Actor(user_id=boss_id),
        greetings=GREETINGS,
        consent=CONSENT,
        recording=True,
        choices=[
            {"digit": "1", "action": "answer", "article": "track-parcel", "labels": PARCEL},
            {"digit": "2", "action": "speech"},
            {"digit": "3", "action": "status"},
            {"digit": "4", "action": "queue", "queue_id": queues["billing"].id, "labels": MONEY},
        ],
        max_wait_seconds=600,
    )
