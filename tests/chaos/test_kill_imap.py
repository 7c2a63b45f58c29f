"""kill -9 of the fetcher of mailboxes between storing and marking: no email is lost or doubled."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from helpdesk import ext
from helpdesk.app import create_app
from helpdesk.events import SYSTEM
from helpdesk.intake import imap_boxes
from helpdesk.intake.imap_boxes import Wanted
from helpdesk.intake.models import ImapAfter, ImapTls
from helpdesk.lib.clock import now
from tests.conftest import Template, make_config
from tests.dovecot import PASSWORD, USER, Dovecot
from tests.intake.mails import mail
from tests.product import Product, until
from tests.spawn import Spawner

DEATHS = 3

pytestmark = pytest.mark.chaos


def set_up(folder: Path, dovecot: Dovecot) -> None:
    """A mailbox whose emails are moved away when they are ours."""
    app = create_app(make_config(folder))
    with app.app_context():
        with ext.write() as session:
            imap_boxes.add_box(
                session,
                Wanted(
                    address="support@example.com",
                    host="localhost",
                    port=dovecot.port,
                    tls=ImapTls.PLAIN,
                    username=USER,
                    password=PASSWORD,
                    folder="INBOX",
                    after=ImapAfter.MOVE,
                    move_to="Done",
                ),
                since=now(),
                secret=app.config["SECRET_KEY"].encode(),
                at=now(),
                actor=SYSTEM,
            )
        ext.db.engine.dispose()


def test_killed_between_storing_and_marking(
    templates: dict[str, Template], tmp_path: Path, spawner: Spawner
) -> None:
    shutil.copy(templates["sqlite"].peopled, tmp_path / "helpdesk.db")
    env = {"HELPDESK_TEST_DEATHS": str(DEATHS)}
    product = Product(tmp_path, module="tests.chaos.dying_fetcher", spawner=spawner, **env)
    dovecot = Dovecot()
    try:
        set_up(tmp_path, dovecot)
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
