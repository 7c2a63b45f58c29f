"""kill -9 of the fetcher of mailboxes between storing and marking: no email is lost or doubled."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from helpdesk import ext
from helpdesk.app import create_app
from helpdesk.intake.models import ImapAfter
from tests.conftest import Template, make_config
from tests.dovecot import Dovecot, set_up
from tests.intake.mails import mail
from tests.product import Product, until
from tests.spawn import Spawner

DEATHS = 3

pytestmark = pytest.mark.chaos


def test_killed_between_storing_and_marking(
    templates: dict[str, Template], tmp_path: Path, spawner: Spawner
) -> None:
    shutil.copy(templates["sqlite"].peopled, tmp_path / "helpdesk.db")
    env = {"HELPDESK_TEST_DEATHS": str(DEATHS)}
    product = Product(tmp_path, module="tests.chaos.dying_fetcher", spawner=spawner, **env)
    dovecot = Dovecot()
    try:
        app = create_app(make_config(tmp_path))
        with app.app_context():
            set_up(app, dovecot, after=ImapAfter.MOVE, move_to="Done")
            ext.db.engine.dispose()
        emails = [mail(f"{n}\r\n", Message_ID=f"<{n}@client.example>") for n in range(120)]
        dovecot.deliver(*emails)
        with product.running("imap"):
            until(lambda: (tmp_path / "deaths").exists())
            until(lambda: dovecot.count("ALL") == 0)
        assert (tmp_path / "deaths").stat().st_size == DEATHS
        stored = Counter(row[0] for row in product.rows("SELECT raw FROM delivery"))
        assert stored == Counter(emails)
        assert dovecot.count("ALL", "Done") == len(emails)
    finally:
        dovecot.close()
