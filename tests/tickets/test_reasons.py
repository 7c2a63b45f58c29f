"""Contact reasons: a tree that an administrator edits, and what a ticket gets from it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.clients.items import put_item
from helpdesk.clients.models import Client
from helpdesk.events import SYSTEM, Actor, Event
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError
from helpdesk.products import change_product, create_product
from helpdesk.tickets import reasons
from helpdesk.tickets.classify import classes_of_new, classify
from helpdesk.tickets.models import Channel, ContactReason, Ticket, TicketKind
from helpdesk.tickets.reasons import Reason, Tree
from helpdesk.tickets.received import open_ticket
from tests.cast import Cast


def names(name: str) -> dict[str, str]:
    return {"en": name, "ru": f"{name} ру", "uk": f"{name} ук"}


def add(session: Session, name: str, above: ContactReason | None = None, **more: Any) -> Any:
    return reasons.create_reason(
        session, names=names(name), parent_id=above.id if above else None, **more
    )


def outline(session: Session) -> list[str]:
    return [f"{'-' * (one.depth - 1)}{one.name('en')}" for one in reasons.tree(session)]


def ticket(session: Session, cast: Cast, **classes: Any) -> Ticket:
    ticket_id = open_ticket(
        session,
        queue_id=cast.support.id,
        who=cast.oksana,
        subject="Де замовлення?",
        channel=Channel.WEB,
        language="uk",
        at=now(),
        **classes,
    )
    return session.get_one(Ticket, ticket_id)


def test_the_tree_is_read_from_the_top_down_in_its_order(cast: Cast) -> None:
    with ext.write() as session:
        delivery, payment = add(session, "Delivery"), add(session, "Payment")
        add(session, "Late", delivery)
        add(session, "Refund", payment)
        add(session, "Damaged", delivery)
        assert outline(session) == ["Delivery", "-Late", "-Damaged", "Payment", "-Refund"]


def test_a_reason_moves_up_and_down_among_its_neighbours_only(cast: Cast) -> None:
    with ext.write() as session:
        delivery, payment = add(session, "Delivery"), add(session, "Payment")
        late = add(session, "Late", delivery)
        reasons.move_reason(session, payment, -1)
        reasons.move_reason(session, late, 1)
        reasons.move_reason(session, late, -1)
        assert outline(session) == ["Payment", "Delivery", "-Late"]


def test_a_reason_put_under_another_takes_its_own_with_it(cast: Cast) -> None:
    with ext.write() as session:
        delivery, payment = add(session, "Delivery"), add(session, "Payment")
        add(session, "Refund", payment)
        reasons.change_reason(session, payment, parent_id=delivery.id)
        assert outline(session) == ["Delivery", "-Payment", "--Refund"]


def test_a_reason_cannot_stand_under_itself(cast: Cast) -> None:
    with ext.write() as session:
        top = add(session, "Delivery")
        low = add(session, "Courier", add(session, "Late", top))
        for parent in (top, low):
            with pytest.raises(HelpdeskError, match="under itself"):
                reasons.change_reason(session, top, parent_id=parent.id)


def test_the_tree_has_at_most_four_levels_also_when_branches_move(cast: Cast) -> None:
    with ext.write() as session:
        chain = [add(session, "One")]
        for name in ("Two", "Three", "Four"):
            chain.append(add(session, name, chain[-1]))
        with pytest.raises(HelpdeskError, match="at most 4 levels"):
            add(session, "Five", chain[-1])
        branch = add(session, "Branch")
        add(session, "Leaf", branch)
        with pytest.raises(HelpdeskError, match="at most 4 levels"):
            reasons.change_reason(session, branch, parent_id=chain[2].id)
        reasons.change_reason(session, branch, parent_id=chain[1].id)


@pytest.mark.parametrize(
    ("given_names", "field"),
    [
        ({"en": "Delivery", "ru": "Доставка"}, "name_uk"),
        ({"en": " \x00", "ru": "Доставка", "uk": "Доставка"}, "name_en"),
    ],
)
def test_a_name_is_needed_in_each_language(
    cast: Cast, given_names: dict[str, str], field: str
) -> None:
    with ext.write() as session, pytest.raises(HelpdeskError) as caught:
        reasons.create_reason(session, names=given_names)
    assert caught.value.field == field


def test_two_neighbours_do_not_share_a_name_in_any_language(cast: Cast) -> None:
    with ext.write() as session:
        delivery = add(session, "Delivery")
        with pytest.raises(Conflict) as caught:
            reasons.create_reason(session, names={**names("Parcel"), "uk": "DELIVERY УК"})
        assert caught.value.field == "name_uk"
        add(session, "Delivery", delivery)  # elsewhere in the tree it may


def test_keys_come_from_the_english_name_and_are_never_twice(cast: Cast) -> None:
    with ext.write() as session:
        top = add(session, "2. Crème brûlée & more")
        again = add(session, "2. Crème brûlée & more", top)
        odd = add(session, "!!")
        assert [top.key, again.key, odd.key] == [
            "creme-brulee-more",
            "creme-brulee-more-2",
            "reason",
        ]
        with pytest.raises(Conflict):
            add(session, "Other", key="reason")
        with pytest.raises(HelpdeskError):
            add(session, "Other", key="No Key")


def test_a_switched_off_branch_is_not_offered_and_comes_back_whole(cast: Cast) -> None:
    with ext.write() as session:
        delivery = add(session, "Delivery")
        add(session, "Late", delivery)
        inner = add(session, "Inner", in_form=False)
        reasons.change_reason(session, delivery, active=False)
        assert [one.key for one in reasons.tree(session).open()] == ["inner"]
        reasons.change_reason(session, delivery, active=True)
        tree = reasons.tree(session)
        assert [one.key for one in tree.open()] == ["delivery", "late", "inner"]
        assert [one.key for one in tree.open(in_form=True)] == ["delivery", "late"]
        assert tree.title(tree.keyed("late").id, "uk") == "Delivery ук / Late ук"  # type: ignore[union-attr]
        assert inner.id in tree.under(inner.id)


def test_a_change_is_told_once_and_without_names(cast: Cast) -> None:
    with ext.write() as session:
        delivery = add(session, "Delivery")
        reasons.change_reason(session, delivery, names={"en": "Shipping"})
        reasons.change_reason(session, delivery, names={"en": "Shipping"}, active=True)
        told = select(Event.kind, Event.data).where(Event.kind.startswith("reason."))
        assert [tuple(row) for row in session.execute(told)] == [
            ("reason.created", {"reason_id": delivery.id}),
            ("reason.changed", {"reason_id": delivery.id, "fields": ["names"]}),
        ]


def test_a_new_installation_has_a_tree_in_three_languages(cast: Cast) -> None:
    with ext.write() as session:
        reasons.seed_reasons(session)
        reasons.seed_reasons(session)
        tree = reasons.tree(session)
        assert len(tree.children(None)) >= 8 and max(one.depth for one in tree) == 2
        assert all(one.names.keys() == {"en", "ru", "uk"} for one in tree)
        assert len({(one.parent_id, one.name(lang)) for one in tree for lang in ["uk"]}) == len(
            list(tree)
        )
        late = tree.keyed("delivery-late")
        assert late is not None and late.kind == TicketKind.COMPLAINT


STEPS = st.lists(st.tuples(st.integers(0, 7), st.none() | st.integers(0, 7)), max_size=30)


@given(STEPS)
@settings(deadline=None, max_examples=60)
def test_whatever_is_moved_where_the_places_allowed_never_make_a_circle(
    steps: list[tuple[int, int | None]],
) -> None:
    above: dict[int, int | None] = dict.fromkeys(range(8))
    for one, target in steps:
        try:
            reasons._check_place(_tree_of(above), one, target)
        except HelpdeskError:
            continue
        above[one] = target
    tree = _tree_of(above)
    assert len(list(tree)) == 8  # nobody fell out of the tree, as a circle would
    assert max(one.depth for one in tree) <= reasons.MAX_DEPTH


def _tree_of(above: dict[int, int | None]) -> Tree:
    found: dict[int, Reason] = {}
    for _ in above:
        for id_, parent in above.items():
            if id_ not in found and (parent is None or parent in found):
                path = (*(found[parent].path if parent is not None else ()), id_)
                found[id_] = Reason(
                    id_, parent, f"r{id_}", {}, None, None, True, True, len(path), path
                )
    return Tree(found)


def test_a_reason_gives_its_kind_to_a_ticket_that_has_none(cast: Cast) -> None:
    with ext.write() as session:
        late = add(session, "Late", kind=TicketKind.COMPLAINT)
        opened = ticket(session, cast, reason_id=late.id)
        assert opened.kind == TicketKind.COMPLAINT
        asked = ticket(session, cast, reason_id=late.id, kind=TicketKind.QUESTION)
        assert asked.kind == TicketKind.QUESTION
        plain = ticket(session, cast)
        classify(session, plain, reason=late, actor=SYSTEM, at=now())
        assert (plain.reason_id, plain.kind) == (late.id, TicketKind.COMPLAINT)
        classify(session, plain, reason=None, kind=None, actor=SYSTEM, at=now())
        assert (plain.reason_id, plain.kind) == (None, None)


def test_what_a_ticket_is_about_is_told_by_ids(cast: Cast) -> None:
    with ext.write() as session:
        late = add(session, "Late", kind=TicketKind.COMPLAINT)
        kettle = create_product(session, name="Kettle", at=now())
        one = ticket(session, cast)
        actor, version = Actor(user_id=cast.alice.id), one.version
        classify(session, one, reason=late, product=kettle, actor=actor, at=now())
        classify(session, one, reason=late, product=kettle, actor=actor, at=now())
        told = select(Event.kind, Event.data).where(Event.ticket_id == one.id, Event.user_id > 0)
        assert [tuple(row) for row in session.execute(told)] == [
            ("ticket.kind", {"old": None, "new": "complaint"}),
            ("ticket.reason", {"old": None, "new": late.id}),
            ("ticket.product", {"old": None, "new": kettle.id}),
        ]
        assert one.version == version + 1


def test_an_item_brings_its_product_and_goes_with_it(cast: Cast) -> None:
    with ext.write() as session:
        kettle, lamp = (create_product(session, name=n, at=now()) for n in ("Kettle", "Lamp"))
        owner = session.get_one(Client, cast.oksana.client_id)
        values = {"product_id": kettle.id, "serial": "SN-1"}
        item, _ = put_item(session, owner, values, actor=SYSTEM, at=now())
        one = ticket(session, cast)
        classify(session, one, item=item, actor=SYSTEM, at=now())
        assert (one.product_id, one.item_id) == (kettle.id, item.id)
        classify(session, one, product=kettle, actor=SYSTEM, at=now())
        assert one.item_id == item.id
        classify(session, one, product=lamp, actor=SYSTEM, at=now() + timedelta(minutes=1))
        assert one.product_id == lamp.id and not one.item_id
        with pytest.raises(HelpdeskError) as caught:
            classes_of_new(session, cast.stranger.client_id, item=item)
        assert caught.value.field == "item"


def test_what_is_switched_off_is_not_chosen_anew_but_stays_where_it_was(cast: Cast) -> None:
    with ext.write() as session:
        top = add(session, "Delivery")
        late = add(session, "Late", top)
        kettle = create_product(session, name="Kettle", at=now())
        one = ticket(session, cast, reason_id=late.id, product_id=kettle.id)
        reasons.change_reason(session, top, active=False)
        change_product(session, kettle, active=False, at=now())
        classify(
            session,
            one,
            reason=late,
            product=kettle,
            kind=TicketKind.REQUEST,
            actor=SYSTEM,
            at=now(),
        )
        assert (one.reason_id, one.product_id) == (late.id, kettle.id)
        with pytest.raises(HelpdeskError) as no_reason:
            classes_of_new(session, one.client_id, reason=late)
        with pytest.raises(HelpdeskError) as no_product:
            classes_of_new(session, one.client_id, product=kettle)
    assert (no_reason.value.field, no_product.value.field) == ("reason", "product")
