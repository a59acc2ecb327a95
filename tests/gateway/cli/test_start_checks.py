from pathlib import Path

import pytest

from gateway.cli.start_checks import check_start, start_warnings
from gateway.dev.keys import KEY_FILE, dev_key, dev_signing_keys
from gateway.errors import ConfigurationError
from gateway.settings import load_settings
from tests.gateway.auth.issuer import new_key

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a value to be judged; nothing listens on it
KEY = new_key().as_pem().decode()
GOOD: dict[str, str | None] = {
    "jwt_issuer": "https://issuer.example/",
    "jwt_audience": "https://billing.example",
    "jwt_public_key": KEY,
    "public_url": "https://billing.example",
    "database_url": "sqlite:////data/gateway.db",
    "signing_keys": "k1:" + "hunter2-" * 4,
    "seller_name": "Northwind Compute",
    "seller_address": "Hafenstraße 12|20457 Hamburg",
}


def refusal_of(tmp_path: Path, **changes: object) -> str:
    settings = load_settings(**{"data_dir": tmp_path, **GOOD, **changes})
    with pytest.raises(ConfigurationError) as caught:
        check_start(settings)
    assert "hunter2" not in caught.value.message
    assert caught.value.message.count(". ") == 0
    return caught.value.message


def test_production_with_everything_starts(tmp_path: Path) -> None:
    check_start(load_settings(data_dir=tmp_path, **GOOD))
    check_start(load_settings(data_dir=tmp_path, host=EVERYWHERE, **GOOD))
    by_url = {"jwt_public_key": None, "jwt_jwks_url": "https://issuer.example/keys"}
    check_start(load_settings(data_dir=tmp_path, **GOOD | by_url))


@pytest.mark.parametrize(
    "name", ["jwt_issuer", "jwt_audience", "public_url", "database_url", "signing_keys"]
)
def test_production_names_the_setting_that_is_missing(tmp_path: Path, name: str) -> None:
    assert refusal_of(tmp_path, **{name: None}) == (
        f"GATEWAY_{name.upper()}: must be set in production."
    )


def test_production_names_every_missing_setting_at_once(tmp_path: Path) -> None:
    missing = dict.fromkeys(("jwt_issuer", "public_url", "signing_keys", "jwt_public_key"))
    message = refusal_of(tmp_path, oidc_client_id="page", allowed_origins="*", **missing)
    assert message.splitlines() == [
        "GATEWAY_JWT_ISSUER: must be set in production.",
        "GATEWAY_PUBLIC_URL: must be set in production.",
        "GATEWAY_SIGNING_KEYS: must be set in production.",
        (
            "Exactly one of GATEWAY_JWT_JWKS_URL and GATEWAY_JWT_PUBLIC_KEY must be set in "
            "production."
        ),
        "GATEWAY_ALLOWED_ORIGINS: must not be `*` in production.",
        "GATEWAY_OIDC_ISSUER and GATEWAY_OIDC_CLIENT_ID must be set together.",
    ]


@pytest.mark.parametrize("name", ["seller_name", "seller_address"])
def test_production_issues_no_documents_without_a_seller(tmp_path: Path, name: str) -> None:
    assert refusal_of(tmp_path, **{name: ""}) == (
        f"GATEWAY_{name.upper()}: must be set in production, unless GATEWAY_RECEIPTS=0."
    )
    for receipts, statements, switches in (
        ("0", "1", "GATEWAY_STATEMENTS=0"),
        ("1", "0", "GATEWAY_RECEIPTS=0"),
        ("1", "1", "GATEWAY_RECEIPTS=0 and GATEWAY_STATEMENTS=0"),
    ):
        assert refusal_of(
            tmp_path, **{name: "", "receipts": receipts, "statements": statements}
        ).endswith(f"unless {switches}.")
    check_start(load_settings(**GOOD | {"data_dir": tmp_path, name: "", "receipts": "0"}))
    check_start(load_settings(environment="dev", data_dir=tmp_path))


