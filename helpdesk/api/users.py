"""Members of staff."""

from sqlalchemy import select

from helpdesk.accounts.models import User
from helpdesk.api.operation import Call, operation
from helpdesk.api.paging import cut, id_cursor, id_of
from helpdesk.api.shapes.base import Paged
from helpdesk.api.shapes.setup import UserList, UserOut


@operation("GET", "/users", permission="user.read", query=Paged, answer=UserList, tag="set-up")
def list_users(call: Call[Paged, None]) -> UserList:
    """List members of staff."""
    rows = select(User).where(User.id > id_of(call.query.cursor, 0))
    rows = rows.order_by(User.id).limit(call.query.limit + 1)
    page, last = cut(call.session.scalars(rows).all(), call.query.limit)
    return UserList(
        items=[_shape(user) for user in page], next_cursor=id_cursor(last.id if last else None)
    )


def _shape(user: User) -> UserOut:
    return UserOut(
        id=user.id, name=user.name, email=user.email, role=user.role.value, active=user.active
    )
