"""`gateway account`: the platform's accounts, and who may read them."""

import asyncio
from typing import Annotated

import typer

from gateway.billing.accounts import SUBJECT_LIMIT, AccountFacts, put_account
from gateway.clock import SystemClock
from gateway.commands.tools import open_database, read_settings
from gateway.errors import Conflict, NotFound
from gateway.ids import KeyFactory, encode_global_id
from gateway.money import format_amount
from gateway.principal import Role
from gateway.settings import Settings
from gateway.store import Row, Snapshot, accounts, members
from gateway.text import checked_text

account = typer.Typer(help="Accounts: made, shown, and who may read them.", no_args_is_help=True)

ExternalId = Annotated[str, typer.Argument(help="The platform's own name of the account.")]


@account.command()
def create(
    external_id: ExternalId,
    name: Annotated[str, typer.Option(help="The name that people read.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "USD",
    time_zone: Annotated[str, typer.Option(help="IANA name.")] = "UTC",
    owner: Annotated[str | None, typer.Option(help="Subject that becomes its owner.")] = None,
) -> None:
    """Make an account and print its id; one that is there already stays as it is."""
    facts = AccountFacts(
        external_id=checked_text(external_id, "external_id", limit=200),
        name=checked_text(name, "name", limit=200),
        currency=currency,
        time_zone=time_zone,
        members=[(checked_text(owner, "owner", limit=SUBJECT_LIMIT), Role.OWNER)] if owner else [],
    )
    typer.echo(asyncio.run(_create(read_settings(), facts)))


async def _create(settings: Settings, facts: AccountFacts) -> str:
    clock = SystemClock()
    async with open_database(settings) as database, database.writing() as transaction:
        if await accounts.by_external_id(transaction, [facts.external_id]):
            raise Conflict("There is an account with this external id.")
        made = await put_account(transaction, facts, clock=clock, keys=KeyFactory(clock))
    return encode_global_id("Account", made)


@account.command()
def show(external_id: ExternalId) -> None:
    """Print an account's id, name, zone and balance."""
    row = asyncio.run(_find(read_settings(), external_id))
    typer.echo(
        "\t".join(
            [
                encode_global_id("Account", row["account_id"]),
                row["external_id"],
                row["name"],
                row["time_zone"],
                f"{format_amount(row['balance_nanos'], row['currency'])} {row['currency']}",
            ]
        )
    )


@account.command("put-member")
def put_member(
    external_id: ExternalId,
    subject: Annotated[str, typer.Argument(help="Subject of the person's tokens.")],
    role: Annotated[Role, typer.Option(help="What the member may see.")] = Role.VIEWER,
) -> None:
    """Let somebody read an account; a member gets the role."""
    subject = checked_text(subject, "subject", limit=SUBJECT_LIMIT)
    asyncio.run(_put_member(read_settings(), external_id, subject, role))
    typer.echo(f"{subject} is {role} of {external_id}.")


async def _put_member(settings: Settings, external_id: str, subject: str, role: Role) -> None:
    row = await _find(settings, external_id)
    async with open_database(settings) as database, database.writing() as transaction:
        await members.put(transaction, [row["account_id"]], subject, role, SystemClock().now())


async def _find(settings: Settings, external_id: str) -> Row:
    async with open_database(settings) as database, Snapshot(database) as snapshot:
        found = await accounts.by_external_id(snapshot, [external_id])
    if not found:
        raise NotFound(f"There is no account with the external id {external_id}.")
    return found[0]
