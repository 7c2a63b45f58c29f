"""The client record, products and the knowledge base."""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('field',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('labels', sa.JSON(), nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('choices', sa.JSON(), nullable=False),
    sa.Column('sensitive', sa.Boolean(), nullable=False),
    sa.Column('wanted', sa.Boolean(), nullable=False),
    sa.Column('position', ID, nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_field')),
    sa.UniqueConstraint('key', name=op.f('uq_field_key'))
    )
    with op.batch_alter_table('field', schema=None) as batch_op:
        batch_op.create_index('ix_field_position', ['position', 'id'], unique=False)

    op.create_table('import_mapping',
    sa.Column('id', ID, nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('signature', sa.String(length=64), nullable=False),
    sa.Column('mapping', sa.JSON(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_mapping'))
    )
    with op.batch_alter_table('import_mapping', schema=None) as batch_op:
        batch_op.create_index('uq_import_mapping', ['kind', 'signature'], unique=True)

    op.create_table('kb_category',
    sa.Column('id', ID, nullable=False),
    sa.Column('parent_id', ID, nullable=True),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('names', sa.JSON(), nullable=False),
    sa.Column('icon', sa.String(length=40), nullable=False),
    sa.Column('position', ID, nullable=False),
    sa.ForeignKeyConstraint(['parent_id'], ['kb_category.id'], name=op.f('fk_kb_category_parent_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kb_category')),
    sa.UniqueConstraint('key', name=op.f('uq_kb_category_key'))
    )
    with op.batch_alter_table('kb_category', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kb_category_parent_id'), ['parent_id'], unique=False)

    op.create_table('kb_index',
    sa.Column('id', ID, nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('ref_id', ID, nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=False),
    sa.Column('article_id', ID, nullable=False),
    sa.Column('seq', ID, nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('size', ID, nullable=False),
    sa.Column('analysis', sa.String(length=40), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kb_index')),
    sa.UniqueConstraint('seq', name=op.f('uq_kb_index_seq'))
    )
    with op.batch_alter_table('kb_index', schema=None) as batch_op:
        batch_op.create_index('ix_kb_index_analysis', ['analysis'], unique=False)
        batch_op.create_index('uq_kb_index', ['kind', 'ref_id', 'lang'], unique=True)

    op.create_table('product',
    sa.Column('id', ID, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sort_key', sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
    sa.Column('group', sa.Text(), nullable=False),
    sa.Column('sku', sa.String(length=60), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_product')),
    sa.UniqueConstraint('sku', name=op.f('uq_product_sku'))
    )
    with op.batch_alter_table('product', schema=None) as batch_op:
        batch_op.create_index('ix_product_sort', ['sort_key', 'id'], unique=False)

    op.create_table('contact_reason',
    sa.Column('id', ID, nullable=False),
    sa.Column('parent_id', ID, nullable=True),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('names', sa.JSON(), nullable=False),
    sa.Column('queue_id', ID, nullable=True),
    sa.Column('kind', sa.String(20), nullable=True),
    sa.Column('in_form', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('position', ID, nullable=False),
    sa.ForeignKeyConstraint(['parent_id'], ['contact_reason.id'], name=op.f('fk_contact_reason_parent_id')),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_contact_reason_queue_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_reason')),
    sa.UniqueConstraint('key', name=op.f('uq_contact_reason_key'))
    )
    with op.batch_alter_table('contact_reason', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contact_reason_parent_id'), ['parent_id'], unique=False)

    op.create_table('import_run',
    sa.Column('id', ID, nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('todo', ID, nullable=True),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('file_id', ID, nullable=False),
    sa.Column('filename', sa.Text(), nullable=False),
    sa.Column('reading', sa.JSON(), nullable=False),
    sa.Column('headers', sa.JSON(), nullable=False),
    sa.Column('mapping', sa.JSON(), nullable=False),
    sa.Column('row', ID, nullable=False),
    sa.Column('rows', ID, nullable=True),
    sa.Column('created', ID, nullable=False),
    sa.Column('changed', ID, nullable=False),
    sa.Column('same', ID, nullable=False),
    sa.Column('bad', ID, nullable=False),
    sa.Column('error', sa.JSON(), nullable=True),
    sa.Column('worker', sa.String(length=32), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_import_run_file_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_import_run_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_run'))
    )
    with op.batch_alter_table('import_run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_import_run_file_id'), ['file_id'], unique=False)
        batch_op.create_index('ix_import_run_todo', ['id'], unique=False, sqlite_where=sa.text('todo IS NOT NULL'), postgresql_where=sa.text('todo IS NOT NULL'))

    op.create_table('kb_picture',
    sa.Column('id', ID, nullable=False),
    sa.Column('file_id', ID, nullable=False),
    sa.Column('filename', sa.Text(), nullable=False),
    sa.Column('content_type', sa.String(length=127), nullable=False),
    sa.Column('size', ID, nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_kb_picture_file_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_kb_picture_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kb_picture'))
    )
    with op.batch_alter_table('kb_picture', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kb_picture_file_id'), ['file_id'], unique=False)

    op.create_table('client_merge',
    sa.Column('id', ID, nullable=False),
    sa.Column('kept_id', ID, nullable=False),
    sa.Column('gone_id', ID, nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['gone_id'], ['client.id'], name=op.f('fk_client_merge_gone_id')),
    sa.ForeignKeyConstraint(['kept_id'], ['client.id'], name=op.f('fk_client_merge_kept_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_client_merge_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_client_merge'))
    )
    with op.batch_alter_table('client_merge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_client_merge_gone_id'), ['gone_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_client_merge_kept_id'), ['kept_id'], unique=False)

    op.create_table('client_note',
    sa.Column('id', ID, nullable=False),
    sa.Column('client_id', ID, nullable=False),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_client_note_client_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_client_note_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_client_note'))
    )
    with op.batch_alter_table('client_note', schema=None) as batch_op:
        batch_op.create_index('ix_client_note_client', ['client_id', 'created_at'], unique=False)

    op.create_table('document',
    sa.Column('id', ID, nullable=False),
    sa.Column('client_id', ID, nullable=False),
    sa.Column('file_id', ID, nullable=False),
    sa.Column('filename', sa.Text(), nullable=False),
    sa.Column('content_type', sa.String(length=127), nullable=False),
    sa.Column('size', ID, nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_document_client_id')),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_document_file_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_document_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_document'))
    )
    with op.batch_alter_table('document', schema=None) as batch_op:
        batch_op.create_index('ix_document_client', ['client_id', 'created_at'], unique=False)
        batch_op.create_index('ix_document_file', ['file_id'], unique=False)

    op.create_table('duplicate_pair',
    sa.Column('id', ID, nullable=False),
    sa.Column('first_id', ID, nullable=False),
    sa.Column('second_id', ID, nullable=False),
    sa.Column('reason', sa.String(length=20), nullable=False),
    sa.Column('found_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_by', ID, nullable=True),
    sa.ForeignKeyConstraint(['first_id'], ['client.id'], name=op.f('fk_duplicate_pair_first_id')),
    sa.ForeignKeyConstraint(['second_id'], ['client.id'], name=op.f('fk_duplicate_pair_second_id')),
    sa.ForeignKeyConstraint(['settled_by'], ['user.id'], name=op.f('fk_duplicate_pair_settled_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duplicate_pair'))
    )
    with op.batch_alter_table('duplicate_pair', schema=None) as batch_op:
        batch_op.create_index('ix_duplicate_pair_open', ['id'], unique=False, sqlite_where=sa.text('settled_at IS NULL'), postgresql_where=sa.text('settled_at IS NULL'))
        batch_op.create_index(batch_op.f('ix_duplicate_pair_second_id'), ['second_id'], unique=False)
        batch_op.create_index('uq_duplicate_pair', ['first_id', 'second_id'], unique=True)

    op.create_table('import_problem',
    sa.Column('id', ID, nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('row', ID, nullable=False),
    sa.Column('column', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('parts', sa.JSON(), nullable=False),
    sa.Column('warning', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['import_run.id'], name=op.f('fk_import_problem_run_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_problem'))
    )
    with op.batch_alter_table('import_problem', schema=None) as batch_op:
        batch_op.create_index('ix_import_problem_run', ['run_id', 'row'], unique=False)

    op.create_table('invoice',
    sa.Column('id', ID, nullable=False),
    sa.Column('client_id', ID, nullable=False),
    sa.Column('external_id', sa.String(length=80), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('amount', ID, nullable=False),
    sa.Column('paid', ID, nullable=False),
    sa.Column('paid_on', sa.Date(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('cancelled', sa.Boolean(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_invoice_client_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice')),
    sa.UniqueConstraint('external_id', name=op.f('uq_invoice_external_id'))
    )
    with op.batch_alter_table('invoice', schema=None) as batch_op:
        batch_op.create_index('ix_invoice_client', ['client_id', 'issued_on'], unique=False)

    op.create_table('item',
    sa.Column('id', ID, nullable=False),
    sa.Column('product_id', ID, nullable=False),
    sa.Column('client_id', ID, nullable=False),
    sa.Column('serial', sa.Text(), nullable=False),
    sa.Column('serial_key', sa.String(length=60), nullable=True),
    sa.Column('batch', sa.Text(), nullable=False),
    sa.Column('bought_on', sa.Date(), nullable=True),
    sa.Column('warranty_until', sa.Date(), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('external_id', sa.String(length=80), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_item_client_id')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_item_product_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_item')),
    sa.UniqueConstraint('external_id', name=op.f('uq_item_external_id'))
    )
    with op.batch_alter_table('item', schema=None) as batch_op:
        batch_op.create_index('ix_item_client', ['client_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_item_product_id'), ['product_id'], unique=False)
        batch_op.create_index('ix_item_serial', ['serial_key'], unique=False, sqlite_where=sa.text('serial_key IS NOT NULL'), postgresql_where=sa.text('serial_key IS NOT NULL'))

    op.create_table('purchase',
    sa.Column('id', ID, nullable=False),
    sa.Column('client_id', ID, nullable=False),
    sa.Column('external_id', sa.String(length=80), nullable=False),
    sa.Column('bought_on', sa.Date(), nullable=False),
    sa.Column('status', sa.String(20), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('product_id', ID, nullable=True),
    sa.Column('quantity', ID, nullable=False),
    sa.Column('amount', ID, nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('paid_by', sa.Text(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_purchase_client_id')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_purchase_product_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purchase')),
    sa.UniqueConstraint('external_id', name=op.f('uq_purchase_external_id'))
    )
    with op.batch_alter_table('purchase', schema=None) as batch_op:
        batch_op.create_index('ix_purchase_client', ['client_id', 'bought_on'], unique=False)

    op.create_table('client_merge_change',
    sa.Column('id', ID, nullable=False),
    sa.Column('merge_id', ID, nullable=False),
    sa.Column('table', sa.String(length=60), nullable=False),
    sa.Column('column', sa.String(length=60), nullable=False),
    sa.Column('ids', sa.JSON(), nullable=False),
    sa.Column('old', sa.JSON(), nullable=False),
    sa.Column('new', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['merge_id'], ['client_merge.id'], name=op.f('fk_client_merge_change_merge_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_client_merge_change'))
    )
    with op.batch_alter_table('client_merge_change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_client_merge_change_merge_id'), ['merge_id'], unique=False)

    op.create_table('portal_code',
    sa.Column('id', ID, nullable=False),
    sa.Column('ticket', sa.String(length=64), nullable=False),
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('contact_point_id', ID, nullable=True),
    sa.Column('tries', ID, nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_portal_code_contact_point_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_portal_code')),
    sa.UniqueConstraint('ticket', name=op.f('uq_portal_code_ticket'))
    )
    with op.batch_alter_table('portal_code', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_portal_code_contact_point_id'), ['contact_point_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_portal_code_expires_at'), ['expires_at'], unique=False)

    op.create_table('portal_session',
    sa.Column('id', ID, nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('contact_point_id', ID, nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_point.id'], name=op.f('fk_portal_session_contact_point_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_portal_session_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_portal_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_portal_session_token_hash'))
    )
    with op.batch_alter_table('portal_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_portal_session_contact_point_id'), ['contact_point_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_portal_session_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_portal_session_person_id'), ['person_id'], unique=False)

    op.create_table('article',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('category_id', ID, nullable=True),
    sa.Column('source_lang', sa.String(length=8), nullable=False),
    sa.Column('tags', sa.JSON(), nullable=False),
    sa.Column('from_ticket_id', ID, nullable=True),
    sa.Column('position', ID, nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['category_id'], ['kb_category.id'], name=op.f('fk_article_category_id')),
    sa.ForeignKeyConstraint(['from_ticket_id'], ['ticket.id'], name=op.f('fk_article_from_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article')),
    sa.UniqueConstraint('key', name=op.f('uq_article_key'))
    )
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_category_id'), ['category_id'], unique=False)

    op.create_table('promise',
    sa.Column('id', ID, nullable=False),
    sa.Column('client_id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=True),
    sa.Column('user_id', ID, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kept', sa.Boolean(), nullable=True),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['client.id'], name=op.f('fk_promise_client_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_promise_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_promise_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_promise'))
    )
    with op.batch_alter_table('promise', schema=None) as batch_op:
        batch_op.create_index('ix_promise_client', ['client_id', 'created_at'], unique=False)
        batch_op.create_index('ix_promise_open', ['due_at'], unique=False, sqlite_where=sa.text('settled_at IS NULL'), postgresql_where=sa.text('settled_at IS NULL'))
        batch_op.create_index('ix_promise_running', ['client_id', 'due_at'], unique=False, sqlite_where=sa.text('settled_at IS NULL'), postgresql_where=sa.text('settled_at IS NULL'))

    op.create_table('rating',
    sa.Column('id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('score', ID, nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_rating_person_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_rating_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_rating_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rating')),
    sa.UniqueConstraint('ticket_id', name=op.f('uq_rating_ticket_id'))
    )
    with op.batch_alter_table('rating', schema=None) as batch_op:
        batch_op.create_index('ix_rating_at', ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_rating_person_id'), ['person_id'], unique=False)

    op.create_table('article_product',
    sa.Column('article_id', ID, nullable=False),
    sa.Column('product_id', ID, nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_article_product_article_id')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_article_product_product_id')),
    sa.PrimaryKeyConstraint('article_id', 'product_id', name=op.f('pk_article_product'))
    )
    with op.batch_alter_table('article_product', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_product_product_id'), ['product_id'], unique=False)

    op.create_table('article_reading',
    sa.Column('id', ID, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('article_id', ID, nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=False),
    sa.Column('source', sa.String(20), nullable=False),
    sa.Column('visit', sa.String(length=32), nullable=True),
    sa.Column('person_id', ID, nullable=True),
    sa.Column('ticket_id', ID, nullable=True),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_article_reading_article_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_article_reading_person_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_article_reading_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_reading'))
    )
    with op.batch_alter_table('article_reading', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_reading_article_id'), ['article_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_article_reading_at'), ['at'], unique=False)
        batch_op.create_index('ix_article_reading_person', ['person_id', 'at'], unique=False, sqlite_where=sa.text('person_id IS NOT NULL'), postgresql_where=sa.text('person_id IS NOT NULL'))
        batch_op.create_index(batch_op.f('ix_article_reading_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('article_text',
    sa.Column('id', ID, nullable=False),
    sa.Column('article_id', ID, nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=False),
    sa.Column('slug', sa.String(length=120), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('body_markdown', sa.Text(), nullable=False),
    sa.Column('body_html', sa.Text(), nullable=False),
    sa.Column('excerpt', sa.Text(), nullable=False),
    sa.Column('keywords', sa.JSON(), nullable=False),
    sa.Column('voice_text', sa.Text(), nullable=False),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('version', ID, nullable=False),
    sa.Column('source_version', ID, nullable=True),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('views', ID, nullable=False),
    sa.Column('helped', ID, nullable=False),
    sa.Column('not_helped', ID, nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_article_text_article_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_article_text_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_text'))
    )
    with op.batch_alter_table('article_text', schema=None) as batch_op:
        batch_op.create_index('ix_article_text_state', ['state', 'lang'], unique=False)
        batch_op.create_index('uq_article_text', ['article_id', 'lang'], unique=True)
        batch_op.create_index('uq_article_text_slug', ['lang', 'slug'], unique=True)

    op.create_table('citation',
    sa.Column('id', ID, nullable=False),
    sa.Column('ticket_id', ID, nullable=False),
    sa.Column('article_id', ID, nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_citation_article_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_citation_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_citation_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_citation'))
    )
    with op.batch_alter_table('citation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_citation_article_id'), ['article_id'], unique=False)
        batch_op.create_index('uq_citation', ['ticket_id', 'article_id'], unique=True)

    op.create_table('kb_example',
    sa.Column('id', ID, nullable=False),
    sa.Column('article_id', ID, nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('source', sa.String(20), nullable=False),
    sa.Column('ticket_id', ID, nullable=True),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_kb_example_article_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_kb_example_ticket_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_kb_example_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kb_example'))
    )
    with op.batch_alter_table('kb_example', schema=None) as batch_op:
        batch_op.create_index('ix_kb_example_ticket', ['ticket_id'], unique=False, sqlite_where=sa.text('ticket_id IS NOT NULL'), postgresql_where=sa.text('ticket_id IS NOT NULL'))
        batch_op.create_index('uq_kb_example', ['article_id', 'lang', 'digest'], unique=True)

    op.create_table('kb_miss',
    sa.Column('id', ID, nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=False),
    sa.Column('key', sa.String(length=120), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.Column('times', ID, nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('article_id', ID, nullable=True),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_kb_miss_article_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kb_miss'))
    )
    with op.batch_alter_table('kb_miss', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kb_miss_article_id'), ['article_id'], unique=False)
        batch_op.create_index('ix_kb_miss_open', ['times', 'id'], unique=False, sqlite_where=sa.text('settled_at IS NULL'), postgresql_where=sa.text('settled_at IS NULL'))
        batch_op.create_index('uq_kb_miss', ['lang', 'key'], unique=True)

    op.create_table('kb_search',
    sa.Column('id', ID, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.Column('source', sa.String(20), nullable=False),
    sa.Column('found', ID, nullable=False),
    sa.Column('visit', sa.String(length=32), nullable=True),
    sa.Column('outcome', sa.String(20), nullable=True),
    sa.Column('article_id', ID, nullable=True),
    sa.Column('ticket_id', ID, nullable=True),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_kb_search_article_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_kb_search_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kb_search'))
    )
    with op.batch_alter_table('kb_search', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kb_search_article_id'), ['article_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_kb_search_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_kb_search_ticket_id'), ['ticket_id'], unique=False)
        batch_op.create_index('ix_kb_search_visit', ['visit', 'id'], unique=False)

    op.create_table('article_feedback',
    sa.Column('id', ID, nullable=False),
    sa.Column('text_id', ID, nullable=False),
    sa.Column('visit', sa.String(length=32), nullable=False),
    sa.Column('helped', sa.Boolean(), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['text_id'], ['article_text.id'], name=op.f('fk_article_feedback_text_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_feedback'))
    )
    with op.batch_alter_table('article_feedback', schema=None) as batch_op:
        batch_op.create_index('ix_article_feedback_at', ['at'], unique=False)
        batch_op.create_index('uq_article_feedback', ['text_id', 'visit'], unique=True)

    op.create_table('article_old_slug',
    sa.Column('id', ID, nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=False),
    sa.Column('slug', sa.String(length=120), nullable=False),
    sa.Column('text_id', ID, nullable=False),
    sa.ForeignKeyConstraint(['text_id'], ['article_text.id'], name=op.f('fk_article_old_slug_text_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_old_slug'))
    )
    with op.batch_alter_table('article_old_slug', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_old_slug_text_id'), ['text_id'], unique=False)
        batch_op.create_index('uq_article_old_slug', ['lang', 'slug'], unique=True)

    op.create_table('article_picture',
    sa.Column('text_id', ID, nullable=False),
    sa.Column('picture_id', ID, nullable=False),
    sa.ForeignKeyConstraint(['picture_id'], ['kb_picture.id'], name=op.f('fk_article_picture_picture_id')),
    sa.ForeignKeyConstraint(['text_id'], ['article_text.id'], name=op.f('fk_article_picture_text_id')),
    sa.PrimaryKeyConstraint('text_id', 'picture_id', name=op.f('pk_article_picture'))
    )
    with op.batch_alter_table('article_picture', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_picture_picture_id'), ['picture_id'], unique=False)

    op.create_table('article_version',
    sa.Column('id', ID, nullable=False),
    sa.Column('text_id', ID, nullable=False),
    sa.Column('version', ID, nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('body_markdown', sa.Text(), nullable=False),
    sa.Column('keywords', sa.JSON(), nullable=False),
    sa.Column('voice_text', sa.Text(), nullable=False),
    sa.Column('state', sa.String(20), nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['text_id'], ['article_text.id'], name=op.f('fk_article_version_text_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_article_version_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_version'))
    )
    with op.batch_alter_table('article_version', schema=None) as batch_op:
        batch_op.create_index('uq_article_version', ['text_id', 'version'], unique=True)

    with op.batch_alter_table('client', schema=None) as batch_op:
        batch_op.add_column(sa.Column('relation', sa.String(20), server_default='client', nullable=False))
        batch_op.add_column(sa.Column('timezone', sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column('profile', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('organisation_id', ID, nullable=True))
        batch_op.add_column(sa.Column('external_id', sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column('name_key', sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column('merged_into_id', ID, nullable=True))
        batch_op.create_index('ix_client_name', ['name_key'], unique=False)
        batch_op.create_index('ix_client_organisation', ['organisation_id'], unique=False, sqlite_where=sa.text('organisation_id IS NOT NULL'), postgresql_where=sa.text('organisation_id IS NOT NULL'))
        batch_op.create_index('ix_client_owner', ['owner_id'], unique=False, sqlite_where=sa.text('owner_id IS NOT NULL'), postgresql_where=sa.text('owner_id IS NOT NULL'))
        batch_op.create_unique_constraint(batch_op.f('uq_client_external_id'), ['external_id'])
        batch_op.create_foreign_key(batch_op.f('fk_client_merged_into_id'), 'client', ['merged_into_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_client_organisation_id'), 'client', ['organisation_id'], ['id'])

    with op.batch_alter_table('contact_point', schema=None) as batch_op:
        batch_op.add_column(sa.Column('alike', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index('ix_contact_point_alike', ['alike'], unique=False, sqlite_where=sa.text('alike IS NOT NULL'), postgresql_where=sa.text('alike IS NOT NULL'))

    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_event_client'))
        batch_op.create_index('ix_event_client', ['client_id', 'at', 'id'], unique=False)

    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.add_column(sa.Column('timezone', sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column('external_id', sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_unique_constraint(batch_op.f('uq_person_external_id'), ['external_id'])

    with op.batch_alter_table('queue', schema=None) as batch_op:
        batch_op.add_column(sa.Column('receipt_articles', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('in_form', sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(20), nullable=True))
        batch_op.add_column(sa.Column('reason_id', ID, nullable=True))
        batch_op.add_column(sa.Column('product_id', ID, nullable=True))
        batch_op.add_column(sa.Column('item_id', ID, nullable=True))
        batch_op.create_index('ix_ticket_product', ['product_id', 'id'], unique=False, sqlite_where=sa.text('product_id IS NOT NULL'), postgresql_where=sa.text('product_id IS NOT NULL'))
        batch_op.create_index('ix_ticket_reason', ['reason_id', 'id'], unique=False, sqlite_where=sa.text('reason_id IS NOT NULL'), postgresql_where=sa.text('reason_id IS NOT NULL'))
        batch_op.create_foreign_key(batch_op.f('fk_ticket_reason_id'), 'contact_reason', ['reason_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_ticket_product_id'), 'product', ['product_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_ticket_item_id'), 'item', ['item_id'], ['id'])



def downgrade() -> None:
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_ticket_item_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_ticket_product_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_ticket_reason_id'), type_='foreignkey')
        batch_op.drop_index('ix_ticket_reason', sqlite_where=sa.text('reason_id IS NOT NULL'), postgresql_where=sa.text('reason_id IS NOT NULL'))
        batch_op.drop_index('ix_ticket_product', sqlite_where=sa.text('product_id IS NOT NULL'), postgresql_where=sa.text('product_id IS NOT NULL'))
        batch_op.drop_column('item_id')
        batch_op.drop_column('product_id')
        batch_op.drop_column('reason_id')
        batch_op.drop_column('kind')

    with op.batch_alter_table('queue', schema=None) as batch_op:
        batch_op.drop_column('in_form')
        batch_op.drop_column('receipt_articles')

    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_person_external_id'), type_='unique')
        batch_op.drop_column('removed_at')
        batch_op.drop_column('external_id')
        batch_op.drop_column('timezone')

    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.drop_index('ix_event_client')
        batch_op.create_index(batch_op.f('ix_event_client'), ['client_id', 'id'], unique=False)

    with op.batch_alter_table('contact_point', schema=None) as batch_op:
        batch_op.drop_index('ix_contact_point_alike', sqlite_where=sa.text('alike IS NOT NULL'), postgresql_where=sa.text('alike IS NOT NULL'))
        batch_op.drop_column('removed_at')
        batch_op.drop_column('alike')

    with op.batch_alter_table('client', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_client_organisation_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_client_merged_into_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('uq_client_external_id'), type_='unique')
        batch_op.drop_index('ix_client_owner', sqlite_where=sa.text('owner_id IS NOT NULL'), postgresql_where=sa.text('owner_id IS NOT NULL'))
        batch_op.drop_index('ix_client_organisation', sqlite_where=sa.text('organisation_id IS NOT NULL'), postgresql_where=sa.text('organisation_id IS NOT NULL'))
        batch_op.drop_index('ix_client_name')
        batch_op.drop_column('merged_into_id')
        batch_op.drop_column('name_key')
        batch_op.drop_column('external_id')
        batch_op.drop_column('organisation_id')
        batch_op.drop_column('profile')
        batch_op.drop_column('timezone')
        batch_op.drop_column('relation')

    with op.batch_alter_table('article_version', schema=None) as batch_op:
        batch_op.drop_index('uq_article_version')

    op.drop_table('article_version')
    with op.batch_alter_table('article_picture', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_picture_picture_id'))

    op.drop_table('article_picture')
    with op.batch_alter_table('article_old_slug', schema=None) as batch_op:
        batch_op.drop_index('uq_article_old_slug')
        batch_op.drop_index(batch_op.f('ix_article_old_slug_text_id'))

    op.drop_table('article_old_slug')
    with op.batch_alter_table('article_feedback', schema=None) as batch_op:
        batch_op.drop_index('uq_article_feedback')
        batch_op.drop_index('ix_article_feedback_at')

    op.drop_table('article_feedback')
    with op.batch_alter_table('kb_search', schema=None) as batch_op:
        batch_op.drop_index('ix_kb_search_visit')
        batch_op.drop_index(batch_op.f('ix_kb_search_ticket_id'))
        batch_op.drop_index(batch_op.f('ix_kb_search_at'))
        batch_op.drop_index(batch_op.f('ix_kb_search_article_id'))

    op.drop_table('kb_search')
    with op.batch_alter_table('kb_miss', schema=None) as batch_op:
        batch_op.drop_index('uq_kb_miss')
        batch_op.drop_index('ix_kb_miss_open', sqlite_where=sa.text('settled_at IS NULL'), postgresql_where=sa.text('settled_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_kb_miss_article_id'))

    op.drop_table('kb_miss')
    with op.batch_alter_table('kb_example', schema=None) as batch_op:
        batch_op.drop_index('uq_kb_example')
        batch_op.drop_index('ix_kb_example_ticket', sqlite_where=sa.text('ticket_id IS NOT NULL'), postgresql_where=sa.text('ticket_id IS NOT NULL'))

    op.drop_table('kb_example')
    with op.batch_alter_table('citation', schema=None) as batch_op:
        batch_op.drop_index('uq_citation')
        batch_op.drop_index(batch_op.f('ix_citation_article_id'))

    op.drop_table('citation')
    with op.batch_alter_table('article_text', schema=None) as batch_op:
        batch_op.drop_index('uq_article_text_slug')
        batch_op.drop_index('uq_article_text')
        batch_op.drop_index('ix_article_text_state')

    op.drop_table('article_text')
    with op.batch_alter_table('article_reading', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_reading_ticket_id'))
        batch_op.drop_index('ix_article_reading_person', sqlite_where=sa.text('person_id IS NOT NULL'), postgresql_where=sa.text('person_id IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_article_reading_at'))
        batch_op.drop_index(batch_op.f('ix_article_reading_article_id'))

    op.drop_table('article_reading')
    with op.batch_alter_table('article_product', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_product_product_id'))

    op.drop_table('article_product')
    with op.batch_alter_table('rating', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rating_person_id'))
        batch_op.drop_index('ix_rating_at')

    op.drop_table('rating')
    with op.batch_alter_table('promise', schema=None) as batch_op:
        batch_op.drop_index('ix_promise_running', sqlite_where=sa.text('settled_at IS NULL'), postgresql_where=sa.text('settled_at IS NULL'))
        batch_op.drop_index('ix_promise_open', sqlite_where=sa.text('settled_at IS NULL'), postgresql_where=sa.text('settled_at IS NULL'))
        batch_op.drop_index('ix_promise_client')

    op.drop_table('promise')
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_category_id'))

    op.drop_table('article')
    with op.batch_alter_table('portal_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_portal_session_person_id'))
        batch_op.drop_index(batch_op.f('ix_portal_session_expires_at'))
        batch_op.drop_index(batch_op.f('ix_portal_session_contact_point_id'))

    op.drop_table('portal_session')
    with op.batch_alter_table('portal_code', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_portal_code_expires_at'))
        batch_op.drop_index(batch_op.f('ix_portal_code_contact_point_id'))

    op.drop_table('portal_code')
    with op.batch_alter_table('client_merge_change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_client_merge_change_merge_id'))

    op.drop_table('client_merge_change')
    with op.batch_alter_table('purchase', schema=None) as batch_op:
        batch_op.drop_index('ix_purchase_client')

    op.drop_table('purchase')
    with op.batch_alter_table('item', schema=None) as batch_op:
        batch_op.drop_index('ix_item_serial', sqlite_where=sa.text('serial_key IS NOT NULL'), postgresql_where=sa.text('serial_key IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_item_product_id'))
        batch_op.drop_index('ix_item_client')

    op.drop_table('item')
    with op.batch_alter_table('invoice', schema=None) as batch_op:
        batch_op.drop_index('ix_invoice_client')

    op.drop_table('invoice')
    with op.batch_alter_table('import_problem', schema=None) as batch_op:
        batch_op.drop_index('ix_import_problem_run')

    op.drop_table('import_problem')
    with op.batch_alter_table('duplicate_pair', schema=None) as batch_op:
        batch_op.drop_index('uq_duplicate_pair')
        batch_op.drop_index(batch_op.f('ix_duplicate_pair_second_id'))
        batch_op.drop_index('ix_duplicate_pair_open', sqlite_where=sa.text('settled_at IS NULL'), postgresql_where=sa.text('settled_at IS NULL'))

    op.drop_table('duplicate_pair')
    with op.batch_alter_table('document', schema=None) as batch_op:
        batch_op.drop_index('ix_document_file')
        batch_op.drop_index('ix_document_client')

    op.drop_table('document')
    with op.batch_alter_table('client_note', schema=None) as batch_op:
        batch_op.drop_index('ix_client_note_client')

    op.drop_table('client_note')
    with op.batch_alter_table('client_merge', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_client_merge_kept_id'))
        batch_op.drop_index(batch_op.f('ix_client_merge_gone_id'))

    op.drop_table('client_merge')
    with op.batch_alter_table('kb_picture', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_kb_picture_file_id'))

    op.drop_table('kb_picture')
    with op.batch_alter_table('import_run', schema=None) as batch_op:
        batch_op.drop_index('ix_import_run_todo', sqlite_where=sa.text('todo IS NOT NULL'), postgresql_where=sa.text('todo IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_import_run_file_id'))

    op.drop_table('import_run')
    with op.batch_alter_table('contact_reason', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contact_reason_parent_id'))

    op.drop_table('contact_reason')
    with op.batch_alter_table('product', schema=None) as batch_op:
        batch_op.drop_index('ix_product_sort')

    op.drop_table('product')
    with op.batch_alter_table('kb_index', schema=None) as batch_op:
        batch_op.drop_index('uq_kb_index')
        batch_op.drop_index('ix_kb_index_analysis')

    op.drop_table('kb_index')
    with op.batch_alter_table('kb_category', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_kb_category_parent_id'))

    op.drop_table('kb_category')
    with op.batch_alter_table('import_mapping', schema=None) as batch_op:
        batch_op.drop_index('uq_import_mapping')

    op.drop_table('import_mapping')
    with op.batch_alter_table('field', schema=None) as batch_op:
        batch_op.drop_index('ix_field_position')

    op.drop_table('field')
