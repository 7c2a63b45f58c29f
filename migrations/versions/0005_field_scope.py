"""Profile fields for people only or for organisations only."""

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'

# Of the first fields those that only people have. Where an organisation has a value all the same,
# the field stays for all, so that nothing goes out of sight.
OF_PEOPLE = ("birthday", "residence", "occupation", "children", "income")
NARROW = sa.text(
    "UPDATE field SET scope = 'person' WHERE key = :key AND NOT EXISTS (SELECT 1 FROM client"
    " WHERE client.kind = 'organisation' AND CAST(client.profile AS TEXT) LIKE :written)"
)


def upgrade() -> None:
    op.add_column('field', sa.Column('scope', sa.String(20), server_default='all', nullable=False))
    for key in OF_PEOPLE:
        op.execute(NARROW.bindparams(key=key, written=f'%"{key}"%'))


def downgrade() -> None:
    op.drop_column('field', 'scope')
