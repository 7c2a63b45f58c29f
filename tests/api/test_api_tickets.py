"""Tickets through the API: opening, finding, changing, explaining."""

from tests.api.conftest import Program
from tests.cast import Cast

ASKED = {
    "subject": "Не працює оплата",
    "text": "Вітаю, карту не приймає.",
    "requester": {"email": "oksana@client.example", "name": "Оксана"},
}


def test_a_ticket_is_opened_for_a_known_client(alice: Program, cast: Cast) -> None:
    ticket = alice.post("/tickets", ASKED)
    assert ticket["number"] == str(ticket["id"] + 10_000)
    assert ticket["status"] == "new" and ticket["priority"] == "normal"
    assert ticket["channel"] == "api" and ticket["language"] == "uk"
    assert ticket["queue"] == {"id": cast.support.id, "name": "Support"}
    assert ticket["client"]["id"] == cast.oksana.client_id
    assert ticket["requester"]["email"] == "oksana@client.example"
    assert alice.get(f"/tickets/{ticket['id']}") == ticket
