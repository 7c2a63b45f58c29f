"""Reports: teams, spells of tickets, schedules, alarms, contract statements."""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('team',
    sa.Column('id', ID, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sort_key', sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_team')),
    sa.UniqueConstraint('name', name=op.f('uq_team_name'))
    )
    op.create_table('alarm_rule',
    sa.Column('id', ID, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('measure', sa.String(length=40), nullable=False),
    sa.Column('queue_id', ID, nullable=True),
    sa.Column('team_id', ID, nullable=True),
    sa.Column('agent_id', ID, nullable=True),
    sa.Column('side', sa.String(20), nullable=False),
    sa.Column('threshold', sa.Double(), nullable=False),
    sa.Column('for_seconds', ID, nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('role', sa.String(20), nullable=True),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('value', sa.Double(), nullable=True),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_by', ID, nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', ID, nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['user.id'], name=op.f('fk_alarm_rule_agent_id')),
    sa.ForeignKeyConstraint(['created_by'], ['user.id'], name=op.f('fk_alarm_rule_created_by')),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_alarm_rule_queue_id')),
    sa.ForeignKeyConstraint(['team_id'], ['team.id'], name=op.f('fk_alarm_rule_team_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_alarm_rule_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alarm_rule'))
    )
    op.create_table('report_schedule',
    sa.Column('id', ID, nullable=False),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('report', sa.String(length=20), nullable=False),
    sa.Column('query', sa.JSON(), nullable=False),
    sa.Column('every', sa.String(20), nullable=False),
    sa.Column('hour', ID, nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_by', ID, nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['user.id'], name=op.f('fk_report_schedule_created_by')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_report_schedule_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_schedule'))
    )
    with op.batch_alter_table('report_schedule', schema=None) as batch_op:
        batch_op.create_index('ix_report_schedule_next', ['next_at'], unique=False, sqlite_where=sa.text('next_at IS NOT NULL'), postgresql_where=sa.text('next_at IS NOT NULL'))
        batch_op.create_index(batch_op.f('ix_report_schedule_user_id'), ['user_id'], unique=False)

    op.create_table('second_factor',
    sa.Column('user_id', ID, nullable=False),
    sa.Column('nonce', sa.String(length=64), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_step', ID, nullable=False),
    sa.Column('recovery', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_second_factor_user_id')),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_second_factor'))
    )
    op.create_table('alarm',
    sa.Column('id', ID, nullable=False),
    sa.Column('rule_id', ID, nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('value', sa.Double(), nullable=False),
    sa.Column('worst', sa.Double(), nullable=False),
    sa.Column('threshold', sa.Double(), nullable=False),
    sa.Column('acknowledged_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('acknowledged_by', ID, nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['acknowledged_by'], ['user.id'], name=op.f('fk_alarm_acknowledged_by')),
    sa.ForeignKeyConstraint(['rule_id'], ['alarm_rule.id'], name=op.f('fk_alarm_rule_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alarm'))
    )
    with op.batch_alter_table('alarm', schema=None) as batch_op:
        batch_op.create_index('ix_alarm_began', ['began_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_alarm_rule_id'), ['rule_id'], unique=False)
        batch_op.create_index('uq_alarm_open', ['rule_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.create_table('contract_statement',
    sa.Column('id', ID, nullable=False),
    sa.Column('client_id', ID, nullable=False),
    sa.Column('policy_id', ID, nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('closed_by', ID, nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_contract_statement_client_id')),
    sa.ForeignKeyConstraint(['closed_by'], ['user.id'], name=op.f('fk_contract_statement_closed_by')),
    sa.ForeignKeyConstraint(['policy_id'], ['policy.id'], name=op.f('fk_contract_statement_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contract_statement'))
    )
    with op.batch_alter_table('contract_statement', schema=None) as batch_op:
        batch_op.create_index('ix_contract_statement_client', ['client_id', 'policy_id', 'month'], unique=False)
        batch_op.create_index('ix_contract_statement_month', ['month'], unique=False)
        batch_op.create_index(batch_op.f('ix_contract_statement_policy_id'), ['policy_id'], unique=False)

    op.create_table('report_file',
    sa.Column('id', ID, nullable=False),
    sa.Column('schedule_id', ID, nullable=True),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('file_id', ID, nullable=False),
    sa.Column('filename', sa.Text(), nullable=False),
    sa.Column('content_type', sa.String(length=127), nullable=False),
    sa.Column('size', ID, nullable=False),
    sa.Column('rights', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_report_file_file_id')),
    sa.ForeignKeyConstraint(['schedule_id'], ['report_schedule.id'], name=op.f('fk_report_file_schedule_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_report_file_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_file'))
    )
    with op.batch_alter_table('report_file', schema=None) as batch_op:
        batch_op.create_index('ix_report_file_created', ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_report_file_file_id'), ['file_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_report_file_schedule_id'), ['schedule_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_report_file_user_id'), ['user_id'], unique=False)

    op.create_table('ticket_spell',
    sa.Column('id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('queue_id', ID, nullable=False),
    sa.Column('assignee_id', ID, nullable=True),
    sa.Column('status', sa.String(20), nullable=False),
    sa.Column('came', sa.String(20), nullable=False),
    sa.Column('actor_id', ID, nullable=True),
    sa.Column('from_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('to_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('seconds', ID, nullable=True),
    sa.ForeignKeyConstraint(['actor_id'], ['user.id'], name=op.f('fk_ticket_spell_actor_id')),
    sa.ForeignKeyConstraint(['assignee_id'], ['user.id'], name=op.f('fk_ticket_spell_assignee_id')),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_ticket_spell_queue_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_spell_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_spell'))
    )
    with op.batch_alter_table('ticket_spell', schema=None) as batch_op:
        batch_op.create_index('ix_spell_from', ['from_at', 'came', 'ticket_id'], unique=False)
        batch_op.create_index('ix_spell_ticket', ['ticket_id', 'id'], unique=False)
        batch_op.create_index('ix_spell_to', ['to_at', 'status', 'queue_id', 'seconds', 'ticket_id'], unique=False, sqlite_where=sa.text('to_at IS NOT NULL'), postgresql_where=sa.text('to_at IS NOT NULL'))
        batch_op.create_index('uq_spell_running', ['ticket_id'], unique=True, sqlite_where=sa.text('to_at IS NULL'), postgresql_where=sa.text('to_at IS NULL'))

    op.create_table('ticket_viewer',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_viewer_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_ticket_viewer_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_viewer')),
    sa.UniqueConstraint('key', name=op.f('uq_ticket_viewer_key'))
    )
    with op.batch_alter_table('ticket_viewer', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_viewer_seen', ['seen_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_viewer_ticket_id'), ['ticket_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_viewer_user_id'), ['user_id'], unique=False)

    op.create_table('clock_exclusion',
    sa.Column('id', ID, nullable=False),
    sa.Column('clock_id', ID, nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('author_id', ID, nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', ID, nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('approved', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['author_id'], ['user.id'], name=op.f('fk_clock_exclusion_author_id')),
    sa.ForeignKeyConstraint(['clock_id'], ['clock.id'], name=op.f('fk_clock_exclusion_clock_id')),
    sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name=op.f('fk_clock_exclusion_decided_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_clock_exclusion')),
    sa.UniqueConstraint('clock_id', name=op.f('uq_clock_exclusion_clock_id'))
    )
    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.create_index('ix_event_apart', ['at', 'id'], unique=False, sqlite_where=sa.text('ticket_id IS NULL'), postgresql_where=sa.text('ticket_id IS NULL'))
        batch_op.create_index('ix_event_user', ['user_id', 'id'], unique=False, sqlite_where=sa.text('user_id IS NOT NULL'), postgresql_where=sa.text('user_id IS NOT NULL'))

    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.alter_column('ticket_id',
               existing_type=sa.INTEGER(),
               nullable=True)

    with op.batch_alter_table('queue', schema=None) as batch_op:
        batch_op.add_column(sa.Column('team_id', ID, nullable=True))
        batch_op.create_index(batch_op.f('ix_queue_team_id'), ['team_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_queue_team_id'), 'team', ['team_id'], ['id'])

    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.create_index('ix_task_due', ['due_at', 'id'], unique=False)

    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_created', ['created_at', 'id'], unique=False)
        batch_op.create_index('ix_ticket_merged', ['merged_into_id'], unique=False, sqlite_where=sa.text('merged_into_id IS NOT NULL'), postgresql_where=sa.text('merged_into_id IS NOT NULL'))

    with op.batch_alter_table('user', schema=None) as batch_op:
        batch_op.add_column(sa.Column('team_id', ID, nullable=True))
        batch_op.add_column(sa.Column('reports', sa.String(20), server_default='all', nullable=False))
        batch_op.create_index(batch_op.f('ix_user_team_id'), ['team_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_user_team_id'), 'team', ['team_id'], ['id'])
    _fill_spells()


def downgrade() -> None:
    with op.batch_alter_table('user', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_user_team_id'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_user_team_id'))
        batch_op.drop_column('reports')
        batch_op.drop_column('team_id')

    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_index('ix_ticket_merged', sqlite_where=sa.text('merged_into_id IS NOT NULL'), postgresql_where=sa.text('merged_into_id IS NOT NULL'))
        batch_op.drop_index('ix_ticket_created')

    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.drop_index('ix_task_due')

    with op.batch_alter_table('queue', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_queue_team_id'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_queue_team_id'))
        batch_op.drop_column('team_id')

    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.alter_column('ticket_id',
               existing_type=sa.INTEGER(),
               nullable=False)

    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.drop_index('ix_event_user', sqlite_where=sa.text('user_id IS NOT NULL'), postgresql_where=sa.text('user_id IS NOT NULL'))
        batch_op.drop_index('ix_event_apart', sqlite_where=sa.text('ticket_id IS NULL'), postgresql_where=sa.text('ticket_id IS NULL'))

    op.drop_table('clock_exclusion')
    with op.batch_alter_table('ticket_viewer', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ticket_viewer_user_id'))
        batch_op.drop_index(batch_op.f('ix_ticket_viewer_ticket_id'))
        batch_op.drop_index('ix_ticket_viewer_seen')

    op.drop_table('ticket_viewer')
    with op.batch_alter_table('ticket_spell', schema=None) as batch_op:
        batch_op.drop_index('uq_spell_running', sqlite_where=sa.text('to_at IS NULL'), postgresql_where=sa.text('to_at IS NULL'))
        batch_op.drop_index('ix_spell_to', sqlite_where=sa.text('to_at IS NOT NULL'), postgresql_where=sa.text('to_at IS NOT NULL'))
        batch_op.drop_index('ix_spell_ticket')
        batch_op.drop_index('ix_spell_from')

    op.drop_table('ticket_spell')
    with op.batch_alter_table('report_file', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_report_file_user_id'))
        batch_op.drop_index(batch_op.f('ix_report_file_schedule_id'))
        batch_op.drop_index(batch_op.f('ix_report_file_file_id'))
        batch_op.drop_index('ix_report_file_created')

    op.drop_table('report_file')
    with op.batch_alter_table('contract_statement', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contract_statement_policy_id'))
        batch_op.drop_index('ix_contract_statement_month')
        batch_op.drop_index('ix_contract_statement_client')

    op.drop_table('contract_statement')
    with op.batch_alter_table('alarm', schema=None) as batch_op:
        batch_op.drop_index('uq_alarm_open', sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_alarm_rule_id'))
        batch_op.drop_index('ix_alarm_began')

    op.drop_table('alarm')
    op.drop_table('second_factor')
    with op.batch_alter_table('report_schedule', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_report_schedule_user_id'))
        batch_op.drop_index('ix_report_schedule_next', sqlite_where=sa.text('next_at IS NOT NULL'), postgresql_where=sa.text('next_at IS NOT NULL'))

    op.drop_table('report_schedule')
    op.drop_table('alarm_rule')
    op.drop_table('team')


DONE = ("resolved", "closed")
TICKETS = sa.text(
    "SELECT id, queue_id, assignee_id, status, created_at FROM ticket"
    " WHERE id > :after ORDER BY id LIMIT 1000"
)
EVENTS = sa.text(
    "SELECT ticket_id, kind, at, user_id, data FROM event WHERE ticket_id >= :first"
    " AND ticket_id <= :last AND kind IN ('ticket.status', 'ticket.queue', 'ticket.assigned')"
    " ORDER BY ticket_id, id"
)


def _fill_spells() -> None:
    """The spells of the tickets that are there, as their Events tell."""
    moment = sa.DateTime(timezone=True)
    tickets = TICKETS.columns(created_at=moment)
    events = EVENTS.columns(at=moment, data=sa.JSON())
    connection, after = op.get_bind(), 0
    while rows := connection.execute(tickets, {"after": after}).all():
        after = rows[-1].id
        told: dict[int, list[Any]] = defaultdict(list)
        for event in connection.execute(events, {"first": rows[0].id, "last": after}):
            told[event.ticket_id].append(event)
        op.bulk_insert(SPELL, [spell for row in rows for spell in _spells(row, told[row.id])])


def _spells(ticket: Any, events: list[Any]) -> list[dict[str, Any]]:
    first = {event.kind: event.data.get("old") for event in reversed(events)}
    now = {
        "queue_id": first.get("ticket.queue", ticket.queue_id),
        "assignee_id": first.get("ticket.assigned", ticket.assignee_id),
        "status": first.get("ticket.status", ticket.status),
    }
    spells = [_spell(ticket.id, now, "opened", None, ticket.created_at)]
    for event in events:
        name = {"ticket.queue": "queue_id", "ticket.assigned": "assignee_id"}.get(
            event.kind, "status"
        )
        old, new = now[name], event.data.get("new")
        if old == new:
            continue
        now = now | {name: new}
        last, at = spells[-1], max(event.at, spells[-1]["from_at"])
        last |= {"to_at": at, "seconds": int((at - last["from_at"]).total_seconds())}
        spells.append(_spell(ticket.id, now, _came(name, old, new), event.user_id, at))
    return spells


def _came(name: str, old: Any, new: Any) -> str:
    if name == "queue_id":
        return "queue"
    if name == "assignee_id":
        return "dropped" if new is None else "taken" if old is None else "passed"
    if (old in DONE) == (new in DONE):
        return "status"
    return "done" if new in DONE else "reopened"


def _spell(ticket_id: int, now: Any, came: str, actor_id: int | None, at: Any) -> dict[str, Any]:
    row = {"ticket_id": ticket_id, "came": came, "actor_id": actor_id, "from_at": at}
    return {**now, **row, "to_at": None, "seconds": None}


SPELL = sa.table(
    "ticket_spell",
    *(sa.column(name) for name in ("ticket_id", "queue_id", "assignee_id", "status", "came")),
    sa.column("actor_id"),
    sa.column("from_at", sa.DateTime(timezone=True)),
    sa.column("to_at", sa.DateTime(timezone=True)),
    sa.column("seconds"),
)
