"""What makes thousands of small tests quick: the same work isn't done again for each of them."""

import gc
from collections.abc import Callable
from typing import Any

from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

_compile = Rule._compile_builder
_compiled: dict[object, Callable[..., Any]] = {}


def _compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    """An application is made for each test, and nine tenths of that is compiling its addresses."""
    key = tuple(rule._trace), repr(rule.defaults), append_unknown
    if key not in _compiled:
        _compiled[key] = _compile(rule, append_unknown)
    return _compiled[key]


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


def speed_up() -> None:
    """Call it once a process, after everything was imported."""
    Rule._compile_builder = _compile_once  # type: ignore[method-assign]
    gc.collect()
    gc.freeze()  # else a full collection walks through all modules, every few tests
