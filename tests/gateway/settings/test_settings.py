import os
from pathlib import Path
from typing import Protocol

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import SETTINGS, Settings, load_settings
from gateway.settings.environment import PREFIX, unknown_variables
from gateway.settings.live import LiveSettings
from gateway.settings.values import is_loopback, origin_of

SECRET = "hunter2-hunter2-hunter2-hunter2-"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - a value to be judged; nothing listens on it
SECRETS = (
    "database_url",
    "migration_database_url",
    "signing_keys",
    "api_key_pepper",
    "stripe_webhook_secrets",
    "stripe_api_key",
)


class SetAll(Protocol):
    def __call__(self, **values: str) -> None: ...


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> SetAll:
    def set_all(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(PREFIX + name, value)

    return set_all


def secret_for(name: str) -> str:
    return f"postgresql://owner:{SECRET}@db.example/x" if name.endswith("database_url") else SECRET


def failure() -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.message


def test_settings_come_from_the_environment_and_overrides_go_first(env: SetAll) -> None:
    env(PORT="9000", HOST="127.0.0.2", PUBLIC_URL="https://billing.example/base/")
    settings = load_settings(host="::1")
    assert (settings.port, settings.host) == (9000, "::1")
    assert settings.public_url == "https://billing.example/base"
    assert settings.environment == "production"


def test_a_group_is_read_from_both_sources(env: SetAll) -> None:
    env(LIVE_SOCKETS="7", LIVE_SUBSCRIPTIONS="8", LISTEN_DATABASE_URL=secret_for("database_url"))
    settings = load_settings(live_sockets=9)
    assert (settings.live.sockets, settings.live.subscriptions) == (9, 8)
    assert settings.database.listen_url is not None
    assert settings.live.process_subscriptions == LiveSettings().process_subscriptions


def test_an_unknown_override_is_refused() -> None:
    with pytest.raises(KeyError, match="live_sokets"):
        load_settings(live_sokets=9)


def test_blank_values_count_as_missing(env: SetAll) -> None:
    env(PORT="", HOST="  ", DATABASE_URL="", SIGNING_KEYS_FILE=" ", ALLOWED_HOSTS="\n")
    assert load_settings() == Settings()


def test_lists_are_separated_by_commas(env: SetAll) -> None:
    env(
        TRUSTED_PROXIES="10.0.0.0/8, ::1",
        ALLOWED_HOSTS="Billing.example,*.example.com ,[::1],",
        ALLOWED_ORIGINS="https://Billing.example:443,http://localhost:5173",
        JWT_ALGORITHMS="RS256,EdDSA",
    )
    settings = load_settings()
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.allowed_hosts == ("billing.example", "*.example.com", "[::1]")
    assert settings.allowed_origins == ("https://billing.example", "http://localhost:5173")
    assert settings.auth.jwt_algorithms == ("RS256", "EdDSA")


@pytest.mark.parametrize("name", [*SECRETS, "jwt_public_key"])
def test_a_value_may_come_from_a_file(env: SetAll, tmp_path: Path, name: str) -> None:
    path = tmp_path / "value"
    secret = secret_for(name)
    path.write_text(f"{secret}\n")
    env(**{f"{name.upper()}_FILE": str(path)})
    value = SETTINGS[name].value(load_settings())
    assert (value if isinstance(value, str) else value.get_secret_value()) == secret


def test_a_value_and_a_file_at_once_are_refused(env: SetAll, tmp_path: Path) -> None:
    env(SIGNING_KEYS=SECRET, SIGNING_KEYS_FILE=str(tmp_path))
    assert failure() == (
        "GATEWAY_SIGNING_KEYS and GATEWAY_SIGNING_KEYS_FILE are both set; set one of them."
    )


def test_a_file_that_cannot_be_read_is_named_by_its_setting(env: SetAll, tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfehunter2")
    for path in (str(tmp_path), str(tmp_path / "hunter2"), str(binary)):
        env(DATABASE_URL_FILE=path)
        assert failure() == "GATEWAY_DATABASE_URL_FILE: the file cannot be read."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "hunter2"),
        ("PORT", "hunter2"),
        ("PORT", "65536"),
        ("PUBLIC_URL", "hunter2"),
        ("PUBLIC_URL", "ftp://hunter2.example"),
        ("PUBLIC_URL", "https://:hunter2@billing.example"),
        ("PUBLIC_URL", "https://billing.example:hunter2"),
        ("PUBLIC_URL", "https://billing.example/?hunter2"),
        ("PUBLIC_URL", "https://billing.example/#hunter2"),
        ("PUBLIC_URL", "https://[hunter2"),
        ("TRUSTED_PROXIES", "127.0.0.1,hunter2"),
        ("ALLOWED_HOSTS", "https://hunter2"),
        ("ALLOWED_HOSTS", "hunter2:8000"),
        ("ALLOWED_ORIGINS", "hunter2"),
        ("HOME_URL", "http://hunter2.example"),
        ("HELP_URL", "hunter2"),
        ("CUSTOMER_PORTAL_URL", "javascript:hunter2"),
        ("PLATFORM_ACCENT", "hunter2"),
        ("PLATFORM_NAME", "hunter2" * 8),
        ("PLATFORM_NAME", "hunter2\x07"),
        ("ALLOWED_ORIGINS", "https://billing.example/hunter2"),
        ("FRAME_ANCESTORS", "https://a.example; script-src hunter2"),
        ("FRAME_ANCESTORS", "https://a.example;hunter2"),
        ("FRAME_ANCESTORS", "'hunter2'"),
        ("OIDC_ISSUER", "http://hunter2.example"),
        ("TOP_UP_URL", "javascript:hunter2"),
        ("DEPLOYMENT_URL", "http://hunter2.example/{externalId}"),
        ("DEPLOYMENT_URL", "https://hunter2.example"),
        ("JWT_JWKS_URL", "http://hunter2.example/keys"),
        ("JWT_JWKS_URL", "file:///hunter2"),
        ("JWT_ALGORITHMS", "RS256,HS256"),
        ("JWT_ALGORITHMS", "none"),
        ("JWT_ALGORITHMS", "hunter2"),
        ("JWT_ALGORITHMS", ","),
        ("JWT_LEEWAY_SECONDS", "61"),
        ("JWT_LEEWAY_SECONDS", "-1"),
        ("API_KEY_PEPPER", "hunter2"),
        ("DATABASE_POOL_WAIT_SECONDS", "hunter2"),
        ("DATABASE_URL", "hunter2"),
        ("DATABASE_URL", "mysql://owner:hunter2@db.example/billing"),
        ("DATABASE_URL", "postgresql:/hunter2"),
        ("DATABASE_URL", "postgresql://db.example:hunter2/billing"),
        ("DATABASE_URL", "postgresql://[hunter2"),
        ("DATABASE_URL", "sqlite://hunter2"),
        ("MIGRATION_DATABASE_URL", "postgresql://owner:p@hunter2@db.example/billing"),
        ("LISTEN_DATABASE_URL", "hunter2"),
    ],
)
def test_a_wrong_value_is_named_and_never_quoted(env: SetAll, name: str, value: str) -> None:
    env(**{name: value})
    message = failure()
    assert message.startswith(f"GATEWAY_{name}: ")
    assert message.endswith(".")
    assert "Value error" not in message


