"""Plays the demo's tickets: runs the verbs at their moments, in the order of time.

The clocks are swept at every moment at which they had something to do, so that warnings,
breaches and steps are those that would have happened.
"""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk import files
from helpdesk.accounts.models import User
from helpdesk.demo import drawn
from helpdesk.demo.plan import Act, End, Planned
from helpdesk.demo.stage import STAFF, Stage
from helpdesk.demo.story import Line, fill
from helpdesk.events import SYSTEM, Actor
from helpdesk.tickets import actions, drafts, escalation
from helpdesk.tickets.content import Content, FileRef
from helpdesk.tickets.models import Channel, Clock, MessageKind, Priority, Status, Ticket
from helpdesk.tickets.received import add_message, open_ticket

PICTURES = 12  # different contents; a file lies on the disk once for each
REOPENED = 3  # of the tickets that could be, each third by its number
AFTER = {">?": Status.PENDING, ">~": Status.ON_HOLD}
FEMININE = {staff.login: staff.feminine for staff in STAFF}


@dataclass
class Played:
    """A ticket while it is played."""

    planned: Planned
    ticket_id: int = 0
    said: int = 0
    replies: list[tuple[datetime, int]] = field(default_factory=list)


Step = tuple[datetime, int, int, Callable[[], None]]


class Agenda:
    """What is to happen and when; it happens in the order of time."""

    def __init__(self) -> None:
        self._steps: list[tuple[datetime, int, Callable[[], None]]] = []
        self._number = 0

    def add(self, moment: datetime, step: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._steps, (moment, self._number, step))

    def run(self, session: Session, until: datetime) -> None:
        """The clocks do in between what they had to."""
        while self._steps and self._steps[0][0] <= until:
            moment, _number, step = heapq.heappop(self._steps)
            sweep(session, moment)
            step()
        sweep(session, until)


def play(
    session: Session, stage: Stage, planned: list[Planned], at: datetime, agenda: Agenda
) -> list[tuple[datetime, int]]:
    """Let everything happen until `at`, what is on the agenda already among it; returns (moment,
    message id) of our replies by time."""
    played = [Played(one) for one in planned]
    steps = sorted(
        (step for one in played for step in _steps(session, stage, one)), key=lambda s: s[:3]
    )
    for moment, _number, _order, step in steps:
        agenda.add(moment, step)
    agenda.run(session, at)
    _type_drafts(session, stage, played, at)
    return sorted(reply for one in played for reply in one.replies)


def sweep(session: Session, until: datetime) -> None:
    """Let the clocks do everything that was due, each thing at its own moment."""
    while True:
        due = session.scalar(select(func.min(Clock.next_at)).where(Clock.next_at.is_not(None)))
        if due is None or due > until:
            return
        escalation.sweep(session, due)


def _steps(session: Session, stage: Stage, one: Played) -> Iterator[Step]:
    number, acts = one.planned.number, one.planned.acts
    yield acts[0].at, number, 0, partial(_open, session, stage, one, acts[0])
    ours = next((act for act in acts if act.line.mark != "<"), None)
    if ours is not None:
        taken = max(acts[0].at + timedelta(seconds=40), ours.at - timedelta(minutes=4))
        yield min(taken, ours.at), number, 1, partial(_take, session, stage, one, taken)
    elif one.planned.end == End.OPEN:
        taken = acts[0].at + timedelta(minutes=1)
        yield taken, number, 1, partial(_take, session, stage, one, taken)
        yield taken, number, 2, partial(_set, session, one, Status.OPEN, taken)
    for order, act in enumerate(acts[1:], 2):
        yield act.at, number, order, partial(_say, session, stage, one, act)
    solved = solved_too_soon(one.planned)
    if solved is not None:
        yield solved, number, 99, partial(_set, session, one, Status.RESOLVED, solved)
    for moment, status in (
        (one.planned.resolved_at, Status.RESOLVED),
        (one.planned.closed_at, Status.CLOSED),
    ):
        if moment is not None:
            yield moment, number, 100, partial(_set, session, one, status, moment)


def solved_too_soon(planned: Planned) -> datetime | None:
    """When somebody took an answer for the last word, and the client wrote again, were it only
    thanks; None where nobody did."""
    if planned.end != End.DONE or planned.number % REOPENED:
        return None
    pairs = zip(planned.acts, planned.acts[1:], strict=False)
    known = (one.at for one, after in pairs if one.line.mark == ">" and after.line.mark == "<")
    answered = next(known, None)
    return None if answered is None else answered + timedelta(minutes=2)


