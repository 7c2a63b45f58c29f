"""The whole product under one supervisor: start, memory, stop, on a copy of the kept database."""

import http.client
import random
import threading
import time
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from benchmarks import machine, pages, product
from benchmarks.bench_pages import load_pages
from benchmarks.generate import SEED, kept
from benchmarks.place import SIZES, application, environment, scratch
from benchmarks.report import Report
from benchmarks.rows import TICKETS_PER_CLIENT
from benchmarks.senders import Fleet, Plan
from benchmarks.vocabulary import vocabularies
from helpdesk import jobs

START_SECONDS, STOP_SECONDS = 3.0, 5.0
IDLE_MB, LOADED_MB = 250.0, 500.0
STARTS = 3
SETTLE_SECONDS = 5.0
IDLE_PERCENT, REST_SECONDS = 1.5, 30.0  # of a core, of the process that takes most
SECONDS = 15.0
MAIL_RATE = 40.0  # letters a second beside the pages
CLIENTS = 4
FIRST = 8  # clients that search at once, so that each process does


def measure(size: str, report: Report) -> None:
    """Start and stop a few times; then memory at rest and while mail and pages come in."""
    kept(size)
    with scratch(size) as folder:
        settings = environment(folder)
        app = application(folder)
        header = pages.enter(app).headers("")
        with app.app_context():
            while jobs.embed_kb():  # once after an installation or an update: this is no rest
                pass
        starts, stops = [], []
        for _ in range(STARTS):
            part, seconds = _start(settings, header)
            starts.append(seconds)
            stops.append(part.stop())
        report.add("`helpdesk run` to the first page, median", sorted(starts)[1], "s", at_most=3)
        report.add("stop, longest", max(stops), "s", at_most=STOP_SECONDS)
        part, _seconds = _start(settings, header)
        try:
            time.sleep(SETTLE_SECONDS)
            _note(report, "idle", part, IDLE_MB)
            report.add("CPU while nothing happens", _at_rest(part), "%", at_most=IDLE_PERCENT)
            _under_load(report, part, size, settings, header)
        finally:
            part.stop()


def _start(settings: dict[str, str], header: Mapping[str, str]) -> tuple[product.Part, float]:
    began = time.monotonic()
    part = product.start("run", settings)
    product.wait_for_port(settings["HELPDESK_HTTP_BIND"], part)
    connection = http.client.HTTPConnection(settings["HELPDESK_HTTP_BIND"], timeout=30)
    connection.request("GET", "/desk?view=all", headers=header)
    response = connection.getresponse()
    response.read()
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"the first page answered {response.status}")
    return part, time.monotonic() - began


def _note(report: Report, name: str, part: product.Part, budget: float | None) -> None:
    family = part.family()
    report.add(f"memory (PSS) {name}", machine.pss_megabytes(family), "MB", at_most=budget)
    files = machine.pss_megabytes(family, "Pss_File")
    report.add(f"memory (PSS) {name}: of it files and mapped database", files, "MB")
    report.add(f"processes {name}", len(family), "")


def _at_rest(part: product.Part) -> float:
    """Of the busiest process, which is the worker."""
    before = {pid: machine.cpu_seconds([pid]) for pid in part.family()}
    time.sleep(REST_SECONDS)
    spent = max(machine.cpu_seconds([pid]) - seconds for pid, seconds in before.items())
    return 100 * spent / REST_SECONDS


def _under_load(
    report: Report,
    part: product.Part,
    size: str,
    settings: dict[str, str],
    header: Mapping[str, str],
) -> None:
    """Mail at a steady rate and four readers of pages at once; the largest of several looks."""
    mail_port, page_port = (
        int(settings[f"HELPDESK_{name}_BIND"].rpartition(":")[2]) for name in ("SMTP", "HTTP")
    )
    people = SIZES[size] // TICKETS_PER_CLIENT
    fleet = Fleet(Plan(mail_port, "memory", SECONDS, MAIL_RATE, people), vocabularies(SEED))
    database = settings["HELPDESK_DATA_DIR"] + "/helpdesk.db"
    found: dict[str, Sequence[str]] = {
        "search": [f"/uk/search?q={quote(text)}" for text in pages.asked(pages.ADDRESSES)]
    }
    found |= {n: some for n, some in pages.addresses(size, database).items() if "API" not in n}
    paths = [path for some in found.values() for path in some]
    random.Random(SEED).shuffle(paths)
    first = load_pages(page_port, found["search"], header, FIRST, 1.0)
    report.add("first search of a process, longest", max(first) / 1000, "s")
    _note(report, "once articles were searched", part, None)
    looks: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(1.0):
            looks.append(machine.pss_megabytes(part.family()))

    watching = threading.Thread(target=look)
    fleet.start()
    watching.start()
    times = load_pages(page_port, paths, header, CLIENTS, SECONDS)
    accepted, _refused, _cpu = fleet.accepted()
    over.set()
    watching.join()
    report.add("memory (PSS) under load, most", max(looks), "MB", at_most=LOADED_MB)
    report.add("the load: letters", len(accepted) / SECONDS, "/s")
    report.add("the load: pages", len(times) / SECONDS, "/s")
