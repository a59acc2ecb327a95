"""All loaders of one operation; in a subscription, of one event."""

from dataclasses import dataclass
from datetime import datetime

from strawberry.dataloader import DataLoader

from gateway.billing.balance.history import OpeningKey
from gateway.billing.usage.breakdown import BreakdownKey
from gateway.principal import Principal
from gateway.store import Row, Snapshot
from gateway.store.burn import BurnFacts, BurnKey
from gateway.store.ledger_listing import LEDGER
from gateway.store.purchase_listing import CREDIT_PURCHASES, REFUNDS_OF_PURCHASES
from loaders.account import (
    ACCOUNT_BY_ID,
    account_by_external_id,
    account_pages,
    account_totals,
)
from loaders.balance_opening import balance_by_instant
from loaders.batch import Key, PageLoader, TotalsLoader, page_loader, totals_loader
from loaders.burn import burn_by_periods
from loaders.credit_purchase import (
    CANCELLATION_BY_REFUND,
    CREDIT_PURCHASE_BY_ID,
    DISPUTE_BY_ID,
    RECEIPT_BY_ID,
    RECEIPT_BY_PURCHASE,
    RECEIPT_BY_REFUND,
    REFUND_BY_ID,
    REFUNDS,
)
from loaders.deployment import DEPLOYMENT_BY_ID, DEPLOYMENTS
from loaders.first_fact import first_fact_by_account
from loaders.ledger import ledger_row_by_id
from loaders.usage import RollupKey, rollup_by_span
from loaders.usage_breakdown import breakdown_by_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaders:
    """Each is named `<result>_by_<key>` and loads what the principal may see, in one snapshot."""

    account_by_id: DataLoader[Key, Row | None]
    account_by_external_id: DataLoader[str, Row | None]
    accounts_by_page: PageLoader
    account_totals_by_selection: TotalsLoader
    credit_purchase_by_id: DataLoader[Key, Row | None]
    credit_purchases_by_page: PageLoader
    credit_purchase_totals_by_selection: TotalsLoader
    refund_totals_by_selection: TotalsLoader
    refund_by_id: DataLoader[Key, Row | None]
    refunds_by_page: PageLoader
    dispute_by_id: DataLoader[Key, Row | None]
    receipt_by_id: DataLoader[Key, Row | None]
    receipt_by_purchase: DataLoader[Key, Row | None]
    receipt_by_refund: DataLoader[Key, Row | None]
    cancellation_by_refund: DataLoader[Key, Row | None]
    deployment_by_id: DataLoader[Key, Row | None]
    deployments_by_page: PageLoader
    deployment_totals_by_selection: TotalsLoader
    ledger_row_by_id: DataLoader[Key, Row | None]
    ledger_by_page: PageLoader
    ledger_totals_by_selection: TotalsLoader
    rollup_by_span: DataLoader[RollupKey, list[Row]]
    breakdown_by_key: DataLoader[BreakdownKey, list[Row]]
    balance_by_instant: DataLoader[OpeningKey, int]
    burn_by_periods: DataLoader[BurnKey, BurnFacts]
    first_fact_by_account: DataLoader[int, datetime | None]


def make_loaders(snapshot: Snapshot, principal: Principal) -> Loaders:
    """Return empty loaders. They hold no reference to each other."""
    return Loaders(
        account_by_id=ACCOUNT_BY_ID.loader(snapshot, principal),
        account_by_external_id=account_by_external_id(snapshot, principal),
        accounts_by_page=account_pages(snapshot, principal),
        account_totals_by_selection=account_totals(snapshot, principal),
        credit_purchase_by_id=CREDIT_PURCHASE_BY_ID.loader(snapshot, principal),
        credit_purchases_by_page=page_loader(CREDIT_PURCHASES, snapshot, principal),
        credit_purchase_totals_by_selection=totals_loader(CREDIT_PURCHASES, snapshot, principal),
        refund_totals_by_selection=totals_loader(REFUNDS_OF_PURCHASES, snapshot, principal),
        refund_by_id=REFUND_BY_ID.loader(snapshot, principal),
        refunds_by_page=page_loader(REFUNDS, snapshot, principal),
        dispute_by_id=DISPUTE_BY_ID.loader(snapshot, principal),
        receipt_by_id=RECEIPT_BY_ID.loader(snapshot, principal),
        receipt_by_purchase=RECEIPT_BY_PURCHASE.loader(snapshot, principal),
        receipt_by_refund=RECEIPT_BY_REFUND.loader(snapshot, principal),
        cancellation_by_refund=CANCELLATION_BY_REFUND.loader(snapshot, principal),
        deployment_by_id=DEPLOYMENT_BY_ID.loader(snapshot, principal),
        deployments_by_page=page_loader(DEPLOYMENTS, snapshot, principal),
        deployment_totals_by_selection=totals_loader(DEPLOYMENTS, snapshot, principal),
        ledger_row_by_id=ledger_row_by_id(snapshot, principal),
        ledger_by_page=page_loader(LEDGER, snapshot, principal),
        ledger_totals_by_selection=totals_loader(LEDGER, snapshot, principal),
        rollup_by_span=rollup_by_span(snapshot, principal),
        breakdown_by_key=breakdown_by_key(snapshot, principal),
        balance_by_instant=balance_by_instant(snapshot, principal),
        burn_by_periods=burn_by_periods(snapshot, principal),
        first_fact_by_account=first_fact_by_account(snapshot, principal),
    )
