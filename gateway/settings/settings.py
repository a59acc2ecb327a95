"""Every setting, read once from the environment: name, default, unit, meaning.

No message and no print-out shows a secret's value. The README's table is printed from this module
(`gateway settings`), and a test compares them.
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
    public_url: Url | None = Field(
        None, description="Base of every link that is handed out; required in production."
    )
    data_dir: Path = Field(
        Path(".gateway"), description="Folder of the embedded database, dev keys and dev tokens."
    )
    dev_listen_all: bool = Field(
        False, description="Lets `--dev` listen on other addresses than loopback (in a container)."
    )
    trusted_proxies: Networks = Field(
        (), description="Addresses or networks whose `X-Forwarded-*` headers are believed."
    )
    allowed_hosts: Hosts = Field(
        (),
        description="Host names that requests may name, `*.example.com` for all below one. "
        "Default: the public URL's, and in dev loopback's.",
    )
    allowed_origins: Origins = Field(
        (),
        description="Origins of pages that may call the gateway. "
        "Default: the public URL's, and in dev loopback's.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe level that is logged."
    )

    # Database
    database_url: DatabaseUrl | None = Field(
        None,
        description="`postgresql://…` or `sqlite:///…`, for the role that serves. "
        "Default: SQLite in the data directory.",
    )
    migration_database_url: DatabaseUrl | None = Field(
        None, description="The owner's URL, used by migrations alone. Default: the database URL."
    )
    listen_database_url: DatabaseUrl | None = Field(
        None,
        description="A direct URL to the primary for live updates, where the database URL goes "
        "through a pooler. Default: the database URL.",
    )
    database_pool_size: int = Field(8, ge=1, le=200, description="Connections for reads.")
    database_pool_wait_seconds: Limit[float] = Field(
        2, gt=0, le=60, description="Longest wait of a request for a connection."
    )
    statement_timeout_seconds: Limit[float] = Field(
        5, gt=0, le=300, description="Longest run of one statement."
    )

    # Who is asking
    jwt_issuer: str | None = Field(
        None, description="`iss` of the tokens that are accepted; required in production."
    )
    jwt_audience: str | None = Field(
        None, description="`aud` of the tokens that are accepted; required in production."
    )
    jwt_jwks_url: KeysUrl | None = Field(
        None,
        description="Where the issuer publishes its keys (https); this or the public key is "
        "required in production.",
    )
    jwt_public_key: str | None = Field(
        None, description="The issuer's public keys, where it has no URL: PEM, JWK or JWK set."
    )
    jwt_algorithms: Algorithms = Field(
        ("RS256", "ES256", "EdDSA"),
        min_length=1,
        description="Signature algorithms that are accepted; symmetric ones never are.",
    )
    jwt_leeway_seconds: int = Field(
        30, ge=0, le=60, description="How far the issuer's clock may be from ours."
    )
    api_key_pepper: SecretStr | None = Field(
        None,
        min_length=32,
        description="Keys the hash that API keys are stored as; a change ends all of them.",
    )

    # The graph
    federation: bool = Field(
        False, description="Serves the schema as an Apollo Federation v2 subgraph."
    )

    # Domain
    usage_delay_seconds: int = Field(
        USAGE_DELAY_SECONDS,
        ge=0,
        le=604_800,
        description="How late usage may normally arrive; see completeUntil.",
    )
    usage_late_days: Limit[int] = Field(
        35, ge=1, le=3650, description="Oldest usage event that a meter may still send."
    )

    # Receipts and links
    receipts: bool = Field(
        True,
        description="Issues a receipt for each purchase that settles; `0` where receipts come from "
        "another system: a purchase that settles then has none, and its refunds no credit notes.",
    )
    seller_name: str | None = Field(
        None,
        max_length=200,
        description="Who sells, on receipts; required in production where they are issued. A "
        "change of the seller's details counts for what is issued after the next start.",
    )
    seller_address: Lines = Field(
        (),
        max_length=8,
        description="The seller's address, its lines separated by `|`; required in production "
        "where receipts are issued.",
    )
    seller_tax_id: str | None = Field(
        None, max_length=100, description="The seller's tax id, with its kind: `VAT ID DE123`."
    )
    seller_email: str | None = Field(
        None, max_length=200, description="Where customers ask about a receipt."
    )
    seller_logo: Path | None = Field(
        None, description="A PNG, JPEG or SVG file of at most 256 KiB, in place of the name."
    )
    seller_accent: Colour = Field("#3b5bdb", description="The colour of receipts.")
    link_seconds: Limit[int] = Field(
        900, ge=10, le=900, description="Longest life of a link to a receipt or an export."
    )

    # Exports
    export_slots: Limit[int] = Field(
        4,
        ge=1,
        le=100,
        description="Most exports that run at once in one process; then `SERVICE_UNAVAILABLE`.",
    )
    export_account_slots: Limit[int] = Field(
        2, ge=1, le=100, description="Most of them for one account; then `THROTTLED`."
    )
    export_seconds: Limit[float] = Field(
        600, ge=1, le=86_400, description="Longest run of an export; then its transfer breaks off."
    )
    export_unread_seconds: Limit[float] = Field(
        30, ge=1, le=3_600, description="Longest time in which a client may read nothing of one."
    )

    # HTTP
    introspection: bool | None = Field(
        None,
        description="Opens introspection and the suggestions of error messages to every principal. "
        "Default: in dev alone; a key with the scope `admin` may always introspect.",
    )
    http_body_bytes: Limit[int] = Field(
        1_048_576, ge=1_024, le=104_857_600, description="Largest body of a GraphQL request, bytes."
    )
    usage_body_bytes: Limit[int] = Field(
        5_242_880,
        ge=1_024,
        le=104_857_600,
        description="Largest body of `/v1/usage-events` and its like, bytes.",
    )
    usage_batch_events: Limit[int] = Field(
        25_000, ge=1, le=1_000_000, description="Most usage events in one request."
    )
    http_body_seconds: Limit[float] = Field(
        15, gt=0, le=300, description="Longest time a body may take to arrive."
    )
    http_header_bytes: Limit[int] = Field(
        32_768, ge=1_024, le=65_536, description="Longest head of a request, bytes."
    )
    http_header_count: Limit[int] = Field(
        100, ge=10, le=1_000, description="Most headers of a request."
    )
    failed_credentials_per_minute: Limit[int] = Field(
        20,
        ge=1,
        le=100_000,
        description="Most failed credentials per client address; then these get `THROTTLED`.",
    )
    http_keep_alive_seconds: Limit[int] = Field(
        5, ge=1, le=300, description="Longest time an idle connection is kept open."
    )

    # Subscriptions
    live_init_seconds: Limit[float] = Field(
        10, gt=0, le=300, description="Longest wait for `connection_init` on a WebSocket."
    )
    live_message_bytes: Limit[int] = Field(
        131_072, ge=1_024, le=16_777_216, description="Largest message of a WebSocket, bytes."
    )
    live_messages_per_second: Limit[int] = Field(
        100, ge=1, le=100_000, description="Most messages that a WebSocket may send, over 5 s."
    )
    live_unread_seconds: Limit[float] = Field(
        30,
        ge=1,
        le=600,
        description="Longest time in which the peer of a WebSocket or stream may read nothing; "
        "then the connection is closed.",
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
        30,
        gt=0,
        le=60,
        description="How often subscribers' membership and keys are checked again.",
    )
    live_heartbeat_seconds: float = Field(
        12, gt=0, le=60, description="How often an idle event stream sends a heartbeat."
    )

    # Limits
    operation_seconds: Limit[float] = Field(
        10, gt=0, le=300, description="Longest run of one operation; then `TIMEOUT`."
    )
    document_length: Limit[int] = Field(
        65_536, ge=1, le=1_048_576, description="Longest GraphQL document, characters."
    )
    document_tokens: Limit[int] = Field(
        2_000, ge=1, le=100_000, description="Most tokens of a document."
    )
    document_comments: Limit[int] = Field(
        500, ge=0, le=100_000, description="Most comments of a document."
    )
    document_depth: Limit[int] = Field(
        10, ge=1, le=50, description="Deepest nesting of fields, fragments in place."
    )
    document_introspection_depth: Limit[int] = Field(
        15, ge=1, le=50, description="Deepest nesting of fields in introspection."
    )
    document_aliases: Limit[int] = Field(
        30, ge=0, le=10_000, description="Most aliases of an operation, fragments in place."
    )
    document_directives: Limit[int] = Field(
        50, ge=0, le=10_000, description="Most directives of a document."
    )
    document_operations: Limit[int] = Field(
        20, ge=1, le=1_000, description="Most operations of a document."
    )
    document_variables: Limit[int] = Field(
        100, ge=0, le=10_000, description="Most variables that a document declares."
    )
    document_fragments: Limit[int] = Field(
        100, ge=0, le=10_000, description="Most fragments of a document."
    )
    answer_values: Limit[int] = Field(
        500_000, ge=1_000, description="Most scalars, objects and lists of an answer."
    )

    # Operations
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Bearer token that opens `/metrics`. Default: none, and only a direct "
        "connection from loopback is answered.",
    )
    stop_notice_seconds: float = Field(
        1, ge=0, le=60, description="How long `/readyz` says 503 before the listener closes."
    )
    stop_grace_seconds: float = Field(
        10, ge=0, le=300, description="How long running requests may go on after a stop signal."
    )

    # Stripe
    stripe_webhook_secrets: SecretStr | None = Field(
        None,
        description="Signing secrets of the webhook endpoint, separated by commas: while one is "
        "replaced, both. Default: none, and `/webhooks/stripe` answers 404.",
    )
    stripe_test_mode: bool | None = Field(
        None,
        description="Books what Stripe sends in test mode, else recorded and ignored. "
        "Default: in dev alone.",
    )
    stripe_api_key: SecretStr | None = Field(
        None,
        description="Restricted key that `gateway stripe-backfill` reads payments with: "
        "PaymentIntents, charges, balance transactions, refunds, disputes, Checkout Sessions and "
        "invoices.",
    )
    stripe_api_base: KeysUrl = Field(
        "https://api.stripe.com", description="Where Stripe's API is: another one in a sandbox."
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
        return init_settings, Environment(settings_cls)

    def or_dev(self, choice: bool | None) -> bool:
        """Return a choice of on or off that, left open, is on in dev alone."""
        return self.environment == "dev" if choice is None else choice

    @property
    def base_url(self) -> str:
        """The base of every link: the public one, or where it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names, without ports, that a request may be addressed to."""
        name = urlsplit(self.public_url or "").hostname or ""
        own = (f"[{name}]" if ":" in name else name,) if name else ()
        return self.allowed_hosts or own + (LOOPBACK_NAMES if self.environment == "dev" else ())

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins whose pages may call the gateway."""
        dev = LOOPBACK_NAMES if self.environment == "dev" else ()
        urls = (self.public_url, *(f"http://{name}:{self.port}" for name in dev))
        return self.allowed_origins or tuple(origin_of(url) for url in urls if url)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment.

    Raises ConfigurationError with one line for each setting that is wrong.
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
