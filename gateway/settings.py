"""Every setting, read once from the environment: name, default, unit, meaning.

A setting `name` comes from `GATEWAY_NAME`, or, for secrets, from the file that `GATEWAY_NAME_FILE`
names. The README's table is printed from this module (`gateway settings`), and a test compares
them.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from gateway.errors import ConfigurationError

PREFIX = "GATEWAY_"


class FileSecrets(PydanticBaseSettingsSource):
    """Reads `GATEWAY_X_FILE` for each setting `x` that is a secret."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        value = Path(path).read_text("utf-8").strip() if path and _is_secret(field) else None
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def _is_secret(field: Any) -> bool:
    return "Secret" in str(field.annotation)


class Settings(BaseSettings):
    """The gateway's settings; frozen."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    # Where it runs
    environment: Literal["production", "dev"] = Field(
        "production", description="`dev` is what `serve --dev` sets; everything else is production."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on.")
    public_url: str | None = Field(
        None, description="Base of every link that is handed out; required in production."
    )
    data_dir: Path = Field(
        Path(".gateway"), description="Folder of the embedded database, dev keys and dev tokens."
    )
    dev_listen_all: bool = Field(
        False, description="Lets `--dev` listen on other addresses than loopback (in a container)."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses or networks whose `X-Forwarded-*` headers are believed."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe level that is logged."
    )

    # Database
    database_url: SecretStr | None = Field(
        None,
        description="`postgresql://…` or `sqlite:///…`, for the role that serves. "
        "Default: SQLite in the data directory.",
    )
    migration_database_url: SecretStr | None = Field(
        None, description="The owner's URL, used by migrations alone. Default: the database URL."
    )
    database_pool_size: int = Field(8, ge=1, le=200, description="Connections for reads.")
    database_pool_wait_seconds: float = Field(
        2, gt=0, le=60, description="Longest wait of a request for a connection."
    )
    statement_timeout_seconds: float = Field(
        5, gt=0, le=300, description="Longest run of one statement."
    )

    # Domain
    usage_delay_seconds: int = Field(
        3600, ge=0, le=604_800, description="How late usage may normally arrive; see completeUntil."
    )
    usage_late_days: int = Field(
        35, ge=1, le=3650, description="Oldest usage event that a meter may still send."
    )

    # Secrets
    signing_keys: SecretStr | None = Field(
        None,
        description="Keys that sign cursors and links, `id:secret` separated by commas, the newest "
        "first; secrets of at least 32 bytes; required in production.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FileSecrets(settings_cls)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment.

    Raises ConfigurationError with one sentence that names the first setting that is wrong.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"{name}: {first['msg']}.") from None
