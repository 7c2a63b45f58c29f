"""The product whose fetcher of mailboxes is killed after it stored emails, before it marks them.

It dies HELPDESK_TEST_DEATHS times, counted in a file of the data folder.
"""

import os
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from helpdesk import cli
from helpdesk.intake import imap_service, imap_state
from helpdesk.intake.imap import Connection

deaths = Path(os.environ["HELPDESK_DATA_DIR"]) / "deaths"
marked = Connection.mark


def die(self: Connection, uids: Sequence[int], *rest: Any) -> None:
    died = len(deaths.read_bytes()) if deaths.exists() else 0
    if died < int(os.environ["HELPDESK_TEST_DEATHS"]):
        deaths.write_bytes(b"x" * (died + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    marked(self, uids, *rest)


Connection.mark = die  # type: ignore[method-assign]
imap_state.CLAIM = timedelta(seconds=1)
imap_service.RENEW_SECONDS = imap_service.LOOK_SECONDS = 0.2

if __name__ == "__main__":
    sys.exit(cli.main())
