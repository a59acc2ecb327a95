"""Bounds on the processor time of a piece of code."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Keep what earlier tests left from the garbage collector, as the gateway keeps what its start
    left: going through it takes a quarter of a second late in a run. What the block itself leaves
    is collected.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def cpu_below(seconds: float) -> Iterator[None]:
    """Fail where the process takes as much processor time for the block, or more."""
    with _untraced(), frozen_heap():
        began = time.process_time()
        yield
        spent = time.process_time() - began
    assert spent < seconds, f"{spent:.3f} s of processor time; it may take {seconds} s."


def least_cpu(call: Callable[[], object], times: int = 3) -> float:
    """Return the least processor time of some calls, in seconds."""
    with _untraced(), frozen_heap():
        return min(map(_cpu_of, [call] * times))


def cpu_ratio(call: Callable[[], object], other: Callable[[], object], times: int = 9) -> float:
    """Return the median ratio of the processor times of two calls that run in turn: a machine that
    changes its speed between them changes few of the ratios.
    """
    with _untraced(), frozen_heap():
        return median(_cpu_of(call) / _cpu_of(other) for _ in range(times))


@contextmanager
def _untraced() -> Iterator[None]:
    """Lift coverage's tracer: it makes the code three times slower."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


def _cpu_of(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began
