"""An alarm that began: whom it is for hears of it."""

from datetime import datetime

from sqlalchemy.orm import Session

from helpdesk.events import Event
from helpdesk.notices import tell
from helpdesk.reports.alarms import sweep as alarms


def tell_of_alarm(session: Session, event: Event, at: datetime) -> None:
    for user in alarms.told(session, event.data["alarm_id"]):
        tell(session, user.id, event, None, event.kind, at=at)