def test_half_a_sign_in_and_an_editor_without_use_stop_the_start(tmp_path: Path) -> None:
    for half in ({"oidc_issuer": "https://issuer.example/"}, {"oidc_client_id": "page"}):
        message = "GATEWAY_OIDC_ISSUER and GATEWAY_OIDC_CLIENT_ID must be set together."
        assert refusal_of(tmp_path, **half) == message
        assert refusal_of(tmp_path, environment="dev", **half) == message
    message = refusal_of(tmp_path, trusted_only=True, graphiql=True)
    assert message.startswith("GATEWAY_GRAPHIQL: cannot be combined with GATEWAY_TRUSTED_ONLY")


def test_production_needs_exactly_one_source_of_keys(tmp_path: Path) -> None:
    url = "https://issuer.example/keys"
    for changes in ({"jwt_public_key": None}, {"jwt_jwks_url": url}):
        message = refusal_of(tmp_path, **changes)
        assert message.startswith("Exactly one of GATEWAY_JWT_JWKS_URL")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_hosts", "billing.example,*"),
        ("allowed_origins", "*"),
        ("frame_ancestors", "*"),
        ("jwt_issuer", "dev"),
        ("signing_keys", "k1:hunter2"),
        ("signing_keys", "hunter2"),
        ("jwt_public_key", "hunter2"),
        ("jwt_public_key", new_key().as_pem(private=True).decode()),
    ],
)
def test_production_refuses_what_is_weak_or_open(tmp_path: Path, name: str, value: str) -> None:
    assert refusal_of(tmp_path, **{name: value}).startswith(f"GATEWAY_{name.upper()}: ")


def test_production_refuses_the_dev_secrets(tmp_path: Path) -> None:
    pem = dev_key(tmp_path).as_pem().decode()
    assert refusal_of(tmp_path, jwt_public_key=pem) == (
        "GATEWAY_JWT_PUBLIC_KEY: must not be the dev key in production."
    )
    private = (tmp_path / KEY_FILE).read_text()
    assert "private" in refusal_of(tmp_path, jwt_public_key=private)
    assert refusal_of(tmp_path, signing_keys=dev_signing_keys(tmp_path)) == (
        "GATEWAY_SIGNING_KEYS: must not hold the dev key in production."
    )
    check_start(load_settings(data_dir=tmp_path, **GOOD))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_dev_starts_on_loopback_without_any_setting(tmp_path: Path, host: str) -> None:
    check_start(load_settings(environment="dev", data_dir=tmp_path, host=host))


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "", "10.0.0.1", "billing.example"])
def test_dev_listens_elsewhere_only_by_a_setting_that_says_so(tmp_path: Path, host: str) -> None:
    assert "GATEWAY_DEV_LISTEN_ALL=1" in refusal_of(tmp_path, environment="dev", host=host)
    check_start(load_settings(environment="dev", data_dir=tmp_path, host=host, dev_listen_all=True))


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 1),
        ({"trusted_proxies": "10.0.0.0/8"}, 0),
        ({"public_url": "http://127.0.0.1:8000"}, 0),
        ({"environment": "dev"}, 0),
    ],
)
def test_production_warns_of_a_proxy_that_is_not_trusted(
    tmp_path: Path, changes: dict[str, str], count: int
) -> None:
    settings = load_settings(data_dir=tmp_path, **GOOD | changes)
    warnings = list(start_warnings(settings))
    assert [each.split(":")[0] for each in warnings] == ["GATEWAY_TRUSTED_PROXIES"] * count


def test_a_pooler_needs_the_direct_url(tmp_path: Path) -> None:
    pooled = "postgresql://gateway:hunter2@pooler/gateway"
    message = refusal_of(tmp_path, database_url=pooled, database_pooler=True)
    assert message.startswith("GATEWAY_LISTEN_DATABASE_URL: must be the direct URL")
