"""The emails that tell of alarms which began: a supervisor isn't always at the desk."""

from collections.abc import Collection
from datetime import datetime

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import String, cast, literal, select
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.models import User
from helpdesk.outbox import report_email
from helpdesk.outbox.addressing import public_url
from helpdesk.outbox.models import Outgoing
from helpdesk.outbox.rendering import moment
from helpdesk.reports.alarms import calm
from helpdesk.reports.alarms import sweep as alarms
from helpdesk.reports.models import Alarm
from helpdesk.web.supervisor import alarm_words

CAUSE = "alarm"


def tell_of_begun(session: Session, rule_ids: Collection[int], at: datetime) -> int:
    """Put an email into the outbox for each whom an open alarm of these rules concerns and who has
    none of it yet, as soon as the pause after the one before is over; how many there are."""
    return sum(
        _tell(session, alarm, user, at)
        for alarm in calm.unseen(session, rule_ids, at)
        for user in alarms.told(session, alarm.id)
    )


def _tell(session: Session, alarm: Alarm, user: User, at: datetime) -> bool:
    if _is_silent(session, alarm, user, at):
        return False
    language, rule = user.language, alarm.rule
    with ext.in_language(language):
        g.language = language  # in which lengths and numbers of pages are written
        subject = f"{_('An alarm began')}: {rule.name}"
        values = {
            "heading": rule.name,
            "says": alarm_words.says(rule),
            "now": alarm_words.value(rule, alarm.value if rule.value is None else rule.value),
            "since": moment(alarm.began_at, user.timezone, language, today=at),
            "link": f"{public_url()}/supervisor/alarms#a{alarm.id}",
            "often": _often(session, alarm, at),
        }
    mark = f"{alarm.id}.{user.id}"
    report_email.enqueue(
        session, user, CAUSE, mark, subject=subject, template="alarm", values=values, at=at
    )
    return True


def _is_silent(session: Session, alarm: Alarm, user: User, at: datetime) -> bool:
    """Whether this person had an email of this alarm, or of its rule so lately that another one is
    too much."""
    key = literal(f"{CAUSE}:") + cast(Alarm.id, String) + literal(f".{user.id}")
    told = (
        select(Alarm.id, Outgoing.created_at)
        .select_from(Alarm)
        .join(Outgoing, Outgoing.key == key)
        .where(Alarm.rule_id == alarm.rule_id, Alarm.began_at > at - calm.WITHIN)
        .order_by(Outgoing.created_at.desc())
    )
    sent = session.execute(told).all()
    if any(row.id == alarm.id for row in sent):
        return True
    return calm.is_pause([row.created_at for row in sent], at)


def _often(session: Session, alarm: Alarm, at: datetime) -> str:
    """What tells of an alarm that comes and goes; nothing of its first time within a day."""
    count = calm.times(session, alarm.rule_id, at)
    if count < 2:
        return ""
    text = ngettext(
        "It began %(num)s time within a day: not each time comes an email.",
        "It began %(num)s times within a day: not each time comes an email.",
        count,
    )
    return str(text)
