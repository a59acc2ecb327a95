"""A cost file into the books: accounts, deployments, usage and adjustments, in one transaction.

Importing a row again changes nothing, in the same file or in another one. An account that is there
keeps its name, zone and members; a new one begins with its earliest charge.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from itertools import islice
from pathlib import Path
from typing import Final

from gateway.billing.accounts import AccountFacts, put_account
from gateway.billing.book import Book
from gateway.billing.credits import adjust_balance
from gateway.billing.usage import DeploymentFacts, DeploymentName, UsageRecord, record_usage
from gateway.clock import Clock, SystemClock
from gateway.ids import KeyFactory
from gateway.imports.focus import FocusFile, FocusRejected, RowError, read_focus
from gateway.imports.focus_rows import FocusAccount, FocusCost, FocusRow
from gateway.principal import Role
from gateway.store import Database, Transaction, accounts, deployments, ledger, members

SOURCE: Final = "focus"
"""What stands as the source of imported events, and before the id of imported adjustments."""

BATCH: Final = 20_000
"""Rows that are booked together: one ledger entry an account for their usage."""

_EXACT: Final = Context(prec=100)


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What an import did. Counts are rows; `known` ones were imported before.

    An adjustment of nothing is counted as free and makes no ledger entry. The two sums are those of
    all the file's usage by currency: in nanos, each row rounded, and before that.
    """

    accounts_added: int = 0
    usage_added: int = 0
    usage_known: int = 0
    adjustments_added: int = 0
    adjustments_known: int = 0
    adjustments_free: int = 0
    usage_nanos: dict[str, int] = field(default_factory=dict)
    usage_unrounded: dict[str, Decimal] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Yield what a person wants to know."""
        yield (
            f"Accounts: {self.accounts_added} new. Usage: {self.usage_added} rows new, "
            f"{self.usage_known} known. Adjustments: {self.adjustments_added} new, "
            f"{self.adjustments_known} known, {self.adjustments_free} of nothing."
        )
        for currency, nanos in self.usage_nanos.items():
            booked, exact = Decimal(nanos).scaleb(-9), self.usage_unrounded[currency]
            yield (
                f"The file's usage is {booked:f} {currency}, each row rounded to the nano; "
                f"unrounded {exact:f}, a difference of {booked - exact:f}."
            )


def ignore_progress(_rows: int) -> None:
    """Tell nobody."""


async def import_focus(
    database: Database,
    path: Path,
    *,
    cost: FocusCost | None = None,
    account_by: FocusAccount = FocusAccount.BILLING,
    owner: str | None = None,
    clock: Clock | None = None,
    progress: Callable[[int], None] = ignore_progress,
) -> ImportReport:
    """Import a file whole; `owner` becomes an owner of its accounts.

    `progress` is told how many rows are done. Raises FocusRejected, and nothing is imported, for a
    file that cannot be read, usage that starts in the future, an account that is kept in another
    currency, or a row that is known with other content (as when the other cost column was taken).
    """
    file = read_focus(path, cost=cost, account_by=account_by)
    clock = clock or SystemClock()
    async with database.writing(unlimited=True) as transaction:
        run = _Import(transaction, file, clock)
        await run.open_accounts(owner)
        done = 0
        for rows in _batches(file.rows()):
            await run.book(rows)
            done += len(rows)
            progress(done)
    return run.report


class _Import:
    """One file's import, in one transaction."""

    def __init__(self, transaction: Transaction, file: FocusFile, clock: Clock) -> None:
        self.transaction = transaction
        self.file = file
        self.clock = clock
        self.keys = KeyFactory(clock)
        self.accounts: dict[str, int] = {}
        self.report = ImportReport()

    async def open_accounts(self, owner: str | None) -> None:
        """Find the file's accounts or make them."""
        seen = self.file.accounts
        for row in await accounts.by_external_id(self.transaction, list(seen)):
            external_id, currency = row["external_id"], row["currency"]
            self.accounts[external_id] = row["account_id"]
            if seen[external_id].currency != currency:
                raise FocusRejected(
                    f"Account {external_id} is kept in {currency}; {self.file.path.name} has it in "
                    f"{seen[external_id].currency}."
                )
        for external_id in seen:
            if external_id not in self.accounts:
                self.accounts[external_id] = await self._add_account(external_id)
        if owner is not None:
            ids = list(self.accounts.values())
            await members.put(self.transaction, ids, owner, Role.OWNER, self.clock.now())

    async def _add_account(self, external_id: str) -> int:
        seen = self.file.accounts[external_id]
        self.report.accounts_added += 1
        facts = AccountFacts(
            external_id=external_id,
            name=seen.name,
            currency=seen.currency,
            created_at=seen.first_at,
        )
        return await put_account(self.transaction, facts, clock=self.clock, keys=self.keys)

    async def book(self, rows: Sequence[FocusRow]) -> None:
        """Book rows, those that are known not again."""
        ids = {self.accounts[row.account_external_id] for row in rows}
        book = await Book.open(self.transaction, ids, clock=self.clock, keys=self.keys)
        await self._book_usage(book, [row for row in rows if row.is_usage])
        await self._book_adjustments(book, [row for row in rows if not row.is_usage])
        await book.close()

    async def _book_usage(self, book: Book, rows: Sequence[FocusRow]) -> None:
        self._refuse(
            [row for row in rows if row.started_at > book.now],
            "ChargePeriodStart: Usage does not start in the future.",
        )
        records = [_to_record(row, self.accounts[row.account_external_id]) for row in rows]
        result = await record_usage(book, records, await self._facts(rows))
        self._refuse(
            [rows[position] for position in result.conflicts],
            "It was imported before with another meaning, as when the other cost column was taken.",
        )
        self.report.usage_added += result.accepted
        self.report.usage_known += result.duplicates
        _add_sums(self.report, rows)

    async def _facts(self, rows: Sequence[FocusRow]) -> Mapping[DeploymentName, DeploymentFacts]:
        """Return what rows say of their deployments; one began with its earliest charge, whichever
        file that was in.
        """
        latest: dict[DeploymentName, FocusRow] = {}
        started: dict[DeploymentName, datetime] = {}
        for row in rows:
            if row.deployment_external_id is not None:
                name = (self.accounts[row.account_external_id], row.deployment_external_id)
                latest[name] = row
                started[name] = min(started.get(name, row.started_at), row.started_at)
        for known in await deployments.by_external_id(self.transaction, list(latest)):
            name = (known["account_id"], known["external_id"])
            started[name] = min(started[name], known["started_at"])
        return {
            name: DeploymentFacts(
                name=row.deployment_name,
                provider=row.provider,
                gpu_model=row.gpu_model,
                region=row.region,
                service=row.service,
                started_at=started[name],
            )
            for name, row in latest.items()
        }

    async def _book_adjustments(self, book: Book, rows: Sequence[FocusRow]) -> None:
        sources = {
            (self.accounts[row.account_external_id], f"{SOURCE}:{row.event_id}"): row
            for row in rows
            if row.adjustment_nanos
        }
        known = await ledger.known_sources(self.transaction, list(sources))
        for (account_id, source_key), row in sources.items():
            if (account_id, source_key) not in known:
                adjust_balance(
                    book,
                    account_id,
                    row.adjustment_nanos,
                    source_key=source_key,
                    occurred_at=row.started_at,
                    description=row.description,
                )
        self.report.adjustments_added += len(sources) - len(known)
        self.report.adjustments_known += len(known)
        self.report.adjustments_free += len(rows) - len(sources)

    def _refuse(self, rows: Sequence[FocusRow], reason: str) -> None:
        if rows:
            raise FocusRejected.of_rows(
                self.file.path, [RowError(line=row.line, reason=reason) for row in rows]
            )


