"""All loaders of one operation; in a subscription, of one event."""

from dataclasses import dataclass
from datetime import datetime

from gateway.principal import Principal
from gateway.store import Snapshot
from gateway.store.account_listing import ACCOUNT_BY_ID, ACCOUNTS, accounts_by_external_id
from gateway.store.balance_openings import OpeningKey, balance_openings
from gateway.store.breakdowns import BreakdownKey, RankedUsage, breakdowns
from gateway.store.burn import BurnFacts, BurnKey, visible_burn_facts
from gateway.store.deployment_listing import DEPLOYMENT_BY_ID, DEPLOYMENTS
from gateway.store.first_facts import first_facts
from gateway.store.ledger_listing import LEDGER, ledger_rows_by_key
from gateway.store.purchase_listing import (
    CREDIT_PURCHASES,
    REFUNDS_OF_PURCHASES,
    PurchaseTotals,
    RefundTotals,
)
from gateway.store.purchase_relations import (
    CANCELLATION_BY_REFUND,
    CREDIT_PURCHASE_BY_ID,
    DISPUTE_BY_ID,
    RECEIPT_BY_ID,
    RECEIPT_BY_PURCHASE,
    RECEIPT_BY_REFUND,
    REFUND_BY_ID,
    REFUNDS,
)
from gateway.store.relation import Key
from gateway.store.rollup_spans import (
    FLOWS,
    RESOURCES,
    USAGE,
    FlowsRow,
    ResourcesRow,
    Span,
    UsageRow,
)
from gateway.store.rows import (
    Counted,
    CreditPurchaseRow,
    LedgerRow,
    ReceiptRow,
    RefundRow,
    VisibleAccount,
    VisibleDeployment,
    VisibleDispute,
)
from loaders.batch import Loader, PageLoader, TotalsLoader, bind


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaders:
    """Each is named `<result>_by_<key>` and loads what the principal may see, in one snapshot."""

    account_by_id: Loader[Key, VisibleAccount | None]
    account_by_external_id: Loader[str, VisibleAccount | None]
    accounts_by_page: PageLoader[VisibleAccount]
    account_totals_by_selection: TotalsLoader[Counted]
    credit_purchase_by_id: Loader[Key, CreditPurchaseRow | None]
    credit_purchases_by_page: PageLoader[CreditPurchaseRow]
    credit_purchase_totals_by_selection: TotalsLoader[PurchaseTotals]
    refund_totals_by_selection: TotalsLoader[RefundTotals]
    refund_by_id: Loader[Key, RefundRow | None]
    refunds_by_page: PageLoader[RefundRow]
    dispute_by_id: Loader[Key, VisibleDispute | None]
    receipt_by_id: Loader[Key, ReceiptRow | None]
    receipt_by_purchase: Loader[Key, ReceiptRow | None]
    receipt_by_refund: Loader[Key, ReceiptRow | None]
    cancellation_by_refund: Loader[Key, ReceiptRow | None]
    deployment_by_id: Loader[Key, VisibleDeployment | None]
    deployments_by_page: PageLoader[VisibleDeployment]
    deployment_totals_by_selection: TotalsLoader[Counted]
    ledger_row_by_id: Loader[Key, LedgerRow | None]
    ledger_by_page: PageLoader[LedgerRow]
    ledger_totals_by_selection: TotalsLoader[Counted]
    usage_by_span: Loader[Span, list[UsageRow]]
    resources_by_span: Loader[Span, list[ResourcesRow]]
    flows_by_span: Loader[Span, list[FlowsRow]]
    breakdown_by_key: Loader[BreakdownKey, list[RankedUsage]]
    balance_by_instant: Loader[OpeningKey, int]
    burn_by_periods: Loader[BurnKey, BurnFacts]
    first_fact_by_account: Loader[int, datetime | None]


def make_loaders(snapshot: Snapshot, principal: Principal) -> Loaders:
    """Return empty loaders. They hold no reference to each other."""
    return Loaders(
        account_by_id=bind(ACCOUNT_BY_ID.fetch, snapshot, principal),
        account_by_external_id=bind(accounts_by_external_id, snapshot, principal),
        accounts_by_page=bind(ACCOUNTS.fetch_pages, snapshot, principal),
        account_totals_by_selection=bind(ACCOUNTS.fetch_totals, snapshot, principal),
        credit_purchase_by_id=bind(CREDIT_PURCHASE_BY_ID.fetch, snapshot, principal),
        credit_purchases_by_page=bind(CREDIT_PURCHASES.fetch_pages, snapshot, principal),
        credit_purchase_totals_by_selection=bind(
            CREDIT_PURCHASES.fetch_totals, snapshot, principal
        ),
        refund_totals_by_selection=bind(REFUNDS_OF_PURCHASES.fetch_totals, snapshot, principal),
        refund_by_id=bind(REFUND_BY_ID.fetch, snapshot, principal),
        refunds_by_page=bind(REFUNDS.fetch_pages, snapshot, principal),
        dispute_by_id=bind(DISPUTE_BY_ID.fetch, snapshot, principal),
        receipt_by_id=bind(RECEIPT_BY_ID.fetch, snapshot, principal),
        receipt_by_purchase=bind(RECEIPT_BY_PURCHASE.fetch, snapshot, principal),
        receipt_by_refund=bind(RECEIPT_BY_REFUND.fetch, snapshot, principal),
        cancellation_by_refund=bind(CANCELLATION_BY_REFUND.fetch, snapshot, principal),
        deployment_by_id=bind(DEPLOYMENT_BY_ID.fetch, snapshot, principal),
        deployments_by_page=bind(DEPLOYMENTS.fetch_pages, snapshot, principal),
        deployment_totals_by_selection=bind(DEPLOYMENTS.fetch_totals, snapshot, principal),
        ledger_row_by_id=bind(ledger_rows_by_key, snapshot, principal),
        ledger_by_page=bind(LEDGER.fetch_pages, snapshot, principal),
        ledger_totals_by_selection=bind(LEDGER.fetch_totals, snapshot, principal),
        usage_by_span=bind(USAGE.fetch, snapshot, principal),
        resources_by_span=bind(RESOURCES.fetch, snapshot, principal),
        flows_by_span=bind(FLOWS.fetch, snapshot, principal),
        breakdown_by_key=bind(breakdowns, snapshot, principal),
        balance_by_instant=bind(balance_openings, snapshot, principal),
        burn_by_periods=bind(visible_burn_facts, snapshot, principal),
        first_fact_by_account=bind(first_facts, snapshot, principal),
    )
