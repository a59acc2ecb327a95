"""Bounds on the processor time of a piece of code."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cpu_below(seconds: float) -> Iterator[None]:
    """Fail where the process takes as much processor time for the block, or more.

    What earlier tests left is kept from the garbage collector meanwhile, as the gateway keeps what
    its start left: going through it takes a quarter of a second late in a run. What the block
    itself leaves is collected within the bound.
    """
    gc.freeze()
    try:
        began = time.process_time()
        yield
        spent = time.process_time() - began
    finally:
        gc.unfreeze()
    assert spent < seconds, f"{spent:.3f} s of processor time; it may take {seconds} s."
