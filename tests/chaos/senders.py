"""Senders that do what mail servers do: again and again until they hear 250."""

import smtplib
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Senders:
    """Threads that send numbered emails; `acknowledged` holds the Message-IDs that were taken."""

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
            if self._send(message_id):
                self.acknowledged.append(message_id)
                number += 1
            else:
                time.sleep(0.05)

    def _send(self, message_id: str) -> bool:
        address = message_id  # each from somebody else: one who floods gets no ticket for each
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
