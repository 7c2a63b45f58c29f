"""Files for import tests, XLSX as programs write it and as nobody should; runs of them."""

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import xlsxwriter

from helpdesk import ext, files
from helpdesk.accounts.models import User
from helpdesk.clients.import_models import ImportKind, ImportProblem, ImportRun
from helpdesk.clients.importing import actions
from helpdesk.clients.importing.columns import columns_of, guess
from helpdesk.clients.importing.reading import open_file
from helpdesk.clients.importing.run import next_chunk, take
from helpdesk.events import Actor
from helpdesk.fields import fields_of
from helpdesk.lib.clock import now

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def book(*sheets: Sequence[Sequence[Any]]) -> bytes:
    """An XLSX file: numbers as numbers, texts as shared strings."""
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False}) as made:
        for rows in sheets:
            sheet = made.add_worksheet()
            for place, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    sheet.write(place, column, cell)
    return out.getvalue()


def raw_book(sheet: str, **parts: str) -> bytes:
    """An XLSX file around this XML of a sheet's content."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>'
            '<sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        made.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{LINKS}/worksheet" Target="worksheets/a.xml"/>'
            "</Relationships>",
        )
        xml = sheet if sheet.startswith("<?") else f'<worksheet xmlns="{MAIN}">{sheet}</worksheet>'
        made.writestr("xl/worksheets/a.xml", xml)
        for name, text in parts.items():
            made.writestr(f"xl/{name}.xml", text)
    return out.getvalue()


def begin(path: Path, data: bytes | str, user: User, kind: str = "clients") -> int:
    """Choose a file, accept the guessed columns: a run that is about to be checked."""
    data = data.encode() if isinstance(data, str) else data
    path.write_bytes(data)
    opened = open_file(path)
    of = ImportKind(kind)
    digest = files.put(data)
    with ext.write() as session:
        columns = columns_of(of, fields_of(session))
        mapping = guess(opened.headers, columns, {})
        run = actions.create_run(
            session,
            of,
            opened,
            file_id=files.adopt(session, digest, len(data)),
            filename="clients.csv",
            mapping=mapping,
            user_id=user.id,
            at=now(),
        )
        actions.set_mapping(session, run, mapping, columns, at=now())
        return run.id


def step() -> bool:
    """One turn of the worker; whether there was anything to do."""
    chunk = next_chunk()
    if chunk is None:
        return False
    with ext.write() as session:
        return bool(take(session, chunk))


def work() -> None:
    """Let the worker do all there is."""
    while step():
        pass


def start(run_id: int) -> None:
    with ext.write() as session:
        run = actions.run_of(session, run_id)
        actions.start(session, run, actor=Actor(user_id=run.user_id), at=now())


def counts(run_id: int) -> tuple[str, int, int, int, int]:
    """State, created, changed, same, bad."""
    with ext.session() as session:
        run = session.get_one(ImportRun, run_id)
        return run.state.value, run.created, run.changed, run.same, run.bad


def problems(run_id: int) -> list[tuple[int, str, str]]:
    """(row, column, sentence) of what is wrong."""
    with ext.session() as session:
        query = session.query(ImportProblem).filter_by(run_id=run_id)
        rows = query.order_by(ImportProblem.row, ImportProblem.id)
        return [(one.row, one.column, one.message % (one.parts or {})) for one in rows]


def imported(path: Path, data: bytes | str, user: User, kind: str = "clients") -> int:
    """Check and import a file."""
    run_id = begin(path, data, user, kind)
    work()
    start(run_id)
    work()
    return run_id
