"""Imports a cost file into the books: accounts, deployments, usage and adjustments.

A file is checked whole, then compared with what earlier files said of its scope (its accounts, each
by provider and billing account) from its first instant to its last one, and only then booked:

- What is stored already is not booked again (the module `identity` has what makes two rows the
  same charge), so that a month to date can be imported every day.
- What is stored and not in the file makes it a restatement. It is refused, unless that is wanted:
  then what is missing is corrected (the same start and dimensions, amount and quantity negated),
  and what is new is booked, all in one transaction.
- Else parts of a file are transactions of their own, so that others can write in between. What
  breaks off midway is completed by importing the same file again. Only a file of such sums that
  they may not fit is one transaction too: what it cannot book refuses it whole.

An account that is there keeps its name, zone and members; a new one begins with its earliest
charge.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from gateway.audit.deeds import Act, Deed
from gateway.billing.accounts import SUBJECT_LIMIT, AccountFacts, put_account, put_member
from gateway.billing.book import Book, lock_accounts
from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.usage.recording import record_usage
from gateway.clock import Clock, SystemClock
from gateway.errors import Conflict, OutOfRange
from gateway.exports.focus.imports.comparison import compare
from gateway.exports.focus.imports.corrections import take_back
from gateway.exports.focus.imports.identity import digest_of, event_id_of
from gateway.exports.focus.imports.reader import FocusFile, FocusRejected, RowError, read_focus
from gateway.exports.focus.imports.records import SOURCE, facts_of, record_of
from gateway.exports.focus.imports.report import ImportReport
from gateway.exports.focus.imports.rows import FocusAccount, FocusCost, FocusRow
from gateway.ids import KeyFactory
from gateway.principal import Actor, Role
from gateway.store import Database, Reader, Snapshot, Transaction, accounts, imported_charges
from gateway.store.imported_charges import ImportedChargeRow, NewCharge
from gateway.text import checked_identifier

ACTOR: Final = Actor.operator("import")
BATCH: Final = 2_500
"""Rows that are booked together: one ledger entry an account for their usage."""

_OUT_OF_RANGE: Final = (
    "With this row, a balance or the total of a day or deployment would be out of range."
)

PAUSE_SECONDS: Final = 0.15
"""Between two parts on SQLite: longer than another process waits until it tries again."""


def ignore_progress(_rows: int) -> None:
    """Report no progress."""


async def import_focus(
    database: Database,
    path: Path,
    *,
    cost: FocusCost | None = None,
    account_by: FocusAccount = FocusAccount.BILLING,
    project_tag: str | None = None,
    owner: str | None = None,
    restate: bool = False,
    clock: Clock | None = None,
    actor: Actor = ACTOR,
    progress: Callable[[int], None] = ignore_progress,
) -> ImportReport:
    """Import a file; `owner` becomes an owner of its accounts.

    `progress` gets the number of rows that are booked. Raises FocusRejected, and nothing is
    imported, for a file that cannot be read, usage that starts in the future, an account that is
    kept in another currency, or, without `restate`, a file that lacks what was imported before.
    """
    if owner is not None:
        checked_identifier(owner, "owner", limit=SUBJECT_LIMIT)
    clock = clock or SystemClock()
    file = read_focus(
        path, cost=cost, account_by=account_by, project_tag=project_tag, now=clock.now()
    )
    run = _Import(file, clock, actor)
    if restate or file.may_not_fit:
        async with database.writing(ACTOR, unlimited=True) as transaction:
            if restate:
                await run.restate(transaction, owner)
            else:
                await run.refuse_restatement(transaction)
                await run.open_accounts(transaction, owner)
            for rows in _batches(file.rows()):
                progress(await run.book(transaction, rows))
        return run.report
    async with Snapshot(database, ACTOR) as snapshot:
        await run.refuse_restatement(snapshot)
    async with database.writing(ACTOR) as transaction:
        await run.open_accounts(transaction, owner)
    await _book_parts(database, run, progress)
    return run.report


async def _book_parts(database: Database, run: "_Import", progress: Callable[[int], None]) -> None:
    """Book a file's parts, each in its own transaction; an error reports the progress so far."""
    done = 0
    try:
        for rows in _batches(run.file.rows()):
            async with database.writing(ACTOR, unlimited=True) as transaction:
                booked = await run.book(transaction, rows)
            done = booked
            progress(done)
            if done < run.file.row_count:
                await asyncio.sleep(PAUSE_SECONDS if database.dialect == "sqlite" else 0)
    except BaseException as error:
        if done:
            error.add_note(
                f"The first {done:,} rows of {run.file.path.name} are imported; the same command "
                "again imports the others."
            )
        raise