def test_every_wrong_value_is_named_at_once(env: SetAll) -> None:
    env(PORT="hunter2", PUBLIC_URL="hunter2", JWT_ALGORITHMS="none,hunter2")
    lines = failure().splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "GATEWAY_PORT",
        "GATEWAY_PUBLIC_URL",
        "GATEWAY_JWT_ALGORITHMS",
    ]


def test_unknown_variables_are_named_with_the_nearest_setting(env: SetAll) -> None:
    env(PROT="9000", DATABASE_URI_FILE="/hunter2", QXZ="1", PORT="9000", SIGNING_KEYS_FILE="/k")
    env(SKIP_CONSOLE="1")
    assert list(unknown_variables(SETTINGS)) == [
        (
            "GATEWAY_DATABASE_URI_FILE is not a setting and has no effect. "
            "Did you mean GATEWAY_DATABASE_URL?"
        ),
        "GATEWAY_PROT is not a setting and has no effect. Did you mean GATEWAY_PORT?",
        "GATEWAY_QXZ is not a setting and has no effect.",
    ]


def test_variables_that_kubernetes_makes_are_not_read(env: SetAll) -> None:
    env(
        PORT="tcp://10.0.0.1:80",
        PORT_80_TCP="tcp://10.0.0.1:80",
        PORT_80_TCP_PROTO="tcp",
        PORT_80_TCP_PORT="80",
        PORT_80_TCP_ADDR="10.0.0.1",
        SERVICE_HOST="10.0.0.1",
        SERVICE_PORT="80",
        SERVICE_PORT_HTTP="80",
        METRICS_PORT="tcp://10.0.0.2:90",
        METRICS_SERVICE_HOST="10.0.0.2",
    )
    assert list(unknown_variables(SETTINGS)) == []
    assert load_settings() == Settings()
    assert load_settings().port == 8000


