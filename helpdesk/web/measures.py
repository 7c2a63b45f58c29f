"""Numbers of the running processes as Prometheus reads them: requests, webhooks of the telephone.

They are in memory that all processes share, so that they answer while the database is away.
"""

from flask import current_app
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from helpdesk.intake.voice import Webhooks
from helpdesk.lib.latency import BUCKETS, Latency


def requests(latency: Latency) -> Metric:
    """How long pages and programs waited."""
    return _histogram("helpdesk_http_request_seconds", "Time to answer, by status class.", latency)


def telephone() -> list[Metric]:
    """What the carrier told us since the start."""
    webhooks: Webhooks = current_app.extensions["helpdesk_webhooks"]
    counts = dict(webhooks.counts.totals())
    repeats, forged = counts.pop("repeat"), counts.pop("forged")
    family = CounterMetricFamily(
        "helpdesk_webhooks", "Webhooks of the carrier.", labels=["kind", "status"]
    )
    for name, count in counts.items():
        family.add_metric(name.split(), count)
    return [
        family,
        CounterMetricFamily("helpdesk_webhook_repeats", "Webhooks that came before.", repeats),
        CounterMetricFamily("helpdesk_webhooks_forged", "Refused for their signature.", forged),
        _histogram("helpdesk_webhook_seconds", "Time to answer a webhook.", webhooks.latency),
    ]


def _histogram(name: str, text: str, latency: Latency) -> Metric:
    family = HistogramMetricFamily(name, text, labels=["status"])
    for status, counts, total in latency.totals():
        below, buckets = 0, []
        for edge, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
            below += count
            buckets.append((edge, float(below)))
        family.add_metric([status], buckets, total)
    return family
