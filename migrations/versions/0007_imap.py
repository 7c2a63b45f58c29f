"""Mailboxes on other servers, fetched by IMAP."""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('imap_box',
    sa.Column('id', ID, nullable=False),
    sa.Column('address', sa.String(length=254), nullable=False),
    sa.Column('host', sa.String(length=253), nullable=False),
    sa.Column('port', ID, nullable=False),
    sa.Column('tls', sa.String(20), nullable=False),
    sa.Column('username', sa.String(length=320), nullable=False),
    sa.Column('password', sa.Text(), nullable=False),
    sa.Column('folder', sa.Text(), nullable=False),
    sa.Column('after', sa.String(20), nullable=False),
    sa.Column('move_to', sa.Text(), nullable=True),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('version', ID, nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('uidvalidity', ID, nullable=True),
    sa.Column('cursor_uid', ID, nullable=False),
    sa.Column('old_below', ID, nullable=False),
    sa.Column('waiting', ID, nullable=True),
    sa.Column('fetched', ID, nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_fetched_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('trouble', sa.String(20), nullable=True),
    sa.Column('trouble_words', sa.Text(), nullable=True),
    sa.Column('failing_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('told', sa.Boolean(), nullable=False),
    sa.Column('claimed_by', sa.String(length=64), nullable=True),
    sa.Column('claimed_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_imap_box'))
    )


def downgrade() -> None:
    op.drop_table('imap_box')
