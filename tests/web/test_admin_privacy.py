"""An administrator gives a client their data, or erases it for good."""

from helpdesk import ext
from helpdesk.clients.models import Client
from tests.web.conftest import Desk, Pages


def address(desk: Desk, tail: str) -> str:
    return f"/admin/clients/{desk.cast.oksana.client_id}/{tail}"


def test_everything_known_comes_as_one_file(desk: Desk, pages: Pages) -> None:
    desk.ticket(subject="Лампа")
    pages.log_in("ada")
    page = pages.get(address(desk, "privacy"))
    assert "Оксана Литвиненко" in page.text
    response = pages.client.get(address(desk, "export"))
    assert "oksana@client.example" in response.text
    assert response.headers["Content-Disposition"].startswith("attachment")


def test_erasing_needs_the_name_and_leaves_nothing(desk: Desk, pages: Pages) -> None:
    desk.ticket(subject="Лампа")
    pages.log_in("ada")
    pages.get(address(desk, "privacy"))
    refused = pages.post(address(desk, "erase"), name="somebody")
    assert (refused.status, "exactly" in refused.text) == (400, True)
    assert pages.post(address(desk, "erase"), name="Оксана Литвиненко").status == 200
    with ext.session() as session:
        client = session.get_one(Client, desk.cast.oksana.client_id)
        assert (client.name, client.erased_at is not None) == ("", True)
    assert pages.get(address(desk, "privacy")).status == 404


def test_agents_are_not_offered_it(desk: Desk, alice: Pages) -> None:
    page = alice.get(f"/desk/clients/{desk.cast.oksana.client_id}")
    assert "erase" not in page.html.lower()
    assert alice.get(address(desk, "privacy")).status == 404
