"""Callbacks and other planned contacts: what is due, call now, hand over, done, cancel and undo."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts.permissions import can
from helpdesk.calls import actions as calls
from helpdesk.calls import queries
from helpdesk.lib import phone
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.planner import actions
from helpdesk.planner.models import Task, TaskResult
from helpdesk.planner.queries import open_tasks
from helpdesk.tickets.models import NUMBER_OFFSET
from helpdesk.web.cached import recount
from helpdesk.web.desk.call_view import late_count
from helpdesk.web.desk.call_words import TASK_SIGNS, call_words
from helpdesk.web.desk.directory import directory, user_names
from helpdesk.web.desk.listing import is_fragment
from helpdesk.web.formats import promise
from helpdesk.web.guard import actor, me, needs, reading, safe_path, said, viewer

blueprint = Blueprint("desk_callbacks", __name__)

VIEWS = {"mine": "mine", "queue": "all", "overdue": "overdue"}
RESULTS = (
    TaskResult.TALKED,
    TaskResult.NO_ANSWER,
    TaskResult.BUSY,
    TaskResult.WRONG_NUMBER,
    TaskResult.NOT_NEEDED,
)
AGAIN = (TaskResult.NO_ANSWER, TaskResult.BUSY)  # it is tried once more


@blueprint.get("/desk/callbacks")
@needs("ticket.read")
def listing() -> str:
    """What is planned: `?view=` mine, queue, overdue or done."""
    view = request.args.get("view") or "mine"
    if view != "done" and view not in VIEWS:
        raise NotFound()
    late_count()
    at, cursor = now(), request.args.get("after")
    tasks, more = _page(view, cursor)
    known = call_words()
    return render_template(
        "desk/_callbacks.html" if is_fragment() else "desk/callbacks.html",
        section="calls",
        fragment=is_fragment(),
        later_page=cursor is not None,
        view=view,
        views=_views(),
        tasks=[(task, promise(task.due_at, at, None)) for task in tasks],
        next_url=f"/desk/callbacks?{urlencode({'view': view, 'after': more})}" if more else None,
        here=f"/desk/callbacks?view={view}",
        known=known,
        signs=TASK_SIGNS,
        results=[(one.value, known.result[one]) for one in RESULTS],
        users=user_names(),
        workers=[(one.id, one.name) for one in directory().workers],
        undo=_undo(),
        display=phone.display,
        offset=NUMBER_OFFSET,
    )


@blueprint.post("/desk/callbacks/<int:task_id>/call")
@needs("ticket.answer")
def call(task_id: int) -> BaseResponse:
    """Call now: the reader's own phone rings first."""

    def do(session: Session, task: Task) -> None:
        if task.number is None:
            raise HelpdeskError(_lazy("Enter a phone number that can be called."), field="number")
        actions.take(session, task, user_id=me().id, at=now())
        about: dict[str, Any] = {
            name: getattr(task, name)
            for name in ("client_id", "person_id", "contact_point_id", "ticket_id", "queue_id")
        }
        calls.call_out(session, me(), task.number, at=now(), task_id=task.id, **about)

    return _act(task_id, do)


@blueprint.post("/desk/callbacks/<int:task_id>/owner")
@needs("ticket.answer")
def hand_over(task_id: int) -> BaseResponse:
    """Give it to a colleague, or to nobody: then whoever is free gets it."""
    wanted = request.form.get("owner", "")

    def do(session: Session, task: Task) -> None:
        if wanted and not (wanted.isascii() and wanted.isdigit() and len(wanted) < 18):
            raise HelpdeskError(_lazy("Choose one from the list."), field="owner")
        owner_id = int(wanted) if wanted else None
        actions.change(session, task, actor=actor(), at=now(), owner_id=owner_id)

    return _act(task_id, do, _("Handed over."))


@blueprint.post("/desk/callbacks/<int:task_id>/done")
@needs("ticket.answer")
def done(task_id: int) -> BaseResponse:
    """What came of it; whoever was not reached is tried again later."""
    value, outcome = request.form.get("result", ""), request.form.get("outcome", "")

    def do(session: Session, task: Task) -> None:
        if value not in set(RESULTS):
            raise HelpdeskError(_lazy("Choose one from the list."), field="result")
        result = TaskResult(value)
        if result in AGAIN:
            actions.tried(session, task, result, at=now(), actor=actor())
        else:
            actions.done(session, task, actor=actor(), at=now(), result=result, outcome=outcome)

    again = value in set(AGAIN)
    return _act(task_id, do, _("Tried; it is planned again.") if again else "", undo=not again)


@blueprint.post("/desk/callbacks/<int:task_id>/cancel")
@needs("ticket.answer")
def cancel(task_id: int) -> BaseResponse:
    """It isn't needed any more; the next page offers to undo it."""

    def do(session: Session, task: Task) -> None:
        actions.cancel(session, task, actor=actor(), at=now(), result=TaskResult.NOT_NEEDED)

    return _act(task_id, do, undo=True)


@blueprint.post("/desk/callbacks/<int:task_id>/restore")
@needs("ticket.answer")
def restore(task_id: int) -> BaseResponse:
    """Undo its end."""

    def do(session: Session, task: Task) -> None:
        actions.restore(session, task, actor=actor(), at=now())

    return _act(task_id, do, _("It is planned again."))


def _act(task_id: int, do: Any, text: str = "", *, undo: bool = False) -> BaseResponse:
    back = safe_path(request.form.get("back"), "/desk/callbacks")
    try:
        with ext.write() as session:
            queries.task_for(session, viewer(), task_id, "ticket.answer")
            do(session, actions.locked(session, task_id))
    except HelpdeskError as error:
        if error.status == 404:
            raise
        flash(said(error), "error")
        return redirect(back)
    recount()
    if text:
        flash(text)
    mark = "&" if "?" in back else "?"
    return redirect(f"{back}{mark}undo={task_id}" if undo else back)


def _page(view: str, cursor: str | None) -> tuple[list[Task], str | None]:
    if view == "done":
        page = queries.finished_tasks(reading(), viewer(), cursor)
        return page.rows, page.cursor
    found = open_tasks(reading(), viewer(), VIEWS[view], at=now(), cursor=cursor)
    return found.tasks, found.cursor


def _views() -> list[tuple[str, str]]:
    return [
        ("mine", _("Mine")),
        ("queue", _("All")),
        ("overdue", _("Overdue")),
        ("done", pgettext("list", "Done")),
    ]


def _undo() -> Task | None:
    """The task that was ended a moment ago, if the reader may have it back."""
    value = request.args.get("undo", "")
    if not (value.isascii() and value.isdigit() and len(value) < 18):
        return None
    task = reading().get(Task, int(value))
    if task is None or task.done_at is None:
        return None
    mine = task.owner_id == me().id or can(viewer(), "ticket.answer", task)
    return task if mine else None
