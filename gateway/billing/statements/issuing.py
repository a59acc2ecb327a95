"""Issues statements, month after month.

A statement holds ledger entries that exist. They never change, so they are read without a lock. The
account's lock makes sure that each statement follows the one before.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gateway.billing.statements.content import (
    movements_by_day,
    spend_of,
    taxes_of,
    usage_by_part,
)
from gateway.billing.statements.month import Month, next_month
from gateway.clock import Clock
from gateway.ids import KeyFactory
from gateway.money import checked, format_amount
from gateway.principal import Actor
from gateway.store import Database, Reader, accounts, statement_facts, statements
from gateway.store.buyers import buyer_of
from gateway.store.engine.stored_json import dumps
from gateway.store.rows import AccountRow
from gateway.store.statement_facts import Span, Versions
from gateway.store.statements import IssuedStatement, LastStatement, StatementData
from gateway.windows import zone
from gateway.work.jobs import Unrecoverable

FORMAT: Final = 1
"""Version of the frozen data's shape; an issued document keeps its version."""
GRACE: Final = timedelta(minutes=1)
"""How long after a month's end its statement is issued at the earliest: the clocks of processes
differ.
"""


class _Drafted(NamedTuple):
    """A statement, and the one that it follows."""

    follows: LastStatement | None
    statement: IssuedStatement


async def issue_next(
    database: Database, account_id: int, *, actor: Actor, clock: Clock, keys: KeyFactory
) -> bool:
    """Issue the account's next statement, if its month has ended; return whether one was issued.

    Of concurrent calls one issues it.
    """
    # Entries of earlier versions do not say which events they are of: all may be read.
    async with database.exporting(actor, unlimited=True) as reader:
        drafted = await _draft(reader, account_id, now=clock.now(), keys=keys)
    if drafted is None:
        return False
    async with database.writing(actor) as transaction:
        await accounts.lock(transaction, [account_id])
        if await statements.last(transaction, account_id) == drafted.follows:
            await statements.append(transaction, drafted.statement)
    return True


async def _draft(
    reader: Reader, account_id: int, *, now: datetime, keys: KeyFactory
) -> _Drafted | None:
    account = await statement_facts.account_of(reader, account_id)
    if account is None:
        return None
    last = await statements.last(reader, account_id)
    first = last["last_version"] + 1 if last else 1
    moved = await statement_facts.entry(reader, account_id, first)
    local = zone(account["time_zone"])
    month = next_month(last, moved["recorded_at"] if moved else None, local)
    if month is None or month.span(local).end + GRACE > now:
        return None
    span = month.span(local)
    final = await statement_facts.last_entry_before(reader, account_id, first, span.end)
    opening = last["closing_nanos"] if last else 0
    content = _Content(
        account=account,
        month=month,
        span=span,
        zone=local,
        versions=Versions(account_id, first, final["version"] if final else first - 1),
        opening=opening,
        closing=final["balance_nanos"] if final else opening,
        issued_at=now,
    )
    statement = await content.statement(reader, keys.new())
    return _Drafted(last, statement)


class _Content(NamedTuple):
    """Facts of a statement that is being drafted; balances are nanos."""

    account: AccountRow
    month: Month
    span: Span
    zone: ZoneInfo
    versions: Versions
    opening: int
    closing: int
    issued_at: datetime

    async def statement(self, reader: Reader, id_: int) -> IssuedStatement:
        """Return the cells. Raises Unrecoverable where the figures do not add up."""
        data = await self._data(reader)
        return IssuedStatement(
            account_id=self.account["account_id"],
            id=id_,
            number=data["number"],
            month=self.month.text,
            first_version=self.versions.first,
            last_version=self.versions.last,
            currency=self.account["currency"],
            opening_nanos=self.opening,
            closing_nanos=self.closing,
            ended_at=self.span.end,
            issued_at=self.issued_at,
            data=dumps(data),
        )

    async def _data(self, reader: Reader) -> StatementData:
        account, currency = self.account, self.account["currency"]
        moves = await statement_facts.moves(reader, self.versions)
        used = await statement_facts.used_days(reader, self.versions)
        usage = await statement_facts.usage(reader, self.versions, self.span)
        shown = await statement_facts.shown_usage(reader, account["account_id"], self.span)
        used_nanos = sum(each["amount_nanos"] for each in used)
        moved = sum(each["amount_nanos"] for each in moves) + used_nanos
        if self.opening + moved != self.closing or spend_of(usage) != -used_nanos:
            raise Unrecoverable(
                f"The figures of {self.month.text} do not add up: see `gateway doctor`."
            )
        return {
            "format": FORMAT,
            "number": f"{account['receipt_prefix']}-S{self.month.text}",
            "month": self.month.text,
            "issuedAt": self.issued_at.isoformat(),
            "timeZone": account["time_zone"],
            "currency": currency,
            "buyer": buyer_of(account["name"], account["external_id"], account["billing"]),
            "opening": format_amount(self.opening, currency),
            "days": movements_by_day(
                moves, used, opening=self.opening, zone=self.zone, currency=currency
            ),
            "closing": format_amount(checked(self.closing), currency),
            "usage": usage_by_part(usage, currency),
            "usageShown": format_amount(shown, currency),
            "taxes": taxes_of(moves, currency),
        }
