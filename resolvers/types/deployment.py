"""Deployments: what runs and draws the credit down."""

from datetime import datetime
from typing import ClassVar

import strawberry

from gateway.money import format_quantity
from resolvers.columns import column, converted, global_id, itself, money
from resolvers.connection import Connection
from resolvers.permissions import Policy
from resolvers.scalars import Decimal
from resolvers.types.money import Money
from resolvers.types.node import Node


def _quantity(nanos: int | None) -> str | None:
    return None if nanos is None else format_quantity(nanos)


def _count(number: int | None) -> str | None:
    return None if number is None else str(number)


@strawberry.type(description="What a deployment leases. Null is what its meter did not say.")
class DeploymentResources:
    POLICY: ClassVar = Policy.ACCOUNT

    cpu: Decimal | None = converted(_quantity, "cpu_nanos", description="Virtual CPUs.")
    memory_bytes: Decimal | None = converted(
        _count, "memory_bytes", description="Memory in bytes, a whole number."
    )
    storage_bytes: Decimal | None = converted(
        _count, "storage_bytes", description="Storage in bytes, a whole number."
    )
    gpu: Decimal | None = converted(_quantity, "gpu_nanos", description="GPUs.")


@strawberry.type(description="Something that runs, or ran, and draws the account's credit down.")
class Deployment(Node):
    POLICY: ClassVar = Policy.ACCOUNT

    id: strawberry.ID = global_id(
        "Deployment", "account_id", "id", description="The deployment's global id."
    )
    external_id: str = column(
        "external_id", description="The platform's own id, unique in the account."
    )
    name: str | None = column("name", description="Its name, if it has one.")
    provider: str | None = column("provider", description="Who runs it.")
    gpu_model: str | None = column("gpu_model", description="The model of its GPUs.")
    region: str | None = column("region", description="Where it runs.")
    service: str | None = column("service", description="The service that it belongs to.")
    resources: DeploymentResources = itself(description="What it leases.")
    spend: Money = money(
        "spend_nanos", description="What it has cost in its whole life, up to now."
    )
    started_at: datetime = column("started_at", description="When it started.")
    closed_at: datetime | None = column(
        "closed_at", description="When it was closed; null while it runs."
    )


@strawberry.type(description="Deployments, the latest `startedAt` first.")
class DeploymentConnection(Connection[Deployment]):
    POLICY: ClassVar = Policy.ACCOUNT