class _New(NamedTuple):
    """A row to book, and the id of its event."""

    row: FocusRow
    digest: bytes
    event_id: str


class _Import:
    """One file's import."""

    def __init__(self, file: FocusFile, clock: Clock, actor: Actor) -> None:
        self.file = file
        self.clock = clock
        self.actor = actor
        self.keys = KeyFactory(clock)
        self.accounts: dict[str, int] = {}
        self.restatements: Mapping[int, int] = {}
        self.report = ImportReport()
        self._repeated: Counter[bytes] = Counter()
        self._done = 0

    async def refuse_restatement(self, reader: Reader) -> None:
        """Raise FocusRejected where stored charges of the file's scope are not in it."""
        await self._find_accounts(reader)
        comparison = await compare(reader, self.file, self.accounts)
        if comparison.missing:
            raise FocusRejected(comparison.refusal(self.file))
        self.restatements = await imported_charges.restatements(reader, self._account_ids())

    async def restate(self, transaction: Transaction, owner: str | None) -> None:
        """Correct what is stored of the file's scope and not in it."""
        await self.open_accounts(transaction, owner)
        await lock_accounts(transaction, self._account_ids(), self.actor)
        before = await imported_charges.restatements(transaction, self._account_ids())

        async def correct(account_id: int, charges: Sequence[ImportedChargeRow]) -> None:
            number = before.get(account_id, 0) + 1
            book = await Book.open(
                transaction, [account_id], actor=self.actor, clock=self.clock, keys=self.keys
            )
            usage, adjustments = await take_back(book, account_id, charges, number, source=SOURCE)
            await book.close()
            self.report.usage_corrected += usage
            self.report.adjustments_corrected += adjustments

        await compare(transaction, self.file, self.accounts, correct)
        self.restatements = await imported_charges.restatements(transaction, self._account_ids())

    async def open_accounts(self, transaction: Transaction, owner: str | None) -> None:
        """Find the file's accounts or make them."""
        await self._find_accounts(transaction)
        for external_id in self.file.accounts:
            if external_id not in self.accounts:
                self.accounts[external_id] = await self._add_account(transaction, external_id)
        if owner is not None:
            await put_member(
                transaction,
                self._account_ids(),
                owner,
                Role.OWNER,
                actor=self.actor,
                clock=self.clock,
            )

    async def _find_accounts(self, reader: Reader) -> None:
        seen = self.file.accounts
        for row in await accounts.by_external_id(reader, list(seen)):
            external_id, currency = row["external_id"], row["currency"]
            self.accounts[external_id] = row["account_id"]
            if seen[external_id].currency != currency:
                raise FocusRejected(
                    f"The currency of account {external_id} is {currency}; {self.file.path.name} "
                    f"uses {seen[external_id].currency}."
                )

    def _account_ids(self) -> list[int]:
        return list(self.accounts.values())

    async def _add_account(self, transaction: Transaction, external_id: str) -> int:
        seen = self.file.accounts[external_id]
        self.report.accounts_added += 1
        facts = AccountFacts(
            external_id=external_id,
            name=seen.name,
            currency=seen.currency,
            created_at=seen.first_at,
        )
        return await put_account(
            transaction, facts, actor=self.actor, clock=self.clock, keys=self.keys
        )

    async def book(self, transaction: Transaction, rows: Sequence[FocusRow]) -> int:
        """Book rows that are not booked yet; return the number of rows done."""
        ids = {self.accounts[row.account_external_id] for row in rows}
        book = await Book.open(transaction, ids, actor=self.actor, clock=self.clock, keys=self.keys)
        await self._check_still(transaction, ids)
        new = await self._new(transaction, rows)
        await self._book_usage(book, [each for each in new if each.row.is_usage])
        self._book_adjustments(book, [each for each in new if not each.row.is_usage])
        await imported_charges.append(transaction, [self._charge(each) for each in new])
        counts = Counter(self.accounts[each.row.account_external_id] for each in new)
        name = self.file.path.name
        book.acts += (Act(Deed.USAGE_IMPORTED, key, name, {"rows": n}) for key, n in counts.items())
        await book.close()
        self._count(rows, new)
        self._done += len(rows)
        return self._done

    async def _check_still(self, transaction: Transaction, account_ids: Collection[int]) -> None:
        """Raise Conflict where an account was restated after the file was compared with it."""
        found = await imported_charges.restatements(transaction, account_ids)
        if any(found.get(each, 0) != self.restatements.get(each, 0) for each in account_ids):
            raise Conflict(
                "Another import has restated an account meanwhile; import the file again."
            )

    async def _new(self, transaction: Transaction, rows: Sequence[FocusRow]) -> list[_New]:
        """Return the rows that are not booked yet, under their accounts' locks.

        Equal charges are counted: a third equal row is new where two are stored.
        """
        keyed = [
            (self.accounts[row.account_external_id], digest_of(row), row)
            for row in rows
            if row.is_usage or row.adjustment_nanos
        ]
        stored, own = await self._stored(transaction, keyed)
        new = []
        for account_id, digest, row in keyed:
            if self._ordinal(digest) <= stored[digest]:
                continue
            stored[digest] += 1
            scope = (digest, row.issuer, row.billing_account)
            own[scope] += 1
            restatement = self.restatements.get(account_id, 0)
            new.append(_New(row, digest, event_id_of(row, digest, own[scope], restatement)))
        return new

    def _ordinal(self, digest: bytes) -> int:
        """Return this row's number, from 1, among the file's rows with this digest."""
        if digest not in self.file.repeated:
            return 1
        self._repeated[digest] += 1
        return self._repeated[digest]

    async def _stored(
        self, transaction: Transaction, keyed: Sequence[tuple[int, bytes, FocusRow]]
    ) -> tuple[Counter[bytes], Counter[tuple[bytes, str, str]]]:
        """Return how many stored charges there are, by digest and by digest and scope."""
        names = {account_id: row.account_external_id for account_id, _, row in keyed}
        stored: Counter[bytes] = Counter()
        own: Counter[tuple[bytes, str, str]] = Counter()
        for charge in await imported_charges.counting(
            transaction, [(account_id, digest.hex()) for account_id, digest, _ in keyed]
        ):
            digest, number = bytes.fromhex(charge["digest"]), charge["number"]
            if self.file.coverage.has(names[charge["account_id"]], charge) is not False:
                stored[digest] += number
            issuer, billing_account = charge["issuer"], charge["billing_account"]
            if issuer is not None and billing_account is not None:
                own[digest, issuer, billing_account] += number
        return stored, own

    def _charge(self, new: _New) -> NewCharge:
        row = new.row
        return NewCharge(
            account_id=self.accounts[row.account_external_id],
            digest=new.digest.hex(),
            event_id=new.event_id,
            is_usage=row.is_usage,
            issuer=row.issuer,
            billing_account=row.billing_account,
            started_at=row.started_at,
        )

    async def _book_usage(self, book: Book, new: Sequence[_New]) -> None:
        if not new:
            return
        records = [
            record_of(each.row, each.event_id, self.accounts[each.row.account_external_id])
            for each in new
        ]
        facts = facts_of([each.row for each in new])
        result = await record_usage(book, records, facts, one_by_one=self.file.may_not_fit)
        self._refuse([new[position].row for position in result.out_of_range])
        if result.accepted != len(new):
            raise Conflict("Another import of the same rows is running; import the file again.")

    def _book_adjustments(self, book: Book, new: Sequence[_New]) -> None:
        for row, _, event_id in new:
            try:
                adjust_balance(
                    book,
                    self.accounts[row.account_external_id],
                    row.adjustment_nanos,
                    source=SourceKey.imported_charge(event_id),
                    occurred_at=row.started_at,
                    description=row.description,
                )
            except OutOfRange:
                if self.file.may_not_fit:
                    self._refuse([row])
                raise

    def _refuse(self, rows: Sequence[FocusRow]) -> None:
        """Raise FocusRejected for rows that cannot be booked, of a file that is booked whole."""
        if rows:
            errors = [RowError(line=row.line, reason=_OUT_OF_RANGE) for row in rows]
            raise FocusRejected.of_rows(self.file.path, errors)

    def _count(self, rows: Sequence[FocusRow], new: Sequence[_New]) -> None:
        report, usage = self.report, [row for row in rows if row.is_usage]
        usage_added = sum(each.row.is_usage for each in new)
        free = sum(not row.is_usage and not row.adjustment_nanos for row in rows)
        adjustments_added = len(new) - usage_added
        report.usage_added += usage_added
        report.usage_known += len(usage) - usage_added
        report.adjustments_added += adjustments_added
        report.adjustments_known += len(rows) - len(usage) - free - adjustments_added
        report.adjustments_free += free
        report.add_sums(usage)


def _batches(rows: Iterator[FocusRow]) -> Iterator[list[FocusRow]]:
    while batch := list(islice(rows, BATCH)):
        yield batch
