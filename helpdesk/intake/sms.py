"""Adapter of SMS: what the carrier posts becomes a Delivery before it hears "accepted".

A Delivery keeps the signed parameters. Pictures are fetched by a job of their own, so that a slow
carrier holds up nothing else: until then it waits, new but not yet to be processed.
"""

import hashlib
import json
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from flask import Blueprint, Response, request
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, undefer

from helpdesk import ext, files
from helpdesk.calls.carriers import authentic, carrier
from helpdesk.calls.providers.port import CarrierError, Texted
from helpdesk.calls.providers.twilio import parse
from helpdesk.ext import add_missing
from helpdesk.intake.archive import raw_of
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.intake.patience import WHOLE
from helpdesk.lib.clock import now
from helpdesk.lib.text import clean_line
from helpdesk.outbox import sms_sending
from helpdesk.settings import Setting
from helpdesk.tickets.content import FileRef
from helpdesk.tickets.models import Channel
from helpdesk.tickets.queries import is_our_number

log = structlog.get_logger()

blueprint = Blueprint("sms", __name__)
ext.csrf.exempt(blueprint)  # the carrier's signature is the proof

ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
BODY = 1 << 18  # octets of one request
MEDIA = 10  # files of one message
MEDIA_BYTES = 5 << 20  # of one file: more no carrier takes
WAITS = (0, 5, 15, 60, 180)  # seconds after it came in; then it goes on without what is missing
OVERLAP = timedelta(minutes=5)
CURSOR = "sms.listed"
"""The setting that says until when the carrier's list was read."""
OWN_NUMBER = "own_number"


@dataclass(frozen=True)
class Text:
    """An SMS as its Delivery keeps it. `wish`: "STOP" or "START", as the carrier understood it.

    `missing`: pictures that the carrier didn't hand over.
    """

    from_number: str
    to_number: str
    body: str
    media: tuple[str, ...] = ()
    files: tuple[FileRef, ...] = ()
    missing: int = 0
    wish: str = ""


@blueprint.post("/twilio/sms")
def receive() -> Response:
    """Keep an SMS. A repeat is found by its id; the answer is always the same."""
    refused = _refused()
    if refused is not None:
        return refused
    params = request.form.to_dict()
    with ext.write(WHOLE) as session:
        accept(session, params, at=now())
    return Response(ANSWER, mimetype="text/xml")


@blueprint.post("/twilio/sms/status")
def status() -> Response:
    """What became of an SMS of ours."""
    refused = _refused()
    if refused is not None:
        return refused
    heard = parse.text_status(request.form.to_dict())
    with ext.write(WHOLE) as session:
        sms_sending.heard(
            session,
            provider_id=heard.provider_id,
            state=heard.state,
            error=str(heard.error or ""),
            outgoing_id=request.args.get("outgoing", 0, int),
            attempt=request.args.get("try", 0, int),
            at=now(),
        )
    return Response(status=204)


def accept(session: Session, params: Mapping[str, str], *, at: datetime) -> None:
    """Store an SMS as a new Delivery, once for each id of the carrier."""
    text = parse.text(params)
    named = text.provider_id or json.dumps(dict(params), sort_keys=True)
    raw = json.dumps({"params": dict(params)}, ensure_ascii=False).encode()
    ours = is_our_number(session, text.from_number)
    row = {
        "key": hashlib.sha256(f"sms:{named}".encode()).hexdigest(),
        "channel": Channel.SMS,
        "state": DeliveryState.IGNORED if ours else DeliveryState.NEW,
        "todo": None if ours or text.media else 1,
        "reason": OWN_NUMBER if ours else None,
        "received_at": at,
        "envelope_from": clean_line(text.from_number, 80) or None,
        "recipients": [clean_line(text.to_number, 80)],
        "message_id": None,
        "is_auto_reply": False,
        "is_bounce": False,
        "attempts": 0,
        "size": len(raw),
        "raw": raw,
    }
    add_missing(session, Delivery, [row], unique="key")


def read(raw: bytes) -> Text:
    """An SMS as its Delivery keeps it. Raises ValueError or KeyError for anything else."""
    kept = json.loads(raw)
    text = parse.text(kept["params"])
    return Text(
        text.from_number,
        text.to_number,
        text.body,
        tuple(text.media[:MEDIA]),
        tuple(FileRef(**ref) for ref in kept.get("files", ())),
        kept.get("missing", 0) + max(0, len(text.media) - MEDIA),
        kept["params"].get("OptOutType", "").strip().upper(),
    )


