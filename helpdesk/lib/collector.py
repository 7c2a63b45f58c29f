"""Rests the garbage collector from the import of this module on, until all is loaded.

What a start loads stays. Looked at again and again while it grows, it was a quarter to a third of
the start's time.
"""

import gc

gc.disable()


def resume() -> None:
    """Let the collector work, and never look at what was loaded."""
    gc.freeze()
    gc.enable()
