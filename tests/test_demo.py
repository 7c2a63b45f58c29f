"""The demo is a believable shop: everything in it could have happened, and nothing leaves it."""

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from helpdesk import demo, ext, files
from helpdesk.accounts.models import Role, User
from helpdesk.app import create_app
from helpdesk.calls.models import Call, EndReason
from helpdesk.clients.models import Client, ClientKind, ContactPoint, Person
from helpdesk.demo.drawn import pdf, png
from helpdesk.demo.plan import plan
from helpdesk.demo.stage import build
from helpdesk.demo.story import LANGUAGES, fill, stories
from helpdesk.events import Event
from helpdesk.kb.models import Outcome, Search
from helpdesk.lib import worktime
from helpdesk.lib.passwords import verify_password
from helpdesk.outbox.models import Outgoing
from helpdesk.tickets.calendars import worktime_of
from helpdesk.tickets.models import (
    Attachment,
    Calendar,
    Channel,
    Clock,
    ClockState,
    Mailbox,
    Message,
    MessageKind,
    Metric,
    Policy,
    Queue,
    Status,
    Ticket,
)
from helpdesk.tickets.search import find_ticket_ids
from helpdesk.tickets.spells import Came, Spell
from tests.conftest import Template, make_config, own_database

AT = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)  # a Tuesday, 16:30 in Kyiv


WRITTEN = Ticket.channel != Channel.PHONE


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest,
    templates: dict[str, Template],
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Iterator[Flask]:
    """An application with the demo in it, shared by the tests of this module: they only read."""
    folder = tmp_path_factory.mktemp("demo")
    template = templates[request.param]
    app = create_app(own_database(template, folder, f"demo_{worker_id}"))
    with app.app_context():
        assert demo.is_empty()
        demo.load(AT)
        yield app
        ext.db.engine.dispose()


def test_the_cast_of_the_shop_is_complete(shop: Flask) -> None:
    with ext.session() as session:
        roles = Counter(session.scalars(select(User.role)))
        kinds = Counter(session.scalars(select(Client.kind)))
        languages = Counter(session.scalars(select(Client.language)))
        assert roles == {Role.AGENT: 2, Role.SUPERVISOR: 1, Role.ADMIN: 1}
        assert sum(kinds.values()) == 60
        assert kinds[ClientKind.ORGANISATION] >= 15
        assert min(languages[one] for one in LANGUAGES) >= 12
        assert session.scalars(select(Queue.name).order_by(Queue.id)).all() == [
            "Support",
            "Billing",
        ]
        domain = shop.config["MAIL_DOMAIN"]
        addresses = set(session.scalars(select(Mailbox.address)))
        assert addresses == {f"support@{domain}", f"billing@{domain}"}
        assert session.scalars(select(func.count()).select_from(Policy)).one() >= 3
        offering = session.scalars(select(Queue.name).where(Queue.receipt_articles.is_(True)))
        assert offering.all() == ["Support"]
        firms = select(Client.profile).where(Client.kind == ClientKind.ORGANISATION)
        assert {key for one in session.scalars(firms) for key in one} == {"industry"}


def test_the_printed_log_ins_work(shop: Flask) -> None:
    with ext.session() as session:
        for name, role in demo.DEMO_USERS:
            email = f"{name}@{shop.config['MAIL_DOMAIN']}"
            user = session.scalars(select(User).where(User.email == email)).one()
            assert user.role == role
            assert verify_password(user.password_hash, demo.DEMO_PASSWORD)


def test_there_are_tickets_in_every_state_over_sixty_days(shop: Flask) -> None:
    with ext.session() as session:
        states = Counter(session.scalars(select(Ticket.status).where(WRITTEN)))
        assert 190 <= sum(states.values()) <= 230
        assert all(states[status] >= 5 for status in Status)
        first = session.scalars(select(func.min(Ticket.created_at))).one()
        assert timedelta(days=50) < AT - first < timedelta(days=75)
        active = Counter(session.scalars(select(Ticket.sla).where(Ticket.done_at.is_(None))))
        assert active["risk"] >= 3
        assert active["breached"] >= 3
        assert active[None] >= 15
        clocks = Counter(session.scalars(select(Clock.state)))
        assert all(clocks[state] >= 5 for state in ClockState)
        assert clocks[ClockState.MET] > 5 * clocks[ClockState.BREACHED]
        unassigned = select(func.count()).where(
            Ticket.assignee_id.is_(None), Ticket.done_at.is_(None)
        )
        assert session.scalars(unassigned).one() >= 5


