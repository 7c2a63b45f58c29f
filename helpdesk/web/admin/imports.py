"""Imports: files that people choose, what their columns are, how a run goes, what is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, g, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext, files
from helpdesk.clients.import_models import ImportKind, ImportProblem, ImportRun, RunState
from helpdesk.clients.importing import actions
from helpdesk.clients.importing.columns import PROFILE, Column, columns_of, guess
from helpdesk.clients.importing.limits import BROKEN, FORMULA, LONG, BadFile
from helpdesk.clients.importing.reading import Opened, Table, open_file
from helpdesk.ext import LANGUAGES, in_language
from helpdesk.fields import Field, FieldScope, fields_of
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.web.admin.fields import scope_words
from helpdesk.web.admin.forms import cursor, page_status, wrong
from helpdesk.web.files_out import as_csv
from helpdesk.web.guard import actor, may, me, needs, reading, said

blueprint = Blueprint("admin_imports", __name__)

PAGE = 30  # runs
PROBLEMS = 100  # rows of problems that the page shows
CELL = 80  # characters of a cell of the sample
MEGABYTE = 1 << 20
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


def kind_words() -> dict[str, str]:
    """What each kind of table is called."""
    return {
        ImportKind.CLIENTS: _("Clients and people"),
        ImportKind.PURCHASES: _("Purchases"),
        ImportKind.INVOICES: _("Invoices"),
        ImportKind.ITEMS: _("Items of clients"),
    }


def state_words() -> dict[str, tuple[str, str | None]]:
    """Word and tone of each state."""
    return {
        RunState.MAPPING: (_("Columns to choose"), "acc"),
        RunState.CHECKING: (_("Being checked"), "acc"),
        RunState.CHECKED: (_("Checked, not imported yet"), "acc"),
        RunState.RUNNING: (_("Being imported"), "acc"),
        RunState.DONE: (_("Imported"), "good"),
        RunState.STOPPED: (_("Stopped"), "warn"),
        RunState.FAILED: (_("Cannot be read"), "bad"),
    }


@blueprint.get("/admin/import")
@needs("client.import")
def listing() -> str:
    return _listing()


@blueprint.post("/admin/import")
@needs("client.import")
def upload() -> BaseResponse | tuple[str, int]:
    """Keep a file and find out what it is; the next page asks for its columns."""
    try:
        kind = _kind(request.form.get("kind", ""))
        file = request.files.get("file")
        if file is None or not file.filename:
            raise HelpdeskError(_lazy("Choose a file."), field="file")
        digest, size = _store(file)
        opened = _opened(digest)
        row = actions.remembered_row(reading(), kind, opened)
        if row != opened.reading["header"]:
            opened = _opened(digest, {"header": str(row)})
        with ext.write() as session:
            run = actions.create_run(
                session,
                kind,
                opened,
                file_id=files.adopt(session, digest, size),
                filename=file.filename,
                mapping=_guess(kind, opened.headers),
                user_id=me().id,
                at=now(),
            )
            run_id = run.id
    except HelpdeskError as error:
        error.field = error.field or "file"
        return _listing(wrong(error)), page_status(error)
    return redirect(f"/admin/import/{run_id}")


@blueprint.get("/admin/import/<int:run_id>")
@needs("client.import")
def show(run_id: int) -> str:
    return _page(_run(run_id))


@blueprint.post("/admin/import/<int:run_id>/reading")
@needs("client.import")
def read_again(run_id: int) -> BaseResponse | tuple[str, int]:
    """Another sheet, encoding or delimiter, where the headers are found anew; or their row."""
    form = request.form
    run = _run(run_id)
    wanted = {
        "sheet": form.get("sheet", "")[:200],
        "encoding": form.get("encoding", "")[:20],
        "delimiter": DELIMITERS.get(form.get("delimiter", ""), ""),
    }
    header = form.get("header", "").strip()[:8]
    if all(run.reading.get(key, "") == value for key, value in wanted.items()):
        wanted["header"] = header
    try:
        opened = _opened(run.file.sha256, wanted)
        with ext.write() as session:
            found = actions.run_of(session, run_id)
            actions.reread(session, found, opened, _guess(run.kind, opened.headers), at=now())
    except HelpdeskError as error:
        return _page(_run(run_id), wrong(error)), page_status(error)
    return redirect(f"/admin/import/{run_id}")


@blueprint.post("/admin/import/<int:run_id>/map")
@needs("client.import")
def save_mapping(run_id: int) -> BaseResponse | tuple[str, int]:
    """Say what the columns are; the dry run begins."""
    run = _run(run_id)
    chosen = {
        header: key
        for place, header in enumerate(run.headers)
        if (key := request.form.get(f"c{place}", "")[:80])
    }
    columns = _columns(run.kind)
    try:
        with ext.write() as session:
            found = actions.run_of(session, run_id)
            actions.set_mapping(session, found, chosen, columns, at=now())
    except HelpdeskError as error:
        if "column" in error.params:
            column = error.params["column"]
            error.params["column"] = _(column)
        return _page(_run(run_id), wrong(error), chosen), page_status(error)
    return redirect(f"/admin/import/{run_id}")


@blueprint.post("/admin/import/<int:run_id>/start")
@needs("client.import")
def start(run_id: int) -> BaseResponse | tuple[str, int]:
    """The real run, after a dry run."""
    try:
        with ext.write() as session:
            actions.start(session, actions.run_of(session, run_id), actor=actor(), at=now())
    except HelpdeskError as error:
        return _page(_run(run_id), wrong(error)), page_status(error)
    return redirect(f"/admin/import/{run_id}")


@blueprint.post("/admin/import/<int:run_id>/stop")
@needs("client.import")
def stop(run_id: int) -> BaseResponse:
    with ext.write() as session:
        actions.stop(session, actions.run_of(session, run_id), at=now())
    return redirect(f"/admin/import/{run_id}")


@blueprint.post("/admin/import/<int:run_id>/go-on")
@needs("client.import")
def go_on(run_id: int) -> BaseResponse | tuple[str, int]:
    try:
        with ext.write() as session:
            actions.go_on(session, actions.run_of(session, run_id), at=now())
    except HelpdeskError as error:
        return _page(_run(run_id), wrong(error)), page_status(error)
    return redirect(f"/admin/import/{run_id}")


@blueprint.get("/admin/import/<int:run_id>/problems.csv")
@needs("client.import")
def problems(run_id: int) -> Response:
    """The rows that are wrong, as they stand in the file, with what is wrong: to mend and choose
    again. The columns of ours come last, so that the others mean what they did.
    """
    run = _run(run_id)
    said_of: dict[int, list[str]] = {}
    query = select(ImportProblem).where(ImportProblem.run_id == run.id, ~ImportProblem.warning)
    for one in reading().scalars(query.order_by(ImportProblem.row, ImportProblem.id)):
        said_of.setdefault(one.row, []).append(_sentence(one))
    header = [*run.headers, _("Row"), _("What is wrong")]
    rows = _bad_rows(run, files.path_of(run.file.sha256), said_of)
    return as_csv([header], rows, f"import-{run.id}-problems.csv", ";")


def _bad_rows(
    run: ImportRun, path: Path, said_of: Mapping[int, Sequence[str]]
) -> Iterator[list[str]]:
    """Read off the file once more; it is not kept twice."""
    width = len(run.headers)
    try:
        table = Table(path, run.reading)
        for row in table if said_of else ():
            if row.number in said_of:
                cells = [_shown(cell) for cell in row.cells[:width]]
                cells += [""] * (width - len(cells))
                yield [*cells, str(row.number), " ".join(said_of[row.number])]
            if row.number >= max(said_of):
                return
    except (BadFile, FileNotFoundError):
        return


def _shown(cell: str) -> str:
    """What can be read of a cell; nothing where only a mark stands for it."""
    return "" if cell in (FORMULA, LONG) else cell.removeprefix(BROKEN)


def _listing(errors: dict[str, str] | None = None) -> str:
    query = select(ImportRun).order_by(ImportRun.id.desc()).limit(PAGE + 1)
    before = cursor()
    if before is not None:
        query = query.where(ImportRun.id < before)
    found = list(reading().scalars(query))
    return render_template(
        "admin/imports.html",
        runs=found[:PAGE],
        more=found[PAGE - 1].id if len(found) > PAGE else None,
        kinds=list(kind_words().items()),
        kind_words=kind_words(),
        states=state_words(),
        kind=request.form.get("kind") or request.args.get("kind", ImportKind.CLIENTS.value),
        most=_most() // MEGABYTE,
        errors=errors or {},
    )


def _page(
    run: ImportRun,
    errors: dict[str, str] | None = None,
    mapping: Mapping[str, str] | None = None,
) -> str:
    editing = run.state == RunState.MAPPING or bool(
        run.state in actions.EDITABLE and (errors or "edit" in request.args)
    )
    return render_template(
        "admin/import.html",
        run=run,
        editing=editing,
        mapping=mapping if mapping is not None else run.mapping,
        kind=kind_words()[run.kind],
        face=state_words()[run.state],
        failed=_failed(run.error),
        live=run.todo is not None,
        percent=100 * run.row // run.rows if run.rows else None,
        errors=errors or {},
        **(_mapping_values(run) if editing else _problem_values(run)),
    )


def _mapping_values(run: ImportRun) -> dict[str, Any]:
    """What the page about columns needs besides: a sample, what columns may be."""
    try:
        opened = _opened(run.file.sha256, run.reading)
    except HelpdeskError as error:
        return {"unreadable": said(error), "sample": [], "options": [], "choices": []}
    columns = _columns(run.kind)
    cells = [
        [_shown(row.cells[place])[:CELL] if place < len(row.cells) else "" for row in opened.sample]
        for place in range(len(run.headers))
    ]
    return {
        "sample": cells,
        "options": [("", _("– leave out –")), *_labels(columns)],
        "choices": opened.choices,
        "delimiters": _delimiter_words(),
        "delimiter": next(
            (key for key, mark in DELIMITERS.items() if mark == run.reading.get("delimiter")), ""
        ),
    }


def _problem_values(run: ImportRun) -> dict[str, Any]:
    query = select(ImportProblem).where(ImportProblem.run_id == run.id)
    order = query.order_by(ImportProblem.row, ImportProblem.id)
    after = cursor("after")
    if after is not None:
        order = order.where(ImportProblem.row > after)
    found = list(reading().scalars(order.limit(PROBLEMS + 1)))
    kept = reading().scalar(select(func.count()).select_from(query.limit(1).subquery())) or 0
    shown = found[:PROBLEMS]
    if len(found) > PROBLEMS:  # a row is on one page as a whole
        shown = [one for one in shown if one.row < found[PROBLEMS].row] or shown
    return {
        "problems": [(one, _sentence(one)) for one in shown],
        "more": shown[-1].row if len(found) > PROBLEMS else None,
        "has_problems": bool(kept),
    }


def _sentence(one: ImportProblem) -> str:
    """What is wrong, in the reader's language."""
    text = str(_(one.message, **one.parts))
    return f"{one.column}: {text}" if one.column else text


