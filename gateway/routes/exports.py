"""`GET /exports/…`: all rows of a filter or a window as one file, streamed.

By a signed link, which says everything, or by Authorization and parameters. What was sent is whole
only if the transfer ended properly: whatever goes wrong on the way breaks it off, without HTTP's
last chunk. `X-Export-Rows` says beforehand how many rows there are.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from starlette.types import Receive, Scope, Send

from gateway.clock import Clock
from gateway.errors import (
    BadUserInput,
    DeadlineExceeded,
    GatewayError,
    NotFound,
)
from gateway.exports.export import ExportFormat
from gateway.exports.open import Opened, open_ledger, open_purchases, open_usage
from gateway.exports.request import (
    LedgerExportRequest,
    Parameters,
    PurchaseExportRequest,
    UsageExportRequest,
    read_choice,
)
from gateway.http.body import ClientDisconnected
from gateway.http.credentials import CredentialChecker, credential_of, refuse_credential
from gateway.http.disconnect import WhileConnected, break_off
from gateway.http.headers import attachment
from gateway.http.query import parse_query
from gateway.http.request_log import CLIENT_DISCONNECTED, record_of
from gateway.http.responses import STATUS_BY_CODE, error_response
from gateway.http.streaming import Transfer
from gateway.ids import parse_global_id
from gateway.links import LEDGER_PATH, PURCHASES_PATH, USAGE_PATH, Links, is_signed
from gateway.principal import Principal, Role
from gateway.quotas import AdmissionGate, ConcurrencyQuota, PointQuota
from gateway.quotas.rate import REQUEST_POINTS
from gateway.routes.openapi.route import DescribedRoute
from gateway.settings.exports import ExportSettings
from gateway.store import Database, Snapshot
from gateway.store.account_listing import ACCOUNT_BY_ID, accounts_by_external_id
from gateway.store.engine.stream import Stream
from gateway.store.rows import VisibleAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """The parts that endpoints of exports share. `quota` counts by account, `principal_quota` by
    principal.
    """

    database: Database
    authenticator: CredentialChecker
    links: Links
    clock: Clock
    quota: ConcurrencyQuota
    principal_quota: ConcurrencyQuota
    reads: AdmissionGate
    points: PointQuota
    limits: ExportSettings


def export_routes(parts: Exports) -> list[DescribedRoute]:
    return [
        DescribedRoute(endpoint.PATH, endpoint(parts))
        for endpoint in (PurchasesExport, UsageExport, LedgerExport)
    ]


class ExportEndpoint(ABC):
    """One kind of export; an ASGI application."""

    PATH: ClassVar[str]

    def __init__(self, parts: Exports) -> None:
        self.parts = parts

    @abstractmethod
    async def begin(
        self,
        stream: Stream,
        principal: Principal,
        account: VisibleAccount,
        parameters: dict[str, str],
        details: dict[str, object],
    ) -> Opened:
        """Open the requested export; raises BadUserInput. `details` are the request log's."""

    async def charge(self, key: str, rows: int) -> None:
        """Take the points of the rows."""
        await self.parts.points.take_items(key, rows)

    @abstractmethod
    def check(self, account: VisibleAccount) -> None:
        """Raise Forbidden where the principal's role does not see the exported rows."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        record = record_of(scope)
        transfer = Transfer(
            send,
            head_only=scope["method"] == "HEAD",
            unread_seconds=self.parts.limits.unread_seconds,
            give_way=partial(record.arrivals.give_way, record),
        )
        try:
            # What is sent to a client that left is nowhere: only the watch tells.
            with WhileConnected(receive, patience_seconds=0):
                async with self._in_time():
                    await self._serve(scope, transfer)
            await transfer.end()
        except ClientDisconnected:
            record.broken_as = CLIENT_DISCONNECTED
        except GatewayError as error:
            record.codes = [error.code]
            if not transfer.begun:
                await error_response(error)(scope, receive, send)
                return
            record.broken_as = STATUS_BY_CODE.get(error.code, 500)
            if not await break_off(scope, receive):
                raise  # the transfer must break rather than look complete
        finally:
            record.details["rows"] = transfer.rows

    async def _serve(self, scope: Scope, transfer: Transfer) -> None:
        parts, record = self.parts, record_of(scope)
        record.principal, named, parameters = await self._read_request(scope)
        key = record.principal.quota_key
        await parts.points.take(key, REQUEST_POINTS)
        async with parts.principal_quota.holding(key):
            async with parts.reads.admitted(key):
                account = await self._account(record.principal, named)
            record.accounts = [account["account_id"]]
            self.check(account)
            async with (
                parts.quota.holding(str(account["account_id"])),
                parts.database.exporting(record.principal) as stream,
            ):
                opened = await self.begin(
                    stream, record.principal, account, parameters, record.details
                )
                await self.charge(key, opened.rows)
                await transfer.run(partial(_headers, opened), opened.parts())

    async def _read_request(self, scope: Scope) -> tuple[Principal, int | str, dict[str, str]]:
        """Return the principal, the account (its key, or the name in the parameter) and the other
        parameters.
        """
        query = scope["query_string"].decode("latin-1")
        if is_signed(query):
            refuse_credential(scope)
            grant = self.parts.links.check(scope["raw_path"].decode("latin-1"), query)
            return grant.principal, grant.account_id, dict(grant.parameters)
        principal = await self.parts.authenticator.authenticate(credential_of(scope))
        parameters = parse_query(query)
        name = parameters.pop("account", None)
        if name is None:
            raise BadUserInput(
                "`account` is required: the global id or the external id of an account.",
                argument="account",
            )
        return principal, name, parameters

    async def _account(self, principal: Principal, named: int | str) -> VisibleAccount:
        """Return an account that the principal may read: what reads as a global id names that
        account before one with such an external id.
        """
        account_id = _account_id(named) if isinstance(named, str) else named
        account: VisibleAccount | None = None
        async with Snapshot(self.parts.database, principal) as snapshot:
            if account_id is not None:
                (account,) = await ACCOUNT_BY_ID.fetch(snapshot, principal, [(account_id,)])
            if account is None and isinstance(named, str):
                (account,) = await accounts_by_external_id(snapshot, principal, [named])
        if account is None:
            raise NotFound("Account not found, or you don't have access.")
        return account

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.parts.limits.seconds):
                yield
        except TimeoutError:
            raise DeadlineExceeded(
                f"An export may take {self.parts.limits.seconds:g} s; request fewer days."
            ) from None


class RowsExport(ExportEndpoint):
    """An export in a format that its `format` names."""

    @abstractmethod
    async def open(
        self,
        stream: Stream,
        principal: Principal,
        account: VisibleAccount,
        parameters: Parameters,
        format_: ExportFormat,
    ) -> Opened:
        """Open the requested export; raises BadUserInput."""

    async def begin(
        self,
        stream: Stream,
        principal: Principal,
        account: VisibleAccount,
        parameters: dict[str, str],
        details: dict[str, object],
    ) -> Opened:
        format_ = read_choice(parameters.pop("format", ExportFormat.CSV), "format", ExportFormat)
        details["format"] = format_
        return await self.open(stream, principal, account, parameters, format_)


class PurchasesExport(RowsExport):
    """`from`, `to`, `timeZone`, `status`, `kind`, `search`, as the filter of `creditPurchases`."""

    PATH: ClassVar = PURCHASES_PATH

    async def open(
        self,
        stream: Stream,
        principal: Principal,
        account: VisibleAccount,
        parameters: Parameters,
        format_: ExportFormat,
    ) -> Opened:
        purchases = PurchaseExportRequest.read(parameters, account)
        return await open_purchases(stream, principal, account, purchases, format_)

    def check(self, account: VisibleAccount) -> None:
        Role(account["role"]).require_purchases()


class UsageExport(RowsExport):
    """`interval`, `from`, `to`, `timeZone` and the filter's lists, as the arguments of `usage`."""

    PATH: ClassVar = USAGE_PATH

    async def open(
        self,
        stream: Stream,
        principal: Principal,
        account: VisibleAccount,
        parameters: Parameters,
        format_: ExportFormat,
    ) -> Opened:
        usage = UsageExportRequest.read(parameters, account, self.parts.clock.now())
        return await open_usage(stream, principal, account, usage, format_)

    def check(self, account: VisibleAccount) -> None:
        """Every role sees usage."""


class LedgerExport(RowsExport):
    """`from`, `to`, `timeZone` and `cause`, as the filter of `ledger`."""

    PATH: ClassVar = LEDGER_PATH

    async def open(
        self,
        stream: Stream,
        principal: Principal,
        account: VisibleAccount,
        parameters: Parameters,
        format_: ExportFormat,
    ) -> Opened:
        ledger = LedgerExportRequest.read(parameters, account)
        return await open_ledger(stream, principal, account, ledger, format_)

    def check(self, account: VisibleAccount) -> None:
        Role(account["role"]).require_purchases()


def _account_id(text: str) -> int | None:
    """Return the key in an account's global id, None for any other text."""
    try:
        parsed = parse_global_id(text)
    except NotFound:
        return None
    return parsed.account_id if parsed.typename == "Account" else None


def _headers(opened: Opened) -> Mapping[str, str] | None:
    """Return the headers; None until a file that is sent whole has its size."""
    size = {}
    if opened.whole is not None:
        if opened.whole.size is None:
            return None
        size = {"content-length": str(opened.whole.size)}
    return {
        **size,
        "content-type": opened.media_type,
        "content-disposition": attachment(opened.name),
        "cache-control": "private, no-store",
        "x-export-rows": str(opened.rows),
    }
