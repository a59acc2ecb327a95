"""The database's URLs, pools and timeouts."""

from typing import Annotated, ClassVar

from pydantic import Field

from gateway.settings.group import Group, Named
from gateway.settings.values import DatabaseUrl, Limit


class DatabaseSettings(Group):
    """The database's URLs, pools and timeouts."""

    PREFIX: ClassVar = "database_"

    url: DatabaseUrl | None = Field(
        None,
        description="`postgresql://…` or `sqlite:///…`, with the runtime role. Default: SQLite "
        "in the data directory.",
    )
    migration_url: Annotated[DatabaseUrl | None, Named("migration_database_url")] = Field(
        None, description="Database URL of the owner, for migrations. Default: the database URL."
    )
    listen_url: Annotated[DatabaseUrl | None, Named("listen_database_url")] = Field(
        None,
        description="Direct URL of the primary for live updates, if the database URL uses a "
        "pooler. Default: the database URL.",
    )
    pooler: bool = Field(
        False,
        description="Set to 1 where the database URL leads to a pooler of transactions "
        "(PgBouncer). Needs the direct URL for live updates.",
    )
    pool_size: int = Field(
        8,
        ge=1,
        le=200,
        description="Most connections for reads. Writes have half as many more, exports "
        "`GATEWAY_EXPORT_SLOTS`, readiness and live updates one each.",
    )
    pool_wait_seconds: Limit[float] = Field(
        2, gt=0, le=60, description="Longest wait for a database connection."
    )
    statement_timeout_seconds: Annotated[Limit[float], Named("statement_timeout_seconds")] = Field(
        5, gt=0, le=300, description="Longest run of a database statement."
    )

    @property
    def is_postgres(self) -> bool:
        """Whether the database is Postgres; else it is SQLite."""
        return self.url is not None and not self.url.get_secret_value().startswith("sqlite:")
