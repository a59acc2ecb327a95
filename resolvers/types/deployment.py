"""The GraphQL types of deployments."""

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


@strawberry.type(
    description="Resources in use by a deployment; null where the meter did not report them."
)
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


@strawberry.type(description="A running or closed workload, charged to the account.")
class Deployment(Node):
    POLICY: ClassVar = Policy.ACCOUNT

    id: strawberry.ID = global_id(
        "Deployment", "account_id", "id", description="The deployment's global id."
    )
    external_id: str = column(
        "external_id", description="The platform's id of the deployment, unique within the account."
    )
    name: str | None = column("name", description="The deployment's name.")
    provider: str | None = column("provider", description="The provider that runs the deployment.")
    gpu_model: str | None = column("gpu_model", description="The GPU model.")
    region: str | None = column("region", description="The region in which the deployment runs.")
    service: str | None = column(
        "service", description="The service that the deployment belongs to."
    )
    project: str | None = column(
        "project", description="The project that the deployment's latest charge with one names."
    )
    resources: DeploymentResources = itself(description="Resources in use.")
    spend: Money = money("spend_nanos", description="Total cost of the deployment to date.")
    started_at: datetime = column("started_at", description="When the deployment started.")
    closed_at: datetime | None = column(
        "closed_at", description="When the deployment was closed; null while it runs."
    )


@strawberry.type(description="Deployments, latest `startedAt` first.")
class DeploymentConnection(Connection[Deployment]):
    POLICY: ClassVar = Policy.ACCOUNT
