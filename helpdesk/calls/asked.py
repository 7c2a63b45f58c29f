"""What a carrier answers when it is asked, put as if it had told it by itself."""

from datetime import datetime, timedelta

from helpdesk.calls.models import Direction, Provider
from helpdesk.calls.providers.port import Heard, Kept, Placed
from helpdesk.calls.states import OVER


def leg(provider: Provider, placed: Placed, at: datetime) -> Heard:
    """The state of a leg. One that the carrier doesn't know has no state and says nothing.

    Of a leg that goes on only its begin has a time; its state is as of `at`.
    """
    over = placed.state in OVER
    return Heard(
        provider=provider,
        kind="leg",
        key=_key("leg", placed.provider_id, str(placed.state)),
        provider_id=placed.provider_id,
        from_number=placed.from_number,
        to_number=placed.to_number,
        direction=placed.direction,
        state=placed.state,
        seconds=placed.seconds,
        at=_end(placed) if over else placed.started_at if placed.state is None else None,
    )


def recording(provider: Provider, kept: Kept) -> Heard:
    """A recording that the carrier has."""
    state = "absent" if kept.absent else "completed"
    return Heard(
        provider=provider,
        kind="recording",
        key=_key("recording", kept.provider_id, state),
        provider_id=kept.call_id,
        recording_id=kept.provider_id,
        recording_state=state,
        direction=Direction.INBOUND,
        seconds=kept.seconds,
        at=kept.created_at,
    )


def _end(placed: Placed) -> datetime | None:
    if placed.ended_at is not None or placed.started_at is None:
        return placed.ended_at
    return placed.started_at + timedelta(seconds=placed.seconds or 0)


def _key(kind: str, provider_id: str, state: str) -> str:
    """A webhook's key, a SHA-256, never looks like it; a second look finds the first."""
    return f"asked-{kind[:3]}-{provider_id[:40]}-{state}"[:64]
