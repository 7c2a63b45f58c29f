"""What every operation of the API goes through: rights, input, transaction, answer, document."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Generic, TypeVar

from apiflask import APIBlueprint
from flask import Response, current_app, g, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from sqlalchemy.orm import Session

from helpdesk import ext
from helpdesk.accounts.permissions import Viewer, can
from helpdesk.api import idempotency, problems
from helpdesk.api.auth import authenticate
from helpdesk.api.problems import NOT_YOURS, Refused
from helpdesk.api.shapes.base import MAX_ID, Query
from helpdesk.events import Actor
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound, _lazy

MAX_BODY = 4 * 1024 * 1024  # 200,000 characters of text fit, each escaped as two of \uXXXX
PREFIX = "/api/v1"
ALWAYS = (400, 401, 403, 404, 500, 503)  # what every operation may answer

api = APIBlueprint("api", __name__, url_prefix=PREFIX, tag="api")
api.before_request(authenticate)
problems.register(api)

# endpoint -> permission, for the table of rights
PERMISSION_OF: dict[str, str] = {}

Q = TypeVar("Q")
B = TypeVar("B")


@dataclass(frozen=True)
class Call(Generic[Q, B]):
    """One request, read and checked. The session commits when the view returns, unless a GET."""

    session: Session
    viewer: Viewer
    at: datetime
    query: Q
    body: B

    @property
    def actor(self) -> Actor:
        return Actor(user_id=self.viewer.user_id, token_id=self.viewer.token_id)

    @property
    def country(self) -> str:
        """How numbers without a country code are read."""
        return str(current_app.config["COUNTRY"])


@dataclass(frozen=True)
class Reply:
    """An answer with headers of its own."""

    body: BaseModel
    headers: dict[str, str] = field(default_factory=dict)


Answer = BaseModel | Reply | Response
View = Callable[..., Answer]


def operation(
    method: str,
    rule: str,
    *,
    permission: str,
    answer: type[BaseModel] | None,
    tag: str,
    status: int = 200,
    query: type[BaseModel] = Query,
    body: type[BaseModel] | None = None,
    refusals: tuple[int, ...] = (),
    writes: bool | None = None,
) -> Callable[[View], View]:
    """Publish a view that takes a Call and the ids in the path.

    The first line of its docstring is the summary. `answer` None: the view makes the Response
    itself. `refusals`: problems it may answer beyond those that all do. `writes`: whether the
    session may change something (by default unless it is a GET).
    """
    writing = method != "GET" if writes is None else writes

    def publish(view: View) -> View:
        steps: Any = _runner(view, status=status, writing=writing)
        if body is not None:
            steps = api.input(body, location="json", arg_name="body")(steps)
        steps = api.input(query, location="query", arg_name="query")(steps)
        if answer is not None:
            steps = api.output(answer, status_code=status, description="Done.")(steps)
        steps = api.doc(
            summary=(view.__doc__ or "").strip().split("\n")[0],
            tags=[tag],
            responses=_problems(refusals, has_body=body is not None),
            security="bearer",
            operation_id=view.__name__,
        )(steps)
        guarded = _guard(steps, permission, has_body=body is not None)
        PERMISSION_OF[f"{api.name}.{view.__name__}"] = permission
        api.route(rule, methods=[method], endpoint=view.__name__)(guarded)
        return view

    return publish


def _problems(refusals: tuple[int, ...], *, has_body: bool) -> Any:
    """The document's entries for problems; `document` puts the words in."""
    schema = {"$ref": "#/components/schemas/Problem"}
    entry = {"description": "", "content": {problems.MIMETYPE: {"schema": schema}}}
    with_body = {409, 413, 415, 422} if has_body else set()
    return dict.fromkeys(sorted({*ALWAYS, *with_body, *refusals}), entry)


def _guard(view: Callable[..., Any], permission: str, *, has_body: bool) -> Callable[..., Any]:
    @wraps(view)
    def guarded(**path: Any) -> ResponseReturnValue:
        if not can(g.viewer, permission):
            raise Refused(403, NOT_YOURS, permission=permission)
        if any(isinstance(id_, int) and not 0 < id_ <= MAX_ID for id_ in path.values()):
            raise NotFound()
        _check_query()
        if has_body:
            _check_body()
        answer: ResponseReturnValue = view(**path)
        return answer

    guarded.permission = permission  # type: ignore[attr-defined]
    return guarded


def _check_query() -> None:
    for name, values in request.args.lists():
        if len(values) > 1:
            raise Refused(400, _lazy("Send each parameter once."), field=name[:100])


def _check_body() -> None:
    """Read the JSON now, so that what can't be read is told apart from what does not fit."""
    if not request.is_json:
        raise Refused(415, _lazy("The body must be JSON: send Content-Type: application/json."))
    request.max_content_length = MAX_BODY
    try:
        body = request.get_json(force=True)
    except RecursionError as error:
        raise Refused(400, _lazy("The JSON is nested too deeply.")) from error
    if not isinstance(body, dict):
        raise Refused(422, _lazy("The body must be a JSON object."), field="body")


def _runner(view: View, *, status: int, writing: bool) -> Callable[..., Response]:
    @wraps(view)
    def run(query: Any, body: Any = None, **path: Any) -> Response:
        at = now()
        opened = ext.write if writing else ext.session
        with opened() as session:
            call = Call(session, g.viewer, at, query, body)

            def effect() -> Response:
                return _response(view(call, **path), status)

            key = request.headers.get("Idempotency-Key")
            if request.method != "POST" or key is None:
                return effect()
            return idempotency.once(
                session,
                token_id=g.viewer.token_id,
                key=key,
                request=("POST", request.full_path, request.get_data()),
                at=at,
                run=effect,
            )

    return run


def _response(answer: Answer, status: int) -> Response:
    if isinstance(answer, Response):
        return answer
    body, headers = (answer.body, answer.headers) if isinstance(answer, Reply) else (answer, {})
    text = body.model_dump_json(by_alias=True)
    response = Response(text, status, headers, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
