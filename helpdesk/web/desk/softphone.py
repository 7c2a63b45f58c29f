"""The browser's telephone where the carrier is the offline twin: its leg is worked over HTTP."""

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk.accounts.presence import Phone, Presence
from helpdesk.calls.carriers import provider
from helpdesk.calls.models import CallLeg, LegRole, LegState, Provider
from helpdesk.calls.providers.port import CarrierError
from helpdesk.calls.providers.twin.account import account
from helpdesk.calls.providers.twin.remote import Remote
from helpdesk.lib.errors import HelpdeskError, _lazy

RINGS = (LegState.QUEUED, LegState.INITIATED, LegState.RINGING)
ACTS = ("answer", "decline", "hangup", "digits")


def own_leg(session: Session, user_id: int) -> CallLeg | None:
    """The leg of the user's browser in the call they are in, if the carrier knows it already."""
    query = (
        select(CallLeg)
        .join(Presence, Presence.call_id == CallLeg.call_id)
        .where(
            Presence.user_id == user_id,
            Presence.phone == Phone.BROWSER,
            CallLeg.user_id == user_id,
            CallLeg.role == LegRole.AGENT,
            CallLeg.provider_id.is_not(None),
            CallLeg.ended_at.is_(None),
        )
    )
    return session.scalar(query.order_by(CallLeg.id.desc()).limit(1))


def answer_own_leg(session: Session, user_id: int) -> bool:
    """Pick up the simulated telephone if it rings; whether it did."""
    leg = own_leg(session, user_id) if provider() == Provider.TWIN else None
    if leg is None or leg.state not in RINGS:
        return False
    return act(leg, "answer", "")


def act(leg: CallLeg, what: str, digits: str) -> bool:
    """Do one of ACTS on the leg; False if the twin does not answer or the leg is gone."""
    config = current_app.config
    if not config["TWIN_URL"]:
        return False
    remote = Remote(config["TWIN_URL"], account(config["SECRET_KEY"]))
    more = {"digits": digits} if what == "digits" else {}
    try:
        remote.act(leg.provider_id or "", what, **more)
    except CarrierError:
        return False
    return True


def only_simulated() -> None:
    """Raises HelpdeskError where a real carrier's sound comes to the phone window."""
    if provider() != Provider.TWIN:
        raise HelpdeskError(_lazy("The phone window of this browser does that."))