def fetch_missed() -> int:
    """Ask the carrier for SMS that came while we were away; how many it named.

    Entry point. Those that are known already are found by their id.
    """
    at = now()
    with ext.session() as session:
        row = session.get(Setting, CURSOR)
    until = datetime.fromisoformat(row.value["until"]) if row else at  # no older one is ours
    try:
        found = carrier().sms_since(until - OVERLAP)
    except CarrierError as error:
        log.warning("sms.not_listed", again=error.again)
        return 0
    with ext.write() as session:
        for text in found:
            accept(session, _params(text), at=at)
        _remember(session, at)
    return len(found)


def fetch_media(limit: int = 5) -> int:
    """Fetch the pictures of at most `limit` SMS that wait for them; how many were looked at.

    Entry point: it commits, and asks the carrier outside of any transaction.
    """
    at = now()
    with ext.session() as session:
        waiting = session.scalars(_waiting().options(undefer(Delivery.raw))).all()
    due = [one for one in waiting if _is_due(one, at)][:limit]
    for delivery in due:
        _fetch(delivery)
    return len(due)


def _remember(session: Session, at: datetime) -> None:
    """The next time goes on from here."""
    ext.lock(session, CURSOR)
    row = session.get(Setting, CURSOR)
    if row is None:
        session.add(Setting(name=CURSOR, value={"until": at.isoformat()}))
    else:
        row.value = {"until": at.isoformat()}
    session.flush()


def _params(text: Texted) -> dict[str, str]:
    """As the carrier would have posted it."""
    media = {f"MediaUrl{n}": url for n, url in enumerate(text.media)}
    return {
        "MessageSid": text.provider_id,
        "From": text.from_number,
        "To": text.to_number,
        "Body": text.body,
        "NumMedia": str(len(media)),
        **media,
    }


def _refused() -> Response | None:
    request.max_content_length = BODY
    return None if authentic(request) else Response("Forbidden", 403, mimetype="text/plain")


def _waiting() -> Select[Delivery]:
    return (
        select(Delivery)
        .where(
            Delivery.state == DeliveryState.NEW,
            Delivery.todo.is_(None),
            Delivery.channel == Channel.SMS,
        )
        .order_by(Delivery.id)
        .limit(100)
    )


def _is_due(delivery: Delivery, at: datetime) -> bool:
    wait = WAITS[min(delivery.attempts, len(WAITS) - 1)]
    return delivery.received_at + timedelta(seconds=wait) <= at


def _fetch(delivery: Delivery) -> None:
    """All its pictures, or later again; after the last try it goes on with those there are."""
    kept = json.loads(raw_of(delivery))
    refs: list[FileRef] = []
    again = False
    for number, url in enumerate(parse.text(kept["params"]).media[:MEDIA], 1):
        try:
            refs.append(_picture(number, *carrier().fetch_media(url)))
        except CarrierError as error:
            again = again or error.again
        except ValueError:
            log.warning("sms.media_refused", delivery_id=delivery.id)
    wanted = min(len(parse.text(kept["params"]).media), MEDIA)
    missing = wanted - len(refs)
    last = not again or delivery.attempts + 1 >= len(WAITS)
    if missing and not last:
        values: dict[str, Any] = {"attempts": delivery.attempts + 1}
    else:
        kept |= {"files": [asdict(ref) for ref in refs], "missing": missing}
        raw = json.dumps(kept, ensure_ascii=False).encode()
        values = {"todo": 1, "attempts": 0, "raw": raw, "raw_sha256": None, "size": len(raw)}
    _put(delivery, values, refs)


def _put(delivery: Delivery, values: Mapping[str, Any], refs: Sequence[FileRef]) -> None:
    with ext.write() as session:
        for ref in refs:  # retention finds them by their rows, whatever becomes of the SMS
            files.adopt(session, ref.sha256, ref.size)
        if delivery.raw_sha256 is not None and "raw" in values:
            files.adopt(session, delivery.raw_sha256, delivery.size)
        session.execute(
            update(Delivery)
            .where(
                Delivery.id == delivery.id,
                Delivery.state == DeliveryState.NEW,
                Delivery.todo.is_(None),
            )
            .values(values)
        )


def _picture(number: int, data: bytes, content_type: str) -> FileRef:
    """Put it on the disk. Raises ValueError for one that is too large."""
    if len(data) > MEDIA_BYTES:
        raise ValueError("too large")
    kind = clean_line(content_type.partition(";")[0].lower(), 127) or "application/octet-stream"
    name = f"mms-{number}{mimetypes.guess_extension(kind) or ''}"
    return FileRef(files.put(data), len(data), name, kind)
