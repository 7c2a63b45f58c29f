"""Pages of the desk, timelines over the API: server CPU and queries in process, latency over HTTP.

In process one request after the other goes through the whole application by Werkzeug's test
client, whose own cost is in the figures; over HTTP `helpdesk web` answers 1 and 8 clients that
ask again at once.
"""

import http.client
import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from benchmarks import machine, pages, product
from benchmarks.generate import kept
from benchmarks.place import application, environment
from benchmarks.report import Report, percentile
from helpdesk import ext

LIST_CPU, PAGE_CPU, QUERIES = 10.0, 15.0, 12
ONE_CLIENT, EIGHT_CLIENTS = 50.0, 150.0
CLIENTS = 8
SECONDS = 2.0  # a page, over HTTP
WARM = 20
TIMEOUT = 120.0  # a process reads its index of articles before its first search


def measure(size: str, report: Report) -> None:
    """All pages, in process, then over HTTP."""
    folder = kept(size)
    app = application(folder)
    found = pages.addresses(size, folder / "helpdesk.db")
    entry = pages.enter(app)
    headers = {name: entry.headers(name) for name in found}
    try:
        for name, paths in found.items():
            budget = LIST_CPU if name == "queue page" else PAGE_CPU
            in_process(report, app, name, paths, headers[name], budget)
        with app.app_context():
            ext.db.engine.dispose()
        settings = environment(folder)
        with product.running(settings, "web") as parts:
            port = int(settings["HELPDESK_HTTP_BIND"].rpartition(":")[2])
            for name, paths in found.items():
                over_http(report, parts["web"], port, name, paths, headers[name])
    finally:
        pages.leave(app, entry)


def in_process(
    report: Report,
    app: Flask,
    name: str,
    paths: Sequence[str],
    header: Mapping[str, str],
    budget: float,
) -> None:
    """CPU milliseconds, statements and size of these pages, one after the other."""
    client = app.test_client(use_cookies=False)
    cpu, queries, sizes = [], [], []
    with counting(app) as counted:
        for number in range(WARM + len(paths)):
            before, counted["queries"] = time.process_time(), 0
            response = client.get(paths[number % len(paths)], headers=header)
            seconds = time.process_time() - before
            if response.status_code != 200:
                raise RuntimeError(f"{name} answered {response.status_code}")
            if number >= WARM:
                cpu.append(seconds * 1000)
                queries.append(counted["queries"])
                sizes.append(len(response.data))
    report.add(f"{name}: CPU, mean", sum(cpu) / len(cpu), "ms", at_most=budget)
    report.add(f"{name}: CPU, p95", percentile(cpu, 95), "ms")
    report.add(f"{name}: queries, most", max(queries), "", at_most=QUERIES)
    report.add(f"{name}: size, mean", sum(sizes) / len(sizes) / 1000, "kB")


@contextmanager
def counting(app: Flask) -> Iterator[dict[str, int]]:
    """How many statements there were besides BEGIN, under "queries"."""
    counted = {"queries": 0}

    def count(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        counted["queries"] += not statement.startswith("BEGIN")

    with app.app_context():
        engine = ext.db.engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        yield counted
    finally:
        event.remove(engine, "before_cursor_execute", count)


def over_http(
    report: Report,
    web: product.Part,
    port: int,
    name: str,
    paths: Sequence[str],
    header: Mapping[str, str],
    *,
    budgets: tuple[float, float] = (ONE_CLIENT, EIGHT_CLIENTS),
    seconds: float = SECONDS,
) -> None:
    """What 1 and CLIENTS clients wait for; `budgets`: their p95 in milliseconds."""
    for clients, budget in zip((1, CLIENTS), budgets, strict=True):
        load_pages(port, paths, header, CLIENTS, seconds / 4)  # every process of the server
        before = machine.cpu_seconds(web.family())
        times = load_pages(port, paths, header, clients, seconds)
        cpu = machine.cpu_seconds(web.family()) - before
        label = f"{name}, {clients} client{'s' if clients > 1 else ''}"
        report.add(f"{label}: p50", percentile(times, 50), "ms")
        report.add(f"{label}: p95", percentile(times, 95), "ms", at_most=budget)
        report.add(f"{label}: pages", len(times) / seconds, "/s")
        report.add(f"{label}: CPU of `helpdesk web`", cpu / max(len(times), 1) * 1000, "ms")


def load_pages(
    port: int, paths: Sequence[str], header: Mapping[str, str], clients: int, seconds: float
) -> list[float]:
    """Milliseconds of each request of clients that ask one after the other for so long."""
    context = multiprocessing.get_context("fork")
    results: multiprocessing.SimpleQueue[list[float]] = context.SimpleQueue()
    until = time.monotonic() + seconds
    processes = [
        context.Process(target=_client, args=(port, paths, header, n * 7, until, results))
        for n in range(clients)
    ]
    for process in processes:
        process.start()
    times = [one for _process in processes for one in results.get()]
    for process in processes:
        process.join()
    return times


def _client(
    port: int,
    paths: Sequence[str],
    header: Mapping[str, str],
    first: int,
    until: float,
    results: "multiprocessing.SimpleQueue[list[float]]",
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    times: list[float] = []
    number = first
    try:
        while time.monotonic() < until:
            number += 1
            before = time.monotonic()
            connection.request("GET", paths[number % len(paths)], headers=header)
            response = connection.getresponse()
            response.read()
            if response.status == 200:
                times.append((time.monotonic() - before) * 1000)
    finally:
        results.put(times)
