"""The first tables."""

import sqlalchemy as sa
from alembic import op

from helpdesk.ext import fulltext


revision = '0001'
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('calendar',
    sa.Column('id', ID, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('timezone', sa.String(length=60), nullable=False),
    sa.Column('weekly', sa.JSON(), nullable=False),
    sa.Column('holidays', sa.JSON(), nullable=False),
    sa.Column('special', sa.JSON(), nullable=False),
    sa.Column('version', ID, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calendar')),
    sa.UniqueConstraint('name', name=op.f('uq_calendar_name'))
    )
    op.create_table('limit_hit',
    sa.Column('id', ID, nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_limit_hit'))
    )
    with op.batch_alter_table('limit_hit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_limit_hit_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index('ix_limit_hit_window', ['name', 'subject', 'at'], unique=False)

    op.create_table('queue',
    sa.Column('id', ID, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sort_key', sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
    sa.Column('numbers', sa.JSON(), nullable=False),
    sa.Column('receipts', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_queue')),
    sa.UniqueConstraint('name', name=op.f('uq_queue_name'))
    )
    op.create_table('setting',
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('value', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_setting'))
    )
    op.create_table('stored_file',
    sa.Column('id', ID, nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size', ID, nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stored_file')),
    sa.UniqueConstraint('sha256', name=op.f('uq_stored_file_sha256'))
    )
    op.create_table('user',
    sa.Column('id', ID, nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sort_key', sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
    sa.Column('role', sa.String(20), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('timezone', sa.String(length=60), nullable=False),
    sa.Column('theme', sa.String(length=8), nullable=False),
    sa.Column('signature', sa.Text(), nullable=False),
    sa.Column('all_queues', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_login_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user')),
    sa.UniqueConstraint('email', name=op.f('uq_user_email'))
    )
    op.create_table('api_token',
    sa.Column('id', ID, nullable=False),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('scopes', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_api_token_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_api_token_token_hash'))
    )
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_token_user_id'), ['user_id'], unique=False)

    op.create_table('client',
    sa.Column('id', ID, nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sort_key', sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=True),
    sa.Column('owner_id', ID, nullable=True),
    sa.Column('tags', sa.JSON(), nullable=False),
    sa.Column('potential', sa.Boolean(), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', ID, nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['user.id'], name=op.f('fk_client_owner_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_client'))
    )
    with op.batch_alter_table('client', schema=None) as batch_op:
        batch_op.create_index('ix_client_sort', ['sort_key', 'id'], unique=False)

    op.create_table('login_session',
    sa.Column('id', ID, nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('user_agent', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_login_session_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_login_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_login_session_token_hash'))
    )
    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_login_session_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_login_session_user_id'), ['user_id'], unique=False)

    op.create_table('mailbox',
    sa.Column('id', ID, nullable=False),
    sa.Column('address', sa.String(length=254), nullable=False),
    sa.Column('queue_id', ID, nullable=False),
    sa.Column('is_primary', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_mailbox_queue_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mailbox')),
    sa.UniqueConstraint('address', name=op.f('uq_mailbox_address'))
    )
    with op.batch_alter_table('mailbox', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mailbox_queue_id'), ['queue_id'], unique=False)

    op.create_table('one_time_link',
    sa.Column('id', ID, nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_one_time_link_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_one_time_link')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_one_time_link_token_hash'))
    )
    with op.batch_alter_table('one_time_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_one_time_link_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_one_time_link_user_id'), ['user_id'], unique=False)

    op.create_table('policy',
    sa.Column('id', ID, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('queue_id', ID, nullable=True),
    sa.Column('priority', sa.String(20), nullable=True),
    sa.Column('client_tag', sa.Text(), nullable=True),
    sa.Column('calendar_id', ID, nullable=True),
    sa.Column('targets', sa.JSON(), nullable=False),
    sa.Column('warn_percent', ID, nullable=False),
    sa.Column('pause_on_hold', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('version', ID, nullable=False),
    sa.Column('generation', ID, nullable=False),
    sa.ForeignKeyConstraint(['calendar_id'], ['calendar.id'], name=op.f('fk_policy_calendar_id')),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_policy_queue_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policy')),
    sa.UniqueConstraint('name', name=op.f('uq_policy_name'))
    )
    op.create_table('queue_member',
    sa.Column('user_id', ID, nullable=False),
    sa.Column('queue_id', ID, nullable=False),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_queue_member_queue_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_queue_member_user_id')),
    sa.PrimaryKeyConstraint('user_id', 'queue_id', name=op.f('pk_queue_member'))
    )
    op.create_table('idempotent_answer',
    sa.Column('id', ID, nullable=False),
    sa.Column('token_id', ID, nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('request_hash', sa.String(length=64), nullable=False),
    sa.Column('status', ID, nullable=True),
    sa.Column('body', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['token_id'], ['api_token.id'], name=op.f('fk_idempotent_answer_token_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_idempotent_answer'))
    )
    with op.batch_alter_table('idempotent_answer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_idempotent_answer_created_at'), ['created_at'], unique=False)
        batch_op.create_index('uq_idempotent_answer', ['token_id', 'key'], unique=True)

    op.create_table('person',
    sa.Column('id', ID, nullable=False),
    sa.Column('client_id', ID, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sort_key', sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=True),
    sa.Column('vocative', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_person_client_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person'))
    )
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_person_client_id'), ['client_id'], unique=False)

    op.create_table('policy_step',
    sa.Column('id', ID, nullable=False),
    sa.Column('policy_id', ID, nullable=False),
    sa.Column('metric', sa.String(20), nullable=True),
    sa.Column('after_seconds', ID, nullable=False),
    sa.Column('action', sa.String(20), nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('role', sa.String(length=20), nullable=True),
    sa.Column('priority', sa.String(20), nullable=True),
    sa.ForeignKeyConstraint(['policy_id'], ['policy.id'], name=op.f('fk_policy_step_policy_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_policy_step_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policy_step')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('policy_step', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_policy_step_policy_id'), ['policy_id'], unique=False)

    op.create_table('contact_point',
    sa.Column('id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('tail', sa.String(length=9), nullable=True),
    sa.Column('verified', sa.Boolean(), nullable=False),
    sa.Column('preferred', sa.Boolean(), nullable=False),
    sa.Column('bad', sa.Boolean(), nullable=False),
    sa.Column('soft_bounces', ID, nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_contact_point_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_point'))
    )
    with op.batch_alter_table('contact_point', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contact_point_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_contact_point_tail', ['tail'], unique=False)
        batch_op.create_index('uq_contact_point', ['kind', 'key', 'person_id'], unique=True)

    op.create_table('ticket',
    sa.Column('id', ID, nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('status', sa.String(20), nullable=False),
    sa.Column('priority', sa.String(20), nullable=False),
    sa.Column('channel', sa.String(20), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=True),
    sa.Column('queue_id', ID, nullable=False),
    sa.Column('client_id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('contact_point_id', ID, nullable=True),
    sa.Column('assignee_id', ID, nullable=True),
    sa.Column('tags', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_message_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('waiting_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('first_response_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_metric', sa.String(20), nullable=True),
    sa.Column('sla', sa.String(length=8), nullable=True),
    sa.Column('related_to_id', ID, nullable=True),
    sa.Column('merged_into_id', ID, nullable=True),
    sa.Column('link_nonce', sa.String(length=32), nullable=False),
    sa.Column('version', ID, nullable=False),
    sa.ForeignKeyConstraint(['assignee_id'], ['user.id'], name=op.f('fk_ticket_assignee_id')),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_ticket_client_id')),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_ticket_contact_point_id')),
    sa.ForeignKeyConstraint(['merged_into_id'], ['ticket.id'], name=op.f('fk_ticket_merged_into_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_ticket_person_id')),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_ticket_queue_id')),
    sa.ForeignKeyConstraint(['related_to_id'], ['ticket.id'], name=op.f('fk_ticket_related_to_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket'))
    )
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_active', ['last_message_at', 'id'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.create_index('ix_ticket_assignee', ['assignee_id', 'last_message_at', 'id'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.create_index('ix_ticket_client', ['client_id', 'last_message_at'], unique=False)
        batch_op.create_index('ix_ticket_person', ['person_id'], unique=False)
        batch_op.create_index('ix_ticket_queue', ['queue_id', 'last_message_at', 'id'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.create_index('ix_ticket_recent', ['last_message_at', 'id'], unique=False)
        batch_op.create_index('ix_ticket_sla', ['sla', 'next_due_at', 'id'], unique=False, sqlite_where=sa.text('sla IS NOT NULL'), postgresql_where=sa.text('sla IS NOT NULL'))
        batch_op.create_index('ix_ticket_status', ['status', 'last_message_at', 'id'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))

    op.create_table('clock',
    sa.Column('id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('metric', sa.String(20), nullable=False),
    sa.Column('policy_id', ID, nullable=True),
    sa.Column('counted', ID, nullable=False),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('target_seconds', ID, nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('remaining_seconds', ID, nullable=True),
    sa.Column('warned_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('breached_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stopped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_step', sa.String(length=30), nullable=True),
    sa.Column('stepped', sa.JSON(), nullable=False),
    sa.Column('paused_spans', sa.JSON(), nullable=False),
    sa.Column('explained', sa.JSON(), nullable=True),
    sa.ForeignKeyConstraint(['policy_id'], ['policy.id'], name=op.f('fk_clock_policy_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_clock_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_clock')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('clock', schema=None) as batch_op:
        batch_op.create_index('ix_clock_next', ['next_at'], unique=False, sqlite_where=sa.text('next_at IS NOT NULL'), postgresql_where=sa.text('next_at IS NOT NULL'))
        batch_op.create_index('ix_clock_policy', ['policy_id', 'counted'], unique=False, sqlite_where=sa.text('stopped_at IS NULL'), postgresql_where=sa.text('stopped_at IS NULL'))
        batch_op.create_index('ix_clock_ticket', ['ticket_id', 'id'], unique=False)

    op.create_table('delivery',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('channel', sa.String(20), nullable=False),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('todo', ID, nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('envelope_from', sa.Text(), nullable=True),
    sa.Column('recipients', sa.JSON(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=True),
    sa.Column('ticket_id', ID, nullable=True),
    sa.Column('person_id', ID, nullable=True),
    sa.Column('is_auto_reply', sa.Boolean(), nullable=False),
    sa.Column('is_bounce', sa.Boolean(), nullable=False),
    sa.Column('receipt_sent', sa.Boolean(), nullable=True),
    sa.Column('attempts', ID, nullable=False),
    sa.Column('size', ID, nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=True),
    sa.Column('raw_sha256', sa.String(length=64), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_delivery_person_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_delivery_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('key', name=op.f('uq_delivery_key'))
    )
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.create_index('ix_delivery_archived', ['raw_sha256'], unique=False, sqlite_where=sa.text('raw_sha256 IS NOT NULL'), postgresql_where=sa.text('raw_sha256 IS NOT NULL'))
        batch_op.create_index(batch_op.f('ix_delivery_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_delivery_received', ['received_at'], unique=False)
        batch_op.create_index('ix_delivery_rfc', ['message_id'], unique=False)
        batch_op.create_index('ix_delivery_state', ['state', 'id'], unique=False)
        batch_op.create_index('ix_delivery_ticket', ['ticket_id'], unique=False)
        batch_op.create_index('ix_delivery_todo', ['id'], unique=False, sqlite_where=sa.text('todo IS NOT NULL'), postgresql_where=sa.text('todo IS NOT NULL'))
        batch_op.create_index('ix_delivery_unpacked', ['received_at'], unique=False, sqlite_where=sa.text('raw IS NOT NULL'), postgresql_where=sa.text('raw IS NOT NULL'))

    op.create_table('draft',
    sa.Column('id', ID, nullable=False),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_draft_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_draft_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draft'))
    )
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_draft_ticket_id'), ['ticket_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_draft_updated_at'), ['updated_at'], unique=False)
        batch_op.create_index('uq_draft', ['user_id', 'ticket_id', 'kind'], unique=True)

    op.create_table('event',
    sa.Column('id', ID, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('person_id', ID, nullable=True),
    sa.Column('ticket_id', ID, nullable=True),
    sa.Column('client_id', ID, nullable=True),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('key', sa.String(length=60), nullable=True),
    sa.Column('todo', ID, nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_event_client_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_event_person_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_event_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_event_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_event')),
    sa.UniqueConstraint('key', name=op.f('uq_event_key'))
    )
    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_event_at'), ['at'], unique=False)
        batch_op.create_index('ix_event_client', ['client_id', 'id'], unique=False)
        batch_op.create_index('ix_event_ticket', ['ticket_id', 'id'], unique=False)
        batch_op.create_index('ix_event_todo', ['id'], unique=False, sqlite_where=sa.text('todo IS NOT NULL'), postgresql_where=sa.text('todo IS NOT NULL'))

    op.create_table('message',
    sa.Column('id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('channel', sa.String(20), nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('person_id', ID, nullable=True),
    sa.Column('contact_point_id', ID, nullable=True),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('visible_text', sa.Text(), nullable=True),
    sa.Column('html', sa.Text(), nullable=True),
    sa.Column('message_id', sa.Text(), nullable=True),
    sa.Column('in_reply_to', sa.Text(), nullable=True),
    sa.Column('is_auto_reply', sa.Boolean(), nullable=False),
    sa.Column('is_bounce', sa.Boolean(), nullable=False),
    sa.Column('stranger', sa.Boolean(), nullable=False),
    sa.Column('parse_errors', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_message_contact_point_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_message_person_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_message_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_message_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message'))
    )
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_message_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_message_rfc', ['message_id'], unique=False)
        batch_op.create_index('ix_message_ticket', ['ticket_id', 'id'], unique=False)

    op.create_table('attachment',
    sa.Column('id', ID, nullable=False),
    sa.Column('message_id', ID, nullable=True),
    sa.Column('ticket_id', ID, nullable=True),
    sa.Column('draft_id', ID, nullable=True),
    sa.Column('file_id', ID, nullable=False),
    sa.Column('filename', sa.Text(), nullable=False),
    sa.Column('content_type', sa.String(length=127), nullable=False),
    sa.Column('size', ID, nullable=False),
    sa.Column('inline', sa.Boolean(), nullable=False),
    sa.Column('content_id', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['draft_id'], ['draft.id'], name=op.f('fk_attachment_draft_id')),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_attachment_file_id')),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_attachment_message_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_attachment_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachment'))
    )
    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.create_index('ix_attachment_draft', ['draft_id'], unique=False, sqlite_where=sa.text('draft_id IS NOT NULL'), postgresql_where=sa.text('draft_id IS NOT NULL'))
        batch_op.create_index('ix_attachment_file', ['file_id'], unique=False)
        batch_op.create_index('ix_attachment_message', ['message_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attachment_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('failed_reaction',
    sa.Column('id', ID, nullable=False),
    sa.Column('event_id', ID, nullable=False),
    sa.Column('reaction', sa.String(length=60), nullable=False),
    sa.Column('attempts', ID, nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['event_id'], ['event.id'], name=op.f('fk_failed_reaction_event_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_failed_reaction'))
    )
    with op.batch_alter_table('failed_reaction', schema=None) as batch_op:
        batch_op.create_index('ix_failed_reaction_due', ['due_at'], unique=False, sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
        batch_op.create_index('uq_failed_reaction', ['event_id', 'reaction'], unique=True)

    op.create_table('notice',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.String(length=60), nullable=False),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('event_id', ID, nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['event_id'], ['event.id'], name=op.f('fk_notice_event_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_notice_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_notice_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
    sa.UniqueConstraint('key', name=op.f('uq_notice_key'))
    )
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_notice_ticket_id'), ['ticket_id'], unique=False)
        batch_op.create_index('ix_notice_unread', ['user_id', 'id'], unique=False, sqlite_where=sa.text('read_at IS NULL'), postgresql_where=sa.text('read_at IS NULL'))

    op.create_table('outgoing',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('ticket_id', ID, nullable=True),
    sa.Column('message_id', ID, nullable=True),
    sa.Column('person_id', ID, nullable=True),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('to_address', sa.Text(), nullable=False),
    sa.Column('from_name', sa.Text(), nullable=False),
    sa.Column('from_address', sa.Text(), nullable=False),
    sa.Column('reply_to', sa.Text(), nullable=True),
    sa.Column('envelope_from', sa.Text(), nullable=False),
    sa.Column('rfc_message_id', sa.Text(), nullable=False),
    sa.Column('in_reply_to', sa.Text(), nullable=True),
    sa.Column('references', sa.Text(), nullable=True),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('html', sa.Text(), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', ID, nullable=False),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('maybe_sent', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_outgoing_message_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_outgoing_person_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_outgoing_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_outgoing_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outgoing')),
    sa.UniqueConstraint('key', name=op.f('uq_outgoing_key'))
    )
    with op.batch_alter_table('outgoing', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outgoing_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_outgoing_due', ['due_at'], unique=False, sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
        batch_op.create_index('ix_outgoing_message', ['message_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_outgoing_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_outgoing_rfc', ['rfc_message_id'], unique=False)
        batch_op.create_index('ix_outgoing_ticket', ['ticket_id'], unique=False)

    fulltext.create(op.get_bind())


def downgrade() -> None:
    fulltext.drop(op.get_bind())
    with op.batch_alter_table('outgoing', schema=None) as batch_op:
        batch_op.drop_index('ix_outgoing_ticket')
        batch_op.drop_index('ix_outgoing_rfc')
        batch_op.drop_index(batch_op.f('ix_outgoing_person_id'))
        batch_op.drop_index('ix_outgoing_message')
        batch_op.drop_index('ix_outgoing_due', sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_outgoing_created_at'))

    op.drop_table('outgoing')
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_index('ix_notice_unread', sqlite_where=sa.text('read_at IS NULL'), postgresql_where=sa.text('read_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_notice_ticket_id'))

    op.drop_table('notice')
    with op.batch_alter_table('failed_reaction', schema=None) as batch_op:
        batch_op.drop_index('uq_failed_reaction')
        batch_op.drop_index('ix_failed_reaction_due', sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))

    op.drop_table('failed_reaction')
    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attachment_ticket_id'))
        batch_op.drop_index('ix_attachment_message')
        batch_op.drop_index('ix_attachment_file')
        batch_op.drop_index('ix_attachment_draft', sqlite_where=sa.text('draft_id IS NOT NULL'), postgresql_where=sa.text('draft_id IS NOT NULL'))

    op.drop_table('attachment')
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_index('ix_message_ticket')
        batch_op.drop_index('ix_message_rfc')
        batch_op.drop_index(batch_op.f('ix_message_person_id'))

    op.drop_table('message')
    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.drop_index('ix_event_todo', sqlite_where=sa.text('todo IS NOT NULL'), postgresql_where=sa.text('todo IS NOT NULL'))
        batch_op.drop_index('ix_event_ticket')
        batch_op.drop_index('ix_event_client')
        batch_op.drop_index(batch_op.f('ix_event_at'))

    op.drop_table('event')
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.drop_index('uq_draft')
        batch_op.drop_index(batch_op.f('ix_draft_updated_at'))
        batch_op.drop_index(batch_op.f('ix_draft_ticket_id'))

    op.drop_table('draft')
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_unpacked', sqlite_where=sa.text('raw IS NOT NULL'), postgresql_where=sa.text('raw IS NOT NULL'))
        batch_op.drop_index('ix_delivery_todo', sqlite_where=sa.text('todo IS NOT NULL'), postgresql_where=sa.text('todo IS NOT NULL'))
        batch_op.drop_index('ix_delivery_ticket')
        batch_op.drop_index('ix_delivery_state')
        batch_op.drop_index('ix_delivery_rfc')
        batch_op.drop_index('ix_delivery_received')
        batch_op.drop_index(batch_op.f('ix_delivery_person_id'))
        batch_op.drop_index('ix_delivery_archived', sqlite_where=sa.text('raw_sha256 IS NOT NULL'), postgresql_where=sa.text('raw_sha256 IS NOT NULL'))

    op.drop_table('delivery')
    with op.batch_alter_table('clock', schema=None) as batch_op:
        batch_op.drop_index('ix_clock_ticket')
        batch_op.drop_index('ix_clock_policy', sqlite_where=sa.text('stopped_at IS NULL'), postgresql_where=sa.text('stopped_at IS NULL'))
        batch_op.drop_index('ix_clock_next', sqlite_where=sa.text('next_at IS NOT NULL'), postgresql_where=sa.text('next_at IS NOT NULL'))

    op.drop_table('clock')
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_index('ix_ticket_status', sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.drop_index('ix_ticket_sla', sqlite_where=sa.text('sla IS NOT NULL'), postgresql_where=sa.text('sla IS NOT NULL'))
        batch_op.drop_index('ix_ticket_recent')
        batch_op.drop_index('ix_ticket_queue', sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.drop_index('ix_ticket_person')
        batch_op.drop_index('ix_ticket_client')
        batch_op.drop_index('ix_ticket_assignee', sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.drop_index('ix_ticket_active', sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))

    op.drop_table('ticket')
    with op.batch_alter_table('contact_point', schema=None) as batch_op:
        batch_op.drop_index('uq_contact_point')
        batch_op.drop_index('ix_contact_point_tail')
        batch_op.drop_index(batch_op.f('ix_contact_point_person_id'))

    op.drop_table('contact_point')
    with op.batch_alter_table('policy_step', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_policy_step_policy_id'))

    op.drop_table('policy_step')
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_person_client_id'))

    op.drop_table('person')
    with op.batch_alter_table('idempotent_answer', schema=None) as batch_op:
        batch_op.drop_index('uq_idempotent_answer')
        batch_op.drop_index(batch_op.f('ix_idempotent_answer_created_at'))

    op.drop_table('idempotent_answer')
    op.drop_table('queue_member')
    op.drop_table('policy')
    with op.batch_alter_table('one_time_link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_one_time_link_user_id'))
        batch_op.drop_index(batch_op.f('ix_one_time_link_expires_at'))

    op.drop_table('one_time_link')
    with op.batch_alter_table('mailbox', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_mailbox_queue_id'))

    op.drop_table('mailbox')
    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_login_session_user_id'))
        batch_op.drop_index(batch_op.f('ix_login_session_expires_at'))

    op.drop_table('login_session')
    with op.batch_alter_table('client', schema=None) as batch_op:
        batch_op.drop_index('ix_client_sort')

    op.drop_table('client')
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_api_token_user_id'))

    op.drop_table('api_token')
    op.drop_table('user')
    op.drop_table('stored_file')
    op.drop_table('setting')
    op.drop_table('queue')
    with op.batch_alter_table('limit_hit', schema=None) as batch_op:
        batch_op.drop_index('ix_limit_hit_window')
        batch_op.drop_index(batch_op.f('ix_limit_hit_expires_at'))

    op.drop_table('limit_hit')
    op.drop_table('calendar')
