"""The garbage collector rests while the rows of a report are added up."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_resting = 0


@contextmanager
def no_collecting() -> Iterator[None]:
    """Rows make no circles: looking for some among a hundred thousand objects again and again
    costs up to half of a report's time. Of several reports at once the last one ends the rest.
    """
    global _resting
    with _lock:
        _resting += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _resting -= 1
            if not _resting:
                gc.enable()
