"""The telephone: calls, planned contacts, availability, SMS."""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('phone_menu',
    sa.Column('id', ID, nullable=False),
    sa.Column('queue_id', ID, nullable=True),
    sa.Column('greetings', sa.JSON(), nullable=False),
    sa.Column('choices', sa.JSON(), nullable=False),
    sa.Column('calendar_id', ID, nullable=True),
    sa.Column('ring_seconds', ID, nullable=False),
    sa.Column('wrap_up_seconds', ID, nullable=False),
    sa.Column('max_wait_seconds', ID, nullable=False),
    sa.Column('overflow_seconds', ID, nullable=True),
    sa.Column('overflow_queue_id', ID, nullable=True),
    sa.Column('callbacks', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('voicemail', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('recording', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('consent', sa.JSON(), nullable=False),
    sa.Column('consent_version', ID, nullable=False),
    sa.Column('version', ID, nullable=False),
    sa.ForeignKeyConstraint(['calendar_id'], ['calendar.id'], name=op.f('fk_phone_menu_calendar_id')),
    sa.ForeignKeyConstraint(['overflow_queue_id'], ['queue.id'], name=op.f('fk_phone_menu_overflow_queue_id')),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_phone_menu_queue_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_phone_menu')),
    sa.UniqueConstraint('queue_id', name=op.f('uq_phone_menu_queue_id'))
    )
    op.create_table('presence',
    sa.Column('user_id', ID, nullable=False),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_state', sa.String(20), nullable=True),
    sa.Column('free_since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paused', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('unanswered', ID, nullable=False),
    sa.Column('phone', sa.String(20), nullable=False),
    sa.Column('number', sa.String(length=20), nullable=True),
    sa.Column('languages', sa.JSON(), nullable=False),
    sa.Column('skills', sa.JSON(), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('call_id', ID, nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_presence_user_id')),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_presence'))
    )
    op.create_table('task',
    sa.Column('id', ID, nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('client_id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=True),
    sa.Column('contact_point_id', ID, nullable=True),
    sa.Column('number', sa.String(length=20), nullable=True),
    sa.Column('language', sa.String(length=8), nullable=True),
    sa.Column('ticket_id', ID, nullable=True),
    sa.Column('queue_id', ID, nullable=True),
    sa.Column('owner_id', ID, nullable=True),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('clock_id', ID, nullable=True),
    sa.Column('place_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', ID, nullable=False),
    sa.Column('result', sa.String(20), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('created_by', ID, nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('first_tried_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', ID, nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_task_client_id')),
    sa.ForeignKeyConstraint(['clock_id'], ['clock.id'], name=op.f('fk_task_clock_id')),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_task_contact_point_id')),
    sa.ForeignKeyConstraint(['created_by'], ['user.id'], name=op.f('fk_task_created_by')),
    sa.ForeignKeyConstraint(['owner_id'], ['user.id'], name=op.f('fk_task_owner_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_task_person_id')),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_task_queue_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_task_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_task'))
    )
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.create_index('ix_task_client', ['client_id', 'id'], unique=False)
        batch_op.create_index('ix_task_next', ['next_at', 'id'], unique=False, sqlite_where=sa.text('next_at IS NOT NULL'), postgresql_where=sa.text('next_at IS NOT NULL'))
        batch_op.create_index('ix_task_number', ['number'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.create_index('ix_task_open', ['due_at', 'id'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.create_index(batch_op.f('ix_task_owner_id'), ['owner_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_task_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_task_ticket', ['ticket_id'], unique=False)

    op.create_table('call',
    sa.Column('id', ID, nullable=False),
    sa.Column('provider', sa.String(20), nullable=False),
    sa.Column('provider_id', sa.String(length=80), nullable=False),
    sa.Column('token', sa.String(length=32), nullable=False),
    sa.Column('direction', sa.String(20), nullable=False),
    sa.Column('from_number', sa.String(length=80), nullable=True),
    sa.Column('to_number', sa.String(length=80), nullable=True),
    sa.Column('client_id', ID, nullable=True),
    sa.Column('person_id', ID, nullable=True),
    sa.Column('contact_point_id', ID, nullable=True),
    sa.Column('ticket_id', ID, nullable=True),
    sa.Column('queue_id', ID, nullable=True),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('task_id', ID, nullable=True),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('skill', sa.String(length=40), nullable=True),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('end_reason', sa.String(20), nullable=True),
    sa.Column('step', sa.JSON(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('waiting', ID, nullable=True),
    sa.Column('place_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('offered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('wrapped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('over_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_event_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('hold_seconds', ID, nullable=False),
    sa.Column('estimated_seconds', ID, nullable=True),
    sa.Column('consent_asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('consent_given', sa.Boolean(), nullable=True),
    sa.Column('consent_version', ID, nullable=True),
    sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason_id', ID, nullable=True),
    sa.Column('product_id', ID, nullable=True),
    sa.Column('disposition', sa.String(20), nullable=True),
    sa.Column('next_step', sa.String(20), nullable=True),
    sa.Column('notes', sa.Text(), nullable=False),
    sa.Column('reconciled', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_call_client_id')),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_call_contact_point_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_call_person_id')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_call_product_id')),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_call_queue_id')),
    sa.ForeignKeyConstraint(['reason_id'], ['contact_reason.id'], name=op.f('fk_call_reason_id')),
    sa.ForeignKeyConstraint(['task_id'], ['task.id'], name=op.f('fk_call_task_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_call_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_call_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_call')),
    sa.UniqueConstraint('token', name=op.f('uq_call_token'))
    )
    with op.batch_alter_table('call', schema=None) as batch_op:
        batch_op.create_index('ix_call_client', ['client_id', 'started_at', 'id'], unique=False)
        batch_op.create_index('ix_call_from', ['from_number', 'id'], unique=False)
        batch_op.create_index('ix_call_live', ['last_event_at'], unique=False, sqlite_where=sa.text('over_at IS NULL'), postgresql_where=sa.text('over_at IS NULL'))
        batch_op.create_index(batch_op.f('ix_call_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_call_queue', ['queue_id', 'id'], unique=False)
        batch_op.create_index('ix_call_started', ['started_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_call_task_id'), ['task_id'], unique=False)
        batch_op.create_index('ix_call_ticket', ['ticket_id'], unique=False)
        batch_op.create_index('ix_call_unwrapped', ['user_id', 'id'], unique=False, sqlite_where=sa.text('answered_at IS NOT NULL AND wrapped_at IS NULL'), postgresql_where=sa.text('answered_at IS NOT NULL AND wrapped_at IS NULL'))
        batch_op.create_index('ix_call_user', ['user_id', 'started_at'], unique=False)
        batch_op.create_index('ix_call_waiting', ['queue_id', 'place_at', 'id'], unique=False, sqlite_where=sa.text('waiting IS NOT NULL'), postgresql_where=sa.text('waiting IS NOT NULL'))
        batch_op.create_index('uq_call_provider', ['provider', 'provider_id'], unique=True)

    op.create_table('call_event',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('call_id', ID, nullable=True),
    sa.Column('provider', sa.String(20), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('provider_id', sa.String(length=80), nullable=True),
    sa.Column('sequence', ID, nullable=True),
    sa.Column('provider_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('repeats', ID, nullable=False),
    sa.Column('reconciled', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('todo', ID, nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('status', ID, nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_call_event_call_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_call_event')),
    sa.UniqueConstraint('key', name=op.f('uq_call_event_key'))
    )
    with op.batch_alter_table('call_event', schema=None) as batch_op:
        batch_op.create_index('ix_call_event_call', ['call_id', 'id'], unique=False)
        batch_op.create_index('ix_call_event_error', ['id'], unique=False, sqlite_where=sa.text('error IS NOT NULL'), postgresql_where=sa.text('error IS NOT NULL'))
        batch_op.create_index('ix_call_event_received', ['received_at'], unique=False)
        batch_op.create_index('ix_call_event_todo', ['id'], unique=False, sqlite_where=sa.text('todo IS NOT NULL'), postgresql_where=sa.text('todo IS NOT NULL'))

    op.create_table('call_leg',
    sa.Column('id', ID, nullable=False),
    sa.Column('call_id', ID, nullable=False),
    sa.Column('provider_id', sa.String(length=80), nullable=True),
    sa.Column('role', sa.String(20), nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('held', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_call_leg_call_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_call_leg_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_call_leg'))
    )
    with op.batch_alter_table('call_leg', schema=None) as batch_op:
        batch_op.create_index('ix_call_leg_call', ['call_id'], unique=False)
        batch_op.create_index('uq_call_leg_provider', ['provider_id'], unique=True, sqlite_where=sa.text('provider_id IS NOT NULL'), postgresql_where=sa.text('provider_id IS NOT NULL'))

    op.create_table('recording',
    sa.Column('id', ID, nullable=False),
    sa.Column('provider_id', sa.String(length=80), nullable=False),
    sa.Column('call_id', ID, nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('seconds', ID, nullable=True),
    sa.Column('file_id', ID, nullable=True),
    sa.Column('content_type', sa.String(length=40), nullable=False),
    sa.Column('attempts', ID, nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('stored_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_recording_call_id')),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_recording_file_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recording')),
    sa.UniqueConstraint('provider_id', name=op.f('uq_recording_provider_id'))
    )
    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.create_index('ix_recording_call', ['call_id'], unique=False)
        batch_op.create_index('ix_recording_due', ['due_at'], unique=False, sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
        batch_op.create_index(batch_op.f('ix_recording_file_id'), ['file_id'], unique=False)
        batch_op.create_index('ix_recording_stored', ['stored_at'], unique=False, sqlite_where=sa.text('file_id IS NOT NULL'), postgresql_where=sa.text('file_id IS NOT NULL'))

    op.create_table('voice_answer',
    sa.Column('id', ID, nullable=False),
    sa.Column('call_id', ID, nullable=False),
    sa.Column('article_id', ID, nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('helped', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_voice_answer_article_id')),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_voice_answer_call_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_voice_answer'))
    )
    with op.batch_alter_table('voice_answer', schema=None) as batch_op:
        batch_op.create_index('ix_voice_answer_article', ['article_id', 'at'], unique=False)
        batch_op.create_index(batch_op.f('ix_voice_answer_call_id'), ['call_id'], unique=False)

    op.create_table('call_command',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('call_id', ID, nullable=False),
    sa.Column('leg_id', ID, nullable=True),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', ID, nullable=False),
    sa.Column('tried_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_call_command_call_id')),
    sa.ForeignKeyConstraint(['leg_id'], ['call_leg.id'], name=op.f('fk_call_command_leg_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_call_command')),
    sa.UniqueConstraint('key', name=op.f('uq_call_command_key'))
    )
    with op.batch_alter_table('call_command', schema=None) as batch_op:
        batch_op.create_index('ix_call_command_call', ['call_id', 'id'], unique=False)
        batch_op.create_index('ix_call_command_due', ['due_at', 'id'], unique=False, sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
        batch_op.create_index('ix_call_command_error', ['id'], unique=False, sqlite_where=sa.text('last_error IS NOT NULL'), postgresql_where=sa.text('last_error IS NOT NULL'))

    op.create_table('offer',
    sa.Column('id', ID, nullable=False),
    sa.Column('call_id', ID, nullable=False),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('leg_id', ID, nullable=True),
    sa.Column('offered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.String(20), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_offer_call_id')),
    sa.ForeignKeyConstraint(['leg_id'], ['call_leg.id'], name=op.f('fk_offer_leg_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_offer_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offer'))
    )
    with op.batch_alter_table('offer', schema=None) as batch_op:
        batch_op.create_index('ix_offer_expires', ['expires_at'], unique=False, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
        batch_op.create_index('ix_offer_history', ['call_id', 'id'], unique=False)
        batch_op.create_index('ix_offer_of_user', ['user_id', 'id'], unique=False)
        batch_op.create_index('uq_offer_call', ['call_id'], unique=True, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
        batch_op.create_index('uq_offer_user', ['user_id'], unique=True, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))

    with op.batch_alter_table('clock', schema=None) as batch_op:
        batch_op.add_column(sa.Column('agreed_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('contact_point', schema=None) as batch_op:
        batch_op.add_column(sa.Column('sms_stopped_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('outgoing', schema=None) as batch_op:
        batch_op.add_column(sa.Column('carrier_id', sa.String(length=80), nullable=True))
        batch_op.create_index('uq_outgoing_carrier', ['carrier_id'], unique=True, sqlite_where=sa.text('carrier_id IS NOT NULL'), postgresql_where=sa.text('carrier_id IS NOT NULL'))



def downgrade() -> None:
    with op.batch_alter_table('outgoing', schema=None) as batch_op:
        batch_op.drop_index('uq_outgoing_carrier', sqlite_where=sa.text('carrier_id IS NOT NULL'), postgresql_where=sa.text('carrier_id IS NOT NULL'))
        batch_op.drop_column('carrier_id')

    with op.batch_alter_table('contact_point', schema=None) as batch_op:
        batch_op.drop_column('sms_stopped_at')

    with op.batch_alter_table('clock', schema=None) as batch_op:
        batch_op.drop_column('agreed_at')

    with op.batch_alter_table('offer', schema=None) as batch_op:
        batch_op.drop_index('uq_offer_user', sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
        batch_op.drop_index('uq_offer_call', sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
        batch_op.drop_index('ix_offer_of_user')
        batch_op.drop_index('ix_offer_history')
        batch_op.drop_index('ix_offer_expires', sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))

    op.drop_table('offer')
    with op.batch_alter_table('call_command', schema=None) as batch_op:
        batch_op.drop_index('ix_call_command_error', sqlite_where=sa.text('last_error IS NOT NULL'), postgresql_where=sa.text('last_error IS NOT NULL'))
        batch_op.drop_index('ix_call_command_due', sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
        batch_op.drop_index('ix_call_command_call')

    op.drop_table('call_command')
    with op.batch_alter_table('voice_answer', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_voice_answer_call_id'))
        batch_op.drop_index('ix_voice_answer_article')

    op.drop_table('voice_answer')
    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.drop_index('ix_recording_stored', sqlite_where=sa.text('file_id IS NOT NULL'), postgresql_where=sa.text('file_id IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_recording_file_id'))
        batch_op.drop_index('ix_recording_due', sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
        batch_op.drop_index('ix_recording_call')

    op.drop_table('recording')
    with op.batch_alter_table('call_leg', schema=None) as batch_op:
        batch_op.drop_index('uq_call_leg_provider', sqlite_where=sa.text('provider_id IS NOT NULL'), postgresql_where=sa.text('provider_id IS NOT NULL'))
        batch_op.drop_index('ix_call_leg_call')

    op.drop_table('call_leg')
    with op.batch_alter_table('call_event', schema=None) as batch_op:
        batch_op.drop_index('ix_call_event_todo', sqlite_where=sa.text('todo IS NOT NULL'), postgresql_where=sa.text('todo IS NOT NULL'))
        batch_op.drop_index('ix_call_event_received')
        batch_op.drop_index('ix_call_event_error', sqlite_where=sa.text('error IS NOT NULL'), postgresql_where=sa.text('error IS NOT NULL'))
        batch_op.drop_index('ix_call_event_call')

    op.drop_table('call_event')
    with op.batch_alter_table('call', schema=None) as batch_op:
        batch_op.drop_index('uq_call_provider')
        batch_op.drop_index('ix_call_waiting', sqlite_where=sa.text('waiting IS NOT NULL'), postgresql_where=sa.text('waiting IS NOT NULL'))
        batch_op.drop_index('ix_call_user')
        batch_op.drop_index('ix_call_unwrapped', sqlite_where=sa.text('answered_at IS NOT NULL AND wrapped_at IS NULL'), postgresql_where=sa.text('answered_at IS NOT NULL AND wrapped_at IS NULL'))
        batch_op.drop_index('ix_call_ticket')
        batch_op.drop_index(batch_op.f('ix_call_task_id'))
        batch_op.drop_index('ix_call_started')
        batch_op.drop_index('ix_call_queue')
        batch_op.drop_index(batch_op.f('ix_call_person_id'))
        batch_op.drop_index('ix_call_live', sqlite_where=sa.text('over_at IS NULL'), postgresql_where=sa.text('over_at IS NULL'))
        batch_op.drop_index('ix_call_from')
        batch_op.drop_index('ix_call_client')

    op.drop_table('call')
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.drop_index('ix_task_ticket')
        batch_op.drop_index(batch_op.f('ix_task_person_id'))
        batch_op.drop_index(batch_op.f('ix_task_owner_id'))
        batch_op.drop_index('ix_task_open', sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.drop_index('ix_task_number', sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.drop_index('ix_task_next', sqlite_where=sa.text('next_at IS NOT NULL'), postgresql_where=sa.text('next_at IS NOT NULL'))
        batch_op.drop_index('ix_task_client')

    op.drop_table('task')
    op.drop_table('presence')
    op.drop_table('phone_menu')
