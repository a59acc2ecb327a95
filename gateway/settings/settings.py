"""Every setting, read once from the environment, with its name, default, unit and meaning.

Messages and printed settings never contain a secret's value. `gateway settings` prints the README's
tables from this module, and a test compares them.
"""

from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.errors import ConfigurationError
from gateway.settings.console import PageSettings
from gateway.settings.environment import PREFIX, Environment
from gateway.settings.values import (
    Algorithms,
    Colour,
    DatabaseUrl,
    Hosts,
    KeysUrl,
    Limit,
    Lines,
    Networks,
    Origins,
    Url,
    origin_of,
)
from gateway.windows import USAGE_DELAY_SECONDS

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


class Settings(PageSettings):
    """The gateway's settings (frozen)."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
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

    # Database
    database_url: DatabaseUrl | None = Field(
        None,
        description="`postgresql://…` or `sqlite:///…`, with the runtime role. Default: SQLite "
        "in the data directory.",
    )
    migration_database_url: DatabaseUrl | None = Field(
        None, description="Database URL of the owner, for migrations. Default: the database URL."
    )
    listen_database_url: DatabaseUrl | None = Field(
        None,
        description="Direct URL of the primary for live updates, if the database URL uses a "
        "pooler. Default: the database URL.",
    )
    database_pool_size: int = Field(8, ge=1, le=200, description="Number of connections for reads.")
    database_pool_wait_seconds: Limit[float] = Field(
        2, gt=0, le=60, description="Longest wait for a database connection."
    )
    statement_timeout_seconds: Limit[float] = Field(
        5, gt=0, le=300, description="Longest run of a database statement."
    )

    # Authentication
    jwt_issuer: str | None = Field(
        None, description="`iss` claim of valid tokens; required in production."
    )
    jwt_audience: str | None = Field(
        None, description="`aud` claim of valid tokens; required in production."
    )
    jwt_jwks_url: KeysUrl | None = Field(
        None,
        description="URL of the issuer's JWK set (https); this or a public key is required in "
        "production.",
    )
    jwt_public_key: str | None = Field(
        None, description="The issuer's public keys, in place of a JWKS URL: PEM, JWK or JWK set."
    )
    jwt_algorithms: Algorithms = Field(
        ("RS256", "ES256", "EdDSA"),
        min_length=1,
        description="Accepted signature algorithms; symmetric ones are refused.",
    )
    jwt_leeway_seconds: int = Field(
        30, ge=0, le=60, description="Allowed difference between the issuer's clock and ours."
    )
    api_key_pepper: SecretStr | None = Field(
        None,
        min_length=32,
        description="Secret for hashing API keys, at least 32 characters. A change invalidates "
        "every key.",
    )

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

    # Receipts and links
    receipts: bool = Field(
        True,
        description="Issue a receipt for each settled purchase and a credit note for each of "
        "its refunds. Set `0` where another system issues them.",
    )
    seller_name: str | None = Field(
        None,
        max_length=200,
        description="The seller's name on receipts; required in production if receipts are "
        "issued. A change applies to receipts issued after the next start.",
    )
    seller_address: Lines = Field(
        (),
        max_length=8,
        description="The seller's address on receipts, lines separated by `|`; required like "
        "the name.",
    )
    seller_tax_id: str | None = Field(
        None, max_length=100, description="The seller's tax id, with its kind: `VAT ID DE123`."
    )
    seller_email: str | None = Field(
        None, max_length=200, description="The seller's email address on receipts, for questions."
    )
    seller_logo: Path | None = Field(
        None, description="Logo in place of the name: PNG, JPEG or SVG, at most 256 KiB."
    )
    seller_accent: Colour = Field("#3b5bdb", description="Accent colour of receipts.")
    link_seconds: Limit[int] = Field(
        900, ge=10, le=900, description="How long a link to a receipt or an export is valid."
    )

    # Exports
    export_slots: Limit[int] = Field(
        4, ge=1, le=100, description="Most exports at once per process; then `SERVICE_UNAVAILABLE`."
    )
    export_account_slots: Limit[int] = Field(
        2,
        ge=1,
        le=100,
        description="Most exports at once per account and process; then `THROTTLED`.",
    )
    export_seconds: Limit[float] = Field(
        600, ge=1, le=86_400, description="Longest run of an export; then the connection is cut."
    )
    export_unread_seconds: Limit[float] = Field(
        30, ge=1, le=3_600, description="Longest time a client may stop reading an export."
    )

    # HTTP
    introspection: bool | None = Field(
        None,
        description="Allow introspection and name suggestions in errors for everyone. Default: "
        "in dev only. Keys with the scope `admin` may always introspect.",
    )
    http_body_bytes: Limit[int] = Field(
        1_048_576, ge=1_024, le=104_857_600, description="Largest body of a GraphQL request, bytes."
    )
    usage_body_bytes: Limit[int] = Field(
        5_242_880, ge=1_024, le=104_857_600, description="Largest body of a usage request, bytes."
    )
    usage_batch_events: Limit[int] = Field(
        25_000, ge=1, le=1_000_000, description="Most usage events in one request."
    )
    http_body_seconds: Limit[float] = Field(
        15, gt=0, le=300, description="Longest time to receive a request body."
    )
    http_header_bytes: Limit[int] = Field(
        32_768, ge=1_024, le=65_536, description="Largest request line and headers together, bytes."
    )
    http_header_count: Limit[int] = Field(
        100, ge=10, le=1_000, description="Most headers in a request."
    )
    failed_credentials_per_minute: Limit[int] = Field(
        20,
        ge=1,
        le=100_000,
        description="Most failed credentials per client address; then `THROTTLED`.",
    )
    http_keep_alive_seconds: Limit[int] = Field(
        5, ge=1, le=300, description="How long an idle connection is kept open."
    )

    # Subscriptions
    live_init_seconds: Limit[float] = Field(
        10, gt=0, le=300, description="Longest wait for `connection_init` on a new WebSocket."
    )
    live_message_bytes: Limit[int] = Field(
        131_072,
        ge=1_024,
        le=16_777_216,
        description="Largest WebSocket message from a client, bytes.",
    )
    live_messages_per_second: Limit[int] = Field(
        100,
        ge=1,
        le=100_000,
        description="Most messages per second from one WebSocket, averaged over 5 seconds.",
    )
    live_unread_seconds: Limit[float] = Field(
        30,
        ge=1,
        le=600,
        description="Longest time a client may stop reading a WebSocket or event stream; then "
        "the connection is cut.",
    )
    live_unauthenticated_sockets: Limit[int] = Field(
        20, ge=1, le=1_000_000, description="Most unauthenticated WebSockets per client address."
    )
    live_sockets: Limit[int] = Field(
        5, ge=1, le=1_000_000, description="Most WebSockets per principal in one process."
    )
    live_socket_operations: Limit[int] = Field(
        25, ge=1, le=10_000, description="Most operations at once on one WebSocket."
    )
    live_subscriptions: Limit[int] = Field(
        100, ge=1, le=1_000_000, description="Most subscriptions per principal in one process."
    )
    live_process_subscriptions: Limit[int] = Field(
        20_000, ge=1, le=1_000_000, description="Most subscriptions in one process."
    )
    live_recheck_seconds: float = Field(
        30, gt=0, le=60, description="How often subscribers' membership and keys are checked again."
    )
    live_heartbeat_seconds: float = Field(
        12, gt=0, le=60, description="How often an idle event stream sends a heartbeat."
    )

    # Limits
    operation_seconds: Limit[float] = Field(
        10, gt=0, le=300, description="Longest run of an operation; then `TIMEOUT`."
    )
    document_length: Limit[int] = Field(
        65_536, ge=1, le=1_048_576, description="Longest GraphQL document, characters."
    )
    document_tokens: Limit[int] = Field(
        2_000, ge=1, le=100_000, description="Most tokens in a document."
    )
    document_comments: Limit[int] = Field(
        500, ge=0, le=100_000, description="Most comments in a document."
    )
    document_depth: Limit[int] = Field(
        10, ge=1, le=50, description="Deepest nesting of fields, fragments expanded."
    )
    document_introspection_depth: Limit[int] = Field(
        15, ge=1, le=50, description="Deepest nesting of fields in introspection."
    )
    document_aliases: Limit[int] = Field(
        30, ge=0, le=10_000, description="Most aliases in an operation, fragments expanded."
    )
    document_directives: Limit[int] = Field(
        50, ge=0, le=10_000, description="Most directives in a document."
    )
    document_operations: Limit[int] = Field(
        20, ge=1, le=1_000, description="Most operations in a document."
    )
    document_variables: Limit[int] = Field(
        100, ge=0, le=10_000, description="Most variables declared in a document."
    )
    document_fragments: Limit[int] = Field(
        100, ge=0, le=10_000, description="Most fragments in a document."
    )
    answer_values: Limit[int] = Field(
        500_000, ge=1_000, description="Most scalars, objects and lists in an answer."
    )

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
        10, ge=0, le=300, description="How long requests may continue after a stop signal."
    )

    # Stripe
    stripe_webhook_secrets: SecretStr | None = Field(
        None,
        description="Signing secrets of the Stripe webhook endpoint, separated by commas; two "
        "during a rotation. Without one, `/webhooks/stripe` answers 404.",
    )
    stripe_test_mode: bool | None = Field(
        None,
        description="Book events of Stripe's test mode instead of ignoring them. Default: in "
        "dev only.",
    )
    stripe_api_key: SecretStr | None = Field(
        None,
        description="Restricted API key for `gateway stripe-backfill`: reads PaymentIntents, "
        "charges, balance transactions, refunds, disputes, Checkout Sessions and "
        "invoices.",
    )
    stripe_api_base: KeysUrl = Field(
        "https://api.stripe.com", description="Base URL of the Stripe API."
    )

    # Secrets
    signing_keys: SecretStr | None = Field(
        None,
        description="Keys that sign cursors and links: `id:secret`, separated by commas, newest "
        "first; at least 32 bytes per secret; required in production.",
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


def load_settings(**overrides: Any) -> Settings:
    """Read and validate the settings from the environment.

    Raises ConfigurationError with one line per invalid setting.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        reasons: dict[str, str] = {}
        for each in error.errors(include_url=False, include_input=False):
            name = PREFIX + str(each["loc"][0]).upper()
            reasons.setdefault(name, each["msg"].removeprefix("Value error, "))
        lines = [f"{name}: {reason}." for name, reason in reasons.items()]
        raise ConfigurationError("\n".join(lines)) from None
