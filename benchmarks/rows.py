"""Rows of the generated database, as SQLite stores them: clients, then tickets chunk by chunk.

Two years of work: 5 messages a ticket, 5 % of the tickets active and most of those young, 7
clocks in 100 tickets running with deadlines far ahead, emails' Deliveries without their raw bytes.
"""

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks.vocabulary import LANGUAGES, Vocabulary
from helpdesk.lib.collate import sort_key
from helpdesk.lib.stems import encode, stems

DAYS = 730
KEPT_DAYS = 45  # outgoing texts; those older than the retention period are gone
LENGTHS = (2, 3, 4, 5, 6, 10)  # messages of a ticket
WORDS = 40
TICKETS_PER_CLIENT = 5
YOUNG, YOUNG_ACTIVE, OLD_ACTIVE = 0.97, 0.8, 0.0265
FILE_EVERY, FILE_BYTES = 5, 20_000

COLUMNS: Mapping[str, Sequence[str]] = {
    name: columns.split()
    for name, columns in {
        "client": "id kind name sort_key language tags potential created_at updated_at",
        "person": "id client_id name sort_key language created_at",
        "contact_point": "id person_id kind value key tail created_at",
        "client_fts": "rowid words",
        "stored_file": "id sha256 size created_at",
        "ticket": "id subject status priority channel language queue_id client_id person_id"
        " contact_point_id assignee_id tags created_at updated_at last_message_at waiting_since"
        " first_response_at resolved_at done_at next_due_at next_metric sla link_nonce",
        "message": "id ticket_id kind channel user_id person_id contact_point_id subject text"
        " message_id in_reply_to parse_errors created_at",
        "message_fts": "rowid words",
        "attachment": "message_id ticket_id file_id filename content_type size",
        "event": "at kind user_id person_id ticket_id client_id data",
        "clock": "ticket_id metric policy_id counted state target_seconds started_at due_at"
        " remaining_seconds warned_at breached_at stopped_at next_at next_step stepped"
        " paused_spans explained",
        "delivery": "key channel state received_at envelope_from recipients message_id ticket_id"
        " person_id receipt_sent attempts size",
        "outgoing": "key kind state ticket_id message_id person_id user_id to_address from_name"
        " from_address reply_to envelope_from rfc_message_id in_reply_to language subject text"
        " attempts created_at sent_at",
    }.items()
}

Chunk = dict[str, list[Sequence[Any]]]


