"""The sender of SMS: takes what is due, hands it to the carrier, hears what became of it.

At least once, as emails: a row is claimed, sent outside any transaction, then recorded. Where the
carrier's answer was lost, its word about the state usually comes first and says that it has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.calls.carriers import carrier
from helpdesk.calls.providers.port import CarrierError
from helpdesk.clients.actions import mark_bad
from helpdesk.clients.contact_points import wish_sms
from helpdesk.lib.clock import now
from helpdesk.lib.errors import _lazy
from helpdesk.outbox.actions import mark_failed
from helpdesk.outbox.models import Outgoing, OutgoingKind, OutgoingState
from helpdesk.outbox.sending import next_try
from helpdesk.outbox.sms import NO_NUMBER, NO_SENDER, STOPPED, WISH, point_of

log = structlog.get_logger()

LEASE = timedelta(minutes=2)  # longer than one request to the carrier may take
OPTED_OUT = "21610"
NOT_A_MOBILE = ("21211", "21614", "30005", "30006")
"""The carrier's numbers for: no such number, no mobile, unknown, a landline."""
TAKEN = ("accepted", "queued", "sending", "sent")
ARRIVED = ("delivered", "read")
LOST = ("undelivered", "failed", "canceled")
OPEN = (OutgoingState.QUEUED, OutgoingState.SENDING)

REFUSED = _lazy("The carrier refused this SMS.")
AWAY = _lazy("The carrier does not answer.")
_WORDS: Mapping[str, str] = {
    OPTED_OUT: STOPPED,
    "21211": _lazy("This is no number that an SMS can be sent to."),
    "21614": _lazy("This is no number that an SMS can be sent to."),
    "21408": _lazy("The carrier’s account may not send SMS to this country."),
    "21606": _lazy("Our number can send no SMS: the carrier’s account says so."),
    "30003": _lazy("The client’s phone could not be reached."),
    "30004": _lazy("The client’s carrier blocked this SMS."),
    "30005": _lazy("The client’s number is not in service."),
    "30006": _lazy("The client’s number is a landline or can get no SMS."),
    "30007": _lazy("A carrier on the way took this SMS for spam."),
}
NOT_ARRIVED = _lazy("This SMS did not arrive.")


@dataclass(frozen=True)
class Claimed:
    """An SMS that this worker sends now."""

    outgoing_id: int
    attempt: int
    to: str
    from_: str
    text: str


def send_due(limit: int = 20) -> int:
    """Send at most `limit` of the SMS that are due; how many were looked at.

    Entry point: it commits. 0 while the carrier is away, so that the caller rests.
    """
    with ext.session() as session:
        if session.scalar(_due().with_only_columns(Outgoing.id)) is None:
            return 0
    for done in range(limit):
        with ext.write() as session:
            claimed = _claim(session)
        if claimed is None:
            return done
        if not _send(claimed):
            return 0
    return limit


def heard(
    session: Session,
    *,
    provider_id: str,
    state: str,
    error: str,
    outgoing_id: int,
    attempt: int,
    at: datetime,
) -> None:
    """What the carrier says of an SMS of ours, in any order and any number of times.

    It is found by the carrier's id, or, where that never reached us, by the try it belongs to.
    """
    outgoing = _named(session, provider_id, outgoing_id, attempt)
    if outgoing is None:
        log.info("sms.status_unknown", state=state)
        return
    if state in ARRIVED and outgoing.state in (*OPEN, OutgoingState.SENT, OutgoingState.FAILED):
        _set(outgoing, OutgoingState.DELIVERED, at)
    elif state in TAKEN and outgoing.state in OPEN:
        _set(outgoing, OutgoingState.SENT, at)
    elif state in LOST and outgoing.state in (*OPEN, OutgoingState.SENT):
        _refuse(session, outgoing, error, _WORDS.get(error, NOT_ARRIVED), at)
    session.flush()


def _due() -> Select[Outgoing]:
    query = select(Outgoing).where(
        Outgoing.due_at.is_not(None), Outgoing.due_at <= now(), Outgoing.kind == OutgoingKind.SMS
    )
    return query.order_by(Outgoing.due_at, Outgoing.id).limit(1)


