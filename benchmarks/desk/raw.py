"""The rows of the desk as the database's driver gives them, with plain Python values."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

COLUMNS = {
    "user": "id name team_id",
    "queue": "id name team_id",
    "client": "id name kind organisation_id",
    "contact_reason": "id parent_id key",
    "ticket": "id status priority channel language queue_id client_id assignee_id kind reason_id"
    " product_id created_at done_at first_response_at merged_into_id"
    " waiting_since",
    "clock": "id ticket_id metric policy_id target_seconds started_at due_at"
    " remaining_seconds breached_at stopped_at",
    "ticket_spell": "id ticket_id queue_id assignee_id status came actor_id from_at to_at seconds",
    "call": "id provider direction queue_id user_id client_id ticket_id language state end_reason"
    " started_at queued_at answered_at ended_at wrapped_at hold_seconds consent_given reason_id"
    " product_id disposition",
    "offer": "id call_id user_id outcome",
    "task": "id kind state ticket_id client_id language queue_id owner_id due_at first_tried_at"
    " done_at result attempts",
    "rating": "id ticket_id user_id score comment at",
    "kb_search": "id at lang query source found visit outcome article_id ticket_id",
    "article": "id key",
    "article_text": "id article_id lang",
    "article_reading": "id at article_id lang source visit ticket_id",
    "article_feedback": "id text_id visit helped at",
    "event": "id at kind user_id ticket_id data",
}
EVENTS = ("ticket.status", "ticket.queue", "ticket.assigned")
_BOOLEANS = ("consent_given", "helped")


class Raw:
    """Lists of rows by table, each row with its columns as attributes; moments are UTC."""

    def __init__(self, connection: Any) -> None:
        """`connection`: of sqlite3 or of psycopg."""
        self._tables: dict[str, list[Any]] = defaultdict(list)
        for name, columns in COLUMNS.items():
            self._tables[name] = _read(connection, name, columns.split())

    def __getattr__(self, name: str) -> list[Any]:
        return self._tables[name]

    def by_id(self, name: str) -> dict[int, Any]:
        return {row.id: row for row in self._tables[name]}


def _read(connection: Any, name: str, columns: Sequence[str]) -> list[Any]:
    names = ", ".join(f'"{column}"' for column in columns)
    wanted = ", ".join(f"'{kind}'" for kind in EVENTS)
    where = f" WHERE kind IN ({wanted})" if name == "event" else ""
    cursor = connection.cursor()
    cursor.execute(f'SELECT {names} FROM "{name}"{where} ORDER BY 1')
    found = [
        SimpleNamespace(
            **{column: _value(column, value) for column, value in zip(columns, row, strict=True)}
        )
        for row in cursor.fetchall()
    ]
    cursor.close()
    return found


def _value(column: str, value: Any) -> Any:
    if value is None:
        return None
    if column == "at" or column.endswith(("_at", "_since")):
        return _moment(value)
    if column == "data" and isinstance(value, str):
        return json.loads(value)
    return bool(value) if column in _BOOLEANS else value


def _moment(value: Any) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    found: datetime = value.astimezone(UTC)
    return found
