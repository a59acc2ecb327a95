"""`gateway account`: the platform's accounts, and who may read them."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from gateway.billing import accounts as billing
from gateway.billing.accounts import SUBJECT_LIMIT, AccountFacts, put_account, put_thresholds
from gateway.billing.balance.low_balance import Thresholds
from gateway.cli.resources import open_database, operator, read_settings
from gateway.clock import SystemClock
from gateway.errors import NotFound
from gateway.ids import KeyFactory, encode_global_id
from gateway.models import LowBalance
from gateway.money import format_amount, parse_exact_nanos
from gateway.principal import Role
from gateway.settings import Settings
from gateway.store import Snapshot, accounts
from gateway.store.rows import AccountRow, MemberRow
from gateway.text import checked_identifier, checked_name

PAGE: Final = 500
"""Accounts that `list` reads at once."""

account = typer.Typer(help="Manage accounts and their members.", no_args_is_help=True)

ExternalId = Annotated[str, typer.Argument(help="The account's external id.")]
LowAmount = Annotated[
    str | None,
    typer.Option(help="Warn at or below this balance, as a decimal in the account's currency."),
]
LowDays = Annotated[
    int | None, typer.Option(help="Warn when the balance lasts at most this many days.")
]


@account.command()
def create(
    external_id: ExternalId,
    name: Annotated[str, typer.Option(help="Display name.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "USD",
    time_zone: Annotated[str, typer.Option(help="IANA name.")] = "UTC",
    owner: Annotated[str | None, typer.Option(help="Subject of the account's owner.")] = None,
    low_amount: LowAmount = None,
    low_days: LowDays = None,
) -> None:
    """Create an account and print its id; an existing account stays unchanged."""
    facts = AccountFacts(
        external_id=checked_identifier(external_id, "external_id", limit=200),
        name=checked_name(name, "name", limit=200),
        currency=currency,
        time_zone=time_zone,
        members=[(_subject(owner, "owner"), Role.OWNER)] if owner else [],
        low_balance_nanos=_thresholds(low_amount, low_days).nanos,
        low_balance_days=low_days,
    )
    typer.echo(asyncio.run(_create(read_settings(), facts)))


def _subject(value: str, argument: str) -> str:
    return checked_identifier(value, argument, limit=SUBJECT_LIMIT)


async def _create(settings: Settings, facts: AccountFacts) -> str:
    clock = SystemClock()
    async with open_database(settings) as database, database.writing(operator()) as transaction:
        found = await accounts.by_external_id(transaction, [facts.external_id])
        account_id = (
            found[0]["account_id"]
            if found
            else await put_account(
                transaction,
                facts,
                actor=operator(),
                clock=clock,
                keys=KeyFactory(clock),
                usage_delay_seconds=settings.usage_delay_seconds,
            )
        )
    return encode_global_id("Account", account_id)


@account.command("list")
def list_accounts() -> None:
    """Print every account, oldest first: id, external id, name, time zone, balance and low-balance
    thresholds.
    """
    asyncio.run(_print_all(read_settings()))


async def _print_all(settings: Settings) -> None:
    async with open_database(settings) as database, Snapshot(database, operator()) as snapshot:
        after = -1
        while rows := await accounts.list_page(snapshot, after=after, limit=PAGE):
            for row in rows:
                typer.echo(_line(row))
            after = rows[-1]["account_id"]


@account.command()
def show(external_id: ExternalId) -> None:
    """Print an account's id, name, time zone, balance and low-balance thresholds."""
    typer.echo(_line(asyncio.run(_find(read_settings(), external_id))))


def _line(row: AccountRow) -> str:
    return "\t".join(
        [
            encode_global_id("Account", row["account_id"]),
            row["external_id"],
            row["name"],
            _zone(row),
            f"{format_amount(row['balance_nanos'], row['currency'])} {row['currency']}",
            _warning(row),
        ]
    )


def _zone(row: AccountRow) -> str:
    pending = row["pending_time_zone"]
    return f"{row['time_zone']}, then {pending}" if pending else row["time_zone"]


