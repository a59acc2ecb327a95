"""URLs of databases: those that are refused, and what messages say of them."""

import pytest

from gateway.errors import ConfigurationError, GatewayError
from gateway.migrations import migrate
from gateway.settings import load_settings
from gateway.store import connect

URL = "postgresql://gateway:hunter2@127.0.0.1:1/gateway"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("sslmode=hunter2", "must have one of these as sslmode: prefer, disable, allow, require"),
        ("sslmode=verify-full", "must name the issuer's certificate as sslrootcert"),
        (
            "sslmode=verify-ca&sslrootcert=/nowhere/hunter2",
            "a file that can be read as sslrootcert",
        ),
        ("sslcert=/nowhere/hunter2", "must name a file that can be read as sslcert"),
        (f"sslkey={__file__}", "must name sslcert and sslkey together"),
    ],
)
@pytest.mark.parametrize("name", ["database_url", "migration_database_url", "listen_database_url"])
def test_parameters_of_tls_are_checked(name: str, query: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(**{name: f"{URL}?{query}"})
    assert caught.value.message.startswith(f"GATEWAY_{name.upper()}: must ")
    assert reason in caught.value.message
    assert "hunter2" not in caught.value.message


def test_the_certificates_of_the_system_are_allowed() -> None:
    load_settings(database_url=f"{URL}?sslmode=verify-full&sslrootcert=system")


@pytest.mark.parametrize(
    "url",
    [
        URL,
        f"{URL}?sslmode=require",
        "postgresql://gateway@127.0.0.1:1/gateway?password=hunter2",
        "postgresql://127.0.0.1:1/gateway?password=hunter2&unknown=hunter2",
        "postgresql://gateway:p@hunter2@127.0.0.1:1/gateway",
        "postgresql://gateway:%zzhunter2@127.0.0.1:1/gateway",
        "postgresql://gateway:hunt hunter2@127.0.0.1:1/gateway",
        "postgresql://gateway:x/hunter2@127.0.0.1:1/gateway",
        "postgresql://gateway:x?hunter2@127.0.0.1:1/gateway",
        "postgresql://gateway:x#hunter2@127.0.0.1:1/gateway",
        "postgresql://gateway:hunter2@127.0.0.1:port/gateway",
        "postgresql://gateway:hunter2@127.0.0.1:99999/gateway",
        "postgresql://gateway:hunter2@[::1/gateway",
        "postgresql://gateway:hunter2@/gateway?host=/nowhere",
        "mysql://gateway:hunter2@127.0.0.1/gateway",
        "hunter2",
    ],
)
async def test_no_message_has_a_part_of_a_url(url: str) -> None:
    async def migrated() -> None:
        load_settings(database_url=url)
        await migrate(url)

    async def connected() -> None:
        await connect(load_settings(database_url=url))

    for use in (migrated, connected):
        with pytest.raises(GatewayError) as caught:
            await use()
        assert "hunter2" not in caught.value.message