def _open(session: Session, stage: Stage, one: Played, act: Act) -> None:
    story, writer = one.planned.story, one.planned.writer
    feminine = writer.person.feminine
    channel = Channel.WEB if one.planned.number % 6 == 1 else Channel.EMAIL
    one.ticket_id = open_ticket(
        session,
        queue_id=stage.queues[story.queue].id,
        who=writer.known,
        subject=fill(story.subject, one.planned.values, feminine=feminine),
        channel=channel,
        language=story.language,
        at=act.at,
        priority=Priority(story.priority) if story.priority == "urgent" else Priority.NORMAL,
        client_tags=writer.known.tags,
    )
    _receive(session, one, act, channel, first=True)


def _say(session: Session, stage: Stage, one: Played, act: Act) -> None:
    if act.line.mark == "<":
        _receive(session, one, act, Channel.EMAIL)
        return
    ticket = session.get_one(Ticket, one.ticket_id)
    user = stage.staff[one.planned.agent]
    text = _text(one, act.line, feminine=FEMININE[one.planned.agent])
    if act.line.mark == "!":
        actions.note(session, ticket, text, user_id=user.id, at=act.at)
        return
    for ref in _files(one, act.line):
        drafts.attach(
            session,
            ticket.id,
            user.id,
            MessageKind.OUTBOUND,
            sha256=ref.sha256,
            size=ref.size,
            filename=ref.filename,
            content_type=ref.content_type,
            at=act.at,
        )
    then = AFTER.get(act.line.mark)
    message = actions.reply(session, ticket, text, user_id=user.id, at=act.at, then=then)
    one.replies.append((act.at, message.id))


def _receive(
    session: Session, one: Played, act: Act, channel: Channel, *, first: bool = False
) -> None:
    writer = one.planned.writer
    one.said += 1
    domain = writer.person.email.partition("@")[2]
    content = Content(
        text=_text(one, act.line, feminine=writer.person.feminine),
        subject=session.get_one(Ticket, one.ticket_id).subject if first else "",
        message_id=f"{one.planned.number}.{one.said}.{act.at:%Y%m%d%H%M%S}@{domain}",
        files=tuple(_files(one, act.line)),
    )
    session.flush()
    add_message(
        session,
        one.ticket_id,
        content,
        who=writer.known,
        channel=channel,
        at=act.at,
        first=first,
    )
    session.expire(session.get_one(Ticket, one.ticket_id))


def _take(session: Session, stage: Stage, one: Played, at: datetime) -> None:
    """The agent takes the ticket, sorts it and begins."""
    story, user = one.planned.story, stage.staff[one.planned.agent]
    ticket, actor = session.get_one(Ticket, one.ticket_id), Actor(user_id=user.id)
    actions.assign(session, ticket, user, actor=actor, at=at)
    actions.set_tags(session, ticket, story.tags, actor=actor, at=at)
    actions.set_priority(session, ticket, Priority(story.priority), actor=actor, at=at)


def _set(session: Session, one: Played, status: Status, at: datetime) -> None:
    ticket = session.get_one(Ticket, one.ticket_id)
    actor = SYSTEM if status == Status.CLOSED else Actor(user_id=ticket.assignee_id)
    reason = "closed_after_days" if status == Status.CLOSED else None
    actions.set_status(session, ticket, status, actor=actor, at=at, reason=reason)


def _type_drafts(session: Session, stage: Stage, played: list[Played], at: datetime) -> None:
    """On some tickets that wait for us the answer is half typed."""
    waiting = (one for one in played if one.planned.end == End.OPEN and one.planned.next_line)
    for one in list(waiting)[::4]:
        line = one.planned.next_line
        if line is None or not line.ours:
            continue
        text = _text(one, line, feminine=FEMININE[one.planned.agent])
        user: User = stage.staff[one.planned.agent]
        half = text[: text.rfind(" ", 0, len(text) * 2 // 3)]
        drafts.save_draft(session, one.ticket_id, user.id, MessageKind.OUTBOUND, half, at=at)


def _text(one: Played, line: Line, *, feminine: bool) -> str:
    values = one.planned.values | {"hi": _greeting(one)}
    return "\n\n".join(fill(part, values, feminine=feminine) for part in line.paragraphs)


def _greeting(one: Played) -> str:
    """In Ukrainian by the vocative, as the glossary wants it."""
    person = one.planned.writer.person
    words = {
        "uk": f"Вітаємо, {person.vocative}!" if person.vocative else "Вітаємо!",
        "ru": f"Здравствуйте, {person.first_name}!",
        "en": f"Hello {person.first_name},",
    }
    return words[one.planned.story.language]


def _files(one: Played, line: Line) -> Iterator[FileRef]:
    for name in line.files:
        kind = name.rpartition(".")[2]
        seed = random.Random(f"{one.planned.number} {name}").randrange(PICTURES)
        data = drawn.png(seed) if kind == "png" else drawn.pdf(seed)
        content_type = "image/png" if kind == "png" else "application/pdf"
        yield FileRef(files.put(data), len(data), name, content_type)