def test_nothing_happened_in_the_future_or_out_of_order(shop: Flask) -> None:
    with ext.session() as session:
        assert session.scalars(select(func.max(Message.created_at))).one() <= AT
        assert session.scalars(select(func.max(Event.at))).one() <= AT
        times: dict[int, datetime] = {}
        for ticket_id, at in session.execute(
            select(Message.ticket_id, Message.created_at).order_by(Message.id)
        ):
            assert times.get(ticket_id, at) <= at
            times[ticket_id] = at
        opened = session.execute(
            select(Ticket.created_at, Person.created_at).join(Person, Person.id == Ticket.person_id)
        )
        assert all(known <= created for created, known in opened)


def test_our_people_answer_in_business_hours(shop: Flask) -> None:
    with ext.session() as session:
        office = worktime_of(session.scalars(select(Calendar)).first())
        ours = select(Message.created_at).where(Message.user_id.is_not(None))
        moments = session.scalars(ours).all()
        assert len(moments) > 250
        assert all(worktime.is_open(office, at) for at in moments)


def test_the_clocks_tell_the_truth(shop: Flask) -> None:
    """Nothing is overdue unseen, and each stopped clock agrees with its spans."""
    with ext.session() as session:
        late = select(Clock.id).where(Clock.next_at <= AT)
        assert session.scalar(late) is None
        for clock in session.scalars(select(Clock).where(Clock.stopped_at.is_not(None))):
            counted = sum(span["seconds"] for span in clock.explained or () if span["counted"])
            is_late = counted > clock.target_seconds
            if clock.metric != Metric.SPEED_OF_ANSWER:  # who hung up was not answered in time
                assert is_late == (clock.state == ClockState.BREACHED)
        answered = select(Ticket.id, Ticket.first_response_at, Message.created_at).join(
            Message, Message.ticket_id == Ticket.id
        )
        first: dict[int, datetime] = {}
        phoned = set(session.scalars(select(Call.ticket_id)))
        for ticket_id, said, at in session.execute(
            answered.where(Message.kind == MessageKind.OUTBOUND).order_by(Message.id)
        ):
            first.setdefault(ticket_id, at)
            assert said <= first[ticket_id] if ticket_id in phoned else said == first[ticket_id]


def test_the_telephone_rang_on_all_these_days(shop: Flask) -> None:
    with ext.session() as session:
        calls = session.scalars(select(Call).order_by(Call.id)).all()
        ends = Counter(call.end_reason for call in calls)
        assert ends[EndReason.TALKED] >= 35
        assert min(ends[EndReason.ABANDONED_QUEUE], ends[EndReason.CONTAINED]) >= 3
        assert all(call.over_at and call.over_at <= AT for call in calls)
        office = worktime_of(session.scalars(select(Calendar)).first())
        assert all(worktime.is_open(office, call.started_at) for call in calls)
        talked = [call for call in calls if call.direction == "inbound" and call.answered_at]
        assert all(call.ticket_id and call.wrapped_at and call.disposition for call in talked)
        assert min(call.started_at for call in calls) < AT - timedelta(days=50)
        missed = [call for call in calls if call.end_reason == EndReason.ABANDONED_QUEUE]
        assert any(call.task_id for call in missed)


