"""The numbers of the telephone once more: who waited how long, who talked, who was called back."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from benchmarks.desk.recount import Book, Days, Desk, grouped, mean, ratio

QUICK, SHORT, GRACE = 20.0, 5.0, timedelta(minutes=5)
LONGEST_WRAP = 900.0
VOICEMAIL = ("voicemail", "no_message")
ABANDONED = ("abandoned_queue", "abandoned_ring")
Numbers = Callable[[Sequence[Any]], dict[str, float | None]]


def calls(desk: Desk, days: Days, cut: str) -> Book:
    """All tables of the report, by part of the cut and in all."""
    book: Book = {}
    mine = seen(desk, days)
    queued = [row for row in mine if row.queued]
    handled = [row for row in mine if row.talked]
    menu = [row for row in mine if row.by_menu]
    for table, rows, numbers in (
        ("calls", queued, _answering),
        ("times", queued, _times),
        ("levels", queued, _levels),
        ("handling", handled, _handling),
        ("menu", menu, _menu),
        ("rings", _rings(desk, queued), _ringing),
        ("callbacks", _callbacks(desk, days), _called_back),
    ):
        put(book, table, _parts(desk, rows, cut), numbers)
    for other in ("day", "slot"):
        put(book, f"calls-{other}", _parts(desk, queued, other), _answering)
    return book


def seen(desk: Desk, days: Days) -> list[Any]:
    """The calls of these days with what each came to."""
    found = [_seen(row, desk.at) for row in desk.raw.call]
    return [row for row in found if days.has(row.moment)]


def talks(desk: Desk, days: Days) -> list[Any]:
    """Those with a talk that is over."""
    return [row for row in seen(desk, days) if row.talked]


def put(book: Book, table: str, parts: dict[Any, list[Any]], numbers: Numbers) -> None:
    for key, rows in parts.items():
        for name, value in numbers(rows).items():
            book[table, key, name] = value


def _parts(desk: Desk, rows: Iterable[Any], cut: str) -> dict[Any, list[Any]]:
    return grouped(rows, lambda row: desk.part(row, cut, row.moment)) | ({} if rows else {None: []})


def seconds(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin).total_seconds())


def _seen(row: Any, at: datetime) -> Any:
    """A call with what it came to; `moment` is when it counts."""
    inbound = row.direction == "inbound"
    queued = inbound and row.queued_at is not None
    talked = row.answered_at is not None and row.ended_at is not None
    hold = row.hold_seconds if talked else 0
    wrap = 0.0
    if talked and row.wrapped_at is not None and row.provider != "hand":
        wrap = min(LONGEST_WRAP, seconds(row.ended_at, row.wrapped_at))
    own_menu = inbound and row.provider not in ("pbx", "hand") and row.ended_at is not None
    return SimpleNamespace(
        id=row.id,
        queued=queued,
        moment=row.queued_at if queued else row.started_at,
        became=_became(row),
        wait=seconds(row.queued_at, row.answered_at or row.ended_at or at) if queued else 0.0,
        talked=talked,
        talk=seconds(row.answered_at, row.ended_at) - hold if talked else 0.0,
        hold=float(hold),
        wrap=wrap,
        by_menu=own_menu and row.end_reason != "refused",
        contained=row.end_reason == "contained",
        consent=row.consent_given,
        disposition=row.disposition,
        **_of(row, row.user_id),
    )


def _of(row: Any, user_id: int | None) -> dict[str, Any]:
    """What decides the part of a cut."""
    names = ("queue_id", "client_id", "product_id", "reason_id", "language")
    return {name: getattr(row, name) for name in names} | {"assignee_id": user_id}


def _became(row: Any) -> str:
    if row.answered_at is not None:
        return "answered"
    if row.ended_at is None:
        return row.state if row.state in ("callback", "voicemail") else "waiting"
    if row.end_reason in ABANDONED:
        return "abandoned"
    if row.end_reason == "callback":
        return "callback"
    return "voicemail" if row.end_reason in VOICEMAIL else "other"


def _answering(rows: Sequence[Any]) -> dict[str, float | None]:
    many = {name: [row for row in rows if row.became == name] for name in _NAMES}
    offered = len(rows) - len(many["callback"])
    quick = sum(row.wait <= QUICK for row in many["answered"])
    short = sum(row.wait <= SHORT for row in many["abandoned"])
    fresh = sum(row.wait <= QUICK for row in many["waiting"])
    counted = offered - short - fresh
    return {
        "calls_queued": len(rows),
        "calls_callback": len(many["callback"]),
        "calls_offered": offered,
        "calls_answered": len(many["answered"]),
        "calls_in_time": quick,
        "calls_level": ratio(quick, counted),
        "calls_abandoned": len(many["abandoned"]),
        "calls_short": short,
        "calls_lost": ratio(len(many["abandoned"]) - short, counted),
        "calls_voicemail": len(many["voicemail"]),
        "calls_other": len(many["other"]),
        "calls_waiting": len(many["waiting"]),
    }


_NAMES = ("answered", "abandoned", "callback", "voicemail", "other", "waiting")


def _times(rows: Sequence[Any]) -> dict[str, float | None]:
    answered = [row.wait for row in rows if row.became == "answered"]
    gone = [row.wait for row in rows if row.became == "abandoned"]
    waited = [row.wait for row in rows if row.became in ("answered", "abandoned", "waiting")]
    return {
        "calls_answered": len(answered),
        "calls_asa": mean(answered),
        "calls_patience": mean(gone),
        "calls_longest": max(waited, default=None),
    }


def _levels(rows: Sequence[Any]) -> dict[str, float | None]:
    answered = [row for row in rows if row.became == "answered"]
    gone = [row for row in rows if row.became == "abandoned"]
    quick = sum(row.wait <= QUICK for row in answered)
    gone_quick = sum(row.wait <= QUICK for row in gone)
    both = len(answered) + len(gone)
    return {
        "calls_f1": ratio(quick + gone_quick, both),
        "calls_f2": ratio(quick, len(answered)),
        "calls_f3": ratio(quick, both),
        "calls_f4": ratio(quick, both - gone_quick),
        "calls_f5": _answering(rows)["calls_level"],
    }


def _handling(rows: Sequence[Any]) -> dict[str, float | None]:
    return {
        "calls_handled": len(rows),
        "calls_talk": mean([row.talk for row in rows]),
        "calls_hold": mean([row.hold for row in rows]),
        "calls_wrap": mean([row.wrap for row in rows]),
        "calls_aht": mean([row.talk + row.hold + row.wrap for row in rows]),
    }


def _menu(rows: Sequence[Any]) -> dict[str, float | None]:
    contained = sum(row.contained for row in rows)
    asked = [row.consent for row in rows if row.consent is not None]
    return {
        "calls_menu": len(rows),
        "calls_contained": contained,
        "calls_containment": ratio(contained, len(rows)),
        "calls_consent": len(asked),
        "calls_refused": asked.count(False),
        "calls_refusal": ratio(asked.count(False), len(asked)),
    }


def _rings(desk: Desk, queued: Sequence[Any]) -> list[Any]:
    known = {row.id: row for row in queued}
    return [
        SimpleNamespace(
            outcome=offer.outcome,
            moment=known[offer.call_id].moment,
            **_of(known[offer.call_id], offer.user_id),
        )
        for offer in desk.raw.offer
        if offer.call_id in known
    ]


def _ringing(rows: Sequence[Any]) -> dict[str, float | None]:
    outcomes = [row.outcome for row in rows]
    return {
        "calls_rings": len(rows),
        "calls_rona": outcomes.count("unanswered"),
        "calls_rona_rate": ratio(outcomes.count("unanswered"), len(rows)),
        "calls_declined": outcomes.count("declined"),
    }


def _callbacks(desk: Desk, days: Days) -> list[Any]:
    """Callbacks due in these days that can be judged by now."""
    found, every = [], desk.raw.by_id("ticket")
    for row in desk.raw.task:
        if row.kind != "callback" or not days.has(row.due_at):
            continue
        last = row.due_at + GRACE
        is_open = row.done_at is None or row.done_at > last
        if row.first_tried_at is None and not (desk.at > last and is_open):
            continue
        kept = row.first_tried_at is not None and row.first_tried_at <= last
        task = SimpleNamespace(**vars(row), moment=row.due_at, kept=kept, assignee_id=row.owner_id)
        ticket = every.get(row.ticket_id)  # a callback has no product nor reason of its own
        task.product_id = ticket.product_id if ticket else None
        task.reason_id = ticket.reason_id if ticket else None
        found.append(task)
    return found


def _called_back(rows: Sequence[Any]) -> dict[str, float | None]:
    kept, talked = sum(row.kept for row in rows), sum(row.result == "talked" for row in rows)
    return {
        "callbacks_due": len(rows),
        "callbacks_kept": kept,
        "callbacks_kept_rate": ratio(kept, len(rows)),
        "callbacks_talked": talked,
        "callbacks_talked_rate": ratio(talked, len(rows)),
        "callbacks_attempts": ratio(sum(row.attempts for row in rows), talked),
    }