def test_no_print_out_shows_a_secret(env: SetAll) -> None:
    env(**{name.upper(): secret_for(name) for name in SECRETS})
    settings = load_settings()
    for text in (
        repr(settings),
        str(settings),
        f"{settings.model_dump()}",
        settings.model_dump_json(),
    ):
        assert "hunter2" not in text
        assert text.count("**") >= len(SECRETS)


def test_keys_may_be_fetched_by_http_from_loopback_alone(env: SetAll) -> None:
    for url in (
        "http://127.0.0.1:9/k",
        "http://[::1]/k",
        "http://localhost/k",
        "https://a.b/k?p=1",
    ):
        env(JWT_JWKS_URL=url)
        assert load_settings().auth.jwt_jwks_url == url


@pytest.mark.parametrize(
    ("public_url", "hosts", "origins"),
    [
        (
            "https://Billing.example:8443/base",
            ("billing.example",),
            ("https://billing.example:8443",),
        ),
        ("https://billing.example:443", ("billing.example",), ("https://billing.example",)),
        ("http://[::1]:80", ("[::1]",), ("http://[::1]",)),
        (None, (), ()),
    ],
)
def test_hosts_and_origins_follow_the_public_url(
    public_url: str | None, hosts: tuple[str, ...], origins: tuple[str, ...]
) -> None:
    settings = load_settings(public_url=public_url)
    assert (settings.hosts, settings.origins) == (hosts, origins)


def test_dev_adds_loopback_to_hosts_and_origins() -> None:
    settings = load_settings(environment="dev", port=9000, public_url="http://box.example")
    assert settings.hosts == ("box.example", "localhost", "127.0.0.1", "[::1]")
    assert settings.origins == (
        "http://box.example",
        "http://localhost:9000",
        "http://127.0.0.1:9000",
        "http://[::1]:9000",
    )


def test_stated_hosts_and_origins_stand_alone() -> None:
    settings = load_settings(
        environment="dev",
        public_url="https://a.example",
        allowed_hosts="b.example",
        allowed_origins="https://c.example",
    )
    assert (settings.hosts, settings.origins) == (("b.example",), ("https://c.example",))


@pytest.mark.parametrize(
    ("host", "answer"),
    [("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True)]
    + [(name, False) for name in ("", EVERYWHERE, "::", "localhost.example", "127.0.0.1.example")],
)
def test_loopback_is_recognised(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer


def test_an_origin_is_written_as_browsers_send_it() -> None:
    assert origin_of("HTTP://A.example:80/x?y") == "http://a.example"
    assert origin_of("http://a.example:8080") == "http://a.example:8080"
    assert origin_of("https://a.example:80") == "https://a.example:80"
