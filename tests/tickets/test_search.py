"""Search by number, name, phone, address and words, in English, Russian and Ukrainian."""

import pytest

from helpdesk import ext
from helpdesk.clients.actions import add_contact_point, change_client
from helpdesk.clients.models import Client, Person
from helpdesk.clients.search import find_clients
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel
from helpdesk.tickets.received import add_message, open_ticket
from helpdesk.tickets.search import find_ticket_ids
from tests.cast import Cast

TEXTS = {
    "uk": ("Рахунок за листопад", "Надішліть, будь ласка, рахунки для договору з доставкою."),
    "ru": ("Возврат денег", "Курьер привёз сломанную лампу, верните деньги за заказ РХ-2024."),
    "en": ("Broken lamp", "The delivered lamps were broken, I want my payment refunded."),
}


@pytest.fixture
def tickets(cast: Cast) -> dict[str, int]:
    """One ticket in each language from Oksana."""
    opened = {}
    with ext.write() as session:
        for language, (subject, text) in TEXTS.items():
            opened[language] = open_ticket(
                session,
                queue_id=cast.support.id,
                who=cast.oksana,
                subject=subject,
                channel=Channel.EMAIL,
                language=language,
                at=now(),
            )
            content = Content(text=text, subject=subject)
            add_message(
                session,
                opened[language],
                content,
                who=cast.oksana,
                channel=Channel.EMAIL,
                at=now(),
                first=True,
            )
    return opened


def find(query: str) -> list[int]:
    with ext.session() as session:
        return find_ticket_ids(session, query, country="UA")


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("рахунку", "uk"),
        ("договори", "uk"),
        ("доставка рахунок", "uk"),
        ("листопаді", "uk"),
        ("сломанная лампа", "ru"),
        ("курьера", "ru"),
        ("рх-2024", "ru"),
        ("вернуть деньги", "ru"),
        ("привез", "ru"),
        ("refund payments", "en"),
        ("delivering broken", "en"),
        ("deliv", "en"),
    ],
)
def test_words_are_found_in_other_forms(tickets: dict[str, int], query: str, language: str) -> None:
    assert tickets[language] in find(query)


def test_all_words_must_be_there(tickets: dict[str, int]) -> None:
    assert find("лампа договор") == []


@pytest.mark.parametrize("form", ["{}", "№ {}", "#{}", "№{}"])
def test_a_ticket_is_found_by_its_number(tickets: dict[str, int], form: str) -> None:
    assert find(form.format(tickets["ru"] + 10_000))[0] == tickets["ru"]


@pytest.mark.parametrize(
    "query", ["oksana@client.example", "OKSANA@client.example", "Литвиненко", "оксан", "oksana"]
)
def test_tickets_are_found_by_their_client(tickets: dict[str, int], query: str) -> None:
    assert set(find(query)) == set(tickets.values())


@pytest.mark.parametrize(
    "query", ["+380 67 123-45-67", "067 123 45 67", "0671234567", "671234567", "45-67", "4567"]
)
def test_tickets_are_found_by_phone_in_any_spelling(
    tickets: dict[str, int], cast: Cast, query: str
) -> None:
    with ext.write() as session:
        person = session.get_one(Person, cast.oksana.person_id)
        add_contact_point(
            session, person, kind="phone", value="+380671234567", country="UA", at=now()
        )
    assert set(find(query)) == set(tickets.values())


@pytest.mark.parametrize("query", ["+380 50 765 43 21", "0507654321", "neighbour@else.example"])
def test_a_number_or_address_of_no_client_is_found_in_the_text(cast: Cast, query: str) -> None:
    text = "Call my neighbour: 050 765 43 21, neighbour@else.example"
    with ext.write() as session:
        ticket = open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="",
            channel=Channel.EMAIL,
            language="en",
            at=now(),
        )
        add_message(
            session,
            ticket,
            Content(text=text),
            who=cast.oksana,
            channel=Channel.EMAIL,
            at=now(),
            first=True,
        )
    assert find(query) == [ticket]


def test_a_renamed_client_is_found_by_the_new_name_only(cast: Cast) -> None:
    with ext.write() as session:
        client = session.get_one(Client, cast.oksana.client_id)
        change_client(session, client, actor=Actor(), at=now(), name="Оксана Шевченко")
    with ext.session() as session:
        assert [c.id for c in find_clients(session, "Шевченко", country="UA")] == [
            cast.oksana.client_id
        ]


@pytest.mark.parametrize("query", ["", "   ", "'", '"', "* AND (", "№", "%", "\\", "x" * 5000, "é́"])
def test_odd_queries_find_nothing_and_break_nothing(tickets: dict[str, int], query: str) -> None:
    assert find(query) == []
