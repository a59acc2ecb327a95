"""`gateway export`: all rows of a filter or a window into a file."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import IO, Annotated, Final, TypeAlias

import typer

from gateway.audit.deeds import Deed
from gateway.audit.listing import read_filter
from gateway.cli.output import open_output
from gateway.cli.progress import reporter, show_progress
from gateway.cli.resources import open_database, read_settings
from gateway.cli.usage_filters import (
    Deployments,
    GpuModels,
    Projects,
    Providers,
    Resources,
    UsageFilters,
)
from gateway.clock import SystemClock
from gateway.errors import NotFound
from gateway.exports.audit_events import open_audit_events
from gateway.exports.export import ExportFormat
from gateway.exports.open import Opened, open_ledger, open_purchases, open_usage
from gateway.exports.request import (
    LedgerExportRequest,
    PurchaseExportRequest,
    UsageExportRequest,
    UsageRows,
)
from gateway.models import CreditPurchaseKind, CreditPurchaseStatus, LedgerCause
from gateway.principal import Permission, Principal
from gateway.settings import Settings
from gateway.store import Snapshot, accounts
from gateway.store.audit_events import AuditFilter
from gateway.store.engine.stream import Stream
from gateway.store.rows import AccountRow
from gateway.store.usage_filter import UsageDimension
from gateway.windows import Interval

export = typer.Typer(
    help="Export an account's purchases, usage or ledger to a file. A failed export leaves no "
    "file.",
    no_args_is_help=True,
)

Open: TypeAlias = Callable[[Stream, AccountRow], Awaitable[Opened]]

Account = Annotated[str, typer.Option(help="The account's external id.")]
Format = Annotated[ExportFormat, typer.Option("--format", help="Format of the file.")]
From = Annotated[
    str | None, typer.Option("--from", help="First day (inclusive), such as 2026-11-01.")
]
To = Annotated[str | None, typer.Option(help="Last day (inclusive).")]
TimeZone = Annotated[str | None, typer.Option(help="IANA name; default: the account's.")]
Output = Annotated[
    Path | None,
    typer.Option(
        help="A file, or a directory for a file with the default name. Default: standard output."
    ),
]

_OPERATOR: Final = Principal(
    subject="command line", key_id="command line", scopes=frozenset({Permission.BILLING_READ})
)


@export.command("credit-purchases")
def export_purchases(
    account: Account,
    format_: Format = ExportFormat.CSV,
    from_: From = None,
    to: To = None,
    time_zone: TimeZone = None,
    status: Annotated[
        list[CreditPurchaseStatus] | None,
        typer.Option(help="Only purchases with this status; may be repeated."),
    ] = None,
    kind: Annotated[
        list[CreditPurchaseKind] | None,
        typer.Option(help="Only purchases of this kind; may be repeated."),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(help="Only purchases with this text or amount, as `search` in the API."),
    ] = None,
    output: Output = None,
) -> None:
    """Export credit purchases, oldest first."""
    parameters = _parameters(from_, to, time_zone)
    parameters |= {
        name: ",".join(each) for name, each in (("status", status), ("kind", kind)) if each
    }
    if search is not None:
        parameters["search"] = search

    async def open_(stream: Stream, row: AccountRow) -> Opened:
        request = PurchaseExportRequest.read(parameters, row)
        return await open_purchases(stream, _OPERATOR, row, request, format_)

    asyncio.run(_export(read_settings(), account, open_, output))


@export.command("usage")
def export_usage(
    account: Account,
    format_: Format = ExportFormat.CSV,
    from_: From = None,
    to: To = None,
    time_zone: TimeZone = None,
    interval: Annotated[Interval, typer.Option(help="Length of a bucket.")] = Interval.DAY,
    rows: Annotated[
        UsageRows, typer.Option(help="Every charge, or sums of them by bucket or by value.")
    ] = UsageRows.CHARGES,
    by: Annotated[
        UsageDimension | None, typer.Option(help="Dimension of SERIES, which need one.")
    ] = None,
    then: Annotated[UsageDimension | None, typer.Option(help="Second dimension of SERIES.")] = None,
    deployment: Deployments = None,
    provider: Providers = None,
    gpu_model: GpuModels = None,
    project: Projects = None,
    resource: Resources = None,
    output: Output = None,
) -> None:
    """Export every charge of a window, the earliest first, or sums of them; without dates, of the
    last 30 days, 12 weeks, 12 months or 5 years, by the interval.
    """
    parameters = _parameters(from_, to, time_zone) | {"interval": interval, "rows": rows}
    parameters |= {name: each for name, each in (("by", by), ("then", then)) if each is not None}
    filters = UsageFilters(deployment, provider, gpu_model, project, resource)

    async def open_(stream: Stream, row: AccountRow) -> Opened:
        parameters.update(await filters.parameters(stream, row["account_id"]))
        request = UsageExportRequest.read(parameters, row, SystemClock().now())
        return await open_usage(stream, _OPERATOR, row, request, format_)

    asyncio.run(_export(read_settings(), account, open_, output))


@export.command("ledger")
def export_ledger(
    account: Account,
    format_: Format = ExportFormat.CSV,
    from_: From = None,
    to: To = None,
    time_zone: TimeZone = None,
    cause: Annotated[
        list[LedgerCause] | None,
        typer.Option(help="Only changes with this cause; may be repeated."),
    ] = None,
    output: Output = None,
) -> None:
    """Export every change of the balance, the earliest first: usage by the day of its recording,
    all else one by one. Every format but FOCUS.
    """
    parameters = _parameters(from_, to, time_zone)
    if cause:
        parameters["cause"] = ",".join(cause)

    async def open_(stream: Stream, row: AccountRow) -> Opened:
        request = LedgerExportRequest.read(parameters, row)
        return await open_ledger(stream, _OPERATOR, row, request, format_)

    asyncio.run(_export(read_settings(), account, open_, output))


@export.command("audit-events")
def export_audit_events(
    account: Annotated[
        str | None, typer.Option(help="Only events of this account, by its external id.")
    ] = None,
    format_: Format = ExportFormat.CSV,
    from_: Annotated[
        str | None,
        typer.Option("--from", help="Only events at this instant or later: 2026-11-01T00:00:00Z."),
    ] = None,
    to: Annotated[str | None, typer.Option(help="Only events before this instant.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only events of this actor.")] = None,
    deed: Annotated[Deed | None, typer.Option(help="Only events of this deed.")] = None,
    output: Output = None,
) -> None:
    """Export the audit log, oldest first. CSV or JSONL."""
    given = {"account": account, "from": from_, "to": to, "actor": actor, "deed": deed}
    wanted = read_filter({name: str(each) for name, each in given.items() if each is not None})
    asyncio.run(_export_audit_events(read_settings(), wanted, format_, output))


async def _export_audit_events(
    settings: Settings, wanted: AuditFilter, format_: ExportFormat, output: Path | None
) -> None:
    async with open_database(settings) as database, database.exporting(_OPERATOR) as stream:
        opened = await open_audit_events(stream, _OPERATOR, wanted, format_)
        with open_output(output, opened.name) as file:
            await _write(opened, file)


def _parameters(from_: str | None, to: str | None, time_zone: str | None) -> dict[str, str]:
    parameters = {"from": from_, "to": to, "timeZone": time_zone}
    return {name: text for name, text in parameters.items() if text is not None}


async def _export(settings: Settings, external_id: str, open_: Open, output: Path | None) -> None:
    async with open_database(settings) as database:
        async with Snapshot(database, _OPERATOR) as snapshot:
            found = await accounts.by_external_id(snapshot, [external_id])
        if not found:
            raise NotFound(f"No account has the external id {external_id}.")
        async with database.exporting(_OPERATOR) as stream:
            opened = await open_(stream, found[0])
            with open_output(output, opened.name) as file:
                await _write(opened, file)


async def _write(opened: Opened, file: IO[bytes]) -> None:
    done = 0
    with show_progress() as progress:
        report = reporter(progress, opened.name)
        async with aclosing(opened.parts()) as parts:
            async for body, rows in parts:
                file.write(body)
                done += rows
                report(done, opened.rows)
