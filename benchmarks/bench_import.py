"""Import of 100,000 clients with one bad row in a hundred, from CSV and XLSX: rows a second,
memory, and how long a chunk keeps others from writing. The same file again changes nothing.
"""

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import xlsxwriter
from flask_migrate import upgrade
from sqlalchemy import func, select

from benchmarks.machine import pss_megabytes
from benchmarks.place import ROOT, application
from benchmarks.report import Report, percentile
from helpdesk import ext, files
from helpdesk.accounts.actions import add_user
from helpdesk.clients.import_models import ImportKind, ImportRun
from helpdesk.clients.importing import actions
from helpdesk.clients.importing.columns import columns_of, guess
from helpdesk.clients.importing.reading import open_file
from helpdesk.clients.importing.run import next_chunk, take
from helpdesk.clients.models import Client
from helpdesk.events import Actor
from helpdesk.lib.clock import now

ROWS = 100_000
PEAK_MEGABYTES = 300.0
_MEMORY: list[float] = []  # after each chunk; mapped pages of the database are not counted
_BAD = 100  # one row in so many
_HEADERS = ("Код клієнта", "ПІБ", "E-mail", "Телефон", "Мова", "Мітки", "Примітка")
_FIRST = ("Олена", "Тарас", "Ольга", "Сергій", "Ірина", "Андрій", "Наталія", "Іван")
_LAST = ("Шевченко", "Коваленко", "Бондаренко", "Ткаченко", "Литвин", "Мороз", "Савчук", "Гнатюк")


def measure(_size: str, report: Report) -> None:
    """Note the figures of both formats, each in a process of its own."""
    for kind in ("csv", "xlsx"):
        with tempfile.TemporaryDirectory() as folder:
            found = _in_process(kind, Path(folder))
        name = f"{kind.upper()}, {ROWS:,} rows"
        report.add(f"{name}: dry run", found["check"], "rows/s")
        report.add(f"{name}: import", found["import"], "rows/s")
        report.add(f"{name}: the same file again", found["again"], "rows/s")
        report.add(f"{name}: bad rows", found["bad"], "rows", at_most=ROWS / _BAD)
        report.add(f"{name}: changed the second time", found["changed"], "rows", at_most=0)
        report.add(f"{name}: others wait for a chunk, p95", found["p95"], "ms")
        report.add(f"{name}: peak memory", found["peak"], "MB", at_most=PEAK_MEGABYTES)


def _in_process(kind: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.bench_import", kind, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows(count: int = ROWS) -> Iterator[tuple[str, ...]]:
    """Clients, every hundredth with an address or number that cannot be read."""
    chance = random.Random(3)
    for number in range(count):
        name = f"{chance.choice(_LAST)} {chance.choice(_FIRST)} {number}"
        email, phone = f"c{number}@client{number % 900}.example", f"+38067{number:07}"
        if number % _BAD == 7:
            email = "not an address"
        yield f"K{number}", name, email, phone, "uk", "опт, новий", f"Клієнт з {number % 90} року"


def write_file(kind: str, path: Path) -> None:
    """The table as a file."""
    if kind == "csv":
        with path.open("w", encoding="cp1251", newline="") as file:
            csv.writer(file, delimiter=";").writerows([_HEADERS, *rows()])
        return
    with xlsxwriter.Workbook(path, {"constant_memory": False}) as book:  # with shared strings
        sheet = book.add_worksheet()
        for place, cells in enumerate([_HEADERS, *rows()]):
            for column, cell in enumerate(cells):
                sheet.write_string(place, column, cell)


def _run(kind: str, folder: Path) -> dict[str, float]:
    path = folder / f"clients.{kind}"
    subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_import", "write", kind, str(path)],
        cwd=ROOT,
        check=True,
    )
    app = application(folder)
    with app.app_context():
        upgrade()
        run_id = _begin(path)
        held: list[float] = []
        found = {"check": _pass(held)}
        found["import"] = _start_and_pass(run_id, held)
        with ext.session() as session:
            run = session.get_one(ImportRun, run_id)
            found["bad"] = run.bad
            if session.scalar(select(func.count(Client.id))) != ROWS - run.bad:
                raise RuntimeError("not every good row is in")
        run_id = _begin(path)
        _pass([])
        found["again"] = _start_and_pass(run_id, [])
        with ext.session() as session:
            run = session.get_one(ImportRun, run_id)
            found["changed"] = run.changed + run.created
    return found | {"p95": percentile(held, 95) * 1000, "peak": max(_MEMORY)}


def _begin(path: Path) -> int:
    data = path.read_bytes()
    digest = files.put(data)
    opened = open_file(path)
    columns = columns_of(ImportKind.CLIENTS, ())
    mapping = guess(opened.headers, columns, {})
    with ext.write() as session:
        email = f"{uuid4().hex}@staff.example"
        user = add_user(session, email=email, name="A", role="admin", at=now())
        run = actions.create_run(
            session,
            ImportKind.CLIENTS,
            opened,
            file_id=files.adopt(session, digest, len(data)),
            filename=path.name,
            mapping=mapping,
            user_id=user.id,
            at=now(),
        )
        actions.set_mapping(session, run, mapping, columns, at=now())
        return run.id


def _start_and_pass(run_id: int, held: list[float]) -> float:
    with ext.write() as session:
        run = actions.run_of(session, run_id)
        actions.start(session, run, actor=Actor(user_id=run.user_id), at=now())
    return _pass(held)


def _pass(held: list[float]) -> float:
    """Rows a second of one pass; how long each transaction held the lock."""
    began = time.perf_counter()
    while (chunk := next_chunk()) is not None:
        locked = time.perf_counter()
        with ext.write() as session:
            take(session, chunk)
        held.append(time.perf_counter() - locked)
        _MEMORY.append(pss_megabytes([os.getpid()], "Pss_Anon"))
    return ROWS / (time.perf_counter() - began)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write_file(sys.argv[2], Path(sys.argv[3]))
    else:
        print(json.dumps(_run(sys.argv[1], Path(sys.argv[2]))))
