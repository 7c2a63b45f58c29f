"""What callers of the tests meet: a client with a phone, two articles that can be read out."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk import ext
from helpdesk.calls import menus
from helpdesk.clients.actions import add_contact_point
from helpdesk.clients.match import Known
from helpdesk.clients.models import Person
from helpdesk.events import Event
from helpdesk.kb.actions import add_translation, create_article
from helpdesk.kb.checks import Content
from helpdesk.kb.models import Article, State
from helpdesk.lib.clock import now
from helpdesk.tickets.content import Content as Words
from helpdesk.tickets.models import Channel
from helpdesk.tickets.received import add_message, open_ticket
from tests.calls.line import KYIV
from tests.cast import Cast


@pytest.fixture
def oksana(cast: Cast) -> Known:
    """Oksana has a phone, a mailbox and Ukrainian."""
    with ext.write() as session:
        person = session.get_one(Person, cast.oksana.person_id)
        person.vocative = "Оксано"
        add_contact_point(session, person, kind="phone", value=KYIV, country="UA", at=now())
    return cast.oksana


@pytest.fixture
def shelf(cast: Cast) -> Cast:
    """Two articles with texts for the phone; one of them also in Russian."""
    with ext.write() as session:
        text = create_article(
            session,
            Content("Скільки коштує доставка", "Доставка: 90 ₴.", voice="Дев’яносто гривень."),
            lang="uk", key="delivery", state=State.PUBLIC, at=now(),
        )  # fmt: skip
        article = session.get_one(Article, text.article_id)
        russian = Content("Сколько стоит доставка", "Доставка: 90 ₴.", voice="Девяносто гривен.")
        add_translation(
            session, article, russian, lang="ru", state=State.PUBLIC, at=now()
        )  # fmt: skip
        create_article(
            session,
            Content("Як почистити кавомашину", "Раз на місяць.", voice="Чистіть раз на місяць."),
            lang="uk", key="coffee", state=State.PUBLIC, at=now(),
        )  # fmt: skip
        menus.save(
            session,
            None,
            choices=[
                {"digit": "1", "action": "answer", "article": "delivery"},
                {"digit": "2", "action": "speech"},
                {"digit": "3", "action": "status"},
                {"digit": "4", "action": "queue", "queue_id": cast.billing.id, "skill": "money"},
            ],
            at=now(),
        )
    return cast


def ticket(cast: Cast, who: Known, *, subject: str = "Secret") -> int:
    """An email of this client opened it; its id."""
    with ext.write() as session:
        id_ = open_ticket(
            session, queue_id=cast.support.id, who=who, subject=subject, channel=Channel.EMAIL,
            language="uk", at=now(),
        )  # fmt: skip
        words = Words(text="Private words", subject=subject)
        add_message(
            session, id_, words, who=who, channel=Channel.EMAIL, at=now(), first=True
        )  # fmt: skip
    return id_


def events(kind: str) -> list[dict[str, Any]]:
    """What the Events of this kind hold, in their order."""
    with ext.session() as session:
        rows = session.scalars(select(Event.data).where(Event.kind == kind).order_by(Event.id))
        return list(rows)
