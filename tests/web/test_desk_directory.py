"""Who works where, read in one statement."""

from helpdesk import ext
from helpdesk.accounts.actions import change_user
from helpdesk.accounts.models import Role, User
from helpdesk.accounts.permissions import Viewer
from helpdesk.events import SYSTEM
from helpdesk.tickets.models import Queue
from helpdesk.web.cached import keep, put, recount
from helpdesk.web.desk.directory import directory, open_queues, workers_of
from tests.cast import Cast
from tests.web.conftest import Pages, counted


def test_a_queue_is_worked_by_its_members_and_by_who_sees_all(pages: Pages, cast: Cast) -> None:
    with ext.write() as session:
        change_user(session, session.get_one(User, cast.sam.id), actor=SYSTEM, active=False)
        session.get_one(Queue, cast.billing.id).active = False
    with pages.app.test_request_context(), counted() as sent:
        found = directory()
        assert [name for _id, name in workers_of(cast.billing.id)] == ["Ada", "Alice", "Bob"]
        assert [name for _id, name in workers_of(cast.support.id)] == ["Ada", "Alice"]
        assert found.user_names[cast.sam.id] == "Sam"
        assert found.queue_names[cast.billing.id] == "Billing"
        bob = Viewer(cast.bob.id, Role.AGENT, frozenset({cast.billing.id}))
        everybody = Viewer(cast.ada.id, Role.ADMIN, None)
        assert open_queues(bob) == []
        assert [name for _id, name in open_queues(everybody)] == ["Support"]
    assert len(sent) == 1


def test_a_change_counts_anew_and_keeps_the_rest(pages: Pages) -> None:
    with pages.app.test_request_context():
        put(("counts", 1), 60, "old")
        put("directory", 60, "kept")
        recount()
        assert keep(("counts", 1), 60, lambda: "new") == "new"
        assert keep("directory", 60, lambda: "new") == "kept"