def test_reports_have_something_to_count(shop: Flask) -> None:
    """Every ticket has its stays to this day, everybody who answers a team, each queue one."""
    with ext.session() as session:
        running = select(Spell.ticket_id, Spell.status).where(Spell.to_at.is_(None))
        now_ = select(Ticket.id, Ticket.status).order_by(Ticket.id)
        assert (
            session.execute(running.order_by(Spell.ticket_id)).all() == session.execute(now_).all()
        )
        lengths = select(func.min(Spell.seconds), func.max(Spell.to_at))
        assert session.execute(lengths).one()[0] == 0
        assert session.execute(lengths).one()[1] <= AT
        came = Counter(session.scalars(select(Spell.came)))
        assert came[Came.OPENED] == sum(Counter(session.scalars(select(Ticket.status))).values())
        moves = (Came.DONE, Came.TAKEN, Came.PASSED, Came.REOPENED)
        assert min(came[one] for one in moves) > 0
        ends = Counter(session.scalars(select(Search.outcome).where(Search.found > 0)))
        assert min(ends[one] for one in (None, *Outcome)) > 0
        alone = select(User.name).where(User.team_id.is_(None))
        assert session.scalars(alone).all() == ["Andrew Miller"]
        assert session.scalar(select(Queue.id).where(Queue.team_id.is_(None))) is None


def test_nothing_of_it_leaves_the_house(shop: Flask) -> None:
    with ext.session() as session:
        assert session.scalar(select(Event.id).where(Event.todo.is_not(None))) is None
        assert session.scalar(select(Outgoing.id).where(Outgoing.due_at.is_not(None))) is None
        values = session.scalars(
            select(ContactPoint.value).where(ContactPoint.value.contains("@"))
        ).all()
        assert all(value.endswith(".example") for value in values)


def test_the_conversations_are_many_and_filled_in(shop: Flask) -> None:
    assert sum(len(stories(language)) for language in LANGUAGES) >= 40
    with ext.session() as session:
        texts = session.scalars(select(Message.text)).all()
        assert not [text for text in texts if re.search(r"[{}\[\]]|\|", text)]
        assert max(Counter(texts).values()) <= 6
        subjects = Counter(session.scalars(select(Ticket.subject)))
        assert max(subjects.values()) <= 6


@pytest.mark.parametrize(
    "words", ["пральну машину", "подвійне списання", "духовка", "parcel", "Литвиненко"]
)
def test_it_can_be_searched(shop: Flask, words: str) -> None:
    with ext.session() as session:
        found = find_ticket_ids(session, words, country="UA")
    assert found


def test_the_attachments_can_be_opened(shop: Flask) -> None:
    with ext.session() as session:
        rows = session.scalars(select(Attachment)).all()
        assert len(rows) >= 40
        for row in rows:
            start = b"\x89PNG" if row.content_type == "image/png" else b"%PDF-1.4"
            data = files.read(row.file.sha256)
            assert data.startswith(start)
            assert len(data) == row.size


def test_the_same_moment_gives_the_same_shop(
    shop: Flask, tmp_path: Path, templates: dict[str, Template]
) -> None:
    with ext.session() as session:
        told = sorted(session.execute(select(Ticket.created_at, Ticket.language).where(WRITTEN)))
    shutil.copy(templates["sqlite"].source, tmp_path / "helpdesk.db")
    with create_app(make_config(tmp_path)).app_context(), ext.write() as session:
        pick = random.Random(demo.SEED)
        stage = build(session, AT, pick)
        planned = plan(stage, AT, pick, demo.promised_by(session, stage))
    again = sorted((one.acts[0].at, one.story.language) for one in planned)
    assert [tuple(row) for row in told] == again


def test_a_desk_with_work_in_it_is_not_empty(shop: Flask) -> None:
    assert not demo.is_empty()


def test_a_form_follows_the_gender_of_the_speaker() -> None:
    assert fill("Замови[в|ла] {model}", {"model": "X"}, feminine=True) == "Замовила X"
    assert fill("Замови[в|ла] {model}", {"model": "X"}, feminine=False) == "Замовив X"


def test_pictures_and_documents_are_well_formed() -> None:
    assert png(1) == png(1) != png(2)
    document = pdf(3)
    start = int(document.rsplit(b"startxref\n", 1)[1].split()[0])
    assert document[start:].startswith(b"xref\n0 6\n")
    for n, line in enumerate(document[start:].splitlines()[3:8], 1):
        assert document[int(line[:10]) :].startswith(b"%d 0 obj" % n)
