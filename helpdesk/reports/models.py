"""Tables of reports: schedules, alarm rules and alarms, exclusions and closed statements."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.accounts.models import Role, Team, User
from helpdesk.clients.models import Client
from helpdesk.ext import Base, EnumText, partial_index
from helpdesk.files import StoredFile
from helpdesk.tickets.models import Clock, Policy, Queue


class Every(StrEnum):
    """How often a report is sent; it is about the day, week or month that has ended."""

    DAY = "day"
    WEEK = "week"  # Mondays
    MONTH = "month"  # the first


class Side(StrEnum):
    """On which side of its limit a measure is exceptional."""

    OVER = "over"
    UNDER = "under"


class Schedule(Base):
    """A report that somebody gets by email. It is made with that person's rights of that day."""

    __tablename__ = "report_schedule"
    __table_args__ = (
        partial_index("ix_report_schedule_next", "next_at", where="next_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)  # who gets it
    report: Mapped[str] = mapped_column(String(20))  # a name of `reports.names`
    query: Mapped[dict[str, Any]]  # the filters, as they stand in an address, without the period
    every: Mapped[Every] = mapped_column(EnumText(Every))
    hour: Mapped[int]  # 0 to 23 in that person's time zone
    next_at: Mapped[datetime | None]  # NULL: stopped
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]

    user: Mapped[User] = relationship(foreign_keys=[user_id])


class ReportFile(Base):
    """A file of a report that was sent: the email has a link to it, which asks for a log-in."""

    __tablename__ = "report_file"
    __table_args__ = (Index("ix_report_file_created", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("report_schedule.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"), index=True)
    filename: Mapped[str]
    content_type: Mapped[str] = mapped_column(String(127))
    size: Mapped[int]
    rights: Mapped[str] = mapped_column(String(64))  # what the reader might see that day
    created_at: Mapped[datetime]

    file: Mapped[StoredFile] = relationship()


class AlarmRule(Base):
    """Tell somebody when a measure is over or under a limit for so long."""

    __tablename__ = "alarm_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    measure: Mapped[str] = mapped_column(String(40))  # a key of `reports.alarms.gauges`
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    side: Mapped[Side] = mapped_column(EnumText(Side))
    threshold: Mapped[float]
    for_seconds: Mapped[int] = mapped_column(default=0)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # whom to tell: one person,
    role: Mapped[Role | None] = mapped_column(EnumText(Role))  # or all who have this role
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    since: Mapped[datetime | None]  # the limit is exceeded since then
    value: Mapped[float | None]  # as it was looked at last; NULL: there was nothing to measure
    looked_at: Mapped[datetime | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    queue: Mapped[Queue | None] = relationship()
    team: Mapped[Team | None] = relationship()
    agent: Mapped[User | None] = relationship(foreign_keys=[agent_id])
    user: Mapped[User | None] = relationship(foreign_keys=[user_id])


class Alarm(Base):
    """A rule that fired. It is open until the measure is back; at most one is open of a rule."""

    __tablename__ = "alarm"
    __table_args__ = (
        partial_index("uq_alarm_open", "rule_id", where="ended_at IS NULL", unique=True),
        Index("ix_alarm_began", "began_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("alarm_rule.id"), index=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    value: Mapped[float]  # when it fired
    worst: Mapped[float]
    threshold: Mapped[float]  # of the rule at that time
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    comment: Mapped[str] = mapped_column(default="")

    rule: Mapped[AlarmRule] = relationship()
    acknowledger: Mapped[User | None] = relationship()


class Exclusion(Base):
    """A breach that shall not count in a contract statement: who asks for it, why, who agreed."""

    __tablename__ = "clock_exclusion"

    id: Mapped[int] = mapped_column(primary_key=True)
    clock_id: Mapped[int] = mapped_column(ForeignKey("clock.id"), unique=True)
    reason: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    approved: Mapped[bool | None]  # NULL: not decided yet

    clock: Mapped[Clock] = relationship()
    author: Mapped[User] = relationship(foreign_keys=[author_id])
    decider: Mapped[User | None] = relationship(foreign_keys=[decided_by])

    @property
    def withdrawn(self) -> bool:
        """Taken back by who asked for it: nobody else's decision can be their own."""
        return self.approved is False and self.decided_by == self.author_id


class Statement(Base):
    """A closed month of a client under a policy, as it was agreed: it doesn't change any more."""

    __tablename__ = "contract_statement"
    __table_args__ = (
        # Not unique: two clients that are merged may each have closed the same month.
        Index("ix_contract_statement_client", "client_id", "policy_id", "month"),
        Index("ix_contract_statement_month", "month"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy.id"), index=True)
    month: Mapped[str] = mapped_column(String(7))  # "2026-11"
    data: Mapped[dict[str, Any]]  # what stood on it, as `reports.contracts.closing` writes it
    closed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime]

    client: Mapped[Client] = relationship()
    policy: Mapped[Policy] = relationship()
    closer: Mapped[User] = relationship()
