"""The real product as a process group that a test starts, kills and looks into."""

import os
import signal
import smtplib
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@dataclass
class Product:
    """`helpdesk run` (or another command) on its own folder and ports."""

    folder: Path
    command: tuple[str, ...] = ("-m", "helpdesk", "run")
    env: dict[str, str] = field(default_factory=dict)
    smtp_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "product.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command],
                cwd=ROOT,
                env=os.environ | self.settings(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def settings(self) -> dict[str, str]:
        return {
            "HELPDESK_DATA_DIR": str(self.folder),
            "HELPDESK_MAIL_DOMAIN": "example.com",
            "HELPDESK_DEMO": "0",
            "HELPDESK_HTTP_BIND": f"127.0.0.1:{self.http_port}",
            "HELPDESK_SMTP_BIND": f"127.0.0.1:{self.smtp_port}",
            "HELPDESK_WEB_WORKERS": "1",
            "HELPDESK_ADMIN_EMAIL": "ada@example.com",
            "HELPDESK_ADMIN_PASSWORD": "correct horse battery",
            **self.env,
        }

    def wait_for_smtp(self, seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                with smtplib.SMTP("127.0.0.1", self.smtp_port, "t.example", timeout=2):
                    return
            except (OSError, smtplib.SMTPException):
                time.sleep(0.02)
        raise AssertionError((self.folder / "product.log").read_text()[-3000:])

    def kill(self) -> None:
        """SIGKILL to every process of the product at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> float:
        """SIGTERM to the supervisor; returns how long it took to end."""
        assert self.process is not None
        started = time.monotonic()
        self.process.terminate()
        self.process.wait(20)
        return time.monotonic() - started

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=5) as page:
            return str(page.read().decode())

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.folder / "helpdesk.db", timeout=20) as connection:
            found = connection.execute(sql).fetchall()
        connection.close()
        return found


@dataclass
class Senders:
    """Threads that send numbered emails as a mail server would: again until they hear 250."""

    port: int
    count: int = 4
    acknowledged: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for sender in range(self.count):
            thread = threading.Thread(target=self._send_all, args=(sender,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)

    def _send_all(self, sender: int) -> None:
        number = 0
        while not self.stopping.is_set():
            message_id = f"{sender}.{number}@client.example"
            if self._send(sender, message_id):
                self.acknowledged.append(message_id)
                number += 1
            else:
                time.sleep(0.05)

    def _send(self, sender: int, message_id: str) -> bool:
        address = f"sender{sender}@client.example"
        text = (
            f"From: {address}\r\nTo: support@example.com\r\nSubject: {message_id}\r\n"
            f"Message-ID: <{message_id}>\r\n\r\nIt does not work.\r\n"
        )
        try:
            with smtplib.SMTP("127.0.0.1", self.port, "client.example", timeout=5) as client:
                client.sendmail(address, ["support@example.com"], text)
        except (OSError, smtplib.SMTPException):
            return False
        return True
