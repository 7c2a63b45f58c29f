"""Rows of what is known of clients besides contacts: purchases, invoices, items, notes, promises,
documents, articles read, changes.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from benchmarks.bulk import columns_of, moment
from benchmarks.vocabulary import Vocabulary
from helpdesk.clients.facts import PurchaseStatus

COLUMNS = columns_of(
    {
        "purchase": "client_id external_id bought_on status title product_id quantity amount"
        " currency paid_by updated_at",
        "invoice": "client_id external_id issued_on due_on amount paid paid_on currency cancelled"
        " updated_at",
        "item": "product_id client_id serial serial_key batch bought_on warranty_until note"
        " created_at",
        "client_note": "client_id user_id text created_at",
        "document": "client_id file_id filename content_type size user_id created_at",
        "promise": "id client_id user_id text due_at kept settled_at created_at",
        "article_reading": "at article_id lang source visit person_id",
    }
)
CITIES = ("Київ", "Львів", "Одеса", "Харків", "Дніпро", "Полтава", "Луцьк", "Суми")
OVERDUE = 40  # one invoice in so many
RUNNING = 8  # one promise in so many
AHEAD = timedelta(days=40)  # nothing falls due while the product is measured
_DAYS = 700

Chunk = dict[str, list[Sequence[Any]]]


@dataclass(frozen=True)
class Amounts:
    """How many of each thing a client has."""

    purchases: int = 0
    invoices: int = 0
    items: int = 0
    notes: int = 0
    promises: int = 0
    readings: int = 0
    documents: int = 0
    changes: int = 0


USUAL = Amounts(purchases=3, invoices=2, items=1, notes=1, promises=1, readings=3)
LONG = Amounts(1_500, 1_000, 20, 1_200, 400, 2_000, 100)


def entries(amounts: Amounts, settled: int) -> int:
    """Lines of a timeline that they make; items are not told, a settled promise twice."""
    told: int = sum(getattr(amounts, field.name) for field in fields(amounts))
    return told - amounts.items + settled


class Record:
    """Makes the rows of one client after the other."""

    def __init__(
        self,
        known: Mapping[str, Vocabulary],
        draw: random.Random,
        end: datetime,
        agents: int,
        products: int,
        articles: int,
    ) -> None:
        self.known, self.draw, self.end = known, draw, end
        self.agents, self.products, self.articles = agents, products, articles
        self.number = self.promise_id = 0
        self.settled = 0  # promises, of all that were made

    def profile(self) -> str:
        """The custom fields of a client."""
        year, month = 1950 + self.draw.randrange(55), 1 + self.draw.randrange(12)
        values = {"birthday": f"{year}-{month:02}-15", "residence": self.draw.choice(CITIES)}
        return json.dumps(values, ensure_ascii=False)

    def add(self, rows: Chunk, client: int, language: str, amounts: Amounts) -> None:
        """The rows of a client, whose person has the same id."""
        makers = {
            "purchases": self._purchase,
            "invoices": self._invoice,
            "items": self._item,
            "notes": self._note,
            "promises": self._promise,
            "readings": self._reading,
            "documents": self._document,
            "changes": self._change,
        }
        for name, make in makers.items():
            for _ in range(getattr(amounts, name)):
                make(rows, client, language)

    def _purchase(self, rows: Chunk, client: int, language: str) -> None:
        day, money = self._past(), self.draw.randrange(10_000, 5_000_000)
        product, status = self._product(), self.draw.choice(list(PurchaseStatus)).value
        rows["purchase"].append(
            (client, self._next("P"), day.date().isoformat(), status, f"Product {product}")
            + (product, 1, money, "UAH", "card", moment(day))
        )

    def _invoice(self, rows: Chunk, client: int, _language: str) -> None:
        day, money = self._past(), self.draw.randrange(10_000, 5_000_000)
        open_ = self.draw.randrange(OVERDUE) == 0
        due = (day + timedelta(days=14)).date().isoformat()
        paid, paid_on = (0, None) if open_ else (money, due)
        head = (client, self._next("I"), day.date().isoformat(), due, money)
        rows["invoice"].append((*head, paid, paid_on, "UAH", False, moment(day)))

    def _item(self, rows: Chunk, client: int, _language: str) -> None:
        day, serial = self._past(), self._next("SN")
        until = (day + timedelta(days=730)).date().isoformat()
        head = (self._product(), client, serial, serial, f"B{day:%y%m}")
        rows["item"].append((*head, day.date().isoformat(), until, "", moment(day)))

    def _note(self, rows: Chunk, client: int, language: str) -> None:
        rows["client_note"].append(
            (client, self._user(), self._said(language), moment(self._past()))
        )

    def _promise(self, rows: Chunk, client: int, language: str) -> None:
        self.promise_id += 1
        made, user = self._past(), self._user()
        done, kept = made + timedelta(days=2), self.draw.random() < 0.8
        is_running = self.promise_id % RUNNING == 0
        due = self.end + AHEAD + timedelta(minutes=self.promise_id % 100_000)
        state = (moment(due), None, None) if is_running else (moment(done), kept, moment(done))
        said = self._said(language)
        rows["promise"].append((self.promise_id, client, user, said, *state, moment(made)))
        data: dict[str, Any] = {"promise_id": self.promise_id}
        self._event(rows, client, made, "promise.made", user, data)
        if not is_running:
            self.settled += 1
            self._event(rows, client, done, "promise.settled", user, data | {"kept": kept})

    def _reading(self, rows: Chunk, client: int, language: str) -> None:
        if self.articles:
            article = 1 + int(self.articles * self.draw.random() ** 3)
            visit = f"{self.draw.getrandbits(96):024x}"
            row = (moment(self._past()), article, language, "portal", visit, client)
            rows["article_reading"].append(row)

    def _document(self, rows: Chunk, client: int, _language: str) -> None:
        digest, day = f"{self.draw.getrandbits(256):064x}", moment(self._past())
        file_id = self.draw.getrandbits(40) | 1 << 41  # far from the files of messages
        rows["stored_file"].append((file_id, digest, 20_000, day))
        name = f"contract-{len(rows['document'])}.pdf"
        head = (client, file_id, name, "application/pdf", 20_000)
        rows["document"].append((*head, self._user(), day))

    def _change(self, rows: Chunk, client: int, _language: str) -> None:
        self._event(
            rows, client, self._past(), "client.changed", self._user(), {"fields": ["tags"]}
        )

    def _event(
        self, rows: Chunk, client: int, at: datetime, kind: str, user: int, data: dict[str, Any]
    ) -> None:
        rows["event"].append((moment(at), kind, user, None, None, client, json.dumps(data)))

    def _past(self) -> datetime:
        return self.end - timedelta(days=self.draw.random() * _DAYS + 3)

    def _product(self) -> int:
        return 1 + self.draw.randrange(self.products)

    def _user(self) -> int:
        return 3 + self.draw.randrange(self.agents)

    def _said(self, language: str) -> str:
        words = self.known[language]
        return words.text(words.place(self.draw, 12), 12)

    def _next(self, sign: str) -> str:
        self.number += 1
        return f"{sign}{self.number:08}"
