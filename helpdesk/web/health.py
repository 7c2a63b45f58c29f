"""`/healthz`, `/readyz` and `/metrics`: answered before sessions, languages and error pages.

They must answer while the database is away, so they stand in front of Flask.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

from flask import Flask
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Request, Response

from helpdesk import ext
from helpdesk.accounts.actions import find_token
from helpdesk.accounts.permissions import can, viewer_of
from helpdesk.events import Event
from helpdesk.intake import imap_state
from helpdesk.intake.models import Delivery
from helpdesk.lib.clock import now
from helpdesk.lib.latency import Latency
from helpdesk.live import heartbeat
from helpdesk.outbox.models import Outgoing
from helpdesk.tickets.models import Clock
from helpdesk.web import measures

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NEEDED = ("worker", "smtp")
SECRET_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Health:
    """WSGI middleware around Flask; answers three paths and hands on all others."""

    def __init__(self, app: Flask, inner: "WSGIApplication") -> None:
        self.app = app
        self.inner = inner
        self.latency = Latency()
        self.answers = {"/healthz": _alive, "/readyz": _ready, "/metrics": self._metrics}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        answer = self.answers.get(environ.get("PATH_INFO", ""))
        if answer is None:
            return self.inner(environ, start_response)
        request = Request(environ)
        if request.method not in ("GET", "HEAD"):
            response = Response("method not allowed\n", 405, {"Allow": "GET, HEAD"})
        else:
            with self.app.app_context():
                response = answer(request)
        response.headers.extend(SECRET_HEADERS)
        return response(environ, start_response)

    def _metrics(self, request: Request) -> Response:
        try:
            if not self._may_measure(request):
                return Response("not found\n", 404)
            families = [*_counted(), measures.requests(self.latency), *measures.telephone()]
        except SQLAlchemyError:
            families = [
                measures.requests(self.latency),
                GaugeMetricFamily("helpdesk_database_up", "", 0),
            ]
            families += measures.telephone()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Families(families))
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    def _may_measure(self, request: Request) -> bool:
        """From this machine and not through a proxy, or with an administrator's token."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            with ext.session() as session:
                found = find_token(session, token.strip())
                if found is None:
                    return False
                row, user = found
                viewer = viewer_of(session, user, scopes=frozenset(row.scopes), token_id=row.id)
                return can(viewer, "admin.use")
        forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
        return _is_loopback(request.remote_addr) and not forwarded


class _Families:
    """A collector of values that were read already."""

    def __init__(self, families: list[Metric]) -> None:
        self.families = families

    def collect(self) -> Iterable[Metric]:
        return self.families


def _is_loopback(address: str | None) -> bool:
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False


def _alive(_request: Request) -> Response:
    return Response("ok\n", mimetype="text/plain")


def _ready(_request: Request) -> Response:
    """Whether contacts can come in and be worked on. What others run being away changes nothing."""
    try:
        with ext.session() as session:
            needed = _needed(session)
            wrong = dict(heartbeat.problems(session, needed, now()))
        wrong["database"] = ""
    except SQLAlchemyError:
        needed = NEEDED
        wrong = dict.fromkeys(NEEDED, "unknown") | {"database": "does not answer"}
    parts = {name: wrong.get(name) or "ok" for name in ("database", *needed)}
    ready = set(parts.values()) == {"ok"}
    body = json.dumps({"ready": ready, **parts}) + "\n"
    return Response(body, 200 if ready else 503, mimetype="application/json")


def _needed(session: Session) -> tuple[str, ...]:
    """Nobody need fetch mailboxes where none is set up. That others are away is no fault here."""
    return (*NEEDED, "imap") if imap_state.wanted(session) else NEEDED


def _counted() -> list[Metric]:
    at = now()
    with ext.session() as session:
        return [
            GaugeMetricFamily("helpdesk_database_up", "Whether the database answers.", 1),
            _by_state(session, Delivery, "helpdesk_deliveries", "What came in, by state."),
            _by_state(session, Outgoing, "helpdesk_outgoing", "Outgoing emails, by state."),
            _mailboxes(session),
            GaugeMetricFamily(
                "helpdesk_events_todo", "Events nothing reacted to yet.", _todo(session)
            ),
            GaugeMetricFamily(
                "helpdesk_events_lag_seconds", "Age of the oldest of them.", _lag(session, at)
            ),
            GaugeMetricFamily(
                "helpdesk_clocks_late", "Clocks whose next moment has passed.", _late(session, at)
            ),
        ]


def _by_state(
    session: Session, model: type[Delivery] | type[Outgoing], name: str, text: str
) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["state"])
    for state, count in session.execute(select(model.state, func.count()).group_by(model.state)):
        family.add_metric([state.value], count)
    return family


def _mailboxes(session: Session) -> Metric:
    family = GaugeMetricFamily(
        "helpdesk_imap_mailboxes", "Mailboxes fetched from other servers.", labels=["state"]
    )
    for word, count in imap_state.counted(session).items():
        family.add_metric([word], count)
    return family


def _todo(session: Session) -> int:
    return session.scalar(select(func.count()).where(Event.todo.is_not(None))) or 0


def _lag(session: Session, at: datetime) -> float:
    oldest = session.scalar(select(Event.at).where(Event.todo.is_not(None)).order_by(Event.id))
    return max((at - oldest).total_seconds(), 0.0) if oldest else 0.0


def _late(session: Session, at: datetime) -> int:
    due = Clock.next_at.is_not(None) & (Clock.next_at <= at)
    return session.scalar(select(func.count()).where(due)) or 0