def _claim(session: Session) -> Claimed | None:
    """The next due SMS that may be sent, ours until the lease ends; the others are given up."""
    at = now()
    while True:
        outgoing = session.scalar(_due().with_for_update(**ext.skip_locked(session)))
        if outgoing is None:
            return None
        words = _forbidden(session, outgoing)
        if words is None:
            break
        mark_failed(session, outgoing, words, at=at)
    # Still being sent, and due: whoever claimed it never heard the carrier's answer.
    outgoing.maybe_sent = outgoing.maybe_sent or outgoing.state == OutgoingState.SENDING
    outgoing.state = OutgoingState.SENDING
    outgoing.due_at = at + LEASE
    outgoing.attempts += 1
    return Claimed(
        outgoing.id,
        outgoing.attempts,
        outgoing.to_address,
        outgoing.from_address,
        outgoing.text,
    )


def _forbidden(session: Session, outgoing: Outgoing) -> str | None:
    """Why this SMS must not be sent, asked at the last moment."""
    if not outgoing.to_address:
        return NO_NUMBER
    if not outgoing.from_address:
        return NO_SENDER
    point = point_of(session, outgoing)
    stopped = point is not None and point.sms_stopped_at is not None
    return STOPPED if stopped and not outgoing.key.startswith(WISH) else None


def _send(claimed: Claimed) -> bool:
    """Send one; False if the carrier is away."""
    status = f"sms/status?outgoing={claimed.outgoing_id}&try={claimed.attempt}"
    try:
        carrier_id = carrier().send_sms(
            claimed.to, claimed.text, from_number=claimed.from_, status=status
        )
    except CarrierError as error:
        log.warning("sms.not_sent", outgoing_id=claimed.outgoing_id, again=error.again)
        _record_failure(claimed, error)
        return not error.again
    with ext.write() as session:
        outgoing = _still_ours(session, claimed)
        if outgoing is not None:
            outgoing.carrier_id = carrier_id
            if outgoing.state == OutgoingState.SENDING:
                _set(outgoing, OutgoingState.SENT, now())
    return True


def _record_failure(claimed: Claimed, error: CarrierError) -> None:
    at = now()
    with ext.write() as session:
        outgoing = _still_ours(session, claimed)
        if outgoing is None or outgoing.state != OutgoingState.SENDING:
            return
        outgoing.last_error = AWAY
        if error.unknown:
            outgoing.maybe_sent = True
            return  # the lease ends later: until then the carrier may say that it has it
        again = next_try(outgoing.attempts, at) if error.again else None
        if again is None:
            code = str(error.code or "")
            words = AWAY if error.again else _WORDS.get(code, REFUSED)
            _refuse(session, outgoing, code, words, at)
            return
        outgoing.state, outgoing.due_at = OutgoingState.QUEUED, again


def _refuse(session: Session, outgoing: Outgoing, code: str, words: str, at: datetime) -> None:
    """Give it up; what the carrier says of the number is remembered."""
    point = point_of(session, outgoing)
    if point is not None and code == OPTED_OUT:
        wish_sms(session, point.id, True, at=at)
    if point is not None and code in NOT_A_MOBILE:
        mark_bad(session, point, at=at)
    mark_failed(session, outgoing, words, at=at)


def _set(outgoing: Outgoing, state: OutgoingState, at: datetime) -> None:
    outgoing.state, outgoing.due_at, outgoing.last_error = state, None, None
    outgoing.sent_at = outgoing.sent_at or at


def _still_ours(session: Session, claimed: Claimed) -> Outgoing | None:
    """The row, unless somebody else has taken it over; the carrier's word may have come first."""
    query = select(Outgoing).where(
        Outgoing.id == claimed.outgoing_id, Outgoing.attempts == claimed.attempt
    )
    return session.scalar(query.with_for_update())


def _named(session: Session, provider_id: str, outgoing_id: int, attempt: int) -> Outgoing | None:
    if not provider_id:
        return None
    by_carrier = select(Outgoing).where(Outgoing.carrier_id == provider_id).with_for_update()
    found = session.scalar(by_carrier)
    if found is not None or not 0 < outgoing_id < 2**63:
        return found
    by_try = select(Outgoing).where(
        Outgoing.id == outgoing_id,
        Outgoing.attempts == attempt,
        Outgoing.kind == OutgoingKind.SMS,
        Outgoing.carrier_id.is_(None),
    )
    found = session.scalar(by_try.with_for_update())
    if found is not None:
        found.carrier_id = provider_id
    return found
