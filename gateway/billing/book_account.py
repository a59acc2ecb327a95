"""An account while a transaction works on it: its locked row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from gateway.billing.balance.low_balance import Thresholds
from gateway.models import LowBalance
from gateway.store.accounts import AccountState
from gateway.store.rows import LockedAccount
from gateway.windows import zone


@dataclass(slots=True, kw_only=True)
class BookAccount:
    """A locked account. `balance` is in nanos, `version` the last ledger entry's; `stored_low` is
    the low-balance state that subscribers know; `billing` is stored JSON.
    """

    account_id: int
    external_id: str
    name: str
    currency: str
    time_zone: ZoneInfo
    receipt_prefix: str
    balance: int
    version: int
    balance_at: datetime
    deployment_count: int
    revision: int
    created_at: datetime
    thresholds: Thresholds
    low: LowBalance | None
    stored_low: LowBalance | None
    issues_receipts: bool
    billing: str | None

    @classmethod
    def from_row(cls, row: LockedAccount) -> Self:
        low = LowBalance(row["low_balance"]) if row["low_balance"] else None
        return cls(
            account_id=row["account_id"],
            external_id=row["external_id"],
            name=row["name"],
            currency=row["currency"],
            time_zone=zone(row["time_zone"]),
            receipt_prefix=row["receipt_prefix"],
            balance=row["balance_nanos"],
            version=row["ledger_version"],
            balance_at=row["balance_at"],
            deployment_count=row["deployment_count"],
            revision=row["revision"],
            created_at=row["created_at"],
            thresholds=Thresholds(row["low_balance_nanos"], row["low_balance_days"]),
            low=low,
            stored_low=low,
            issues_receipts=row["issues_receipts"],
            billing=row["billing"],
        )

    def state(self) -> AccountState:
        """Return the cells that a transaction writes."""
        return AccountState(
            account_id=self.account_id,
            balance_nanos=self.balance,
            ledger_version=self.version,
            balance_at=self.balance_at,
            deployment_count=self.deployment_count,
            revision=self.revision,
            low_balance=self.low,
        )
