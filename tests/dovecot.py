"""A real Dovecot on ports of its own, with one mailbox and a certificate of its own making."""

import imaplib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask

from helpdesk import ext
from helpdesk.events import SYSTEM
from helpdesk.intake import imap_boxes
from helpdesk.intake.imap_boxes import Wanted
from helpdesk.intake.models import ImapAfter, ImapTls
from helpdesk.lib.clock import now
from tests.product import TIED, group, until

USER, PASSWORD = "support", "canary-pässword-1"
CONF = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
{users}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{folder}/mail
mail_fsync = never
auth_failure_delay = 0
disable_plaintext_auth = no
ssl = {ssl}
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
{more}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
"""


def quiet_port() -> int:
    """A free port that the system gives to no client: one that tries again and again while nobody
    listens would at last be connected to itself, and hold the port."""
    while True:
        port = random.randint(20_000, 32_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class Dovecot:
    """It may be killed and started again: its mail stays."""

    def __init__(self, *, ssl: str = "yes", more: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dovecot"))
        self.port, self.tls_port = quiet_port(), quiet_port()
        root = os.geteuid() == 0
        self.owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
        me = self.owner.pw_name
        users = "" if root else f"default_internal_user = {me}\ndefault_login_user = {me}"
        self.folder.chmod(0o755)
        for name in ("mail", "home"):
            self._own(self.folder / name, make=True)
        self._certificate()
        (self.folder / "conf").write_text(
            CONF.format(
                folder=self.folder,
                users=users,
                ssl=ssl,
                more=more,
                port=self.port,
                tls_port=self.tls_port,
                password=PASSWORD,
                uid=self.owner.pw_uid,
                gid=self.owner.pw_gid,
            )
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.put = 0
        self.start()

    @property
    def certificate(self) -> Path:
        return self.folder / "cert.pem"

    def start(self) -> None:
        """Again where it ends at once, e.g. since the port of the one that was killed is not free
        yet, or where what it forked in between does not answer."""
        for _attempt in range(10):
            (self.folder / "run" / "master.pid").unlink(missing_ok=True)
            self._start()
            with suppress(AssertionError):
                until(self._answers, 3)
                return
            self.kill()
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def _start(self) -> None:
        command = [*TIED, "/usr/sbin/dovecot", "-F", "-c", str(self.folder / "conf")]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)

    def kill(self) -> None:
        """SIGKILL to all of it at once."""
        assert self.process is not None
        leader = self.process.pid
        while living := group(leader):  # one may have been born while the others were killed
            for pid in living:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.poll()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def deliver(self, *emails: bytes, at: datetime | None = None, folder: str = "") -> None:
        """Put emails into the mailbox as a delivery agent does; `at`: when they came, else now."""
        place = self.folder / "mail" / (f".{folder}" if folder else "")
        for part in ("", "tmp", "new", "cur"):
            self._own(place / part, make=True)
        moment = (at or now()).timestamp()
        for raw in emails:
            self.put += 1
            path = place / "tmp" / f"{1_700_000_000 + self.put}.{self.put}.here"
            path.write_bytes(raw)
            self._own(path)
            os.utime(path, (moment, moment))
            path.rename(place / "new" / path.name)

    def empty(self) -> None:
        """No mail, no other folders."""
        shutil.rmtree(self.folder / "mail", ignore_errors=True)
        self._own(self.folder / "mail", make=True)

    def forget(self) -> None:
        """Make the folder anew with the same mail: other UIDs under another UIDVALIDITY."""
        for path in (self.folder / "mail").glob("dovecot*"):
            if path.is_file():
                path.unlink()

    @contextmanager
    def client(self) -> Iterator[imaplib.IMAP4]:
        """A mail program of somebody."""
        with imaplib.IMAP4("127.0.0.1", self.port) as client:
            client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
            yield client

    def count(self, what: str, folder: str = "INBOX") -> int:
        """How many emails of a folder are e.g. SEEN or ALL."""
        with self.client() as client:
            client.select(folder, readonly=True)
            return len(client.search(None, what)[1][0].split())

    def _answers(self) -> bool:
        try:
            with imaplib.IMAP4("127.0.0.1", self.port, timeout=2):
                return True
        except (OSError, imaplib.IMAP4.error):
            return False

    def _own(self, path: Path, *, make: bool = False) -> None:
        if make:
            path.mkdir(exist_ok=True)
        os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def _certificate(self) -> None:
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        command += " -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
        files = ["-keyout", str(self.folder / "key.pem"), "-out", str(self.certificate)]
        subprocess.run([*command.split(), *files], check=True, capture_output=True)


def set_up(app: Flask, dovecot: Dovecot, since: datetime | None = None, **changes: Any) -> int:
    """A mailbox of it that is to be fetched; its id. `changes` of what is wanted."""
    wanted = Wanted(
        address="support@example.com",
        host="localhost",
        port=dovecot.port,
        tls=ImapTls.PLAIN,
        username=USER,
        password=PASSWORD,
        folder="INBOX",
        after=ImapAfter.LEAVE,
        move_to="",
    )
    with ext.write() as session:
        box = imap_boxes.add_box(
            session,
            replace(wanted, **changes),
            since=since or now(),
            secret=app.config["SECRET_KEY"].encode(),
            at=now(),
            actor=SYSTEM,
        )
        return box.id
