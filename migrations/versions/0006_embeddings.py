"""What articles and solved questions are about, as vectors that the worker makes."""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'

WAITING = sa.text("embedding IS NULL")


def upgrade() -> None:
    for table in ('article_text', 'kb_example'):
        op.add_column(table, sa.Column('embedding', sa.LargeBinary(), nullable=True))
        op.create_index(f'ix_{table}_embedding', table, ['id'], unique=False, sqlite_where=WAITING, postgresql_where=WAITING)


def downgrade() -> None:
    op.execute("DELETE FROM kb_index WHERE kind = 'embedding'")
    for table in ('article_text', 'kb_example'):
        op.drop_index(f'ix_{table}_embedding', table_name=table)
        op.drop_column(table, 'embedding')
