"""Erasure, access and retention of personal values, over all rooms."""

from helpdesk import ext
from helpdesk.privacy.erase import Erased, erase_client, erase_person
from helpdesk.privacy.export import export_client
from helpdesk.privacy.loose import remove_loose
from helpdesk.privacy.retain import retain

__all__ = [
    "Erased",
    "after_erasure",
    "erase_client",
    "erase_person",
    "export_client",
    "retain",
]


def after_erasure(erased: Erased) -> None:
    """Take what was erased off the disk: files, index segments, remains of deleted rows.

    Entry point: call it once the erasure is committed, outside any transaction.
    """
    remove_loose(erased.files)
    ext.compact(ext.fulltext.TABLES)
