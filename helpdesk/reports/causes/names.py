"""What reasons and products are called in the report on causes, read once for all its tables."""

from collections.abc import Collection
from typing import Any

from sqlalchemy.orm import Session

from helpdesk.reports.cuts import names
from helpdesk.tickets.reasons import Tree, tree


class Called:
    """Names in one language; one statement, and one for products not asked for before."""

    def __init__(self, session: Session, language: str) -> None:
        self._session, self._language = session, language
        self._products: dict[int, str] = {}
        self.tree: Tree = tree(session)

    def of(self, cut: str, ids: Collection[Any]) -> dict[Any, str]:
        """Of reasons, with those above them, or of products; words of other cuts are the page's."""
        if cut == "reason":
            return {one: self.reason(one) for one in ids if self.tree.get(one) is not None}
        if cut != "product":
            return {}
        unknown = [one for one in ids if one and one not in self._products]
        if unknown:
            self._products |= names(self._session, "product", unknown, self._language)
        return {one: self._products[one] for one in ids if one in self._products}

    def reason(self, reason_id: int) -> str:
        return self.tree.title(reason_id, self._language)
