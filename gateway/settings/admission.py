"""Limits of the requests that run and wait at once."""

from typing import ClassVar

from pydantic import Field

from gateway.settings.group import Group
from gateway.settings.values import Limit


class AdmissionSettings(Group):
    """Limits of the requests that run and wait at once."""

    PREFIX: ClassVar = "admission_"

    running: Limit[int | None] = Field(
        None,
        ge=1,
        le=1_000,
        description="Most operations and reads that run at once; the next ones wait. One principal "
        "runs at most three quarters of them. Default: `GATEWAY_DATABASE_POOL_SIZE`.",
    )
    writing: Limit[int | None] = Field(
        None,
        ge=1,
        le=1_000,
        description="Most writing requests to `/v1` that run at once. Default: half of "
        "`GATEWAY_DATABASE_POOL_SIZE`, at least 2; on SQLite 2.",
    )
    waiting: Limit[int] = Field(
        100,
        ge=0,
        le=100_000,
        description="Most requests that wait to run, for operations and reads, and again for "
        "writes. Principals share these places; beyond it, `SERVICE_UNAVAILABLE` with status 503.",
    )
    delay_seconds: Limit[float] = Field(
        1,
        gt=0,
        le=60,
        description="While an operation or a read of a principal has waited this long to run, or "
        "a further one would have to, further ones of the principal are refused with 503.",
    )
