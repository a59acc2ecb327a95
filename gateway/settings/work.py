"""Settings of jobs and periodic tasks."""

from typing import ClassVar

from pydantic import Field

from gateway.settings.group import Group
from gateway.settings.values import Limit


class WorkSettings(Group):
    """Settings of jobs and periodic tasks."""

    PREFIX: ClassVar = "work_"

    concurrency: Limit[int] = Field(
        4, ge=1, le=100, description="Most jobs of a queue that run at once per process."
    )
    poll_seconds: float = Field(
        5, gt=0, le=300, description="How often a process looks for jobs that others deferred."
    )
    lease_seconds: float = Field(
        60,
        ge=5,
        le=3_600,
        description="How long a job is held without a renewal; then another process may run it.",
    )
