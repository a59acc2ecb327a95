"""Rows of FOCUS cost files as usage records, with what they say of their deployments."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from gateway.billing.usage.deployments import DeploymentFacts
from gateway.billing.usage.usage_record import UsageRecord
from gateway.exports.focus.imports.rows import FocusRow

SOURCE: Final = "focus"
"""The source of imported usage events."""


def facts_of(rows: Sequence[FocusRow]) -> list[DeploymentFacts]:
    """Return the facts of each row about its deployment."""
    made: dict[tuple[str | None, ...], DeploymentFacts] = {}
    stated = []
    for row in rows:
        described = (row.deployment_name, row.provider, row.gpu_model, row.region, row.service)
        if (*described, row.project) not in made:
            made[*described, row.project] = DeploymentFacts(
                name=row.deployment_name,
                provider=row.provider,
                gpu_model=row.gpu_model,
                region=row.region,
                service=row.service,
                project=row.project,
            )
        stated.append(made[*described, row.project])
    return stated


def record_of(row: FocusRow, event_id: str, account_id: int) -> UsageRecord:
    """Return a row as a usage record."""
    return UsageRecord(
        account_id=account_id,
        source=SOURCE,
        event_id=event_id,
        deployment=row.deployment_external_id,
        resource=row.resource.value,
        unit=row.unit,
        quantity=row.quantity_nanos,
        quantity_text=_text_if_rounded(row.quantity_text, row.quantity_nanos),
        amount=row.cost_nanos,
        amount_text=_text_if_rounded(row.cost_text, row.cost_nanos),
        correction=row.correction,
        provider=row.provider,
        gpu_model=row.gpu_model,
        region=row.region,
        service=row.service,
        sku=row.sku,
        started_at=row.started_at,
        ended_at=row.ended_at,
        project=row.project,
    )


def _text_if_rounded(text: str, nanos: int) -> str | None:
    return None if Decimal(text) == Decimal(nanos).scaleb(-9) else text
