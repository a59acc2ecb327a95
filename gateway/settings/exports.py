"""Limits of exports."""

from typing import ClassVar

from pydantic import Field

from gateway.settings.group import Group
from gateway.settings.values import Limit


class ExportSettings(Group):
    """Limits of exports."""

    PREFIX: ClassVar = "export_"

    slots: Limit[int] = Field(
        4, ge=1, le=100, description="Most exports at once per process; then `SERVICE_UNAVAILABLE`."
    )
    account_slots: Limit[int] = Field(
        2,
        ge=1,
        le=100,
        description="Most exports at once per account and process; then `THROTTLED`.",
    )
    principal_slots: Limit[int] = Field(
        2,
        ge=1,
        le=100,
        description="Most exports at once per principal and process; then `THROTTLED`.",
    )
    seconds: Limit[float] = Field(
        600, ge=1, le=86_400, description="Longest run of an export; then the connection is cut."
    )
    unread_seconds: Limit[float] = Field(
        30,
        ge=1,
        le=3_600,
        description="Longest time a client may stop reading an export. A client that lets the "
        "gateway wait as long must take 64 kB per second meanwhile.",
    )
