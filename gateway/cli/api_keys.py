"""`gateway api-key`: keys for machines."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from gateway.auth.key_store import issue_key, revoke_key
from gateway.cli.messages import complain
from gateway.cli.resources import open_database, operator, read_settings
from gateway.clock import SystemClock
from gateway.errors import NotFound
from gateway.principal import Permission
from gateway.settings import Settings
from gateway.store import Reader, Snapshot, accounts
from gateway.store import api_keys as stored
from gateway.text import checked_name

api_key = typer.Typer(help="Manage API keys.", no_args_is_help=True)


@api_key.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the key, shown in lists.")],
    scope: Annotated[list[Permission], typer.Option(help="A scope of the key; may be repeated.")],
    account: Annotated[
        str | None,
        typer.Option(
            help="External id of the account of an account key. Default: a platform "
            "key, for every account."
        ),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days until the key expires. Default: never.")
    ] = None,
) -> None:
    """Create a key and print it. The key cannot be shown again. Names may repeat: a warning on
    standard error lists the ids of valid keys with the same name.
    """
    typer.echo(asyncio.run(_create(read_settings(), name, frozenset(scope), account, days)))


async def _create(
    settings: Settings,
    name: str,
    scopes: frozenset[Permission],
    account: str | None,
    days: int | None,
) -> str:
    clock = SystemClock()
    now = clock.now()
    pepper = settings.auth.api_key_pepper
    name = checked_name(name, "name", limit=200)
    async with open_database(settings) as database, database.writing(operator()) as transaction:
        namesakes = await _active_keys(transaction, name, now)
        key = await issue_key(
            transaction,
            environment="dev" if settings.environment == "dev" else "live",
            name=name,
            scopes=scopes,
            actor=operator(),
            clock=clock,
            account_id=await _account_id(transaction, account) if account else None,
            expires_at=now + timedelta(days=days) if days else None,
            pepper=pepper.get_secret_value().encode() if pepper else None,
        )
    if namesakes:
        complain(
            f"Warning: There is already a key named {name}: {', '.join(namesakes)}. It goes on "
            "beside the new one until `gateway api-key revoke` ends it."
        )
    return key.text


async def _active_keys(reader: Reader, name: str, now: datetime) -> list[str]:
    """Return the ids of valid keys with a name."""
    return [
        row["id"]
        for row in await stored.list_all(reader)
        if row["name"] == name
        and row["revoked_at"] is None
        and (row["expires_at"] is None or row["expires_at"] > now)
    ]


@api_key.command("list")
def list_keys() -> None:
    """Print every key: id, scopes, account, state, times of creation and last use (UTC), and name.

    The last use is up to an hour older than it was.
    """
    for line in asyncio.run(_list(read_settings())):
        typer.echo(line)


async def _list(settings: Settings) -> list[str]:
    now = SystemClock().now()
    async with open_database(settings) as database, Snapshot(database, operator()) as snapshot:
        rows = await stored.list_all(snapshot)
    return [
        "\t".join(
            [
                row["id"],
                row["scopes"],
                row["external_id"] or "every account",
                _state(row["revoked_at"], row["expires_at"], now),
                f"made {row['created_at'].astimezone(UTC):%Y-%m-%d}",
                _last_use(row["last_used_at"]),
                row["name"],
            ]
        )
        for row in rows
    ]


def _last_use(at: datetime | None) -> str:
    return "never used" if at is None else f"last used {at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _state(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> str:
    if revoked_at is not None:
        return f"revoked {revoked_at.astimezone(UTC):%Y-%m-%d}"
    if expires_at is None:
        return "active"
    word = "expires" if expires_at > now else "expired"
    return f"{word} {expires_at.astimezone(UTC):%Y-%m-%d}"


@api_key.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `list` prints it.")],
) -> None:
    """Revoke a key; the gateway refuses the key within 30 seconds."""
    asyncio.run(_revoke(read_settings(), key_id))
    typer.echo(f"{key_id} is revoked.")


async def _revoke(settings: Settings, key_id: str) -> None:
    async with open_database(settings) as database, database.writing(operator()) as transaction:
        if not await revoke_key(transaction, key_id, actor=operator(), clock=SystemClock()):
            raise NotFound("API key not found, or already revoked.")


async def _account_id(reader: Reader, external_id: str) -> int:
    found = await accounts.by_external_id(reader, [external_id])
    if not found:
        raise NotFound(f"No account has the external id {external_id}.")
    account_id: int = found[0]["account_id"]
    return account_id
