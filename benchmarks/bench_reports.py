"""Reports, their lists and the wallboard on a desk of a year; the desk beside a running report.

In process the pages go through the whole application, one after the other, so that times are wall
and CPU of one request; over HTTP one client reads the queue page, alone and while another one asks
for one report after the other.
"""

import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from flask import Flask

from benchmarks import machine, pages, product
from benchmarks.bench_pages import counting, load_pages
from benchmarks.desk.load import DAYS, kept_desk
from benchmarks.place import application, environment
from benchmarks.report import Report, percentile
from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.reports.names import REPORTS

PAGE, WALL, QUERIES = 1_000.0, 100.0, 12
ROUNDS = 5
SECONDS = 6.0  # over HTTP
QUEUE_PAGE = [f"/desk?view={view}" for view in ("all", "queue:1", "queue:2", "unassigned")]
BY_CLIENT = ("sla", "work", "calls", "satisfaction")
LISTS = ("sla?outcome=breached", "sla_tickets", "calls_late", "calls_answered")


def measure(size: str, report: Report) -> None:
    """Everything on the kept desk of this size."""
    folder = kept_desk(size)
    app = application(folder)
    entry = pages.enter(app)
    header = entry.headers("report")
    try:
        for name, path, budget in _pages():
            _page(report, app, name, path, header, budget)
        with app.app_context():
            ext.db.engine.dispose()
        settings = environment(folder)
        with product.running(settings, "web") as parts:
            port = int(settings["HELPDESK_HTTP_BIND"].rpartition(":")[2])
            _beside(report, parts["web"], port, header)
    finally:
        pages.leave(app, entry)


def _pages() -> Iterator[tuple[str, str, float | None]]:
    """Name, address and budget of each page: four weeks must be quick, a year may take longer."""
    today = now().date()
    first = today - timedelta(days=DAYS - 2)
    year = f"from={first}&to={today}"
    for name in REPORTS:
        yield f"{name}, four weeks", f"/supervisor/reports/{name}", PAGE
        yield f"{name}, a quarter", f"/supervisor/reports/{name}?period=90d", PAGE
        yield f"{name}, a year", f"/supervisor/reports/{name}?{year}", None
    yield "sla by agent, four weeks", "/supervisor/reports/sla?by=agent", PAGE
    yield "sla by client, four weeks", "/supervisor/reports/sla?by=client", PAGE
    for name in BY_CLIENT:
        yield (
            f"{name} by client, a quarter",
            f"/supervisor/reports/{name}?by=client&period=90d",
            PAGE,
        )
    yield "sla by hour and weekday, a quarter", "/supervisor/reports/sla?by=slot&period=90d", PAGE
    for name in LISTS:
        yield f"list {name.partition('?')[0]}", f"/supervisor/list/{name}", PAGE
    yield "wallboard, page", "/supervisor", None
    yield "wallboard, update", "/supervisor/board", WALL


def _page(
    report: Report,
    app: Flask,
    name: str,
    path: str,
    header: Mapping[str, str],
    budget: float | None,
) -> None:
    """Wall and CPU milliseconds and statements of a page, asked again and again."""
    client = app.test_client(use_cookies=False)
    wall, cpu, queries = [], [], []
    with counting(app) as counted:
        for number in range(ROUNDS + 1):
            counted["queries"] = 0
            began, used = time.monotonic(), time.process_time()
            response = client.get(path, headers=header)
            if response.status_code != 200:
                raise RuntimeError(f"{path} answered {response.status_code}")
            if number:
                wall.append((time.monotonic() - began) * 1000)
                cpu.append((time.process_time() - used) * 1000)
                queries.append(counted["queries"])
            time.sleep(0.05 if budget != WALL else 1.05)  # the wallboard keeps its numbers a second
    report.add(f"{name}: p50", percentile(wall, 50), "ms")
    report.add(f"{name}: p95", percentile(wall, 95), "ms", at_most=budget)
    report.add(f"{name}: CPU, mean", sum(cpu) / len(cpu), "ms")
    report.add(f"{name}: queries, most", max(queries), "", at_most=QUERIES)


def _beside(report: Report, web: product.Part, port: int, header: Mapping[str, str]) -> None:
    """What one reader of the queue page waits for, alone and beside running reports."""
    load_pages(port, QUEUE_PAGE, header, 8, 2.0)
    before = machine.cpu_seconds(web.family())
    alone = load_pages(port, QUEUE_PAGE, header, 1, SECONDS)
    with _reports(port, header):
        together = load_pages(port, QUEUE_PAGE, header, 1, SECONDS)
    cpu = machine.cpu_seconds(web.family()) - before
    for name, times in (("alone", alone), ("beside reports", together)):
        report.add(f"queue page {name}: p50", percentile(times, 50), "ms")
        report.add(f"queue page {name}: p95", percentile(times, 95), "ms", at_most=PAGE / 20)
    ratio = percentile(together, 50) / max(percentile(alone, 50), 0.001)
    report.add("queue page beside reports ÷ alone, p50", ratio, "")
    report.add("CPU of `helpdesk web` meanwhile", cpu, "s")


@contextmanager
def _reports(port: int, header: Mapping[str, str]) -> Iterator[None]:
    """Somebody asks for one report after the other."""
    paths: Sequence[str] = [f"/supervisor/reports/{name}?period=90d" for name in REPORTS]
    context = multiprocessing.get_context("fork")
    process = context.Process(target=load_pages, args=(port, paths, header, 1, SECONDS + 2))
    process.start()
    time.sleep(1)
    try:
        yield
    finally:
        process.join()
