"""What makes thousands of small tests quick: the same work isn't done again for each of them."""

import gc
import zoneinfo
from functools import cache
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule
from werkzeug.routing.matcher import State, StateMachineMatcher

import config
from helpdesk.ext import database

BOUND = ("_build", "_build_unknown")
COMPILED = ("_trace", "_converters", "_parts", "arguments", *BOUND)
STATEMENTS = 5_000  # compiled statements to keep

_compile = Rule.compile
_sort = StateMachineMatcher.update
_make_engine = SQLAlchemy._make_engine
_connect = database._sqlite_connect
_compiled: dict[object, dict[str, Any]] = {}
_dialects: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}


def _compile_once(rule: Rule) -> None:
    """An application is made for each test, and nine tenths of that is compiling its addresses."""
    key = rule.rule, rule.subdomain, rule.host, rule.merge_slashes, repr(rule.defaults)
    if key not in _compiled:
        _compile(rule)
        _compiled[key] = {name: getattr(rule, name) for name in COMPILED}
    known = _compiled[key]
    vars(rule).update(known)
    for name in BOUND:
        setattr(rule, name, known[name].__func__.__get__(rule))


def _add_later(matcher: StateMachineMatcher, rule: Rule) -> None:
    """Many tests never ask their application for a page."""
    vars(matcher).setdefault("later", []).append(rule)


def _add_now(matcher: StateMachineMatcher) -> None:
    for rule in vars(matcher).pop("later", ()):
        _add(matcher._root, rule)
    _sort(matcher)


def _add(state: State, rule: Rule) -> None:
    """As werkzeug does it, which makes a state for each part only to throw it away."""
    for part in rule._parts:
        if part.static:
            after = state.static.get(part.content)
        else:
            after = next((after for other, after in state.dynamic if other == part), None)
        if after is None:
            after = State()
            if part.static:
                state.static[part.content] = after
            else:
                state.dynamic.append((part, after))
        state = after
    state.rules.append(rule)


def _one_dialect(extension: SQLAlchemy, key: str, options: dict[str, Any], app: Any) -> Engine:
    """Each test has an engine of its own; what they have in common are compiled statements."""
    engine = _make_engine(extension, key, options, app)
    new = engine.dialect, LRUCache(STATEMENTS)
    engine.dialect, engine._compiled_cache = _dialects.setdefault(engine.name, new)
    engine.pool._dialect = engine.dialect
    return engine


def _without_durability(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    """As PostgreSQL here. What must outlive a crash is tried on products that run by themselves."""
    _connect(connection, entry)
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


class Templates(BytecodeCache):
    """Compiled templates by their source, for all applications of this process."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        known = self._known.get((bucket.key, bucket.checksum))
        if known is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


TEMPLATES = Templates()


def remember_addresses() -> None:
    Rule.compile = _compile_once  # type: ignore[method-assign]


def speed_up() -> None:
    """Call it once a process, after everything was imported."""
    remember_addresses()
    StateMachineMatcher.add = _add_later  # type: ignore[method-assign]
    StateMachineMatcher.update = _add_now  # type: ignore[method-assign]
    database._sqlite_connect = _without_durability
    SQLAlchemy._make_engine = _one_dialect  # type: ignore[method-assign]
    # It opens 600 files; each test's settings ask it.
    config.available_timezones = cache(zoneinfo.available_timezones)  # type: ignore[attr-defined]
    gc.collect()
    gc.freeze()  # else a full collection walks through all modules, every few tests
