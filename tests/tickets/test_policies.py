"""Policies are checked, the most particular one wins, and used ones are only switched off."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.events import SYSTEM, Event
from helpdesk.lib.errors import Conflict, HelpdeskError
from helpdesk.tickets import policies, sla
from helpdesk.tickets.models import Channel, Clock, Policy, PolicyStep, Priority, StepAction
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
NOTIFY = {"action": "notify", "role": "supervisor"}


def picked(session: Session, queue_id: int, priority: Priority, *tags: str) -> str | None:
    found = policies.pick(session, queue_id, priority, tags)
    return found.name if found else None


def test_the_most_particular_policy_wins_whatever_the_order_they_were_made_in(
    app: Flask, cast: Cast
) -> None:
    queue = cast.support.id
    conditions: dict[str, dict[str, Any]] = {
        "queue": {"queue_id": queue},
        "tag": {"client_tag": "vip"},
        "priority": {"priority": "urgent"},
        "tag+priority": {"client_tag": "vip", "priority": "urgent"},
    }
    for order in list(permutations(conditions))[::5]:
        with ext.write() as session, session.begin_nested() as savepoint:
            for name in order:
                policies.create(session, name=name, targets={}, at=AT, **conditions[name])
            assert picked(session, queue, Priority.URGENT, "vip") == "tag+priority"
            assert picked(session, queue, Priority.URGENT) == "queue"
            assert picked(session, queue, Priority.LOW, "vip", "x") == "queue"
            assert picked(session, cast.billing.id, Priority.LOW, "x", "vip") == "tag"
            assert picked(session, cast.billing.id, Priority.URGENT) == "priority"
            assert picked(session, cast.billing.id, Priority.LOW) == "Standard"
            savepoint.rollback()


def test_among_equals_the_older_one_wins_and_a_switched_off_one_never(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        older = policies.create(session, name="A", priority="low", targets={}, at=AT)
        policies.create(session, name="B", priority="low", targets={}, at=AT)
        assert picked(session, 1, Priority.LOW) == "A"
        policies.change(session, older, active=False, actor=SYSTEM, at=AT)
        assert picked(session, 1, Priority.LOW) == "B"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "standard"}),
        ("targets", {"targets": []}),
        ("targets", {"targets": {"speed": 3600}}),
        ("targets.resolution", {"targets": {"resolution": 0}}),
        ("targets.resolution", {"targets": {"resolution": "3600"}}),
        ("targets.resolution", {"targets": {"resolution": True}}),
        ("targets.resolution", {"targets": {"resolution": 10**12}}),
        ("queue_id", {"queue_id": 99}),
        ("queue_id", {"queue_id": "Support"}),
        ("calendar_id", {"calendar_id": 99}),
        ("priority", {"priority": "huge"}),
        ("client_tag", {"client_tag": 5}),
        ("warn_percent", {"warn_percent": 0}),
        ("warn_percent", {"warn_percent": 101}),
        ("steps", {"steps": "notify"}),
        ("steps", {"steps": [NOTIFY] * 21}),
        ("steps.0", {"steps": ["notify"]}),
        ("steps.0", {"steps": [NOTIFY | {"whom": 1}]}),
        ("steps.1.action", {"steps": [NOTIFY, {"action": "shout"}]}),
        ("steps.0.role", {"steps": [{"action": "notify"}]}),
        ("steps.0.role", {"steps": [{"action": "notify", "role": "boss"}]}),
        ("steps.0.metric", {"steps": [NOTIFY | {"metric": "joy"}]}),
        ("steps.0.after_seconds", {"steps": [NOTIFY | {"after_seconds": -1}]}),
        ("steps.0.priority", {"steps": [{"action": "priority"}]}),
        ("steps.0.user_id", {"steps": [{"action": "reassign"}]}),
        ("steps.0.user_id", {"steps": [{"action": "reassign", "user_id": 99}]}),
    ],
)
def test_a_wrong_policy_is_refused_with_the_place(
    app: Flask, cast: Cast, field: str, values: dict[str, Any]
) -> None:
    with ext.write() as session:
        with pytest.raises(HelpdeskError) as refused:
            policies.create(session, **({"name": "New", "targets": {}, "at": AT} | values))
        assert refused.value.field == field
        assert len(session.scalars(select(Policy)).all()) == 1


def test_a_policy_keeps_what_it_was_given(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        policy = policies.create(
            session,
            name=" Gold  plan ",
            targets={"resolution": 7200, "first_response": 600, "next_response": None},
            client_tag=" VIP ",
            steps=[
                {"action": "priority", "priority": "urgent", "after_seconds": 60},
                NOTIFY | {"metric": "resolution", "role": "assignee"},
            ],
            at=AT,
        )
        session.expire(policy)
        assert (policy.name, policy.client_tag) == ("Gold plan", "vip")
        assert policy.targets == {"first_response": 600, "resolution": 7200}
        assert [step.action for step in policy.steps] == [StepAction.NOTIFY, StepAction.PRIORITY]


def test_steps_that_stay_keep_their_identity(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        steps = [NOTIFY, NOTIFY | {"after_seconds": 60}]
        policy = policies.create(session, name="New", targets={}, steps=steps, at=AT)
        first, second = (step.id for step in policy.steps)
        policies.change(session, policy, steps=steps, actor=SYSTEM, at=AT)
        assert policy.version == 1
        steps = [NOTIFY | {"after_seconds": 30}, NOTIFY | {"after_seconds": 60}]
        policies.change(session, policy, steps=steps, actor=SYSTEM, at=AT, version=1)
        session.expire(policy)
        ids = [step.id for step in policy.steps]
        assert (ids[1], policy.version) == (second, 2)
        assert ids[0] != second
        assert len(session.scalars(select(PolicyStep)).all()) == 2
        assert first not in ids
        with pytest.raises(Conflict):
            policies.change(session, policy, name="Z", actor=SYSTEM, at=AT, version=1)


def test_a_new_name_recounts_nothing_and_new_conditions_recount_all(app: Flask, cast: Cast) -> None:
    with ext.write() as session:
        policy = policies.create(session, name="New", priority="low", targets={}, at=AT)
        standard = session.scalars(select(Policy).where(Policy.name == "Standard")).one()

        def generations() -> tuple[int, int]:
            session.refresh(policy)
            session.refresh(standard)
            return policy.generation, standard.generation

        start = generations()[0]
        policies.change(session, policy, name="Newer", actor=SYSTEM, at=AT)
        assert generations() == (start, start)
        policies.change(session, policy, targets={"resolution": 60}, actor=SYSTEM, at=AT)
        assert generations() == (start + 1, start)
        policies.change(session, policy, priority="high", actor=SYSTEM, at=AT)
        assert generations() == (start + 2, start + 2)


def test_a_deleted_policy_leaves_its_clocks_to_the_one_that_fits_now(
    app: Flask, cast: Cast
) -> None:
    with ext.write() as session:
        urgent = policies.create(
            session, name="Urgent", priority="urgent", targets={"first_response": 60}, at=AT
        )
        unused = policies.create(session, name="Unused", priority="low", targets={}, at=AT)
        open_ticket(
            session,
            queue_id=cast.support.id,
            who=cast.oksana,
            subject="Help",
            channel=Channel.EMAIL,
            language="en",
            priority=Priority.URGENT,
            at=AT,
        )
        unused_id = unused.id
        policies.delete(session, unused, actor=SYSTEM, at=AT)
        policies.delete(session, urgent, actor=SYSTEM, at=AT)
        assert session.get(Policy, unused_id) is None
        assert not urgent.active
        assert sla.recount_due(session, AT) == 1
        clock = session.scalars(select(Clock).execution_options(populate_existing=True)).one()
        assert (clock.target_seconds, clock.policy_id) == (4 * 3600, 1)
        kinds = select(Event.data).where(Event.kind == "policy.deleted")
        assert len(session.scalars(kinds).all()) == 2
