"""Every setting, read once from the environment, with its name, default, unit and meaning.

Messages and printed settings never contain a secret's value. `gateway settings` prints
`docs/settings.md` from this package, and `make check` compares them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.errors import ConfigurationError
from gateway.settings.admission import AdmissionSettings
from gateway.settings.audit import AuditSettings
from gateway.settings.auth import AuthSettings
from gateway.settings.console import ConsoleSettings
from gateway.settings.database import DatabaseSettings
from gateway.settings.documents import DocumentSettings
from gateway.settings.environment import PREFIX, Environment
from gateway.settings.exports import ExportSettings
from gateway.settings.group import nested, settings_of
from gateway.settings.http import HttpSettings
from gateway.settings.live import LiveSettings
from gateway.settings.rate import RateSettings
from gateway.settings.seller import SellerSettings
from gateway.settings.stripe import StripeSettings
from gateway.settings.values import Hosts, Limit, Networks, Origins, Url, origin_of
from gateway.settings.work import WorkSettings
from gateway.windows import USAGE_DELAY_SECONDS

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


class Settings(BaseSettings):
    """The gateway's settings (frozen). Each part of the gateway takes its group as it is."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    # Where it runs
    environment: Literal["production", "dev"] = Field(
        "production", description="Set to `dev` by `serve --dev`."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on.")
    public_url: Url | None = Field(
        None, description="Base URL of every link; required in production."
    )
    data_dir: Path = Field(
        Path(".gateway"), description="Directory of the embedded database and dev secrets."
    )
    dev_listen_all: bool = Field(
        False, description="Let `serve --dev` listen beyond loopback (in a container)."
    )
    trusted_proxies: Networks = Field(
        (), description="Addresses or networks of proxies with trusted `X-Forwarded-*` headers."
    )
    allowed_hosts: Hosts = Field(
        (),
        description="Host names that requests may use; `*.example.com` allows every subdomain. "
        "Default: the public URL's host, in dev also loopback.",
    )
    allowed_origins: Origins = Field(
        (),
        description="Origins of web pages that may call the gateway. Default: the public URL's "
        "origin, in dev also loopback.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest severity that is logged."
    )

    database: DatabaseSettings = DatabaseSettings()
    auth: AuthSettings = AuthSettings()

    # The graph
    federation: bool = Field(
        False, description="Serve the schema as an Apollo Federation v2 subgraph."
    )

    # Domain
    usage_delay_seconds: int = Field(
        USAGE_DELAY_SECONDS,
        ge=0,
        le=604_800,
        description="How late usage normally arrives; see `completeUntil`.",
    )
    usage_late_days: Limit[int] = Field(
        35, ge=1, le=3650, description="Age of the oldest usage event that is accepted."
    )

    # Receipts, links and exports
    seller: SellerSettings = SellerSettings()
    link_seconds: Limit[int] = Field(
        900, ge=10, le=900, description="How long a link to a receipt or an export is valid."
    )
    exports: ExportSettings = ExportSettings()

    # HTTP and GraphQL
    introspection: bool | None = Field(
        None,
        description="Allow introspection and name suggestions in errors for everyone. Default: "
        "in dev only. Keys with the scope `admin` may always introspect.",
    )
    http: HttpSettings = HttpSettings()
    admission: AdmissionSettings = AdmissionSettings()
    rate: RateSettings = RateSettings()
    live: LiveSettings = LiveSettings()
    documents: DocumentSettings = DocumentSettings()

    work: WorkSettings = WorkSettings()
    audit: AuditSettings = AuditSettings()

    # Operations
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Bearer token for `/metrics`. Without one, only direct connections from "
        "loopback may read it.",
    )
    stop_notice_seconds: float = Field(
        1, ge=0, le=60, description="How long `/readyz` answers 503 before the listener closes."
    )
    stop_grace_seconds: float = Field(
        10, ge=0, le=300, description="How long requests and jobs may continue after a stop signal."
    )

    stripe: StripeSettings = StripeSettings()

    # Secrets
    signing_keys: SecretStr | None = Field(
        None,
        description="Keys that sign cursors and links: `id:secret`, separated by commas, newest "
        "first; at least 32 bytes per secret; required in production.",
    )

    console: ConsoleSettings = ConsoleSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, Environment(settings_cls)

    def or_dev(self, choice: bool | None) -> bool:
        """Return an on/off setting; without a value it is on in dev and off in production."""
        return self.environment == "dev" if choice is None else choice

    @property
    def base_url(self) -> str:
        """Base URL of every link: the public URL, or the address that the gateway listens on."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names, without ports, that are allowed in the `Host` header."""
        name = urlsplit(self.public_url or "").hostname or ""
        own = (f"[{name}]" if ":" in name else name,) if name else ()
        return self.allowed_hosts or own + (LOOPBACK_NAMES if self.environment == "dev" else ())

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins of web pages that may call the gateway."""
        dev = LOOPBACK_NAMES if self.environment == "dev" else ()
        urls = (self.public_url, *(f"http://{name}:{self.port}" for name in dev))
        return self.allowed_origins or tuple(origin_of(url) for url in urls if url)


SETTINGS: Final = settings_of(Settings)
"""Every setting by its name, in the order of the printed tables."""


def load_settings(**overrides: Any) -> Settings:
    """Read and validate the settings from the environment. `overrides`, by setting name, go first.

    Raises ConfigurationError with one line per invalid setting.
    """
    try:
        return Settings(**nested(SETTINGS, overrides))
    except ValidationError as error:
        reasons: dict[str, str] = {}
        for each in error.errors(include_url=False, include_input=False):
            variable = PREFIX + _name_at(each["loc"]).upper()
            reasons.setdefault(variable, each["msg"].removeprefix("Value error, "))
        lines = [f"{name}: {reason}." for name, reason in reasons.items()]
        raise ConfigurationError("\n".join(lines)) from None


def _name_at(place: Sequence[int | str]) -> str:
    """Return the name of the setting at an error's place, which may lead into the value."""
    return next(
        name for name, each in SETTINGS.items() if tuple(place[: len(each.path)]) == each.path
    )
