"""A small knowledge base for tests of customers' pages."""

from dataclasses import dataclass

import pytest

from helpdesk import ext
from helpdesk.kb.actions import add_translation, create_article
from helpdesk.kb.categories import create_category
from helpdesk.kb.checks import Content
from helpdesk.kb.models import Article, State
from helpdesk.lib.clock import now
from tests.cast import Cast

PARCEL = """Open “My orders” and press “Track”.

## If it stands still

1. Wait a day.
2. Write to us. See [refunds](article:refund).

| Carrier | Days |
| --- | ---: |
| Post | 3 |
"""


@dataclass(frozen=True)
class Shelf:
    """Ids of what is there: two articles in Delivery, one in Payment; drafts are nobody's."""

    parcel: int
    refund: int
    cost: int
    draft: int
    delivery: int
    payment: int


@pytest.fixture
def shelf(cast: Cast) -> Shelf:
    at = now()
    with ext.write() as session:

        def category(key: str, icon: str, **names: str) -> int:
            return create_category(session, names, key=key, icon=icon, at=at).id

        def write(key: str, title: str, body: str, place: int, **more: object) -> int:
            content = Content(title, body, tuple(str(more.get("words", "")).split()), "")
            state = State.DRAFT if more.get("draft") else State.PUBLIC
            return create_article(
                session, content, lang="en", key=key, category_id=place, state=state, at=at
            ).article_id

        delivery = category("delivery", "truck-delivery", en="Delivery", uk="Доставка")
        payment = category("payment", "credit-card", en="Payment", uk="Оплата", ru="Оплата")
        category("nothing", "tool", en="Empty topic")
        parcel = write("parcel", "Where is my parcel", PARCEL, delivery, words="track tracking")
        cost = write("cost", "What delivery costs", "Delivery costs 90 hryvnias.", delivery)
        refund = write("refund", "When a refund comes", "Within three days.", payment)
        draft = write("draft", "Secret bonus", "Nobody knows.", payment, draft=True)
        article = session.get_one(Article, parcel)
        add_translation(
            session,
            article,
            Content("Де моя посилка", "Відкрийте «Мої замовлення».", (), ""),
            lang="uk",
            at=at,
            state=State.PUBLIC,
        )
    return Shelf(parcel, refund, cost, draft, delivery, payment)