def _delimiter_words() -> list[tuple[str, str]]:
    words = (_("comma"), _("semicolon"), _("tab"), _("vertical bar"))
    return list(zip(DELIMITERS, words, strict=True))


def _kind(text: str) -> ImportKind:
    if text not in set(ImportKind):
        raise HelpdeskError(_lazy("Choose one from the list."), field="kind")
    return ImportKind(text)


def _most() -> int:
    return int(current_app.config["MAX_MAIL_BYTES"])


def _store(file: FileStorage) -> tuple[str, int]:
    """Put the file on the disk: its hash and size. Raises HelpdeskError for one too large."""
    data = file.read(_most() + 1)
    if len(data) > _most():
        message = _lazy("The file is too large: at most %(most)s MB. Split it, or save it as XLSX.")
        raise HelpdeskError(message, field="file", most=_most() // MEGABYTE)
    return files.put(data), len(data)


def _opened(sha256: str, wanted: Mapping[str, str] | None = None) -> Opened:
    try:
        return open_file(files.path_of(sha256), wanted)
    except FileNotFoundError:
        raise BadFile(_lazy("The file is not kept any more. Choose it anew.")) from None


def _columns(kind: ImportKind) -> list[Column]:
    """What columns may be; sensitive fields for those who may see them."""
    fields = [one for one in fields_of(reading()) if not one.sensitive or may("client.sensitive")]
    return columns_of(kind, fields)


def _guess(kind: ImportKind, headers: Sequence[str]) -> dict[str, str]:
    """By what the columns are called in any of our languages."""
    columns = _columns(kind)
    labels: dict[str, str] = {}
    for language in LANGUAGES:
        with in_language(language):
            labels |= {str(_(one.label)): one.key for one in columns if _is_ours(one)}
    return guess(headers, columns, labels)


def _labels(columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Keys with what the reader calls them; fields of the profile have names of their own."""
    own = {f"{PROFILE}{one.key}": _field_label(one) for one in fields_of(reading())}
    return [(one.key, own.get(one.key) or str(_(one.label))) for one in columns]


def _field_label(field: Field) -> str:
    """What the reader calls a field, with the clients of whom it is kept."""
    label = field.label(g.language)
    return label if field.scope == FieldScope.ALL else f"{label} ({scope_words()[field.scope]})"


def _is_ours(column: Column) -> bool:
    return not column.key.startswith(PROFILE)


def _run(run_id: int) -> ImportRun:
    run = reading().get(ImportRun, run_id)
    if run is None:
        raise NotFound()
    reading().refresh(run)
    return run


def _failed(error: dict[str, Any] | None) -> str | None:
    """Why the file could not be read, in the reader's language."""
    if error is None:
        return None
    message = error["message"]
    return str(_(message, **error["parts"]))
