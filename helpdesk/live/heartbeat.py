"""Signs of life of the processes, as rows, so that any machine can ask for them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from helpdesk.ext import lock
from helpdesk.settings import Setting

EVERY_SECONDS = 10
FRESH = timedelta(seconds=30)


def beat(session: Session, name: str, at: datetime, stuck: list[str]) -> None:
    """The process called `name` lives; `stuck` names parts of it that don't go on."""
    value = {"at": at.isoformat(), "stuck": stuck}
    key = _key(name)
    lock(session, key)
    done = session.execute(update(Setting).where(Setting.name == key).values(value=value))
    if not getattr(done, "rowcount", 0):
        session.add(Setting(name=key, value=value))
    session.flush()


def problems(session: Session, names: tuple[str, ...], at: datetime) -> Mapping[str, str]:
    """Which of these processes give no sign of life, and why, in plain words."""
    answers = {name: _problem(session.get(Setting, _key(name)), at) for name in names}
    return {name: answer for name, answer in answers.items() if answer}


def _problem(row: Setting | None, at: datetime) -> str | None:
    value: Any = row.value if row else None
    if not isinstance(value, dict):
        return "has not started"
    silent = at - datetime.fromisoformat(value["at"])
    if silent > FRESH:
        return f"silent for {int(silent.total_seconds())} seconds"
    return f"stuck: {', '.join(value['stuck'])}" if value["stuck"] else None


def _key(name: str) -> str:
    return f"heartbeat.{name}"
