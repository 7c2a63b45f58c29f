"""Teams as an administrator sets them up, and whose numbers a supervisor sees."""

import pytest
from sqlalchemy import select

from helpdesk import ext, settings
from helpdesk.accounts.models import ReportScope, Role, Team, User
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.reports.models import AlarmRule, Side
from helpdesk.tickets.models import Queue
from tests.cast import Cast
from tests.web.conftest import Pages
from tests.web.rooms import enter


@pytest.fixture
def ada(pages: Pages) -> Pages:
    return enter(pages, "ada")


def team(name: str) -> tuple[set[str], set[str]]:
    """The people and the queues of a team."""
    with ext.session() as session:
        id_ = session.scalars(select(Team.id).where(Team.name == name)).one()
        people = session.scalars(select(User.name).where(User.team_id == id_))
        return set(people), set(session.scalars(select(Queue.name).where(Queue.team_id == id_)))


def test_a_team_is_made_renamed_deleted_and_taken_back(ada: Pages, cast: Cast) -> None:
    assert "No team yet" in ada.get("/admin/teams").text
    ada.get("/admin/teams/new")
    people = [str(cast.alice.id), str(cast.sam.id)]
    page = ada.post("/admin/teams/new", name=" Front  line ", member=people, queue="1")
    assert page.place == "/admin/teams"
    assert team("Front line") == ({"Alice", "Sam"}, {"Support"})

    page = ada.get("/admin/teams/1")
    assert "checked" in page.one(f"input[@id='f-member{cast.alice.id}']").attrib
    ada.post("/admin/teams/1", name="Care", member=str(cast.bob.id), queue=["1", "2"])
    assert team("Care") == ({"Bob"}, {"Support", "Billing"})

    ada.get("/admin/teams/1")
    page = ada.post("/admin/teams/1/remove")
    assert "The team Care was deleted." in page.text
    with ext.session() as session:
        assert session.scalar(select(Team.id)) is None
        assert session.scalar(select(User.id).where(User.team_id.is_not(None))) is None
    ada.post("/admin/teams/new", name="Care", member=str(cast.bob.id), queue=["1", "2"])
    assert team("Care") == ({"Bob"}, {"Support", "Billing"})
    with ext.session() as session:
        kinds = select(Event.kind).where(Event.kind.startswith("team.")).order_by(Event.id)
        assert session.scalars(kinds).all() == [
            "team.created", "team.changed", "team.deleted", "team.created",
        ]  # fmt: skip


def test_who_joins_a_team_leaves_the_other_one(ada: Pages, cast: Cast) -> None:
    ada.get("/admin/teams/new")
    ada.post("/admin/teams/new", name="One", member=str(cast.alice.id), queue="1")
    page = ada.get("/admin/teams/new")
    assert "now in One" in page.text
    ada.post("/admin/teams/new", name="Two", member=str(cast.alice.id), queue="1")
    assert team("One") == (set(), set())
    assert team("Two") == ({"Alice"}, {"Support"})
    assert "Two" in ada.get("/admin/teams").text


def test_what_cannot_be_is_said_and_what_was_typed_stays(ada: Pages, cast: Cast) -> None:
    ada.get("/admin/teams/new")
    ada.post("/admin/teams/new", name="One")
    ada.get("/admin/teams/new")
    for values, status, told in (
        ({"name": "  "}, 400, "A team needs a name."),
        ({"name": "ONE", "member": "1"}, 409, "There is a team One already."),
        ({"name": "x" * 10_000, "member": "999"}, 400, "Choose one from the list."),
        ({"name": "Two", "queue": "999"}, 400, "Choose one from the list."),
    ):
        page = ada.post("/admin/teams/new", **values)
        assert (page.status, told in page.text) == (status, True)
    assert ada.get("/admin/teams/999").status == 404
    ada.get("/admin/teams/1")
    assert ada.post("/admin/teams/1", name="New", seen="old").status == 409


def test_a_team_that_an_alarm_watches_is_not_deleted(ada: Pages, cast: Cast) -> None:
    ada.get("/admin/teams/new")
    ada.post("/admin/teams/new", name="One")
    with ext.write() as session:
        session.add(
            AlarmRule(name="Late", measure="backlog", team_id=1, side=Side.OVER, threshold=1,
                      role=Role.SUPERVISOR, created_by=cast.ada.id, created_at=now())
        )  # fmt: skip
    ada.get("/admin/teams/1")
    page = ada.post("/admin/teams/1/remove")
    assert page.status == 409
    assert "An alarm rule watches this team." in page.text


def test_the_staff_page_says_the_team_and_whose_numbers_are_seen(ada: Pages, cast: Cast) -> None:
    ada.get("/admin/teams/new")
    ada.post("/admin/teams/new", name="One")
    path = f"/admin/staff/{cast.sam.id}"
    assert "No team" in ada.get(path).text
    ada.post(path, team="1", reports="team")
    with ext.session() as session:
        sam = session.get_one(User, cast.sam.id)
        assert (sam.team_id, sam.reports) == (1, ReportScope.TEAM)
        changed = select(Event.data).where(Event.kind == "user.changed").order_by(Event.id)
        assert session.scalars(changed).all()[-1]["fields"] == ["reports", "team_id"]
    ada.get(path)
    assert ada.post(path, team="77").status == 400
    assert ada.post(path, reports="some").status == 400


def test_norms_and_the_period_of_report_files_are_set(ada: Pages, cast: Cast) -> None:
    ada.get("/admin/settings")
    ada.post("/admin/settings", norm_least="0", norm_most="12", retention_report_days="7")
    with ext.session() as session:
        names = ("norm_least", "norm_most", "retention_report_days")
        assert [settings.get(session, name) for name in names] == [0, 12, 7]
    ada.get("/admin/settings")
    page = ada.post("/admin/settings", norm_most="1001")
    assert (page.status, "A number from 0 to 1000 fits here." in page.text) == (400, True)
    assert ada.post("/admin/settings", norm_least="few").status == 400
