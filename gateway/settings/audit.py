"""Settings of the audit log."""

from typing import ClassVar

from pydantic import Field

from gateway.settings.group import Group


class AuditSettings(Group):
    """Settings of the audit log."""

    PREFIX: ClassVar = "audit_"

    days: int = Field(
        730, ge=31, le=36_500, description="How many days audit events of deeds are kept."
    )
    read_days: int = Field(
        90, ge=31, le=36_500, description="How many days audit events of reads are kept."
    )
