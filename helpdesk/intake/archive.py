"""The raw bytes of Deliveries: in the row at first, later in compressed files."""

from datetime import timedelta

import zstandard
from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from helpdesk import ext, files
from helpdesk.intake.models import Delivery
from helpdesk.lib.clock import now

KEEP_IN_ROW = timedelta(minutes=10)
MAX_RAW = 1 << 30


def raw_of(delivery: Delivery) -> bytes:
    """The bytes as they came. Raises FileNotFoundError once retention has removed them."""
    if delivery.raw is not None:
        return delivery.raw
    if delivery.raw_sha256 is None:
        raise FileNotFoundError("the raw message was removed after its retention period")
    packed = files.read(delivery.raw_sha256)
    return zstandard.ZstdDecompressor().decompress(packed, max_output_size=MAX_RAW)


def archive_raw(limit: int = 200) -> int:
    """Move raw bytes of processed Deliveries into compressed files; returns how many.

    Entry point of the worker. A crash in between leaves the bytes in the row.
    """
    with ext.session() as session:
        query = select(Delivery).where(
            Delivery.todo.is_(None),
            Delivery.raw.is_not(None),
            Delivery.received_at < now() - KEEP_IN_ROW,
        )
        query = (
            query.order_by(Delivery.received_at, Delivery.id)
            .limit(limit)
            .options(undefer(Delivery.raw))
        )
        found = session.scalars(query).all()
    packed = [(d.id, files.put(zstandard.compress(d.raw or b"", 3))) for d in found]
    if packed:
        with ext.write() as session:
            for delivery_id, sha256 in packed:
                session.execute(
                    update(Delivery)
                    .where(Delivery.id == delivery_id, Delivery.todo.is_(None))
                    .values(raw=None, raw_sha256=sha256)
                )
    return len(packed)
