"""Rows of the generated database, as SQLite stores them: clients, then tickets chunk by chunk.

Two years of work: 5 messages a ticket, 5 % of the tickets active and most of those young, 7
clocks in 100 tickets running with deadlines far ahead, emails' Deliveries without their raw bytes.
The last client has a timeline of TIMELINE lines over all sources.
"""

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks import record
from benchmarks.bulk import columns_of, moment
from benchmarks.record import Amounts, Record
from benchmarks.vocabulary import LANGUAGES, Vocabulary
from helpdesk.clients.names import name_key
from helpdesk.lib.collate import sort_key
from helpdesk.lib.stems import encode, stems

DAYS = 730
KEPT_DAYS = 45  # outgoing texts; those older than the retention period are gone
LENGTHS = (2, 3, 4, 5, 6, 10)  # messages of a ticket
WORDS = 40
TICKETS_PER_CLIENT = 5
YOUNG, YOUNG_ACTIVE, OLD_ACTIVE = 0.97, 0.8, 0.0265
FILE_EVERY, FILE_BYTES = 5, 20_000
RATED = 6  # one done ticket in so many
PAIRS = 200  # of clients that may be one
TIMELINE, LONG_TICKETS = 10_000, 400  # of the client with the long history
KINDS = ("question", "request", "complaint", None, "question", None, "suggestion", "thanks")

COLUMNS = {
    **record.COLUMNS,
    **columns_of(
        {
            "client": "id kind name sort_key name_key language tags potential profile created_at"
            " updated_at",
            "person": "id client_id name sort_key language created_at",
            "contact_point": "id person_id kind value key tail created_at",
            "client_fts": "rowid words",
            "stored_file": "id sha256 size created_at",
            "ticket": "id subject status priority channel language queue_id client_id person_id"
            " contact_point_id assignee_id tags created_at updated_at last_message_at waiting_since"
            " first_response_at resolved_at done_at next_due_at next_metric sla link_nonce kind"
            " reason_id product_id",
            "rating": "ticket_id person_id user_id score comment at",
            "duplicate_pair": "first_id second_id reason found_at",
            "message": "id ticket_id kind channel user_id person_id contact_point_id subject text"
            " message_id in_reply_to parse_errors created_at",
            "message_fts": "rowid words",
            "attachment": "message_id ticket_id file_id filename content_type size",
            "event": "at kind user_id person_id ticket_id client_id data",
            "clock": "ticket_id metric policy_id counted state target_seconds started_at due_at"
            " remaining_seconds warned_at breached_at stopped_at next_at next_step stepped"
            " paused_spans explained",
            "delivery": "key channel state received_at envelope_from recipients message_id"
            " ticket_id person_id receipt_sent attempts size",
            "outgoing": "key kind state ticket_id message_id person_id user_id to_address from_name"
            " from_address reply_to envelope_from rfc_message_id in_reply_to language subject text"
            " attempts created_at sent_at",
        }
    ),
}

Chunk = dict[str, list[Sequence[Any]]]