def _batches(rows: Iterator[FocusRow]) -> Iterator[list[FocusRow]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _to_record(row: FocusRow, account_id: int) -> UsageRecord:
    return UsageRecord(
        account_id=account_id,
        source=SOURCE,
        event_id=row.event_id,
        deployment=row.deployment_external_id,
        resource=row.resource.value,
        unit=row.unit,
        quantity=row.quantity_nanos,
        quantity_text=_text_if_rounded(row.quantity_text, row.quantity_nanos),
        amount=row.cost_nanos,
        amount_text=_text_if_rounded(row.cost_text, row.cost_nanos),
        correction=row.correction,
        provider=row.provider,
        gpu_model=row.gpu_model,
        region=row.region,
        service=row.service,
        sku=row.sku,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _text_if_rounded(text: str, nanos: int) -> str | None:
    return None if Decimal(text) == Decimal(nanos).scaleb(-9) else text


def _add_sums(report: ImportReport, rows: Iterable[FocusRow]) -> None:
    for row in rows:
        nanos, unrounded = report.usage_nanos, report.usage_unrounded
        nanos[row.currency] = nanos.get(row.currency, 0) + row.cost_nanos
        unrounded[row.currency] = _EXACT.add(
            unrounded.get(row.currency, Decimal(0)), Decimal(row.cost_text)
        )