def _warning(row: AccountRow) -> str:
    nanos, days, currency = row["low_balance_nanos"], row["low_balance_days"], row["currency"]
    amount = None if nanos is None else f"{format_amount(nanos, currency)} {currency}"
    warned = " or ".join(filter(None, [amount, f"{days} days" if days else None]))
    warning = f"warned at {warned}" if warned else "never warned"
    return f"{warning}: low by {row['low_balance']}" if row["low_balance"] else warning


@account.command("low-balance")
def low_balance(
    external_id: ExternalId, low_amount: LowAmount = None, low_days: LowDays = None
) -> None:
    """Replace an account's low-balance thresholds and print whether the balance is low; without
    options, remove them.
    """
    thresholds = _thresholds(low_amount, low_days)
    low = asyncio.run(_put_thresholds(read_settings(), external_id, thresholds))
    typer.echo(f"The balance is low by {low}." if low else "The balance is not low.")


def _thresholds(low_amount: str | None, low_days: int | None) -> Thresholds:
    if low_amount is None:
        return Thresholds(days=low_days)
    return Thresholds(parse_exact_nanos(low_amount, argument="low_amount"), low_days)


async def _put_thresholds(
    settings: Settings, external_id: str, thresholds: Thresholds
) -> LowBalance | None:
    clock = SystemClock()
    row = await _find(settings, external_id)
    async with open_database(settings) as database, database.writing(operator()) as transaction:
        return await put_thresholds(
            transaction,
            row["account_id"],
            thresholds,
            actor=operator(),
            clock=clock,
            keys=KeyFactory(clock),
            usage_delay_seconds=settings.usage_delay_seconds,
        )


@account.command("put-member")
def put_member(
    external_id: ExternalId,
    subject: Annotated[str, typer.Argument(help="Subject of the person's tokens.")],
    role: Annotated[Role, typer.Option(help="The member's role.")] = Role.VIEWER,
) -> None:
    """Add a member to an account, or change a member's role."""
    subject = _subject(subject, "subject")
    asyncio.run(_put_member(read_settings(), external_id, subject, role))
    typer.echo(f"{subject} is {role} of {external_id}.")


async def _put_member(settings: Settings, external_id: str, subject: str, role: Role) -> None:
    row = await _find(settings, external_id)
    async with open_database(settings) as database, database.writing(operator()) as transaction:
        account_ids = [row["account_id"]]
        await billing.put_member(
            transaction, account_ids, subject, role, actor=operator(), clock=SystemClock()
        )


@account.command("members")
def list_members(external_id: ExternalId) -> None:
    """Print an account's members: subject, role and date of joining."""
    for row in asyncio.run(_members(read_settings(), external_id)):
        typer.echo(f"{row['subject']}\t{row['role']}\t{row['created_at']:%Y-%m-%d}")


async def _members(settings: Settings, external_id: str) -> Sequence[MemberRow]:
    row = await _find(settings, external_id)
    async with open_database(settings) as database, Snapshot(database, operator()) as snapshot:
        return await accounts.list_members(snapshot, row["account_id"])


@account.command("remove-member")
def remove_member(
    external_id: ExternalId,
    subject: Annotated[str, typer.Argument(help="Subject of the member's tokens.")],
) -> None:
    """Remove a member; the member's open subscriptions end within 30 seconds."""
    asyncio.run(_remove_member(read_settings(), external_id, subject))
    typer.echo(f"{subject} is no longer a member of {external_id}.")


async def _remove_member(settings: Settings, external_id: str, subject: str) -> None:
    row = await _find(settings, external_id)
    async with open_database(settings) as database, database.writing(operator()) as transaction:
        if not await billing.remove_member(
            transaction, row["account_id"], subject, actor=operator(), clock=SystemClock()
        ):
            raise NotFound(f"{subject} is not a member of {external_id}.")


async def _find(settings: Settings, external_id: str) -> AccountRow:
    async with open_database(settings) as database, Snapshot(database, operator()) as snapshot:
        found = await accounts.by_external_id(snapshot, [external_id])
    if not found:
        raise NotFound(f"No account has the external id {external_id}.")
    return found[0]