@dataclass(frozen=True)
class World:
    """How many there are of what rows point to, with ids from 1."""

    queues: int
    agents: int
    generation: int  # of the policy that clocks were counted by
    products: int
    reasons: int
    articles: int


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
    """Makes the rows; call `clients` first, then `tickets` in ascending order, `long_history`."""

    def __init__(
        self,
        known: Mapping[str, Vocabulary],
        seed: int,
        tickets: int,
        end: datetime,
        world: World,
    ) -> None:
        self.known, self.draw, self.total, self.end = known, random.Random(seed), tickets, end
        self.world = world
        self.people = max(tickets // TICKETS_PER_CLIENT, 10)
        self.message_id = self.file_id = self.point_id = 0
        self.record = Record(known, self.draw, end, world.agents, world.products, world.articles)

    def clients(self) -> Chunk:
        """A private client each, with an address and every second one with a number."""
        rows: Chunk = defaultdict(list)
        for id_ in range(1, self.people + 1):
            self._client(rows, id_)
            self.record.add(rows, id_, LANGUAGES[id_ % 3], record.USUAL)
        since = moment(self.end - timedelta(days=1))
        for id_ in range(1, self.people, max(self.people // PAIRS, 2)):
            rows["duplicate_pair"].append((id_, id_ + 1, "name", since))
        return rows

    def long_history(self) -> Chunk:
        """The last client: tickets as others have them, then TIMELINE lines in all."""
        rows: Chunk = defaultdict(list)
        id_, settled = self.people + 1, self.record.settled
        self._client(rows, id_)
        made = [
            self._ticket(rows, self.total + n, n / LONG_TICKETS, id_) for n in range(LONG_TICKETS)
        ]
        self._messages(rows, made)
        told = len(rows["message"]) + len(rows["rating"]) + sum(not one.active for one in made)
        self.record.add(rows, id_, LANGUAGES[id_ % 3], record.LONG)
        told += record.entries(record.LONG, self.record.settled - settled)
        rest = Amounts(changes=TIMELINE - told)
        self.record.add(rows, id_, LANGUAGES[id_ % 3], rest)
        return rows

    def _client(self, rows: Chunk, id_: int) -> None:
        since = moment(self.end - timedelta(days=DAYS))
        language = LANGUAGES[id_ % 3]
        words = self.known[language].ranked
        name = " ".join(self.draw.choice(words).capitalize() for _ in range(2))
        key, email = sort_key(name), f"person{id_}@customers.example"
        tags = '["vip"]' if id_ % 20 == 0 else "[]"
        head = (id_, "person", name, key, name_key(name), language, tags, id_ % 3 == 0)
        rows["client"].append((*head, self.record.profile(), since, since))
        rows["person"].append((id_, id_, name, key, language, since))
        rows["contact_point"].append((id_, id_, "email", email, email, None, since))
        tokens = dict.fromkeys(encode(token) for token in stems(f"{name} {email}"))
        rows["client_fts"].append((id_, " ".join(tokens)))
        if id_ % 2 == 0:
            number = f"+38067{id_:07d}"
            point = self.people + 1 + id_ // 2
            rows["contact_point"].append((point, id_, "phone", number, number, number[-9:], since))

    def tickets(self, first: int, last: int) -> Chunk:
        """The tickets from `first` to `last` with all that belongs to them.

        Their messages are interleaved, as they come in: those of one ticket lie far apart.
        """
        rows: Chunk = defaultdict(list)
        made = [
            self._ticket(rows, number, number / self.total, self._anybody())
            for number in range(first, last)
        ]
        self._messages(rows, made)
        return rows

    def _anybody(self) -> int:
        return 1 + int(self.people * self.draw.random() ** 1.5)

    def _messages(self, rows: Chunk, made: Sequence[Made]) -> None:
        for number in range(max(LENGTHS)):
            for ticket in made:
                if number < ticket.length:
                    self._message(rows, ticket, number)

    def _ticket(self, rows: Chunk, number: int, share: float, person: int) -> Made:
        """`share`: how much of the whole time has gone by when it opens."""
        language = LANGUAGES[number % 3]
        length = LENGTHS[self.draw.randrange(len(LENGTHS))]
        created = self.end - timedelta(days=DAYS * (1 - share), minutes=1)
        gap = min(timedelta(hours=self.draw.uniform(1, 40)), (self.end - created) / length)
        words = self.known[language]
        made = Made(
            id=number + 1,
            language=language,
            subject=words.text(words.place(self.draw, 6), 6).rstrip("."),
            person=person,
            user=3 + self.draw.randrange(self.world.agents),
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
            if number % RATED == 0:
                self._rating(rows, made, end)
        return made

    def _rating(self, rows: Chunk, made: Made, at: str) -> None:
        score = self.draw.choice((1, 3, 4, 5, 5, 5))
        rows["rating"].append((made.id, made.person, made.user, score, "", at))
        data = f'{{"score": {score}}}'
        rows["event"].append((at, "ticket.rated", None, made.person, made.id, made.person, data))

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
            1 + made.id % 7 % self.world.queues,
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
            KINDS[made.id % len(KINDS)],
            1 + made.id % self.world.reasons if made.id % 5 < 3 else None,
            1 + made.id % self.world.products if made.id % 10 < 3 else None,
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
        counted = self.world.generation
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
        head = (made.id, metric, 1, self.world.generation, state, 97_200, created)
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