def moment(at: datetime) -> str:
    """As the product's column type writes it on SQLite."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


@dataclass
class Made:
    """A ticket while its messages are made."""

    id: int
    language: str
    subject: str
    person: int
    user: int
    length: int
    created: datetime
    gap: timedelta
    active: bool
    last_rfc: str | None = None

    def at(self, number: int) -> datetime:
        """When message `number` came."""
        return self.created + number * self.gap


class Rows:
    """Makes the rows; call `clients` first, then `tickets` in ascending order."""

    def __init__(
        self,
        known: Mapping[str, Vocabulary],
        seed: int,
        tickets: int,
        end: datetime,
        queues: int,
        agents: int,
        generation: int,
    ) -> None:
        self.known, self.draw, self.total, self.end = known, random.Random(seed), tickets, end
        self.queues, self.agents, self.generation = queues, agents, generation
        self.people = max(tickets // TICKETS_PER_CLIENT, 10)
        self.message_id = self.file_id = 0

    def clients(self) -> Chunk:
        """A private client each, with an address and every second one with a number."""
        rows: Chunk = defaultdict(list)
        since = moment(self.end - timedelta(days=DAYS))
        for id_ in range(1, self.people + 1):
            language = LANGUAGES[id_ % 3]
            words = self.known[language].ranked
            name = " ".join(self.draw.choice(words).capitalize() for _ in range(2))
            key, email = sort_key(name), f"person{id_}@customers.example"
            tags = '["vip"]' if id_ % 20 == 0 else "[]"
            rows["client"].append(
                (id_, "person", name, key, language, tags, id_ % 3 == 0, since, since)
            )
            rows["person"].append((id_, id_, name, key, language, since))
            rows["contact_point"].append((id_, id_, "email", email, email, None, since))
            tokens = dict.fromkeys(encode(token) for token in stems(f"{name} {email}"))
            rows["client_fts"].append((id_, " ".join(tokens)))
            if id_ % 2 == 0:
                number = f"+38067{id_:07d}"
                point = self.people + id_ // 2
                rows["contact_point"].append(
                    (point, id_, "phone", number, number, number[-9:], since)
                )
        return rows

    def tickets(self, first: int, last: int) -> Chunk:
        """The tickets from `first` to `last` with all that belongs to them.

        Their messages are interleaved, as they come in: those of one ticket lie far apart.
        """
        rows: Chunk = defaultdict(list)
        made = [self._ticket(rows, number) for number in range(first, last)]
        for number in range(max(LENGTHS)):
            for ticket in made:
                if number < ticket.length:
                    self._message(rows, ticket, number)
        return rows

    def _ticket(self, rows: Chunk, number: int) -> Made:
        share = number / self.total
        language = LANGUAGES[number % 3]
        length = LENGTHS[self.draw.randrange(len(LENGTHS))]
        created = self.end - timedelta(days=DAYS * (1 - share), minutes=1)
        gap = min(timedelta(hours=self.draw.uniform(1, 40)), (self.end - created) / length)
        person = 1 + int(self.people * self.draw.random() ** 1.5)
        words = self.known[language]
        made = Made(
            id=number + 1,
            language=language,
            subject=words.text(words.place(self.draw, 6), 6).rstrip("."),
            person=person,
            user=3 + self.draw.randrange(self.agents),
            length=length,
            created=created,
            gap=gap,
            active=self.draw.random() < (YOUNG_ACTIVE if share >= YOUNG else OLD_ACTIVE),
        )
        rows["ticket"].append(self._ticket_row(made))
        rows["clock"] += self._clocks(made)
        data = f'{{"queue_id": 1, "channel": "email", "delivery_id": {made.id}}}'
        rows["event"].append(
            (moment(created), "ticket.opened", None, person, made.id, person, data)
        )
        if not made.active:
            data = '{"old": "open", "new": "resolved"}'
            end = moment(made.at(length))
            rows["event"].append((end, "ticket.status", made.user, None, made.id, person, data))
        return made

    def _ticket_row(self, made: Made) -> Sequence[Any]:
        last, done = moment(made.at(made.length - 1)), moment(made.at(made.length))
        waiting = made.active and made.id % 3 == 0
        status = ("new", "open", "pending", "open")[made.id % 4] if made.active else "closed"
        due = self._due(made) if made.active and status != "pending" else None
        return (
            made.id,
            made.subject,
            status,
            ("low", "normal", "normal", "normal", "high", "urgent")[made.id % 6],
            "email" if made.id % 10 else "phone",
            made.language,
            1 + made.id % 7 % self.queues,
            made.person,
            made.person,
            made.person,
            None if made.active and made.id % 10 < 3 else made.user,
            '["vip", "delivery"]' if made.id % 10 == 0 else "[]",
            moment(made.created),
            last,
            last,
            last if waiting else None,
            moment(made.at(1)),
            None if made.active else done,
            None if made.active else done,
            moment(due) if due else None,
            "resolution" if due else None,
            {0: "breached", 1: "risk"}.get(made.id % 12) if due else None,
            f"{made.id:016x}",
        )

    def _due(self, made: Made) -> datetime:
        """Far ahead, so that nothing falls due while the product is measured."""
        return self.end + timedelta(days=40, minutes=made.id % 100_000)

    def _clocks(self, made: Made) -> list[Sequence[Any]]:
        created, answered = moment(made.created), moment(made.at(1))
        spans = json.dumps(
            [
                {"from": a, "to": b, "counted": counts, "seconds": 14_400, "reason": reason}
                for a, b, counts, reason in (
                    (created, answered, True, "open"),
                    (answered, answered, False, "closed"),
                    (answered, answered, True, "open"),
                )
            ]
        )
        state = "breached" if made.id % 9 == 0 else "met"
        late = answered if state == "breached" else None
        counted = self.generation
        first = ("first_response", 1, counted, state, 14_400, created, answered, 100, None, late)
        found: list[Sequence[Any]] = [(made.id, *first, answered, None, None, "[]", "[]", spans)]
        if made.active:
            found.append(self._running(made, "resolution", made.id % 12 == 0))
            if made.id % 5 < 2:
                found.append(self._running(made, "next_response", False))
        else:
            end = moment(made.at(made.length))
            closing = ("resolution", 1, counted, "met", 97_200, created, end, 100, None, None, end)
            found.append((made.id, *closing, None, None, "[]", "[]", spans))
        return found

    def _running(self, made: Made, metric: str, breached: bool) -> Sequence[Any]:
        created, due = moment(made.created), moment(self._due(made))
        paused = made.id % 4 == 2
        state = "breached" if breached else "paused" if paused else "running"
        step = None if breached or paused else due
        head = (made.id, metric, 1, self.generation, state, 97_200, created)
        tail = (due if breached else None, None, step, step and "breach", "[]", "[]", None)
        ends = (None, 3_600) if paused else (due, None)
        return (*head, *ends, created, *tail)

    def _message(self, rows: Chunk, made: Made, number: int) -> None:
        self.message_id += 1
        at, words = moment(made.at(number)), self.known[made.language]
        place = words.place(self.draw, WORDS)
        note = number == 3 and made.length > 4
        kind = "note" if note else "outbound" if number % 2 else "inbound"
        inbound = kind == "inbound"
        rfc = None if note else f"{self.draw.getrandbits(96):024x}@mail.example"
        text = words.text(place, WORDS)
        author = (None, made.person, made.person) if inbound else (made.user, None, None)
        rows["message"].append(
            (self.message_id, made.id, kind, "email", *author, made.subject, text, rfc)
            + (made.last_rfc, "[]", at)
        )
        rows["message_fts"].append((self.message_id, words.indexed(place, WORDS)))
        event = {"inbound": "received", "outbound": "sent", "note": "noted"}[kind]
        who = (None, made.person) if inbound else (made.user, None)
        data = f'{{"message_id": {self.message_id}}}'
        rows["event"].append((at, f"message.{event}", *who, made.id, made.person, data))
        if self.message_id % FILE_EVERY == 0:
            self._file(rows, made, at)
        if inbound:
            self._delivery(rows, made, at, rfc)
        elif kind == "outbound":
            self._outgoing(rows, made, at, rfc, text)
        made.last_rfc = rfc or made.last_rfc

    def _file(self, rows: Chunk, made: Made, at: str) -> None:
        self.file_id += 1
        rows["stored_file"].append(
            (self.file_id, f"{self.draw.getrandbits(256):064x}", FILE_BYTES, at)
        )
        rows["attachment"].append(
            (self.message_id, made.id, self.file_id, "scan.pdf", "application/pdf", FILE_BYTES)
        )

    def _delivery(self, rows: Chunk, made: Made, at: str, rfc: str | None) -> None:
        key, sender = f"{self.draw.getrandbits(256):064x}", f"person{made.person}@customers.example"
        head = (key, "email", "done", at, sender, '["support@bench.example"]', rfc)
        rows["delivery"].append((*head, made.id, made.person, True, 0, 8_000))

    def _outgoing(self, rows: Chunk, made: Made, at: str, rfc: str | None, text: str) -> None:
        to = f"person{made.person}@customers.example"
        head = (f"reply:{self.message_id}", "reply", "sent", made.id, self.message_id, made.person)
        from_ = (made.user, to, "Support", "support@bench.example", None, "support@bench.example")
        young = at > moment(self.end - timedelta(days=KEPT_DAYS))
        kept = text if young else ""
        tail = (rfc, made.last_rfc, made.language, made.subject, kept, 1, at, at)
        rows["outgoing"].append((*head, *from_, *tail))
