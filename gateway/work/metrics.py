"""Metrics of jobs and loops."""

from collections.abc import Sequence

from prometheus_client.registry import Collector

from gateway.observability.metrics import ObservedValue, Tally
from gateway.work.loops import Loops
from gateway.work.worker import Worker


def work_metrics(worker: Worker, loops: Loops) -> Sequence[Collector]:
    """Return gauges of the database's jobs, as of the last count, and counters of this process."""
    return (
        ObservedValue(
            name="gateway_jobs_due",
            text="Jobs that are due and that no worker has taken yet.",
            read=lambda: worker.figures.due,
        ),
        ObservedValue(
            name="gateway_jobs_running",
            text="Jobs that a worker runs, in any process.",
            read=lambda: worker.figures.running,
        ),
        ObservedValue(
            name="gateway_jobs_dead",
            text="Jobs that failed for good: see `gateway jobs list`.",
            read=lambda: worker.figures.dead,
        ),
        ObservedValue(
            name="gateway_jobs_oldest_due_seconds",
            text="For how long the oldest due job has been due.",
            read=lambda: worker.figures.oldest_due_seconds,
        ),
        Tally(
            name="gateway_jobs_ended",
            text="Attempts of jobs that ended in this process: done, failed, dead, released, lost.",
            labels=("task", "outcome"),
            read=lambda: worker.finished.items(),
        ),
        Tally(
            name="gateway_loop_steps",
            text="Steps of this process's loops: done, failed.",
            labels=("loop", "outcome"),
            read=lambda: loops.counts.items(),
        ),
    )
