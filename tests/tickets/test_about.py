"""Lists by reason and product read their index, however many tickets there are."""

from helpdesk import ext
from helpdesk.accounts.permissions import viewer_of
from helpdesk.tickets.about import (
    about_page,
    items_by_product,
    recent_products,
    tickets_by_product,
    tickets_by_reason,
)
from helpdesk.tickets.views import View
from tests.cast import Cast
from tests.test_query_plans import SORTS, caught, plans, whole_tables


def test_a_page_of_a_product_walks_the_index(cast: Cast) -> None:
    with ext.session() as session, caught() as statements:
        about_page(
            session, viewer_of(session, cast.sam), View("product", about="product:3"), cursor="7"
        )
    (plan,) = (plan for _statement, plan in plans(statements))
    if ext.is_sqlite(ext.db.engine):
        assert "ix_ticket_product (product_id=? AND id<?)" in plan and not SORTS.search(plan)
    assert whole_tables(statements) == []


def test_a_page_of_reasons_reads_a_page_of_each(cast: Cast) -> None:
    view = View("reason", about="reason:3")
    with ext.session() as session, caught() as statements:
        about_page(session, viewer_of(session, cast.sam), view, [3, 4, 5])
    (plan,) = (plan for _statement, plan in plans(statements))
    if ext.is_sqlite(ext.db.engine):
        assert plan.count("ix_ticket_reason (reason_id=?)") == 3
    assert whole_tables(statements) == []


def test_numbers_are_counted_on_the_index_alone(cast: Cast) -> None:
    with ext.session() as session, caught() as statements:
        tickets_by_reason(session, cap=99)
        tickets_by_product(session, [1, 2], cap=99)
        items_by_product(session, [1, 2], cap=99)
        recent_products(session)
    assert whole_tables(statements) == []
