"""API keys that were made before members had a scope of their own."""

from gateway.migrations import migrate
from tests.support.raw import execute

BEFORE = "0011"
KEYS = {
    "writer": ("NULL", "accounts:write usage:write", "accounts:write members:write usage:write"),
    "meter": ("NULL", "usage:write", "usage:write"),
    "admin": ("NULL", "admin", "admin"),
    "bound": ("1", "accounts:write", "accounts:write"),
}


async def test_platform_keys_that_wrote_members_still_do(empty_url: str) -> None:
    await migrate(empty_url, revision=BEFORE)
    now = "1700000000000000" if empty_url.startswith("sqlite") else "now()"
    await execute(
        empty_url,
        "INSERT INTO account (account_id, external_id, name, currency, time_zone, receipt_prefix, "
        "balance_nanos, ledger_version, balance_at, deployment_count, revision, created_at) "
        f"VALUES (1, 'acme', 'Acme', 'USD', 'UTC', 'AAAAAAAA', 0, 0, {now}, 0, 1, {now})",
        *(
            "INSERT INTO api_key (id, account_id, name, digest, scopes, created_at) "
            f"VALUES ('{name}', {account}, '{name}', '', '{scopes}', {now}) RETURNING 1"
            for name, (account, scopes, _) in KEYS.items()
        ),
    )
    await migrate(empty_url)
    rows = await execute(empty_url, "SELECT id, scopes FROM api_key")
    assert dict(rows) == {name: scopes for name, (_, _, scopes) in KEYS.items()}
